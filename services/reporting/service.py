"""The wiring of reporting."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from schemas.topics import subscriptions, topic_of
from services.reporting.api import routes
from services.reporting.api_catalogue import catalogue_routes
from services.reporting.api_figures import figure_routes
from services.reporting.api_releases import Shelf, release_routes
from services.reporting.books import CountyBooks
from services.reporting.desks import decide, evolve, names
from services.reporting.indicators.keeping import STATES as INDICATOR_STATES
from services.reporting.indicators.reading import COLLECTIONS as INDICATOR_COLLECTIONS
from services.reporting.records import pseudonyms_of_this_process
from services.reporting.releases.keeping import COLLECTIONS as RELEASE_COLLECTIONS
from services.reporting.releases.model import Release
from services.reporting.releases.publishing import Publisher
from services.reporting.steering.keeping import STATES as STEERING_STATES
from services.reporting.steering.reading import COLLECTIONS as STEERING_COLLECTIONS
from services.reporting.store import COLLECTIONS, COUNTABLES, writes
from services.reporting.yearly.keeping import STATES as YEARLY_STATES
from services.reporting.yearly.reading import COLLECTIONS as YEARLY_COLLECTIONS
from services.runtime.deciding import Logic
from services.runtime.running import Running, Service
from services.runtime.service import run
from services.runtime.settings import Settings
from services.runtime.turns import Round

NAME: Final = "reporting"


LOOKS_EVERY: Final = 10.0
"""Seconds (machine time) between two looks at a county's ledger, each of which reads all of it."""


def keep_up_with(running: Running) -> Round:
    """The round of reporting: the counts of a county are kept small and of the declared edition; what is due is published."""
    looked_at: dict[str, float] = {}
    complete = running.metrics.gauges(
        "releases_complete_timestamp_seconds", "When last no release was missing whose day had come", "county"
    )

    def is_complete(county: str, at: float) -> None:
        complete.of(county).set(at)

    publisher = Publisher(running, is_complete)

    async def round(county: str) -> None:
        now = time.monotonic()
        if now - looked_at.get(county, -LOOKS_EVERY) >= LOOKS_EVERY:
            looked_at[county] = now
            await CountyBooks(running.database, county).keep_up()
        await publisher.publish_due(county)

    return round


def all_routes(running: Running) -> APIRouter:
    """The doors for operators, and those for everybody else."""
    router = APIRouter()
    router.include_router(routes(running))
    shelf = Shelf(running)
    router.include_router(figure_routes(shelf))
    router.include_router(release_routes(running, shelf))
    router.include_router(catalogue_routes(running))
    return router


SERVICE: Final = Service(
    name=NAME,
    title="Wegenetz: reporting",
    logic=Logic(
        source=NAME,
        states=(*COUNTABLES, Release, *INDICATOR_STATES, *STEERING_STATES, *YEARLY_STATES),
        names=names,
        decide=partial(decide, pseudonyms=pseudonyms_of_this_process()),
        evolve=evolve,
        writes=writes,
    ),
    topic=topic_of(NAME).name,
    subscriptions=subscriptions(NAME),
    collections=(
        *(*COLLECTIONS, *RELEASE_COLLECTIONS),
        *(*INDICATOR_COLLECTIONS, *STEERING_COLLECTIONS, *YEARLY_COLLECTIONS),
    ),
    routes=all_routes,
    messages=Path(__file__).with_name("messages"),
    gathers=True,
    round=keep_up_with,
)


def main(settings: Settings) -> None:
    """Run until told to stop."""
    run(SERVICE, settings)
