"""Which step of a referral is possible when, and whose it is. A step that is not in the table raises a named refusal that says what to do.

Everything else that says who may do what comes from here: the refusals of the API, and the table in docs/architecture/referral.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from services.referral.referrals import AWAITING, LIVE, TAKEN, ReferralState
from services.runtime.errors import Refused


class StepKind(StrEnum):
    """The steps. All but the lapse can be taken by people, and are named so in addresses."""

    RELEASE = "release"
    REJECTION = "rejection"
    AGREEMENT = "agreement"
    REFUSAL = "refusal"
    RECEIPT = "receipt"
    ACCEPTANCE = "acceptance"
    DECLINE = "decline"
    SCHEDULING = "scheduling"
    START = "start"
    ABSENCE = "absence"
    ATTENDANCE = "attendance"
    PAUSE = "pause"
    RESUMPTION = "resumption"
    COMPLETION = "completion"
    FAILURE = "failure"
    CANCELLATION = "cancellation"
    LAPSE = "lapse"


class By(StrEnum):
    """Who takes a step. What the person says is recorded by the counsellor."""

    COUNSELLOR = "counsellor"
    PARTNER = "partner"
    TIME = "time"
    EVENT = "event"
    """What another service told, or what a partner did with the whole offer."""


class Transition(NamedTuple):
    """From one of these states to that one, by one of these."""

    step: StepKind
    of: tuple[ReferralState, ...]
    to: ReferralState
    by: tuple[By, ...]


_BEFORE_START: Final = (ReferralState.ACCEPTED, ReferralState.SCHEDULED)
_EITHER: Final = (By.COUNSELLOR, By.PARTNER)

TABLE: Final = (
    Transition(StepKind.RELEASE, (ReferralState.PROPOSED,), ReferralState.RELEASED, (By.COUNSELLOR,)),
    Transition(StepKind.REJECTION, (ReferralState.PROPOSED,), ReferralState.REJECTED, (By.COUNSELLOR,)),
    Transition(StepKind.AGREEMENT, (ReferralState.RELEASED,), ReferralState.AGREED, (By.COUNSELLOR,)),
    Transition(
        StepKind.REFUSAL,
        (ReferralState.RELEASED, ReferralState.AGREED, ReferralState.RECEIVED),
        ReferralState.REFUSED,
        (By.COUNSELLOR,),
    ),
    Transition(StepKind.RECEIPT, (ReferralState.AGREED,), ReferralState.RECEIVED, (By.PARTNER,)),
    Transition(
        StepKind.ACCEPTANCE, (ReferralState.AGREED, ReferralState.RECEIVED), ReferralState.ACCEPTED, (By.PARTNER,)
    ),
    Transition(StepKind.DECLINE, (ReferralState.AGREED, ReferralState.RECEIVED), ReferralState.DECLINED, (By.PARTNER,)),
    Transition(StepKind.SCHEDULING, _BEFORE_START, ReferralState.SCHEDULED, _EITHER),
    Transition(StepKind.START, _BEFORE_START, ReferralState.STARTED, _EITHER),
    Transition(StepKind.ABSENCE, (*_BEFORE_START, ReferralState.STARTED), ReferralState.UNATTENDED, _EITHER),
    Transition(StepKind.ATTENDANCE, (ReferralState.UNATTENDED,), ReferralState.STARTED, _EITHER),
    Transition(StepKind.PAUSE, (ReferralState.STARTED, ReferralState.UNATTENDED), ReferralState.PAUSED, _EITHER),
    Transition(StepKind.RESUMPTION, (ReferralState.PAUSED,), ReferralState.STARTED, _EITHER),
    Transition(StepKind.COMPLETION, TAKEN, ReferralState.COMPLETED, _EITHER),
    Transition(StepKind.FAILURE, TAKEN, ReferralState.FAILED, _EITHER),
    Transition(StepKind.CANCELLATION, TAKEN, ReferralState.CANCELLED, (By.PARTNER,)),
    Transition(
        StepKind.CANCELLATION,
        (ReferralState.AGREED, ReferralState.RECEIVED, *TAKEN),
        ReferralState.CANCELLED,
        (By.COUNSELLOR,),
    ),
    Transition(StepKind.CANCELLATION, LIVE, ReferralState.CANCELLED, (By.EVENT,)),
    Transition(StepKind.LAPSE, AWAITING, ReferralState.LAPSED, (By.TIME,)),
)
"""Completed and failed also from before the start: whoever reports only how it ended has said that it began."""

STEPS_OF: Final = {by: frozenset(one.step for one in TABLE if by in one.by) for by in By}
"""The steps that are somebody's."""

_MISSING: Final = {
    ReferralState.PROPOSED: "referral-not-released-yet",
    ReferralState.RELEASED: "referral-not-agreed-yet",
    ReferralState.AGREED: "referral-not-accepted-yet",
    ReferralState.RECEIVED: "referral-not-accepted-yet",
    ReferralState.ACCEPTED: "referral-not-started-yet",
    ReferralState.SCHEDULED: "referral-not-started-yet",
    ReferralState.STARTED: "referral-running",
    ReferralState.UNATTENDED: "referral-not-paused",
}
"""What has to come first, by the state in which the referral still is."""

_DONE: Final = {
    ReferralState.RELEASED: "referral-released-already",
    ReferralState.AGREED: "referral-agreed-already",
    ReferralState.RECEIVED: "referral-agreed-already",
    ReferralState.ACCEPTED: "referral-accepted-already",
    ReferralState.SCHEDULED: "referral-accepted-already",
    ReferralState.STARTED: "referral-running",
    ReferralState.UNATTENDED: "referral-unattended-already",
    ReferralState.PAUSED: "referral-paused-already",
}
"""What has happened already, by the state in which the referral is by now."""


def after(step: StepKind, state: ReferralState, by: By) -> ReferralState:
    """The state that the step leads to. Raises `Refused` with the code of what stands against it."""
    theirs = [one for one in TABLE if one.step is step and by in one.by]
    if not theirs:
        raise Refused("step-not-yours", 403)
    for one in theirs:
        if state in one.of:
            return one.to
    if state not in LIVE:
        raise Refused(f"referral-{state}")
    comes_first = LIVE.index(state) < LIVE.index(theirs[0].of[0])
    raise Refused(_MISSING[state] if comes_first else _DONE[state])


def table_lines() -> Iterator[str]:
    """The table as Markdown, for the documentation."""
    yield "| step | from | to | who |"
    yield "|---|---|---|---|"
    for one in TABLE:
        yield f"| {one.step} | {', '.join(one.of)} | {one.to} | {', '.join(one.by)} |"
