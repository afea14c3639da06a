"""The texts of a report, as they are asked for. Every query is one county's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pymongo import ASCENDING, IndexModel

from services.reporting.yearly.model import ReportText, text_id
from services.runtime.records import Stored
from services.runtime.store import CountyStore, collection_of, state_collection

COLLECTIONS: Final = (
    state_collection(ReportText, IndexModel([("county", ASCENDING), ("body.year", ASCENDING)], name="year")),
)


async def texts(store: CountyStore, year: int) -> Mapping[str, ReportText]:
    """The texts of a year by section."""
    found = await store.find(collection_of(ReportText.KIND), {"body.year": year})
    states = [Stored.from_document(ReportText, one).state for one in found]
    return {one.section: one for one in states if isinstance(one, ReportText)}


async def text(store: CountyStore, year: int, section: str) -> ReportText:
    """The text of a section; one of which nothing was written yet, if there is none."""
    id = text_id(store.county, year, section)
    stored = await store.state(ReportText, id)
    if stored is not None and isinstance(stored.state, ReportText):
        return stored.state
    return ReportText(id=id, year=year, section=section)
