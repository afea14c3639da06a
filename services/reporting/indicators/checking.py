"""What is wrong with a row, and what is only doubtful. Pure.

Wrong is what can never be a figure of the indicator: it does not go in. Doubtful is what may well be true, and more often is a mistake of
typing or of the file: it waits until somebody confirms it. Rows that say what is there already are neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from services.reporting.indicators.declared import DECLARED, INDICATORS
from services.reporting.indicators.files import NOTHING_THERE
from services.reporting.indicators.model import Fault, Figure, Official, Parts, Row, Said

JUMP: Final = Decimal("0.5")
"""A change against the year before by more than this share is asked about. (An assumption: no document names one.)"""
SMALLEST_FOR_A_JUMP: Final = 20
"""Below it a change of half is nothing unusual. (An assumption, too.)"""

Kept = Mapping[tuple[str, int], Official]
"""What is kept of each indicator and year that the rows or their years before name."""


def faults_of(row: Row, county: str, today: date) -> list[Fault]:
    """Why the row can be no figure of its indicator; empty if it can."""
    indicator = INDICATORS[row.indicator]
    found: list[tuple[str, str]] = []
    if not indicator.is_for(row.place, county):
        found.append(("place", "place-not-of-the-indicator"))
    if row.year > today.year:
        found.append(("year", "year-not-begun"))
    if row.said.unit != indicator.unit:
        found.append(("unit", "unit-not-of-the-indicator"))
    if row.said.stand > today:
        found.append(("stand", "date-in-the-future"))
    for dimension, value in row.parts:
        if dimension not in indicator.by:
            found.append(("breakdown", "dimension-not-of-the-indicator"))
        elif not DECLARED.dimensions[dimension].knows(value):
            found.append(("breakdown", "code-unknown"))
    number = _decimal(row.said)
    if number is not None:
        if number < 0 and not indicator.negative:
            found.append(("value", "value-negative"))
        if indicator.unit == "number" and number != number.to_integral_value():
            found.append(("value", "value-not-whole"))
    return [Fault(line=row.line, column=column, code=code) for column, code in dict.fromkeys(found)]


def contradictions(rows: Sequence[Row]) -> dict[int, Fault]:
    """Rows that say something else than an earlier row of the same file about the same figure, by line."""
    said: dict[tuple[str, int, str, Parts], Said] = {}
    found: dict[int, Fault] = {}
    for row in rows:
        if said.setdefault((row.indicator, row.year, row.place, row.parts), row.said) != row.said:
            found[row.line] = Fault(line=row.line, column="", code="said-twice")
    return found


def doubts_of(row: Row, kept: Kept, beside: Mapping[tuple[str, int, str, Parts], Said]) -> list[Fault]:
    """What is implausible about a row that is no fault. `beside` is what the other rows of the file say."""
    number = _decimal(row.said)
    found: list[tuple[str, str]] = []
    if row.said.mark in NOTHING_THERE:
        found.append(("value", "dash-is-zero"))
    if row.said.unit == "percent" and number is not None and number > 100:
        found.append(("value", "share-above-100"))
    if row.said.stand < date(row.year, 1, 1):
        found.append(("stand", "date-before-the-year"))
    now = _figure(row, row.year, kept)
    if now is not None and row.said.stand < now.now.said.stand:
        found.append(("stand", "older-than-what-is-there"))
    if number is not None:
        if _jumps(number, _value(row, row.year - 1, row.parts, kept, beside)):
            found.append(("value", "jump"))
        whole = _value(row, row.year, (), kept, beside)
        if row.parts and row.said.unit == "number" and whole is not None and number > whole:
            found.append(("value", "part-above-the-whole"))
        if row.parts and whole is not None and _sum_of_siblings(row, kept, beside) > whole:
            found.append(("value", "parts-above-the-whole"))
    return [Fault(line=row.line, column=column, code=code) for column, code in found]


def _jumps(number: Decimal, before: Decimal | None) -> bool:
    if before is None or max(abs(number), abs(before)) < SMALLEST_FOR_A_JUMP:
        return False
    return abs(number - before) > JUMP * abs(before)


def _sum_of_siblings(row: Row, kept: Kept, beside: Mapping[tuple[str, int, str, Parts], Said]) -> Decimal:
    """What all values of the row's one dimension come to, this row's included; nothing for more dimensions, and for shares."""
    if len(row.parts) != 1 or row.said.unit == "percent":
        return Decimal(0)
    ((dimension, _),) = row.parts
    official = kept.get((row.indicator, row.year))
    siblings = {
        one.parts: one.now.said
        for one in (official.figures if official else ())
        if one.place == row.place and [name for name, _ in one.parts] == [dimension]
    }
    siblings |= {
        parts: said
        for (indicator, year, place, parts), said in beside.items()
        if (indicator, year, place) == (row.indicator, row.year, row.place)
        and [name for name, _ in parts] == [dimension]
    }
    siblings[row.parts] = row.said
    return sum((_decimal(said) or Decimal(0) for said in siblings.values()), Decimal(0))


def _value(
    row: Row, year: int, parts: Parts, kept: Kept, beside: Mapping[tuple[str, int, str, Parts], Said]
) -> Decimal | None:
    """What the file says of another figure of the row's place, or else what is kept of it."""
    said = beside.get((row.indicator, year, row.place, parts))
    if said is None:
        official = kept.get((row.indicator, year))
        figure = official.figure(row.place, parts) if official else None
        said = figure.now.said if figure else None
    return _decimal(said) if said else None


def _figure(row: Row, year: int, kept: Kept) -> Figure | None:
    official = kept.get((row.indicator, year))
    return official.figure(row.place, row.parts) if official else None


def _decimal(said: Said) -> Decimal | None:
    return Decimal(said.value) if said.value is not None else None
