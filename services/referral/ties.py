"""Who comes first where nothing else decides: a seeded hash of the ids, neither the order of records nor somebody's choice."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.referral.assignment import TIE_BITS, Index, Whole

_WORD: Final = 64


class Ties:
    """The ties of one seed. The same seed and ids always give the same."""

    def __init__(self, seed: str) -> None:
        self._seeded = blake2b(digest_size=_WORD // 8, key=blake2b(seed.encode(), digest_size=16).digest())

    def of(self, id: str) -> int:
        """A whole number below 2^64."""
        hashed = self._seeded.copy()
        hashed.update(id.encode())
        return int.from_bytes(hashed.digest(), "little")

    def of_pairs(self, people: Sequence[int], places: Sequence[int], person: Index, place: Index) -> Whole:
        """`Problem.tie`, from the ties of all people and of all places."""
        one: NDArray[np.uint64] = np.array(people, dtype=np.uint64)[person]
        other: NDArray[np.uint64] = np.array(places, dtype=np.uint64)[place]
        # The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
        mixed = one ^ (other * np.uint64(0x9E3779B97F4A7C15))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (mixed >> np.uint64(_WORD - TIE_BITS)).astype(np.int64)
