"""The console's tools, as its pages and loops are given them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.operations.letters import Letters
from services.operations.span_store import Hour, SpanStore
from services.operations.watching import EVERY, Watch
from services.runtime.health import Component
from services.runtime.settings import Settings
from services.runtime.waiting import set_within


class Slowest:
    """What was slowest, worked out once for each look at the services: it costs the same however many people have the page open."""

    def __init__(self) -> None:
        self._hours: dict[str, Hour] = {}

    def of(self, county: str) -> Hour:
        return self._hours.get(county, Hour())

    async def look(self, spans: SpanStore, counties: Sequence[str]) -> None:
        for county in counties:
            self._hours[county] = await asyncio.to_thread(spans.hour, county)


@dataclass(frozen=True, slots=True)
class Console:
    """`closing` is set when the process stops: what would go on for ever ends then."""

    settings: Settings
    spans: SpanStore
    watch: Watch
    letters: Letters
    closing: asyncio.Event
    slowest: Slowest = field(default_factory=Slowest)

    async def look(self) -> None:
        """One look at everything: the spans that came, and then the replicas, after which pages are told."""
        await self.slowest.look(self.spans, self.settings.counties)
        await self.watch.look()

    async def run(self, component: Component) -> None:
        """Look every few seconds, until the process stops."""
        while not self.closing.is_set():
            await self.look()
            component.progressed()
            await set_within(self.closing, EVERY)
