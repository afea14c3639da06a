"""What a round looks at, and what it wants decided. Pure: the round itself reads and settles.

Needs with news are looked at always. Needs that a round passed over are looked at again only when something became possible for their
kind: an offer opened or closed, a seat was freed. `stirred` tells from the openings that were seen last; it is no more than a saving.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from schemas.codes import ServiceKind, WaitReason
from services.referral.commands import PassOver, Propose
from services.referral.eligibility import Seeker, seeker_of
from services.referral.matching import Matching
from services.referral.model import Case, Need
from services.referral.offers import Offer


@dataclass(frozen=True, slots=True)
class Seen:
    """The open offers of a kind with their openings, in a calendar year (people grow older by years here)."""

    year: int
    openings: Mapping[str, int]


Board = Mapping[ServiceKind, Seen]


def board_of(offers: Sequence[Offer], today: date) -> Board:
    """What a round sees of the open offers."""
    boards: dict[ServiceKind, dict[str, int]] = defaultdict(dict)
    for offer in offers:
        if offer.terms is not None:
            boards[offer.terms.kind][offer.id] = offer.openings
    return {kind: Seen(today.year, openings) for kind, openings in boards.items()}


def stirred(before: Board | None, now: Board, offers: Sequence[Offer]) -> frozenset[ServiceKind]:
    """The kinds for which something became possible, or another reason to wait holds, since `before`. None remembers nothing."""
    if before is None:
        return frozenset(ServiceKind)
    with_seat = {offer.terms.kind for offer in offers if offer.terms is not None and offer.free > 0}
    return frozenset(
        kind
        for kind in before.keys() | now.keys()
        if before.get(kind) != now.get(kind) and (kind in with_seat or _others(before.get(kind), now.get(kind)))
    )


def _others(before: Seen | None, now: Seen | None) -> bool:
    """Whether other offers are open than before."""
    return (before.openings.keys() if before else set()) != (now.openings.keys() if now else set())


@dataclass(slots=True)
class Pool:
    """The needs that a round looks at: `seekers` may be placed. Holds what of the cases is needed later, not the cases."""

    seekers: list[Seeker] = field(default_factory=list[Seeker])
    _told: dict[str, WaitReason | None] = field(default_factory=dict[str, WaitReason | None])
    _passed_over: set[str] = field(default_factory=set[str])
    _revisions: dict[str, int] = field(default_factory=dict[str, int])
    _not_sought: list[tuple[str, str, WaitReason]] = field(default_factory=list[tuple[str, str, WaitReason]])

    def add(self, case: Case, stirred: frozenset[ServiceKind]) -> None:
        """The needs of a case that have news, or whose kind has."""
        if not case.stands:
            return
        self._revisions[case.id] = case.revision
        for need in case.needs:
            if need.is_sought and (not need.passed_over or need.kind in stirred):
                self._add(case, need)

    def _add(self, case: Case, need: Need) -> None:
        self._told[need.id] = need.told
        if need.passed_over:
            self._passed_over.add(need.id)
        seeker = seeker_of(case, need)
        if not case.consents_to(need):
            self._not_sought.append((case.id, need.id, WaitReason.CONSENT_MISSING))
        elif case.has_place_beside(need):
            self._not_sought.append((case.id, need.id, WaitReason.HELD_ALREADY))
        elif seeker is not None:
            self.seekers.append(seeker)

    def commands(self, matching: Matching) -> list[Propose | PassOver]:
        """What is to be decided, by case: the pairs, and who waits without knowing it yet, or for another reason than was told."""
        wanted: list[Propose | PassOver] = [
            Propose(case=pair.case, need=pair.need, offer=pair.offer) for pair in matching.pairs
        ]
        for case, need, reason in self._waiting(matching):
            if need not in self._passed_over or self._told[need] is not reason:
                wanted.append(PassOver(case=case, need=need, reason=reason, revision=self._revisions[case]))
        return sorted(wanted, key=lambda one: (one.case, one.need))

    def _waiting(self, matching: Matching) -> Iterator[tuple[str, str, WaitReason]]:
        for one in matching.unplaced:
            yield one.case, one.need, one.reason
        yield from self._not_sought
