"""Spans as OTLP/HTTP brings them (protobuf, plain or gzip), down to what may be kept.

The wall against personal data holds here too, whoever sends: of a span are taken its ids, its times, and the declared fields that the
console shows, each only in its shape (`services.runtime.fields`). Everything else is not even looked at.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from services.operations.span_store import KeptSpan
from services.runtime.fields import Shape, Value, fit, is_span_name
from services.runtime.ways import Seen

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a message, unpacked."""
MEDIA_TYPE: Final = "application/x-protobuf"
NOTHING_REFUSED: Final = ExportTraceServiceResponse().SerializeToString()

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_LARGEST_NS: Final = 2**63 - 1
_GZIP: Final = 16 + zlib.MAX_WBITS
_SERVICE: Final = re.compile(r"[a-z][a-z0-9-]{0,30}").fullmatch
_INSTANCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}").fullmatch
_ONE_WORD_OR_ROUTE: Final = re.compile(r"[A-Za-z][A-Za-z-]*|[A-Z]+ (?:/\S*|unmatched)").fullmatch
"""Which is how ours are named. A stranger's that has more words might be of a person."""
_OURS: Final = {"http.response.status_code": "http_status"}


class NotOtlp(ValueError):
    """The body is no traces in protobuf, or is too large when unpacked."""


def read(body: bytes, *, packed: bool) -> list[KeptSpan]:
    """The spans of a request. One that has no id or no time is left out. Raises `NotOtlp`."""
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(_unpacked(body) if packed else body)
    except (DecodeError, zlib.error):
        raise NotOtlp from None
    return list(_spans(message))


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    whole = unpacking.decompress(body, MOST_BYTES + 1)
    if len(whole) > MOST_BYTES or not unpacking.eof:
        raise NotOtlp
    return whole


def _spans(message: ExportTraceServiceRequest) -> Iterator[KeptSpan]:
    for group in message.resource_spans:
        who = {one.key: one.value.string_value for one in group.resource.attributes}
        service = _named(_SERVICE, who.get("service.name", ""))
        instance = _named(_INSTANCE, who.get("service.instance.id", ""))
        for scope in group.scope_spans:
            for span in scope.spans:
                if len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES:
                    told = dict(_told(span.attributes))
                    seen = _seen(span, service, told)
                    if 0 < seen.start_ns <= seen.end_ns <= _LARGEST_NS:
                        yield KeptSpan(seen, instance, told.get("county", ""), told.get("referral", ""))


def _seen(span: Span, service: str, told: Mapping[str, str]) -> Seen:
    return Seen(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex() if len(span.parent_span_id) == _SPAN_ID_BYTES else None,
        name=span.name if is_span_name(span.name) and _ONE_WORD_OR_ROUTE(span.name) else "withheld",
        start_ns=span.start_time_unix_nano,
        end_ns=max(
            span.start_time_unix_nano, span.end_time_unix_nano
        ),  # the machine's clock may be set back in between
        service=service,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        subject=told.get("subject", ""),
        outcome=told.get("outcome") or told.get("http_status", ""),
    )


def _told(attributes: Iterable[KeyValue]) -> Iterator[tuple[str, str]]:
    for one in attributes:
        name = _OURS.get(one.key) or one.key.removeprefix("wegenetz.")
        if name in ("subject", "referral", "county", "outcome", "http_status"):
            given: Value = one.value.string_value or one.value.int_value
            fitting = fit(name, given)
            if fitting:
                yield name, str(fitting)


def _named(shape: Shape, text: str) -> str:
    return text if shape(text) else "unnamed"
