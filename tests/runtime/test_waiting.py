"""Waiting for something, but not for ever; and whoever is told to stop while waiting stops."""

from __future__ import annotations

import asyncio

import pytest

from services.runtime.waiting import set_within


async def test_it_tells_whether_the_event_came_in_time() -> None:
    event = asyncio.Event()
    assert not await set_within(event, 0.01)
    event.set()
    assert await set_within(event, 0.01)


@pytest.mark.parametrize("steps", range(6))
async def test_a_stop_is_heard_at_whatever_step_after_the_event_it_comes(steps: int) -> None:
    """`asyncio.wait_for` of Python 3.11 forgets a cancellation that comes together with the result."""
    event = asyncio.Event()

    async def keep_waiting() -> None:
        while True:
            await set_within(event, 60)
            event.clear()

    keeping = asyncio.create_task(keep_waiting())
    await asyncio.sleep(0)
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait([keeping], timeout=1)
    assert keeping.cancelled()
