"""The wiring of profiling."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from schemas.events import ConsentWithdrawn
from schemas.topics import subscriptions, topic_of
from services.profiling.api import routes
from services.profiling.decide import decide, names
from services.profiling.evolve import evolve
from services.profiling.model import Case
from services.profiling.store import COLLECTIONS, writes
from services.profiling.waits import TIMES
from services.runtime.deciding import Logic
from services.runtime.running import Service
from services.runtime.service import run
from services.runtime.settings import Settings

NAME: Final = "profiling"

SERVICE: Final = Service(
    name=NAME,
    title="Wegenetz: profiling",
    logic=Logic(
        source=NAME,
        states=(Case,),
        names=names,
        decide=decide,
        evolve=evolve,
        writes=writes,
        times=TIMES,
        heeds=frozenset({ConsentWithdrawn}),
    ),
    topic=topic_of(NAME).name,
    subscriptions=subscriptions(NAME),
    collections=COLLECTIONS,
    routes=routes,
    messages=Path(__file__).with_name("messages"),
    gathers=True,
)


def main(settings: Settings) -> None:
    """Run until told to stop."""
    run(SERVICE, settings)
