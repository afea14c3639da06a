"""Intake behind its doors: the real routes, rules and database in one process, time held by hand, and nobody to listen to its events."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from schemas.codes import Role
from schemas.envelope import Envelope, Subject
from schemas.events import CATALOGUE, EventData, source_of
from services.intake.service import SERVICE
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import HandClock
from services.runtime.desk import Desk
from services.runtime.health import Health
from services.runtime.ids import Ids
from services.runtime.measuring import MetricsWatcher
from services.runtime.metrics import Metrics
from services.runtime.reading import Fetched, Reader
from services.runtime.records import RawRecord
from services.runtime.running import Running
from services.runtime.security import LocalIssuer, verifier_of
from services.runtime.settings import Settings
from services.runtime.settle import Settler
from services.runtime.store import CountyStore, Database
from services.runtime.telemetry import Telemetry
from services.runtime.turns import Turns
from services.runtime.web import build_app
from tests.intake.office import COUNTY, OFFICE, TUESDAY


class Door:
    """`ask` somebody to do something in a role; `rows_of` looks into a collection; `hears` hands an event in."""

    def __init__(self, running: Running, client: httpx.AsyncClient, issuer: LocalIssuer) -> None:
        self.running = running
        self.client = client
        self._issuer = issuer
        self._numbers = count(1)
        self._sequences: dict[str, int] = {}

    @property
    def store(self) -> CountyStore:
        return self.running.store(COUNTY)

    def at(self, instant: datetime) -> None:
        assert isinstance(self.running.clock, HandClock)
        self.running.clock.set(instant)

    async def ask(self, method: str, path: str, role: Role = Role.COUNSELLOR, **rest: Any) -> httpx.Response:
        """A request. `office`, `organisation`, `site` and `county` go into the token, `key` into the header."""
        claims = {name: rest.pop(name) for name in ("office", "organisation", "site") if name in rest}
        if role in (Role.CLERK, Role.AUTHORITY_CLERK):
            claims.setdefault("office", OFFICE)
        token = self._issuer.token(f"a-{role}", role, rest.pop("county", COUNTY), **claims)
        headers = {"Authorization": f"Bearer {token}", **rest.pop("headers", {})}
        if method == "POST":
            headers["Idempotency-Key"] = rest.pop("key", f"key-{next(self._numbers)}")
        return await self.client.request(method, path, headers=headers, **rest)

    async def imports(self, content: str | bytes, **rest: Any) -> httpx.Response:
        body = content.encode() if isinstance(content, str) else content
        return await self.ask("POST", "/v1/imports", rest.pop("role", Role.CLERK), content=body, **rest)

    async def problems_of(self, report: dict[str, Any], limit: int = 200, **rest: Any) -> list[dict[str, Any]]:
        """Everything that is wrong in a file, page after page."""
        listed: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            after = f"&cursor={cursor}" if cursor else ""
            path = f"/v1/imports/{report['id']}/problems?limit={limit}{after}"
            page = (await self.ask("GET", path, Role.CLERK, **rest)).json()
            assert len(page["items"]) <= limit
            listed += page["items"]
            cursor = page["next"]
        return listed

    async def registers(self, **told: Any) -> str:
        answer = await self.ask("POST", "/v1/arrivals", Role.CLERK, json=body(**told))
        assert answer.status_code == 201, answer.text
        return answer.json()["case"]

    async def hears(self, event: EventData, case: str) -> None:
        number = self._sequences[case] = self._sequences.get(case, 0) + 1
        source = source_of(type(event))
        envelope = Envelope(case, source, event.TYPE, Subject("case", case), COUNTY, number, self.running.clock.now())
        raw = RawRecord(f"{source}.events.v1", 0, number, None, b"{}", ())
        await self.running.settler.settle(self.store, [Fetched(raw, envelope, data=event)])

    async def rows_of(self, collection: str) -> list[dict[str, Any]]:
        return await self.store.find(collection, {}, sort=[("_id", 1)])

    async def told(self) -> list[EventData]:
        """The events in the outbox, in their order."""
        documents = await self.store.find("outbox", {}, sort=[("order", 1)])
        return [
            CATALOGUE[event["type"]].model_validate_json(event["value"])
            for document in documents
            for event in document["events"]
            if event["type"] in CATALOGUE
        ]


async def everything_stored(door: Door) -> str:
    """All documents of all collections as text; bytes as they are, where they can be read at all."""
    raw = door.running.database.raw
    documents = [
        document for name in await raw.list_collection_names() for document in await raw[name].find().to_list(None)
    ]
    return json.dumps(documents, default=_readable, ensure_ascii=False)


def _readable(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def body(**told: Any) -> dict[str, Any]:
    """One arrival as an office's software sends it."""
    good = {
        "family_name": "Łączak",
        "given_names": "Żaneta",
        "birth_date": "1990-05-17",
        "municipality_key": "034590014014",
        "arrival_date": "2016-01-04",
        "languages": ["pol", "eng"],
        "citizenships": ["152"],
        "phone": "0541 000000",
        "email": "zaneta@example.org",
        "consent": {"given": True, "language": "pol", "text_version": "2016-1"},
    }
    return good | told


@asynccontextmanager
async def open_door(database: Database, folder: Path, *, now: datetime = TUESDAY) -> AsyncIterator[Door]:
    """Intake at work on a prepared database."""
    settings = Settings.load(
        service="intake",
        needs=("person_key",),
        person_key=base64.b64encode(bytes(range(32))).decode(),
        local_issuer_key_file=folder / "issuer.jwk",
        counties=(COUNTY, "03157"),
    )
    clock, metrics, telemetry = HandClock(now), Metrics(), Telemetry(tracing=False)
    reader = Reader({model for models in SERVICE.subscriptions.values() for model in models})
    settler = Settler(SERVICE.logic, reader, clock, telemetry, MetricsWatcher(metrics, SERVICE.logic.times))
    nobody: Any = None
    running = Running(
        service=SERVICE,
        settings=settings,
        clock=clock,
        database=database,
        settler=settler,
        desk=Desk(settler, database),
        relay=nobody,
        producer=nobody,
        turns=Turns(settler, database, clock, [COUNTY]),
        health=Health(),
        metrics=metrics,
        telemetry=telemetry,
        ids=Ids(),
    )
    async with httpx.AsyncClient() as keys:
        app = build_app(
            title="Intake",
            version="1",
            settings=settings,
            verifier=verifier_of(settings, keys),
            catalogue=Catalogue(RUNTIME_MESSAGES, SERVICE.messages),
            health=running.health,
            metrics=metrics,
            routers=[SERVICE.routes(running)],
        )
        stop = asyncio.Event()
        desk = asyncio.create_task(running.desk.run(stop))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
                yield Door(running, client, LocalIssuer(settings))
        finally:
            stop.set()
            await desk
