"""What watching costs a whole path: the same people through fresh copies that differ in what is watched alone.

Each copy adds one thing to the one before it. All of them run at the same time: whatever else the machine does, and however fast it happens
to be, meets them alike. One after the other, the same copy cost up to twice as much CPU a person in one minute as in another.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bench.copy import copy
from tests.bench.discarding import discarding
from tests.bench.figures import CONSOLE as KEPT
from tests.bench.figures import DISCARDED, METRICS, UNWATCHED, Stretch
from tests.bench.progress import Progress

SCRAPED_EVERY: Final = 15.0
"""Seconds, as in deploy/prometheus."""
WARM: Final = 20
"""People before anything is measured."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What one copy is watched by."""

    metrics: bool = True
    collector: bool = False
    console: bool = False

    def environment(self, collector: str) -> Mapping[str, str]:
        found = {"WEGENETZ_METRICS": str(self.metrics), "WEGENETZ_TRACING": str(self.collector or self.console)}
        return found | ({"WEGENETZ_OTLP_ENDPOINT": collector} if self.collector else {})


WAYS: Final[Mapping[str, Watching]] = {
    UNWATCHED: Watching(metrics=False),
    METRICS: Watching(),
    DISCARDED: Watching(collector=True),
    KEPT: Watching(console=True),
}


async def measure(folder: Path, people: int) -> dict[str, Stretch]:
    """One round: all copies at the same time, each in a folder of its own below this one."""
    quiet = Progress(Console(quiet=True))  # several at a time cannot have the same line
    shutil.rmtree(folder, ignore_errors=True)
    ready = asyncio.Barrier(len(WAYS))
    stretches = await asyncio.gather(
        *(_stretch(folder / str(number), quiet, people, way, ready) for number, way in enumerate(WAYS.values()))
    )
    shutil.rmtree(folder, ignore_errors=True)
    return dict(zip(WAYS, stretches, strict=True))


async def _stretch(
    folder: Path, progress: Progress, people: int, watching: Watching, ready: asyncio.Barrier
) -> Stretch:
    async with AsyncExitStack() as opened:
        collector = await opened.enter_async_context(discarding())
        running = await opened.enter_async_context(
            copy(folder, progress, people, console=watching.console, environment=watching.environment(collector))
        )
        await running.first_people(WARM)
        if watching.metrics:
            scraping = asyncio.create_task(running.scraped(SCRAPED_EVERY))
            opened.callback(scraping.cancel)
        await ready.wait()
        stretch = await running.stretch(people)
        await ready.wait()  # stopping one copy would be counted against those that are still at work
        return stretch
