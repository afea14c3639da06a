"""What watching costs a whole path: the same people through fresh copies that differ in what is watched alone.

Each copy adds one thing to the one before it. Copies take turns, and every round begins with another of them, so that a minute in which the
machine is slower does not fall on the same one.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.copy import copy
from tests.bench.discarding import discarding
from tests.bench.figures import CONSOLE, DISCARDED, METRICS, UNWATCHED, Stretch
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
    CONSOLE: Watching(console=True),
}


async def measure(folder: Path, progress: Progress, people: int, first: int) -> dict[str, Stretch]:
    """Every copy once, beginning with the one at `first`."""
    names = [*WAYS][first % len(WAYS) :] + [*WAYS][: first % len(WAYS)]
    found: dict[str, Stretch] = {}
    for name in names:
        progress.say(f"Watched by: {name}")
        shutil.rmtree(folder, ignore_errors=True)
        found[name] = await _stretch(folder, progress, people, WAYS[name])
    shutil.rmtree(folder, ignore_errors=True)
    return {name: found[name] for name in WAYS}


async def _stretch(folder: Path, progress: Progress, people: int, watching: Watching) -> Stretch:
    async with AsyncExitStack() as opened:
        collector = await opened.enter_async_context(discarding())
        running = await opened.enter_async_context(
            copy(folder, progress, people, console=watching.console, environment=watching.environment(collector))
        )
        await running.first_people(WARM)
        if watching.metrics:
            scraping = asyncio.create_task(running.scraped(SCRAPED_EVERY))
            opened.callback(scraping.cancel)
        return await running.stretch(people)
