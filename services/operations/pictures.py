"""How a number went over the last hour, as the path of a small picture (SVG). The page says the same in words beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 240
HEIGHT: Final = 48
COLUMNS: Final = 120
"""An hour in half minutes: more would not be seen."""
COLUMN_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Picture:
    """`path` is the ``d`` of an SVG path in a box of `WIDTH` by `HEIGHT`; `most` is the value at its upper edge."""

    path: str
    now: float
    most: float


def column_of(at: float) -> int:
    """The column of an instant (seconds since 1970)."""
    return int(at // COLUMN_SECONDS)


def picture(known: Mapping[int, float], until: float) -> Picture:
    """Of the largest value in each column, the hour before `until`. Where nobody looked is a gap."""
    first = column_of(until) - COLUMNS
    columns = {column - first: value for column, value in known.items() if 0 <= column - first <= COLUMNS}
    most = max(columns.values(), default=0.0)
    drawn: list[str] = []
    last = None
    for column, value in sorted(columns.items()):
        x, y = column / COLUMNS * WIDTH, (HEIGHT - 2) * (1 - (value / most if most else 0.0)) + 1
        drawn.append(f"{'L' if last is not None and column - last <= 2 else 'M'}{x:.0f},{y:.1f}")
        last = column
    if len(drawn) == 1:
        drawn.append("h2")
    return Picture("".join(drawn), known[max(known)] if known else 0.0, most)
