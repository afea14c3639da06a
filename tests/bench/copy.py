"""A running copy with people on their way through it, watched from outside: what each stretch of people cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Self

import httpx

from deploy.embedded.folder import Choices
from deploy.embedded.system import CONSOLE, SERVICES, Embedded, Running
from simulation.doors import Doors
from tests.bench.figures import DRIVER, First, Offers, Stretch
from tests.bench.processes import Scrape, Stolen, cpu_seconds, megabytes, since
from tests.bench.progress import Progress
from tests.bench.whole_path import SEED, Driver
from tests.bench.written import Before, Head, keep, look

COUNTY: Final = "03459"
STEPS: Final = ("load", "decide", "write", "publish")

Scrapes = Mapping[str, Scrape]


class Disturbed(Exception):
    """A process ended while it was measured."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} ended and was started again meanwhile, so that nothing can be said. Its log says why."
        )


class Copy:
    """One copy from its start on. `began` is when that was."""

    def __init__(self, running: Running, driver: Driver, progress: Progress, began: float) -> None:
        self._running = running
        self._driver = driver
        self._progress = progress
        self._began = began
        self._up = time.monotonic() - began
        self._before: dict[str, Before] = {}
        self._scrapes: Scrapes = {}

    async def first_people(self, people: int) -> First:
        """The first of all: offers are published, then these people come."""
        await self._driver.publish_offers()
        offers = time.monotonic() - self._began
        await self._pass_through(people)
        if self._driver.first_accepted is None:
            raise RuntimeError("nobody was accepted: too few people to say anything")
        return First(self._up, offers, self._driver.first_accepted - self._began)

    async def scraped(self, every: float) -> None:
        """Ask for the metrics as Prometheus does, until cancelled."""
        async with httpx.AsyncClient() as client:
            while True:
                for url in self._running.services.values():
                    await client.get(f"{url}/metrics")
                await asyncio.sleep(every)

    async def look(self) -> None:
        """What is written from here on is what `keep` keeps."""
        self._before = {name: await asyncio.to_thread(look, *self._place(name)) for name in SERVICES}
        self._scrapes = await self._scrape()

    async def stretch(self, people: int) -> Stretch:
        """The next people of the queue, and what they cost."""
        pids = self._pids()
        after, accepted = self._driver.counted["people"], self._driver.counted["acceptance"]
        scrapes, cpu, own = await self._scrape(), cpu_seconds(pids), time.process_time()
        stolen = Stolen()
        with _Memory(pids) as memory:
            seconds = await self._pass_through(people)
        share, used = stolen.share(), {**since(cpu, cpu_seconds(pids)), DRIVER: time.process_time() - own}
        for name, pid in self._pids().items():
            if pids[name] != pid:
                raise Disturbed(name)
        counted = {name: scrape.less(scrapes[name]) for name, scrape in (await self._scrape()).items()}
        return Stretch(
            after=after,
            people=people,
            seconds=seconds,
            accepted=self._driver.counted["acceptance"] - accepted,
            cpu=used,
            megabytes=memory.highest,
            steps={
                name: {step: one.total("batch_seconds_sum", step=step) for step in STEPS}
                for name, one in counted.items()
            },
            transactions={
                name: int(one.total("transactions_total", result="committed")) for name, one in counted.items()
            },
            stolen=share,
            offers=offers_of(counted["referral"]),
        )

    async def keep(self, files: Path) -> Sequence[Head]:
        """Keep what was written since `look`, one file a service."""
        counted = {name: scrape.less(self._scrapes[name]) for name, scrape in (await self._scrape()).items()}
        return [
            await asyncio.to_thread(
                keep,
                *self._place(name),
                name,
                files,
                before=self._before[name],
                transactions=int(one.total("transactions_total", result="committed")),
                batches=int(one.total("batch_records_count")),
                writes=one.by("writes_total", "collection", "operation"),
            )
            for name, one in counted.items()
        ]

    async def _pass_through(self, people: int) -> float:
        with self._progress.of_people(self._driver.counted, people):
            return await self._driver.pass_through(people)

    def _place(self, service: str) -> tuple[str, str]:
        return self._running.database_url, self._running.database_of(service)

    def _pids(self) -> dict[str, int]:
        console = (CONSOLE,) if self._running.console else ()
        return {name: self._running.pid(name) for name in (*SERVICES, "broker", "database", *console)}

    async def _scrape(self) -> Scrapes:
        read = (asyncio.to_thread(Scrape.of, url) for url in self._running.services.values())
        return dict(zip(self._running.services, await asyncio.gather(*read), strict=True))


def offers_of(counted: Scrape) -> Offers:
    """What referral counted of its rounds and first offers."""
    within = counted.by("rounds_to_first_offer_bucket", "le")
    return Offers(
        within={float(bound): int(some) for (bound,), some in within.items()},
        needs=int(counted.total("rounds_to_first_offer_count")),
        rounds=int(counted.total("round_seconds_count")),
        seconds=counted.total("round_seconds_sum"),
    )


class _Memory:
    """Looks at the memory of the services every half second."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = {name: pids[name] for name in SERVICES}
        self.highest = megabytes(self._pids)

    def __enter__(self) -> Self:
        self._looking = asyncio.create_task(self._look())
        return self

    def __exit__(self, *_: object) -> None:
        self._looking.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(0.4)
            for name, now in megabytes(self._pids).items():
                self.highest[name] = max(self.highest[name], now)


@asynccontextmanager
async def copy(
    folder: Path,
    progress: Progress,
    places_for: int,
    *,
    console: bool = False,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Copy]:
    """A fresh copy with its data in `folder`, which must be empty or absent. So many people find places at a time; each place is free again
    when it has ended."""
    began = time.monotonic()
    choices = Choices((COUNTY,), "real", None, SEED)
    embedded = Embedded(folder, choices=choices, console=console, environment=environment)
    async with AsyncExitStack() as opened:
        with progress.during("Starting the broker, the database and the services"):
            running = await opened.enter_async_context(embedded)
        doors = await opened.enter_async_context(Doors.of(running.services, running.issuer_key_file, COUNTY))
        yield Copy(running, Driver(doors, COUNTY, places_for), progress, began)
