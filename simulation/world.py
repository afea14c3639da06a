"""What all who act in the simulation share: the county, the doors, who is who, and a tally of what was done.

A counsellor knows the person who sits across the table. The services know cases; who belongs to one is learnt by reading the person at
intake (which is audited there) and recognising them, or from the answer when somebody registers at the counter.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, KeysView, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from schemas.codes import Role
from simulation.county import County
from simulation.doors import Doors, Refusal, Who
from simulation.partners import Offer
from simulation.people import Person
from simulation.register import Register

COUNSELLOR: Final = Who(Role.COUNSELLOR, "counsellor-of-the-centre")
PROTECTION_OFFICER: Final = Who(Role.DATA_PROTECTION_OFFICER, "data-protection-officer")

NO_LONGER: Final = frozenset({403, 404, 409, 410})
"""Statuses by which a service says that the world has moved on: the case ended, the seat is gone, somebody was faster."""


def clerk(district: str) -> Who:
    """The clerk at the registry office of a district."""
    return Who(Role.CLERK, f"clerk-of-{district}", office=district)


def partner(code: str) -> Who:
    return Who(Role.PARTNER, f"partner-{code}", organisation=code)


class Strangers:
    """People whom an office has registered, until somebody meets them: found by e-mail, telephone, or name and birth."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, ...], list[int]] = {}

    def expect(self, index: int, written: Register) -> None:
        for mark in _marks(
            written.email,
            written.phone,
            written.family_name,
            written.given_names,
            str(written.birth_date) if written.birth_date else None,
        ):
            known = self._marks.setdefault(mark, [])
            if index not in known:
                known.append(index)

    def recognise(self, person: Mapping[str, Any], met: Mapping[int, str]) -> int | None:
        """Whoever has these marks and has not been `met` yet; the first who registered, if two are alike in all of them."""
        fields = (person.get(name) for name in ("email", "phone", "family_name", "given_names", "birth_date"))
        for mark in _marks(*fields):
            for index in self._marks.get(mark, ()):
                if index not in met:
                    return index
        return None


def _marks(*fields: str | None) -> Iterable[tuple[str, ...]]:
    """The surest first."""
    email, phone, family, given, birth = (unicodedata.normalize("NFC", field or "") for field in fields)
    if email:
        yield "email", email
    if phone:
        yield "phone", phone
    yield "name", family, given, birth


@dataclass
class World:
    """One simulated county in front of one running copy. Its courses begin `put_off` later than the county plans them.

    `arrived` are those whom an office has handed over in any form, `refused` those of them whose last row was refused. `moved_away`,
    `withdrawn` (the transfer consent) and `erased_after` (how long after the arrival, at least) are the cases for which intake has
    confirmed it. `done` counts what was done by name, `steps` the steps of referrals by name and case, `refusals` what services refused.
    `completed` are cases that have come to the end of something, until somebody talks to them about what follows.
    All of it is the simulation's own record, beside which the services' books are laid.
    """

    county: County
    doors: Doors
    put_off: timedelta = timedelta()
    strangers: Strangers = field(default_factory=Strangers)
    arrived: set[int] = field(default_factory=set[int])
    refused: set[int] = field(default_factory=set[int])
    case_of: dict[int, str] = field(default_factory=dict[int, str])
    person_of: dict[str, int] = field(default_factory=dict[str, int])
    erased_after: dict[str, timedelta] = field(default_factory=dict[str, timedelta])
    moved_away: set[str] = field(default_factory=set[str])
    withdrawn: set[str] = field(default_factory=set[str])
    done: Counter[str] = field(default_factory=Counter[str])
    steps: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter[str]))
    refusals: Counter[str] = field(default_factory=Counter[str])
    newly_met: list[str] = field(default_factory=list[str])
    completed: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.person = lru_cache(maxsize=4096)(self._person)
        self.offers = tuple(self._later(offer) for offer in self.county.offers)

    @property
    def erased(self) -> KeysView[str]:
        """The cases that intake has forgotten."""
        return self.erased_after.keys()

    def _person(self, index: int) -> Person:
        return self.county.person(index)

    def _later(self, offer: Offer) -> Offer:
        return replace(offer, starts_on=offer.starts_on + self.put_off) if offer.starts_on else offer

    def meet(self, case: str, index: int) -> None:
        """From now on it is known whose case this is."""
        self.case_of[index] = case
        self.person_of[case] = index
        self.newly_met.append(case)

    def person_in(self, case: str) -> Person:
        """Whoever is behind a case that is known."""
        return self.person(self.person_of[case])

    def record(self, step: str, case: str) -> None:
        """A step of a referral was taken."""
        self.done[step] += 1
        self.steps[step][case] += 1

    def offer_id(self, offer: Offer) -> str:
        """The id that the partner gives its offer: the same each time it is sent."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.county.key}/{self.county.seed}/{offer.key}"))

    def note(self, refusal: Refusal) -> None:
        """Count a refusal that somebody who acts may get. Raises any other, which is a mistake of the simulation or a service."""
        if refusal.status not in NO_LONGER:
            raise refusal
        self.refusals[f"{refusal.service} {refusal.code}"] += 1
