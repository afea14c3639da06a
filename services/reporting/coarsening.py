"""From what was said to the coarse groups in which it is counted. Pure; the groups are declared in `tables.yaml`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from schemas.codes import Origin
from schemas.countries import STATELESS, UNCLEAR, eu_members
from services.reporting.model import Arrival, Move

UNKNOWN: Final = "unknown"
"""Nobody said; which is a valid answer everywhere."""

GERMAN: Final = "DE"


def age_group(birth_year: int | None, year: int, begins: Sequence[int]) -> str:
    """The group of the age reached in a year (``25-34``, the last one ``55+``). `begins` are the first ages of the groups, ascending."""
    if birth_year is None or birth_year > year:
        return UNKNOWN
    place = bisect_right(begins, year - birth_year)
    if place == 0:
        return UNKNOWN
    first = begins[place - 1]
    return f"{first}+" if place == len(begins) else f"{first}-{begins[place] - 1}"


def citizenship_group(citizenships: Sequence[str], arrived_on: date) -> str:
    """German beside others comes first; the European Union as it was on the day of arrival."""
    if GERMAN in citizenships:
        return "german-too"
    if not _eu_on(arrived_on).isdisjoint(citizenships):
        return "eu"
    if any(code not in (STATELESS, UNCLEAR) for code in citizenships):
        return "third-country"
    return "stateless-or-unclear"


@lru_cache(maxsize=4096)
def _eu_on(day: date) -> frozenset[str]:
    return eu_members(day)


def new_arrival(arrival: Arrival) -> str:
    """Whether this is a new arrival by indicator 5.1 ([000] 3.2).

    Foreign nationals (nobody who is also German) who move to the county directly from abroad, or from elsewhere in Germany while
    their usual residence has been in Germany for less than one year. With a date since when, an unknown origin does not matter: less
    than a year makes a new arrival in either case.
    """
    if GERMAN in arrival.citizenships:
        return "other"
    if not arrival.citizenships:
        return "unclear"
    if arrival.origin is Origin.ABROAD:
        return "new"
    if arrival.in_germany_since is None:
        return "unclear"
    return "new" if arrival.in_germany_since > _a_year_before(arrival.arrived_on) else "other"


def _a_year_before(day: date) -> date:
    """The same day of the year before; for 29 February the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def district_on(arrival: Arrival, moves: Sequence[Move], day: date) -> str:
    """The district of the county in which the person lived on a day: the last one known by then, also after leaving the county."""
    district = arrival.district
    latest = date.min
    for move in moves:
        if move.district is not None and latest <= move.on <= day:
            district, latest = move.district, move.on
    return district


@lru_cache(maxsize=4096)
def month_of(day: date) -> str:
    """The month in which something counts: ``2016-03``."""
    return day.isoformat()[:7]


def first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def first_day_after(month: str) -> date:
    """The first day of the following month."""
    return (first_day(month) + timedelta(days=31)).replace(day=1)
