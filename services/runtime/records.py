"""What lies in the runtime's own collections: raw records, dead letters, parked records, outgoing events, states with their books."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from schemas.envelope import Envelope, Subject
from services.runtime.deciding import State
from services.runtime.ids import child

Document = dict[str, Any]

NOWHERE: Final = "00000"
"""The county under which a dead letter lies whose own county cannot be read."""

BLANK: Final = "blank"
"""The name of the event type that stands in a history where an erased event was; nobody subscribes to it."""

OPEN: Final = "open"
REPLAYED: Final = "replayed"
DISCARDED: Final = "discarded"
ERASED: Final = "erased"
"""The states of a dead letter. `ERASED`: its subject was forgotten."""

EMPTIED: Final[Document] = {"key": None, "value": None, "headers": [], "whole": None}
"""What is left of the content of a record that nobody may or need read any more."""

EMPTYING: Final[Document] = {f"record.{name}": nothing for name, nothing in EMPTIED.items()}
"""The same as a change to a document that keeps a record."""

LARGEST_VALUE: Final = 8 * 1024 * 1024
LARGEST_BESIDES: Final = 1024 * 1024
"""Bytes of a record's value that a dead letter keeps, and of its key and of its headers. The database takes documents of 16 MiB."""

UNCLAIMED_SECONDS: Final = 30 * 24 * 3600
"""How long a dead letter is kept if nobody can say whose it is: no erasure would reach it, and no topic keeps its record for longer."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as the broker gave it: nothing is interpreted, so nothing can be lost by interpreting it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def digest(self) -> str:
        """The same for every delivery of the same headers and value, wherever they lie in the log."""
        parts: list[bytes | None] = [self.topic.encode(), self.value]
        for name, value in self.headers:
            parts += (name.encode("utf-8", "replace"), value)
        sha = hashlib.sha256()
        for part in parts:
            # With its length, so that no content looks like the border between two.
            sha.update(b"-" if part is None else b"%d:" % len(part) + part)
        return sha.hexdigest()

    @property
    def blank(self) -> RawRecord:
        """What stands in its place once its subject is forgotten: the same number without content. Its envelope must be readable."""
        envelope = Envelope.from_headers(self.headers)
        headers = replace(envelope, type=blank_type(envelope.source)).to_headers()
        return replace(self, key=None, value=BLANK_VALUE, headers=tuple(headers))

    @property
    def bounded(self) -> Document:
        """As a document, with no more of it than one can hold: of a larger value the beginning, and what the whole was; of a larger key
        or larger headers nothing."""
        document = self.to_document()
        if len(self.key or b"") > LARGEST_BESIDES:
            document["key"] = None
        # Each header costs some bytes more, however small it is.
        if sum(len(name) * 4 + len(value or b"") + 32 for name, value in self.headers) > LARGEST_BESIDES:
            document["headers"] = []
        if self.value is not None and len(self.value) > LARGEST_VALUE:
            document["value"] = self.value[:LARGEST_VALUE]
            document["whole"] = {"length": len(self.value), "sha256": hashlib.sha256(self.value).hexdigest()}
        return document

    def to_document(self) -> Document:
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "key": self.key,
            "value": self.value,
            "headers": [[name, value] for name, value in self.headers],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RawRecord:
        return cls(
            topic=document["topic"],
            partition=document["partition"],
            offset=document["offset"],
            key=document["key"],
            value=document["value"],
            headers=tuple((name, value) for name, value in document["headers"]),
        )


@dataclass(slots=True)
class Stored:
    """A state with its books. `version` 0 means that nothing is stored yet.

    `sequence` is the number of the last event sent about this subject; `applied` the last number applied for each source;
    `parked` the numbers that wait for a missing one; `orders` the places of its events in the outbox, ascending, which is
    how its history is found; `trace` where its way was last seen, so that the next step joins the same trace.
    """

    state: State
    version: int = 0
    orders: list[int] = field(default_factory=list[int])
    sequence: int = 0
    applied: dict[str, int] = field(default_factory=dict[str, int])
    parked: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    trace: str | None = None
    changed: bool = False

    def copy(self, *, changed: bool) -> Stored:
        """Another one, whose fields are its own. (`dataclasses.replace` takes four times as long, and each decision makes some.)"""
        return Stored(
            self.state, self.version, self.orders, self.sequence, self.applied, self.parked, self.trace, changed
        )

    def parked_ids(self) -> list[str]:
        """The ids of the records that wait."""
        subject = self.state.subject
        return [parked_id(subject, source, number) for source, numbers in self.parked.items() for number in numbers]

    def to_document(self, county: str) -> Document:
        state = self.state
        body = state.model_dump()
        del body["id"]
        document: Document = {
            "_id": state.id,
            "county": county,
            "shape": state.SHAPE,
            "version": self.version + 1,
            "orders": self.orders,
            "sequence": self.sequence,
            "applied": self.applied,
            "body": body,
        }
        if self.trace is not None:
            document["trace"] = self.trace
        if any(self.parked.values()):
            document["parked"] = {source: numbers for source, numbers in self.parked.items() if numbers}
        due = state.due_at()
        if due is not None:
            document["due_at"] = due
        return document

    @classmethod
    def from_document(cls, model: type[State], document: Document) -> Stored:
        body, shape = document["body"], document["shape"]
        if shape > model.SHAPE:
            raise NewerShape(model.KIND, shape)
        while shape < model.SHAPE:
            body = model.UPGRADES[shape](body)
            shape += 1
        body["id"] = document["_id"]
        return cls(
            state=model.model_validate(body),
            version=document["version"],
            orders=document["orders"],
            sequence=document["sequence"],
            applied=document["applied"],
            parked=document.get("parked", {}),
            trace=document.get("trace"),
        )


class NewerShape(RuntimeError):
    """A stored document was written by a newer program. Start that version again, or restore the backup made before it."""

    def __init__(self, kind: str, shape: int) -> None:
        super().__init__(
            f"a stored {kind} has shape {shape}, which this version does not know; start the newer version"
        )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event on its way to the broker."""

    envelope: Envelope
    value: bytes

    @property
    def blank(self) -> Outgoing:
        """What stands in its place once its subject is forgotten: the same number without content."""
        return Outgoing(replace(self.envelope, type=blank_type(self.envelope.source)), BLANK_VALUE)

    def to_document(self) -> Document:
        envelope = self.envelope
        return {
            "id": envelope.id,
            "type": envelope.type,
            "subject": str(envelope.subject),
            "sequence": envelope.sequence,
            "time": envelope.time,
            "trace": envelope.traceparent,
            "value": self.value,
        }

    @classmethod
    def from_document(cls, source: str, county: str, document: Mapping[str, Any]) -> Outgoing:
        envelope = Envelope(
            id=document["id"],
            source=source,
            type=document["type"],
            subject=Subject.parse(document["subject"]),
            county=county,
            sequence=document["sequence"],
            time=document["time"],
            traceparent=document["trace"],
        )
        return cls(envelope, document["value"])


