"""A store in memory that passes the same scenarios as the real one (`test_settle.py` holds it to that).

It is for properties over thousands of runs. Documents go through BSON, so that what the database would not take is not taken here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo import InsertOne

from services.runtime.clock import machine_ms
from services.runtime.deciding import State, Subject
from services.runtime.errors import Conflict, NameTaken, Permanent
from services.runtime.reading import Resolution
from services.runtime.records import (
    BLANK_VALUE,
    DISCARDED,
    EMPTIED,
    ERASED,
    OPEN,
    REPLAYED,
    Asked,
    DeadLetter,
    Document,
    Outgoing,
    RawRecord,
    Stored,
    blank_type,
)
from services.runtime.store import Unit, collection_of

LARGEST_DOCUMENT = 16 * 1024 * 1024
"""Bytes, as the database has it."""

_OPTIONS: CodecOptions[Document] = CodecOptions(tz_aware=True)


class MemoryStore:
    """One county. `unique` names for a collection the field that may stand in it once, `required` the one that must be there."""

    def __init__(
        self, county: str, *, unique: Mapping[str, str] | None = None, required: Mapping[str, str] | None = None
    ) -> None:
        self.county = county
        self._unique = unique or {}
        self._required = required or {}
        self.collections: dict[str, dict[str, bytes]] = defaultdict(dict)

    # --- reading ----------------------------------------------------------------------------------------------------

    async def load(self, models: Mapping[str, type[State]], subjects: Iterable[Subject]) -> dict[Subject, Stored]:
        loaded: dict[Subject, Stored] = {}
        for kind, id in subjects:
            model = models[kind]
            document = self._get(collection_of(kind), id)
            loaded[Subject(kind, id)] = (
                Stored.from_document(model, document) if document is not None else Stored(model(id=id))
            )
        return loaded

    async def load_parked(self, subjects: Iterable[Subject]) -> dict[str, RawRecord]:
        names = {str(subject) for subject in subjects}
        return {
            document["_id"]: RawRecord.from_document(document["record"])
            for document in self._all("parked")
            if document["subject"] in names
        }

    async def load_answers(self, keys: Sequence[str]) -> dict[Asked, tuple[str, bytes]]:
        return {
            (document["key"], document["place"]): (document["digest"], document["body"])
            for document in self._all("commands")
            if document["key"] in keys
        }

    async def settled_dead_letters(self, ids: Sequence[str]) -> frozenset[str]:
        found = [document for id in ids if (document := self._get("dead_letters", id)) is not None]
        return frozenset(document["_id"] for document in found if document["state"] != "open")

    async def state(self, model: type[State], id: str) -> Stored | None:
        document = self._get(collection_of(model.KIND), id)
        return Stored.from_document(model, document) if document is not None else None

    async def history(self, model: type[State], id: str, after: int, limit: int = 1000) -> list[Outgoing]:
        name = f"{model.KIND}/{id}"
        events = [
            Outgoing.from_document("bank", self.county, event)
            for document in self._all("outbox")
            for event in document["events"]
            if event["subject"] == name and event["sequence"] > after
        ]
        return sorted(events, key=lambda event: event.envelope.sequence)[:limit]

    async def find(self, collection: str, query: Mapping[str, Any]) -> list[Document]:
        return [
            document
            for document in self._all(collection)
            if all(document.get(name) == value for name, value in query.items())
        ]

    # --- writing ----------------------------------------------------------------------------------------------------

    async def commit(self, unit: Unit) -> int:
        """All or nothing."""
        before = {name: dict(documents) for name, documents in self.collections.items()}
        try:
            self._write(unit)
        except BaseException:
            self.collections = defaultdict(dict, before)
            raise
        return 1 if unit.events else 0

    def _write(self, unit: Unit) -> None:
        for subject in unit.forgotten:
            self._forget(subject)
        for stored in unit.states:
            self._write_state(stored)
        if unit.events:
            order = machine_ms()
            events = [event.to_document() for event in unit.events]
            self._insert("outbox", {"_id": unit.events[0].envelope.id, "order": order, "events": events})
        for answer in unit.answers:
            asked = {"key": answer.key, "place": answer.place}
            self._insert("commands", {"_id": f"{answer.key}/{answer.place}"} | asked | answer.to_document())
        for dead in unit.dead:
            self._bury(dead)
        for parked in unit.parked:
            if self._get("parked", parked.id) is None:
                self._put("parked", {"_id": parked.id, **parked.to_document(self.county)})
        for id in unit.unparked:
            self.collections["parked"].pop(id, None)
        for write in unit.writes:
            assert isinstance(write.operation, InsertOne)
            self._insert(write.collection, write.operation._doc)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportUnknownArgumentType]
        for resolution in unit.resolutions:
            self._resolve(resolution)

    def _resolve(self, resolution: Resolution) -> None:
        document = self._get("dead_letters", resolution.dead_letter)
        if document is None or document["state"] != OPEN:
            raise Permanent("dead-letter-settled")
        document |= {"state": resolution.state, "audit": [*document["audit"], dict(resolution.audit)]}
        if resolution.state != REPLAYED:
            document["record"] |= EMPTIED
        self._put("dead_letters", document)

    def _bury(self, dead: DeadLetter) -> None:
        document = {"_id": dead.id_in(self.county), **dead.to_document(self.county)}
        there = self._get("dead_letters", document["_id"])
        if there is None:
            self._put("dead_letters", document | {"audit": []})
        elif dead.envelope is not None and there["state"] in (REPLAYED, DISCARDED):
            self._put("dead_letters", there | document)

    def _write_state(self, stored: Stored) -> None:
        name = collection_of(stored.state.KIND)
        there = self._get(name, stored.state.id)
        if (there["version"] if there is not None else 0) != stored.version:
            raise Conflict(name)
        try:
            self._put(name, stored.to_document(self.county))
        except (BSONError, OverflowError) as error:
            raise Permanent("not-storable", type(error).__name__) from error

    def _forget(self, subject: Subject) -> None:
        for document in self._all("outbox"):
            for event in document["events"]:
                if event["subject"] == str(subject):
                    event |= {"type": blank_type("bank"), "value": BLANK_VALUE}
            self._put("outbox", document)
        for document in self._all("parked"):
            if document["subject"] == str(subject):
                record = RawRecord.from_document(document["record"]).blank.to_document()
                self._put("parked", document | {"record": record})
        for document in self._all("dead_letters"):
            if document.get("subject") == str(subject):
                self._put("dead_letters", document | {"state": ERASED, "record": document["record"] | EMPTIED})

    def _insert(self, collection: str, document: Mapping[str, Any]) -> None:
        if collection in self._required and self._required[collection] not in document:
            raise Permanent("not-storable", collection)
        field = self._unique.get(collection, "_id")
        if any(other[field] == document[field] for other in self._all(collection)):
            raise NameTaken(field)
        self._put(collection, document)

    # --- documents --------------------------------------------------------------------------------------------------

    def _put(self, collection: str, document: Mapping[str, Any]) -> None:
        encoded = bson.encode(document)
        if len(encoded) > LARGEST_DOCUMENT:
            raise Permanent("not-storable", collection)
        self.collections[collection][document["_id"]] = encoded

    def _get(self, collection: str, id: str) -> Document | None:
        found = self.collections[collection].get(id)
        return bson.decode(found, _OPTIONS) if found is not None else None

    def _all(self, collection: str) -> list[Document]:
        return [bson.decode(found, _OPTIONS) for found in list(self.collections[collection].values())]
