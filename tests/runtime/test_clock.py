"""Business time: whole milliseconds in UTC, never backwards, days as in Germany also when the clocks change."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.calendar import berlin_day, berlin_instant, end_of_berlin_day, whole_milliseconds
from services.runtime.clock import HandClock, RealClock, VirtualClock, machine_ms

START = datetime(2016, 1, 1, 7, 30, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    year, month, day, *time = parts
    hour, minute = [*time, 0, 0][:2]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


# --- clocks -----------------------------------------------------------------------------------------------------------------


def test_a_hand_clock_stands_where_it_is_put() -> None:
    clock = HandClock(START)
    assert clock.now() == clock.now() == START
    clock.set(START + timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)


def test_business_time_never_runs_backwards() -> None:
    clock = HandClock(START)
    clock.set(START)
    with pytest.raises(ValueError, match="backwards"):
        clock.set(START - timedelta(milliseconds=1))
    assert clock.now() == START


def test_the_real_clock_shows_the_worlds_time_in_whole_milliseconds() -> None:
    before, now, after = datetime.now(UTC), RealClock().now(), datetime.now(UTC)
    assert before - timedelta(milliseconds=1) < now <= after
    assert now.microsecond % 1000 == 0
    assert now.tzinfo is UTC


async def test_a_virtual_clock_is_stored_before_anybody_can_see_the_new_time() -> None:
    seen: list[tuple[datetime, datetime]] = []

    async def keep(instant: datetime) -> None:
        seen.append((instant, clock.now()))

    clock = VirtualClock(START, keep)
    await clock.move(START + timedelta(days=1))
    assert seen == [(START + timedelta(days=1), START)]
    assert clock.now() == START + timedelta(days=1)


async def test_a_virtual_clock_that_cannot_be_stored_does_not_move() -> None:
    async def keep(instant: datetime) -> None:
        raise ConnectionError

    clock = VirtualClock(START, keep)
    with pytest.raises(ConnectionError):
        await clock.move(START + timedelta(days=1))
    assert clock.now() == START


async def test_of_two_moves_at_once_the_stored_time_is_where_the_clock_stands() -> None:
    stored: list[datetime] = []

    async def keep(instant: datetime) -> None:
        await asyncio.sleep(0)
        stored.append(instant)

    clock = VirtualClock(START, keep)
    far, near = START + timedelta(days=5), START + timedelta(days=3)
    moved = await asyncio.gather(clock.move(far), clock.move(near), return_exceptions=True)
    assert moved[0] is None
    assert isinstance(moved[1], ValueError)
    assert stored == [clock.now()] == [far]


# --- instants ---------------------------------------------------------------------------------------------------------------

instants = st.datetimes(
    min_value=datetime(1980, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)


@given(instants)
def test_an_instant_is_cut_to_milliseconds_and_stays_the_same_instant(instant: datetime) -> None:
    whole = whole_milliseconds(instant)
    assert timedelta(0) <= instant - whole < timedelta(milliseconds=1)
    assert (whole.tzinfo, whole.microsecond % 1000) == (UTC, 0)
    assert whole_milliseconds(whole) == whole


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        whole_milliseconds(datetime(2016, 1, 1))  # noqa: DTZ001 - that is the point


def test_machine_time_is_the_machines() -> None:
    assert abs(machine_ms() - datetime.now(UTC).timestamp() * 1000) < 60_000


# --- days -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (utc(2016, 1, 14, 22, 59), date(2016, 1, 14)),
        (utc(2016, 1, 14, 23, 0), date(2016, 1, 15)),  # winter: one hour ahead
        (utc(2016, 7, 14, 21, 59), date(2016, 7, 14)),
        (utc(2016, 7, 14, 22, 0), date(2016, 7, 15)),  # summer: two
        (utc(2015, 12, 31, 23, 0), date(2016, 1, 1)),
    ],
)
def test_the_day_is_germanys(instant: datetime, day: date) -> None:
    assert berlin_day(instant) == day


@pytest.mark.parametrize(
    ("day", "hour", "minute", "instant"),
    [
        (date(2016, 1, 15), 9, 30, utc(2016, 1, 15, 8, 30)),
        (date(2016, 7, 15), 9, 30, utc(2016, 7, 15, 7, 30)),
        (date(2016, 3, 27), 1, 59, utc(2016, 3, 27, 0, 59)),
        (date(2016, 3, 27), 3, 0, utc(2016, 3, 27, 1, 0)),
        (date(2016, 10, 30), 1, 59, utc(2016, 10, 29, 23, 59)),
        (date(2016, 10, 30), 2, 30, utc(2016, 10, 30, 0, 30)),  # this hour comes twice: the first one
        (date(2016, 10, 30), 3, 0, utc(2016, 10, 30, 2, 0)),
    ],
)
def test_a_time_of_day_in_germany_is_an_instant_also_when_the_clocks_change(
    day: date, hour: int, minute: int, instant: datetime
) -> None:
    assert berlin_instant(day, hour, minute) == instant


def test_a_time_that_spring_skips_lies_within_that_day_and_before_the_next_hour_ends() -> None:
    skipped = berlin_instant(date(2016, 3, 27), 2, 30)
    assert skipped == utc(2016, 3, 27, 1, 30)
    assert berlin_day(skipped) == date(2016, 3, 27)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2016, 3, 26), 24), (date(2016, 3, 27), 23), (date(2016, 10, 30), 25), (date(2016, 2, 29), 24)],
)
def test_a_deadline_named_by_a_day_ends_with_that_day_however_long_it_is(day: date, hours: int) -> None:
    assert end_of_berlin_day(day) - berlin_instant(day) == timedelta(hours=hours)


@given(st.dates(date(1990, 1, 1), date(2090, 12, 30)))
def test_the_last_instant_before_a_days_end_is_still_that_day(day: date) -> None:
    end = end_of_berlin_day(day)
    assert berlin_day(end - timedelta(milliseconds=1)) == day
    assert berlin_day(end) == day + timedelta(days=1)
    assert berlin_day(berlin_instant(day)) == day
