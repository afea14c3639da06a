"""The round of a county: every need that waits meets every open seat of its kind; what fits best is held.

What may be relied on: a round proposes only what the rules find right again at the moment of writing (`placing`), in transactions of
at most 200 proposals; after a crash at any point each need is held by exactly one seat or waits. A round may be left out, repeated, or run
in two processes at once: what it remembers from the last one (`pool`) only saves reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from schemas.codes import ServiceKind
from services.referral import store as kept
from services.referral.commands import PassOver, Placed, Propose
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances
from services.referral.matching import match
from services.referral.model import ROUND, waiting_for
from services.referral.pool import Board, Pool, board_of, stirred
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command
from services.runtime.running import Running
from services.runtime.store import CountyStore
from services.runtime.turns import Round

AT_ONCE: Final = 200
MOST_TRIES: Final = 5
"""Whoever lost a seat to somebody else meanwhile is tried again at once, this often; after that in the next round."""

_LOST: Final = Placed(held=False).model_dump_json().encode()


def rounds(running: Running) -> Round:
    """The round that the runtime calls for each county."""
    return Rounds(running).run


class Rounds:
    """The rounds of one process."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._seen: dict[str, Board] = {}

    async def run(self, county: str) -> None:
        """One round. Raises `Transient`; nothing is lost by running it again."""
        for _ in range(MOST_TRIES):
            if not await self._lost_some(county):
                return

    async def _lost_some(self, county: str) -> bool:
        store, today = self._running.store(county), berlin_day(self._running.clock.now())
        offers = await kept.open_offers(store, today)
        board = board_of(offers, today)
        pool = await _pool(store, stirred(self._seen.get(county), board, offers))
        where = Circumstances(settings_of(county, today), today)
        # In a thread of its own: a large round takes some tenths of a second, in which others are to be answered.
        matching = await asyncio.to_thread(match, pool.seekers, offers, where, county)
        lost = await self._settle(county, pool.commands(matching))
        self._seen[county] = board
        return lost

    async def _settle(self, county: str, wanted: Sequence[Propose | PassOver]) -> bool:
        """Settle in chunks, so that others get their turn between. True when somebody lost a seat meanwhile."""
        lost = False
        for start in range(0, len(wanted), AT_ONCE):
            commands = [Command(county, "", data) for data in wanted[start : start + AT_ONCE]]
            outcomes = await self._running.send_all(commands)
            lost = lost or any(outcome.answer == _LOST for outcome in outcomes)
        return lost


async def _pool(store: CountyStore, stirred: frozenset[ServiceKind]) -> Pool:
    pool = Pool()
    async for cases in kept.each_on_agenda(store, {ROUND, *map(waiting_for, stirred)}):
        for case in cases:
            pool.add(case, stirred)
    return pool
