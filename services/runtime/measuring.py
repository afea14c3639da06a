"""What the settling of work tells the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.runtime.metrics import Metrics
from services.runtime.settle import Outcome


class MetricsWatcher:
    """Counts outcomes, transactions and conflicts."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def settled(self, doors: Sequence[str], outcomes: Sequence[Outcome], seconds: float) -> None:
        results = Counter((door, outcome.result.value) for door, outcome in zip(doors, outcomes, strict=True))
        for (door, result), number in results.items():
            if door == "command":
                self._metrics.commands.of(result).inc(number)
            elif door != "deadline":
                self._metrics.records.of(door, result).inc(number)
        self._metrics.batch_seconds.of("whole").observe(seconds)
        self._metrics.transactions.of("committed").inc()

    def conflict(self, size: int) -> None:
        self._metrics.transactions.of("conflicted").inc()
        self._metrics.conflicts.inc()
        if size > 1:
            self._metrics.halvings.inc()
