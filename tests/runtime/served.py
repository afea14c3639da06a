"""A service as the process that it is, with its doors on a port and its loops, inside the loop of a test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from fastapi import APIRouter

from deploy.embedded.engines import Engines
from deploy.embedded.ports import reserve
from services.runtime.bus import Topic, apply_topics
from services.runtime.local_issuer import LocalIssuer
from services.runtime.running import Running, Service
from services.runtime.service import serve
from services.runtime.settings import Settings
from tests.runtime.lines import until

COUNTY = "10000"
Routes = Callable[[Running], APIRouter]


@dataclass
class Served:
    """`stop` ends it; `over` is done when it has ended."""

    running: Running
    url: str
    issuer: LocalIssuer
    stop: asyncio.Event
    over: asyncio.Task[None]

    def client(self, role: str = "operator") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.issuer.token('olga', role, COUNTY)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers)

    async def ended(self) -> None:
        """Stop it, and wait for its end."""
        self.stop.set()
        async with asyncio.timeout(60):
            await self.over


@asynccontextmanager
async def served(
    service: Service, engines: Engines, folder: Path, *, routes: Routes | None = None, **settings: object
) -> AsyncIterator[Served]:
    """The service, ready, on topics and a database of its own. Topics in `service` are made by whoever wants them there."""
    for language in ("de", "en"):
        (folder / f"{language}.yaml").write_text("{}\n")
    port = reserve()
    chosen = Settings.model_validate(
        {
            "service": service.name,
            "counties": (COUNTY,),
            "database_url": engines.database_url,
            "database_prefix": f"t{secrets.token_hex(4)}",
            "kafka": engines.kafka,
            "local_issuer_key_file": folder / "issuer.jwk",
            "log_is_volatile": False,
            "port": port.number,
            **settings,
        }
    )
    seen: list[Running] = []

    def watched(running: Running) -> APIRouter:
        seen.append(running)
        return (routes or service.routes)(running)

    stop = asyncio.Event()
    over = asyncio.create_task(serve(replace(service, routes=watched), chosen, stop))
    try:
        await until(lambda: over.done() or (seen and seen[0].health.ready().status == "ok"))
        if over.done():
            await over
        yield Served(seen[0], f"http://127.0.0.1:{port.number}", LocalIssuer(chosen), stop, over)
    finally:
        stop.set()
        await asyncio.wait([over])
        port.close()


def named(service: Service, prefix: str) -> Service:
    """The service with topics that no other test has."""
    subscriptions = {f"{prefix}-{topic}": models for topic, models in service.subscriptions.items()}
    return replace(service, topic=f"{prefix}-{service.topic}", subscriptions=subscriptions)


async def make(engines: Engines, *topics: str) -> None:
    await apply_topics(engines.kafka, [Topic(topic, 1, 3_600_000) for topic in topics])
