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
from services.intake.views import ImportView, ProblemView
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

    async def own(actor: Actor, id: str) -> Import:
        found = await store.import_of(running.store(actor.county), id)
        if found is None or found.office != office_of(actor):
            raise Problem("import-unknown", 404)
        return found

    @router.post("/imports", status_code=201, response_model=ImportView)
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
        return reply(_view(done), 201)

    @router.get("/imports", response_model=Page[ImportView])
    async def imports(actor: Clerk, page: Annotated[PageRequest, paging(datetime, str)]) -> Response:
        """The office's imports, running ones included, the newest first."""
        after = (page.after[0], str(page.after[1])) if page.after else None
        found = await store.imports_of(running.store(actor.county), office_of(actor), after, page.fetch)
        shown: Page[ImportView] = page.page(found, _view, lambda one: (one.began, one.id))
        return reply(shown)

    @router.get("/imports/{id}", response_model=ImportView)
    async def show_import(actor: Clerk, id: Uuid) -> Response:
        """How one import stands."""
        return reply(_view(await own(actor, id)))

    @router.get("/imports/{id}/problems", response_model=Page[ProblemView])
    async def problems(actor: Clerk, request: Request, id: Uuid, page: Annotated[PageRequest, paging(int)]) -> Response:
        """Everything that is wrong with the rows, in the order of the file; of a running import what was found so far."""
        await own(actor, id)
        first = int(str(page.after[0])) + 1 if page.after else 0
        if first < 0:
            raise Problem("cursor-invalid", 400)
        found = await store.bad_values_of(running.store(actor.county), id, first, page.fetch)
        spoken = language(request)
        shown: Page[ProblemView] = page.page(
            list(enumerate(found, first)),
            lambda placed: ProblemView.of(placed[1], catalogue, spoken),
            lambda placed: (placed[0],),
        )
        return reply(shown)


def _view(state: Import) -> ImportView:
    return ImportView.of(state, datetime.now(UTC))
