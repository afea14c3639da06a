"""What watching costs: CPU time of the whole process (its threads included) for one span, metric or log line.

    python -m tests.bench.watching

The SDK's spans and OpenTelemetry's metrics are measured beside ours, because the choice against them rests on it
(docs/decisions/opentelemetry.md). Each figure is the median of five runs.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.runtime.logs import Log
from services.runtime.metrics import Metrics
from services.runtime.telemetry import Telemetry

CALLER: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SUBJECT: Final = "thing/6f9619ff-8b86-4011-b42d-00cf4fc964ff"
TYPE: Final = "wegenetz.intake.arrival-registered.v1"
SPANS: Final = 10_000  # below the queue's limit: nothing may be dropped
RUNS: Final = 5


def microseconds(work: Callable[[], None], times: int) -> float:
    """Median CPU time (µs) of one of the `times` that `work` does something."""
    runs: list[float] = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        runs.append((time.process_time() - started) / times * 1e6)
    return statistics.median(runs)


def repeated(once: Callable[[], object], times: int = 50_000) -> float:
    def work() -> None:
        for _ in range(times):
            once()

    return microseconds(work, times)


def our_spans(folder: Path | None, *, tracing: bool = True) -> float:
    """One message's span: continued, identified to outgoing events, ended, and written to a file if there is a folder."""

    def work() -> None:
        file = folder / "bench-0.jsonl" if folder else None
        telemetry = Telemetry.start("bench", "0", traces_file=file, tracing=tracing)
        for number in range(SPANS):
            span = telemetry.message_span(
                "arrival-registered", CALLER, subject=SUBJECT, county="03459", type=TYPE, sequence=number + 1
            )
            _ = span.traceparent
            span.end("applied")
        telemetry.stop(30)
        if telemetry.dropped:
            raise RuntimeError("spans were dropped, the figure would be too good")

    return microseconds(work, SPANS)


class _JsonLines(SpanExporter):
    """The SDK's spans in the same lines as ours."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._file.writelines(json.dumps(self._line(span), separators=(",", ":")) + "\n" for span in spans)
        self._file.flush()
        return SpanExportResult.SUCCESS

    @staticmethod
    def _line(span: ReadableSpan) -> dict[str, object]:
        context, parent = span.context, span.parent
        if context is None or parent is None:
            raise RuntimeError("the bench continues a trace")
        return {
            "trace_id": f"{context.trace_id:032x}",
            "span_id": f"{context.span_id:016x}",
            "parent": f"{parent.span_id:016x}",
            "name": span.name,
            "start_ns": span.start_time,
            "end_ns": span.end_time,
            **(span.attributes or {}),
        }


def sdk_spans(folder: Path) -> float:
    """The same by the SDK's tracer and batch processor, with OpenTelemetry's own reading and writing of traceparent."""
    propagator = TraceContextTextMapPropagator()

    def work() -> None:
        provider = TracerProvider(resource=Resource({"service.name": "bench"}), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(_JsonLines(folder / "sdk.jsonl"), max_queue_size=16_384))
        tracer = provider.get_tracer("bench")
        for number in range(SPANS):
            attributes = {
                "subject": SUBJECT,
                "county": "03459",
                "type": TYPE,
                "sequence": number + 1,
                "outcome": "applied",
            }
            span = tracer.start_span(
                "arrival-registered", propagator.extract({"traceparent": CALLER}), attributes=attributes
            )
            carrier: dict[str, str] = {}
            propagator.inject(carrier, trace.set_span_in_context(span))
            span.end()
        provider.shutdown()

    return microseconds(work, SPANS)


def metrics() -> dict[str, float]:
    ours = Metrics()
    meter = MeterProvider([InMemoryMetricReader()]).get_meter("bench")
    counter, histogram = meter.create_counter("records"), meter.create_histogram("seconds")
    return {
        "counter with two labels": repeated(lambda: ours.records.of("intake", "applied").inc()),
        "histogram with a label": repeated(lambda: ours.batch_seconds.of("write").observe(0.012)),
        "counter, OpenTelemetry": repeated(lambda: counter.add(1, {"source": "intake", "result": "applied"})),
        "histogram, OpenTelemetry": repeated(lambda: histogram.record(0.012, {"step": "write"})),
    }


def log_line() -> float:
    log = Log()
    log._identity, log._stream = {"service": "bench", "instance": "0"}, StringIO()
    return repeated(lambda: log.info("history.fetched", events=12, county="03459"), 5_000)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = {
            "span, written to a file": our_spans(folder),
            "span, written nowhere": our_spans(None),
            "span, tracing off": our_spans(None, tracing=False),
            "span, OpenTelemetry SDK, written to a file": sdk_spans(folder),
            **metrics(),
            "log line": log_line(),
        }
    for what, cost in figures.items():
        print(f"{what:45} {cost:7.2f} µs")


if __name__ == "__main__":
    main()
