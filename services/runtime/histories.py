"""What was said about a subject: found by the places that its state lists, told again, and emptied when it is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.runtime.deciding import Subject
from services.runtime.driver_errors import translated
from services.runtime.records import (
    BLANK_VALUE,
    EMPTYING,
    ERASED,
    Document,
    Outgoing,
    RawRecord,
    Stored,
    blank_type,
)

if TYPE_CHECKING:
    from services.runtime.store import Raw, Session


class Histories:
    """Those of one county. The outbox is read in parts of `chunk` documents."""

    def __init__(self, raw: Raw, county: str, chunk: int) -> None:
        self._raw = raw
        self._county = county
        self._chunk = chunk

    async def of(self, stored: Stored, after: int, limit: int) -> list[Outgoing]:
        """The events sent about a subject with numbers above `after`, in order."""
        name = str(stored.state.subject)
        events: list[Outgoing] = []
        for document in await self._outbox_of(stored.orders):
            source = document["events"][0]["type"].split(".")[1]
            events += [
                Outgoing.from_document(source, self._county, event)
                for event in document["events"]
                if event["subject"] == name and event["sequence"] > after
            ]
        events.sort(key=lambda event: event.envelope.sequence)
        return events[:limit]

    async def _outbox_of(self, orders: Sequence[int], session: Session | None = None) -> list[Document]:
        documents: list[Document] = []
        async with translated():
            for start in range(0, len(orders), self._chunk):
                part = list(orders[start : start + self._chunk])
                cursor = self._raw["outbox"].find({"county": self._county, "order": {"$in": part}}, session=session)
                documents += await cursor.to_list(None)
        return documents

    async def forget(self, subject: Subject, orders: Sequence[int], session: Session) -> None:
        """Empty the subject's history and what is parked, keeping each event's place, and its dead letters."""
        name = str(subject)
        for document in await self._outbox_of(orders, session):
            for event in document["events"]:
                if event["subject"] == name:
                    event["type"], event["value"] = blank_type(event["type"].split(".")[1]), BLANK_VALUE
            await self._raw["outbox"].update_one(
                {"_id": document["_id"], "county": self._county},
                {"$set": {"events": document["events"]}},
                session=session,
            )
        about = {"county": self._county, "subject": name}
        for document in await self._raw["parked"].find(about, session=session).to_list(None):
            record = RawRecord.from_document(document["record"]).blank.to_document()
            await self._raw["parked"].update_one(
                {"_id": document["_id"], "county": self._county}, {"$set": {"record": record}}, session=session
            )
        await self._raw["dead_letters"].update_many(
            about,
            {"$set": {"state": ERASED, **EMPTYING}},
            session=session,
        )
