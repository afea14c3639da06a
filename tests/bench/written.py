"""What a run left behind, read from the services' databases without any of their code: the work that others are to do again.

One file per service holds it as BSON documents, one after the other: first the `head`, then each document that was written in the measured
time as ``{"in": collection, "had": version before it, "document": …}``. Only the shape is known here: a state carries a `version` (how
often it was written) and `applied`; a document of the outbox carries `events`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

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
    """What the other documents of a file mean.

    `writes`: how many of each operation, by collection; `batches`: in how many the records came that the service consumed.
    """

    service: str
    topic: str
    reads: list[str]
    collections: list[Kept] = field(default_factory=list[Kept])
    documents: dict[str, int] = field(default_factory=dict[str, int])
    state_writes: int = 0
    events: int = 0
    transactions: int = 0
    batches: int = 0
    writes: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def to_document(self) -> Document:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Document) -> Self:
        return cls(**{**document, "collections": [Kept(**kept) for kept in document["collections"]]})


class Entry(NamedTuple):
    """A document with the name of its collection. `had`: the version of a state when the measured time began, 0 if there was none."""

    collection: str
    document: Document
    had: int


Before = Mapping[str, Mapping[Any, int]]
"""What a database held when the measured time began: versions of states by collection and id, 0 for other documents."""


def is_state(document: Mapping[str, Any]) -> bool:
    return "version" in document and "applied" in document and "body" in document


def subject_of(collection: str, state: Mapping[str, Any]) -> str:
    """As events name it."""
    return f"{collection.removesuffix('s')}/{state['_id']}"


async def make(database: Any, collections: Iterable[Kept]) -> None:
    """Make these collections in a database of motor's, with their validators and indexes, and empty."""
    for kept in collections:
        validator = {"validator": kept.validator} if kept.validator else {}
        await database.command({"create": kept.name, **validator})
        if kept.indexes:
            await database.command({"createIndexes": kept.name, "indexes": kept.indexes})


def look(url: str, database: str) -> Before:
    """What `database` holds now."""
    client: MongoClient[Document] = MongoClient(url)
    shape = {"version": 1, "applied": 1}
    with client:
        found = client[database]
        return {
            name: {one["_id"]: one["version"] if "applied" in one else 0 for one in found[name].find({}, shape)}
            for name in found.list_collection_names()
            if name not in _OF_NO_INTEREST
        }


def keep(
    url: str,
    database: str,
    service: str,
    folder: Path,
    *,
    before: Before,
    transactions: int,
    batches: int,
    writes: Mapping[tuple[str, ...], float],
) -> Head:
    """Copy what was written into `database` since `before` into ``<folder>/<service>.bson`` and say what it was.

    `transactions`, `batches` and `writes` (by collection and operation) are what the service counted meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    owned = {topic.owner: name for name, topic in topics().items()}
    head = Head(
        service=service,
        topic=owned[service],
        reads=[name for name, topic in topics().items() if service in topic.readers and topic.owner != service],
        transactions=transactions,
        batches=batches,
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
                _copy(found[name].find({}), name, before.get(name, {}), head, body)
            elif name == MARKS:
                head.collections.append(_kept(found[name].list_indexes(), name, listed.get("options", {})))
    if not head.collections:
        raise LookupError(f"There is no database {database}: nothing could be done again.")
    path = folder / f"{service}.bson"
    path.write_bytes(bson.encode(head.to_document()))
    with path.open("ab") as whole, (folder / f"{service}.body").open("rb") as body:
        while part := body.read(1 << 20):
            whole.write(part)
    (folder / f"{service}.body").unlink()
    return head


def read(path: Path) -> tuple[Head, Iterator[Entry]]:
    """The head, and the documents."""
    documents = _documents(path)
    head = Head.from_document(next(documents))
    return head, (Entry(one["in"], one["document"], one["had"]) for one in documents)


def outbox_of(path: Path) -> list[Document]:
    """The documents of the outbox, in the order in which they were sent."""
    _, entries = read(path)
    found = (entry.document for entry in entries if entry.collection == OUTBOX)
    return sorted(found, key=lambda document: (document["order"], document["_id"]))


def write(path: Path, head: Head, entries: Iterable[Entry]) -> None:
    """A file as `keep` makes it."""
    with path.open("wb") as file:
        file.write(bson.encode(head.to_document()))
        for entry in entries:
            file.write(_encoded(entry))


def _encoded(entry: Entry) -> bytes:
    return bson.encode({"in": entry.collection, "had": entry.had, "document": entry.document})


def _documents(path: Path) -> Iterator[Document]:
    options = bson.CodecOptions(tz_aware=True)
    with path.open("rb") as file:
        yield from bson.decode_file_iter(file, options)


def _copy(cursor: Any, name: str, before: Mapping[Any, int], head: Head, body: Any) -> None:
    for document in cursor:
        had = before.get(document["_id"], 0)
        if document["_id"] in before and not (is_state(document) and document["version"] > had):
            continue
        head.documents[name] = head.documents.get(name, 0) + 1
        if name == OUTBOX:
            head.events += len(document["events"])
        elif is_state(document):
            head.state_writes += document["version"] - had
        body.write(_encoded(Entry(name, document, had)))


def _kept(listed: Any, name: str, options: Mapping[str, Any]) -> Kept:
    indexes: Sequence[Document] = [dict(index) for index in listed if index["name"] != "_id_"]
    return Kept(name, dict(options.get("validator", {})), [_index(index) for index in indexes])


def _index(listed: Document) -> Document:
    """What `createIndexes` takes of what `listIndexes` gives."""
    return {name: value for name, value in listed.items() if name not in {"v", "ns"}}
