"""A service's application as `services.runtime.service` serves it, with its desk at work, and people who come to its doors."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.intake.service import SERVICE as INTAKE
from services.profiling.service import SERVICE as PROFILING
from services.referral.service import SERVICE as REFERRAL
from services.reporting.service import SERVICE as REPORTING
from services.runtime.health import Health
from services.runtime.local_issuer import LocalIssuer
from services.runtime.metrics import Metrics
from services.runtime.running import Running, Service
from services.runtime.service import application
from services.runtime.settings import Settings
from services.runtime.telemetry import Telemetry
from services.runtime.wiring import wired

COUNTY, ELSEWHERE = "03459", "03157"
NOW = datetime(2016, 6, 1, 9, 30, tzinfo=UTC)
SERVICES = (INTAKE, PROFILING, REFERRAL, REPORTING)


class Doors:
    """One service's doors."""

    def __init__(self, running: Running, app: FastAPI, issuer: LocalIssuer) -> None:
        self.running = running
        self.app = app
        self.issuer = issuer

    def client(self, role: str, county: str = COUNTY, **claims: Any) -> httpx.AsyncClient:
        """Somebody with this sign-in. Errors that nobody foresaw are answers here too."""
        token = self.issuer.token(f"{role}-1", role, county, **claims)
        return self.visitor(authorization=f"Bearer {token}")

    def visitor(self, **headers: str) -> httpx.AsyncClient:
        """Somebody at the door, with these headers and none of a sign-in."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://door",
            headers={"accept-language": "en", **headers},
        )

    async def stored(self, county: str = COUNTY) -> dict[str, str]:
        """Every document of the county, as text, by collection and id."""
        raw = self.running.database.raw
        return {
            f"{name}/{document['_id']}": repr(document)
            for name in await raw.list_collection_names()
            for document in await raw[name].find({}).to_list(None)
            if document.get("county", county) == county
        }


@asynccontextmanager
async def open_doors(
    service: Service, database_url: str, prefix: str, folder: Path, **more: Any
) -> AsyncIterator[Doors]:
    """The doors of a service that serves two counties, at `NOW`. `more`: other settings."""
    settings = Settings(
        service=service.name,
        counties=(COUNTY, ELSEWHERE),
        database_url=SecretStr(database_url),
        database_prefix=prefix,
        local_issuer_key_file=folder / "issuer.jwk",
        person_key=SecretStr(base64.b64encode(bytes(range(32))).decode()),
        clock="virtual",
        clock_start=NOW,
        **more,
    )
    running = wired(service, settings, Telemetry(tracing=False), Metrics(), Health())
    await running.database.prepare(service.collections)
    stop = asyncio.Event()
    async with httpx.AsyncClient() as keys:
        app = application(running, keys)
        desk = asyncio.create_task(running.desk.run(stop))
        try:
            yield Doors(running, app, LocalIssuer(settings))
        finally:
            stop.set()
            await desk
            running.database.close()
