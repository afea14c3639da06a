"""The database: states loaded in few queries, and one transaction for everything that a batch changes.

What may be relied on:

- A store is opened for one county, and every query and write of it carries that county.
- A unit of work commits as a whole or not at all: changed states (each only if its version is still the loaded one), outgoing events as
  outbox documents in an order that follows every earlier event of the same states, dead letters, parked records, answers to commands,
  and the service's own writes.
- `Conflict` means that nothing was written and a fresh load may succeed; `Transient` that the database is away (whether the last commit
  took effect is then unknown: sequences and command keys make the repetition harmless).

motor is imported here alone. What changes on the day it is replaced by PyMongo's own asyncio client is in
docs/decisions.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import ASCENDING, DeleteMany, DeleteOne, IndexModel, InsertOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.runtime.clock import machine_ms
from services.runtime.deciding import State, Subject, Write
from services.runtime.errors import Conflict, ForeignSubject, NameTaken, Permanent, Transient
from services.runtime.reading import Resolution
from services.runtime.records import (
    BLANK_VALUE,
    EMPTIED,
    ERASED,
    NOWHERE,
    Answer,
    DeadLetter,
    Document,
    Outgoing,
    Parcel,
    Parked,
    RawRecord,
    Stored,
    blank_type,
)

EVENTS_PER_DOCUMENT: Final = 1000
BYTES_PER_DOCUMENT: Final = 4 * 1024 * 1024
REMOVED_AT_ONCE: Final = 25
"""States that one operation takes out. The embedded database compares each of them with the whole list."""
ANSWERS_KEPT_SECONDS: Final = 30 * 24 * 3600

_BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any deadline. The index of deadlines holds states that have one later than this, and a query uses it only if it says so."""

_SNAPSHOT: Final = ReadConcern("snapshot")
"""All reads of a transaction see one instant; with a commit by the majority, one that stays."""
_MAJORITY: Final = WriteConcern("majority")

_WRITE_CONFLICT: Final = 112
_DUPLICATE_KEY: Final = 11000
_NAMESPACE_EXISTS: Final = 48

_UNWRITABLE: Final = (DocumentTooLarge, BSONError, WriteError, BulkWriteError, OverflowError, UnicodeError)
"""What the driver and the database raise for a document that they do not take: too large, not to be encoded, not as declared."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection with its indexes and the schema that the database itself enforces."""

    name: str
    indexes: tuple[IndexModel, ...] = ()
    schema: Document | None = None


def collection_of(kind: str) -> str:
    """Where the states of a kind lie."""
    return f"{kind}s"


def state_collection(model: type[State], *indexes: IndexModel) -> Collection:
    """The collection of a state, with the index of its deadlines if it has any, and what every stored state must have."""
    deadlines = IndexModel(
        [("county", ASCENDING), ("due_at", ASCENDING)],
        name="due",
        partialFilterExpression={"due_at": {"$gt": _BEFORE_ALL}},
    )
    return Collection(
        collection_of(model.KIND),
        indexes if model.due_at is State.due_at else (deadlines, *indexes),
        {
            "bsonType": "object",
            "required": ["county", "shape", "version", "orders", "sequence", "applied", "body"],
        },
    )


_OWN: Final = (
    Collection(
        "outbox",
        (
            IndexModel([("order", ASCENDING), ("_id", ASCENDING)], name="order"),
            IndexModel([("county", ASCENDING), ("order", ASCENDING)], name="history"),
        ),
    ),
    Collection("unpublished", (IndexModel([("order", ASCENDING), ("_id", ASCENDING)], name="order"),)),
    Collection("parked", (IndexModel([("county", ASCENDING), ("subject", ASCENDING)], name="subject"),)),
    Collection(
        "dead_letters",
        (
            IndexModel([("county", ASCENDING), ("state", ASCENDING), ("at", ASCENDING)], name="open"),
            IndexModel([("county", ASCENDING), ("subject", ASCENDING)], name="subject"),
        ),
    ),
    Collection("commands", (IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=ANSWERS_KEPT_SECONDS),)),
    Collection("meta"),
    Collection("leases"),
)


