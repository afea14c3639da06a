"""The bank and its shop as services with doors, on the real database, without a broker and without loops: a test moves them itself."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI

from deploy.embedded.engines import Engines
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import HandClock
from services.runtime.health import Health
from services.runtime.local_issuer import LocalIssuer
from services.runtime.metrics import Metrics
from services.runtime.operating import operator_routes
from services.runtime.running import Running, Service
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.settle import Settler
from services.runtime.store import state_collection
from services.runtime.telemetry import Telemetry
from services.runtime.web import build_app
from services.runtime.wiring import wired
from tests.runtime.emptying import emptied
from tests.runtime.toy import (
    BANK_TOPIC,
    COLLECTIONS,
    POST_TOPIC,
    SHOP_TOPIC,
    START,
    Bank,
    Customer,
    OwnerErased,
    Paid,
    Watched,
    Weighed,
    shop_logic,
)

COUNTY, ELSEWHERE = "10000", "20000"


def _no_routes(running: Running) -> APIRouter:
    return APIRouter(prefix="/v1")


def bank_service(folder: Path, rules: Bank | None = None) -> Service:
    subscriptions = {SHOP_TOPIC: (Paid, OwnerErased), POST_TOPIC: (Weighed,)}
    logic = (rules or Bank()).logic()
    return Service("bank", "Bank", logic, BANK_TOPIC, subscriptions, COLLECTIONS, _no_routes, folder)


def shop_service(folder: Path) -> Service:
    return Service("shop", "Shop", shop_logic(), SHOP_TOPIC, {}, (state_collection(Customer),), _no_routes, folder)


class Open:
    """A service whose doors are open. `asked` are the paths that were asked for."""

    def __init__(self, running: Running, app: FastAPI, issuer: LocalIssuer) -> None:
        self.running = running
        self.issuer = issuer
        self.asked: list[str] = []
        self._transport = httpx.ASGITransport(app)

    def client(self, role: str | None = None, county: str = COUNTY, name: str = "olga") -> httpx.AsyncClient:
        """Somebody in this role at the door; whoever has none brings a token of their own, or none."""
        headers = {"Authorization": f"Bearer {self.issuer.token(name, role, county)}"} if role else {}
        return httpx.AsyncClient(
            transport=self._transport,
            base_url=f"http://{self.running.service.name}",
            headers={**headers, "Accept-Language": "en"},
            event_hooks={"request": [self._note]},
        )

    async def emptied(self) -> None:
        """As on the first day, so that the next test can have it: to open a service takes longer than most tests."""
        running = self.running
        await emptied(running.database)
        running.settler = Settler(
            running.service.logic, running.settler.reader, running.clock, Telemetry(tracing=False), Watched()
        )
        if isinstance(running.clock, HandClock):
            running.clock._now = START
        running.turns.done_to = None
        self.asked.clear()

    async def _note(self, request: httpx.Request) -> None:
        self.asked.append(request.url.path)


@asynccontextmanager
async def opened(service: Service, engines: Engines, folder: Path, **settings: object) -> AsyncIterator[Open]:
    for language in ("de", "en"):
        (folder / f"{language}.yaml").write_text("{}\n")
    chosen = Settings.model_validate(
        {
            "service": service.name,
            "counties": (COUNTY, ELSEWHERE),
            "database_url": engines.database_url,
            "database_prefix": f"t{secrets.token_hex(4)}",
            "kafka": engines.kafka,
            "local_issuer_key_file": folder / "issuer.jwk",
            "clock": "virtual",
            "clock_start": START,
            **settings,
        }
    )
    health, metrics = Health(), Metrics()
    running = wired(service, chosen, Telemetry(tracing=False), metrics, health)
    await running.database.prepare(service.collections)
    async with httpx.AsyncClient() as http:
        app = build_app(
            title=service.title,
            version="1",
            settings=chosen,
            verifier=verifier_of(chosen, http),
            catalogue=Catalogue(RUNTIME_MESSAGES, service.messages),
            health=health,
            metrics=metrics,
            routers=(operator_routes(running), service.routes(running)),
        )
        try:
            yield Open(running, app, LocalIssuer(chosen))
        finally:
            await running.database.raw.client.drop_database(running.database.raw.name)
            running.database.close()
            await running.producer.stop()
