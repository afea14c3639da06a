"""The outbox relay: what was committed reaches the broker, at least once, and what one instance committed in order.

An outbox document holds the events of one transaction; beside it lies a small mark that it is unpublished (taking a mark away costs
nothing, writing into a document of 500 events does). What this process has committed is handed to the relay as it is, while it keeps up;
everything else it finds by the marks, by `order` (never "after the last one", since a later order may commit earlier). A partition on which
a send fails gets nothing more in this pass, while the others go on; the mark goes when the broker has acknowledged all of the document. A
crash at any point sends some events again, which the readers skip by their numbers.

What one instance commits is sent in order. An event of the sending instance may overtake one that another instance committed about the same
subject up to `poll` seconds before: the readers park it for that long. Who loses the lease forgets what it was handed: it may have been
emptied when the lease comes back.

Published documents stay: they are the service's history. `send_again` sends all of it, in order, before anything new; that is how a
broker that forgets its log at a restart is filled again (one setting), and what an operator asks for on one that does not.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Protocol

from services.runtime.clock import machine_ms
from services.runtime.driver_errors import translated
from services.runtime.errors import Transient
from services.runtime.leases import Lease
from services.runtime.logs import log
from services.runtime.records import Document, Outgoing, Parcel
from services.runtime.store import Database
from services.runtime.waiting import set_within

WINDOW: Final = 32
"""Outbox documents in flight at a time, and handed over at most without being read back."""

_REFILL: Final = "refill"


class Publisher(Protocol):
    """Sends events to the broker."""

    async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
        """For each event whether the broker acknowledged it. Nothing is sent to the `broken` partitions; a partition on which
        a send fails is added to them."""
        ...


class Relay:
    """One relay per service at a time, by lease. `take` and `wake` make it act at once; otherwise it looks every `poll` seconds."""

    def __init__(
        self,
        database: Database,
        source: str,
        publisher: Publisher,
        lease: Lease,
        *,
        poll: float = 0.25,
        published: Callable[[int, float], None] = lambda events, seconds: None,
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
        self._handed: list[Parcel] = []
        self._behind = True
        self._sending = False
        self._acknowledged: dict[str, set[int]] = {}
        self._look_at = 0.0
        self._look_for_refill_at = 0.0

    def wake(self) -> None:
        """Look at what is marked, at once."""
        self._look_at = 0.0
        self._woken.set()

    def take(self, parcels: Sequence[Parcel]) -> None:
        """What was just committed here is sent without being read back, if there is not too much of it and nothing older waits.

        Whatever is not kept in memory is found by its mark.
        """
        if not parcels:
            return
        if self._behind or not self._lease.held or len(self._handed) + len(parcels) > WINDOW:
            self._behind = True
        else:
            self._handed += parcels
        self._woken.set()

    async def send_again(self) -> None:
        """Send the whole history again. Survives a crash: it is finished by whoever holds the lease then."""
        await self._database.set_meta(_REFILL, wanted=str(uuid.uuid4()))
        self._look_for_refill_at = 0.0
        self.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: what is committed before it is still sent, if the broker answers."""
        while True:
            stopping = stop.is_set()
            self._woken.clear()
            try:
                await self.act()
                if stopping:
                    await self._lease.release()
                    return
                self._turned(None)
            except Transient as error:
                if stopping:
                    return
                self._turned(error)
            await set_within(self._woken, self._poll)

    async def act(self) -> None:
        """A turn, if this instance holds the lease. Raises `Transient`."""
        if await self._lease.hold():
            await self.turn()
        else:
            self._forget_handed()
            self._acknowledged.clear()

    async def turn(self) -> None:
        """Send what waits. Raises `Transient` when the broker did not take all of it."""
        self._sending = True
        try:
            wanted = await self._refill_wanted()
            if wanted is not None:
                self._acknowledged.clear()  # by a log that is to be filled anew
                await self._send_all(self._history())
                # A request that came meanwhile is another one, and stays.
                await self._database.change_meta(_REFILL, {"wanted": wanted}, wanted=None)
                log.info("outbox.refilled")
            await self._send_handed()
            if self._behind or time.monotonic() >= self._look_at:
                # What is committed from now on may be handed over again: whatever was not, lies below with its mark.
                self._behind = False
                await self._send_all(self._marked())
                self._look_at = time.monotonic() + self._poll
        except BaseException:
            self._forget_handed()
            raise
        finally:
            self._sending = False

    def _forget_handed(self) -> None:
        """All of it is found by its marks, if it is still to be sent, and as it is then."""
        self._handed, self._behind = [], True

    async def waiting(self) -> int:
        """Documents that wait. Costs nothing while this process sends for the service and has sent all that it committed."""
        if self._lease.held and not (self._handed or self._behind or self._sending):
            return 0
        return (await self.depth())[0]

    async def depth(self) -> tuple[int, float]:
        """Documents that wait, and the age in seconds of the oldest."""
        async with translated():
            waiting = await self._unpublished.count_documents({})
            oldest = await self._unpublished.find({}).sort("order", 1).limit(1).to_list(1)
        return waiting, max(0.0, (machine_ms() - oldest[0]["order"]) / 1000) if oldest else 0.0

    async def _refill_wanted(self) -> object | None:
        """Which request for the history is open, if one is. Looked up rarely: whoever asks this instance resets the time, and another
        instance's request can wait a second."""
        now = time.monotonic()
        if now < self._look_for_refill_at:
            return None
        refill = await self._database.meta(_REFILL)
        if refill is not None and refill["wanted"]:
            return refill["wanted"]
        self._look_for_refill_at = now + 1.0
        return None

    # --- what is to be sent -----------------------------------------------------------------------------------------

    async def _send_handed(self) -> None:
        broken: set[int] = set()
        while self._handed:
            parcels, self._handed = sorted(self._handed, key=_place), []
            if not await self._send(parcels, broken):
                raise Transient("broker")

    async def _send_all(self, windows: AsyncIterator[list[Parcel]]) -> None:
        """Once through all of them, whatever fails meanwhile; then `Transient` if something did."""
        complete = True
        broken: set[int] = set()
        async for parcels in windows:
            await self._lease.hold()  # kept up during a long history
            complete &= await self._send(parcels, broken)
            sent = {parcel.id for parcel in parcels}
            self._handed = [parcel for parcel in self._handed if parcel.id not in sent]
        if not complete:
            raise Transient("broker")

    async def _marked(self) -> AsyncIterator[list[Parcel]]:
        """What is marked as unpublished, in windows, by order."""
        after: tuple[int, str] | None = None
        while True:
            clause: Document = {}
            if after is not None:
                order, id = after
                clause = {"order": {"$gte": order}, "$or": [{"order": {"$gt": order}}, {"_id": {"$gt": id}}]}
            async with translated():
                cursor = self._unpublished.find(clause).sort([("order", 1), ("_id", 1)]).limit(WINDOW)
                marks = await cursor.to_list(None)
            if not marks:
                return
            after = (marks[-1]["order"], marks[-1]["_id"])
            yield await self._parcels({"_id": {"$in": [mark["_id"] for mark in marks]}})

    async def _history(self) -> AsyncIterator[list[Parcel]]:
        """Everything that was ever sent, in windows, by order.

        The orders are listed once: the embedded database reads all that a query matches, whatever its limit.
        """
        async with translated():
            orders = array("q", sorted({entry["order"] async for entry in self._outbox.find({}, {"order": 1})}))
        for start in range(0, len(orders), WINDOW):
            yield await self._parcels({"order": {"$in": list(orders[start : start + WINDOW])}})

    async def _parcels(self, query: Document) -> list[Parcel]:
        async with translated():
            documents = await self._outbox.find(query).to_list(None)
        return sorted((Parcel.from_document(self._source, document) for document in documents), key=_place)

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _send(self, parcels: Sequence[Parcel], broken: set[int]) -> bool:
        """True when the broker has acknowledged all of them."""
        places = [
            (parcel, position)
            for parcel in parcels
            for position in range(len(parcel.events))
            if position not in self._acknowledged.get(parcel.id, ())
        ]
        began = time.monotonic()
        results = await self._publisher.publish([parcel.events[position] for parcel, position in places], broken)
        self._published(sum(results), time.monotonic() - began)
        missing = {parcel.id for (parcel, _), acknowledged in zip(places, results, strict=True) if not acknowledged}
        for (parcel, position), acknowledged in zip(places, results, strict=True) if missing else ():
            if acknowledged and parcel.id in missing:
                self._acknowledged.setdefault(parcel.id, set()).add(position)
        await self._mark([parcel.id for parcel in parcels if parcel.id not in missing])
        if not missing:
            self._turned(None)  # a long history takes long to send; each window is progress
        return not missing

    async def _mark(self, ids: Sequence[Any]) -> None:
        if ids:
            async with translated():
                await self._unpublished.delete_many({"_id": {"$in": list(ids)}})
            for id in ids:
                self._acknowledged.pop(id, None)


def _place(parcel: Parcel) -> tuple[int, str]:
    return parcel.order, parcel.id
