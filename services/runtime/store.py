"""The database of a service, and each county's part of it: states loaded in few queries, and the services' questions.

What may be relied on:

- A store is opened for one county, and every query and write of it carries that county.
- A unit of work commits as a whole or not at all (`committing.py`).
- `Conflict` means that nothing was written and a fresh load may succeed; `Transient` that the database is away (whether the last commit
  took effect is then unknown: sequences and command keys make the repetition harmless).

motor is imported here alone. What changes on the day it is replaced by PyMongo's own asyncio client is in
docs/decisions.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.runtime.committing import Unit, Writer, write_all
from services.runtime.deciding import State, Subject, Write
from services.runtime.declaring import BEFORE_ALL, OWN, Collection, collection_of, state_collection
from services.runtime.driver_errors import translated
from services.runtime.errors import Conflict
from services.runtime.histories import Histories
from services.runtime.records import Asked, Document, Outgoing, Parcel, RawRecord, Stored
from services.runtime.together import Together

Raw = AsyncIOMotorDatabase[Document]
Session = AsyncIOMotorClientSession

_SNAPSHOT: Final = ReadConcern("snapshot")
"""All reads of a transaction see one instant; with a commit by the majority, one that stays."""
_MAJORITY: Final = WriteConcern("majority")

_NAMESPACE_EXISTS: Final = 48

Committed = Callable[[Sequence[Parcel], Mapping[tuple[str, str], int]], None]
"""Is told after a commit: the parcels that now lie in the outbox, and the number of writes by collection and operation."""


class Database:
    """One service's database. `prepare` makes collections, schemas and indexes; `county` opens a tenant's store.

    `ended` is told how each transaction ended: committed, conflicted or failed.
    """

    def __init__(self, url: str, name: str, load_chunk: int = 40) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url, tz_aware=True, serverSelectionTimeoutMS=3000, connectTimeoutMS=3000, retryWrites=True, w="majority"
        )
        self.raw: Raw = self._client[name]
        self._turn = asyncio.Lock()
        self.committed: Committed = lambda parcels, written: None
        self.ended: Callable[[str], None] = lambda result: None
        self.together = Together(partial(write_all, self))
        self._load_chunk = load_chunk

    def county(self, county: str) -> CountyStore:
        return CountyStore(self, county, self._load_chunk)

    async def prepare(self, collections: Iterable[Collection]) -> None:
        async with translated():
            existing = set(await self.raw.list_collection_names())
            for collection in (*OWN, *collections):
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
    async def transaction(self) -> AsyncGenerator[Session]:
        """All or nothing; what is read is of one instant. Raises `Conflict` or `Transient`: an outcome of the commit that is not known
        is asked for again first."""
        try:
            async with self._transaction() as session:
                yield session
        except Conflict:
            self.ended("conflicted")
            raise
        except BaseException:
            self.ended("failed")
            raise
        self.ended("committed")

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Session]:
        """A transaction that writes: one after the other in a process (docs/decisions/one-writer.md)."""
        async with self._turn, self.transaction() as session:
            yield session

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[Session]:
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
        self._raw = database.raw
        self._chunk = load_chunk
        self._histories = Histories(database.raw, county, load_chunk)
        self._writer = Writer(database, county, self._histories, load_chunk)
        self._together = database.together

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

    async def load_answers(self, keys: Sequence[str]) -> dict[Asked, tuple[str, bytes]]:
        """What was answered before under these keys: digest of the command, and the answer."""
        documents = await self.by_ids("commands", [f"{self.county}/{key}" for key in keys])
        skip = len(self.county) + 1
        return {
            (document["_id"][skip:], int(place)): (one["digest"], one["body"])
            for document in documents
            for place, one in document["answers"].items()
        }

    async def settled_dead_letters(self, ids: Sequence[str]) -> frozenset[str]:
        """Which of these dead letters an operator has replayed or discarded."""
        return frozenset(
            document["_id"] for document in await self.by_ids("dead_letters", ids) if document["state"] != "open"
        )

    async def due(self, kind: str, now: datetime, limit: int) -> list[tuple[str, datetime]]:
        """States whose deadline has come, by id and deadline, earliest first."""
        documents = await self.find(
            collection_of(kind),
            {"due_at": {"$gt": BEFORE_ALL, "$lte": now}},
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
        self,
        collection: str,
        query: Mapping[str, Any],
        *,
        page: int = 1000,
        limit: int = 0,
        fields: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[list[Document]]:
        """All matching documents by id, or the first `limit` of them, in pages, so that memory stays flat however many there are.

        One query with a cursor, not one for each page: for each, the embedded database looks at everything that matches.
        """
        cursor = self._raw[collection].find(
            {**query, "county": self.county}, fields, sort=[("_id", 1)], batch_size=page, limit=limit
        )
        while True:
            async with translated():
                documents = await cursor.to_list(page)
            if not documents:
                return
            yield documents

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

    async def state(self, model: type[State], id: str) -> Stored | None:
        """One state as stored, or None."""
        document = await self.one(collection_of(model.KIND), {"_id": id})
        return Stored.from_document(model, document) if document else None

    async def numbers(self, model: type[State], sources: Iterable[str]) -> tuple[int, dict[str, int]]:
        """How many events were sent about all subjects of a kind, and how many of each source were applied."""
        applied = {source: {"$sum": f"$applied.{source}"} for source in sources}
        stages = [{"$group": {"_id": None, "sent": {"$sum": "$sequence"}, **applied}}]
        for sums in await self.aggregate(collection_of(model.KIND), stages):
            return sums["sent"], {source: sums[source] for source in sources}
        return 0, dict.fromkeys(sources, 0)

    async def history(self, model: type[State], id: str, after: int, limit: int = 1000) -> list[Outgoing]:
        """The events sent about a subject with numbers above `after`, in order."""
        stored = await self.state(model, id)
        return await self._histories.of(stored, after, limit) if stored is not None else []

    # --- writing ----------------------------------------------------------------------------------------------------

    async def commit(self, unit: Unit) -> int:
        """Write a unit of work: see `Writer.commit`."""
        return await self._writer.commit(unit)

    async def write(self, writes: Sequence[Write]) -> None:
        """Writes outside of a unit of work, in one transaction. They rest on nothing that was read: whoever else writes, they are made.
        Others' writes may go with them; what is wrong with those is not told here."""
        await self._together.write(writes)


async def _abort(session: Session) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server ends it by itself; the error that led here is the one to report.
        return


__all__ = ["Collection", "CountyStore", "Database", "Unit", "collection_of", "state_collection"]
