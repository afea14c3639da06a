"""Whatever is killed in the middle of two thousand people: afterwards the books balance, nothing is there twice, nothing is lost."""

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
        self._people = people
        self._handled = 0
        self._moved = asyncio.Event()
        self._whole = asyncio.create_task(run_load(doors, load_county(people), self._look))

    def _look(self, world: World) -> None:
        # Arriving, the talk, and the steps of the first place: about three things for each.
        self._handled = len(world.arrived) + len(world.person_of) + world.done["acceptance"]
        self._moved.set()

    async def reached(self, part: float) -> None:
        """Wait until about this part of the work is done. Fails when the work is over by then."""
        while self._handled < part * 3 * self._people:
            self._moved.clear()
            moved = asyncio.create_task(self._moved.wait())
            await asyncio.wait({moved, self._whole}, return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()
            if self._whole.done():
                self._whole.result()
                pytest.fail(f"the work was over before {part:.0%} of it: too little to kill something in its middle")

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
    for number, victim in enumerate(victims, 1):
        await going.reached(number / (len(victims) + 2))
        running.kill(victim)
        await running.wait_ready(victim)


@pytest.mark.timeout(300)
async def test_two_thousand_people_come_through_although_everything_is_killed_on_the_way(tmp_path: Path):
    """Each service, the database, and the broker, which takes its log and all services with it."""
    people = 2000
    async with Embedded(tmp_path, choices=CHOICES) as running, load(running, people) as going:
        await kill_one_after_the_other(running, going, (*SERVICES, "database", "broker"))
        await assert_nothing_is_amiss(await going.finished(), people)


@pytest.mark.timeout(180)
async def test_after_a_power_cut_in_the_middle_the_work_goes_on_where_it_was(tmp_path: Path):
    people = 300
    async with Embedded(tmp_path, choices=CHOICES) as running, load(running, people) as going:
        await going.reached(0.4)
        await running.crash()
        async with Embedded(tmp_path, choices=CHOICES) as again:
            assert again.services == running.services
            await assert_nothing_is_amiss(await going.finished(), people)
