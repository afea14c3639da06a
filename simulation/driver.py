"""A year on the virtual clock: day after day, each when the services are at rest.

A step is a working day on which something is due. It goes

1. time moves to the evening of the day: deadlines lapse and rounds are held (`simulation.rest`);
2. counsellors, people and partners take the steps of the referrals that are due;
3. the services come to rest;
4. things happen to people, offices hand over what came in, and counsellors hold the first talks of the day;
5. the services come to rest.

The first two need no rest between them: both happen in referral alone, and what follows from them elsewhere does not come back to it. So
nothing depends on how fast the machine is: the same county with the same seed takes the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from services.runtime.calendar import berlin_instant
from simulation.actors.capacity import Capacity
from simulation.actors.counsellors import Counsellors
from simulation.actors.lives import Lives
from simulation.actors.offices import Offices
from simulation.actors.partners import Publishers
from simulation.actors.referrals import Referrals
from simulation.doors import OPERATOR
from simulation.rest import Readings, move_clocks, until_at_rest
from simulation.world import World

EVENING: Final = 18
"""The hour (in Germany) of each step: offices and sites have closed."""

AT_LEAST_EVERY: Final = timedelta(days=7)
"""Deadlines and rounds are not kept waiting for longer, even if nobody else has anything to do."""

LAST_REFERRALS: Final = timedelta(days=180)
"""After the year's end nobody arrives any more; so long at most what was begun is brought to its end."""


UNANSWERED: Final = ("held", "released", "agreed")
"""States of needs in which somebody is to answer by a deadline."""


class Actor(Protocol):
    """Somebody who acts on days. `next_day` is the first day on which they know of something to do."""

    @property
    def next_day(self) -> date | None: ...

    async def act(self, today: date) -> int: ...


class Year:
    """One county's year. `step` is told the day after each step; `pace` is the shortest time between two of them.

    A slower pace is another year: whatever happened since the last step happens on the evening of the next.
    """

    def __init__(
        self, world: World, step: Callable[[date], None] = lambda day: None, *, pace: timedelta = timedelta(days=1)
    ) -> None:
        self._world = world
        self._pace = pace
        self._step = step
        self.offices = Offices(world)
        self.counsellors = Counsellors(world)
        self.lives = Lives(world)
        self.publishers = Publishers(world)
        self.referrals = Referrals(world)
        self.capacity = Capacity(world)
        self.today: date | None = None
        self.steps = 0
        self.seats_taken_max = 0
        self._rest: Readings | None = None

    @property
    def a_way_to_show(self) -> str | None:
        """A case that was accepted somewhere, to look at its trace."""
        return next((case for case in self.referrals.accepted if case not in self._world.erased), None)

    async def run(self) -> None:
        """Returns when the year is over and nothing waits for an answer any more."""
        day = date(self._world.county.year, 1, 1)
        while not await self._is_over(day):
            if day.weekday() < 5 and await self._is_anything_due(day):
                await self._take_step(day)
            day += timedelta(days=1)

    async def _take_step(self, day: date) -> None:
        doors = self._world.doors
        await move_clocks(doors, evening(day), self._rest)
        await _act((self.publishers, self.capacity, self.referrals), day)
        self._rest = await until_at_rest(doors)
        if await _act((self.lives, self.offices, self.counsellors), day):
            self._rest = await until_at_rest(doors)
        books = await self._world.doors.get("referral", "/v1/books", OPERATOR)
        self.seats_taken_max = max(self.seats_taken_max, books["held"])
        self.today = day
        self.steps += 1
        self._step(day)

    async def _is_anything_due(self, day: date) -> bool:
        if self.today is None or day - self.today >= max(self._pace, AT_LEAST_EVERY):
            return True
        if day - self.today < self._pace:
            return False
        actors = (self.publishers, self.capacity, self.referrals, self.lives, self.offices, self.counsellors)
        known = (actor.next_day for actor in actors)
        if any(due is not None and due <= day for due in known):
            return True
        return await self.counsellors.expect_somebody(day)

    async def _is_over(self, day: date) -> bool:
        """When the year has ended, everybody has come, and nobody is to answer any more, or not within `LAST_REFERRALS`."""
        end = date(self._world.county.year, 12, 31)
        if day <= end or self.offices.next_day is not None or self.counsellors.next_day is not None:
            return False
        if day > end + LAST_REFERRALS:
            return True
        return self.referrals.next_day is None and not await self._does_anything_wait(day)

    async def _does_anything_wait(self, day: date) -> bool:
        """Whether a talk is still to come, or a referral waits for an answer that may never come."""
        books = await self._world.doors.get("referral", "/v1/books", OPERATOR)
        if any(books["needs"][state] for state in UNANSWERED):
            return True
        return bool([day for later in range(14) if await self.counsellors.expect_somebody(day + timedelta(days=later))])


async def _act(actors: Sequence[Actor], day: date) -> int:
    return sum([await actor.act(day) for actor in actors])


def evening(day: date) -> datetime:
    """The instant of the step of a day."""
    return berlin_instant(day, EVENING)
