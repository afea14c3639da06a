"""One transaction for everything that a batch changes.

A unit of work commits as a whole or not at all: changed states (each only if its version is still the loaded one), outgoing events as
outbox documents in an order that follows every earlier event of the same states, dead letters, parked records, answers to commands,
and the service's own writes. Nothing is caught inside the transaction.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pymongo import DeleteMany, DeleteOne, UpdateOne

from services.runtime.clock import machine_ms
from services.runtime.contention import insist
from services.runtime.deciding import Subject, Write
from services.runtime.declaring import collection_of
from services.runtime.driver_errors import UNWRITABLE, translated
from services.runtime.errors import Conflict, ForeignSubject, NameTaken, Permanent
from services.runtime.histories import Histories
from services.runtime.reading import Resolution
from services.runtime.records import (
    DISCARDED,
    EMPTYING,
    NOWHERE,
    OPEN,
    REPLAYED,
    Answer,
    DeadLetter,
    Document,
    Outgoing,
    Parcel,
    Parked,
    Stored,
)

if TYPE_CHECKING:
    from services.runtime.store import Database, Raw, Session

EVENTS_PER_DOCUMENT: Final = 1000
BYTES_PER_DOCUMENT: Final = 4 * 1024 * 1024
REMOVED_AT_ONCE: Final = 25
"""States that one operation takes out. The embedded database compares each of them with the whole list."""


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


class Writer:
    """Writes to one county's part of a database, in transactions."""

    def __init__(self, database: Database, county: str, histories: Histories, chunk: int) -> None:
        self._database = database
        self._raw = database.raw
        self._county = county
        self._histories = histories
        self._chunk = chunk

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
        states = _documents(unit.states, self._county)
        books = self._book_keeping(unit)
        try:
            async with self._database.writing() as session:
                by_subject = {stored.state.subject: stored for stored in unit.states}
                for subject in unit.forgotten:
                    stored = by_subject.get(subject)
                    await self._histories.forget(subject, stored.orders if stored else [], session)
                await self._write_states(states, session)
                if parcels:
                    await self._raw["outbox"].insert_many([parcel.to_document() for parcel in parcels], session=session)
                    await self._raw["unpublished"].insert_many(
                        [parcel.to_mark() for parcel in parcels], session=session
                    )
                await _bulk(self._raw, books, session)
                await _bulk(self._raw, unit.writes, session)
                await self._resolve(unit.resolutions, session)
        except NameTaken:
            if await self._held_elsewhere(stored for stored in unit.states if stored.version == 0):
                raise ForeignSubject from None
            raise
        except UNWRITABLE as error:
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
                    elsewhere = {"_id": {"$in": some[start : start + self._chunk]}, "county": {"$ne": self._county}}
                    if await self._raw[name].find_one(elsewhere, {"_id": 1}) is not None:
                        return True
        return False

    async def _write_states(self, states: Iterable[tuple[str, Document]], session: Session) -> None:
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
                yield DeleteMany({"_id": part, "county": self._county, "version": version})

    def _book_keeping(self, unit: Unit) -> list[Write]:
        writes = [*self._answers(unit.answers)]
        for dead in unit.dead:
            writes += self._letter(dead)
        for parked in unit.parked:
            place = {"_id": parked.id, "county": self._county}
            waits = {"$setOnInsert": parked.to_document(self._county)}
            writes.append(Write("parked", UpdateOne(place, waits, upsert=True)))
        writes += [Write("parked", DeleteOne({"_id": id, "county": self._county})) for id in unit.unparked]
        return writes

    def _answers(self, answers: Sequence[Answer]) -> Iterable[Write]:
        """One document for all that was asked under one key. Where somebody else was answered meanwhile, the key is a taken name."""
        by_key: dict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            by_key[answer.key].append(answer)
        for key, some in by_key.items():
            kept = {f"answers.{answer.place}": answer.to_document() for answer in some}
            place = {"_id": f"{self._county}/{key}", "county": self._county}
            unanswered = {name: {"$exists": False} for name in kept}
            first = {"$setOnInsert": {"at": datetime.now(UTC)}}
            yield Write("commands", UpdateOne(place | unanswered, {"$set": kept} | first, upsert=True))

    def _letter(self, dead: DeadLetter) -> Iterable[Write]:
        """Delivered again, a dead letter stays as it lies. One that was settled, and whose record could not be applied all the same, is
        open again, since its number is; but not one that lies in nobody's sequence, and not one whose subject was forgotten."""
        place = {"_id": dead.id_in(self._county), "county": self._county}
        document = dead.to_document(self._county)
        if dead.envelope is not None:
            settled = {**place, "state": {"$in": [REPLAYED, DISCARDED]}}
            yield Write("dead_letters", UpdateOne(settled, {"$set": document}))
        yield Write("dead_letters", UpdateOne(place, {"$setOnInsert": {**document, "audit": []}}, upsert=True))

    async def _resolve(self, resolutions: Sequence[Resolution], session: Session) -> None:
        for resolution in resolutions:
            # Nobody needs any more what is given up; and where no subject is known, no erasure would ever find it.
            emptying = EMPTYING if resolution.state != REPLAYED or resolution.county == NOWHERE else {}
            result = await self._raw["dead_letters"].update_one(
                {"_id": resolution.dead_letter, "county": resolution.county, "state": OPEN},
                {"$set": {"state": resolution.state, **emptying}, "$push": {"audit": dict(resolution.audit)}},
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
                yield Parcel(self._county, order, events[start:position])
                start, size, order = position, 0, order + 1
            size += len(event.value)
        if events:
            yield Parcel(self._county, order, events[start:])


async def write_all(database: Database, writes: Sequence[Write]) -> None:
    """Writes outside of a unit of work, in one transaction, whoever else writes; and tell `Database.committed`."""

    async def once() -> None:
        async with database.writing() as session:
            await _bulk(database.raw, writes, session)

    await insist(once)
    database.committed((), _tally(writes))


async def _bulk(raw: Raw, writes: Sequence[Write], session: Session) -> None:
    """In this order within a collection: two messages of a slice may write to the same document."""
    operations: dict[str, list[Any]] = defaultdict(list)
    for write in writes:
        operations[write.collection].append(write.operation)
    for name, bulk in operations.items():
        await raw[name].bulk_write(bulk, session=session)  # pyright: ignore[reportUnknownMemberType]


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
