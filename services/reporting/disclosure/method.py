"""The perturbation table of the cell key method: how likely a count is to be changed by how much.

Source: Giessing, Tent: Concepts for generalising tools implementing the cell key method (UNECE 2019); Enderle, Giessing, Tent: Calculation
of risk probabilities for the cell key method (PSD 2020). Of all distributions that keep to the conditions below, a row is the one of
largest entropy: the one that gives away least about the count.

For a count n and its change d:

- |d| <= D, and n + d is 0 or greater than `js`: no small count is ever published;
- the mean of d is 0 and its variance is V, in each row;
- 0 stays 0.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

DRAW_BITS: Final = 64
_GRAIN_BITS: Final = 32
"""Probabilities are whole multiples of 2^-32, so that a machine which rounds another way in the last digit draws the same."""

_STEPS: Final = 200
_EXACT: Final = 1e-12


class NoSuchTable(ValueError):
    """No distribution keeps to the conditions for some count."""


@dataclass(frozen=True)
class Row:
    """How a count may be changed: `changes` ascending, each as likely as its entry in `grains` says, in parts of 2^32 that sum to it."""

    changes: tuple[int, ...]
    grains: tuple[int, ...]

    @cached_property
    def _until(self) -> tuple[int, ...]:
        return tuple(accumulate(self.grains))

    @property
    def probabilities(self) -> tuple[float, ...]:
        return tuple(grains / 2**_GRAIN_BITS for grains in self.grains)

    def change(self, draw: int) -> int:
        """The change for a draw, a whole number from 0 to 2^64 - 1."""
        return self.changes[bisect_right(self._until, draw >> (DRAW_BITS - _GRAIN_BITS))]


@dataclass(frozen=True)
class Method:
    """CKM(D, V, js). Raises `NoSuchTable`."""

    most: int
    variance: float
    never_to: int

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        """For the counts 0, 1, 2 …; the last one is for all that are larger, which no condition on small counts touches."""
        return tuple(self._row(count) for count in range(self.most + self.never_to + 2))

    def row(self, count: int) -> Row:
        """How `count` (0 or more) may be changed."""
        if count < 0:
            raise ValueError("a count is never below 0")
        return self._rows[min(count, len(self._rows) - 1)]

    def perturbed(self, count: int, draw: int) -> int:
        """What is published for `count` when `draw` was drawn."""
        return count + self.row(count).change(draw)

    def _row(self, count: int) -> Row:
        if count == 0:
            return Row((0,), (2**_GRAIN_BITS,))
        changes = [
            change
            for change in range(-self.most, self.most + 1)
            if count + change == 0 or count + change > self.never_to
        ]
        return Row(tuple(changes), _grains(_of_largest_entropy(changes, self.variance)))


PUBLISHED_BY: Final = Method(most=7, variance=4.0, never_to=2)
"""CKM(7, 4, 2): what this system publishes by."""


def _of_largest_entropy(changes: Sequence[int], variance: float) -> list[float]:
    """The distribution on `changes` with mean 0, this variance, and the largest entropy: exp(a d + b d²), by Newton's method on the dual,
    which is convex."""
    a = b = 0.0
    for _ in range(_STEPS):
        chances = _exponential(changes, a, b)
        first, second, third, fourth = (_moment(changes, chances, power) for power in (1, 2, 3, 4))
        slope = (first, second - variance)
        if max(map(abs, slope)) < _EXACT:
            return chances
        aa, ab, bb = second - first * first, third - first * second, fourth - second * second
        determinant = aa * bb - ab * ab
        if determinant <= 0:
            break
        step = ((bb * slope[0] - ab * slope[1]) / determinant, (aa * slope[1] - ab * slope[0]) / determinant)
        whole, height = 1.0, _dual(changes, a, b, variance)
        while _dual(changes, a - whole * step[0], b - whole * step[1], variance) > height and whole > _EXACT:
            whole /= 2
        a, b = a - whole * step[0], b - whole * step[1]
    raise NoSuchTable(f"no distribution on {list(changes)} has mean 0 and variance {variance}")


def _exponential(changes: Sequence[int], a: float, b: float) -> list[float]:
    exponents = [a * change + b * change * change for change in changes]
    highest = max(exponents)
    weights = [math.exp(exponent - highest) for exponent in exponents]
    whole = math.fsum(weights)
    return [weight / whole for weight in weights]


def _dual(changes: Sequence[int], a: float, b: float, variance: float) -> float:
    exponents = [a * change + b * (change * change - variance) for change in changes]
    highest = max(exponents)
    return highest + math.log(math.fsum(math.exp(exponent - highest) for exponent in exponents))


def _moment(changes: Sequence[int], chances: Sequence[float], power: int) -> float:
    return math.fsum(chance * change**power for change, chance in zip(changes, chances, strict=True))


def _grains(chances: Sequence[float]) -> tuple[int, ...]:
    """Whole parts of 2^32 that sum to it: the cumulated chances rounded, so that no error adds up."""
    until = [round(until * 2**_GRAIN_BITS) for until in accumulate(chances)]
    until[-1] = 2**_GRAIN_BITS
    return tuple(end - begin for begin, end in zip([0, *until], until, strict=False))
