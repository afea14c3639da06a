"""The doors of intake for arrivals and cases. Beside them: `api_persons`, `api_imports` (files) and `api_duplicates`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.intake import store
from services.intake.alike import hinted
from services.intake.api_duplicates import add_duplicates
from services.intake.api_imports import add_imports
from services.intake.api_persons import add_persons
from services.intake.askers import CLERKS, limit_of, office_of, purposes_of, teller_of, way_of
from services.intake.bodies import (
    AppointmentBody,
    ArrivalBody,
    ConsentsBody,
    CorrectionBody,
    MoveBody,
    PurposesBody,
    ResidenceGroupBody,
)
from services.intake.commands import (
    AppointmentAnswer,
    ArrivalAnswer,
    BookAppointment,
    CaseAnswer,
    ErasePerson,
    GiveConsent,
    MovePerson,
    NotedAnswer,
    TellResidenceGroup,
    WithdrawConsent,
)
from services.intake.registering import Source, places_of, to_command, to_correction
from services.intake.sealing import Keyring
from services.intake.sites import rules_of
from services.intake.views import AppointmentView, BooksView, CaseView
from services.runtime.calendar import berlin_day
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.tokens import Actor
from services.runtime.web import IdempotencyKey, reply

Office = Annotated[Actor, Depends(allow(*CLERKS, Role.COUNSELLOR))]
Rights = Annotated[Actor, Depends(allow(*CLERKS, Role.COUNSELLOR, Role.DATA_PROTECTION_OFFICER))]
Authority = Annotated[Actor, Depends(allow(Role.AUTHORITY_CLERK))]
Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]
Operator = Annotated[Actor, Depends(allow(Role.OPERATOR))]

CREATED: Final = 201


def routes(running: Running) -> APIRouter:
    """Everything under ``/v1``."""
    router = APIRouter(prefix="/v1")
    keyring = Keyring.of_settings(running.settings)
    _add_arrivals(router, running, keyring)
    _add_cases(router, running, keyring)
    _add_consents(router, running)
    _add_days_and_books(router, running)
    add_duplicates(router, running)
    add_persons(router, running, keyring)
    add_imports(router, running, keyring)
    return router


def _add_arrivals(router: APIRouter, running: Running, keyring: Keyring) -> None:
    @router.post("/arrivals", status_code=CREATED, response_model=ArrivalAnswer)
    async def register_arrival(actor: Office, key: IdempotencyKey, body: ArrivalBody) -> Response:
        """Register one person; without the consent only the count is kept."""
        today = _today(running)
        entries = body.entries(actor.county, today)
        arrival = to_command(
            entries,
            Source(way_of(actor), office_of(actor), teller_of(actor), today),
            keyring.of(actor.county),
            id=running.ids.root("arrival", actor.county, key),
        )
        command = await hinted(running.store(actor.county), arrival, limit_of(actor))
        return await running.send(actor, key, command, status=CREATED)


def _add_cases(router: APIRouter, running: Running, keyring: Keyring) -> None:
    @router.get("/cases/{case}", response_model=CaseView)
    async def show_case(actor: Rights, case: Uuid) -> Response:
        """Coded facts, appointment, and the consents that are the asker's business; not who it is."""
        found = await store.case_of(running.store(actor.county), case)
        limit = limit_of(actor)
        if found is not None and found.erased and limit is None:
            raise Problem("case-erased", 410)
        if found is None or found.register_facts is None or (limit is not None and found.office != limit):
            raise Problem("case-unknown", 404)
        return reply(CaseView.of(found, purposes_of(actor)))

    @router.post("/cases/{case}/appointment", status_code=CREATED, response_model=AppointmentAnswer)
    async def book(actor: Office, key: IdempotencyKey, case: Uuid, body: AppointmentBody) -> Response:
        """Book the first talk anew."""
        today = _today(running)
        wish = body.wish(actor.county, today)
        command = BookAppointment(case=case, office=limit_of(actor), today=today, not_before=wish)
        return await running.send(actor, key, command, status=CREATED)

    @router.post("/cases/{case}/corrections", response_model=CaseAnswer)
    async def correct(actor: Rights, key: IdempotencyKey, case: Uuid, body: CorrectionBody) -> Response:
        today = _today(running)
        command = to_correction(
            body,
            body.entries(actor.county, today),
            keyring.of(actor.county),
            case=case,
            office=limit_of(actor),
            teller=teller_of(actor),
            today=today,
        )
        return await running.send(actor, key, command)

    @router.post("/cases/{case}/residence-group", response_model=NotedAnswer)
    async def tell_residence_group(
        actor: Authority, key: IdempotencyKey, case: Uuid, body: ResidenceGroupBody
    ) -> Response:
        """For the foreigners authority, about any case of the county. It hears nothing of the case."""
        command = TellResidenceGroup(case=case, today=_today(running), residence_group=body.residence_group)
        return await running.send(actor, key, command)

    @router.post("/cases/{case}/moves", response_model=CaseAnswer)
    async def move(actor: Office, key: IdempotencyKey, case: Uuid, body: MoveBody) -> Response:
        """Within the county, or out of it."""
        today = _today(running)
        district, municipality = places_of(body.place(actor.county, today))
        command = MovePerson(
            case=case,
            office=limit_of(actor),
            today=today,
            told_by=teller_of(actor),
            moved_on=body.moved_on,
            district=district or None,
            municipality=municipality,
        )
        return await running.send(actor, key, command)

    @router.post("/cases/{case}/erasure", response_model=CaseAnswer)
    async def erase(actor: Rights, key: IdempotencyKey, case: Uuid) -> Response:
        """Forget the person."""
        return await running.send(actor, key, ErasePerson(case=case, office=limit_of(actor), today=_today(running)))


