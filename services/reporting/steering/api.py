"""The plan over HTTP: reading it, taking over a published one, changing it, and the progress report."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.reporting.indicators.reading import report_terms
from services.reporting.steering import reading
from services.reporting.steering.keeping import PutField, PutGoal, PutMeasure, PutReporting, Steered, TakeOver
from services.reporting.steering.model import (
    ActionField,
    FieldTerms,
    Goal,
    GoalTerms,
    Measure,
    MeasureTerms,
    Reporting,
    ReportTerms,
    reporting_id,
)
from services.reporting.steering.plans import PLANS
from services.reporting.steering.report import Change, ProgressReport, history, report
from services.runtime.calendar import berlin_day
from services.runtime.cursors import PageRequest, paging
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

Reader = Annotated[Actor, Depends(allow(Role.COORDINATOR, Role.REPORTER))]
Coordinator = Annotated[Actor, Depends(allow(Role.COORDINATOR))]
Seen = Annotated[int, Field(ge=0)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seen: Seen


class FieldBody(_Body):
    terms: FieldTerms


class GoalBody(_Body):
    terms: GoalTerms


class MeasureBody(_Body):
    terms: MeasureTerms


class ReportBody(_Body):
    terms: ReportTerms


class SteeredView(BaseModel):
    """Something of the plan as it is now, and everything that was ever said of it."""

    id: str
    revision: int
    terms: dict[str, Any]
    history: list[Change]


class PlanLine(BaseModel):
    id: str
    title: str
    source: str
    fields: int
    goals: int
    measures: int


class PlansView(BaseModel):
    items: list[PlanLine]
    next: None = None


def steered_view(one: Steered) -> SteeredView:
    terms = one.now.model_dump(mode="json")
    return SteeredView(id=one.id, revision=one.revision, terms=terms, history=history(one))


def plan_lines(county: str) -> list[PlanLine]:
    """The published plans of a county."""
    found: list[PlanLine] = []
    for plan in PLANS.values():
        if plan.county == county:
            goals = [goal for field in plan.fields_of_action for goal in field.goals]
            measures = sum(len(goal.measures) for goal in goals)
            fields = len(plan.fields_of_action)
            line = PlanLine(
                id=plan.id, title=plan.title, source=plan.source, fields=fields, goals=len(goals), measures=measures
            )
            found.append(line)
    return found


async def progress(running: Running, county: str, since: date | None) -> ProgressReport:
    """The progress report of a county as of now."""
    store = running.store(county)
    today = berlin_day(running.clock.now())
    return report(county, today, since, await report_terms(store), await reading.whole(store))


def add_steering(router: APIRouter, running: Running) -> None:
    for name, model in (("fields", ActionField), ("goals", Goal), ("measures", Measure)):
        _add_reading(router, running, name, model)
    _add_changing(router, running)
    _add_reporting(router, running)


def _add_reading(router: APIRouter, running: Running, name: str, model: type[Steered]) -> None:
    @router.get(f"/steering/{name}")
    async def listed(actor: Reader, page: Annotated[PageRequest, paging(str)]) -> Response:
        after = str(page.after[0]) if page.after else None
        found = await reading.some(running.store(actor.county), model, after, page.fetch)
        return reply(page.page(found, steered_view, lambda one: (one.id,)))

    @router.get(f"/steering/{name}/{{id}}")
    async def one(actor: Reader, id: Uuid) -> Response:
        found = await reading.one(running.store(actor.county), model, id)
        if found is None:
            raise Problem("not-found", 404)
        return reply(steered_view(found))


def _add_changing(router: APIRouter, running: Running) -> None:
    @router.put("/steering/fields/{id}")
    async def put_field(actor: Coordinator, key: IdempotencyKey, id: Uuid, body: FieldBody) -> Response:
        """`seen` is the revision that was seen, 0 for a new one; so for all of them."""
        return await running.send(actor, key, PutField(id=id, seen=body.seen, terms=body.terms))

    @router.put("/steering/goals/{id}")
    async def put_goal(actor: Coordinator, key: IdempotencyKey, id: Uuid, body: GoalBody) -> Response:
        return await running.send(actor, key, PutGoal(id=id, seen=body.seen, terms=body.terms))

    @router.put("/steering/measures/{id}")
    async def put_measure(actor: Coordinator, key: IdempotencyKey, id: Uuid, body: MeasureBody) -> Response:
        return await running.send(actor, key, PutMeasure(id=id, seen=body.seen, terms=body.terms))

    @router.get("/steering/plans")
    async def plans(actor: Reader) -> PlansView:
        """What the county's documents publish."""
        return PlansView(items=plan_lines(actor.county))

    @router.post("/steering/plans/{plan}/taking-over")
    async def take_over(actor: Coordinator, key: IdempotencyKey, plan: str) -> Response:
        return await running.send(actor, key, TakeOver(plan=plan))


def _add_reporting(router: APIRouter, running: Running) -> None:
    @router.get("/steering/terms")
    async def terms(actor: Reader) -> Response:
        found = await reading.one(running.store(actor.county), Reporting, reporting_id(actor.county))
        return reply(steered_view(found or Reporting(id=reporting_id(actor.county))))

    @router.put("/steering/terms")
    async def put_terms(actor: Coordinator, key: IdempotencyKey, body: ReportBody) -> Response:
        """How often the progress report is due, and for whom; which year counts for indicator 5.2."""
        return await running.send(actor, key, PutReporting(seen=body.seen, terms=body.terms))

    @router.get("/steering/report")
    async def progress_report(
        actor: Reader,
        since: Annotated[date | None, Query(description="`changed` names what was changed from this day on.")] = None,
    ) -> ProgressReport:
        return await progress(running, actor.county, since)
