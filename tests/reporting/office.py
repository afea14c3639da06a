"""Reporting's doors and counts on the real database, without a broker: records are handed in by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
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
from services.reporting.books import CountyBooks
from services.reporting.service import SERVICE
from services.reporting.sums import Sums
from services.reporting.tables import DECLARED
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import VirtualClock
from services.runtime.health import Health
from services.runtime.local_issuer import LocalIssuer
from services.runtime.metrics import Metrics
from services.runtime.records import RawRecord, event_id
from services.runtime.running import Running
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.settle import Result
from services.runtime.telemetry import Telemetry
from services.runtime.web import build_app
from services.runtime.wiring import wired
from tests.reporting.county import COUNTY, MARCH

OTHER_COUNTY = "03157"


class Sender:
    """Makes records of what is told, numbered for each subject and source as their service would."""

    def __init__(self, county: str = COUNTY) -> None:
        self.county = county
        self._sequences: dict[tuple[str, Subject], int] = {}

    def record(self, id: str, event: EventData, at: datetime = MARCH) -> RawRecord:
        subject, source = Subject(event.SUBJECT, id), source_of(type(event))
        number = self._sequences[source, subject] = self._sequences.get((source, subject), 0) + 1
        envelope = Envelope(event_id(source, subject, number), source, event.TYPE, subject, self.county, number, at)
        value = event.model_dump_json().encode()
        return RawRecord(topic_of(source).name, 0, 0, str(subject).encode(), value, tuple(envelope.to_headers()))


class Office:
    """One running copy, serving two counties."""

    def __init__(self, running: Running, app: Any, issuer: LocalIssuer) -> None:
        self.running = running
        self.books = CountyBooks(running.database, COUNTY)
        self.app = app
        self._issuer = issuer

    def client(self, role: Role = Role.OPERATOR, *, county: str = COUNTY, language: str = "de") -> httpx.AsyncClient:
        token = self._issuer.token("somebody", role, county)
        headers = {"authorization": f"Bearer {token}", "accept-language": language}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://reporting", headers=headers)

    def books_of(self, county: str) -> CountyBooks:
        return CountyBooks(self.running.database, county)

    async def take(self, records: Sequence[RawRecord], *, county: str = COUNTY) -> list[Result]:
        """Settle these records as one batch."""
        settler = self.running.settler
        outcomes = await settler.settle(self.running.store(county), [settler.reader.read(record) for record in records])
        return [outcome.result for outcome in outcomes]

    async def counted(self, year: str = "2016") -> Sums:
        """Every cell of a year."""
        sums = Sums()
        for table in DECLARED.tables:
            sums.merge(await self.books.counts(table, f"{year}-01", f"{year}-12"))
        return sums

    async def entries(self) -> int:
        """How many entries wait in the ledger."""
        return await self.running.store(COUNTY).count("ledger", {})

    async def stand(self, instant: datetime) -> None:
        """Put the clock there."""
        assert isinstance(self.running.clock, VirtualClock)
        await self.running.clock.move(instant)

    async def empty(self) -> None:
        """Nothing has ever been counted here."""
        for name in await self.running.database.raw.list_collection_names():
            await self.running.database.raw[name].delete_many({})

    async def contents(self) -> str:
        """All that is stored, as text, with the collection before each document."""
        raw = self.running.database.raw
        return "\n".join(
            [
                f"{name}: {document!r}"
                for name in sorted(await raw.list_collection_names())
                for document in await raw[name].find({}).to_list(None)
            ]
        )


@asynccontextmanager
async def open_office(database_url: str, prefix: str, folder: Path) -> AsyncIterator[Office]:
    settings = Settings(
        service=SERVICE.name,
        counties=(COUNTY, OTHER_COUNTY),
        database_url=SecretStr(database_url),
        database_prefix=prefix,
        local_issuer_key_file=folder / "issuer.jwk",
        clock="virtual",
        clock_start=MARCH,
    )
    health, metrics = Health(), Metrics()
    running = wired(SERVICE, settings, Telemetry(tracing=False), metrics, health)
    await running.database.prepare(SERVICE.collections)
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
        stop = asyncio.Event()
        desk = asyncio.create_task(running.desk.run(stop))
        try:
            yield Office(running, app, LocalIssuer(settings))
        finally:
            stop.set()
            await desk
            running.database.close()
