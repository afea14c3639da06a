"""People on their way through a running copy, and the books afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from deploy.embedded.folder import Choices
from deploy.embedded.system import Running
from simulation.balance import differences
from simulation.books import draw
from simulation.doors import OPERATOR, Doors
from simulation.load import load_county, run_load
from simulation.world import World
from tests.broker import BROKER

COUNTY = "03459"
CHOICES = Choices(counties=(COUNTY,), clock="real", ids_seed="faults", broker=BROKER)
PATIENCE = 120.0


class Load:
    """`people` on their way, and how far they have come."""

    def __init__(self, doors: Doors, people: int, **shares: int) -> None:
        self.doors = doors
        self.people = people
        self._handled = 0
        self._moved = asyncio.Event()
        self._breaking = True
        self._waited_for = False
        work = run_load(
            doors,
            load_county(people),
            self._look,
            more=lambda: self._waited_for,
            stay=lambda: self._breaking,
            bound=PATIENCE,
            **shares,
        )
        self._whole = asyncio.create_task(work)

    def _look(self, world: World) -> None:
        steps = sum(by_case.total() for by_case in world.steps.values())
        self._handled = len(world.arrived) + len(world.person_of) + steps
        self._moved.set()

    async def further(self, things: int) -> None:
        """Wait for so many more arrivals, talks and steps of referrals. Fails when the work is over by then.

        Who stayed away from a talk comes only while this waits: so a slow machine, on which breaking takes long, has work left too.
        """
        goal = self._handled + things
        self._waited_for = True
        while self._handled < goal:
            self._moved.clear()
            moved = asyncio.create_task(self._moved.wait())
            await asyncio.wait({moved, self._whole}, return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()
            if self._whole.done():
                self._whole.result()
                pytest.fail("the work was over already: nothing could be broken in its middle")
        self._waited_for = False

    async def ends_with_balanced_books(self) -> None:
        """Nobody is lost or there twice, no seat is taken twice, and nothing is parked or set aside."""
        self._breaking = False
        try:
            world = await self._whole
        except Exception as error:
            for service in self.doors.services:
                error.add_note(await _told(self.doors, service))
            raise
        books = await draw(world.doors, world)
        assert differences(books) == []
        summary = books.summary(1.0, [])
        assert (summary.people, summary.parked, summary.dead_letters) == (self.people, 0, 0)
        assert summary.accepted > 0, summary
        assert summary.seats_taken_max <= summary.seats

    async def abandon(self) -> None:
        self._whole.cancel()
        with suppress(asyncio.CancelledError):
            await self._whole


def doors_of(running: Running) -> Doors:
    return Doors.of(running.services, running.issuer_key_file, county=COUNTY, patience=PATIENCE)


@asynccontextmanager
async def load(doors: Doors, people: int, **shares: int) -> AsyncIterator[Load]:
    """`shares` as for `run_load`."""
    going = Load(doors, people, **shares)
    try:
        yield going
    finally:
        await going.abandon()


async def _told(doors: Doors, service: str) -> str:
    """What a service says of itself, for whoever reads why it did not come to rest."""
    try:
        health = await doors.get(service, "/health/live", OPERATOR)
        state = await doors.get(service, "/runtime/rest", OPERATOR)
    except Exception as error:  # noqa: BLE001 - the failure that is being told is the other one
        return f"{service} says nothing: {error!r}"
    return f"{service}: {health} {state}"
