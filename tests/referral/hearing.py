"""What a reader of referral's events knows of each referral, and that nothing is told that cannot follow."""

from __future__ import annotations

from schemas.events import (
    EventData,
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralFailed,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralRejected,
    ReferralReleased,
    ReferralStarted,
    ReferralStep,
)
from services.referral.referrals import ReferralState
from services.referral.transitions import TABLE

HEARD_AFTER: dict[type[ReferralStep], ReferralState] = {
    ReferralReleased: ReferralState.RELEASED,
    ReferralRejected: ReferralState.REJECTED,
    ReferralAgreed: ReferralState.AGREED,
    ReferralRefused: ReferralState.REFUSED,
    ReferralAccepted: ReferralState.ACCEPTED,
    ReferralDeclined: ReferralState.DECLINED,
    ReferralStarted: ReferralState.STARTED,
    ReferralCompleted: ReferralState.COMPLETED,
    ReferralFailed: ReferralState.FAILED,
    ReferralLapsed: ReferralState.LAPSED,
    ReferralCancelled: ReferralState.CANCELLED,
}

MARKED: dict[ReferralState, set[ReferralState]] = {
    ReferralState.RECEIVED: {ReferralState.AGREED},
    ReferralState.SCHEDULED: {ReferralState.ACCEPTED},
    ReferralState.UNATTENDED: {ReferralState.ACCEPTED, ReferralState.STARTED},
    ReferralState.PAUSED: {ReferralState.ACCEPTED, ReferralState.STARTED},
}
"""States that are told to nobody, and what others believe meanwhile."""


def follow(heard: dict[str, ReferralState], event: EventData) -> None:
    """What a reader knows after an event. Fails for an event that cannot follow what was heard before."""
    if isinstance(event, ReferralProposed):
        assert event.referral not in heard
        heard[event.referral] = ReferralState.PROPOSED
    elif isinstance(event, ReferralStep):
        before, to = heard[event.referral], HEARD_AFTER[type(event)]
        possible = {before, *(marked for marked, seen in MARKED.items() if before in seen)}
        in_advance = isinstance(event, ReferralAgreed) and event.in_advance and before is ReferralState.PROPOSED
        assert in_advance or any(one.to is to and possible & set(one.of) for one in TABLE)
        heard[event.referral] = to
