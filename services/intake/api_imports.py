"""The door for files, and how an import stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.events import Uuid
from services.intake import store
from services.intake.askers import CLERKS, office_of, teller_of
from services.intake.csv_rows import BadFile
from services.intake.imports import import_file
from services.intake.progress import Import
from services.intake.sealing import Keyring
from services.intake.views import ImportView
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.limits import upload
from services.runtime.problems import FieldProblem, Problem, language
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.tokens import Actor
from services.runtime.web import reply

MESSAGES: Final = FilePath(__file__).with_name("messages")

Clerk = Annotated[Actor, Depends(allow(*CLERKS))]


def add_imports(router: APIRouter, running: Running, keyring: Keyring) -> None:
    catalogue = Catalogue(RUNTIME_MESSAGES, MESSAGES)

    def view(state: Import, request: Request) -> ImportView:
        return ImportView.of(state, datetime.now(UTC), catalogue, language(request))

    @router.post("/imports", status_code=201)
    @upload
    async def import_a_file(actor: Clerk, request: Request) -> Response:
        """The body is the file. It may be sent again at any time: a row that was taken before changes nothing, so no key is needed."""
        try:
            done = await import_file(
                running,
                keyring.of(actor.county),
                actor,
                office_of(actor),
                teller_of(actor),
                request.stream(),
            )
        except BadFile as bad:
            fields = [FieldProblem(column, bad.code) for column in bad.columns]
            raise Problem(bad.code, 422, fields=fields) from None
        return reply(view(done, request), 201)

    @router.get("/imports")
    async def imports(actor: Clerk, request: Request, page: Annotated[PageRequest, paging(datetime, str)]) -> Response:
        """The office's imports, running ones included, the newest first."""
        after = (page.after[0], str(page.after[1])) if page.after else None
        found = await store.imports_of(running.store(actor.county), office_of(actor), after, page.fetch)
        shown: Page[ImportView] = page.page(found, lambda one: view(one, request), lambda one: (one.began, one.id))
        return reply(shown)

    @router.get("/imports/{id}")
    async def show_import(actor: Clerk, request: Request, id: Uuid) -> Response:
        """How one import stands."""
        found = await store.import_of(running.store(actor.county), id)
        if found is None or found.office != office_of(actor):
            raise Problem("import-unknown", 404)
        return reply(view(found, request))
