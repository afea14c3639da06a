"""As many people as the services can take, on the real clock, without days and without anybody taking time to think.

For load and fault tests: `run_load` ends when everybody has come as far as they can and the services are at rest, so that books can be
drawn. Whatever restarts meanwhile is waited for. Who somebody from a file is follows from their case's id instead of being read at intake.

The benchmark has a driver of its own (`tests/bench/whole_path.py`), because a driver's work is measured together with what it drives. That
one plays a single known way: all that it sends is made before the clock starts, and it knows every case's id. Here people are made and
met on the way, since anything may happen to them. One driver for both would be two with a switch between them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from schemas.codes import Way
from simulation import figures
from simulation.actors.counsellors import MOST_SHEETS, Counsellors
from simulation.actors.lives import Lives
from simulation.actors.offices import Offices
from simulation.actors.partners import Publishers
from simulation.actors.referrals import Referrals
from simulation.county import STANDARD_SEED, County, generate
from simulation.doors import OPERATOR, Doors
from simulation.files import OfficeFile, Row, office_files
from simulation.rest import until_at_rest
from simulation.talk import talk
from simulation.world import COUNSELLOR, World

ROWS_OF_A_FILE: Final = 200
"""Files of the same office are joined up to about this length: a year's small files would measure requests, not people."""

AT_THE_COUNTERS: Final = 16
"""Single arrivals that are registered at the same time."""

PAUSE: Final = 0.1
"""Seconds before whoever found nothing to do looks again."""

TALKS_EVERY: Final = 2.0
"""Seconds between two looks at who is expected for a talk."""

COURSES_LATER: Final = timedelta(weeks=104)
"""The courses of the last year are put off, so that none has begun."""


def load_county(people: int, county: str = figures.STANDARD_COUNTY, seed: int = STANDARD_SEED) -> County:
    """A county for `run_load`: everybody arrived in the last calendar year."""
    return generate(county, people, date.today().year - 1, seed)  # noqa: DTZ011 - the year is all that matters


async def run_load(
    doors: Doors,
    county: County,
    progress: Callable[[World], None] = lambda world: None,
    *,
    one_offer_in: int = 1,
    one_talk_in: int = 1,
    more: Callable[[], bool] = lambda: False,
    stay: Callable[[], bool] = lambda: False,
    bound: float = 120.0,
) -> World:
    """Push everybody through. `progress` is told after each piece of work; `bound` as for `until_at_rest`.

    Of the county's offers only one in so many is published: with few, most needs end up waiting, and many compete for each seat. Of the
    people expected for a talk only one in so many comes, and as many again whenever they have all come and `more` says so. While there are
    some left who did not come, `stay` keeps it from ending.
    """
    world = World(county, doors, put_off=COURSES_LATER)
    world.offers = world.offers[::one_offer_in]
    await _Load(world, progress, one_talk_in, more, stay).run(bound)
    return world


