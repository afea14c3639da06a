"""A migration centre at work: profiling's doors and rules on the real database, without a broker; news is handed in by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from schemas.codes import Role
from schemas.envelope import Envelope, Subject
from schemas.events import EventData, source_of
from schemas.topics import topic_of
from services.profiling.service import SERVICE
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import VirtualClock
from services.runtime.health import Health
from services.runtime.local_issuer import LocalIssuer
from services.runtime.metrics import Metrics
from services.runtime.recent import Recent
from services.runtime.records import RawRecord, event_id
from services.runtime.running import Running
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.settle import Result
from services.runtime.store import CountyStore
from services.runtime.telemetry import Telemetry
from services.runtime.web import build_app
from services.runtime.wiring import wired
from tests.profiling.talks import COUNTY, NOW


class Centre:
    """One running copy. `hears` settles an event as a record would be; `client` is somebody at the door."""

    def __init__(self, running: Running, app: Any, issuer: LocalIssuer) -> None:
        self.running = running
        self._app = app
        self._issuer = issuer
        self._sequences: dict[tuple[str, Subject], int] = {}

    @property
    def store(self) -> CountyStore:
        return self.running.store(COUNTY)

    def client(
        self, role: Role = Role.COUNSELLOR, *, office: str | None = None, county: str = COUNTY, language: str = "de"
    ) -> httpx.AsyncClient:
        token = self._issuer.token("counsellor-1", role, county, office=office)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url="http://profiling",
            headers={"authorization": f"Bearer {token}", "accept-language": language},
        )

    async def empty(self) -> None:
        """Nothing has ever happened here."""
        self._sequences.clear()
        self.running.settler.recent = Recent()
        for name in await self.running.database.raw.list_collection_names():
            await self.running.database.raw[name].delete_many({})

    async def move_clock(self, to: datetime) -> None:
        assert isinstance(self.running.clock, VirtualClock)
        await self.running.clock.move(to)
        await self.running.turns.turn()

    async def hears(self, event: EventData, id: str, *, waits: bool = False) -> None:
        """`waits`: something before it is missing."""
        subject, source = Subject(event.SUBJECT, id), source_of(type(event))
        number = self._sequences[source, subject] = self._sequences.get((source, subject), 0) + 1
        envelope = Envelope(event_id(source, subject, number), source, event.TYPE, subject, COUNTY, number, NOW)
        raw = RawRecord(
            topic=topic_of(source).name,
            partition=0,
            offset=0,
            key=str(subject).encode(),
            value=event.model_dump_json().encode(),
            headers=tuple(envelope.to_headers()),
        )
        settler = self.running.settler
        (outcome,) = await settler.settle(self.store, [settler.reader.read(raw)])
        assert outcome.result is (Result.PARKED if waits else Result.APPLIED), outcome

    def misses(self, event: EventData, id: str) -> None:
        """It was told, but does not come, or not so that anybody could read it."""
        key = source_of(type(event)), Subject(event.SUBJECT, id)
        self._sequences[key] = self._sequences.get(key, 0) + 1


@asynccontextmanager
async def open_centre(database_url: str, prefix: str, folder: Path) -> AsyncIterator[Centre]:
    """A centre whose clock stands at `NOW`, serving two counties."""
    settings = Settings(
        service=SERVICE.name,
        counties=(COUNTY, "03157"),
        database_url=SecretStr(database_url),
        database_prefix=prefix,
        local_issuer_key_file=folder / "issuer.jwk",
        clock="virtual",
        clock_start=NOW,
    )
    health, metrics = Health(), Metrics()
    running = wired(SERVICE, settings, Telemetry(), metrics, health)
    assert isinstance(running.clock, VirtualClock)
    await running.database.prepare(SERVICE.collections)
    stop = asyncio.Event()
    async with httpx.AsyncClient() as http:
        app = build_app(
            title=SERVICE.title,
            version="1",
            settings=settings,
            verifier=verifier_of(settings, http),
            catalogue=Catalogue(RUNTIME_MESSAGES, SERVICE.messages),
            health=health,
            metrics=metrics,
            routers=(SERVICE.routes(running),),
        )
        desk = asyncio.create_task(running.desk.run(stop))
        try:
            yield Centre(running, app, LocalIssuer(settings))
        finally:
            stop.set()
            await desk
            running.database.close()
