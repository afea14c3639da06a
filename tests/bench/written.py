"""What a run left behind, read from the services' databases without any of their code: the work that others are to do again.

One file per service holds it as BSON documents, one after the other: first the `head`, then each stored document as
``{"in": collection, "document": …}``. Only the shape is known here: a state carries a `version` (how often it was written) and
`applied`; a document of the outbox carries `events`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import bson
from pymongo import MongoClient

from schemas.topics import topics

Document = dict[str, Any]

OUTBOX: Final = "outbox"
MARKS: Final = "unpublished"
_OF_NO_INTEREST: Final = frozenset({MARKS, "meta", "leases", "parked", "dead_letters"})
"""Holds nothing after a run without faults, or nothing that grows with people."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A collection as it was made: validator, and indexes as the database lists them (without the one on ``_id``)."""

    name: str
    validator: Document
    indexes: list[Document]


@dataclass(slots=True)
class Head:
    """What the other documents of a file mean. `writes`: how many of each operation, by collection."""

    service: str
    topic: str
    reads: list[str]
    collections: list[Kept] = field(default_factory=list[Kept])
    documents: dict[str, int] = field(default_factory=dict[str, int])
    state_writes: int = 0
    events: int = 0
    transactions: int = 0
    writes: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def to_document(self) -> Document:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Document) -> Self:
        return cls(**{**document, "collections": [Kept(**kept) for kept in document["collections"]]})


def is_state(document: Mapping[str, Any]) -> bool:
    return "version" in document and "applied" in document and "body" in document


def keep(
    url: str,
    database: str,
    service: str,
    folder: Path,
    *,
    transactions: int,
    writes: Mapping[tuple[str, str], float],
) -> Head:
    """Copy what `database` holds into ``<folder>/<service>.bson`` and say what it was.

    `transactions` and `writes` (by collection and operation) are what the service counted while it did its work.
    """
    owned = {topic.owner: name for name, topic in topics().items()}
    head = Head(
        service=service,
        topic=owned[service],
        reads=[name for name, topic in topics().items() if service in topic.readers and topic.owner != service],
        transactions=transactions,
    )
    for (collection, operation), number in writes.items():
        if number:
            head.writes.setdefault(collection, {})[operation] = int(number)
    client: MongoClient[Document] = MongoClient(url, tz_aware=True)
    with client, (folder / f"{service}.body").open("wb") as body:
        found = client[database]
        for listed in sorted(found.list_collections(), key=lambda one: one["name"]):
            name = listed["name"]
            if name not in _OF_NO_INTEREST:
                head.collections.append(_kept(found[name].list_indexes(), name, listed.get("options", {})))
                _copy(found[name].find({}), name, head, body)
            elif name == MARKS:
                head.collections.append(_kept(found[name].list_indexes(), name, listed.get("options", {})))
    path = folder / f"{service}.bson"
    path.write_bytes(bson.encode(head.to_document()))
    with path.open("ab") as whole, (folder / f"{service}.body").open("rb") as body:
        while part := body.read(1 << 20):
            whole.write(part)
    (folder / f"{service}.body").unlink()
    return head


def read(path: Path) -> tuple[Head, Iterator[tuple[str, Document]]]:
    """The head, and the documents with the names of their collections."""
    entries = _entries(path)
    head = Head.from_document(next(entries))
    return head, ((entry["in"], entry["document"]) for entry in entries)


def _entries(path: Path) -> Iterator[Document]:
    options = bson.CodecOptions(tz_aware=True)
    with path.open("rb") as file:
        yield from bson.decode_file_iter(file, options)


def _copy(cursor: Any, name: str, head: Head, body: Any) -> None:
    for document in cursor:
        head.documents[name] = head.documents.get(name, 0) + 1
        if name == OUTBOX:
            head.events += len(document["events"])
        elif is_state(document):
            head.state_writes += document["version"]
        body.write(bson.encode({"in": name, "document": document}))


def _kept(listed: Any, name: str, options: Mapping[str, Any]) -> Kept:
    indexes: Sequence[Document] = [dict(index) for index in listed if index["name"] != "_id_"]
    return Kept(name, dict(options.get("validator", {})), [_index(index) for index in indexes])


def _index(listed: Document) -> Document:
    """What `createIndexes` takes of what `listIndexes` gives."""
    return {name: value for name, value in listed.items() if name not in {"v", "ns"}}
