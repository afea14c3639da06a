"""The wiring of reporting."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Final

from schemas.topics import subscriptions, topic_of
from services.reporting.api import routes
from services.reporting.books import CountyBooks
from services.reporting.decide import decide, evolve, names
from services.reporting.records import pseudonyms_of_this_process
from services.reporting.store import COLLECTIONS, COUNTABLES, writes
from services.runtime.deciding import Logic
from services.runtime.running import Running, Service
from services.runtime.service import run
from services.runtime.settings import Settings
from services.runtime.turns import Round

NAME: Final = "reporting"


LOOKS_EVERY: Final = 10.0
"""Seconds (machine time) between two looks at a county's ledger, each of which reads all of it."""


def keep_up_with(running: Running) -> Round:
    """The round of reporting: the counts of a county are kept small and of the declared edition."""
    looked_at: dict[str, float] = {}

    async def round(county: str) -> None:
        now = time.monotonic()
        if now - looked_at.get(county, -LOOKS_EVERY) >= LOOKS_EVERY:
            looked_at[county] = now
            await CountyBooks(running.database, county).keep_up()

    return round


SERVICE: Final = Service(
    name=NAME,
    title="Wegenetz: reporting",
    logic=Logic(
        source=NAME,
        states=COUNTABLES,
        names=names,
        decide=partial(decide, pseudonyms=pseudonyms_of_this_process()),
        evolve=evolve,
        writes=writes,
    ),
    topic=topic_of(NAME).name,
    subscriptions=subscriptions(NAME),
    collections=COLLECTIONS,
    routes=routes,
    messages=Path(__file__).with_name("messages"),
    round=keep_up_with,
)


def main(settings: Settings) -> None:
    """Run until told to stop."""
    run(SERVICE, settings)
