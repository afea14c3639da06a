"""Every number that the runtime publishes for Prometheus: one line a metric, whose text is its comment.

Names start with ``wegenetz_`` and end with their unit; counters get ``_total`` from the library. Labels have few values: services,
counties, topics, partitions, codes and route templates, never an id. A metric takes at most `COMBINATIONS` combinations of label
values, and what comes after is counted as ``other``, so that no mistake can fill the memory.

    metrics.records.of("intake", "applied").inc()
    metrics.batch_seconds.of("write").observe(0.012)

The Prometheus client is used directly: OpenTelemetry's metrics cost many times as much (docs/decisions/opentelemetry.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import time
from typing import Final, Generic, TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

COMBINATIONS: Final = 500
OTHER: Final = "other"
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

# Seconds from a quick answer in memory to the 60 s after which a server ends a transaction.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
DAYS: Final = tuple(86_400 * days for days in (0.25, 0.5, 1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 63, 91, 182, 365))
"""In seconds, for times in which people act."""

M = TypeVar("M", Counter, Gauge, Histogram)


class Labelled(Generic[M]):
    """A metric with labels. `of` gives the one for these values, in one look-up."""

    def __init__(self, metric: M, labels: tuple[str, ...]) -> None:
        self._metric = metric
        self._labels = labels
        self._known: dict[tuple[str, ...], M] = {}

    def of(self, *values: str) -> M:
        known = self._known.get(values)
        return known if known is not None else self._first(values)

    def _first(self, values: tuple[str, ...]) -> M:
        if len(values) != len(self._labels):
            raise ValueError(f"this metric has the labels {', '.join(self._labels)}")
        if len(self._known) >= COMBINATIONS:
            return self._metric.labels(*(OTHER for _ in values))
        self._known[values] = one = self._metric.labels(*values)
        return one

    def keep_only(self, kept: Collection[tuple[str, ...]]) -> None:
        """Forget the others: a number that nobody reports any more must not stand there for ever."""
        for values in [known for known in self._known if known not in kept]:
            del self._known[values]
            self._metric.remove(*values)


class _StillCounter(Counter):
    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Nothing is counted."""


class _StillGauge(Gauge):
    def set(self, value: float) -> None:
        """Nothing is kept."""

    def inc(self, amount: float = 1) -> None:
        """Nothing is counted."""

    def dec(self, amount: float = 1) -> None:
        """Nothing is counted."""


