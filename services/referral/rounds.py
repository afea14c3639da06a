"""The round of a county: every need that waits meets every open seat of its kind; what fits best is held.

What may be relied on: a round holds only what the rules find right again at the moment of writing (`placing`), in transactions of at most
200 proposals; after a crash at any point each need is held by exactly one seat or waits. A round may be left out, repeated, or run in two
processes at once.

Once a month what seats were worth is learned from the last half-year before the round (`lookahead`).

One process at a time runs rounds, by lease, because it remembers who waits (`pool`) and must be the one that passed them over. Whoever
comes to hold the lease, and whoever was interrupted, reads everybody once. So does everybody now and then: a process that lost the lease
without knowing it yet may have passed somebody over whom its successor does not know. Offers and agreements are asked for in each round;
those with the version that was seen last are remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from schemas.codes import ServiceKind
from services.referral import store as kept
from services.referral.commands import PassOver, Propose, Taken
from services.referral.directory.states import Partner
from services.referral.hindsight import is_due
from services.referral.lookahead import NO_PRICES, Lesson, Prices, learn
from services.referral.model import ROUND, waiting_for
from services.referral.offers import Offer
from services.referral.pool import Pool
from services.referral.promptness import Promptness
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command
from services.runtime.leases import Lease
from services.runtime.running import Running
from services.runtime.store import CountyStore
from services.runtime.turns import Round

AT_ONCE: Final = 200
MOST_TRIES: Final = 5
"""Whoever lost a seat to somebody else meanwhile is tried again at once, this often; after that in the next round."""
REMEMBERED_SECONDS: Final = 600.0

_EVERYBODY: Final = frozenset((ROUND, *map(waiting_for, ServiceKind)))
_NOT_TAKEN: Final = Taken(done=False).model_dump_json().encode()


def rounds(running: Running) -> Round:
    """The round that the runtime calls for each county."""
    lease = Lease(running.database, "rounds", running.settings.instance)
    return Rounds(running, lease, Promptness.of(running.metrics)).run


@dataclass(frozen=True, slots=True)
class _Remembered:
    pool: Pool
    since: float
    offers: kept.Known[Offer] = field(default_factory=lambda: kept.Known(Offer))
    partners: kept.Known[Partner] = field(default_factory=lambda: kept.Known(Partner))


class Rounds:
    """The rounds of one process. Without a lease it is alone."""

    def __init__(self, running: Running, lease: Lease | None = None, promptness: Promptness | None = None) -> None:
        self._running = running
        self._lease = lease
        self._promptness = promptness or Promptness(lambda _: None, lambda _: None)
        self._remembered: dict[str, _Remembered] = {}
        self._learned: dict[str, tuple[int, int]] = {}
        self._asked: dict[str, tuple[date, Prices]] = {}

    async def run(self, county: str) -> None:
        """One round. Raises `Transient`; nothing is lost by running it again."""
        if not await self._may():
            return
        began = time.monotonic()
        self._promptness.begins(county, self._running.clock.now())
        # What is remembered counts again only when the round came to its end.
        remembered = self._remembered.pop(county, None)
        if remembered is None or time.monotonic() - remembered.since > REMEMBERED_SECONDS:
            remembered = _Remembered(await self._everybody(self._running.store(county)), time.monotonic())
        await self._learn(self._running.store(county))
        for _ in range(MOST_TRIES):
            if await self._all_taken(county, remembered):
                break
        self._remembered[county] = remembered
        self._promptness.ended(time.monotonic() - began)

    async def _may(self) -> bool:
        if self._lease is None or await self._lease.hold():
            return True
        # Somebody else passed people over meanwhile. (Whoever was silent for long is told once that it may have been so.)
        self._remembered.clear()
        return await self._lease.hold()

    async def _everybody(self, store: CountyStore) -> Pool:
        pool = Pool()
        async for case in kept.each_on_agenda(store, _EVERYBODY):
            pool.learn(case)
        return pool

    async def _learn(self, store: CountyStore) -> None:
        """Once in a calendar month, what seats were worth lately."""
        today = berlin_day(self._running.clock.now())
        if self._learned.get(store.county) == (month := (today.year, today.month)):
            return
        if is_due(await kept.last_lesson(store), await kept.begun(store), today):
            told, offers = await kept.history(store, today)
            where = await kept.circumstances(store, today)
            learned = await asyncio.to_thread(lambda: learn(told.periods(offers, where)))
            await kept.keep_lesson(store, Lesson(learned, today))
            self._asked.pop(store.county, None)
        self._learned[store.county] = month

    async def _prices(self, store: CountyStore, today: date) -> Prices:
        day, asked = self._asked.get(store.county, (None, NO_PRICES))
        if day != today:
            asked = await kept.prices_of(store, today)
            self._asked[store.county] = today, asked
        return asked

    async def _all_taken(self, county: str, remembered: _Remembered) -> bool:
        pool = remembered.pool
        store, today = self._running.store(county), berlin_day(self._running.clock.now())
        unsure = frozenset(pool.unsure)
        known = await kept.cases(store, unsure)
        for case in known:
            pool.learn(case)
        async for case in kept.each_on_agenda(store, {ROUND}):
            pool.learn(case)
        offers = await kept.open_offers(store, today, remembered.offers)
        where = await kept.circumstances(store, today, await self._prices(store, today), remembered.partners)
        # In a thread of its own: a large round takes some tenths of a second, in which others are to be answered.
        wanted = await asyncio.to_thread(pool.look, offers, where, county)
        return await self._settle(county, pool, wanted)

    async def _settle(self, county: str, pool: Pool, wanted: Sequence[Propose | PassOver]) -> bool:
        """Settle in chunks, so that others get their turn between. Whether everything was taken."""
        all_taken = True
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            outcomes = await self._running.send_all([Command(county, "", data) for data in some])
            for data, outcome in zip(some, outcomes, strict=True):
                taken = outcome.error is None and outcome.answer != _NOT_TAKEN
                if taken and isinstance(data, Propose) and (since := pool.new_since(data)) is not None:
                    self._promptness.offered(county, since)
                pool.settled(data, taken=taken)
                all_taken = all_taken and taken
        return all_taken