BLANK_VALUE: Final = b"{}"


def blank_type(source: str) -> str:
    return f"wegenetz.{source}.{BLANK}.v1"


@dataclass(frozen=True, slots=True)
class Parcel:
    """The events of one transaction (of a very large one: a part of them), as one document of the outbox keeps them."""

    county: str
    order: int
    events: Sequence[Outgoing]

    @property
    def id(self) -> str:
        """Follows from the first event: a unit of work that is written twice by mistake collides instead of doubling."""
        return self.events[0].envelope.id

    def to_document(self) -> Document:
        events = [event.to_document() for event in self.events]
        return {"_id": self.id, "county": self.county, "order": self.order, "events": events}

    def to_mark(self) -> Document:
        """What says that it is still to be sent."""
        return {"_id": self.id, "order": self.order}

    @classmethod
    def from_document(cls, source: str, document: Mapping[str, Any]) -> Parcel:
        county = document["county"]
        events = [Outgoing.from_document(source, county, event) for event in document["events"]]
        return cls(county, document["order"], events)


def event_id(source: str, subject: Subject, sequence: int) -> str:
    """The id of an event follows from what it is, so that the same event made twice has the same id."""
    return child(subject.id, f"{subject.kind}/{source}/{sequence}")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that can never be applied as it is, with the reason. Its id follows from its bytes: redelivered, it is the same one.

    `erased`: its subject was forgotten, so that its content is not kept.
    """

    raw: RawRecord
    reason: str
    detail: str
    envelope: Envelope | None
    erased: bool = False

    def id_in(self, county: str) -> str:
        return letter_id(county, self.raw)

    def to_document(self, county: str) -> Document:
        now = datetime.now(UTC)
        document: Document = {
            "county": county,
            "state": ERASED if self.erased else OPEN,
            "reason": self.reason,
            "detail": self.detail,
            "at": now,
            "record": self.raw.bounded | (EMPTIED if self.erased else {}),
        }
        if self.envelope is not None:
            document |= {
                "subject": str(self.envelope.subject),
                "source": self.envelope.source,
                "sequence": self.envelope.sequence,
                "type": self.envelope.type,
            }
        if county == NOWHERE:
            document["unclaimed_since"] = now
        return document


def letter_id(county: str, raw: RawRecord) -> str:
    """One record may lie in two counties: in none while its own was not served here, and then in that."""
    return hashlib.sha256(f"{county}/{raw.digest}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that came before its predecessor and waits for it."""

    envelope: Envelope
    raw: RawRecord

    @property
    def id(self) -> str:
        return parked_id(self.envelope.subject, self.envelope.source, self.envelope.sequence)

    def to_document(self, county: str) -> Document:
        envelope = self.envelope
        return {
            "county": county,
            "subject": str(envelope.subject),
            "source": envelope.source,
            "sequence": envelope.sequence,
            "at": datetime.now(UTC),
            "record": self.raw.to_document(),
        }


def parked_id(subject: Subject, source: str, sequence: int) -> str:
    return f"{subject}/{source}/{sequence}"


Asked = tuple[str, int]
"""The key under which a command came, and its place among those that came under it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command was answered, kept under its key and place so that a repetition hears the same."""

    key: str
    place: int
    digest: str
    body: bytes

    def to_document(self) -> Document:
        return {"digest": self.digest, "body": self.body}
