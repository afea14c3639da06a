"""How long newcomers wait for their first talk is measured once for each of them."""

from __future__ import annotations

from datetime import date, timedelta

from services.intake.commands import BookAppointment
from services.runtime.calendar import berlin_instant
from tests.intake.office import TUESDAY, Intake


def test_from_the_day_of_registration_to_the_appointment_that_was_booked_at_the_counter() -> None:
    intake = Intake()
    booked = intake.registers()
    day = berlin_instant(date(2016, 1, 5))
    assert intake.measured == [("arrival_to_appointment", booked.starts_at - day)]

    intake.now = TUESDAY + timedelta(days=1)
    intake.command(BookAppointment)
    assert len(intake.measured) == 1, "who asks for another appointment waits by choice"