def _add_consents(router: APIRouter, running: Running) -> None:
    @router.post("/cases/{case}/consents", response_model=CaseAnswer)
    async def give(actor: Counsellor, key: IdempotencyKey, case: Uuid, body: ConsentsBody) -> Response:
        """The consents of the first talk."""
        today = _today(running)
        entries = body.entries(actor.county, today)
        command = GiveConsent(
            case=case,
            today=today,
            purposes=body.purposes,
            language=entries.consent_language or None,
            text_version=entries.consent_text or None,
            given_at=office_of(actor),
        )
        return await running.send(actor, key, command)

    @router.post("/cases/{case}/consents/withdrawals", response_model=CaseAnswer)
    async def withdraw(actor: Rights, key: IdempotencyKey, case: Uuid, body: PurposesBody) -> Response:
        command = WithdrawConsent(case=case, office=limit_of(actor), today=_today(running), purposes=body.purposes)
        return await running.send(actor, key, command)


def _add_days_and_books(router: APIRouter, running: Running) -> None:
    @router.get("/appointments", response_model=Page[AppointmentView])
    async def appointments(
        actor: Counsellor,
        day: Annotated[date, Query(description="Calendar day in Germany.")],
        page: Annotated[PageRequest, paging(datetime, str)],
        site: Annotated[str | None, Query(description="Code of a site; all sites without it.")] = None,
    ) -> Response:
        """The counsellors' day: who comes when."""
        sites = rules_of(actor.county).sites
        if site is not None and site not in sites:
            raise Problem("site-unknown", 404)
        chosen = [sites[site]] if site is not None else sites.values()
        views = [
            AppointmentView.of(entry, day) for entry in await store.day_at(running.store(actor.county), chosen, day)
        ]
        views.sort(key=_place_in_day)
        rest = [view for view in views if page.after is None or _place_in_day(view) > page.after]
        shown: Page[AppointmentView] = page.page(rest, lambda view: view, _place_in_day)
        return reply(shown)

    @router.get("/books", response_model=BooksView)
    async def books(actor: Operator) -> Response:
        """Where everybody is, in numbers."""
        return reply(BooksView.of(await store.books_of(running.store(actor.county))))


def _place_in_day(view: AppointmentView) -> tuple[datetime, str]:
    return view.starts_at, view.appointment


def _today(running: Running) -> date:
    return berlin_day(running.clock.now())
