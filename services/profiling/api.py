"""What counsellors and municipal social workers do over HTTP, and what operators read of it.

A social worker reaches the cases of the municipality or district that their sign-in names as office, and for all others hears the same as
for a case that does not exist. Registry offices and the foreigners authority have no route here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Code, Uuid
from schemas.places import UnknownPlace, locate
from services.profiling import store as kept
from services.profiling.commands import ConfirmNeeds, NeedDecision, Reach, RecordProfile, Standing, WithdrawNeed
from services.profiling.guideline import Guideline, UnknownGuideline, Wrong, WrongAnswers, guideline, guideline_on
from services.profiling.model import Case, Obstacle, Stage
from services.profiling.views import (
    CaseView,
    GuidelineView,
    ProfileView,
    WorkView,
    case_view,
    guideline_view,
    profile_view,
    work_view,
)
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.deciding import Command
from services.runtime.items import ItemOutcomes, Settled, item_outcome, nothing_new
from services.runtime.problems import FieldProblem, Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

MOST_SHEETS: Final = 200

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR, Role.SOCIAL_WORKER))]
Operator = Annotated[Actor, Depends(allow(Role.OPERATOR))]
WorkStage = Literal["not-arrived", "to-invite", "talk-due", "talk-begun", "profiled", "planned"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Profile(_Body):
    """Everything that is known now, by question; null or left out where not asked yet. Without `guideline` today's is meant."""

    guideline: Code | None = None
    answers: dict[str, Any]
    confirm_derived: bool = False
    based_on: int | None = Field(default=None, ge=0)


class PaperSheet(_Body):
    """A filled-in sheet of one case."""

    case: Uuid
    guideline: Code | None = None
    answers: dict[str, Any]


class Sheets(_Body):
    """Sheets collected on paper. With `confirm_derived` their needs are confirmed too: the counsellor did so on the sheet."""

    sheets: list[PaperSheet] = Field(min_length=1, max_length=MOST_SHEETS)
    confirm_derived: bool = False


class Decisions(_Body):
    """What the counsellor decided, in the order of the plan; all of it or nothing."""

    decisions: list[NeedDecision] = Field(min_length=1, max_length=100)


class BooksView(BaseModel):
    """How many cases stand where, for operators."""

    cases: dict[str, int]
    arrived: int
    profiled: int
    complete: int
    needs: dict[str, int]


def routes(running: Running) -> APIRouter:
    """Everything below ``/v1``."""
    router = APIRouter(prefix="/v1")
    catalogue = Catalogue(RUNTIME_MESSAGES, running.service.messages)
    _add_guideline(router, running)
    _add_cases(router, running, catalogue)
    _add_commands(router, running)
    _add_sheets(router, running, catalogue)
    _add_books(router, running)
    return router


def _add_guideline(router: APIRouter, running: Running) -> None:
    @router.get("/guideline", response_model=GuidelineView)
    async def questions(request: Request, actor: Counsellor, version: Code | None = None) -> Response:  # noqa: ARG001
        one = _guideline(version, berlin_day(running.clock.now()))
        return reply(guideline_view(one, language(request)))


