"""Whatever is killed among 2,000 people (1,000 on Apache Kafka): afterwards the books balance, nothing is there twice, nothing is lost."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.embedded.system import SERVICES, Embedded
from tests.broker import BROKER
from tests.faults.load import CHOICES, doors_of, load

PEOPLE = 2000 if BROKER == "embedded" else 1000
ONE_OFFER_IN = 20
"""Seats are few: most people wait, and many compete for each seat."""
ONE_TALK_IN = 40
"""Everybody is registered and invited; so many come to the talk, and as many again whenever something is to be broken in their middle."""


@pytest.mark.timeout(900)
async def test_people_come_through_although_everything_is_killed_on_the_way(tmp_path: Path):
    """Each service, the database, the broker (the embedded one takes its log and all services with it), and in the end all at once."""
    async with AsyncExitStack() as running:
        before_the_power_cut = await running.enter_async_context(AsyncExitStack())
        first = await before_the_power_cut.enter_async_context(Embedded(tmp_path, choices=CHOICES))
        doors = await running.enter_async_context(doors_of(first))
        going = await running.enter_async_context(
            load(doors, PEOPLE, one_offer_in=ONE_OFFER_IN, one_talk_in=ONE_TALK_IN)
        )
        for victim in (*SERVICES, "database", "broker"):
            await going.further(100)
            first.kill(victim)
            await first.wait_ready(victim)
        await going.further(100)
        await first.crash()
        await before_the_power_cut.aclose()
        second = await running.enter_async_context(Embedded(tmp_path, choices=CHOICES))
        doors.moved_to(second.services)
        await going.ends_with_balanced_books()
