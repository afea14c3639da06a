"""What is kept of indicators, as it is asked for; and our own counts beside it. Every query is one county's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from services.reporting.indicators.declared import Indicator
from services.reporting.indicators.model import Delivery, Official
from services.reporting.indicators.own import Own, Published, has_own, own_figures
from services.reporting.steering.model import Reporting, ReportTerms, reporting_id
from services.runtime.records import Stored
from services.runtime.store import CountyStore, collection_of, state_collection

COLLECTIONS: Final = (
    state_collection(
        Official,
        IndexModel([("county", ASCENDING), ("body.indicator", ASCENDING), ("body.year", ASCENDING)], name="series"),
    ),
    state_collection(Delivery, IndexModel([("county", ASCENDING), ("body.at", DESCENDING)], name="latest")),
)

YEARS_SHOWN: Final = 3
"""Of our own counts, where no official figure says more."""
MOST_YEARS: Final = 30

PublishedFigures = Callable[[str, int], Awaitable[Published]]
"""County and year to everything published about them."""


@dataclass(frozen=True, slots=True)
class Series:
    """An indicator in a county: official figures by year, and our own, by year, beside them."""

    indicator: Indicator
    official: Sequence[Official]
    own: Sequence[tuple[int, Sequence[Own]]]


async def series(store: CountyStore, indicator: Indicator, published: PublishedFigures, today: date) -> Series:
    kept = await officials(store, indicator.id)
    own: list[tuple[int, Sequence[Own]]] = []
    if has_own(indicator.id):
        rule = (await report_terms(store)).year_of_entry
        last = today.year - 1
        first = min([last - YEARS_SHOWN + 1, *(one.year for one in kept)])
        for year in range(max(first, last - MOST_YEARS + 1), last + 1):
            figures = await published(store.county, year)
            own.append((year, own_figures(indicator.id, year, figures, rule)))
    return Series(indicator, kept, own)


async def officials(store: CountyStore, indicator: str) -> list[Official]:
    """The official figures of an indicator, by year."""
    found = await store.find(collection_of(Official.KIND), {"body.indicator": indicator}, sort=[("body.year", 1)])
    return [_official(Stored.from_document(Official, one)) for one in found]


async def latest_years(store: CountyStore) -> dict[str, int]:
    """The latest year of each indicator for which something was delivered."""
    stages = [{"$group": {"_id": "$body.indicator", "latest": {"$max": "$body.year"}}}]
    return {one["_id"]: one["latest"] for one in await store.aggregate(collection_of(Official.KIND), stages)}


async def delivery(store: CountyStore, id: str) -> Delivery | None:
    stored = await store.state(Delivery, id)
    return stored.state if stored is not None and isinstance(stored.state, Delivery) else None


async def deliveries(store: CountyStore, after: str | None, most: int) -> list[Delivery]:
    """Deliveries by id."""
    query = {"_id": {"$gt": after}} if after else {}
    found = await store.find(collection_of(Delivery.KIND), query, sort=[("_id", 1)], limit=most)
    states = [Stored.from_document(Delivery, one).state for one in found]
    return [one for one in states if isinstance(one, Delivery)]


async def report_terms(store: CountyStore) -> ReportTerms:
    stored = await store.state(Reporting, reporting_id(store.county))
    return stored.state.now if stored is not None and isinstance(stored.state, Reporting) else ReportTerms()


def _official(stored: Stored) -> Official:
    if not isinstance(stored.state, Official):
        raise TypeError("no official figures")
    return stored.state


async def latest_deliveries(store: CountyStore, most: int) -> list[Delivery]:
    """The latest deliveries first."""
    found = await store.find(collection_of(Delivery.KIND), {}, sort=[("body.at", -1)], limit=most)
    states = [Stored.from_document(Delivery, one).state for one in found]
    return [one for one in states if isinstance(one, Delivery)]