class _StillHistogram(Histogram):
    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Nothing is measured."""


class Metrics:
    """The metrics of one process, in a registry of its own. Without `counting` all of them stay at 0, and cost next to nothing."""

    def __init__(self, *, counting: bool = True) -> None:
        disable_created_metrics()
        self._counter, self._gauge, self._histogram = (
            (Counter, Gauge, Histogram) if counting else (_StillCounter, _StillGauge, _StillHistogram)
        )
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, CPU seconds and open files of the process
        self._oldest_unsent: float | None = None
        self._last_error: Callable[[], tuple[str, str, float] | None] = lambda: None

        counter, counters, gauge, gauges, histogram, histograms = (
            self.counter,
            self.counters,
            self.gauge,
            self.gauges,
            self.histogram,
            self.histograms,
        )
        # fmt: off
        # consuming
        self.consumer_lag = gauges("consumer_lag_records", "Records of a partition that wait to be consumed", "topic", "partition")
        self.batch_records = histogram("batch_records", "Records that came in one batch", SIZES)
        self.batch_seconds = histograms("batch_seconds", "Seconds by step of a batch: load, decide, write, whole; publish", SECONDS, "step")
        self.records = counters("records", "Records by sender and result (applied, repeated, skipped, parked, dead)", "source", "result")
        self.parked = gauges("parked_records", "Records that wait for a missing predecessor now", "county")
        self.dead_letters = gauges("dead_letters_open", "Dead letters that nobody has replayed or discarded yet", "county")
        # deciding and writing
        self.transactions = counters("transactions", "Transactions by result (committed, conflicted, failed)", "result")
        self.writes = counters("writes", "Writes by collection and operation (insert, replace, update, delete)", "collection", "operation")
        self.conflicts = counter("conflicts", "Times that another writer was faster and a slice was decided again")
        self.halvings = counter("halvings", "Times that a slice was halved because of a conflict")
        self.retries = counters("retries", "Tries that failed because of the world, and come again (settle, publish, turn)", "what")
        self.deadlines = counter("deadlines_handled", "Deadlines that had come and were handled")
        # sending
        self.outbox_documents = gauge("outbox_documents", "Outbox documents that wait to be sent, each with the events of a transaction")
        self.outbox_age = gauge("outbox_oldest_seconds", "Seconds that the oldest of them has waited, 0 if there is none")
        self.outbox_published = counter("outbox_published_events", "Events that the broker has acknowledged")
        # doors
        self.commands = counters("commands", "Commands by result (applied, repeated, refused, failed)", "result")
        self.command_batch = histogram("command_batch_commands", "Commands that were settled in one transaction", SIZES)
        self.http_requests = counters("http_requests", "HTTP requests by method, route template and status", "method", "route", "status")
        self.http_seconds = histograms("http_request_seconds", "Seconds until an HTTP request was answered", SECONDS, "method", "route")
        # watching
        self.spans_written = gauge("spans_written", "Spans that were exported since the start")
        self.spans_dropped = gauge("spans_dropped", "Spans that were lost since the start, because the exporter failed or was too slow")
        self.log_lines_lost = gauge("log_lines_lost", "Log lines that could not be written since the start")
        self.process = gauges("process", "1, for the process that answers", "service", "instance", "version")
        self.last_error = gauges("last_error_seconds", "When the last error was logged, in seconds since 1970", "code", "error")
        # fmt: on
        self.outbox_age.set_function(self._outbox_age)

    # --- a service's own metrics are made with the same six --------------------------------------------------------------

    def counter(self, name: str, text: str) -> Counter:
        return self._counter(name, text, namespace="wegenetz", registry=self.registry)

    def counters(self, name: str, text: str, *labels: str) -> Labelled[Counter]:
        return Labelled(self._counter(name, text, labels, namespace="wegenetz", registry=self.registry), labels)

    def gauge(self, name: str, text: str) -> Gauge:
        return self._gauge(name, text, namespace="wegenetz", registry=self.registry)

    def gauges(self, name: str, text: str, *labels: str) -> Labelled[Gauge]:
        return Labelled(self._gauge(name, text, labels, namespace="wegenetz", registry=self.registry), labels)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return self._histogram(name, text, buckets=buckets, namespace="wegenetz", registry=self.registry)

    def histograms(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Labelled[Histogram]:
        return Labelled(
            self._histogram(name, text, labels, buckets=buckets, namespace="wegenetz", registry=self.registry), labels
        )

    # --- what is more than one number ------------------------------------------------------------------------------------

    def outbox_waiting(self, documents: int, oldest: float | None) -> None:
        """What waits in the outbox. `oldest` is when its oldest document was written (machine time, seconds since 1970).

        The age is worked out when Prometheus asks, so that it keeps growing if whoever reports it has stopped.
        """
        self.outbox_documents.set(documents)
        self._oldest_unsent = oldest

    def watch(
        self,
        written: Callable[[], int],
        dropped: Callable[[], int],
        lines_lost: Callable[[], int],
        last_error: Callable[[], tuple[str, str, float] | None] = lambda: None,
    ) -> None:
        """Read the counts of tracing and logging when Prometheus asks; `last_error`: its code, exception and instant."""
        self.spans_written.set_function(written)
        self.spans_dropped.set_function(dropped)
        self.log_lines_lost.set_function(lines_lost)
        self._last_error = last_error

    def exposition(self) -> bytes:
        """The body of ``GET /metrics``, of type `CONTENT_TYPE`."""
        if (last := self._last_error()) is not None:
            code, error, at = last
            self.last_error.of(code, error).set(at)
            self.last_error.keep_only({(code, error)})
        return generate_latest(self.registry)

    def _outbox_age(self) -> float:
        return max(0.0, time() - self._oldest_unsent) if self._oldest_unsent is not None else 0.0
