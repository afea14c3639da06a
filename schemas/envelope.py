"""The envelope of every message: CloudEvents 1.0, Kafka protocol binding, binary mode.

Attributes travel as Kafka headers with the prefix ``ce_``, the payload as the record's value (JSON). Two attributes are
our extensions: ``ce_county`` (tenant, 5-digit key) and ``ce_sequence``, which counts up per subject and source without gaps.
``traceparent`` (W3C Trace Context) has no prefix, as the distributed-tracing extension of CloudEvents asks.

The subject says its own kind (``case/6f…``, ``offer/…``, ``count/…``), so that a reader can keep a subject's sequence even
for a type of event that it has never heard of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple, Self

SPEC_VERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/json"

_TYPE = re.compile(r"wegenetz\.(?P<source>[a-z]+)\.(?P<name>[a-z]+(?:-[a-z]+)*)\.v(?P<version>[1-9][0-9]{0,3})")
_COUNTY = re.compile(r"[0-9]{5}")
_SUBJECT = re.compile(r"(?P<kind>[a-z]{1,20})/(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_HIGHEST_SEQUENCE: Final = 2**53 - 1
"""The highest whole number that every reader of JSON takes exactly."""


class BadEnvelope(ValueError):
    """The headers are not those of a Wegenetz event. `reason` is a stable code, `header` the attribute at fault."""

    def __init__(self, reason: str, header: str) -> None:
        super().__init__(f"{reason}: {header}")
        self.reason = reason
        self.header = header


class Subject(NamedTuple):
    """What an event is about: a kind (``case``, ``offer``, …) and a UUID. Also the name of one state in a store."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _SUBJECT.fullmatch(text)
        if match is None:
            raise BadEnvelope("malformed-header", "ce_subject")
        return cls._make(match.groups())


class TypeName(NamedTuple):
    """An event type taken apart: ``wegenetz.<source>.<name>.v<version>``."""

    source: str
    name: str
    version: int

    @staticmethod
    def parse(text: str) -> TypeName:
        return _parse_type(text)


@lru_cache(maxsize=512)
def _parse_type(text: str) -> TypeName:
    # The same few dozen types come again and again; the bound keeps made-up ones from filling the memory.
    match = _TYPE.fullmatch(text)
    if match is None:
        raise BadEnvelope("unknown-type", "ce_type")
    return TypeName(match["source"], match["name"], int(match["version"]))


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything about an event but its payload. `time` is business time (UTC), `sequence` starts at 1."""

    id: str
    source: str
    type: str
    subject: Subject
    county: str
    sequence: int
    time: datetime
    traceparent: str | None = None

    def to_headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers of this event, in a fixed order."""
        headers = [
            _SPEC_VERSION_HEADER,
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_subject", str(self.subject).encode()),
            ("ce_time", format_instant(self.time).encode()),
            ("ce_county", self.county.encode()),
            ("ce_sequence", str(self.sequence).encode()),
            _CONTENT_TYPE_HEADER,
        ]
        if self.traceparent:
            headers.append(("traceparent", self.traceparent.encode()))
        return headers

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> Self:
        """Read an envelope back. Raises `BadEnvelope`; a malformed ``traceparent`` is dropped, as W3C asks."""
        text: dict[str, str] = {}
        for name, value in headers:
            if name in _KNOWN or name.startswith("ce_"):
                if value is None:
                    raise BadEnvelope("null-header", name)
                try:
                    text[name] = value.decode()
                except UnicodeDecodeError:
                    raise BadEnvelope("header-not-utf8", name) from None
        try:
            attributes = _required_of(text)
        except KeyError:
            raise _missing(text) from None
        if "" in attributes:
            raise _missing(text)
        spec_version, id, source, type, subject, time, county, sequence = attributes
        if spec_version != SPEC_VERSION:
            raise BadEnvelope("malformed-header", "ce_specversion")
        if _parse_type(type).source != source:
            raise BadEnvelope("malformed-header", "ce_source")
        if _COUNTY.fullmatch(county) is None:
            raise BadEnvelope("malformed-header", "ce_county")
        number = _parse_sequence(sequence)
        traceparent = text.get("traceparent")
        if traceparent is not None and _TRACEPARENT.fullmatch(traceparent) is None:
            traceparent = None
        return cls(id, source, type, Subject.parse(subject), county, number, _parse_instant(time), traceparent)


_SPEC_VERSION_HEADER: Final = ("ce_specversion", SPEC_VERSION.encode())
_CONTENT_TYPE_HEADER: Final = ("content-type", CONTENT_TYPE.encode())
_REQUIRED: Final = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_subject",
    "ce_time",
    "ce_county",
    "ce_sequence",
)
_required_of = itemgetter(*_REQUIRED)
_KNOWN: Final = frozenset((*_REQUIRED, "traceparent"))


def _missing(text: dict[str, str]) -> BadEnvelope:
    return BadEnvelope("missing-header", next(name for name in _REQUIRED if not text.get(name)))


def _parse_sequence(text: str) -> int:
    # The length is looked at first: Python refuses to read a number of thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= 16 and 0 < (number := int(text)) <= _HIGHEST_SEQUENCE:
        return number
    raise BadEnvelope("malformed-header", "ce_sequence")


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, the only form in which an instant is written. Needs an aware `instant`."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds")[:-6] + "Z"


def _parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is UTC:
            return instant
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: the first or last hours of the calendar in another zone
        pass
    raise BadEnvelope("malformed-header", "ce_time")
