"""Referral's doors, rules and rounds on the real database, without a broker; news of other services is handed in by the test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from schemas.codes import Purpose, Role, ServiceKind, Way
from schemas.envelope import Envelope, Subject
from schemas.events import (
    ArrivalRegistered,
    ConsentGiven,
    EventData,
    GermanLevels,
    NeedConfirmed,
    ProfileRecorded,
    source_of,
)
from schemas.topics import topic_of
from services.referral.api import routes
from services.referral.locations import Locations
from services.referral.model import Case
from services.referral.rounds import Rounds
from services.referral.service import SERVICE
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import VirtualClock
from services.runtime.health import Health
from services.runtime.leases import Lease
from services.runtime.local_issuer import LocalIssuer
from services.runtime.metrics import Metrics
from services.runtime.reading import Resolution
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
from tests.referral.network import COUNTY, COURSE, MELLE, NOW, id_of, need_of


class House:
    """One running copy. `hear` settles events as records would be; `client` is somebody at the door."""

    def __init__(self, running: Running, app: FastAPI, locations: Locations, issuer: LocalIssuer) -> None:
        self.running = running
        self._app = app
        self._locations = locations
        self._issuer = issuer
        self._sequences: dict[tuple[str, Subject], int] = {}

    @property
    def app(self) -> FastAPI:
        return self._app

    @property
    def store(self) -> CountyStore:
        return self.running.store(COUNTY)

    def client(self, role: Role, organisation: str | None = None, **other: str) -> httpx.AsyncClient:
        token = self._issuer.token(f"{role}-1", role, other.get("county", COUNTY), organisation=organisation)
        language = other.get("language", "en")
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url="http://referral",
            headers={"authorization": f"Bearer {token}", "accept-language": language},
        )

    async def empty(self) -> None:
        """Nothing has ever happened here, and it is `NOW` again, which no clock in service would do."""
        vars(self.running.clock)["_now"] = NOW
        self._sequences.clear()
        self.running.settler.recent = Recent()
        self._locations.forget()
        lease = Lease(self.running.database, "rounds", self.running.settings.instance)
        self.running.turns.round = Rounds(self.running, lease).run
        for name in await self.running.database.raw.list_collection_names():
            await self.running.database.raw[name].delete_many({})

    async def collections(self) -> list[str]:
        """The names of everything that is stored."""
        return await self.running.database.raw.list_collection_names()

    async def hear(self, *news: tuple[EventData, str]) -> None:
        """Settle these events together; all of them apply."""
        assert {*await self.take(*(self.record(event, id) for event, id in news))} == {Result.APPLIED}

    async def take(self, *records: RawRecord, resolution: Resolution | None = None) -> list[Result]:
        """What becomes of these records, settled together. `resolution`: of the dead letter as which they are sent again."""
        fetched = [self.running.settler.reader.read(record, resolution) for record in records]
        return [outcome.result for outcome in await self.running.settler.settle(self.store, fetched)]

    def record(self, event: EventData, id: str) -> RawRecord:
        subject, source = Subject(event.SUBJECT, id), source_of(type(event))
        number = self._sequences[source, subject] = self._sequences.get((source, subject), 0) + 1
        envelope = Envelope(event_id(source, subject, number), source, event.TYPE, subject, COUNTY, number, NOW)
        value = event.model_dump_json().encode()
        return RawRecord(topic_of(source).name, 0, 0, str(subject).encode(), value, tuple(envelope.to_headers()))

    async def people(self, names: Sequence[str], kind: ServiceKind = COURSE) -> None:
        """Each arrives, consents to everything, is profiled and needs a place, as in `network`."""
        await self.hear(*(one for name in names for one in life(name, kind)))

    async def round(self) -> None:
        assert self.running.turns.round is not None
        await self.running.turns.round(COUNTY)

    async def case(self, name: str) -> Case:
        stored = await self.store.state(Case, id_of(name, "case"))
        assert stored is not None
        assert isinstance(stored.state, Case)
        return stored.state

    async def books(self) -> dict[str, Any]:
        """The books as they are kept, which are those that a recount finds."""
        async with self.client(Role.OPERATOR) as operator:
            recounted = (await operator.get("/v1/books?recount=true")).json()
            kept = (await operator.get("/v1/books")).json()
        assert kept == {**recounted, "overbooked": None, "waiting_because": None}
        assert sum(recounted["waiting_because"].values()) == recounted["needs"]["waiting"]
        assert recounted["overbooked"] == []
        return recounted

    async def move_clock(self, to: datetime) -> None:
        assert isinstance(self.running.clock, VirtualClock)
        await self.running.clock.move(to)
        await self.running.turns.turn()


def life(name: str, kind: ServiceKind = COURSE) -> list[tuple[EventData, str]]:
    """What intake and profiling tell of somebody."""
    case = id_of(name, "case")
    arrival = ArrivalRegistered.model_validate(
        {
            "district": MELLE,
            "arrived_on": "2016-03-01",
            "birth_year": 1982,
            "sex": "male",
            "residence_group": "refugee",
            "languages": ("ara",),
            "way": Way.OFFICE_FILE,
            "consents": (Purpose.TRANSFER,),
        }
    )
    profile = ProfileRecorded.model_validate(
        {
            "version": 1,
            "complete": True,
            "german": GermanLevels.model_validate({"writing": "a1"}),
            "available": ("weekday-morning",),
        }
    )
    need = NeedConfirmed(need=need_of(name, kind), kind=kind)
    return [(event, case) for event in (arrival, ConsentGiven(purposes=tuple(Purpose)), profile, need)]


def key() -> dict[str, str]:
    """An action that was never sent before."""
    return {"idempotency-key": secrets.token_hex(8)}


@asynccontextmanager
async def open_house(database_url: str, prefix: str, folder: Path, **more: Any) -> AsyncIterator[House]:
    """A house whose clock stands at `NOW`, serving two counties. `more`: other settings."""
    settings = Settings(
        service=SERVICE.name,
        counties=(COUNTY, "03157"),
        database_url=SecretStr(database_url),
        database_prefix=prefix,
        local_issuer_key_file=folder / "issuer.jwk",
        clock="virtual",
        clock_start=NOW,
        **more,
    )
    health, metrics = Health(), Metrics()
    running = wired(SERVICE, settings, Telemetry(), metrics, health)
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
            routers=(routes(running, locations := Locations()),),
        )
        desk = asyncio.create_task(running.desk.run(stop))
        try:
            yield House(running, app, locations, LocalIssuer(settings))
        finally:
            stop.set()
            await desk
            running.database.close()
