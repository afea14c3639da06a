"""Indicators over HTTP: what is declared, what suppliers say and our own counts say; taking in a file, confirming what looks doubtful."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.reporting.indicators import reading
from services.reporting.indicators.declared import DECLARED, INDICATORS, Indicator
from services.reporting.indicators.files import MOST_BYTES
from services.reporting.indicators.keeping import Confirm
from services.reporting.indicators.reading import PublishedFigures
from services.reporting.indicators.taking import take
from services.reporting.indicators.views import delivery_view, line, view
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.cursors import PageRequest, paging
from services.runtime.limits import upload
from services.runtime.problems import Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

MESSAGES: Final = Path(__file__).with_name("messages")

Reporter = Annotated[Actor, Depends(allow(Role.REPORTER, Role.COORDINATOR))]


class Lines(BaseModel):
    """The lines of a delivery that are right."""

    model_config = ConfigDict(extra="forbid")
    lines: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=5000)


def indicator_of(id: str) -> Indicator:
    """Raises `Problem` 404."""
    found = INDICATORS.get(id)
    if found is None:
        raise Problem("not-found", 404)
    return found


def add_indicators(router: APIRouter, running: Running, published: PublishedFigures) -> None:
    catalogue = Catalogue(RUNTIME_MESSAGES, running.service.messages, MESSAGES)

    @router.get("/indicators")
    async def indicators(actor: Reporter, page: Annotated[PageRequest, paging(int)]) -> Response:
        """The declared indicators in their order."""
        latest = await reading.latest_years(running.store(actor.county))
        after = int(str(page.after[0])) if page.after else -1
        some = [(at, one) for at, one in enumerate(DECLARED.indicators) if at > after][: page.fetch]
        return reply(page.page(some, lambda row: line(row[1], latest.get(row[1].id)), lambda row: (row[0],)))

    @router.get("/indicators/deliveries")
    async def deliveries(request: Request, actor: Reporter, page: Annotated[PageRequest, paging(str)]) -> Response:
        after = str(page.after[0]) if page.after else None
        found = await reading.deliveries(running.store(actor.county), after, page.fetch)
        spoken = language(request)
        return reply(page.page(found, lambda one: delivery_view(one, catalogue, spoken), lambda one: (one.id,)))

    @router.post("/indicators/deliveries")
    @upload
    async def deliver(actor: Reporter, request: Request) -> Response:
        """Take in a file (CSV or Excel). Sent again it changes nothing, so no key is needed."""
        return reply(await take(running, actor, await content_of(request)))

    @router.get("/indicators/deliveries/{delivery}")
    async def one_delivery(request: Request, actor: Reporter, delivery: Uuid) -> Response:
        found = await reading.delivery(running.store(actor.county), delivery)
        if found is None:
            raise Problem("delivery-not-found", 404)
        return reply(delivery_view(found, catalogue, language(request)))

    @router.post("/indicators/deliveries/{delivery}/confirmation")
    async def confirm(actor: Reporter, key: IdempotencyKey, delivery: Uuid, body: Lines) -> Response:
        """These doubtful lines are right: they go in."""
        return await running.send(actor, key, Confirm(delivery=delivery, lines=tuple(sorted(set(body.lines)))))

    @router.get("/indicators/{indicator}")
    async def one_indicator(request: Request, actor: Reporter, indicator: str) -> Response:
        today = berlin_day(running.clock.now())
        found = await reading.series(running.store(actor.county), indicator_of(indicator), published, today)
        return reply(view(found, catalogue, language(request)))


async def content_of(request: Request) -> bytes:
    """The bytes that were sent. Raises `Problem` 413."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            raise Problem("body-too-large", 413, limit_kib=MOST_BYTES // 1024)
    return bytes(content)