@dataclass(slots=True)
class Unit:
    """Everything that one transaction is to write."""

    states: list[Stored] = field(default_factory=list[Stored])
    events: list[Outgoing] = field(default_factory=list[Outgoing])
    dead: list[DeadLetter] = field(default_factory=list[DeadLetter])
    parked: list[Parked] = field(default_factory=list[Parked])
    unparked: list[str] = field(default_factory=list[str])
    answers: list[Answer] = field(default_factory=list[Answer])
    resolutions: list[Resolution] = field(default_factory=list[Resolution])
    writes: list[Write] = field(default_factory=list[Write])
    forgotten: list[Subject] = field(default_factory=list[Subject])

    def empty(self) -> bool:
        return not (
            self.states
            or self.dead
            or self.parked
            or self.unparked
            or self.answers
            or self.resolutions
            or self.writes
            or self.forgotten
        )


Committed = Callable[[Sequence[Parcel], Mapping[tuple[str, str], int]], None]
"""Is told after a commit: the parcels that now lie in the outbox, and the number of writes by collection and operation."""


class Database:
    """One service's database. `prepare` makes collections, schemas and indexes; `county` opens a tenant's store."""

    def __init__(self, url: str, name: str, load_chunk: int = 40) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url, tz_aware=True, serverSelectionTimeoutMS=3000, connectTimeoutMS=3000, retryWrites=True, w="majority"
        )
        self.raw: AsyncIOMotorDatabase[Document] = self._client[name]
        self.committed: Committed = lambda parcels, written: None
        self._load_chunk = load_chunk

    def county(self, county: str) -> CountyStore:
        return CountyStore(self, county, self._load_chunk)

    async def prepare(self, collections: Iterable[Collection]) -> None:
        async with translated():
            existing = set(await self.raw.list_collection_names())
            for collection in (*_OWN, *collections):
                schema = {"$jsonSchema": collection.schema} if collection.schema else {}
                if collection.name not in existing:
                    await self._create(collection.name, schema)
                elif schema:
                    await self.raw.command("collMod", collection.name, validator=schema)
                if collection.indexes:
                    await self.raw[collection.name].create_indexes(list(collection.indexes))

    async def _create(self, name: str, schema: Document) -> None:
        try:
            await self.raw.command({"create": name, **({"validator": schema} if schema else {})})
        except OperationFailure as error:
            # Another instance of the service that starts at the same time was faster; it declares the same.
            if error.code != _NAMESPACE_EXISTS:
                raise

    async def ping(self) -> None:
        async with translated():
            await self.raw.command("ping")

    async def meta(self, name: str) -> Document | None:
        """A small document about the service itself, of no county (its virtual time, say)."""
        async with translated():
            return await self.raw["meta"].find_one({"_id": name})

    async def set_meta(self, name: str, **values: object) -> None:
        async with translated():
            await self.raw["meta"].replace_one({"_id": name}, {"_id": name, **values}, upsert=True)

    async def change_meta(self, name: str, expected: Mapping[str, object], **values: object) -> None:
        """Change such a document if it still says what is expected."""
        async with translated():
            await self.raw["meta"].update_one({"_id": name, **expected}, {"$set": values})

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncIOMotorClientSession]:
        """All or nothing; what is read is of one instant. Raises `Conflict` or `Transient`: an outcome of the commit that is not known
        is asked for again first."""
        async with translated(), await self._client.start_session() as session:
            session.start_transaction(read_concern=_SNAPSHOT, write_concern=_MAJORITY)
            try:
                yield session
            except BaseException:
                await _abort(session)
                raise
            for attempt in range(4):
                try:
                    await session.commit_transaction()
                    return
                except PyMongoError as error:
                    if attempt == 3 or not error.has_error_label("UnknownTransactionCommitResult"):
                        raise
                    await asyncio.sleep(0.05 * 2**attempt)

    def close(self) -> None:
        self._client.close()


