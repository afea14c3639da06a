"""What to do when somebody else was faster: try again a little later, so often and not for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from services.runtime.errors import Conflict, Transient

PATIENCE: Final = 50
"""Times in a row that others may write first."""


async def insist(write: Callable[[], Awaitable[object]]) -> None:
    """Write what rests on nothing that was read, whoever else writes. Raises `Transient` when others are always faster."""
    for conflicts in range(PATIENCE):
        try:
            await write()
        except Conflict:
            await pause(conflicts)
        else:
            return
    raise contended()


def contended() -> Transient:
    return Transient("database", f"is contended: others wrote first, {PATIENCE} times in a row")


async def pause(conflicts: int) -> None:
    """Longer the more often others were faster, and never equally long for two."""
    await asyncio.sleep(random.uniform(0, min(0.05, 0.001 * 2 ** min(conflicts, 6))))  # noqa: S311
