"""Releases as they are shown, with what was drawn of them. What is published never changes, so nothing here is ever out of date: a
picture is known by the releases that it was made from.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from services.reporting.dashboard.exhibits import Exhibit
from services.reporting.dashboard.pictures import draw
from services.reporting.dashboard.telling import BACK, Known, Teller
from services.reporting.disclosure.sets import Span
from services.reporting.indicators.own import NotShown
from services.reporting.indicators.reading import PublishedFigures
from services.reporting.releases import keeping
from services.reporting.releases.content import Content
from services.reporting.releases.formats.plain import CONTENT_FILE
from services.reporting.releases.model import Release
from services.reporting.sums import Cell
from services.runtime.catalogue import Catalogue, Language
from services.runtime.running import Running

MESSAGES: Final = Path(__file__).with_name("messages")
MOST_CONTENTS: Final = 8
"""Releases kept read, some megabytes each."""
MOST_PICTURES: Final = 600
"""Pictures kept, some ten kilobytes each."""


class Gallery:
    """Shows the releases of counties."""

    def __init__(self, running: Running, published: PublishedFigures, catalogue: Catalogue) -> None:
        self._running = running
        self._published = published
        self._catalogue = catalogue
        self._contents: OrderedDict[str, Content] = OrderedDict()
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._pictures: OrderedDict[tuple[str, ...], asyncio.Task[bytes]] = OrderedDict()

    async def releases(self, county: str) -> list[Release]:
        """Those published last first."""
        return await keeping.releases(self._running.store(county))

    async def content(self, county: str, release: Release) -> Content:
        """Everything that a release says."""
        if (kept := self._contents.get(release.batch)) is not None:
            self._contents.move_to_end(release.batch)
            return kept
        written = await keeping.file(self._running.store(county), release.batch, CONTENT_FILE)
        found = await asyncio.to_thread(Content.model_validate_json, written)
        self._contents[release.batch] = found
        while len(self._contents) > MOST_CONTENTS:
            self._contents.popitem(last=False)
        return found

    async def known(self, county: str, release: Release, releases: Sequence[Release]) -> Known:
        """A release, with what others say of the years before it."""
        edition = edition_of(county, release, releases)
        if (kept := self._known.get(edition)) is not None:
            self._known.move_to_end(edition)
            return kept
        last = int(release.issue.year)
        years = sorted({one.issue.year for one in releases if last - BACK[Span.YEAR] < int(one.issue.year) <= last})
        others: dict[Cell, int | NotShown] = {}
        for year in years:
            others |= await self._published(county, int(year))
        content = await self.content(county, release)
        known = self._known[edition] = Known(county, release.issue, content.figures, others)
        while len(self._known) > MOST_CONTENTS:
            self._known.popitem(last=False)
        return known

    def teller(self, known: Known, language: Language) -> Teller:
        return Teller(known, self._catalogue, language)

    async def picture(
        self, edition: str, known: Known, exhibit: Exhibit, span: Span, language: Language
    ) -> bytes | None:
        """The picture, drawn once; None where there is nothing to draw. Two who ask at the same time wait for one drawing."""
        teller = self.teller(known, language)
        shown = teller.told(exhibit, span)
        if shown.gap:
            return None
        key = (edition, exhibit.id, str(span), language)
        return await self._once(key, lambda: draw(shown, teller, known.county, language))

    async def _once(self, key: tuple[str, ...], make: Callable[[], bytes]) -> bytes:
        task = self._pictures.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.create_task(asyncio.to_thread(make))
            self._pictures[key] = task
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(key)
        return await asyncio.shield(task)


def edition_of(county: str, release: Release, releases: Sequence[Release]) -> str:
    """Names what a picture is made from: the chosen release and all that there were. It stands in addresses."""
    batches = [county, release.batch, *sorted(one.batch for one in releases)]
    return hashlib.sha256("/".join(batches).encode()).hexdigest()[:16]
