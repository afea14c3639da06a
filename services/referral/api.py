"""What partners, counsellors, coordinators and operators do over HTTP. Offers lie in `api_offers`, needs in `api_needs`, referrals in
`api_referrals`, the directory in `directory`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.api_needs import add_needs
from services.referral.api_notices import add_notices
from services.referral.api_offers import Publishing, add_offers
from services.referral.api_planning import add_planning
from services.referral.api_referrals import add_referrals
from services.referral.api_slots import add_slots
from services.referral.books import ENTRIES
from services.referral.directory.api import add_directory
from services.referral.directory.api_hsds import hsds_routes
from services.referral.directory.api_import import add_import
from services.referral.directory.api_review import add_review
from services.referral.locations import Locations
from services.referral.model import Case
from services.referral.pages.routes import page_routes
from services.referral.views import BooksView, CaseView, books_view, case_view, recount_view
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import reply

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]
Operator = Annotated[Actor, Depends(allow(Role.OPERATOR))]


def routes(running: Running, locations: Locations | None = None) -> APIRouter:
    """Everything below ``/v1``, ``/hsds`` and ``/pages``. `locations`: to begin with other than none."""
    router = APIRouter(prefix="/v1")
    catalogue = Catalogue(RUNTIME_MESSAGES, running.service.messages)
    publishing = Publishing(running, catalogue)
    add_offers(router, running, catalogue, publishing)
    add_slots(router, publishing)
    add_planning(router, running, catalogue)
    seen = locations or Locations()
    add_referrals(router, running, catalogue, seen)
    add_needs(router, running, catalogue)
    add_directory(router, running, catalogue)
    add_review(router, running)
    add_notices(router, running)
    add_import(router, running, catalogue)
    _add_cases(router, running)
    _add_books(router, running)
    pages = page_routes(running, seen)
    return APIRouter(routes=[*router.routes, *hsds_routes(running, catalogue).routes, *pages.routes])


def _add_cases(router: APIRouter, running: Running) -> None:
    @router.get("/cases/{case}", response_model=CaseView)
    async def one_case(actor: Counsellor, case: Uuid) -> Response:
        """The search for this person's places, with every referral and its steps."""
        return reply(case_view(await _readable(running, actor, case)))


async def _readable(running: Running, actor: Actor, id: str) -> Case:
    case = await kept.case(running.store(actor.county), id)
    if case is None:
        raise Problem("case-not-found", 404)
    if case.erased:
        raise Problem("case-erased", 410)
    return case


def _add_books(router: APIRouter, running: Running) -> None:
    @router.get("/books", response_model=BooksView)
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
