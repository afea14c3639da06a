"""The sets of people that a table tells of: months, quarters and years, as fine as the release may be, and everything summed over.

Each set has its count and the sum of its keys, both of them sums over the true cells of months. What is published of it follows from these
two alone, so this is the last place in which true counts are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from services.reporting.sums import Cell, Sum, Sums

ALL: Final = "*"
"""In place of a dimension's value: all values together. No code is written like this."""


class Span(StrEnum):
    """How long a period is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


LENGTH: Final = {Span.MONTH: 1, Span.QUARTER: 3, Span.YEAR: 12}
"""In months."""


class Detail(StrEnum):
    """How fine a table is published for a period: the total; by each dimension alone beside it; by all dimensions together beside these."""

    TOTAL = "total"
    MARGINS = "margins"
    FULL = "full"


Extent = Mapping[Span, Detail]
"""What one vintage publishes of a table. A span that is missing is not published."""


def period(month: str, span: Span) -> str:
    """``2016-03``, ``2016-Q1`` or ``2016``, for a month ``2016-03``."""
    if span is Span.MONTH:
        return month
    year = month[:4]
    return year if span is Span.YEAR else f"{year}-Q{(int(month[5:]) + 2) // 3}"


def span_of(named: str) -> Span:
    """The span of a period by its name."""
    if "-" not in named:
        return Span.YEAR
    return Span.QUARTER if named[5] == "Q" else Span.MONTH


def sets(months: Iterable[tuple[Cell, Sum]], extents: Mapping[str, Extent]) -> Sums:
    """The sets of the tables that have an extent. Which periods are over is the caller's to know: whatever comes in is added up."""
    found = Sums()
    for cell, amount in months:
        for span, detail in extents.get(cell.table, {}).items():
            named = period(cell.period, span)
            for values in coarser(cell.values, detail):
                found.add(Cell(cell.table, named, values), amount)
    return found


def coarser(values: tuple[str, ...], detail: Detail) -> Iterator[tuple[str, ...]]:
    """The sets that a cell is part of, the total first."""
    for by in fineness(len(values), detail):
        yield tuple([value if kept else ALL for value, kept in zip(values, by, strict=True)])


@cache
def fineness(dimensions: int, detail: Detail) -> tuple[tuple[bool, ...], ...]:
    """By which of so many dimensions together a table is broken down: by none first, by all of them last."""
    most = {Detail.TOTAL: 0, Detail.MARGINS: 1, Detail.FULL: dimensions}[detail]
    return tuple(sorted((by for by in product((False, True), repeat=dimensions) if sum(by) <= most), key=sum))


class Split(NamedTuple):
    """The parts of a whole by one dimension: `place` is that of the dimension in the values, where the whole has `ALL`."""

    whole: Cell
    place: int


def splits_of(cell: Cell) -> Iterator[Split]:
    """The splits that a cell is a part of: one for each dimension that it is broken down by."""
    for place, value in enumerate(cell.values):
        if value != ALL:
            yield Split(cell._replace(values=(*cell.values[:place], ALL, *cell.values[place + 1 :])), place)


def told_by_neighbours(found: Sums) -> set[Split]:
    """The splits that must not be shown, because everybody in the whole is in one and the same part.

    Who knows that somebody is in the whole would know in which part, whatever was done to the figures: an empty cell stays empty. A cell
    of two dimensions is part of two splits and shown only if both may be.
    """
    parts = Counter(split for cell, amount in found if amount.n for split in splits_of(cell))
    return {split for split, filled in parts.items() if filled == 1}
