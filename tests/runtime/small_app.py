"""A service's application with a handful of routes, and people who may call it, for tests of what all applications share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.security import LocalIssuer, verifier_of
from services.runtime.settings import Settings
from services.runtime.web import Layer, build_app

COUNTY = "03459"


class SmallService:
    """The parts of a service's door, each within reach of a test."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = Settings(service="small", local_issuer_key_file=folder / "issuer.jwk", **settings)
        self.issuer = LocalIssuer(self.settings)
        self.health = Health()
        self.metrics = Metrics()
        self.router = APIRouter(prefix="/v1")
        self.http = httpx.AsyncClient()

    def app(
        self,
        *,
        routers: Iterable[APIRouter] = (),
        layers: Iterable[Layer] = (),
        messages: Iterable[Path] = (),
        **rest: Any,
    ) -> FastAPI:
        return build_app(
            title="Small",
            version="1",
            settings=self.settings,
            verifier=verifier_of(self.settings, self.http),
            catalogue=Catalogue(RUNTIME_MESSAGES, *messages),
            health=self.health,
            metrics=self.metrics,
            routers=[self.router, *routers],
            layers=layers,
            **rest,
        )

    def client(self, role: str | None = "clerk", **rest: Any) -> httpx.AsyncClient:
        """Somebody in this role, at the service's door; None is somebody who has not signed in."""
        headers = {} if role is None else self.signed_in(role)
        transport = httpx.ASGITransport(self.app(**rest), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://small", headers=headers)

    def signed_in(self, role: str, county: str = COUNTY) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token('somebody', role, county)}"}
