"""What has been published of a year, for those parts of the service that count from it: never anything else."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from services.reporting.indicators.own import NOT_SHOWN, NotShown, Published
from services.reporting.indicators.reading import PublishedFigures
from services.reporting.releases import keeping
from services.reporting.releases.content import Content
from services.reporting.releases.formats.plain import CONTENT_FILE
from services.reporting.sums import Cell
from services.runtime.running import Running

MOST_YEARS: Final = 12
"""Years of which the figures are kept in memory, some thousand each."""


def published_figures(running: Running) -> PublishedFigures:
    """The figures of a county's year in all its releases; where two have the same, that of the one published last."""
    known: OrderedDict[tuple[str, int], tuple[tuple[str, ...], Published]] = OrderedDict()

    async def figures(county: str, year: int) -> Published:
        store = running.store(county)
        releases = [one for one in await keeping.releases(store) if one.issue.year == str(year)]
        batches = tuple(one.batch for one in releases)
        if (kept := known.get((county, year))) is not None and kept[0] == batches:
            return kept[1]
        found: dict[Cell, int | NotShown] = {}
        for release in reversed(releases):
            content = Content.model_validate_json(await keeping.file(store, release.batch, CONTENT_FILE))
            found |= {cell: NOT_SHOWN if figure is None else figure for cell, figure in content.figures.items()}
        known[county, year] = batches, found
        while len(known) > MOST_YEARS:
            known.popitem(last=False)
        return found

    return figures
