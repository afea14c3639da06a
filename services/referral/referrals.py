"""One referral: a seat of an offer for a need, where it stands, how it came there and why it ended.

A live one holds a seat; it has a deadline exactly while somebody is to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from schemas.codes import (
    CancelReason,
    Daypart,
    DeclineReason,
    FailReason,
    LapseStage,
    Outcome,
    RejectReason,
)
from services.referral.parts import Part
from services.runtime.deciding import Day


class ReferralState(StrEnum):
    """Where a referral stands: the first nine are alive and hold a seat, the others are ends. `task_status` tells it to others."""

    PROPOSED = "proposed"
    RELEASED = "released"
    AGREED = "agreed"
    RECEIVED = "received"
    """The partner has opened it."""
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    """The first day is agreed upon."""
    STARTED = "started"
    UNATTENDED = "unattended"
    """The person did not come, and may come again."""
    PAUSED = "paused"
    REJECTED = "rejected"
    REFUSED = "refused"
    DECLINED = "declined"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


LIVE: Final = (
    ReferralState.PROPOSED,
    ReferralState.RELEASED,
    ReferralState.AGREED,
    ReferralState.RECEIVED,
    ReferralState.ACCEPTED,
    ReferralState.SCHEDULED,
    ReferralState.STARTED,
    ReferralState.UNATTENDED,
    ReferralState.PAUSED,
)
"""In the order in which a referral goes through them, as far as there is one."""

AWAITING: Final = LIVE[:4]
"""Somebody is to answer until a deadline."""

TAKEN: Final = LIVE[4:]
"""The partner has accepted, and it has not ended."""


class Step(Part):
    """A step of a referral: where it led, when, and who took it (empty: time, or an event of another service). `under` is the scope
    by which the person had agreed to it in advance."""

    state: ReferralState
    at: datetime
    by: str = ""
    under: str = ""


class FirstDay(Part):
    """When it begins for the person: the first appointment, or the start of the course. `begins`: the time of day of an appointment."""

    on: Day
    daypart: Daypart
    begins: str | None = None


EndReason = RejectReason | DeclineReason | CancelReason | FailReason | LapseStage | Outcome
"""Why a referral ended, or what was reached."""

REASONS: Final[Mapping[ReferralState, type[EndReason]]] = {
    ReferralState.REJECTED: RejectReason,
    ReferralState.DECLINED: DeclineReason,
    ReferralState.CANCELLED: CancelReason,
    ReferralState.FAILED: FailReason,
    ReferralState.LAPSED: LapseStage,
    ReferralState.COMPLETED: Outcome,
}
"""The list that the reason of an end is from: some lists have codes in common."""


class Referral(Part):
    """A seat of an offer for a need. `deadline` is there while somebody is to answer; `reason` says why it ended, where there is one.

    `offer_changes` is how often the offer had changed when it was proposed, `row` the row of appointments that it belongs to. `care` is the
    offer of child care beside a course on which it holds places too. `first` is there once the first day was agreed upon.
    """

    id: str
    offer: str
    partner: str
    attempt: Annotated[int, Field(ge=1)]
    state: ReferralState
    deadline: datetime | None = None
    reason: EndReason | None = None
    offer_changes: int = 0
    row: str | None = None
    care: str | None = None
    first: FirstDay | None = None
    steps: tuple[Step, ...]

    @field_validator("reason", mode="before")
    @classmethod
    def _of_its_list(cls, reason: object, before: ValidationInfo) -> object:
        """A stored code is read as one of the list that belongs to the end."""
        codes = REASONS.get(before.data.get("state", ReferralState.PROPOSED))
        return codes(reason) if isinstance(reason, str) and codes is not None else reason

    @property
    def has_started(self) -> bool:
        return any(step.state is ReferralState.STARTED for step in self.steps)

    @property
    def agreed_in_advance(self) -> bool:
        return any(step.under for step in self.steps)

    @property
    def chosen_by(self) -> str:
        """The counsellor who chose this offer by hand; empty when matching proposed it."""
        return self.steps[0].by

    @property
    def by_hand(self) -> bool:
        return bool(self.chosen_by)

    @property
    def was_told(self) -> bool:
        """Whether the partner ever heard of it: the person had agreed."""
        return any(step.state is ReferralState.AGREED for step in self.steps)

    def check(self) -> None:
        if (self.deadline is not None) != (self.state in AWAITING):
            raise ValueError("a referral has a deadline exactly while somebody is to answer")
        if self.state is ReferralState.SCHEDULED and self.first is None:
            raise ValueError("what is scheduled has its first day")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check()
        return self
