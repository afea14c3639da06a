"""The pages of deliveries: sending a supplier's file, what became of each row, and confirming what looks doubtful."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.reporting.indicators import reading
from services.reporting.indicators.files import MOST_BYTES
from services.reporting.indicators.keeping import Confirm
from services.reporting.indicators.taking import take
from services.reporting.indicators.views import delivery_view
from services.runtime.deciding import Command
from services.runtime.limits import upload
from services.runtime.pages import PREFIX, Pages, Visitor, page_for, read_upload
from services.runtime.problems import Problem
from services.runtime.running import Running

DELIVERIES: Final = f"{PREFIX}/deliveries"
MOST_SHOWN: Final = 20

Reader = Annotated[Visitor, Depends(page_for(Role.COORDINATOR, Role.REPORTER))]


def add_deliveries(router: APIRouter, running: Running, pages: Pages) -> None:
    async def start(visitor: Visitor, status: int = 200, wrong: str = "") -> Response:
        latest = await reading.latest_deliveries(running.store(visitor.signed_in.county), MOST_SHOWN)
        return pages.show(visitor, "deliveries.html", status=status, latest=latest, wrong=wrong)

    async def shown(visitor: Visitor, id: str, status: int = 200, wrong: str = "") -> Response:
        found = await reading.delivery(running.store(visitor.signed_in.county), id)
        if found is None:
            raise Problem("delivery-not-found", 404)
        one = delivery_view(found, pages.catalogue, visitor.language)
        return pages.show(visitor, "delivery.html", status=status, one=one, wrong=wrong)

    @router.get(DELIVERIES)
    async def deliveries(visitor: Reader) -> Response:
        return await start(visitor)

    @router.post(DELIVERIES)
    @upload
    async def deliver(visitor: Reader) -> Response:
        try:
            sent = await read_upload(visitor, MOST_BYTES)
            content = sent.files.get("file", b"")
            if not content:
                return await start(visitor, 422, pages.catalogue.text(visitor.language, "reporting.file-missing", {}))
            done = await take(running, visitor.signed_in, content)
        except Problem as problem:
            if problem.status_code not in (413, 422):
                raise
            title, detail = pages.said(problem, visitor.language)
            return await start(visitor, problem.status_code, f"{title} {detail}")
        return pages.go(visitor, f"{DELIVERIES}/{done.delivery}")

    @router.get(DELIVERIES + "/{delivery}")
    async def one_delivery(visitor: Reader, delivery: Uuid) -> Response:
        return await shown(visitor, delivery)

    @router.post(DELIVERIES + "/{delivery}/confirmation")
    async def confirm(visitor: Reader, delivery: Uuid) -> Response:
        form = await visitor.form()
        lines = tuple(sorted({int(one) for one in form.all("line") if one.isascii() and one.isdigit()}))
        if not lines:
            wrong = pages.catalogue.text(visitor.language, "reporting.line-missing", {})
            return await shown(visitor, delivery, 422, wrong)
        actor = visitor.signed_in
        data = Confirm(delivery=delivery, lines=lines)
        await running.desk.send(Command(actor.county, form.key, data, actor.subject))
        return pages.go(visitor, f"{DELIVERIES}/{delivery}", visitor.session.saying("reporting.confirmed"))
