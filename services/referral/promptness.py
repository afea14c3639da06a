"""How many rounds a need waits for its first offer, counted from the instant at which it was confirmed: 1 is the first round after that.

Counted are needs that no round has passed over: for the others there was no place, and how long they wait says nothing of the rounds. The
way from the service that confirmed the need counts too. Rounds of the last minute or so are remembered, by county; nothing is of anybody.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, Self

from services.runtime.metrics import Metrics

REMEMBERED: Final = 64
"""Rounds. Whoever waits longer is counted for so many."""
ROUNDS: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

Observe = Callable[[float], None]


class Promptness:
    """Of the rounds of one process. `rounds` is told the number for each need, `seconds` how long each round took."""

    def __init__(self, rounds: Observe, seconds: Observe) -> None:
        self._rounds = rounds
        self._seconds = seconds
        self._begun: defaultdict[str, deque[datetime]] = defaultdict(partial(deque[datetime], maxlen=REMEMBERED))

    @classmethod
    def of(cls, metrics: Metrics) -> Self:
        """Shown in ``/metrics``. Once in a process."""
        rounds = metrics.histogram(
            "rounds_to_first_offer", "Rounds that began from the confirmation of a need to its first offer", ROUNDS
        )
        seconds = metrics.histogram("round_seconds", "Seconds that a round of a county took", SECONDS)
        return cls(rounds.observe, seconds.observe)

    def begins(self, county: str, at: datetime) -> None:
        """A round begins."""
        self._begun[county].append(at)

    def ended(self, seconds: float) -> None:
        """A round came to its end."""
        self._seconds(seconds)

    def offered(self, county: str, since: datetime) -> None:
        """A need that no round had passed over, confirmed then, was offered a place in the round that began last."""
        begun = self._begun[county]
        self._rounds(max(1, len(begun) - bisect_right(begun, since)))
