"""Business time, and machine time apart from it.

Business time decides deadlines and is given to whatever needs it. It is real, or virtual and moved in steps, or held by hand in
tests. Machine time (leases, backoff, record timestamps, latencies) is always the machine's. Instants are UTC with milliseconds, because
that is what the database keeps: a state read back is the state that was written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from services.runtime.calendar import whole_milliseconds


class Clock(Protocol):
    """Business time."""

    def now(self) -> datetime:
        """The present instant, UTC, whole milliseconds."""
        ...


class RealClock:
    """The world's time."""

    def now(self) -> datetime:
        return whole_milliseconds(datetime.now(UTC))


class HandClock:
    """A clock that stands where it is put; never goes back. For tests, and the base of the virtual clock."""

    def __init__(self, start: datetime) -> None:
        self._now = whole_milliseconds(start)

    def now(self) -> datetime:
        return self._now

    def set(self, instant: datetime) -> None:
        """Raises ValueError when `instant` is earlier than the present one."""
        instant = whole_milliseconds(instant)
        if instant < self._now:
            raise ValueError("business time does not run backwards")
        self._now = instant


class VirtualClock(HandClock):
    """Moved in steps from outside. The new instant is stored before anybody may act on it, so that a restart goes on from there."""

    def __init__(self, start: datetime, keep: Callable[[datetime], Awaitable[None]]) -> None:
        super().__init__(start)
        self._keep = keep
        self._moving = asyncio.Lock()

    async def move(self, instant: datetime) -> None:
        """Raises ValueError like `set`, and then stores nothing."""
        instant = whole_milliseconds(instant)
        async with self._moving:  # of two at once, what is stored last must be where the clock stands
            if instant < self.now():
                raise ValueError("business time does not run backwards")
            await self._keep(instant)
            self.set(instant)


def machine_ms() -> int:
    """Milliseconds since 1970 of the machine's clock."""
    return time.time_ns() // 1_000_000
