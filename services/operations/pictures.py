"""How a number went over the last hour, as the path of a small picture (SVG). The page says the same in words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 240
HEIGHT: Final = 48
_COLUMNS: Final = 120
"""An hour in half minutes: more would not be seen."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`path` is the ``d`` of an SVG path in a box of `WIDTH` by `HEIGHT`; `most` is the value at its upper edge."""

    path: str
    now: float
    most: float


def picture(points: Sequence[tuple[float, float]], until: float, seconds: float) -> Picture:
    """Of `points` (instant and value, in order), the stretch of `seconds` before `until`. In each column stands the largest value."""
    columns: dict[int, float] = {}
    for at, value in points:
        column = int((at - until + seconds) / seconds * _COLUMNS)
        if 0 <= column <= _COLUMNS:
            columns[column] = max(value, columns.get(column, value))
    most = max(columns.values(), default=0.0)
    drawn: list[str] = []
    last = None
    for column, value in sorted(columns.items()):
        x, y = column / _COLUMNS * WIDTH, (HEIGHT - 2) * (1 - (value / most if most else 0.0)) + 1
        drawn.append(f"{'L' if last is not None and column - last <= 2 else 'M'}{x:.0f},{y:.1f}")
        last = column
    if len(drawn) == 1:
        drawn.append("h2")
    return Picture("".join(drawn), points[-1][1] if points else 0.0, most)
