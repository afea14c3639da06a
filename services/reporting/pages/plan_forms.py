"""The pages on which the plan is changed: fields, goals, measures, the terms of reporting; taking over a published plan.

A page shows the revision that it was made from, and sends it along; what somebody else changed meanwhile is not overwritten.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.reporting.indicators.declared import DECLARED, words_of
from services.reporting.pages.plan import PLAN, words
from services.reporting.pages.plan_typed import Blank, goal_typed, kept, lines, measure_typed, seen, typed_in
from services.reporting.steering import reading
from services.reporting.steering.keeping import PutField, PutGoal, PutMeasure, PutReporting, Steered, TakeOver
from services.reporting.steering.model import (
    ActionField,
    FieldTerms,
    Goal,
    GoalTerms,
    Light,
    Measure,
    MeasureTerms,
    Reporting,
    ReportTerms,
    Standing,
    reporting_id,
)
from services.reporting.steering.report import history
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.pages import Form, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.running import Running

Reader = Annotated[Visitor, Depends(page_for(Role.COORDINATOR, Role.REPORTER))]
Coordinator = Annotated[Visitor, Depends(page_for(Role.COORDINATOR))]

Typed = Mapping[str, str]
T = TypeVar("T", bound=BaseModel)
Wish = Callable[[T], BaseModel]
Again = Callable[[str], Awaitable[Response]]
"""The page once more, with what is wrong."""


def add_plan_forms(router: APIRouter, running: Running, pages: Pages) -> None:
    forms = _Forms(running, pages)

    @router.post(PLAN + "/taking-over")
    async def take_over(visitor: Coordinator) -> Response:
        form = await visitor.form()
        await forms.send(visitor, form, TakeOver(plan=form.one("plan")))
        return pages.go(visitor, PLAN, visitor.session.saying("plan.taken-over"))

    @router.get(PLAN + "/terms")
    async def terms(visitor: Reader) -> Response:
        return await forms.terms(visitor)

    @router.post(PLAN + "/terms")
    async def put_terms(visitor: Coordinator) -> Response:
        form = await visitor.form()
        told: dict[str, Any] = {
            "every_months": form.one("every_months") or None,
            "recipients": lines(form.one("recipients")),
            "year_of_entry": form.one("year_of_entry"),
        }

        async def again(problem: str) -> Response:
            return await forms.terms(visitor, form, problem)

        return await forms.put(
            visitor,
            form,
            ReportTerms,
            told,
            again=again,
            path=PLAN,
            wish=lambda t: PutReporting(seen=seen(form), terms=t),
        )

    @router.post(PLAN + "/fields")
    async def new_field(visitor: Coordinator) -> Response:
        form = await visitor.form()
        told = {"name": form.one("name"), "place": 999}
        id = running.ids.root("actionfield", form.key)

        async def again(problem: str) -> Response:
            return await forms.terms(visitor, form, problem)

        return await forms.put(
            visitor, form, FieldTerms, told, again=again, path=PLAN, wish=lambda t: PutField(id=id, seen=0, terms=t)
        )

    _add_fields(router, forms)
    _add_goals(router, forms)
    _add_measures(router, forms)


def _add_fields(router: APIRouter, forms: _Forms) -> None:
    @router.get(PLAN + "/fields/{field}")
    async def one_field(visitor: Reader, field: Uuid) -> Response:
        return forms.field(visitor, await forms.known(visitor, ActionField, field))

    @router.post(PLAN + "/fields/{field}")
    async def put_field(visitor: Coordinator, field: Uuid) -> Response:
        return await forms.put_field(visitor, await forms.known(visitor, ActionField, field))


def _add_goals(router: APIRouter, forms: _Forms) -> None:
    @router.get(PLAN + "/fields/{field}/goal")
    async def blank_goal(visitor: Coordinator, field: Uuid) -> Response:
        await forms.known(visitor, ActionField, field)
        return await forms.goal(visitor, None, field)

    @router.post(PLAN + "/fields/{field}/goal")
    async def new_goal(visitor: Coordinator, field: Uuid) -> Response:
        await forms.known(visitor, ActionField, field)
        return await forms.put_goal(visitor, None, field)

    @router.get(PLAN + "/goals/{goal}")
    async def one_goal(visitor: Reader, goal: Uuid) -> Response:
        found = await forms.known(visitor, Goal, goal)
        return await forms.goal(visitor, found, found.now.field)

    @router.post(PLAN + "/goals/{goal}")
    async def put_goal(visitor: Coordinator, goal: Uuid) -> Response:
        found = await forms.known(visitor, Goal, goal)
        return await forms.put_goal(visitor, found, found.now.field)


def _add_measures(router: APIRouter, forms: _Forms) -> None:
    @router.get(PLAN + "/goals/{goal}/measure")
    async def blank_measure(visitor: Coordinator, goal: Uuid) -> Response:
        await forms.known(visitor, Goal, goal)
        return await forms.measure(visitor, None, goal)

    @router.post(PLAN + "/goals/{goal}/measure")
    async def new_measure(visitor: Coordinator, goal: Uuid) -> Response:
        await forms.known(visitor, Goal, goal)
        return await forms.put_measure(visitor, None, goal)

    @router.get(PLAN + "/measures/{measure}")
    async def one_measure(visitor: Reader, measure: Uuid) -> Response:
        found = await forms.known(visitor, Measure, measure)
        return await forms.measure(visitor, found, found.now.goal)

    @router.post(PLAN + "/measures/{measure}")
    async def put_measure(visitor: Coordinator, measure: Uuid) -> Response:
        found = await forms.known(visitor, Measure, measure)
        return await forms.put_measure(visitor, found, found.now.goal)


class _Forms:
    """What the routes share: showing a form as it is or as it was typed, and sending what it says."""

    def __init__(self, running: Running, pages: Pages) -> None:
        self._running = running
        self._pages = pages

    async def known(self, visitor: Visitor, model: type[reading.S], id: str) -> reading.S:
        """Raises `Problem` 404."""
        found = await reading.one(self._running.store(visitor.signed_in.county), model, id)
        if found is None:
            raise Problem("not-found", 404)
        return found

    async def send(self, visitor: Visitor, form: Form, data: BaseModel) -> None:
        actor = visitor.signed_in
        await self._running.desk.send(Command(actor.county, form.key, data, actor.subject))

    async def put(
        self,
        visitor: Visitor,
        form: Form,
        model: type[T],
        told: Mapping[str, Any],
        *,
        again: Again,
        path: str,
        wish: Wish[T],
    ) -> Response:
        """Send what a form says; with an error the same page, and what was typed."""
        try:
            terms = model.model_validate(told)
        except ValidationError as wrong:
            named = ".".join(str(part) for part in wrong.errors()[0]["loc"]).partition(".")[0] or "terms"
            return await again(self._pages.catalogue.text(visitor.language, f"plan.wrong.{named}", {}))
        try:
            await self.send(visitor, form, wish(terms))
        except Refused as refused:
            title, detail = self._pages.said(refused, visitor.language)
            return await again(f"{title} {detail}")
        return self._pages.go(visitor, path, visitor.session.saying("plan.saved"))

    # --- fields ---------------------------------------------------------------------------------------------------------

    def field(self, visitor: Visitor, field: ActionField, form: Form | None = None, problem: str = "") -> Response:
        typed = typed_in(form) if form else {"name": field.now.name}
        return self._shown(visitor, "field.html", field, typed, problem)

    async def put_field(self, visitor: Visitor, field: ActionField) -> Response:
        form = await visitor.form()
        told = {**kept(field), "name": form.one("name").strip()}

        async def again(problem: str) -> Response:
            return self.field(visitor, field, form, problem)

        return await self.put(
            visitor,
            form,
            FieldTerms,
            told,
            again=again,
            path=f"{PLAN}/fields/{field.id}",
            wish=lambda t: PutField(id=field.id, seen=seen(form), terms=t),
        )

    # --- goals ----------------------------------------------------------------------------------------------------------

    async def goal(
        self, visitor: Visitor, goal: Goal | None, field: str, *, form: Form | None = None, problem: str = ""
    ) -> Response:
        store = self._running.store(visitor.signed_in.county)
        typed = typed_in(form) if form else goal_typed(goal)
        measures = [one for one in await reading.every(store, Measure) if goal and one.now.goal == goal.id]
        stands = await reading.standing(store, goal) if goal else None
        indicators = [(one.id, f"{one.id} {words_of(one.name, visitor.language)}") for one in DECLARED.indicators]
        return self._shown(
            visitor,
            "goal.html",
            goal,
            typed,
            problem,
            field=field,
            measures=sorted(measures, key=lambda one: (one.now.place, one.id)),
            attainment=stands,
            indicators=indicators,
        )

    async def put_goal(self, visitor: Visitor, goal: Goal | None, field: str) -> Response:
        form = await visitor.form()
        target = None
        if form.one("indicator") or form.one("value"):
            target = {
                "indicator": form.one("indicator"),
                "direction": form.one("direction"),
                "value": form.one("value").replace(",", "."),
                "year": form.one("year"),
            }
        told = {
            **kept(goal),
            "field": field,
            "text": form.one("text"),
            "bodies": lines(form.one("bodies")),
            "target": target,
        }
        id = goal.id if goal else self._running.ids.root("goal", form.key)

        async def again(problem: str) -> Response:
            return await self.goal(visitor, goal, field, form=form, problem=problem)

        path = f"{PLAN}/goals/{id}"
        return await self.put(
            visitor,
            form,
            GoalTerms,
            told,
            again=again,
            path=path,
            wish=lambda t: PutGoal(id=id, seen=seen(form), terms=t),
        )

    # --- measures -------------------------------------------------------------------------------------------------------

    async def measure(
        self, visitor: Visitor, measure: Measure | None, goal: str, form: Form | None = None, problem: str = ""
    ) -> Response:
        typed = typed_in(form) if form else measure_typed(measure)
        return self._shown(
            visitor, "measure.html", measure, typed, problem, goal=goal, standings=list(Standing), lights=list(Light)
        )

    async def put_measure(self, visitor: Visitor, measure: Measure | None, goal: str) -> Response:
        form = await visitor.form()
        told = {
            **kept(measure),
            "goal": goal,
            "text": form.one("text"),
            "bodies": lines(form.one("bodies")),
            "begins": form.one("begins").upper() or None,
            "ends": form.one("ends").upper() or None,
            "standing": form.one("standing"),
            "light": form.one("light"),
            "explanation": form.one("explanation"),
        }
        id = measure.id if measure else self._running.ids.root("measure", form.key)

        async def again(problem: str) -> Response:
            return await self.measure(visitor, measure, goal, form, problem)

        path = f"{PLAN}/measures/{id}"
        return await self.put(
            visitor,
            form,
            MeasureTerms,
            told,
            again=again,
            path=path,
            wish=lambda t: PutMeasure(id=id, seen=seen(form), terms=t),
        )

    # --- terms ----------------------------------------------------------------------------------------------------------

    async def terms(self, visitor: Visitor, form: Form | None = None, problem: str = "") -> Response:
        county = visitor.signed_in.county
        found = await reading.one(self._running.store(county), Reporting, reporting_id(county))
        reporting = found or Reporting(id=reporting_id(county))
        now = reporting.now
        typed = (
            typed_in(form)
            if form
            else {
                "every_months": "" if now.every_months is None else str(now.every_months),
                "recipients": "\n".join(now.recipients),
                "year_of_entry": now.year_of_entry,
            }
        )
        return self._shown(visitor, "terms.html", reporting, typed, problem)

    def _shown(
        self, visitor: Visitor, template: str, one: Steered | None, typed: Typed, problem: str, **more: object
    ) -> Response:
        values: dict[str, object] = {
            "one": one,
            "seen": typed.get("seen") or (one.revision if one else 0),
            "typed": Blank(typed),
            "problem": problem,
            "history": history(one) if one else [],
            "may_change": visitor.signed_in.role == Role.COORDINATOR,
            **words(self._pages.catalogue, visitor.language),
        }
        return self._pages.show(visitor, template, status=422 if problem else 200, **{**values, **more})
