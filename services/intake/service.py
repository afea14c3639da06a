"""Intake, wired."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from schemas.topics import subscriptions, topic_of
from services.intake.api import routes
from services.intake.commands import ReadPerson
from services.intake.decide import decide, evolve, names
from services.intake.model import AuditDay, Calendar, Case, Count, Daybook, Row
from services.intake.store import COLLECTIONS, writes
from services.intake.waits import TIMES
from services.runtime.deciding import Logic
from services.runtime.running import Service
from services.runtime.service import run
from services.runtime.settings import Settings

NEEDS: Final = ("person_key",)
"""Settings without which this service does not start."""

SERVICE: Final = Service(
    name="intake",
    title="Wegenetz: intake",
    logic=Logic(
        source="intake",
        states=(Case, Daybook, Calendar, Row, Count, AuditDay),
        names=names,
        decide=decide,
        evolve=evolve,
        writes=writes,
        times=TIMES,
        looking=(ReadPerson,),
    ),
    topic=topic_of("intake").name,
    subscriptions=subscriptions("intake"),
    collections=COLLECTIONS,
    routes=routes,
    messages=Path(__file__).with_name("messages"),
    gathers=True,
)


def main(settings: Settings) -> None:
    """Run until told to stop. Blocks."""
    run(SERVICE, settings)
