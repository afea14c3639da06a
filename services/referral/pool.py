"""Everybody for whom a place is sought in one county, as one process knows it: read once, then kept up by news.

Pure but for its own memory: the rounds read and settle. What is remembered saves reading and never decides: each pair is decided again
from the states (`placing`), and whatever was not taken there makes the case `unsure`: it is to be read again.

A need that waits is looked at when it has news, when other offers are open to its kind than it was judged by, when an offer that fits it
has a free seat, and when one that was tried may be proposed again. Everybody else costs one AND of two whole numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from schemas.codes import ServiceKind, WaitReason
from services.referral.commands import PassOver, Propose
from services.referral.eligibility import Circumstances
from services.referral.matching import match
from services.referral.model import Case, Need
from services.referral.offers import Offer
from services.referral.seekers import Seeker, seeker_of
from services.referral.verdicts import Verdicts


@dataclass(slots=True)
class _Waiting:
    """A need that waits. `told` is what others heard last, None for one that no round has passed over yet.

    `fitting` are the offers that fit, by the verdicts that it was `judged` by.
    """

    seeker: Seeker
    revision: int
    told: WaitReason | None
    judged: Verdicts | None = None
    fitting: int = 0


class Pool:
    """The needs that wait in one county. `unsure` are the cases to be read again."""

    def __init__(self) -> None:
        self.unsure: Final[set[str]] = set()
        self._by_kind: defaultdict[ServiceKind, dict[str, _Waiting]] = defaultdict(dict)
        self._kinds: dict[str, dict[str, ServiceKind]] = {}
        self._apart: dict[str, list[PassOver]] = {}
        self._verdicts: dict[ServiceKind, Verdicts] = {}
        self._changes: dict[ServiceKind, list[int]] = {}
        self._values: dict[Hashable, Hashable] = {}

    def learn(self, case: Case) -> None:
        """How a case stands now, in the place of what was known of it."""
        self._forget(case.id)
        for need in case.needs if case.stands else ():
            if not need.is_sought:
                continue
            told = need.told if need.passed_over else None
            if (reason := _not_looked_for(case, need)) is not None:
                if told is not reason:
                    self._apart.setdefault(case.id, []).append(_pass_over(case.id, need.id, reason, case.revision))
            elif (seeker := seeker_of(case, need)) is not None:
                self._by_kind[need.kind][need.id] = _Waiting(self._sharing(seeker), case.revision, told)
                self._kinds.setdefault(case.id, {})[need.id] = need.kind

    def look(self, offers: Iterable[Offer], where: Circumstances, seed: str) -> list[Propose | PassOver]:
        """What is to be decided, by case: pairs, and who waits without knowing it yet, or for another reason than was told."""
        boards: defaultdict[ServiceKind, list[Offer]] = defaultdict(list)
        for offer in sorted(offers, key=lambda one: one.id):
            if offer.terms is not None and offer.is_open(where.today):
                boards[offer.terms.kind].append(offer)
        seekers = [
            one.seeker
            for kind, waiting in self._by_kind.items()
            for one in self._stirred(kind, waiting.values(), boards[kind], where)
        ]
        matching = match(seekers, [offer for board in boards.values() for offer in board], where, seed)
        wanted: list[Propose | PassOver] = [
            Propose(case=pair.case, need=pair.need, offer=pair.offer) for pair in matching.pairs
        ]
        for one in matching.unplaced:
            known = self._known(one.case, one.need)
            if known.told is not one.reason:
                wanted.append(_pass_over(one.case, one.need, one.reason, known.revision))
        wanted += (one for apart in self._apart.values() for one in apart)
        return sorted(wanted, key=lambda one: (one.case, one.need))

    def new_since(self, wanted: Propose) -> datetime | None:
        """Since when the need is sought that is to be decided; None if a round has passed it over."""
        known = self._known(wanted.case, wanted.need)
        return known.seeker.since if known.told is None else None

    def settled(self, wanted: Propose | PassOver, *, taken: bool) -> None:
        """What became of something that was to be decided."""
        kinds = self._kinds.get(wanted.case, {})
        if not taken:
            self.unsure.add(wanted.case)
        elif wanted.need not in kinds:
            self._apart.pop(wanted.case, None)
        elif isinstance(wanted, PassOver):
            self._known(wanted.case, wanted.need).told = wanted.reason
        else:
            kind = kinds.pop(wanted.need)
            del self._by_kind[kind][wanted.need]
            if kind in kinds.values():
                # What else is sought of this kind for the same person waits for another reason now.
                self.unsure.add(wanted.case)

    def _forget(self, case: str) -> None:
        self.unsure.discard(case)
        self._apart.pop(case, None)
        for need, kind in self._kinds.pop(case, {}).items():
            del self._by_kind[kind][need]

    def _known(self, case: str, need: str) -> _Waiting:
        return self._by_kind[self._kinds[case][need]][need]

    def _sharing(self, seeker: Seeker) -> Seeker:
        """Thousands wait with the same few values: each value of an attribute is kept once. (Named tuples of two sorts may be equal.)"""
        shared = {
            name: self._values.setdefault((name, value), value)
            for name in ("tried", "home", "hours", "levels", "languages", "admission", "access_needs")
            if isinstance(value := getattr(seeker, name), Hashable)
        }
        return replace(seeker, **shared)

    def _stirred(
        self, kind: ServiceKind, waiting: Iterable[_Waiting], board: Sequence[Offer], where: Circumstances
    ) -> Iterator[_Waiting]:
        verdicts = self._verdicts.get(kind)
        if verdicts is None or not verdicts.hold_for(board, where):
            verdicts = self._verdicts[kind] = Verdicts(board, where)
        changes = [offer.changes for offer in board]
        changed, self._changes[kind] = changes != self._changes.get(kind), changes
        with_seat = sum(1 << place for place, offer in enumerate(board) if offer.free > 0)
        for one in waiting:
            if one.judged is not verdicts:
                one.judged, one.fitting = verdicts, verdicts.fitting(one.seeker)
                yield one
            elif one.told is None or one.fitting & with_seat or (changed and one.seeker.tried):
                yield one


def seekers_of(case: Case, kind: ServiceKind) -> Iterator[Seeker]:
    """The needs of this kind for which rounds look for a place in this case."""
    for need in case.needs if case.stands else ():
        if need.kind is kind and need.is_sought and _not_looked_for(case, need) is None:
            seeker = seeker_of(case, need)
            if seeker is not None:
                yield seeker


def _not_looked_for(case: Case, need: Need) -> WaitReason | None:
    """Why nothing is sought for a need although it waits."""
    if not case.consents_to(need):
        return WaitReason.CONSENT_MISSING
    return WaitReason.HELD_ALREADY if case.has_place_beside(need) else None


def _pass_over(case: str, need: str, reason: WaitReason, revision: int) -> PassOver:
    return PassOver(case=case, need=need, reason=reason, revision=revision)
