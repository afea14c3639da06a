"""The days on which public offices in Lower Saxony are open.

Public holidays by section 2 of the Lower Saxon holidays act (NFeiertagsG), with Reformation Day since 2018 and, once, in 2017. Easter by
the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_ONE_DAY = timedelta(days=1)


def is_working_day(day: date) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < 5 and day not in public_holidays(day.year)


def next_working_day(day: date) -> date:
    """The first working day after `day`."""
    day += _ONE_DAY
    while not is_working_day(day):
        day += _ONE_DAY
    return day


def first_working_day(day: date) -> date:
    """`day` itself, or the first working day after it."""
    return day if is_working_day(day) else next_working_day(day)


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """The public holidays of a year in Lower Saxony that do not always fall on a Sunday."""
    sunday = easter(year)
    days = {
        date(year, 1, 1),
        sunday - timedelta(days=2),  # Good Friday
        sunday + timedelta(days=1),  # Easter Monday
        date(year, 5, 1),
        sunday + timedelta(days=39),  # Ascension Day
        sunday + timedelta(days=50),  # Whit Monday
        date(year, 10, 3),
        date(year, 12, 25),
        date(year, 12, 26),
    }
    if year >= 2017:
        days.add(date(year, 10, 31))
    return frozenset(days)


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar."""
    cycle = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * cycle + century - leap_centuries - correction + 15) % 30
    leap_years, year_rest = divmod(of_century, 4)
    weekday = (32 + 2 * rest + 2 * leap_years - epact - year_rest) % 7
    late = (cycle + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