class _Load:
    def __init__(
        self,
        world: World,
        progress: Callable[[World], None],
        one_talk_in: int,
        more: Callable[[], bool],
        stay: Callable[[], bool],
    ) -> None:
        self.world = world
        self._progress = progress
        self._one_talk_in = one_talk_in
        self._comes = 1
        self._more = more
        self._stay = stay
        self._offices = Offices(world)
        self._counsellors = Counsellors(world)
        self._lives = Lives(world, at_once=True)
        self._referrals = Referrals(world, at_once=True)
        self._sheets = 0
        self._next_talks = 0.0
        self._looked_at = (0, 0)
        self._done = 0
        self._over = False

    async def run(self, bound: float) -> None:
        await Publishers(self.world).act(date.max)
        works = (_Alone(self._talks), _Alone(self._answers))
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(self._keep_at(work))
            await self._arrive()
            while not self._over:
                done = self._done
                await until_at_rest(self.world.doors, real_time=True, bound=bound)
                for work in works:
                    await self._look(work)
                self._over = self._done == done and not (self._some_stayed_away() and self._stay())
                await asyncio.sleep(PAUSE)

    async def _arrive(self) -> None:
        for file in joined(self.world.county):
            await self._offices.hand_over(file)
            self._progress(self.world)
        others = (person for person in self.world.county.people() if person.way is not Way.OFFICE_FILE)
        counters = asyncio.Semaphore(AT_THE_COUNTERS)
        async with asyncio.TaskGroup() as group:
            for person in others:
                await counters.acquire()
                task = group.create_task(self._offices.register(person))
                task.add_done_callback(lambda _: counters.release())

    async def _keep_at(self, work: _Alone) -> None:
        while not self._over:
            if not await self._look(work):
                await asyncio.sleep(PAUSE)

    async def _look(self, work: _Alone) -> int:
        """Do what there is to do, and say how much it was."""
        found = await work()
        if found:
            self._done += found
            self._progress(self.world)
        return found

    async def _talks(self) -> int:
        """The next talks of the worklist, one after the other in time, all at once here."""
        world = self.world
        await asyncio.sleep(self._next_talks - time.monotonic())
        self._next_talks = time.monotonic() + TALKS_EVERY
        cases = await self._coming()
        if not cases and self._some_stayed_away() and self._more():
            self._comes += 1
            return 1
        if not cases:
            return 0
        for case in cases:
            if case not in world.person_of:
                world.meet(case, self._somebody(int(case[:8], 16)))
        await asyncio.gather(*(self._counsellors.ask_consents(case, world.person_in(case)) for case in cases))
        sheets = [(case, talk(world.county.seed, world.person_in(case)).sheets[-1]) for case in cases]
        self._sheets += 1
        await self._counsellors.hand_in(f"load-{self._sheets}", sheets)
        await self._lives.act(date.today())  # noqa: DTZ011 - nobody moves later than today
        return len(cases)

    def _some_stayed_away(self) -> bool:
        return self._comes < self._one_talk_in

    def _somebody(self, number: int) -> int:
        """Of the people in files, whoever this number leads to."""
        size = self.world.county.size
        way_round = (index % size for index in range(number, number + size))
        return next(index for index in way_round if self.world.person(index).way is Way.OFFICE_FILE)

    async def _coming(self) -> list[str]:
        """The next of those who are expected and come.

        The list has everybody who will never come: it is read when there is news in it only.
        """
        coming: list[str] = []
        books = await self.world.doors.get("profiling", "/v1/books", OPERATOR)
        looks_at = (books["cases"]["talk-due"], self._comes)
        if looks_at == self._looked_at:
            return coming
        expected = self.world.doors.each("profiling", "/v1/cases", COUNSELLOR, state="talk-due", limit=MOST_SHEETS)
        async for line in expected:
            if int(line["case"][-8:], 16) % self._one_talk_in < self._comes:
                coming.append(line["case"])
            if len(coming) == MOST_SHEETS:
                return coming
        self._looked_at = looks_at
        return coming

    async def _answers(self) -> int:
        return await self._referrals.act(date.today())  # noqa: DTZ011 - only names the requests


class _Alone:
    """Work that nobody does twice at the same time."""

    def __init__(self, work: Callable[[], Awaitable[int]]) -> None:
        self._work = work
        self._turn = asyncio.Lock()

    async def __call__(self) -> int:
        async with self._turn:
            return await self._work()


def joined(county: County) -> Iterator[OfficeFile]:
    """The year's files, those of one office joined until they are long enough; each row comes once in its order."""
    waiting: dict[str, tuple[OfficeFile, list[Row]]] = {}
    for file in office_files(county):
        first, rows = waiting.setdefault(file.office.district, (file, []))
        rows.extend(file.rows)
        if len(rows) >= ROWS_OF_A_FILE:
            yield replace(first, rows=tuple(rows), repeats=None)
            del waiting[file.office.district]
    for first, rows in waiting.values():
        yield replace(first, rows=tuple(rows), repeats=None)
