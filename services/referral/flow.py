"""What came, what opened and what was given, by kind and day, and how often a proposal was overruled: counts, without anybody in them.

They say at what pace places of a kind are given (`outlook`) and how scarce seats are (`lookahead`). They are written in the transaction of
what they count, a line for each day and writing process, so they are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from schemas.codes import CancelReason, RejectReason, ServiceKind
from schemas.events import ReferralCancelled, ReferralProposed, ReferralRejected
from services.referral.facts import NeedKnown, SeatsSet, TermsSet
from services.referral.model import Case
from services.referral.offers import Offer
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision, States

COUNTED_DAYS: Final = 42
"""How far back is looked, in days."""


class Flowed(StrEnum):
    """What is counted."""

    CAME = "came"
    """Needs, when they are heard of first."""
    OPENED = "opened"
    """Seats, when a partner says that there are more (or fewer: they are taken off again)."""
    GIVEN = "given"
    """Seats that were held for a need, each time."""


@cache
def entry(what: Flowed, kind: ServiceKind) -> str:
    """The name under which it is counted."""
    return f"{what}/{kind}"


OVERRIDES: Final[tuple[RejectReason | CancelReason, ...]] = (*RejectReason, CancelReason.ANOTHER_CHOSEN)
"""Why a counsellor overrules a proposal: it is wrong for a reason, or another place was chosen by hand."""


@cache
def override(reason: RejectReason | CancelReason) -> str:
    """The name under which it is counted."""
    return f"overridden/{reason}"


ENTRIES: Final = (*(entry(what, kind) for what in Flowed for kind in ServiceKind), *map(override, OVERRIDES))


@dataclass(frozen=True, slots=True)
class Flow:
    """Effect: so much more came, opened or was given on a day; by entry."""

    day: date
    changes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flows:
    """What the last days brought. `days` is over how many of them, at least one."""

    days: int
    entries: Mapping[str, int]

    def of(self, what: Flowed, kind: ServiceKind) -> int:
        return self.entries.get(entry(what, kind), 0)

    def overridden(self) -> dict[RejectReason | CancelReason, int]:
        """How many proposals counsellors overruled, by reason."""
        return {reason: self.entries.get(override(reason), 0) for reason in OVERRIDES}

    def given_a_day(self, kind: ServiceKind) -> float:
        """The pace at which places of this kind are given."""
        return self.of(Flowed.GIVEN, kind) / self.days


def flows(lines: Iterable[tuple[date, Mapping[str, int]]], today: date, begun: date | None) -> Flows:
    """Of the days from `first_counted` on. `begun`: the first day that was ever counted."""
    first = first_counted(today)
    entries: Counter[str] = Counter()
    for _, counts in lines:
        entries.update(counts)
    return Flows((today - max(first, begun or today)).days + 1, entries)


def first_counted(today: date) -> date:
    """The first of the days that count."""
    return today - timedelta(days=COUNTED_DAYS - 1)


def flowing(decision: Decision, states: States, now: datetime) -> Decision:
    """The decision with what it brings."""
    changes = Counter[str]()
    for name, number in _changes(decision, states):
        changes[name] += number
    moved = {name: number for name, number in changes.items() if number}
    if not moved:
        return decision
    return replace(decision, effects=(*decision.effects, Flow(berlin_day(now), moved)))


def _changes(decision: Decision, states: States) -> Iterator[tuple[str, int]]:
    for subject, fact in decision.facts:
        match fact:
            case ReferralProposed(kind=kind):
                yield entry(Flowed.GIVEN, kind), 1
            case ReferralRejected(reason=reason):
                yield override(reason), 1
            case ReferralCancelled(reason=CancelReason.ANOTHER_CHOSEN as reason):
                yield override(reason), 1
            case NeedKnown(need=need, kind=kind):
                if states.get(Case, subject.id).need(need) is None:
                    yield entry(Flowed.CAME, kind), 1
            case TermsSet(terms=terms, seats=seats):
                yield entry(Flowed.OPENED, terms.kind), seats - states.get(Offer, subject.id).seats
            case SeatsSet(seats=seats):
                offer = states.get(Offer, subject.id)
                if offer.terms is not None:
                    yield entry(Flowed.OPENED, offer.terms.kind), seats - offer.seats
            case _:
                pass
