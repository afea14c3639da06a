"""The wiring of referral."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from schemas.events import ConsentWithdrawn
from schemas.topics import subscriptions, topic_of
from services.referral.api import routes
from services.referral.decide import decide, names
from services.referral.directory.states import Partner
from services.referral.directory.states import Service as DirectoryService
from services.referral.evolve import evolve
from services.referral.locations import Locations
from services.referral.model import Case
from services.referral.notices.keeping import COLLECTIONS as NOTICE_COLLECTIONS
from services.referral.notices.sending import Post
from services.referral.offers import Offer
from services.referral.rounds import rounds
from services.referral.store import COLLECTIONS, writes
from services.referral.waits import TIMES
from services.runtime.deciding import Logic
from services.runtime.running import Service
from services.runtime.service import run
from services.runtime.settings import Settings

NAME: Final = "referral"

SERVICE: Final = Service(
    name=NAME,
    title="Wegenetz: referral",
    logic=Logic(
        source=NAME,
        states=(Case, Offer, Partner, DirectoryService),
        names=names,
        decide=decide,
        evolve=evolve,
        writes=writes,
        times=TIMES,
        heeds=frozenset({ConsentWithdrawn}),
    ),
    topic=topic_of(NAME).name,
    subscriptions=subscriptions(NAME),
    collections=(*COLLECTIONS, *NOTICE_COLLECTIONS),
    routes=routes,
    messages=Path(__file__).with_name("messages"),
    round=rounds,
    loops={"notices": lambda running: Post(running, Locations()).run},
)


def main(settings: Settings) -> None:
    """Run until told to stop."""
    run(SERVICE, settings)
