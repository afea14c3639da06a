"""The directory as Open Referral's HSDS 3 API, read-only, for everybody who is signed in. The county is the token's.

Lists have the specification's pages (`page`, `per_page`, `total_items`, …). They are in the language of the caller; the export, which
may be read in again, is always in German with the English texts beside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Generic, TypeVar

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.directory import hsds
from services.referral.directory.documents import Publisher
from services.referral.directory.states import Partner, Service
from services.referral.directory.taxonomies import Taxonomies
from services.referral.whom import Whom
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import LANGUAGES, Catalogue, Language
from services.runtime.problems import Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow

Anybody = Annotated[Actor, Depends(allow(*Role))]
Flag = Annotated[bool, Query()]

Item = TypeVar("Item", bound=BaseModel)
Row = TypeVar("Row")


class About(BaseModel):
    """What this API is."""

    version: str
    profile: str
    openapi_url: str


class HsdsPage(BaseModel, Generic[Item]):
    """A page of a list, as HSDS has it. `page_number` counts from 1; `size` is the number of entries on this page."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[Item]


class Paging:
    """Which page of a list is asked for."""

    def __init__(
        self,
        page: int = Query(1, ge=1, le=1_000_000, description="From 1."),
        per_page: int = Query(50, ge=1, le=500, description="Entries on a page."),
    ) -> None:
        self._page = page
        self._per_page = per_page

    def of(self, rows: Sequence[Row], to_item: Callable[[Row], Item]) -> HsdsPage[Item]:
        """That page of all rows. Beyond the last one it is empty."""
        first = (self._page - 1) * self._per_page
        shown = rows[first : first + self._per_page]
        pages = -(-len(rows) // self._per_page)
        return HsdsPage(
            total_items=len(rows),
            total_pages=pages,
            page_number=self._page,
            size=len(shown),
            first_page=self._page == 1,
            last_page=self._page >= pages,
            empty=not shown,
            contents=[to_item(row) for row in shown],
        )


Paged = Annotated[Paging, Depends(Paging)]


class Wanted:
    """Which services are asked for."""

    def __init__(
        self,
        organization_id: Uuid | None = None,
        taxonomy_term_id: Uuid | None = None,
        modified_after: AwareDatetime | None = None,
    ) -> None:
        self._organization_id = organization_id
        self._taxonomy_term_id = taxonomy_term_id
        self._modified_after = modified_after

    def has(self, service: Service, document: hsds.Service) -> bool:
        """Whether a service is among them."""
        if self._modified_after is not None and (
            service.changed_at is None or service.changed_at < self._modified_after
        ):
            return False
        terms = {one.taxonomy_term_id for one in document.attributes or ()}
        return self._organization_id in (None, document.organization_id) and self._taxonomy_term_id in (None, *terms)


class _Api:
    """What all routes need."""

    def __init__(self, running: Running, catalogue: Catalogue) -> None:
        self._running = running
        self.taxonomies: Final = {spoken: Taxonomies(catalogue, spoken) for spoken in LANGUAGES}
        self.whom: Final = {spoken: Whom(catalogue, spoken) for spoken in LANGUAGES}

    async def publisher(self, actor: Actor, spoken: Language) -> Publisher:
        today = berlin_day(self._running.clock.now())
        directory = await kept.directory(self._running.store(actor.county), today)
        return Publisher(directory, self.taxonomies[spoken], self.whom[spoken], spoken, actor.county)


def hsds_routes(running: Running, catalogue: Catalogue) -> APIRouter:
    """Everything below ``/hsds``."""
    router = APIRouter(prefix="/hsds")
    api = _Api(running, catalogue)
    _add_about(router, api)
    _add_services(router, api)
    _add_organizations(router, api)
    _add_places(router, api)
    _add_taxonomies(router, api)
    return router


def _add_about(router: APIRouter, api: _Api) -> None:
    @router.get("", include_in_schema=False)
    @router.get("/", response_model=About)
    async def about(actor: Anybody, request: Request) -> Response:  # noqa: ARG001 - the role is what counts
        """The version of HSDS, and where this API is described."""
        url = str(request.url_for("openapi"))
        return _reply(About(version=hsds.VERSION, profile=hsds.PROFILE, openapi_url=url))

    @router.get("/export", response_model=hsds.Export)
    async def export(actor: Anybody) -> Response:
        """The whole directory as one file, which may be read in again."""
        publisher = await api.publisher(actor, "de")
        answer = _reply(publisher.export())
        answer.headers["content-disposition"] = f'attachment; filename="hsds-{actor.county}.json"'
        return answer


def _add_services(router: APIRouter, api: _Api) -> None:
    @router.get("/services", response_model=HsdsPage[hsds.Service])
    async def services(
        actor: Anybody,
        request: Request,
        wanted: Annotated[Wanted, Depends(Wanted)],
        paging: Paged,
        full: Flag = False,  # noqa: FBT002 - a query parameter
    ) -> Response:
        """The services, each with what there is one of; `full` with everything."""
        publisher = await api.publisher(actor, language(request))
        found = [one for one in publisher.services() if wanted.has(one, publisher.service(one))]
        return _reply(paging.of(found, lambda one: publisher.service(one, full=full)))

    @router.get("/services/{id}", response_model=hsds.Service)
    async def service(actor: Anybody, request: Request, id: Uuid) -> Response:
        """A service with everything that belongs to it."""
        publisher = await api.publisher(actor, language(request))
        return _reply(publisher.service(_one(publisher.services(), id)))


def _add_organizations(router: APIRouter, api: _Api) -> None:
    @router.get("/organizations", response_model=HsdsPage[hsds.Organization])
    async def organizations(
        actor: Anybody,
        request: Request,
        paging: Paged,
        full: Flag = False,  # noqa: FBT002 - a query parameter
    ) -> Response:
        """The organisations, each with what there is one of; `full` with everything."""
        publisher = await api.publisher(actor, language(request))
        return _reply(paging.of(publisher.partners(), lambda one: publisher.organization(one, full=full)))

    @router.get("/organizations/{id}", response_model=hsds.Organization)
    async def organization(actor: Anybody, request: Request, id: Uuid) -> Response:
        """An organisation with its sites, and whom to turn to there."""
        publisher = await api.publisher(actor, language(request))
        return _reply(publisher.organization(_one(publisher.partners(), id)))


def _add_places(router: APIRouter, api: _Api) -> None:
    @router.get("/service_at_locations", response_model=HsdsPage[hsds.ServiceAtLocation])
    async def places(
        actor: Anybody,
        request: Request,
        paging: Paged,
        full: Flag = False,  # noqa: FBT002 - a query parameter
    ) -> Response:
        """The services at their sites, each with what there is one of; `full` with everything."""
        publisher = await api.publisher(actor, language(request))
        brief = {"schedules": None, "attributes": None}
        return _reply(paging.of(publisher.places(), lambda one: one if full else one.model_copy(update=brief)))

    @router.get("/service_at_locations/{id}", response_model=hsds.ServiceAtLocation)
    async def place(actor: Anybody, request: Request, id: Uuid) -> Response:
        """A service at one of its sites, with its offers there."""
        publisher = await api.publisher(actor, language(request))
        return _reply(_one(publisher.places(), id))


def _add_taxonomies(router: APIRouter, api: _Api) -> None:
    @router.get("/taxonomies", response_model=HsdsPage[hsds.Taxonomy])
    async def taxonomies(actor: Anybody, request: Request, paging: Paged) -> Response:  # noqa: ARG001
        """What the terms are ordered by."""
        return _reply(paging.of(api.taxonomies[language(request)].all, lambda one: one))

    @router.get("/taxonomies/{id}", response_model=hsds.Taxonomy)
    async def taxonomy(actor: Anybody, request: Request, id: Uuid) -> Response:  # noqa: ARG001
        return _reply(_one(api.taxonomies[language(request)].all, id))

    @router.get("/taxonomy_terms", response_model=HsdsPage[hsds.TaxonomyTerm])
    async def terms(
        actor: Anybody,  # noqa: ARG001
        request: Request,
        paging: Paged,
        taxonomy_id: Uuid | None = None,
    ) -> Response:
        """The terms, of one taxonomy or of all."""
        found = api.taxonomies[language(request)].terms
        return _reply(paging.of([one for one in found if taxonomy_id in (None, one.taxonomy_id)], lambda one: one))

    @router.get("/taxonomy_terms/{id}", response_model=hsds.TaxonomyTerm)
    async def term(actor: Anybody, request: Request, id: Uuid) -> Response:  # noqa: ARG001
        return _reply(_one(api.taxonomies[language(request)].terms, id))


Known = TypeVar("Known", Service, Partner, hsds.ServiceAtLocation, hsds.Taxonomy, hsds.TaxonomyTerm)


def _one(rows: Sequence[Known], id: str) -> Known:
    """The one with this id. Raises `Problem` 404."""
    found = next((row for row in rows if row.id == id), None)
    if found is None:
        raise Problem("entry-not-found", 404)
    return found


def _reply(body: BaseModel) -> Response:
    """HSDS knows no null: what is not known is left out."""
    return Response(body.model_dump_json(exclude_none=True), media_type="application/json")
