"""Spans on their way to an OpenTelemetry collector: OTLP over HTTP with protobuf, by OpenTelemetry's own exporter.

Fields get their names in OpenTelemetry's semantic conventions where there are any (``http.route``), else the prefix
``wegenetz.``. Imported only when an endpoint is set: the SDK costs memory that the embedded profile does not pay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from services.runtime.fields import fit, is_span_name
from services.runtime.spans import Kind, Span, is_traceparent

_KINDS: Final[dict[Kind, SpanKind]] = {
    "message": SpanKind.CONSUMER,
    "request": SpanKind.SERVER,
    "work": SpanKind.INTERNAL,
}
_CONVENTIONAL: Final = {
    "method": "http.request.method",
    "route": "http.route",
    "http_status": "http.response.status_code",
    "error": "error.type",
}
_ANSWER_SECONDS: Final = 5.0


class NotExported(Exception):
    """The collector did not take a batch of spans."""


class OtlpSpans:
    """Sends spans to the collector at `endpoint`, the base URL without ``/v1/traces``."""

    def __init__(self, endpoint: str, service: str, instance: str) -> None:
        self._resource = Resource(
            {"service.name": service, "service.namespace": "wegenetz", "service.instance.id": instance}
        )
        self._exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_ANSWER_SECONDS)

    def write(self, spans: Sequence[Span], /) -> None:
        if self._exporter.export([self._readable(span) for span in spans]) is not SpanExportResult.SUCCESS:
            raise NotExported

    def close(self) -> None:
        self._exporter.shutdown()

    def _readable(self, span: Span) -> ReadableSpan:
        attributes: dict[str, str | int | float] = {}
        for key, value in span.attributes.items():
            fitting = fit(key, value) if value else None
            if fitting is not None:
                attributes[_CONVENTIONAL.get(key, f"wegenetz.{key}")] = fitting
        return ReadableSpan(
            name=span.name if is_span_name(span.name) else "withheld",
            context=_context(span.trace_id, span.span_id, is_remote=False),
            parent=_context(span.trace_id, span.parent_id, is_remote=True) if span.parent_id else None,
            resource=self._resource,
            attributes=attributes,
            links=[
                Link(_context(link[3:35], link[36:52], is_remote=True)) for link in span.links if is_traceparent(link)
            ],
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
            start_time=span.start_ns,
            end_time=span.end_ns,
        )


def _context(trace_id: str, span_id: str, *, is_remote: bool) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote, TraceFlags(TraceFlags.SAMPLED))
