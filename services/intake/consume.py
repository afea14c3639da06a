"""What the events of others mean here: referrals begin and end a partner's right to read a person's contact."""

from __future__ import annotations

from pydantic import BaseModel

from schemas.codes import purpose_of
from schemas.events import ReferralAccepted, ReferralCancelled, ReferralCompleted, ReferralFailed
from services.intake.facts import Granted, GrantEnded
from services.intake.model import Case, Grant


def consumed(case: Case, data: BaseModel) -> object | None:
    """The fact that an event is for a case, or None. A tombstone ignores everything."""
    if case.erased:
        return None
    match data:
        case ReferralAccepted():
            grant = Grant(partner=data.partner, purpose=purpose_of(data.kind), fields=data.fields, until=data.until)
            return Granted(data.referral, grant)
        case ReferralCancelled() | ReferralCompleted() | ReferralFailed():
            return GrantEnded(data.referral) if data.referral in case.grants else None
        case _:
            return None