def _add_cases(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.get("/cases", response_model=Page[WorkView])
    async def worklist(
        actor: Counsellor,
        page: Annotated[PageRequest, paging(datetime, str)],
        state: WorkStage = "talk-due",
        site: Code | None = None,
        day: Annotated[date | None, Query(description="A day in Germany.")] = None,
    ) -> Response:
        store = running.store(actor.county)
        cases = await kept.worklist(store, Stage(state), reach_of(actor), page, site=site, day=day)
        return reply(page.page([work_view(case) for case in cases], _itself, lambda one: (one.on_agenda, one.case)))

    @router.get("/cases/{case}", response_model=CaseView)
    async def one_case(request: Request, actor: Counsellor, case: Uuid) -> Response:
        found = await _readable(running, actor, case)
        versions = await kept.versions(running.store(actor.county), found)
        return reply(case_view(found, versions, catalogue, language(request)))

    @router.get("/cases/{case}/profile/{version}", response_model=ProfileView)
    async def one_version(actor: Counsellor, case: Uuid, version: int) -> Response:
        found = await _readable(running, actor, case)
        earlier = await kept.version(running.store(actor.county), case, version)
        if earlier is None:
            raise Problem("profile-version-not-found", 404)
        return reply(profile_view(earlier, found.facts))


def _add_commands(router: APIRouter, running: Running) -> None:
    @router.put("/cases/{case}/profile", response_model=Standing)
    async def record(actor: Counsellor, key: IdempotencyKey, case: Uuid, body: Profile) -> Response:
        version, answers = _read(body.guideline, body.answers, berlin_day(running.clock.now()))
        command = RecordProfile(
            case=case,
            guideline=version,
            answers=answers,
            confirm_derived=body.confirm_derived,
            based_on=body.based_on,
            reach=reach_of(actor),
        )
        return await running.send(actor, key, command)

    @router.post("/cases/{case}/needs", response_model=Standing)
    async def confirm(actor: Counsellor, key: IdempotencyKey, case: Uuid, body: Decisions) -> Response:
        command = ConfirmNeeds(case=case, decisions=tuple(body.decisions), reach=reach_of(actor))
        return await running.send(actor, key, command)

    @router.post("/cases/{case}/needs/{need}/withdrawal", response_model=Standing)
    async def withdraw(actor: Counsellor, key: IdempotencyKey, case: Uuid, need: Uuid) -> Response:
        return await running.send(actor, key, WithdrawNeed(case=case, need=need, reach=reach_of(actor)))


def _add_sheets(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.post("/profiles", response_model=ItemOutcomes)
    async def record_many(request: Request, actor: Counsellor, key: IdempotencyKey, body: Sheets) -> Response:
        spoken, today, reach = language(request), berlin_day(running.clock.now()), reach_of(actor)
        commands: dict[int, Command] = {}
        settled: dict[int, Settled] = {}
        for position, sheet in enumerate(body.sheets):
            try:
                version, answers = _read(sheet.guideline, sheet.answers, today)
            except Problem as problem:
                settled[position] = problem
                continue
            data = RecordProfile(
                case=sheet.case,
                guideline=version,
                answers=answers,
                confirm_derived=body.confirm_derived,
                reach=reach,
            )
            commands[position] = Command(actor.county, key, data, actor.subject, place=position)
        settled |= zip(commands, await running.send_all(list(commands.values())), strict=True)
        items = [
            item_outcome(sheet.case, settled[position], catalogue, spoken) for position, sheet in enumerate(body.sheets)
        ]
        return reply(ItemOutcomes(items=items), replayed=nothing_new(settled.values()))


def _add_books(router: APIRouter, running: Running) -> None:
    @router.get("/books", response_model=BooksView)
    async def books(actor: Operator) -> Response:
        found = await kept.books(running.store(actor.county))
        return reply(
            BooksView(
                cases={str(stage): count for stage, count in found.stages.items()},
                arrived=found.arrived,
                profiled=found.profiled,
                complete=found.complete,
                needs={str(state): count for state, count in found.needs.items()},
            )
        )


# --- who reaches what ---------------------------------------------------------------------------------------------------


def reach_of(actor: Actor) -> Reach:
    """The whole county for a counsellor; for a social worker the place that the sign-in names. Raises `Problem` 403."""
    if actor.role != Role.SOCIAL_WORKER:
        return Reach()
    try:
        district, municipality = locate(actor.office or "")
    except UnknownPlace:
        raise Problem("office-unknown", 403) from None
    if district.county != actor.county:
        raise Problem("office-unknown", 403)
    return Reach(district=district.ars, municipality=municipality.ars if municipality else None)


async def _readable(running: Running, actor: Actor, id: str) -> Case:
    stored = await running.store(actor.county).state(Case, id)
    case = stored.state if stored else None
    if not isinstance(case, Case) or not reach_of(actor).covers(case.place):
        raise Problem("case-not-found", 404)
    if case.erased:
        raise Problem(Obstacle.ERASED, 410)
    return case


# --- sheets -------------------------------------------------------------------------------------------------------------


def _guideline(version: str | None, today: date) -> Guideline:
    try:
        return guideline(version) if version is not None else guideline_on(today)
    except UnknownGuideline:
        raise Problem("guideline-unknown", 422) from None


def _read(version: str | None, sheet: Mapping[str, object], today: date) -> tuple[str, dict[str, Any]]:
    """The guideline's version and the coded answers. Raises `Problem` 422, which names each wrong answer."""
    asked = _guideline(version, today)
    try:
        return asked.version, asked.read(sheet)
    except WrongAnswers as error:
        raise Problem("invalid-fields", 422, fields=_field_problems(error.found)) from None


def _field_problems(found: Sequence[Wrong]) -> list[FieldProblem]:
    return [FieldProblem(".".join(filter(None, ("answers", one.where))), one.code, one.params) for one in found]


def _itself(one: WorkView) -> WorkView:
    return one
