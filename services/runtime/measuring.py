"""What the settling of work tells the metrics, and what is looked up for them now and then."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from services.runtime.deciding import Elapsed
from services.runtime.metrics import DAYS, Metrics
from services.runtime.outcomes import Outcome
from services.runtime.records import NOWHERE, OPEN
from services.runtime.running import Running


class MetricsWatcher:
    """Counts outcomes, transactions and conflicts, and measures the times that a service declares."""

    def __init__(self, metrics: Metrics, times: Iterable[Elapsed]) -> None:
        self._metrics = metrics
        self._times = {one.name: metrics.histogram(f"{one.name}_seconds", one.text, DAYS) for one in times}

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

    def elapsed(self, times: Sequence[tuple[str, timedelta]]) -> None:
        """Business times, by name."""
        for name, passed in times:
            self._times[name].observe(passed.total_seconds())

    def transaction(self, result: str) -> None:
        self._metrics.transactions.of(result).inc()

    def written(self, writes: Mapping[tuple[str, str], int]) -> None:
        """What a commit wrote, by collection and operation."""
        for (collection, operation), number in writes.items():
            self._metrics.writes.of(collection, operation).inc(number)

    def published(self, events: int, seconds: float) -> None:
        self._metrics.outbox_published.inc(events)
        self._metrics.batch_seconds.of("publish").observe(seconds)

    def conflict(self, size: int) -> None:
        self._metrics.conflicts.inc()
        if size > 1:
            self._metrics.halvings.inc()


async def measure_waiting(running: Running) -> None:
    """What waits in the database: to be sent, for a predecessor, for an operator. Raises `Transient`."""
    documents, age = await running.relay.depth()
    running.metrics.outbox_waiting(documents, time.time() - age if documents else None)
    for county in (*running.settings.counties, NOWHERE):
        store = running.store(county)
        running.metrics.parked.of(county).set(await store.count("parked", {}))
        running.metrics.dead_letters.of(county).set(await store.count("dead_letters", {"state": OPEN}))


async def measure_lag(running: Running) -> None:
    """What is still to be read, of the partitions that are read here. Raises `Transient`."""
    lag = await running.consumer.lag() if running.consumer is not None else {}
    found = {(topic, str(number)): records for topic, places in lag.items() for number, records in places.items()}
    for place, records in found.items():
        running.metrics.consumer_lag.of(*place).set(records)
    running.metrics.consumer_lag.keep_only(found)
