"""What people and rounds want of referral, and what they are answered.

`partner` is the organisation that asks; None is somebody who may ask for every partner. Commands about a referral also name its case and
its offer, which the door looked up, so that everything is loaded at once.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from schemas.codes import DeclineReason, Outcome, RejectReason, WaitReason
from services.referral.model import NeedState, ReferralState
from services.referral.offers import OfferTerms
from services.referral.particulars import Effort


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True)


# --- offers -------------------------------------------------------------------------------------------------------------


class PublishOffer(_Command):
    """A new offer, or new terms of one that nobody holds a seat of."""

    offer: str
    terms: OfferTerms
    seats: int


class SetSeats(_Command):
    """Another number of seats. `confirm_affected`: whoever asks knows that people lose theirs (`losing`)."""

    offer: str
    seats: int
    partner: str | None
    confirm_affected: bool = False


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


class PassOver(_Command):
    """No place for this need now. `revision` is that of the case which the round looked at."""

    case: str
    need: str
    reason: WaitReason
    revision: int


# --- the steps of a referral --------------------------------------------------------------------------------------------


class TakeStep(_Command):
    """A step of a referral."""

    referral: str
    case: str
    offer: str


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


class Accept(TakeStep):
    """The partner takes the person."""

    partner: str


class Decline(TakeStep):
    """The partner does not take the person."""

    partner: str
    reason: DeclineReason


class Close(TakeStep):
    """The course or service ended for this person."""

    partner: str | None
    outcome: Outcome


# --- answers ------------------------------------------------------------------------------------------------------------


class Taken(BaseModel):
    """What became of something that a round wanted: it was done, or states had changed and the round is to look again."""

    done: bool


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
    """A referral after a step, and its need."""

    referral: str
    state: ReferralState
    need: str
    need_state: NeedState
