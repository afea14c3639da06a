"""The console with its doors open, without replicas of its own to look at, and telemetry that reaches it as from other processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from services.operations.console import Console
from services.operations.service import application, build
from services.runtime.health import Health
from services.runtime.local_issuer import LocalIssuer
from services.runtime.metrics import Metrics
from services.runtime.settings import Settings
from tests.pages.visitor import hold_session

COUNTY = "03459"


class Room:
    """The console, and who comes to its doors."""

    def __init__(self, console: Console, app: FastAPI, settings: Settings) -> None:
        self.console = console
        self.app = app
        self._issuer = LocalIssuer(settings)

    def visitor(self, language: str = "en") -> httpx.AsyncClient:
        """Somebody who is not signed in."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://console",
            headers={"accept-language": language},
            follow_redirects=True,
        )

    @asynccontextmanager
    async def operator(self, role: str = "operator", language: str = "en") -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who has signed in at the pages in this role."""
        async with self.visitor(language) as client:
            token = self._issuer.token(f"{role}-1", role, COUNTY)
            hold_session(client, self.console.settings, token)
            yield client


@asynccontextmanager
async def open_room(
    folder: Path, watched: Mapping[str, Sequence[str]] | None = None, **more: object
) -> AsyncIterator[Room]:
    settings = Settings.model_validate(
        {
            "service": "operations",
            "counties": (COUNTY,),
            "local_issuer_key_file": folder / "issuer.jwk",
            "operations_dir": folder / "operations",
            "watched": watched or {},
            **more,
        }
    )
    async with httpx.AsyncClient() as client:
        console = build(settings, client, asyncio.Event())
        try:
            yield Room(console, application(console, client, Health(), Metrics()), settings)
        finally:
            console.spans.close()
            console.watch.close()
