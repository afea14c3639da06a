"""The coordinator's pages. Whatever is changed here is changed by the commands that the API sends too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Code, Uuid
from services.referral.commands import ConfirmSeats
from services.referral.directory.api_import import Imported, import_file
from services.referral.directory.keeping import ConfirmPartner, ConfirmService, RetirePartner, RetireService
from services.referral.flow import COUNTED_DAYS
from services.referral.pages.network.reading import Looking
from services.referral.pages.network.uploading import read_upload
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.limits import upload
from services.runtime.pages import PREFIX, NavEntry, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.running import Running

HERE: Final = Path(__file__).parent
BASE: Final = f"{PREFIX}/network"
PARTNERS: Final = f"{BASE}/partners"
REVIEW: Final = f"{BASE}/review"
IMPORT: Final = f"{BASE}/import"
WAITING: Final = f"{BASE}/waiting"

NAV: Final[Sequence[NavEntry]] = tuple(
    NavEntry(address, f"network.nav.{name}", (address,))
    for name, address in (("partners", PARTNERS), ("review", REVIEW), ("import", IMPORT), ("waiting", WAITING))
)

Coordinator = Annotated[Visitor, Depends(page_for(Role.COORDINATOR))]


def add_network(router: APIRouter, running: Running, pages: Pages) -> None:
    looking = Looking(running)
    _add_looking(router, pages, looking)
    _add_keeping(router, running, pages, looking)
    _add_import(router, running, pages)


def _add_looking(router: APIRouter, pages: Pages, looking: Looking) -> None:
    @router.get(PARTNERS)
    async def partners(visitor: Coordinator) -> Response:
        return pages.show(visitor, "network_partners.html", network=await looking.network(visitor.signed_in))

    @router.get(PARTNERS + "/{partner}")
    async def one_partner(visitor: Coordinator, partner: Code) -> Response:
        return await _partner(pages, looking, visitor, partner)

    @router.get(REVIEW)
    async def review(visitor: Coordinator) -> Response:
        return await _review(pages, looking, visitor)

    @router.get(WAITING)
    async def waiting(visitor: Coordinator) -> Response:
        waits, overridden = await looking.waits(visitor.signed_in), await looking.overridden(visitor.signed_in)
        return pages.show(visitor, "network_waiting.html", waits=waits, overridden=overridden, days=COUNTED_DAYS)


async def _partner(
    pages: Pages, looking: Looking, visitor: Visitor, code: str, *, status: int = 200, refused: object = None
) -> Response:
    network = await looking.network(visitor.signed_in)
    values: dict[str, object] = {"network": network, "one": network.of(code), "refused": refused}
    return pages.show(visitor, "network_partner.html", status=status, **values)


async def _review(
    pages: Pages, looking: Looking, visitor: Visitor, *, status: int = 200, refused: object = None
) -> Response:
    network = await looking.network(visitor.signed_in)
    return pages.show(visitor, "network_review.html", status=status, network=network, refused=refused)


# --- what is confirmed and what is retired ------------------------------------------------------------------------------


def _add_keeping(router: APIRouter, running: Running, pages: Pages, looking: Looking) -> None:
    async def send(visitor: Visitor, partner: str, data: BaseModel, said: str) -> Response:
        """Carry it out, and back to the page with the form: the partner's own, or the review."""
        form = await visitor.form()
        actor, from_review = visitor.signed_in, form.one("back") == REVIEW
        try:
            await running.desk.send(Command(actor.county, form.key, data, actor.subject))
        except Refused as refused:
            told = pages.said(refused, visitor.language)
            if from_review:
                return await _review(pages, looking, visitor, status=refused.status, refused=told)
            return await _partner(pages, looking, visitor, partner, status=refused.status, refused=told)
        path = REVIEW if from_review else f"{PARTNERS}/{partner}"
        return pages.go(visitor, path, visitor.session.saying(said))

    own = PARTNERS + "/{partner}"

    @router.post(own + "/confirmation")
    async def confirm(visitor: Coordinator, partner: Code) -> Response:
        return await send(visitor, partner, ConfirmPartner(partner=partner), "network.confirmed")

    @router.post(own + "/retirement")
    async def retire(visitor: Coordinator, partner: Code) -> Response:
        return await send(visitor, partner, RetirePartner(partner=partner), "network.retired")

    @router.post(own + "/services/{service}/confirmation")
    async def confirm_service(visitor: Coordinator, partner: Code, service: Code) -> Response:
        return await send(visitor, partner, ConfirmService(partner=partner, service=service), "network.confirmed")

    @router.post(own + "/services/{service}/retirement")
    async def retire_service(visitor: Coordinator, partner: Code, service: Code) -> Response:
        return await send(visitor, partner, RetireService(partner=partner, service=service), "network.retired")

    @router.post(own + "/offers/{offer}/confirmation")
    async def confirm_offer(visitor: Coordinator, partner: Code, offer: Uuid) -> Response:
        return await send(visitor, partner, ConfirmSeats(offer=offer, partner=partner), "network.confirmed")


# --- reading in a file --------------------------------------------------------------------------------------------------


def _add_import(router: APIRouter, running: Running, pages: Pages) -> None:
    def shown(visitor: Visitor, *, status: int = 200, done: Imported | None = None, wrong: str = "") -> Response:
        return pages.show(visitor, "network_import.html", status=status, done=done, wrong=wrong)

    @router.get(IMPORT)
    async def choose(visitor: Coordinator) -> Response:
        return shown(visitor)

    @router.post(IMPORT)
    @upload
    async def take(visitor: Coordinator) -> Response:
        """The same file again changes nothing, so this form needs no key."""
        content = (await read_upload(visitor, "file")).content
        if not content.strip():
            return shown(visitor, status=422, wrong=pages.catalogue.text(visitor.language, "network.import-none"))
        try:
            done = await import_file(running, pages.catalogue, visitor.signed_in, content, visitor.language)
        except Problem as problem:
            _, wrong = pages.said(problem, visitor.language)
            return shown(visitor, status=problem.status_code, wrong=wrong)
        return shown(visitor, done=done)
