"""What to do when somebody else was faster: try again a little later, so often and not for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from services.runtime.errors import Conflict, NameTaken, Transient

PATIENCE: Final = 50
"""Times in a row that others may write first."""
NAME_TRIES: Final = 5


async def insist(write: Callable[[], Awaitable[object]]) -> None:
    """Write what rests on nothing that was read, whoever else writes. Raises `Transient` when others are always faster, and `NameTaken` for
    a name that stays taken: who inserts at the same time as another is refused too, but finds the other's document the next time.
    """
    for conflicts in range(PATIENCE):
        try:
            await write()
        except Conflict as conflict:
            if isinstance(conflict, NameTaken) and conflicts == NAME_TRIES:
                raise
            await pause(conflicts)
        else:
            return
    raise contended()


def contended() -> Transient:
    return Transient("database", f"is contended: others wrote first, {PATIENCE} times in a row")


async def pause(conflicts: int) -> None:
    """Longer the more often others were faster, and never equally long for two."""
    await asyncio.sleep(random.uniform(0, min(0.05, 0.001 * 2 ** min(conflicts, 6))))  # noqa: S311
