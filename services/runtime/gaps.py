"""Gaps in a subject's sequence are filled from the owner's history.

A record that waits for a predecessor longer than `PATIENCE_SECONDS` (machine time) is a sign that the predecessor was lost on the way:
expired in the topic, or not readable at all. Unless it lies here as a dead letter, its owner is asked for it. An owner that does
not answer, or answers nonsense, holds up the gaps in front of other owners' events no more than a moment.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
from pydantic import BaseModel

from schemas.envelope import Subject
from services.runtime.errors import Transient
from services.runtime.logs import log
from services.runtime.records import Outgoing, RawRecord
from services.runtime.settle import Settler
from services.runtime.store import Database

PATIENCE_SECONDS: Final = 5.0
AT_ONCE: Final = 200


class PastEvent(BaseModel):
    """An event of a history, over HTTP. `value` is base64."""

    headers: list[tuple[str, str]]
    value: str

    @classmethod
    def of(cls, event: Outgoing) -> PastEvent:
        headers = [(name, value.decode()) for name, value in event.envelope.to_headers()]
        return cls(headers=headers, value=base64.b64encode(event.value).decode())

    def record(self, topic: str) -> RawRecord:
        headers = tuple((name, value.encode()) for name, value in self.headers)
        return RawRecord(topic, -1, -1, None, base64.b64decode(self.value), headers)


class History(BaseModel):
    """Answer of ``GET /runtime/history``."""

    events: list[PastEvent]


class GapFiller:
    """Looks for gaps every `PATIENCE_SECONDS`. `peers` are the owners' base URLs, `token` signs this service in there."""

    def __init__(
        self,
        database: Database,
        settler: Settler,
        counties: Sequence[str],
        *,
        peers: Mapping[str, str],
        token: Callable[[str], str | None],
        client: httpx.AsyncClient,
    ) -> None:
        self._database = database
        self._settler = settler
        self._counties = counties
        self._peers = peers
        self._token = token
        self._client = client

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), PATIENCE_SECONDS)
            except TimeoutError:
                try:
                    for county in self._counties:
                        await self.look(county, datetime.now(UTC) - timedelta(seconds=PATIENCE_SECONDS))
                except Transient:
                    continue  # the consumer is in the same world, and says so

    async def look(self, county: str, parked_before: datetime) -> int:
        """Fill the gaps of one county in front of what was parked before that instant. Returns how many events came."""
        filled, after = 0, ""
        while subjects := await self._waiting(county, parked_before, after):
            for name, sources in subjects:
                for source in sources:
                    filled += await self._fill(county, Subject.parse(name), source)
            after = subjects[-1][0]
        return filled

    async def _waiting(self, county: str, parked_before: datetime, after: str) -> list[tuple[str, list[str]]]:
        """A page of the subjects that wait, by name, each with the sources whose events are missing."""
        found = await self._database.county(county).aggregate(
            "parked",
            [
                {"$match": {"subject": {"$gt": after}, "at": {"$lte": parked_before}}},
                {"$group": {"_id": "$subject", "sources": {"$addToSet": "$source"}}},
                {"$sort": {"_id": 1}},
                {"$limit": AT_ONCE},
            ],
        )
        return [(entry["_id"], entry["sources"]) for entry in found]

    async def _fill(self, county: str, subject: Subject, source: str) -> int:
        store = self._database.county(county)
        model = self._settler.logic.kinds.get(subject.kind)
        stored = await store.state(model, subject.id) if model is not None else None
        last = stored.applied.get(source, 0) if stored is not None else 0
        lies_dead = await store.one(
            "dead_letters", {"subject": str(subject), "source": source, "sequence": last + 1, "state": "open"}
        )
        if lies_dead is not None:
            return 0
        try:
            events = await self._ask(county, subject, source, last)
            fetched = [self._settler.reader.read(event.record(f"{source}.events.v1")) for event in events]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("history.failed", exception=error, peer=source)
            return 0
        if fetched:
            await self._settler.settle(store, fetched)
            log.info("history.fetched", events=len(fetched))
        return len(fetched)

    async def _ask(self, county: str, subject: Subject, source: str, after: int) -> list[PastEvent]:
        peer, token = self._peers.get(source), self._token(county)
        if peer is None or token is None:
            return []
        answer = await self._client.get(
            f"{peer}/runtime/history",
            params={"subject": str(subject), "after": after},
            headers={"Authorization": f"Bearer {token}"},
        )
        answer.raise_for_status()
        return History.model_validate_json(answer.content).events
