"""What a person sees while the bench runs: a line that follows along in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final

from rich.console import Console

LOOKS_EVERY: Final = 0.4
LINE_EVERY: Final = 20.0


class Progress:
    """Says what is going on, and how far it is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, sentence: str) -> None:
        self._console.print(sentence, highlight=False)

    @contextmanager
    def during(self, what: str, far: Callable[[], str] = lambda: "") -> Generator[None]:
        """While `what` is done: for how many seconds already, and how `far` it is."""
        began = time.monotonic()

        def line() -> str:
            return ", ".join(filter(None, (what, far(), f"{time.monotonic() - began:.0f} s")))

        with self._console.status(f"{what} …") as status:

            async def tell() -> None:
                told = began
                while True:
                    await asyncio.sleep(LOOKS_EVERY)
                    status.update(line())
                    if not self._console.is_terminal and time.monotonic() - told > LINE_EVERY:
                        told = time.monotonic()
                        self.say(line())

            telling = asyncio.create_task(tell())
            try:
                yield
            finally:
                telling.cancel()
        self.say(f"{line()}.")

    def of_people(self, counted: Mapping[str, int], people: int):
        """While these people are on their way. `counted` is how many came so far, and what was done for them."""
        before = dict(counted)

        def so_far(name: str) -> int:
            return counted.get(name, 0) - before.get(name, 0)

        return self.during(
            f"{people:,} people on their way",
            lambda: f"{so_far('sheet applied'):,} had their talk, {so_far('acceptance'):,} places accepted",
        )
