"""Instants and the days of the German calendar: pure functions, which rules may use.

An instant is UTC with whole milliseconds, because that is what the database keeps. Days, months and deadlines are those of Europe/Berlin.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


def whole_milliseconds(instant: datetime) -> datetime:
    """UTC, cut to milliseconds. Raises ValueError for an instant without a time zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def berlin_day(instant: datetime) -> date:
    """The calendar day in Germany."""
    return instant.astimezone(BERLIN).date()


def berlin_instant(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """The instant (UTC) of a wall-clock time in Germany; in the repeated hour of autumn the first one."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def end_of_berlin_day(day: date) -> datetime:
    """The first instant of the following day: a deadline named by a day ends there, also when the clocks change."""
    return berlin_instant(day + timedelta(days=1))
