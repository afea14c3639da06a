"""A lease: one holder at a time, so that work is not done twice. It saves work and never guarantees correctness (version guards do).

The holder moves a counter. An observer takes the lease over when the counter has not moved for `TAKEN_OVER_AFTER` seconds of the
observer's own monotonic clock, so that no two machines' clocks are ever compared. A process that starts takes the lease of its own
instance name at once: after a crash there is nothing to wait for. The lease carries an id of the process too, so that of two processes
that go by one name the older one notices that it is not meant any more.
"""

from __future__ import annotations

import time
import uuid
from typing import Final

from services.runtime.driver_errors import translated
from services.runtime.errors import Conflict
from services.runtime.logs import log
from services.runtime.records import Document
from services.runtime.store import Database

TAKEN_OVER_AFTER: Final = 10.0
RENEWED_EVERY: Final = 2.0


class Lease:
    """Call `hold` in each turn of a loop; it talks to the database at most every `RENEWED_EVERY` seconds."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self._leases = database.raw["leases"]
        self._name = name
        self._mine: Document = {"holder": holder, "process": uuid.uuid4().hex}
        self._has_asked = False
        self._lost = False
        self._held = False
        self._asked_at = -RENEWED_EVERY
        self._seen: tuple[int, float] | None = None

    @property
    def held(self) -> bool:
        """As of the last call of `hold`."""
        return self._held

    async def hold(self) -> bool:
        """Whether this instance holds the lease now. Raises `Transient`.

        A holder that has not asked for as long as it takes to lose a lease hears once that it has lost it, even if it can have it back:
        somebody else may have held it meanwhile.
        """
        now = time.monotonic()
        silent = now - self._asked_at
        if self._held and silent >= TAKEN_OVER_AFTER:
            self._held, self._lost = False, True
            return False
        if silent < RENEWED_EVERY:
            return self._held
        had_it = self._held or self._lost
        self._held, self._lost = await self._renew() or await self._take_over(now), False
        self._asked_at = now
        if had_it and not self._held:
            log.warning("outbox.lease-lost")
        return self._held

    async def release(self) -> None:
        """Give it back at a graceful stop, so that another instance goes on at once."""
        if self._held:
            self._held, self._asked_at = False, -RENEWED_EVERY
            async with translated():
                await self._leases.update_one({"_id": self._name, **self._mine}, {"$set": {"holder": None}})

    async def _renew(self) -> bool:
        """Keep it, or take it if nobody holds it or, at the first time, a process did that went by this name before."""
        mine = self._mine if self._has_asked else {"holder": self._mine["holder"]}
        async with translated():
            result = await self._leases.update_one(
                {"_id": self._name, "$or": [mine, {"holder": None}]}, {"$set": self._mine, "$inc": {"counter": 1}}
            )
        self._has_asked = True
        return result.matched_count == 1

    async def _take_over(self, now: float) -> bool:
        async with translated():
            lease = await self._leases.find_one({"_id": self._name})
            if lease is None:
                return await self._create()
            counter = lease["counter"]
            if self._seen is None or self._seen[0] != counter:
                self._seen = (counter, now)
                return False
            if now - self._seen[1] < TAKEN_OVER_AFTER:
                return False
            result = await self._leases.update_one(
                {"_id": self._name, "counter": counter}, {"$set": self._mine, "$inc": {"counter": 1}}
            )
            return result.matched_count == 1

    async def _create(self) -> bool:
        try:
            async with translated():
                await self._leases.insert_one({"_id": self._name, **self._mine, "counter": 1})
        except Conflict:
            return False  # another instance was faster
        return True
