"""What is to be done on which day, in an order that depends on nothing but what was put in."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """Entries by day, then by key (unique for a day), whatever the order in which they came."""

    def __init__(self) -> None:
        self._heap: list[tuple[date, str, T]] = []
        self._known: set[tuple[date, str]] = set()

    def put(self, day: date, key: str, entry: T) -> None:
        """An entry whose key stands on this day already changes nothing."""
        if (day, key) not in self._known:
            self._known.add((day, key))
            heapq.heappush(self._heap, (day, key, entry))

    def due(self, today: date) -> Iterator[tuple[str, T]]:
        """Takes out what is due by `today`, the oldest first; what is put in meanwhile comes in its turn."""
        while self._heap and self._heap[0][0] <= today:
            day, key, entry = heapq.heappop(self._heap)
            self._known.discard((day, key))
            yield key, entry

    @property
    def next_day(self) -> date | None:
        """The first day on which something is to be done; None when nothing is left."""
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._heap)
