"""A slot belongs to one person, is the earliest free one, and is free again when it is given up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AppointmentBooked, AppointmentReleased
from services.intake.booking import starts_at
from services.intake.books import APPOINTMENTS, total
from services.intake.commands import BookAppointment, ErasePerson
from services.intake.holidays import easter, is_working_day, public_holidays
from services.intake.model import Booking, Calendar, Case, Daybook, SlotTaken, calendar_id, daybook_id
from services.intake.sites import rules_of
from services.runtime.calendar import BERLIN, berlin_day
from tests.intake.office import BRAMSCHE, COUNTY, Intake, arrival

SITE = rules_of(COUNTY).site_of(BRAMSCHE)


@pytest.mark.parametrize(
    ("year", "sunday"),
    [(1961, "04-02"), (2008, "03-23"), (2011, "04-24"), (2016, "03-27"), (2024, "03-31"), (2038, "04-25")],
)
def test_easter(year: int, sunday: str) -> None:
    assert easter(year) == date.fromisoformat(f"{year}-{sunday}")


def test_public_holidays_of_lower_saxony() -> None:
    assert {f"{day:%d.%m.}" for day in public_holidays(2016)} == {
        "01.01.", "25.03.", "28.03.", "01.05.", "05.05.", "16.05.", "03.10.", "25.12.", "26.12.",
    }  # fmt: skip
    assert date(2016, 10, 31) not in public_holidays(2016), "Reformation Day is a holiday since 2017"
    assert date(2018, 10, 31) in public_holidays(2018)
    assert not is_working_day(date(2016, 1, 9))


def test_the_first_talk_is_at_the_site_of_the_district_after_the_lead_time() -> None:
    booked = Intake().registers()
    assert booked.site == BRAMSCHE
    assert booked.starts_at.astimezone(BERLIN) == datetime(2016, 1, 8, 9, 0, tzinfo=BERLIN)


def test_nobody_is_asked_to_come_on_a_holiday() -> None:
    intake = Intake(datetime(2016, 3, 22, 9, tzinfo=UTC))  # the lead time ends on Good Friday
    assert berlin_day(intake.registers(arrival_date="21.03.2016").starts_at) == date(2016, 3, 29)


def test_slots_keep_their_hour_when_the_clocks_change() -> None:
    assert starts_at(date(2016, 3, 24), "09:00/1") == datetime(2016, 3, 24, 8, tzinfo=UTC)
    assert starts_at(date(2016, 3, 29), "09:00/1") == datetime(2016, 3, 29, 7, tzinfo=UTC)


def test_people_of_one_day_fill_the_desks_before_the_hours() -> None:
    intake = Intake()
    times = [intake.registers(number).starts_at for number in range(3)]
    assert times[0] == times[1] < times[2]


def test_a_daybook_cannot_hold_two_people_in_one_slot() -> None:
    day = date(2016, 1, 8)
    one, other = Booking(appointment="a", case="x"), Booking(appointment="b", case="y")
    book = Daybook(id=daybook_id(COUNTY, SITE.code, day)).with_booking(SITE.code, day, "09:00/1", one)
    with pytest.raises(SlotTaken):
        book.with_booking(SITE.code, day, "09:00/1", other)


def test_when_many_days_are_full_the_next_one_with_room_is_taken() -> None:
    intake = Intake()
    booked = [intake.registers(number) for number in range(200)]
    days = Counter(berlin_day(one.starts_at) for one in booked)
    full, last = sorted(days)[:-1], max(days)
    assert all(days[day] == len(SITE.slots(day)) for day in full)
    assert len(full) > 15, "more days than are loaded at once"
    assert days[last] <= len(SITE.slots(last))


def test_a_search_names_few_days_even_when_years_are_full() -> None:
    intake = Intake()
    calendar = Calendar(id=calendar_id(COUNTY, SITE.code), open_from=date(2018, 6, 1))
    intake.states[calendar.subject] = calendar
    assert berlin_day(intake.registers().starts_at) == date(2018, 6, 1)


def test_booking_anew_gives_up_the_old_slot_for_the_next() -> None:
    intake = Intake()
    first = intake.registers(1)
    intake.registers(2)
    intake.command(BookAppointment, 1)
    assert intake.told_of(AppointmentReleased) == [AppointmentReleased(appointment=first.appointment)]
    assert intake.told_of(AppointmentBooked)[-1].starts_at > first.starts_at
    assert intake.registers(3).starts_at == first.starts_at


def test_a_person_may_ask_for_a_later_day() -> None:
    intake = Intake()
    intake.registers(1)
    intake.command(BookAppointment, 1, not_before=date(2016, 2, 6))
    assert berlin_day(intake.told_of(AppointmentBooked)[-1].starts_at) == date(2016, 2, 8)
    assert intake.registers(2).starts_at < datetime(2016, 1, 9, tzinfo=UTC), "which does not put others off"


def test_a_missed_appointment_is_not_released_when_the_next_is_booked() -> None:
    intake = Intake()
    missed = intake.registers(1)
    intake.now = missed.starts_at + timedelta(days=1)
    intake.command(BookAppointment, 1)
    assert not intake.told_of(AppointmentReleased)
    assert intake.case(1).appointments[0].id == missed.appointment


def test_appointments_of_one_case_have_ids_of_their_own() -> None:
    intake = Intake()
    intake.registers(1)
    for _ in range(3):
        intake.command(BookAppointment, 1)
    ids = [booked.appointment for booked in intake.told_of(AppointmentBooked)]
    assert len(set(ids)) == 4


class Oracle:
    """Slots kept the slow and obvious way: all of them looked at, from the first day on."""

    def __init__(self) -> None:
        self.taken: set[tuple[date, str]] = set()

    def earliest(self, today: date, not_before: date | None) -> tuple[date, str]:
        day = max(today + timedelta(days=3), not_before or date.min)
        while True:
            if is_working_day(day):
                for slot in SITE.slots(day):
                    if (day, slot) not in self.taken:
                        return day, slot
            day += timedelta(days=1)


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(1, 25)),
        st.tuples(st.just("rebook"), st.integers(0, 300)),
        st.tuples(st.just("later"), st.integers(0, 300)),
        st.tuples(st.just("erase"), st.integers(0, 300)),
        st.tuples(st.just("days"), st.integers(1, 6)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_everybody_has_the_earliest_slot_and_nobody_the_same(steps: list[Step]) -> None:
    intake, oracle = Intake(), Oracle()
    people: list[int] = []
    number = 0

    def held() -> set[tuple[date, str]]:
        return {
            (state.day, slot)
            for state in intake.states.values()
            if isinstance(state, Daybook) and state.day is not None
            for slot in state.taken
        }

    def booked_as(expected: tuple[date, str]) -> None:
        assert intake.told_of(AppointmentBooked)[-1].starts_at == starts_at(*expected)
        oracle.taken.add(expected)

    def give_up(person: int) -> None:
        upcoming = intake.case(person).upcoming(intake.now)
        if upcoming is not None:
            book = intake.get(Daybook, daybook_id(COUNTY, SITE.code, berlin_day(upcoming.starts_at)))
            slot = next(slot for slot, held in book.taken.items() if held.appointment == upcoming.id)
            oracle.taken.discard((berlin_day(upcoming.starts_at), slot))

    for what, amount in steps:
        if what == "arrive":
            for _ in range(amount):
                number += 1
                expected = oracle.earliest(intake.today, None)
                intake.asks(arrival(number, now=intake.now))
                booked_as(expected)
                people.append(number)
        elif what == "days":
            intake.now += timedelta(days=amount)
        elif people and what in ("rebook", "later"):
            person = people[amount % len(people)]
            wish = intake.today + timedelta(days=amount % 40) if what == "later" else None
            expected = oracle.earliest(intake.today, wish)
            give_up(person)
            intake.command(BookAppointment, person, not_before=wish)
            booked_as(expected)
        elif people and what == "erase":
            person = people.pop(amount % len(people))
            give_up(person)
            for past in intake.case(person).appointments:
                day = berlin_day(past.starts_at)
                book = intake.get(Daybook, daybook_id(COUNTY, SITE.code, day))
                oracle.taken -= {(day, slot) for slot, held in book.taken.items() if held.appointment == past.id}
            intake.command(ErasePerson, person)
        assert held() == oracle.taken

    appointments = [
        held.appointment
        for state in intake.states.values()
        if isinstance(state, Daybook)
        for held in state.taken.values()
    ]
    assert len(appointments) == len(set(appointments))
    cases = [state for state in intake.states.values() if isinstance(state, Case)]
    assert intake.books() == total(
        Counter(case.status.value for case in cases) + Counter({APPOINTMENTS: len(appointments)})
    )
