"""How long people wait for profiling, for the numbers that operations watch. Business time, and nobody's name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from schemas.events import ProfileRecorded
from services.profiling.model import Case
from services.runtime.deciding import Elapsed


def _to_profile(case: Case, recorded: ProfileRecorded, now: datetime) -> timedelta | None:
    """Of the first version, where there was an appointment; somebody may be talked to before theirs."""
    if case.appointment is None or recorded.version != 1:
        return None
    return max(now - case.appointment.starts_at, timedelta())


TIMES: Final = (
    Elapsed(
        "appointment_to_profile",
        "Seconds from the appointment of the first talk to the first version of the profile",
        ProfileRecorded,
        _to_profile,
    ),
)
