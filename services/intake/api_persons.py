"""The doors through which somebody learns who a person is. Each read is in the audit before anything is shown.

A partner gets the fields that its agreement names, of people referred to it; a counsellor, or a clerk of the registering office, the
person. Addresses carry case ids and days only. Several people asked for at once are each read, refused and recorded as if asked for alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.intake import store
from services.intake.api_imports import MESSAGES
from services.intake.askers import CLERKS, limit_of, organisation_of
from services.intake.bodies import CasesBody
from services.intake.commands import ReadAnswer, ReadPerson
from services.intake.sealing import CountyKeys, Keyring, Person, Unreadable
from services.intake.views import AuditView, PersonView
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.deciding import Command
from services.runtime.items import ItemOutcomes, Settled, item_outcome
from services.runtime.logs import log
from services.runtime.outcomes import Outcome, Result
from services.runtime.problems import Problem, language
from services.runtime.running import Running
from services.runtime.security import allow
from services.runtime.store import CountyStore
from services.runtime.tokens import Actor
from services.runtime.web import reply

CORRECTIONS_BETWEEN: Final = 3
"""Keys and documents are read one after the other. A correction in between replaces both, so then they are read again."""

Partner = Annotated[Actor, Depends(allow(Role.PARTNER))]
Own = Annotated[Actor, Depends(allow(*CLERKS, Role.COUNSELLOR))]
Protection = Annotated[Actor, Depends(allow(Role.DATA_PROTECTION_OFFICER))]


def add_persons(router: APIRouter, running: Running, keyring: Keyring) -> None:
    catalogue = Catalogue(RUNTIME_MESSAGES, MESSAGES)

    @router.get("/cases/{case}/contact", response_model=PersonView)
    async def contact(actor: Partner, case: Uuid) -> Response:
        """For a partner: the agreed fields of a person referred to it."""
        return await _read(actor, case, office=None, organisation=organisation_of(actor))

    @router.post("/contacts", response_model=ItemOutcomes)
    async def contacts(request: Request, actor: Partner, body: CasesBody) -> Response:
        """The same of several people, such as the participants of a course; each has an outcome of its own, and `standing` is the contact.
        A case that is named twice is read once. No key is needed: nothing changes but the record of reads."""
        organisation, cases = organisation_of(actor), list(dict.fromkeys(body.cases))
        commands = [_command(actor, case, office=None, organisation=organisation) for case in cases]
        outcomes = dict(zip(cases, await running.send_all(commands), strict=True))
        opened = await _opened(running.store(actor.county), keyring.of(actor.county), _allowed(outcomes))
        spoken = language(request)
        items = [item_outcome(case, _told(case, outcomes[case], opened), catalogue, spoken) for case in cases]
        return reply(ItemOutcomes(items=items))

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
        recorded = await running.desk.send(_command(actor, case, office=office, organisation=organisation))
        opened = await _opened(running.store(actor.county), keyring.of(actor.county), [case])
        return reply(_view(case, opened, recorded.body))

    def _command(actor: Actor, case: str, *, office: str | None, organisation: str | None) -> Command:
        command = ReadPerson(
            case=case,
            office=office,
            today=berlin_day(running.clock.now()),
            reader=actor.subject,
            role=Role(actor.role),
            organisation=organisation,
        )
        return Command(actor.county, "", command, actor.subject)


@dataclass(frozen=True, slots=True)
class _Opened:
    """People by case. Of `unreadable` ones document and key never belonged together; who is in neither was erased a moment ago."""

    people: Mapping[str, Person]
    unreadable: Sequence[str]


def _allowed(outcomes: Mapping[str, Outcome]) -> list[str]:
    return [case for case, outcome in outcomes.items() if outcome.result is Result.APPLIED]


async def _opened(county_store: CountyStore, keys: CountyKeys, cases: Sequence[str]) -> _Opened:
    people: dict[str, Person] = {}
    left = list(cases)
    for _ in range(CORRECTIONS_BETWEEN + 1):
        if not left:
            break
        sealed = await store.sealed_people(county_store, left)
        people.update(_open(keys, sealed))
        left = [case for case in sealed if case not in people]
    return _Opened(people, left)


def _open(keys: CountyKeys, sealed: Mapping[str, tuple[bytes, bytes]]) -> Iterator[tuple[str, Person]]:
    """Those that open."""
    for case, (key, document) in sealed.items():
        try:
            yield case, keys.open(case, key, document)
        except Unreadable:
            continue


def _view(case: str, opened: _Opened, allowed: bytes) -> PersonView:
    """What may be told. Raises `Problem` when the person was erased a moment ago, `Unreadable`."""
    if case in opened.unreadable:
        raise Unreadable
    if case not in opened.people:
        raise Problem("case-erased", 410)
    return PersonView.of(case, opened.people[case], ReadAnswer.model_validate_json(allowed))


def _told(case: str, outcome: Outcome, opened: _Opened) -> Settled:
    """What became of one of several."""
    if outcome.result is not Result.APPLIED or outcome.answer is None:
        return outcome
    try:
        return replace(outcome, answer=_view(case, opened, outcome.answer).model_dump_json().encode())
    except Problem as erased:
        return erased
    except Unreadable as unreadable:
        log.error("request.failed", exception=unreadable, method="POST")
        return Outcome(Result.FAILED, error=unreadable)
