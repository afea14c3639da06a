"""Chance without a generator's state: every draw follows from its key alone.

A `Chance` is a stream of draws named by a key such as ``(seed, "age", 17)``. Two streams with different keys are independent, the same
key gives the same draws on every machine and Python version (BLAKE2b in counter mode). So person 17 is the same person however many
people are generated and in whatever order, and a new draw for one purpose leaves every other purpose as it was.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from itertools import accumulate
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_WORDS: Final = struct.Struct("<8Q")
_TO_UNIT: Final = 2.0**-53


class Chance:
    """The stream of draws of one key. Draws follow one another; a second stream of the same key starts anew."""

    __slots__ = ("_block", "_key", "_words")

    def __init__(self, *key: str | int) -> None:
        self._key = "\x1f".join(map(str, key)).encode()
        self._block = 0
        self._words: list[int] = []

    def unit(self) -> float:
        """A number in [0, 1)."""
        if not self._words:
            block = blake2b(self._key, digest_size=64, salt=self._block.to_bytes(16, "little"))
            self._words.extend(_WORDS.unpack(block.digest()))
            self._block += 1
        return (self._words.pop() >> 11) * _TO_UNIT

    def happens(self, share: float) -> bool:
        """True for `share` of all keys."""
        return self.unit() < share

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included, all alike."""
        return low + int(self.unit() * (high - low + 1))

    def one_of(self, values: Sequence[T]) -> T:
        """One of `values`, all alike."""
        return values[int(self.unit() * len(values))]

    def day(self, first: date, days: tuple[int, int]) -> date:
        """A day from `days[0]` to `days[1]` days after `first`."""
        return first + timedelta(days=self.between(*days))


class Odds(Generic[T]):
    """Values with weights, made ready for many draws. The weights need not sum to 1."""

    __slots__ = ("_steps", "_values")

    def __init__(self, weights: Mapping[T, float]) -> None:
        if not weights or min(weights.values()) < 0 or sum(weights.values()) <= 0:
            raise ValueError("odds need weights that are not negative and not all zero")
        self._values = tuple(weights)
        self._steps = tuple(accumulate(weights.values()))

    def draw(self, chance: Chance) -> T:
        return self.at(chance.unit())

    def at(self, unit: float) -> T:
        """The value that stands at `unit` (in [0, 1)) of the total weight."""
        place = bisect_right(self._steps, unit * self._steps[-1])
        return self._values[min(place, len(self._values) - 1)]
