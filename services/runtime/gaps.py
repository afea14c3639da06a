"""Gaps in a subject's sequence are filled from the owner's history.

A record that waits for a predecessor longer than `PATIENCE_SECONDS` (machine time) is a sign that the predecessor was lost on the way:
expired in the topic, or not readable at all. Its owner is asked for it. An owner that does not answer, or answers nonsense, holds up the
gaps in front of other owners' events no more than a moment.

An event that lies here as a dead letter is for an operator to repair or discard. Its owner is asked too, now and then, but for one thing
only: whether the subject has been forgotten there. Then nothing is left to repair, the letter is emptied, and the erasure, which
waits behind it, takes effect whether or not an operator ever comes.
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

import httpx
from pydantic import BaseModel

from schemas.envelope import Subject
from services.runtime.errors import Conflict, Permanent, Transient
from services.runtime.logs import log
from services.runtime.reading import Fetched, Resolution
from services.runtime.records import ERASED, OPEN, Outgoing, RawRecord, blank_type
from services.runtime.settle import Settler
from services.runtime.store import CountyStore, Database, Unit
from services.runtime.waiting import set_within

PATIENCE_SECONDS: Final = 5.0
AT_ONCE: Final = 200
LETTERS_EVERY: Final = 12
"""One look in so many asks also behind dead letters: for each of them, once a minute."""


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
        self._in_vain: Counter[tuple[str, str]] = Counter()

    async def run(self, stop: asyncio.Event) -> None:
        for turn in count():
            if await set_within(stop, PATIENCE_SECONDS):
                return
            parked_before = datetime.now(UTC) - timedelta(seconds=PATIENCE_SECONDS)
            with suppress(Transient):  # the consumer is in the same world, and says so
                for county in self._counties:
                    await self.look(county, parked_before, letters=turn % LETTERS_EVERY == 0)

    async def look(self, county: str, parked_before: datetime, *, letters: bool) -> int:
        """Fill the gaps of one county in front of what was parked before that instant, and those at which dead letters lie if `letters`.
        Returns how many events came."""
        filled, after = 0, ""
        self._in_vain.clear()
        while subjects := await self._waiting(county, parked_before, after):
            for name, sources in subjects:
                for source in sources:
                    filled += await self._fill(county, Subject.parse(name), source, letters=letters)
            after = subjects[-1][0]
        for (source, reason), number in self._in_vain.items():
            log.warning("history.none", county=county, peer=source, reason=reason, subjects=number)
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

    async def _fill(self, county: str, subject: Subject, source: str, *, letters: bool) -> int:
        store = self._database.county(county)
        model = self._settler.logic.kinds.get(subject.kind)
        stored = await store.state(model, subject.id) if model is not None else None
        last = stored.applied.get(source, 0) if stored is not None else 0
        place = {"subject": str(subject), "source": source, "sequence": last + 1, "state": {"$in": [OPEN, ERASED]}}
        lying = await store.find("dead_letters", place, fields={"state": 1})
        if lying and not letters:
            return 0
        peer, token = self._peers.get(source), self._token(county)
        if peer is None or token is None:
            self._in_vain[source, "no-address" if peer is None else "no-token"] += 1
            return 0
        try:
            events = await self._ask(peer, token, subject, last)
            fetched = [self._settler.reader.read(event.record(f"{source}.events.v1")) for event in events]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("history.failed", exception=error, peer=source)
            return 0
        open_letters: list[str] = [letter["_id"] for letter in lying if letter["state"] == OPEN]
        if open_letters and not (_is_emptied(fetched, last + 1) and await _empty(store, open_letters, source)):
            return 0
        if fetched:
            await self._settler.settle(store, fetched)
            log.info("history.fetched", events=len(fetched))
        elif not lying:
            self._in_vain[source, "not-there"] += 1
        return len(fetched)

    async def _ask(self, peer: str, token: str, subject: Subject, after: int) -> list[PastEvent]:
        answer = await self._client.get(
            f"{peer}/runtime/history",
            params={"subject": str(subject), "after": after},
            headers={"Authorization": f"Bearer {token}"},
        )
        answer.raise_for_status()
        return History.model_validate_json(answer.content).events


def _is_emptied(events: Sequence[Fetched], number: int) -> bool:
    """Whether their owner has emptied the event of this number."""
    first = events[0].envelope if events else None
    return first is not None and first.sequence == number and first.type == blank_type(first.source)


async def _empty(store: CountyStore, letters: Sequence[str], owner: str) -> bool:
    """Keep no more of these dead letters than their owner keeps of the event. False if somebody settled one meanwhile."""
    audit = {"state": ERASED, "by": owner, "reason": "", "at": datetime.now(UTC).isoformat()}
    try:
        await store.commit(Unit(resolutions=[Resolution(store.county, letter, ERASED, audit) for letter in letters]))
    except (Permanent, Conflict):
        return False
    return True
