"""Which step of a referral is possible when. A step that is not in the table raises a named refusal that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from services.referral.model import AWAITING, LIVE, ReferralState
from services.runtime.errors import Refused


class StepKind(StrEnum):
    """The steps. The first seven are taken by people and named so in addresses; the last two come from time and events."""

    RELEASE = "release"
    REJECTION = "rejection"
    AGREEMENT = "agreement"
    REFUSAL = "refusal"
    ACCEPTANCE = "acceptance"
    DECLINE = "decline"
    CLOSING = "closing"
    LAPSE = "lapse"
    CANCELLATION = "cancellation"


class Transition(NamedTuple):
    """From one of these states to that one."""

    of: tuple[ReferralState, ...]
    to: ReferralState


TABLE: Final[Mapping[StepKind, Transition]] = {
    StepKind.RELEASE: Transition((ReferralState.PROPOSED,), ReferralState.RELEASED),
    StepKind.REJECTION: Transition((ReferralState.PROPOSED,), ReferralState.REJECTED),
    StepKind.AGREEMENT: Transition((ReferralState.RELEASED,), ReferralState.AGREED),
    StepKind.REFUSAL: Transition((ReferralState.RELEASED, ReferralState.AGREED), ReferralState.REFUSED),
    StepKind.ACCEPTANCE: Transition((ReferralState.AGREED,), ReferralState.ACCEPTED),
    StepKind.DECLINE: Transition((ReferralState.AGREED,), ReferralState.DECLINED),
    StepKind.CLOSING: Transition((ReferralState.ACCEPTED,), ReferralState.CLOSED),
    StepKind.LAPSE: Transition(AWAITING, ReferralState.LAPSED),
    StepKind.CANCELLATION: Transition(LIVE, ReferralState.CANCELLED),
}

_MISSING: Final = {
    ReferralState.PROPOSED: "referral-not-released-yet",
    ReferralState.RELEASED: "referral-not-agreed-yet",
    ReferralState.AGREED: "referral-not-accepted-yet",
}
"""What has to come first, by the state in which the referral still is."""

_DONE: Final = {
    ReferralState.RELEASED: "referral-released-already",
    ReferralState.AGREED: "referral-agreed-already",
    ReferralState.ACCEPTED: "referral-accepted-already",
}
"""What has happened already, by the state in which the referral is by now."""


def after(step: StepKind, state: ReferralState) -> ReferralState:
    """The state that the step leads to. Raises `Refused` with the code of what stands against it."""
    transition = TABLE[step]
    if state in transition.of:
        return transition.to
    if state not in LIVE:
        raise Refused(f"referral-{state}")
    comes_first = LIVE.index(state) < LIVE.index(transition.of[0])
    raise Refused(_MISSING[state] if comes_first else _DONE[state])
