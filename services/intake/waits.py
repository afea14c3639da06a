"""How long people wait for intake, for the numbers that operations watch. Business time, and nobody's name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from schemas.events import AppointmentBooked
from services.intake.model import Case
from services.runtime.calendar import berlin_instant
from services.runtime.deciding import Elapsed


def _to_first_talk(case: Case, booked: AppointmentBooked, now: datetime) -> timedelta | None:  # noqa: ARG001 - one shape for all
    """Of the first appointment; who asks for a later one waits by choice."""
    if case.registered_on is None or case.booked != 1:
        return None
    return booked.starts_at - berlin_instant(case.registered_on)


TIMES: Final = (
    Elapsed(
        "arrival_to_appointment",
        "Seconds from the day of registration to the appointment that was booked first",
        AppointmentBooked,
        _to_first_talk,
    ),
)
