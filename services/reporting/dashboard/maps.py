"""Districts on a map: their shapes, and the classes in which their figures are coloured.

A class is wider than a figure can be off by (7 on either side), so that a colour does not say more than the figure does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

_SHAPES: Final = Path(__file__).with_name("geo") / "districts.geojson"
MOST_CLASSES: Final = 5
OFF_BY: Final = 7
"""How far a published figure may be from the count (docs/architecture/disclosure-control.md)."""


@dataclass(frozen=True, slots=True)
class Class:
    """Figures from `first` to below `after`; the last class has no end."""

    first: int
    after: int | None

    def holds(self, figure: int) -> bool:
        return self.first <= figure and (self.after is None or figure < self.after)


def classes_of(figures: Iterable[int], *, is_public: bool) -> tuple[Class, ...]:
    """At most five classes of the same round width, the last one open."""
    most = max(figures, default=0)
    least = 1 if is_public else 2 * OFF_BY + 1
    width = next(one for one in _round_widths() if one >= least and most // one < MOST_CLASSES)
    firsts = [width * place for place in range(most // width + 1)]
    return tuple(Class(first, None if first == firsts[-1] and len(firsts) > 1 else first + width) for first in firsts)


def _round_widths() -> Iterable[int]:
    for power in range(10):
        yield from (round(digit * 10**power) for digit in (1, 2, 5))


@cache
def shapes(county: str) -> Mapping[str, Mapping[str, Any]]:
    """The districts of a county as flat shapes (degrees of latitude, longitudes as narrow as they are there), by key."""
    told = cast("dict[str, Any]", json.loads(_SHAPES.read_text(encoding="utf-8")))
    own = [one for one in told["features"] if one["properties"]["county"] == county]
    if not own:
        return {}
    narrow = math.cos(math.radians(sum(one["properties"]["lat"] for one in own) / len(own)))
    return {one["properties"]["district"]: _flat(one["geometry"], narrow) for one in own}


def _flat(geometry: Mapping[str, Any], narrow: float) -> Mapping[str, Any]:
    def flat(part: Any) -> Any:
        if isinstance(part[0], (int, float)):
            return [round(part[0] * narrow, 5), part[1]]
        return [flat(one) for one in part]

    return {"type": geometry["type"], "coordinates": flat(geometry["coordinates"])}
