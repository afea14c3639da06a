"""Writes that rest on nothing that was read are made together: those that come while a transaction is running go into the next one.

The same as the desk does for commands (`desk.py`). Whoever is alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.runtime.deciding import Write
from services.runtime.errors import Transient

LARGEST: Final = 100
"""Askers whose writes go together."""


@dataclass(slots=True)
class _Asker:
    writes: Sequence[Write]
    made: asyncio.Future[None]


class Together:
    """`make` makes writes in one transaction, all or none, and raises what hinders it."""

    def __init__(self, make: Callable[[Sequence[Write]], Awaitable[None]]) -> None:
        self._make = make
        self._waiting: list[_Asker] = []
        self._making: asyncio.Task[None] | None = None

    async def write(self, writes: Sequence[Write]) -> None:
        """Returns when they are made, in one transaction. Raises what `make` raises for these alone: others' mistakes are not theirs."""
        asker = _Asker(writes, asyncio.get_running_loop().create_future())
        self._waiting.append(asker)
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make_all())
        await asker.made

    async def _make_all(self) -> None:
        while self._waiting:
            group = [asker for asker in self._waiting[:LARGEST] if not asker.made.cancelled()]
            del self._waiting[:LARGEST]
            if not await self._made(group):
                for asker in group:
                    await self._made([asker])

    async def _made(self, group: Sequence[_Asker]) -> bool:
        """False when nothing was written, and one of several may be to blame."""
        try:
            if group:
                await self._make([write for asker in group for write in asker.writes])
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            if len(group) > 1 and not isinstance(error, Transient):
                return False
            for asker in group:
                if not asker.made.done():
                    asker.made.set_exception(error)
        else:
            for asker in group:
                if not asker.made.done():
                    asker.made.set_result(None)
        return True
