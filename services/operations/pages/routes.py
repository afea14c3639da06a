"""The console's pages put together: who sees them, the parts, and the stream that says when there is something new."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from schemas.codes import Role
from schemas.places import UnknownPlace, county
from services.operations.console import Console
from services.operations.pages.letters import LETTERS, add_letters
from services.operations.pages.standing import LAG, OVERVIEW, add_standing
from services.operations.pages.ways import WAYS, add_ways
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.pages import (
    PAGE_MESSAGES,
    PREFIX,
    NavEntry,
    Pages,
    SampleUser,
    Visitor,
    common_routes,
    not_found_route,
    page_for,
)
from services.runtime.settings import Settings
from services.runtime.tokens import Actor

HERE: Final = Path(__file__).parent
LIVE: Final = f"{PREFIX}/live"
LISTENED_SECONDS: Final = 600.0
"""Then a browser asks again, by itself, and its sign-in is looked at anew."""
_WAIT_SECONDS: Final = 10.0

Operator = Annotated[Visitor, Depends(page_for(Role.OPERATOR))]


def page_routes(console: Console) -> APIRouter:
    """Everything under ``/pages``."""
    catalogue = Catalogue(RUNTIME_MESSAGES, PAGE_MESSAGES, HERE / "messages")
    pages = Pages(console.settings, catalogue, HERE / "templates", nav=_nav)
    router = pages.router()
    add_standing(router, console, pages)
    add_letters(router, console, pages)
    add_ways(router, console, pages)

    @router.get(LIVE)
    async def live(visitor: Operator) -> Response:  # noqa: ARG001 - the dependency guards the route
        return StreamingResponse(looks(console), media_type="text/event-stream")

    async def people() -> Sequence[SampleUser]:
        return _sample_users(console.settings)

    common = common_routes(pages, OVERVIEW, people)
    return APIRouter(routes=[*common.routes, *router.routes, *not_found_route(pages).routes])


async def looks(console: Console) -> AsyncIterator[str]:
    """A line after each look of the console; pages fetch themselves then."""
    until = time.monotonic() + LISTENED_SECONDS
    yield "retry: 2000\n\n"
    while time.monotonic() < until and not console.closing.is_set():
        before = console.watch.looks
        next_look = asyncio.create_task(console.watch.next_look(_WAIT_SECONDS))
        closing = asyncio.create_task(console.closing.wait())
        try:
            await asyncio.wait([next_look, closing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            next_look.cancel()
            closing.cancel()
        yield f"event: look\ndata: {console.watch.looks}\n\n" if console.watch.looks != before else ": nothing new\n\n"


def _nav(actor: Actor) -> Sequence[NavEntry]:
    if actor.role != Role.OPERATOR:
        return ()
    return (
        NavEntry(OVERVIEW, "operations.nav.overview", (OVERVIEW,)),
        NavEntry(LAG, "operations.nav.lag", (LAG,)),
        NavEntry(LETTERS, "operations.nav.letters", (LETTERS,)),
        NavEntry(WAYS, "operations.nav.ways", (WAYS,)),
    )


def _sample_users(settings: Settings) -> list[SampleUser]:
    """On one machine: an operator of each county."""
    return [
        SampleUser("operator-1", Role.OPERATOR, "operations.role.operator", key, name=_county_name(key))
        for key in settings.counties
    ]


def _county_name(key: str) -> str:
    try:
        return county(key).name
    except UnknownPlace:
        return key