class CountyStore:
    """One county's part of a service's database."""

    def __init__(self, database: Database, county: str, load_chunk: int) -> None:
        self.county = county
        self._database = database
        self._raw = database.raw
        self._chunk = load_chunk

    # --- states -----------------------------------------------------------------------------------------------------

    async def load(self, models: Mapping[str, type[State]], subjects: Iterable[Subject]) -> dict[Subject, Stored]:
        """The states of all subjects; first forms for those that are not stored. Queries of at most `load_chunk` ids.

        (The embedded database compares each found document with the whole list of ids: at 100 ids a document costs 0.2 ms, at 40 0.13 ms.)
        """
        wanted: dict[str, list[str]] = defaultdict(list)
        loaded: dict[Subject, Stored] = {}
        for subject in subjects:
            wanted[subject.kind].append(subject.id)
            loaded[subject] = Stored(models[subject.kind](id=subject.id))
        for kind, ids in wanted.items():
            model = models[kind]
            for document in await self.by_ids(collection_of(kind), ids):
                loaded[Subject(kind, document["_id"])] = Stored.from_document(model, document)
        return loaded

    async def by_ids(self, collection: str, ids: Sequence[str]) -> list[Document]:
        """The documents with these ids, in no order."""
        found: list[Document] = []
        async with translated():
            for start in range(0, len(ids), self._chunk):
                cursor = self._raw[collection].find(
                    {"_id": {"$in": list(ids[start : start + self._chunk])}, "county": self.county}
                )
                found += await cursor.to_list(None)
        return found

    async def load_parked(self, subjects: Iterable[Subject]) -> dict[str, RawRecord]:
        """The parked records of these subjects, by parked id."""
        names = [str(subject) for subject in subjects]
        async with translated():
            found: dict[str, RawRecord] = {}
            for start in range(0, len(names), self._chunk):
                cursor = self._raw["parked"].find(
                    {"county": self.county, "subject": {"$in": names[start : start + self._chunk]}}
                )
                for document in await cursor.to_list(None):
                    found[document["_id"]] = RawRecord.from_document(document["record"])
            return found

    async def load_answers(self, keys: Sequence[str]) -> dict[str, tuple[str, bytes]]:
        """For the command keys that were answered before: digest of the command, and the answer."""
        documents = await self.by_ids("commands", [f"{self.county}/{key}" for key in keys])
        skip = len(self.county) + 1
        return {document["_id"][skip:]: (document["digest"], document["body"]) for document in documents}

    async def settled_dead_letters(self, ids: Sequence[str]) -> frozenset[str]:
        """Which of these dead letters an operator has replayed or discarded."""
        return frozenset(
            document["_id"] for document in await self.by_ids("dead_letters", ids) if document["state"] != "open"
        )

    async def due(self, kind: str, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        """States whose deadline has come, by id and deadline, earliest first."""
        documents = await self.find(
            collection_of(kind),
            {"due_at": {"$gt": _BEFORE_ALL, "$lte": now}},
            sort=[("due_at", 1)],
            limit=limit,
            fields={"due_at": 1},
        )
        return [(document["_id"], document["due_at"]) for document in documents]

    # --- queries of the services ------------------------------------------------------------------------------------

    async def find(
        self,
        collection: str,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        fields: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        async with translated():
            cursor = self._raw[collection].find({**query, "county": self.county}, fields)
            if sort:
                cursor = cursor.sort(list(sort))
            return await cursor.limit(limit).to_list(None)

    async def each(
        self, collection: str, query: Mapping[str, Any], *, page: int = 1000, fields: Mapping[str, Any] | None = None
    ) -> AsyncIterator[list[Document]]:
        """All matching documents in pages by id, so that memory stays flat however many there are."""
        after: Any = None
        while True:
            clause = {"_id": {"$gt": after}} if after is not None else {}
            documents = await self.find(collection, {**query, **clause}, sort=[("_id", 1)], limit=page, fields=fields)
            if documents:
                yield documents
                after = documents[-1]["_id"]
            if len(documents) < page:
                return

    async def one(self, collection: str, query: Mapping[str, Any]) -> Document | None:
        async with translated():
            return await self._raw[collection].find_one({**query, "county": self.county})

    async def count(self, collection: str, query: Mapping[str, Any]) -> int:
        async with translated():
            return await self._raw[collection].count_documents({**query, "county": self.county})

    async def aggregate(self, collection: str, stages: Sequence[Mapping[str, Any]]) -> list[Document]:
        async with translated():
            cursor = self._raw[collection].aggregate([{"$match": {"county": self.county}}, *stages])
            return await cursor.to_list(None)

    async def write(self, writes: Sequence[Write]) -> None:
        """Writes outside of a unit of work, in one transaction (a rebuild, a grant's audit record)."""
        async with self._database.transaction() as session:
            await self._bulk(writes, session)
        self._database.committed((), _tally(writes))

    async def state(self, model: type[State], id: str) -> Stored | None:
        """One state as stored, or None."""
        document = await self.one(collection_of(model.KIND), {"_id": id})
        return Stored.from_document(model, document) if document else None

    # --- the transaction --------------------------------------------------------------------------------------------

    async def commit(self, unit: Unit) -> int:
        """Write a unit of work, and tell `Database.committed`. Returns the number of outbox documents.

        Raises `Conflict`, `Transient`, and `Permanent` when something in it cannot be written, a new state has the id of another county's
        (`ForeignSubject`), or a dead letter that it settles is settled already.
        """
        order = max([machine_ms(), *(stored.orders[-1] + 1 for stored in unit.states if stored.orders)])
        parcels = list(self._parcels(unit.events, order))
        senders: dict[Subject, list[int]] = defaultdict(list)
        for parcel in parcels:
            for subject in {event.envelope.subject for event in parcel.events}:
                senders[subject].append(parcel.order)
        for stored in unit.states:
            if senders:
                stored.orders = [*stored.orders, *senders.get(stored.state.subject, ())]
        states = _documents(unit.states, self.county)
        books = self._book_keeping(unit)
        try:
            async with self._database.transaction() as session:
                by_subject = {stored.state.subject: stored for stored in unit.states}
                for subject in unit.forgotten:
                    stored = by_subject.get(subject)
                    await self._forget(subject, stored.orders if stored else [], session)
                await self._write_states(states, session)
                if parcels:
                    await self._raw["outbox"].insert_many([parcel.to_document() for parcel in parcels], session=session)
                    await self._raw["unpublished"].insert_many(
                        [parcel.to_mark() for parcel in parcels], session=session
                    )
                await self._bulk(books, session)
                await self._bulk(unit.writes, session)
                await self._resolve(unit.resolutions, session)
        except NameTaken:
            if await self._held_elsewhere(stored for stored in unit.states if stored.version == 0):
                raise ForeignSubject from None
            raise
        except _UNWRITABLE as error:
            raise Permanent("not-storable", type(error).__name__) from error
        written = _tally([*books, *unit.writes])
        written.update((name, "replace" if document["version"] > 1 else "insert") for name, document in states)
        written.update({("outbox", "insert"): len(parcels), ("unpublished", "insert"): len(parcels)})
        self._database.committed(parcels, written)
        return len(parcels)

    async def _held_elsewhere(self, new: Iterable[Stored]) -> bool:
        """Whether one of these has an id under which another county's state lies. The only look beyond the county, and it sees ids."""
        ids: dict[str, list[str]] = defaultdict(list)
        for stored in new:
            ids[collection_of(stored.state.KIND)].append(stored.state.id)
        async with translated():
            for name, some in ids.items():
                for start in range(0, len(some), self._chunk):
                    elsewhere = {"_id": {"$in": some[start : start + self._chunk]}, "county": {"$ne": self.county}}
                    if await self._raw[name].find_one(elsewhere, {"_id": 1}) is not None:
                        return True
        return False

    async def _write_states(self, states: Iterable[tuple[str, Document]], session: AsyncIOMotorClientSession) -> None:
        """A changed state is taken out under the version that was loaded, and put in again, many in one operation.

        To replace it in an operation of its own costs the embedded database twice as much (docs/decisions/replacing-states.md).
        """
        documents: dict[str, list[Document]] = defaultdict(list)
        for name, document in states:
            documents[name].append(document)
        for name, some in documents.items():
            loaded = [document for document in some if document["version"] > 1]
            if loaded:
                result = await self._raw[name].bulk_write(  # pyright: ignore[reportUnknownMemberType]
                    list(self._removals(loaded)), ordered=False, session=session
                )
                if result.deleted_count != len(loaded):
                    raise Conflict(name)
            await self._raw[name].insert_many(some, ordered=False, session=session)

    def _removals(self, documents: Iterable[Document]) -> Iterable[DeleteMany]:
        by_version: dict[int, list[str]] = defaultdict(list)
        for document in documents:
            by_version[document["version"] - 1].append(document["_id"])
        for version, ids in by_version.items():
            for start in range(0, len(ids), REMOVED_AT_ONCE):
                part = {"$in": ids[start : start + REMOVED_AT_ONCE]}
                yield DeleteMany({"_id": part, "county": self.county, "version": version})

    def _book_keeping(self, unit: Unit) -> list[Write]:
        writes = [Write("commands", InsertOne(answer.to_document(self.county))) for answer in unit.answers]
        writes += [
            Write(
                "dead_letters",
                UpdateOne({"_id": dead.id}, {"$setOnInsert": dead.to_document(self.county)}, upsert=True),
            )
            for dead in unit.dead
        ]
        writes += [
            Write(
                "parked", UpdateOne({"_id": parked.id}, {"$setOnInsert": parked.to_document(self.county)}, upsert=True)
            )
            for parked in unit.parked
        ]
        writes += [Write("parked", DeleteOne({"_id": id, "county": self.county})) for id in unit.unparked]
        return writes

    async def _bulk(self, writes: Sequence[Write], session: AsyncIOMotorClientSession) -> None:
        """In this order within a collection: two messages of a slice may write to the same document."""
        operations: dict[str, list[Any]] = defaultdict(list)
        for write in writes:
            operations[write.collection].append(write.operation)
        for name, bulk in operations.items():
            await self._raw[name].bulk_write(bulk, session=session)  # pyright: ignore[reportUnknownMemberType]

    async def _resolve(self, resolutions: Sequence[Resolution], session: AsyncIOMotorClientSession) -> None:
        for resolution in resolutions:
            result = await self._raw["dead_letters"].update_one(
                {"_id": resolution.dead_letter, "county": resolution.county, "state": "open"},
                {"$set": {"state": resolution.state}, "$push": {"audit": dict(resolution.audit)}},
                session=session,
            )
            if result.matched_count == 0:
                raise Permanent("dead-letter-settled")

    def _parcels(self, events: Sequence[Outgoing], order: int) -> Iterable[Parcel]:
        start, size = 0, 0
        for position, event in enumerate(events):
            if position > start and (
                position - start >= EVENTS_PER_DOCUMENT or size + len(event.value) > BYTES_PER_DOCUMENT
            ):
                yield Parcel(self.county, order, events[start:position])
                start, size, order = position, 0, order + 1
            size += len(event.value)
        if events:
            yield Parcel(self.county, order, events[start:])

    async def history(self, model: type[State], id: str, after: int, limit: int = 1000) -> list[Outgoing]:
        """The events sent about a subject with numbers above `after`, in order."""
        stored = await self.state(model, id)
        if stored is None:
            return []
        name = str(stored.state.subject)
        events: list[Outgoing] = []
        for document in await self._outbox_of(stored.orders):
            source = document["events"][0]["type"].split(".")[1]
            events += [
                Outgoing.from_document(source, self.county, event)
                for event in document["events"]
                if event["subject"] == name and event["sequence"] > after
            ]
        events.sort(key=lambda event: event.envelope.sequence)
        return events[:limit]

    async def _outbox_of(
        self, orders: Sequence[int], session: AsyncIOMotorClientSession | None = None
    ) -> list[Document]:
        documents: list[Document] = []
        async with translated():
            for start in range(0, len(orders), self._chunk):
                part = list(orders[start : start + self._chunk])
                cursor = self._raw["outbox"].find({"county": self.county, "order": {"$in": part}}, session=session)
                documents += await cursor.to_list(None)
        return documents

    async def _forget(self, subject: Subject, orders: Sequence[int], session: AsyncIOMotorClientSession) -> None:
        """Empty the subject's history and what is parked, keeping each event's place, and its dead letters."""
        name = str(subject)
        for document in await self._outbox_of(orders, session):
            for event in document["events"]:
                if event["subject"] == name:
                    event["type"], event["value"] = blank_type(event["type"].split(".")[1]), BLANK_VALUE
            await self._raw["outbox"].update_one(
                {"_id": document["_id"], "county": self.county},
                {"$set": {"events": document["events"]}},
                session=session,
            )
        about = {"county": self.county, "subject": name}
        for document in await self._raw["parked"].find(about, session=session).to_list(None):
            record = RawRecord.from_document(document["record"]).blank.to_document()
            await self._raw["parked"].update_one(
                {"_id": document["_id"], "county": self.county}, {"$set": {"record": record}}, session=session
            )
        await self._raw["dead_letters"].update_many(
            about,
            {"$set": {"state": ERASED, **{f"record.{name}": value for name, value in EMPTIED.items()}}},
            session=session,
        )


def _documents(states: Iterable[Stored], county: str) -> list[tuple[str, Document]]:
    """The states with their collections, made before the transaction begins: what cannot be written shows here."""
    documents: list[tuple[str, Document]] = []
    for stored in states:
        try:
            documents.append((collection_of(stored.state.KIND), stored.to_document(county)))
        except Exception as error:
            raise Permanent("not-storable", f"{stored.state.KIND}: {type(error).__name__}") from error
    return documents


_VERB: Final = re.compile("(One|Many)$")


def _tally(writes: Iterable[Write]) -> Counter[tuple[str, str]]:
    """How many operations of each kind on each collection."""
    return Counter((write.collection, _VERB.sub("", type(write.operation).__name__).lower()) for write in writes)


async def _abort(session: AsyncIOMotorClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server ends it by itself; the error that led here is the one to report.
        return


@asynccontextmanager
async def translated() -> AsyncGenerator[None]:
    """Turn the driver's errors into ours. What is neither a conflict nor an absence passes through unchanged."""
    try:
        yield
    except (ConnectionFailure, ConfigurationError) as error:
        raise Transient("database") from error
    except DuplicateKeyError as error:
        raise NameTaken(_taken(error.details)) from error
    except BulkWriteError as error:
        entries = (error.details or {}).get("writeErrors", ())
        codes = {entry.get("code") for entry in entries}
        if _WRITE_CONFLICT in codes or error.has_error_label("TransientTransactionError"):
            raise Conflict("write conflict") from error
        if codes == {_DUPLICATE_KEY}:
            raise NameTaken(_taken(entries[0])) from error
        raise
    except OperationFailure as error:
        if error.code == _WRITE_CONFLICT or error.has_error_label("TransientTransactionError"):
            raise Conflict("write conflict") from error
        if error.has_error_label("RetryableWriteError") or error.has_error_label("UnknownTransactionCommitResult"):
            raise Transient("database") from error
        raise


def _taken(entry: Mapping[str, Any] | None) -> str:
    """The fields of the index that refused a write; never their values."""
    return ", ".join((entry or {}).get("keyPattern", ()))


__all__ = [
    "NOWHERE",
    "Collection",
    "CountyStore",
    "Database",
    "Unit",
    "collection_of",
    "state_collection",
    "translated",
]
