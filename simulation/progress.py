"""What a person sees while a simulated year passes: a live picture in a terminal, a line every few seconds elsewhere.

The numbers of the services are asked for every second, as long as the picture is shown; the simulation does not wait for them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulation.doors import OPERATOR, NoAnswer, Refusal
from simulation.world import World

ASKED_EVERY: Final = 1.0
LINE_EVERY: Final = 5.0
BAR_CELLS: Final = 32


@dataclass(slots=True)
class Numbers:
    """What was asked last. Empty until the first answers."""

    intake: Mapping[str, Any] = field(default_factory=dict[str, Any])
    profiling: Mapping[str, Any] = field(default_factory=dict[str, Any])
    referral: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lag: int = 0
    dead_letters: int = 0


class Progress:
    """Follows a world until it is left: ``async with Progress(world, console) as progress``."""

    def __init__(self, world: World, console: Console) -> None:
        self._world = world
        self._console = console
        self._numbers = Numbers()
        self._began = time.monotonic()
        self._today: date | None = None
        self._asking: asyncio.Task[None] | None = None
        self._left = asyncio.Event()
        self._live = (
            Live(console=console, refresh_per_second=4, get_renderable=self._picture, transient=True)
            if console.is_terminal
            else None
        )

    def on_day(self, day: date) -> None:
        """The simulation has done this day."""
        self._today = day

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        self._asking = asyncio.create_task(self._follow())
        if self._live:
            self._live.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        if self._asking:
            await self._asking
        if self._live:
            self._live.stop()

    async def _follow(self) -> None:
        next_line = self._began + LINE_EVERY
        while not self._left.is_set():
            with suppress(NoAnswer, Refusal):  # whoever acts hears of it, and stops for it
                await self._ask()
            if self._live is None and time.monotonic() >= next_line:
                self._console.print(self._line(), highlight=False, soft_wrap=True)
                next_line = time.monotonic() + LINE_EVERY
            with suppress(TimeoutError):
                async with asyncio.timeout(ASKED_EVERY):
                    await self._left.wait()

    async def _ask(self) -> None:
        doors = self._world.doors
        books = ("intake", "profiling", "referral")
        answers = await asyncio.gather(*(doors.get(service, "/v1/books", OPERATOR) for service in books))
        statuses = await asyncio.gather(
            *(doors.get(service, "/runtime/status", OPERATOR) for service in doors.services)
        )
        lag = sum(sum(partitions.values()) for status in statuses for partitions in status["lag"].values())
        dead_letters = sum(status["dead_letters"] for status in statuses)
        self._numbers = Numbers(*answers, lag=lag, dead_letters=dead_letters)

    # --- in words and pictures ------------------------------------------------------------------------------------------

    @property
    def _rate(self) -> float:
        return len(self._world.arrived) / max(0.001, time.monotonic() - self._began)

    def _heading(self) -> str:
        world = self._world
        day = f"{self._today:%-d %B %Y}" if self._today else "the year begins"
        came = f"{len(world.arrived):,} of {world.county.size:,} people came"
        return f"{world.county.name} · {day} · {came} · {self._rate:.0f} people/s"

    def _line(self) -> str:
        told = ", ".join(f"{value:,} {name}" for name, value, _ in (*self._stages(), *self._seats(), *self._trouble()))
        return f"{self._heading()}: {told}"

    def _picture(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=22)
        table.add_column(justify="right", min_width=7)
        table.add_column(min_width=BAR_CELLS)
        for title, rows in (("People", self._stages()), ("Needs and seats", self._seats()), ("Watch", self._trouble())):
            table.add_row(Text(title, style="bold"))
            for name, value, whole in rows:
                bar = ProgressBar(total=max(1, whole), completed=value, width=BAR_CELLS) if whole else Text("")
                table.add_row(f"  {name}", f"{value:,}", bar)
        return Group(Text(self._heading(), style="bold cyan"), Text(""), table)

    def _stages(self) -> list[tuple[str, int, int]]:
        intake, whole = self._numbers.intake, self._world.county.size
        stages: Mapping[str, int] = self._numbers.profiling.get("cases", {})
        invited = stages.get("to-invite", 0) + stages.get("talk-due", 0)
        return [
            ("without consent", intake.get("without_consent", 0), whole),
            ("registered", intake.get("registered", 0), whole),
            ("wait for their talk", invited, whole),
            ("in the talk", stages.get("talk-begun", 0) + stages.get("profiled", 0), whole),
            ("with a plan", stages.get("planned", 0), whole),
            ("moved, withdrew, erased", stages.get("ended", 0) + stages.get("erased", 0), whole),
        ]

    def _seats(self) -> list[tuple[str, int, int]]:
        referral = self._numbers.referral
        needs: Mapping[str, int] = referral.get("needs", {})
        whole = sum(needs.values())
        asked = needs.get("held", 0) + needs.get("released", 0) + needs.get("agreed", 0)
        return [
            ("needs", whole, 0),
            ("needs that wait", needs.get("waiting", 0), whole),
            ("needs being asked for", asked, whole),
            ("needs accepted, closed", needs.get("accepted", 0) + needs.get("closed", 0), whole),
            ("seats taken", referral.get("held", 0), referral.get("seats", 0)),
        ]

    def _trouble(self) -> list[tuple[str, int, int]]:
        return [
            ("refused rows", len(self._world.refused), 0),
            ("events on their way", self._numbers.lag, 0),
            ("dead letters", self._numbers.dead_letters, 0),
        ]
