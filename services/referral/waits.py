"""How long people wait for referral, for the numbers that operations watch. Business time, and nobody's name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.events import ReferralAccepted, ReferralProposed
from services.referral.model import Case
from services.referral.referrals import ReferralState
from services.runtime.deciding import Elapsed


def _to_the_first(state: ReferralState) -> Callable[[Case, Any, datetime], timedelta | None]:
    """From the arrival to the first referral of this person that came so far."""

    def waited(case: Case, event: object, now: datetime) -> timedelta | None:  # noqa: ARG001 - one shape for all
        referrals = (one for need in case.needs for one in (need.live, *need.past) if one is not None)
        came_so_far = [one for one in referrals if any(step.state is state for step in one.steps)]
        return now - case.arrived_at if case.arrived_at is not None and len(came_so_far) == 1 else None

    return waited


TIMES: Final = (
    Elapsed(
        "arrival_to_first_offer",
        "Seconds from when referral heard of the arrival to the first seat that was held",
        ReferralProposed,
        _to_the_first(ReferralState.PROPOSED),
    ),
    Elapsed(
        "arrival_to_acceptance",
        "Seconds from when referral heard of the arrival to the first seat that a partner accepted",
        ReferralAccepted,
        _to_the_first(ReferralState.ACCEPTED),
    ),
)
