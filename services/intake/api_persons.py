"""The doors through which somebody learns who a person is. Each read is in the audit before anything is shown.

A partner gets the fields that its agreement names, of people referred to it; a counsellor, or a clerk of the registering office, the
person. Addresses carry case ids and days only.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.intake import store
from services.intake.askers import CLERKS, limit_of, organisation_of
from services.intake.commands import ReadAnswer, ReadPerson
from services.intake.sealing import CountyKeys, Keyring, Person, Unreadable
from services.intake.views import AuditView, PersonView
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.store import CountyStore
from services.runtime.tokens import Actor
from services.runtime.web import reply

CORRECTIONS_BETWEEN: Final = 3
"""Key and document are read one after the other. A correction in between replaces both, so then they are read again."""

Partner = Annotated[Actor, Depends(allow(Role.PARTNER))]
Own = Annotated[Actor, Depends(allow(*CLERKS, Role.COUNSELLOR))]
Protection = Annotated[Actor, Depends(allow(Role.DATA_PROTECTION_OFFICER))]


def add_persons(router: APIRouter, running: Running, keyring: Keyring) -> None:
    @router.get("/cases/{case}/contact", response_model=PersonView)
    async def contact(actor: Partner, case: Uuid) -> Response:
        """For a partner: the agreed fields of a person referred to it."""
        return await _read(actor, case, office=None, organisation=organisation_of(actor))

    @router.get("/cases/{case}/person", response_model=PersonView)
    async def person(actor: Own, case: Uuid) -> Response:
        """For counsellors, and for clerks of the office that registered the person."""
        return await _read(actor, case, office=limit_of(actor), organisation=None)

    @router.get("/audit/{day}", response_model=AuditView)
    async def audit(actor: Protection, day: Annotated[date, Path()]) -> Response:
        """Whether the record of a day's reads is whole."""
        reads, whole = await store.check_reads(running.store(actor.county), day)
        return reply(AuditView(day=day, reads=reads, whole=whole))

    async def _read(actor: Actor, case: str, *, office: str | None, organisation: str | None) -> Response:
        command = ReadPerson(
            case=case,
            office=office,
            today=berlin_day(running.clock.now()),
            reader=actor.subject,
            role=Role(actor.role),
            organisation=organisation,
        )
        recorded = await running.desk.send(Command(actor.county, "", command, actor.subject))
        person = await _opened(running.store(actor.county), keyring.of(actor.county), case)
        return reply(PersonView.of(case, person, ReadAnswer.model_validate_json(recorded.body)))


async def _opened(county_store: CountyStore, keys: CountyKeys, case: str) -> Person:
    """The person. Raises `Unreadable` when document and key never belonged together."""
    for _ in range(CORRECTIONS_BETWEEN):
        with suppress(Unreadable):
            return keys.open(case, *await _sealed(county_store, case))
    return keys.open(case, *await _sealed(county_store, case))


async def _sealed(county_store: CountyStore, case: str) -> tuple[bytes, bytes]:
    sealed = await store.sealed_person(county_store, case)
    if sealed is None:  # erased a moment ago
        raise Problem("case-erased", 410)
    return sealed
