"""Spans: what was done for one message or request, by whom, and what caused it.

Guarantees:

* The identity of a span travels as a W3C ``traceparent``, so any OpenTelemetry tool can continue a trace of ours and we theirs.
* Starting and ending a span costs a few microseconds, never waits, and never raises. Writing happens in a thread of its own.
* The queue to that thread is bounded. When it is full, spans are dropped and counted; the service is never slowed down.
* A span that is never ended is never written: an attempt that is decided again leaves no trace of itself.

The spans are ours and not the OpenTelemetry SDK's, because the SDK's cost several times as much (docs/decisions/opentelemetry.md).
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Final, Literal, Protocol

from services.runtime.fields import Value
from services.runtime.logs import log

Kind = Literal["message", "request", "work"]

SAMPLED: Final = "01"
NOT_SAMPLED: Final = "00"
SLOW_NS: Final = 1_000_000_000
"""A step that takes as long is kept whatever the sampling says."""

is_traceparent: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch

# Seeded by the system and apart from the global generator, which a simulation seeds: two processes must not draw the same ids.
_random_bits = Random(os.urandom(32)).getrandbits  # noqa: S311 - ids, not secrets
_machine_time_ns = time.time_ns


class SpanSink(Protocol):
    """Where finished spans go. `write` runs in the queue's thread, may take its time and may raise: then the batch is lost."""

    def write(self, spans: Sequence[Span], /) -> None: ...

    def close(self) -> None:
        """Called from any thread; ends a `write` that is waiting."""
        ...


class Span:
    """Work in progress. `traceparent` is what messages sent because of it carry; None only if tracing is off and none came in."""

    __slots__ = (
        "_queues",
        "attributes",
        "end_ns",
        "failed",
        "kind",
        "links",
        "name",
        "parent_id",
        "sampled",
        "span_id",
        "start_ns",
        "trace_id",
        "traceparent",
    )

    traceparent: str | None

    def __init__(
        self,
        name: str,
        kind: Kind,
        came_from: tuple[str, str | None, str],
        attributes: dict[str, Value],
        links: Sequence[str],
        queues: Sequence[SpanQueue],
    ) -> None:
        trace_id, parent_id, flags = came_from
        span_id = f"{_random_bits(64):016x}"
        self.name = name
        self.kind: Kind = kind
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_id = parent_id
        self.traceparent = f"00-{trace_id}-{span_id}-{flags}"
        self.sampled = flags != NOT_SAMPLED
        self.attributes = attributes
        self.links = links
        self.failed = False
        self.end_ns = 0
        self._queues = queues
        self.start_ns = _machine_time_ns()

    def fail(self, reason: str) -> None:
        """Mark the span as failed, with a code. Failed spans are kept whatever the sampling says."""
        self.failed = True
        self.attributes["outcome"] = reason

    def end(self, outcome: str | None = None) -> None:
        """Finish the span, with a code for how it went (``failed`` marks it as failed). Ending it again does nothing."""
        if self.end_ns:
            return
        self.end_ns = _machine_time_ns()
        if outcome is not None:
            self.attributes["outcome"] = outcome
            if outcome == "failed":
                self.failed = True
        if self.sampled or self.failed or self.end_ns - self.start_ns >= SLOW_NS:
            for queue in self._queues:
                queue.put(self)


class Untraced(Span):
    """The span of a service whose tracing is off: it writes nothing and hands the incoming ``traceparent`` on."""

    __slots__ = ()

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent
        self.attributes = {}

    def fail(self, reason: str) -> None:
        """Nothing is written."""

    def end(self, outcome: str | None = None) -> None:
        """Nothing is written."""


def new_trace_id() -> str:
    """A random trace id (W3C: 16 bytes in hexadecimal)."""
    return f"{_random_bits(128):032x}"


class SpanQueue:
    """A bounded queue to one sink, emptied by a thread of its own at least every `pause` seconds."""

    def __init__(self, sink: SpanSink, *, limit: int = 16_384, batch: int = 512, pause: float = 0.2) -> None:
        self.written = 0
        self.dropped = 0
        self._sink = sink
        self._limit = limit
        self._batch = batch
        self._pause = pause
        self._waiting: deque[Span] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def put(self, span: Span) -> None:
        """Take a finished span, or count it as dropped if the sink cannot keep up."""
        waiting = len(self._waiting)
        if waiting >= self._limit or self._stopping:
            self.dropped += 1
            return
        self._waiting.append(span)
        if waiting == self._batch:
            self._wake.set()

    def stop(self, seconds: float) -> None:
        """Write what is waiting, for at most `seconds`; what the sink does not take by then is dropped and counted."""
        self._stopping = True
        self._wake.set()
        self._thread.join(seconds)
        self._sink.close()
        self._thread.join(1.0)
        self.dropped += len(self._waiting)
        if self.dropped:
            log.warning("telemetry.spans-dropped", count=self.dropped)

    def _run(self) -> None:
        while True:
            self._wake.wait(self._pause)
            self._wake.clear()
            last = self._stopping  # read before emptying: whatever was put before the stop is still written
            while self._waiting:
                self._write([self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))])
            if last:
                return

    def _write(self, spans: Sequence[Span]) -> None:
        try:
            self._sink.write(spans)
        except Exception as error:  # noqa: BLE001 - whatever fails in a sink must not end the thread; it is said and counted
            self.dropped += len(spans)
            if not self._failing:
                log.error("telemetry.export-failed", exception=error, count=len(spans))
            self._failing = True
        else:
            self.written += len(spans)
            self._failing = False
