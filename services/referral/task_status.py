"""Where a referral stands, told in the words that everybody who exchanges referrals shares, and within them in this domain's own.

Both are functions of the one stored state, so that they cannot contradict it. The task status is that of HL7 FHIR (R4 and R5,
http://hl7.org/fhir/task-status), as HL7 Gravity SDOH Clinical Care uses it between a referring office and whoever helps: a draft is not to
be acted upon yet; a performer rejects before anything was done, and fails after; whatever else ends it is a cancellation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.codes import BusinessStatus, TaskStatus
from services.referral.referrals import ReferralState


class Told(NamedTuple):
    """What is told of a state."""

    task: TaskStatus
    business: BusinessStatus


TOLD: Final[Mapping[ReferralState, Told]] = {
    ReferralState.PROPOSED: Told(TaskStatus.DRAFT, BusinessStatus.HELD_FOR_RELEASE),
    ReferralState.RELEASED: Told(TaskStatus.DRAFT, BusinessStatus.OFFERED_TO_PERSON),
    ReferralState.AGREED: Told(TaskStatus.REQUESTED, BusinessStatus.OFFERED_TO_PARTNER),
    ReferralState.RECEIVED: Told(TaskStatus.RECEIVED, BusinessStatus.OPENED_BY_PARTNER),
    ReferralState.ACCEPTED: Told(TaskStatus.ACCEPTED, BusinessStatus.WAITING_FOR_START),
    ReferralState.SCHEDULED: Told(TaskStatus.ACCEPTED, BusinessStatus.SCHEDULED),
    ReferralState.STARTED: Told(TaskStatus.IN_PROGRESS, BusinessStatus.RUNNING),
    ReferralState.UNATTENDED: Told(TaskStatus.IN_PROGRESS, BusinessStatus.UNATTENDED),
    ReferralState.PAUSED: Told(TaskStatus.ON_HOLD, BusinessStatus.PAUSED),
    ReferralState.REJECTED: Told(TaskStatus.CANCELLED, BusinessStatus.NOT_RELEASED),
    ReferralState.REFUSED: Told(TaskStatus.CANCELLED, BusinessStatus.REFUSED_BY_PERSON),
    ReferralState.DECLINED: Told(TaskStatus.REJECTED, BusinessStatus.DECLINED_BY_PARTNER),
    ReferralState.LAPSED: Told(TaskStatus.CANCELLED, BusinessStatus.EXPIRED),
    ReferralState.CANCELLED: Told(TaskStatus.CANCELLED, BusinessStatus.CALLED_OFF),
    ReferralState.COMPLETED: Told(TaskStatus.COMPLETED, BusinessStatus.OUTCOME_REACHED),
    ReferralState.FAILED: Told(TaskStatus.FAILED, BusinessStatus.ENDED_EARLY),
}


def status_lines() -> list[str]:
    """The table as Markdown, for the documentation."""
    lines = (f"| {state} | {told.task} | {told.business} |" for state, told in TOLD.items())
    return ["| state | task status (FHIR) | business status |", "|---|---|---|", *lines]
