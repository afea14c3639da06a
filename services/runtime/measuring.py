"""What the settling of work tells the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from services.runtime.metrics import Metrics
from services.runtime.outcomes import Outcome


class MetricsWatcher:
    """Counts outcomes, transactions and conflicts."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def settled(self, doors: Sequence[str], outcomes: Sequence[Outcome], seconds: Mapping[str, float]) -> None:
        results = Counter((door, outcome.result.value) for door, outcome in zip(doors, outcomes, strict=True))
        commands = 0
        for (door, result), number in results.items():
            if door == "command":
                self._metrics.commands.of(result).inc(number)
                commands += number
            elif door != "deadline":
                self._metrics.records.of(door, result).inc(number)
        if commands:
            self._metrics.command_batch.observe(commands)
        for step, duration in seconds.items():
            self._metrics.batch_seconds.of(step).observe(duration)
        self._metrics.transactions.of("committed").inc()

    def written(self, writes: Mapping[tuple[str, str], int]) -> None:
        """What a commit wrote, by collection and operation."""
        for (collection, operation), number in writes.items():
            self._metrics.writes.of(collection, operation).inc(number)

    def published(self, events: int, seconds: float) -> None:
        self._metrics.outbox_published.inc(events)
        self._metrics.batch_seconds.of("publish").observe(seconds)

    def conflict(self, size: int) -> None:
        self._metrics.transactions.of("conflicted").inc()
        self._metrics.conflicts.inc()
        if size > 1:
            self._metrics.halvings.inc()
