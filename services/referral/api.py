"""What partners, counsellors, coordinators and operators do over HTTP. Offers lie in `api_offers`, referrals in `api_referrals`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.api_offers import add_offers
from services.referral.api_referrals import add_referrals
from services.referral.books import ENTRIES
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances
from services.referral.locations import Locations
from services.referral.model import Case
from services.referral.views import books_view, case_view, reasons_view, recount_view
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.problems import Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import reply

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]
Operator = Annotated[Actor, Depends(allow(Role.OPERATOR))]


def routes(running: Running, locations: Locations | None = None) -> APIRouter:
    """Everything below ``/v1``. `locations`: to begin with other than none."""
    router = APIRouter(prefix="/v1")
    catalogue = Catalogue(RUNTIME_MESSAGES, running.service.messages)
    add_offers(router, running, catalogue)
    add_referrals(router, running, catalogue, locations or Locations())
    _add_cases(router, running, catalogue)
    _add_books(router, running)
    return router


def _add_cases(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.get("/cases/{case}")
    async def one_case(actor: Counsellor, case: Uuid) -> Response:
        """The search for this person's places, with every referral and its steps."""
        return reply(case_view(await _readable(running, actor, case)))

    @router.get("/needs/{need}/reasons")
    async def reasons(request: Request, actor: Counsellor, need: Uuid) -> Response:
        """Why this place or none: which rule shuts out which offer, and the points of those that fit."""
        store, today = running.store(actor.county), berlin_day(running.clock.now())
        located = (await kept.locate(store, [need])).get(need)
        case = await _readable(running, actor, located.case) if located is not None else None
        sought = case.need(need) if case is not None else None
        if case is None or sought is None:
            raise Problem("need-not-found", 404)
        where = Circumstances(settings_of(actor.county, today), today)
        offers = await kept.open_offers(store, today)
        return reply(reasons_view(case, sought, offers, where, catalogue, language(request)))


async def _readable(running: Running, actor: Actor, id: str) -> Case:
    case = await kept.case(running.store(actor.county), id)
    if case is None:
        raise Problem("case-not-found", 404)
    if case.erased:
        raise Problem("case-erased", 410)
    return case


def _add_books(router: APIRouter, running: Running) -> None:
    @router.get("/books")
    async def books(actor: Operator, recount: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query parameter
        """Needs and referrals by state, and the seats. A recount goes through everything; it is exact while nothing moves."""
        store = running.store(actor.county)
        kept_books = await kept.books(store)
        if not recount:
            return reply(books_view(kept_books, balanced=kept_books.balanced))
        found = await kept.recount(store)
        agree = all(found.books.entries.get(entry, 0) == kept_books.entries.get(entry, 0) for entry in ENTRIES)
        balanced = agree and found.books.balanced and not found.overbooked
        return reply(recount_view(found.books, balanced=balanced, overbooked=found.overbooked, waiting=found.waiting))
