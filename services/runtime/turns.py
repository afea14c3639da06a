"""What time and change bring about: deadlines that have come, and rounds.

One loop does both, in turns: first every due state is decided, in pages along the index of deadlines; then the service's round, if it
has one, runs for each county. With real time a turn comes every second; it leaves the round out if nothing was committed here since the
last one, but not for more than five seconds. With virtual time a turn comes only when the clock was moved, so that a simulated year does
not depend on the machine's speed. Nothing here sleeps until a business time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from services.runtime.clock import Clock
from services.runtime.deciding import Due, State, Subject
from services.runtime.errors import Transient
from services.runtime.settle import Result, Settler
from services.runtime.store import Database
from services.runtime.waiting import set_within

PAGE: Final = 200

ROUND_AFTER: Final = 5
"""Turns after which there is a round although nothing was committed here: another process may have."""

Round = Callable[[str], Awaitable[object]]
"""A service's own round over one county."""


class Turns:
    """Runs turns until stopped. `done_to` is the business time up to which everything has been done."""

    def __init__(
        self,
        settler: Settler,
        database: Database,
        clock: Clock,
        counties: Sequence[str],
        *,
        round: Round | None = None,
        stepped: bool = False,
        interval: float = 1.0,
        swept: Callable[[int, int], None] = lambda decided, failed: None,
        turned: Callable[[Transient | None], None] = lambda error: None,
    ) -> None:
        self._settler = settler
        self._database = database
        self._clock = clock
        self._counties = counties
        self.round = round
        self._stepped = stepped
        self._interval = interval
        self._swept = swept
        self._turned = turned
        self._woken = asyncio.Event()
        self.done_to: datetime | None = None

    def changed(self) -> None:
        """Something was committed: with real time, a round is worth while."""
        if not self._stepped and self.round is not None:
            self._woken.set()

    def moved(self) -> None:
        """The virtual clock was moved."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        quiet_turns = -1  # the first turn is a whole one
        while not stop.is_set():
            quiet_turns = 0 if self._stepped or self._woken.is_set() else quiet_turns + 1
            self._woken.clear()
            began = time.monotonic()
            try:
                await self.turn(with_round=quiet_turns % ROUND_AFTER == 0)
            except Transient as error:
                self._turned(error)
                self._woken.set()
                await asyncio.sleep(0.25)
                continue
            self._turned(None)
            await self._rest(began, stop)

    async def _rest(self, began: float, stop: asyncio.Event) -> None:
        """Until the next turn."""
        while not stop.is_set() and not (self._woken.is_set() if self._stepped else self._left(began) == 0):
            if self._stepped:
                self._turned(None)
                await set_within(self._woken, 0.25)
            else:
                await set_within(stop, min(0.25, self._left(began)))

    def _left(self, began: float) -> float:
        return max(0.0, began + self._interval - time.monotonic())

    async def turn(self, *, with_round: bool = True) -> None:
        """One turn over all counties. Raises `Transient`; nothing is lost by doing it again."""
        now = self._clock.now()
        for county in self._counties:
            await self._sweep(county, now)
            if self.round is not None and with_round:
                await self.round(county)
        self.done_to = now

    async def _sweep(self, county: str, now: datetime) -> None:
        store = self._database.county(county)
        for model in self._settler.logic.states:
            if model.due_at is State.due_at:
                continue
            handled: dict[str, datetime] = {}
            stuck: set[str] = set()
            while fresh := [one for one in await store.due(model.KIND, now, PAGE + len(stuck)) if one[0] not in stuck]:
                outcomes = await self._settler.settle(store, [Due(Subject(model.KIND, id)) for id, _ in fresh])
                failed = {
                    id for (id, _), outcome in zip(fresh, outcomes, strict=True) if outcome.result is Result.FAILED
                }
                # A state may have many deadlines behind it. One that fails, or comes no further, is left for the next turn.
                stuck |= failed | {id for id, at in fresh if id in handled and at <= handled[id]}
                handled.update(fresh)
                self._swept(len(fresh) - len(failed), len(failed))
                self._turned(None)  # each page is progress
