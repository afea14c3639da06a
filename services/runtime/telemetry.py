"""Tracing of a service: where spans are made and where they go.

Guarantees:

* One person's way is one trace: a span continues the ``traceparent`` that it is given, and its own `traceparent` goes into
  everything that is sent because of it. A missing or malformed one starts a new trace.
* Sampling is decided once, at the start of a trace, and carried along (`sample_ratio`, 1 by default); failed and slow spans are
  kept in any case.
* With tracing off, spans cost next to nothing and the incoming ``traceparent`` is handed on, so that services before and after stay
  connected.
* Spans go to an OTLP endpoint, to the span file of the embedded profile, to both or to neither. A sink that fails or is slow never
  holds up the service; what it misses is counted (`dropped`).

    span = telemetry.message_span("arrival-registered", envelope.traceparent, subject=…, county=…, type=…, sequence=…)
    …                                    # outgoing events carry span.traceparent
    span.end("applied")                  # after the commit, so that the span shows what the message waited for
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.runtime.fields import Value
from services.runtime.logs import current_traceparent
from services.runtime.span_file import SpanFile
from services.runtime.spans import (
    NOT_SAMPLED,
    SAMPLED,
    Kind,
    Span,
    SpanQueue,
    SpanSink,
    Untraced,
    is_traceparent,
    new_trace_id,
)

__all__ = ["Span", "Telemetry", "current_traceparent"]

_LOW_64_BITS: Final = 2**64
_STOP_SECONDS: Final = 3.0


class Telemetry:
    """Makes the spans of one process. Build it with `start`, or with sinks of one's own."""

    def __init__(self, sinks: Sequence[SpanSink] = (), *, tracing: bool = True, sample_ratio: float = 1.0) -> None:
        self._tracing = tracing
        self._queues = tuple(SpanQueue(sink) for sink in sinks) if tracing else ()
        # The rule of OpenTelemetry's TraceIdRatioBased, so that a collector with the same ratio agrees.
        self._sampled_below = round(sample_ratio * _LOW_64_BITS)

    @classmethod
    def start(
        cls,
        service: str,
        instance: str,
        *,
        otlp_endpoint: str | None = None,
        traces_file: Path | None = None,
        tracing: bool = True,
        sample_ratio: float = 1.0,
    ) -> Telemetry:
        """`otlp_endpoint` is a collector's base URL (``http://collector:4318``), `traces_file` a file of this process alone."""
        sinks: list[SpanSink] = []
        if tracing and traces_file is not None:
            sinks.append(SpanFile(traces_file, service, instance))
        if tracing and otlp_endpoint:
            from services.runtime.otlp import OtlpSpans  # noqa: PLC0415 - see its docstring

            sinks.append(OtlpSpans(otlp_endpoint, service, instance))
        return cls(sinks, tracing=tracing, sample_ratio=sample_ratio)

    def message_span(
        self,
        name: str,
        traceparent: str | None,
        *,
        subject: str = "",
        referral: str = "",
        county: str = "",
        type: str = "",
        sequence: int = 0,
        link: str | None = None,
    ) -> Span:
        """The span of one message. `link` is a second cause, in another trace: the request that brought a command, say."""
        if not self._tracing:
            return Untraced(_well_formed(traceparent))
        attributes: dict[str, Value] = {"subject": subject, "county": county, "type": type, "sequence": sequence}
        if referral:
            attributes["referral"] = referral
        return self._span(name, "message", traceparent, attributes, (link,) if link else ())

    def start_span(
        self,
        name: str,
        traceparent: str | None = None,
        *,
        kind: Kind = "work",
        attributes: dict[str, Value] | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        """Any other span. `attributes` belongs to the span afterwards; names and values as in `services.runtime.fields`."""
        if not self._tracing:
            return Untraced(_well_formed(traceparent))
        return self._span(name, kind, traceparent, {} if attributes is None else attributes, links)

    def _span(
        self, name: str, kind: Kind, traceparent: str | None, attributes: dict[str, Value], links: Sequence[str]
    ) -> Span:
        if (traceparent := _well_formed(traceparent)) is not None:
            flags = SAMPLED if int(traceparent[53:], 16) & 1 else NOT_SAMPLED
            came_from = traceparent[3:35], traceparent[36:52], flags
            return Span(name, kind, came_from, attributes, links, self._queues)
        trace_id = new_trace_id()
        flags = SAMPLED if int(trace_id[16:], 16) < self._sampled_below else NOT_SAMPLED
        return Span(name, kind, (trace_id, None, flags), attributes, links, self._queues)

    @property
    def written(self) -> int:
        """Spans that a sink has taken since the start."""
        return sum(queue.written for queue in self._queues)

    @property
    def dropped(self) -> int:
        """Spans lost since the start, because a sink failed or could not keep up."""
        return sum(queue.dropped for queue in self._queues)

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Write what is waiting, for at most `seconds` a sink. Blocks; the last thing that a stopping service does."""
        for queue in self._queues:
            queue.stop(seconds)


def _well_formed(traceparent: str | None) -> str | None:
    """Anybody may send anything under that name, and it must neither be handed on nor stand in a log line."""
    return traceparent if traceparent is not None and is_traceparent(traceparent) else None
