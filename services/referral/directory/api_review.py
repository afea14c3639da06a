"""The coordinator's lists: partners that may be one, and entries that nobody has confirmed for long."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from services.referral import store as kept
from services.referral.county import settings_of
from services.referral.directory.api import Coordinator
from services.referral.directory.review import Duplicate, Part, Same, Stale, duplicates, stale
from services.runtime.calendar import berlin_day
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.running import Running
from services.runtime.web import reply


class DuplicateView(BaseModel):
    """Partners that may be one, by code, and what they have in common."""

    partners: tuple[str, ...]
    same: tuple[Same, ...]


class StaleView(BaseModel):
    """What was last confirmed on this day (null: never), and how many days ago that was. `code`: of the service, or the offer's id."""

    part: Part
    partner: str
    code: str | None
    confirmed_on: date | None
    days: int | None


def add_review(router: APIRouter, running: Running) -> None:
    @router.get("/directory/duplicates", response_model=Page[DuplicateView])
    async def twice(actor: Coordinator, page: Annotated[PageRequest, paging(str)]) -> Response:
        """Partners that share a name within a district, an e-mail address, a telephone number or a website."""
        found = duplicates(await kept.partners(running.store(actor.county)))
        shown = [one for one in found if _key(one) > _after(page)][: page.fetch]
        return reply(
            page.page(shown, lambda one: DuplicateView(partners=one.partners, same=one.same), lambda one: (_key(one),))
        )

    @router.get("/directory/stale", response_model=Page[StaleView])
    async def unconfirmed(actor: Coordinator, page: Annotated[PageRequest, paging(str)]) -> Response:
        """What nobody has confirmed for as many days as the county has set, the longest first."""
        today = berlin_day(running.clock.now())
        days = settings_of(actor.county, today).directory.stale_after_days
        found = stale(await kept.directory(running.store(actor.county), today), today, days)
        shown = [one for one in found if one.place > _after(page)][: page.fetch]
        return reply(page.page(shown, lambda one: _stale_view(one, today), lambda one: (one.place,)))


def _after(page: PageRequest) -> str:
    return str(page.after[0]) if page.after else ""


def _key(one: Duplicate) -> str:
    return "/".join(one.partners)


def _stale_view(one: Stale, today: date) -> StaleView:
    return StaleView(
        part=one.part,
        partner=one.partner,
        code=one.code or None,
        confirmed_on=one.confirmed_on,
        days=(today - one.confirmed_on).days if one.confirmed_on else None,
    )
