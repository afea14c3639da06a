"""How many of what there is, kept while it changes: going through everything each time somebody looks would cost as much as the work.

The changes are written in the transaction of what changed, so the books are always right; a recount says so. A case is counted from the
arrival on, and stays counted when it is erased.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final

from schemas.envelope import Subject
from schemas.events import AccessNeedsTold, NeedWaiting, ProfileRecorded
from services.referral.evolve import evolve
from services.referral.facts import PassedOver, ScopeAgreed
from services.referral.model import Case, Need, NeedState
from services.referral.offers import Offer
from services.referral.referrals import LIVE, ReferralState
from services.runtime.deciding import Decision, State, States

CASES: Final = "cases"
OFFERS: Final = "offers"
SEATS: Final = "seats"
HELD: Final = "held"


@cache
def of_need(state: NeedState) -> str:
    """The entry of the needs in this state."""
    return f"need-{state}"


@cache
def of_referral(state: ReferralState) -> str:
    """The entry of the referrals in this state."""
    return f"referral-{state}"


ENTRIES: Final = (CASES, OFFERS, SEATS, HELD, *map(of_need, NeedState), *map(of_referral, ReferralState))


@dataclass(frozen=True, slots=True)
class Tally:
    """Effect: the books change by so much; by entry."""

    changes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Books:
    """What the entries say."""

    entries: Mapping[str, int]

    @property
    def needs(self) -> dict[NeedState, int]:
        return {state: self.entries.get(of_need(state), 0) for state in NeedState}

    @property
    def referrals(self) -> dict[ReferralState, int]:
        return {state: self.entries.get(of_referral(state), 0) for state in ReferralState}

    @property
    def balanced(self) -> bool:
        """Each live referral holds a seat, and nobody else does."""
        return self.entries.get(HELD, 0) == sum(self.referrals[state] for state in LIVE)


_UNCOUNTED: Final[frozenset[type]] = frozenset({PassedOver, ScopeAgreed, ProfileRecorded, AccessNeedsTold, NeedWaiting})
"""Facts that leave the state of every need and referral, and every seat, as it is: most of what a round and a talk bring."""


_COUNTED: Final = frozenset({Case.KIND, Offer.KIND})
"""The kinds of things that the books are about."""


def tallied(decision: Decision, states: States, now: datetime) -> Decision:
    """The decision with what it changes in the books."""
    after: dict[Subject, State] = {}
    for subject, fact in decision.facts:
        if type(fact) in _UNCOUNTED or subject.kind not in _COUNTED:
            continue
        after[subject] = evolve(after.get(subject) or _before(subject, states), fact, now)
    changes: dict[str, int] = defaultdict(int)
    for subject, state in after.items():
        before = _before(subject, states)
        _count(changes, state, 1, beside=before)
        _count(changes, before, -1, beside=state)
    moved = {entry: change for entry, change in changes.items() if change}
    return replace(decision, effects=(*decision.effects, Tally(moved))) if moved else decision


def entries_of(state: State) -> Mapping[str, int]:
    """What one state contributes to the books."""
    entries: dict[str, int] = defaultdict(int)
    _count(entries, state, 1)
    return entries


def _count(entries: dict[str, int], state: State, sign: int, *, beside: State | None = None) -> None:
    """Add what the state contributes, or take it off; but for the needs that count for the same in the state beside it."""
    if isinstance(state, Case):
        entries[CASES] += sign * (state.person is not None or state.erased)
        for need in _needs(state, beside) if isinstance(beside, Case) else state.needs:
            entries[of_need(state.state_of(need))] += sign
            for referral in (need.live, *need.past):
                if referral is not None:
                    entries[of_referral(referral.state)] += sign
    elif isinstance(state, Offer) and state.terms is not None:
        entries[OFFERS] += sign
        entries[SEATS] += sign * state.seats
        entries[HELD] += sign * state.referrals


def _needs(case: Case, other: Case) -> Sequence[Need]:
    """The needs that the other has not; all of them where needs alike may be in different states (`Case.state_of`)."""
    if case.stands != other.stands or (case.person is None) != (other.person is None):
        return case.needs
    shared = {id(need) for need in other.needs}
    return [need for need in case.needs if id(need) not in shared]


def _before(subject: Subject, states: States) -> State:
    return states.get(Offer if subject.kind == Offer.KIND else Case, subject.id)
