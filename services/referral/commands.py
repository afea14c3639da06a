"""What people and rounds want of referral, and what they are answered.

`partner` is the organisation that asks; None is somebody who may ask for every partner. Commands about a referral also name its case and
its offer, which the door looked up, so that everything is loaded at once.
"""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict

from schemas.codes import (
    AgreementScope,
    BusinessStatus,
    CancelReason,
    Daypart,
    DeclineReason,
    FailReason,
    Outcome,
    RejectReason,
    Skill,
    TaskStatus,
    WaitReason,
)
from services.referral.model import NeedState
from services.referral.offers import OfferTerms
from services.referral.particulars import Effort
from services.referral.referrals import ReferralState
from services.referral.task_status import TOLD


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True)


# --- offers -------------------------------------------------------------------------------------------------------------


class PublishOffer(_Command):
    """A new offer, or new terms of one that nobody holds a seat of."""

    offer: str
    terms: OfferTerms
    seats: int


class SetSeats(_Command):
    """Another number of seats. `confirm_affected`: whoever asks knows that people lose theirs (`losing`), and `affected`, if it is said,
    how many. `if_match`: only while the offer is as one of these tags says (`publishing.tag_of`)."""

    offer: str
    seats: int
    partner: str | None
    confirm_affected: bool = False
    affected: int | None = None
    if_match: tuple[str, ...] = ()


class ConfirmSeats(_Command):
    """Seats and terms are right as of today."""

    offer: str
    partner: str | None


class ReportEffort(_Command):
    """What the volunteer guide of an offer gave in a month."""

    offer: str
    effort: Effort
    partner: str | None


class CloseOffer(_Command):
    """The offer does not take place (any more)."""

    offer: str
    partner: str | None


class DecideCourse(_Command):
    """The county's decision on a course below its minimum: it takes place all the same, or not at all."""

    offer: str
    takes_place: bool


# --- rounds -------------------------------------------------------------------------------------------------------------


class Propose(_Command):
    """Hold a seat of this offer for this need."""

    case: str
    need: str
    offer: str


class ProposeByHand(_Command):
    """The counsellor wants this offer proposed. `reason`: why a proposal that is not released yet is wrong, if there is one."""

    case: str
    need: str
    offer: str
    reason: RejectReason | None = None


class AgreeScope(_Command):
    """What the person agreed to in advance for a need. `own_district` is where they live now, beside the `districts` named."""

    case: str
    need: str
    scope: AgreementScope
    partner: str | None = None
    dayparts: tuple[Daypart, ...] = ()
    districts: tuple[str, ...] = ()
    own_district: bool = False


class PassOver(_Command):
    """No place for this need now. `revision` is that of the case which the round looked at."""

    case: str
    need: str
    reason: WaitReason
    revision: int


# --- the steps of a referral --------------------------------------------------------------------------------------------


class TakeStep(_Command):
    """A step of a referral. Of a partner's own steps `partner` is the partner; None is a counsellor."""

    referral: str
    case: str
    offer: str
    partner: str | None = None


class Release(TakeStep):
    """The counsellor finds the proposal right: the person is asked."""


class Reject(TakeStep):
    """The counsellor finds the proposal wrong: nobody is asked, and the next best is tried."""

    reason: RejectReason


class Agree(TakeStep):
    """The person agrees to partner, place and time; the counsellor records it."""


class Refuse(TakeStep):
    """The person does not want this place. Without `another` they want none of this kind, until the need is confirmed again."""

    another: bool = True


class Receive(TakeStep):
    """The partner has opened it, and will answer."""


class Accept(TakeStep):
    """The partner takes the person."""


class Decline(TakeStep):
    """The partner does not take the person."""

    reason: DeclineReason


class Schedule(TakeStep):
    """The first appointment, or the start of the course, is on this day."""

    on: date
    daypart: Daypart


class Start(TakeStep):
    """It has begun for the person."""


class Miss(TakeStep):
    """The person did not come."""


class Attend(TakeStep):
    """The person who did not come attends again."""


class Pause(TakeStep):
    """The person takes a break; the seat stays theirs."""


class Resume(TakeStep):
    """The break is over."""


class Complete(TakeStep):
    """Gone through to its end, with what was reached. `skills`: in which a level was certified, where it was not the whole level."""

    outcome: Outcome
    skills: tuple[Skill, ...] = ()


class Fail(TakeStep):
    """It ended early for the person."""

    reason: FailReason


class Cancel(TakeStep):
    """It was called off. Without `another` the person wants none of this kind, until the need is confirmed again."""

    reason: CancelReason
    another: bool = True


# --- answers ------------------------------------------------------------------------------------------------------------


class Taken(BaseModel):
    """What became of something that a round wanted: it was done, or states had changed and the round is to look again."""

    done: bool


class NeedScope(BaseModel):
    """What holds for a need from now on, and the id under which the steps name it."""

    need: str
    scope: AgreementScope
    agreement: str | None


class OfferStanding(BaseModel):
    """An offer after a command. `held` counts the seats that are held or taken; `affected` are the referrals that lost theirs by it."""

    offer: str
    seats: int
    held: int
    free: int
    closed: bool
    confirmed_on: date | None = None
    affected: tuple[str, ...] = ()


class EffortStanding(BaseModel):
    """What is known of a volunteer's month after a report."""

    offer: str
    effort: Effort


class ReferralStanding(BaseModel):
    """A referral after a step, in its own words and as a task, and its need."""

    referral: str
    state: ReferralState
    task_status: TaskStatus
    business_status: BusinessStatus
    need: str
    need_state: NeedState

    @classmethod
    def of(cls, referral: str, state: ReferralState, need: str, need_state: NeedState) -> Self:
        told = TOLD[state]
        return cls(
            referral=referral,
            state=state,
            task_status=told.task,
            business_status=told.business,
            need=need,
            need_state=need_state,
        )
