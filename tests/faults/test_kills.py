"""Whatever is killed in the middle of many people: afterwards the books balance, nothing is there twice, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from deploy.embedded.folder import Choices
from deploy.embedded.system import SERVICES, Embedded, Running
from simulation.books import draw
from simulation.doors import Doors
from simulation.load import load_county, run_load
from simulation.world import World

COUNTY = "03459"
CHOICES = Choices(counties=(COUNTY,), clock="real", ids_seed="kills")
PATIENCE = 120.0


class Load:
    """People on their way, and how far they have come."""

    def __init__(self, doors: Doors, people: int) -> None:
        self.doors = doors
        self._handled = 0
        self._moved = asyncio.Event()
        self._whole = asyncio.create_task(run_load(doors, load_county(people), self._look))

    def _look(self, world: World) -> None:
        self._handled = len(world.arrived) + len(world.person_of)
        self._moved.set()

    async def further(self, things: int) -> None:
        """Wait until so many more people arrived or had their talk. Fails when the work is over by then."""
        goal = self._handled + things
        while self._handled < goal:
            self._moved.clear()
            moved = asyncio.create_task(self._moved.wait())
            await asyncio.wait({moved, self._whole}, return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()
            if self._whole.done():
                self._whole.result()
                pytest.fail("the work was over already: too little to kill something in its middle")

    async def finished(self) -> World:
        return await self._whole

    async def abandon(self) -> None:
        self._whole.cancel()
        with suppress(asyncio.CancelledError):
            await self._whole


@asynccontextmanager
async def load(running: Running, people: int) -> AsyncIterator[Load]:
    async with Doors.of(running.services, running.issuer_key_file, county=COUNTY, patience=PATIENCE) as doors:
        going = Load(doors, people)
        try:
            yield going
        finally:
            await going.abandon()


async def assert_nothing_is_amiss(world: World, people: int) -> None:
    books = await draw(world.doors, world)
    assert books.differences() == []
    summary = books.summary(1.0, [])
    assert (summary.people, summary.parked, summary.dead_letters) == (people, 0, 0)
    assert summary.accepted > people / 10
    assert summary.seats_taken_max <= summary.seats


async def kill_one_after_the_other(running: Running, going: Load, victims: Sequence[str]) -> None:
    for victim in victims:
        await going.further(30)
        running.kill(victim)
        await running.wait_ready(victim)


@pytest.mark.timeout(480)
async def test_people_come_through_although_everything_is_killed_on_the_way(tmp_path: Path):
    """Each service, the database, and the broker, which takes its log and all services with it."""
    people = 400
    async with Embedded(tmp_path, choices=CHOICES) as running, load(running, people) as going:
        await kill_one_after_the_other(running, going, (*SERVICES, "database", "broker"))
        await assert_nothing_is_amiss(await going.finished(), people)
