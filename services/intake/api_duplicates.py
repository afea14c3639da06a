"""The counsellors' list of people who are written alike: somebody looks, does what there is to do, and takes the pair off."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.intake import store
from services.intake.commands import NotedAnswer, SettleAlike
from services.intake.model import Status
from services.intake.views import DuplicateView
from services.runtime.calendar import berlin_day
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.tokens import Actor
from services.runtime.web import IdempotencyKey, reply

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]

SHOWN: Final = frozenset({Status.ACTIVE, Status.MOVED})
"""Who withdrew the consent is not the centre's to look at. Who moved away is: they may have come back under a new case."""


def add_duplicates(router: APIRouter, running: Running) -> None:
    @router.get("/duplicates", response_model=Page[DuplicateView])
    async def duplicates(actor: Counsellor, page: Annotated[PageRequest, paging(datetime, str)]) -> Response:
        """Pairs that nobody has looked at yet, the first noticed first. A page may hold fewer than it has room for."""
        county_store = running.store(actor.county)
        after = (page.after[0], str(page.after[1])) if page.after else None
        found = await store.pairs_alike(county_store, after, page.fetch)
        statuses = await store.statuses_of(county_store, (case for pair in found for case in (pair.case, pair.other)))
        shown: Page[DuplicateView] = page.page(found, DuplicateView.of, lambda pair: (pair.noticed_at, pair.id))
        shown.items = [
            pair for pair in shown.items if statuses.get(pair.case) in SHOWN and statuses.get(pair.other) in SHOWN
        ]
        return reply(shown)

    @router.post("/duplicates/{case}/{other}/settlement", response_model=NotedAnswer)
    async def settle(actor: Counsellor, key: IdempotencyKey, case: Uuid, other: Uuid) -> Response:
        """Somebody has looked."""
        return await running.send(
            actor, key, SettleAlike(case=case, other=other, today=berlin_day(running.clock.now()))
        )
