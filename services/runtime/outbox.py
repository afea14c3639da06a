"""The outbox relay: what was committed reaches the broker, in order, at least once.

An outbox document holds the events of one transaction; beside it lies a small mark that it is unpublished (taking a mark away costs
nothing, writing into a document of 500 events does). The relay reads the marked ones by their `order` (never "after the last one", since a
later order may commit earlier) and sends them; a partition on which a send fails gets nothing more in this pass, while the
others go on; the mark goes when the broker has acknowledged all of the document. A crash at any point sends some events again, which the
readers skip by their numbers.

Published documents stay: they are the service's history. `send_again` sends all of it, in order, before anything new; that is how a
broker that forgets its log at a restart is filled again (one setting), and what an operator asks for on one that does not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from services.runtime.clock import machine_ms
from services.runtime.errors import Transient
from services.runtime.leases import Lease
from services.runtime.logs import log
from services.runtime.records import Document, Outgoing
from services.runtime.store import Database, translated

WINDOW: Final = 32
"""Outbox documents in flight at a time."""

_REFILL: Final = "refill"


class Publisher(Protocol):
    """Sends events to the broker."""

    async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
        """For each event whether the broker acknowledged it. Nothing is sent to the `broken` partitions; a partition on which
        a send fails is added to them."""
        ...


class Relay:
    """One relay per service at a time, by lease. `wake` makes it look at once; otherwise it looks every `poll` seconds."""

    def __init__(
        self,
        database: Database,
        source: str,
        publisher: Publisher,
        lease: Lease,
        *,
        poll: float = 0.25,
        published: Callable[[int], None] = lambda events: None,
        turned: Callable[[Transient | None], None] = lambda error: None,
    ) -> None:
        self._database = database
        self._outbox = database.raw["outbox"]
        self._unpublished = database.raw["unpublished"]
        self._source = source
        self._publisher = publisher
        self._lease = lease
        self._poll = poll
        self._published = published
        self._turned = turned
        self._woken = asyncio.Event()
        self._acknowledged: dict[str, set[int]] = {}
        self._look_for_refill_at = 0.0

    def wake(self) -> None:
        self._woken.set()

    async def send_again(self) -> None:
        """Send the whole history again. Survives a crash: it is finished by whoever holds the lease then."""
        await self._database.set_meta(_REFILL, wanted=True)
        self._look_for_refill_at = 0.0
        self.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: what is committed before it is still sent, if the broker answers."""
        while True:
            stopping = stop.is_set()
            self._woken.clear()
            try:
                if await self._lease.hold():
                    await self.turn()
                if stopping:
                    await self._lease.release()
                    return
                self._turned(None)
            except Transient as error:
                if stopping:
                    return
                self._turned(error)
            try:
                await asyncio.wait_for(self._woken.wait(), self._poll)
            except TimeoutError:
                continue

    async def turn(self) -> None:
        """Send what waits. Raises `Transient` when the broker did not take all of it."""
        if await self._refill_wanted():
            if not await self._pass(everything=True):
                raise Transient("broker")
            await self._database.set_meta(_REFILL, wanted=False)
            log.info("outbox.refilled")
        if not await self._pass(everything=False):
            raise Transient("broker")

    async def depth(self) -> tuple[int, float]:
        """Documents that wait, and the age in seconds of the oldest."""
        async with translated():
            waiting = await self._unpublished.count_documents({})
            oldest = await self._unpublished.find({}).sort("order", 1).limit(1).to_list(1)
        return waiting, max(0.0, (machine_ms() - oldest[0]["order"]) / 1000) if oldest else 0.0

    async def _refill_wanted(self) -> bool:
        """Looked up rarely: whoever asks this instance resets the time, and another instance's request can wait a second."""
        now = time.monotonic()
        if now < self._look_for_refill_at:
            return False
        refill = await self._database.meta(_REFILL)
        if refill is not None and refill["wanted"]:
            return True
        self._look_for_refill_at = now + 1.0
        return False

    async def _pass(self, *, everything: bool) -> bool:
        """Once through the documents that wait (or all of them) in order. True when every one of them was acknowledged."""
        complete = True
        broken: set[int] = set()
        after: tuple[int, str] | None = None
        while True:
            documents = await self._window(after, everything=everything)
            if not documents:
                return complete
            last = documents[-1]
            after = (last["order"], last["_id"])
            complete &= await self._send(documents, broken)

    async def _window(self, after: tuple[int, str] | None, *, everything: bool) -> list[Document]:
        clause: Document = {}
        if after is not None:
            order, id = after
            clause = {"order": {"$gte": order}, "$or": [{"order": {"$gt": order}}, {"_id": {"$gt": id}}]}
        places = [("order", 1), ("_id", 1)]
        async with translated():
            if everything:
                return await self._outbox.find(clause).sort(places).limit(WINDOW).to_list(None)
            marks = await self._unpublished.find(clause).sort(places).limit(WINDOW).to_list(None)
            if not marks:
                return []
            documents = await self._outbox.find({"_id": {"$in": [mark["_id"] for mark in marks]}}).to_list(None)
        return sorted(documents, key=lambda document: (document["order"], document["_id"]))

    async def _send(self, documents: Sequence[Document], broken: set[int]) -> bool:
        places: list[tuple[str, int]] = []
        events: list[Outgoing] = []
        for document in documents:
            done = self._acknowledged.get(document["_id"], ())
            for position, event in enumerate(document["events"]):
                if position not in done:
                    places.append((document["_id"], position))
                    events.append(Outgoing.from_document(self._source, document["county"], event))
        results = await self._publisher.publish(events, broken)
        missing: set[str] = set()
        for (id, position), acknowledged in zip(places, results, strict=True):
            if acknowledged:
                self._acknowledged.setdefault(id, set()).add(position)
            else:
                missing.add(id)
        finished = [document["_id"] for document in documents if document["_id"] not in missing]
        await self._mark(finished)
        self._published(sum(results))
        self._turned(None)  # a long history takes long to send; each window is progress
        return not missing

    async def _mark(self, ids: Sequence[Any]) -> None:
        if ids:
            async with translated():
                await self._unpublished.delete_many({"_id": {"$in": list(ids)}})
            for id in ids:
                self._acknowledged.pop(id, None)
