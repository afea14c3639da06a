"""How many of what there is, kept while it changes: going through everything each time somebody looks would cost as much as the work.

The changes are written in the transaction of what changed, so the books are always right; a recount says so. A case is counted from the
arrival on, and stays counted when it is erased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from schemas.envelope import Subject
from services.referral.evolve import evolve
from services.referral.model import LIVE, Case, NeedState, ReferralState
from services.referral.offers import Offer
from services.runtime.deciding import Decision, State, States

CASES: Final = "cases"
OFFERS: Final = "offers"
SEATS: Final = "seats"
HELD: Final = "held"


def of_need(state: NeedState) -> str:
    """The entry of the needs in this state."""
    return f"need-{state}"


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


def tallied(decision: Decision, states: States, now: datetime) -> Decision:
    """The decision with what it changes in the books."""
    after: dict[Subject, State] = {}
    for subject, fact in decision.facts:
        after[subject] = evolve(after.get(subject) or _before(subject, states), fact, now)
    changes: Counter[str] = Counter()
    for subject, state in after.items():
        changes.update(entries_of(state))
        changes.subtract(entries_of(_before(subject, states)))
    moved = {entry: change for entry, change in changes.items() if change}
    return replace(decision, effects=(*decision.effects, Tally(moved))) if moved else decision


def entries_of(state: State) -> Counter[str]:
    """What one state contributes to the books."""
    entries: Counter[str] = Counter()
    if isinstance(state, Offer) and state.terms is not None:
        entries.update({OFFERS: 1, SEATS: state.seats, HELD: state.taken})
    elif isinstance(state, Case):
        entries[CASES] = int(state.person is not None or state.erased)
        for need in state.needs:
            entries[of_need(state.state_of(need))] += 1
            for referral in (need.live, *need.past):
                if referral is not None:
                    entries[of_referral(referral.state)] += 1
    return entries


def _before(subject: Subject, states: States) -> State:
    return states.get(Offer if subject.kind == Offer.KIND else Case, subject.id)
