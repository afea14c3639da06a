"""Whether a goal is reached: its target beside the official figures of its indicator. Pure. Without a target there is nothing to reach, and
none is invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.reporting.steering.model import Target

Standing = Literal["no-target", "no-figure", "reached", "missed", "on-the-way", "not-there-yet"]


@dataclass(frozen=True, slots=True)
class Attainment:
    """How a goal stands by the latest figure (`value` of `year`) that is not later than the target's year."""

    standing: Standing
    value: str | None = None
    year: int | None = None


def attainment(target: Target | None, figures: Mapping[int, str | None]) -> Attainment:
    """`figures`: what the supplier says for the county as a whole, by year; None where it shows nothing.

    A figure of the target's year decides: reached or missed. An earlier one only tells the way so far.
    """
    if target is None:
        return Attainment("no-target")
    known = {year: value for year, value in figures.items() if value is not None and year <= target.year}
    if not known:
        return Attainment("no-figure")
    year = max(known)
    value = known[year]
    met = _meets(Decimal(value), target)
    if year == target.year:
        return Attainment("reached" if met else "missed", value, year)
    return Attainment("on-the-way" if met else "not-there-yet", value, year)


def _meets(value: Decimal, target: Target) -> bool:
    wanted = Decimal(target.value)
    return value >= wanted if target.direction == "at-least" else value <= wanted
