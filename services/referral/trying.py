"""Which offers are not proposed to a need again, and when one of them is after all.

Where somebody said no, never: the person refused or wished it called off, the counsellor found the offer, its time or its place unsuitable,
the partner declined or called off for a reason that lies in the person or the way there. Of a row of appointments, a no that is not about
the time, and not the person's own, is one to all of them; otherwise people would be asked about the same counsellor again and again.

Where nobody said no (nobody answered in time, the partner had no place or did not hold the course, it was too early for the person), once
more when the offer has changed since it was proposed (`Offer.changes`), and anew after the counsellor has confirmed the need again. So an
offer is not lost for somebody because of a holiday, and a seat is not held again and again for somebody for whom nobody answers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.codes import CancelReason, DeclineReason, RejectReason
from schemas.ends import CALLED_OFF
from services.referral.model import Need
from services.referral.offers import Offer
from services.referral.referrals import TAKEN, EndReason, Referral, ReferralState

MOST_TIMES: Final = 2
"""Proposals of one offer that came to nothing without a no, until the need is confirmed again."""


class Tried(NamedTuple):
    """An offer that is not proposed again; or, where `changes` is a number, not before the offer has changed more often than that. `row`:
    so is every other appointment of this row."""

    offer: str
    changes: int | None = None
    row: str | None = None

    def bars(self, offer: Offer) -> bool:
        """Whether it is about this offer, and keeps it from being proposed."""
        if offer.id != self.offer:
            return self.row is not None and self.row == offer.row
        return self.changes is None or offer.changes <= self.changes


def tried(need: Need) -> frozenset[Tried]:
    """What stands between a need and the offers that were proposed to it before."""
    never = {
        referral.offer: referral.row if _is_about_all(referral) else None
        for referral in need.past
        if _said_no(referral)
    }
    without_answer: dict[str, list[Referral]] = {}
    for referral in need.past[need.afresh :]:
        if referral.offer not in never and _came_to_nothing(referral):
            without_answer.setdefault(referral.offer, []).append(referral)
    later = (
        Tried(offer, _changes_until(times[-1]) if len(times) < MOST_TIMES else None)
        for offer, times in without_answer.items()
    )
    return frozenset((*(Tried(offer, None, row) for offer, row in never.items()), *later))


def is_barred(need: Need, offer: Offer) -> bool:
    """Whether this offer is not to be proposed to this need now."""
    return any(one.bars(offer) for one in tried(need))


def _said_no(referral: Referral) -> bool:
    match referral.state:
        case ReferralState.REFUSED:
            return True
        case ReferralState.REJECTED | ReferralState.DECLINED:
            return referral.reason not in _NO_FAULT
        case ReferralState.CANCELLED:
            return _was_called_off(referral) and referral.reason not in _NO_FAULT
        case _:
            return False


def _is_about_all(referral: Referral) -> bool:
    """Whether the no is to the counsellor, and not to this appointment alone. Why a person does not want a place, nobody asks."""
    return referral.state is not ReferralState.REFUSED and referral.reason not in _OF_THE_TIME


def _changes_until(referral: Referral) -> int:
    """How often the offer had changed when this referral had left it. That an accepted one leaves is a change to others alone."""
    was_taken = any(step.state in TAKEN for step in referral.steps)
    return referral.offer_changes + int(was_taken)


def _came_to_nothing(referral: Referral) -> bool:
    if referral.state is ReferralState.CANCELLED:
        return _was_called_off(referral)
    return referral.state in (ReferralState.REJECTED, ReferralState.DECLINED, ReferralState.LAPSED)


def _was_called_off(referral: Referral) -> bool:
    return referral.reason in CALLED_OFF


_NO_FAULT: Final[frozenset[EndReason]] = frozenset(
    {
        DeclineReason.PROVIDER_FULL,
        DeclineReason.PROVIDER_CANCELLED,
        CancelReason.PROVIDER_CANCELLED,
        RejectReason.PERSON_NOT_READY,
    }
)
"""Reasons that are no word against this offer for this person."""

_OF_THE_TIME: Final[frozenset[EndReason]] = frozenset(
    {RejectReason.TIME_UNSUITABLE, DeclineReason.LOGISTICS_TIME, CancelReason.LOGISTICS_TIME, CancelReason.PERSON_WISH}
)
