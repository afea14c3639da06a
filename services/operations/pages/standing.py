"""The overview and the pictures of lag: what the latest looks have told, from memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.operations.console import Console
from services.operations.pictures import HEIGHT, WIDTH, Picture, picture
from services.operations.readings import Beside, Place
from services.runtime.catalogue import Language
from services.runtime.pages import PREFIX, Pages, Visitor, page_for

OVERVIEW: Final = f"{PREFIX}/overview"
LAG: Final = f"{PREFIX}/lag"
_WORSE: Final = 3.0
_FLOOR: Final = {"lag": 100.0, "outbox_documents": 10.0, "outbox_seconds": 5.0, "batch_ms": 200.0, "retries": 5.0}
"""A number is marked when it is more than `_WORSE` times what is normal and above this, so that nobody is called for nothing."""

Operator = Annotated[Visitor, Depends(page_for(Role.OPERATOR))]


def add_standing(router: APIRouter, console: Console, pages: Pages) -> None:
    @router.get(OVERVIEW)
    async def overview(visitor: Operator) -> Response:
        return pages.show(
            visitor,
            "overview.html",
            replicas=console.watch.replicas,
            number=partial(number, language=visitor.language),
            at=_instant,
            unusual=unusual,
        )

    drawn: dict[str, Any] = {}  # once for each look, however many people have the page open

    @router.get(LAG)
    async def lag(visitor: Operator) -> Response:
        if drawn.get("looks") != console.watch.looks:
            drawn.update(looks=console.watch.looks, services=_pictures(console))
        services = drawn["services"]
        write: Callable[[float], str] = partial(number, language=visitor.language)
        return pages.show(visitor, "lag.html", services=services, number=write, width=WIDTH, height=HEIGHT)


def _pictures(console: Console) -> dict[str, list[tuple[Place, Picture]]]:
    now = time.time()
    return {
        service: [(place, picture(columns, now)) for place, columns in places.items()]
        for service, places in console.watch.lag().items()
    }


def unusual(one: Beside) -> bool:
    """Whether somebody should look: parked records and dead letters always, other numbers far above what is normal."""
    if one.now is None:
        return False
    if one.name in ("parked", "dead_letters"):
        return one.now > 0
    return one.name in _FLOOR and one.now > max(_FLOOR[one.name], _WORSE * (one.normal or 0.0))


def number(value: float | None, language: Language) -> str:
    """As people write it: whole above ten, else with one place; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
