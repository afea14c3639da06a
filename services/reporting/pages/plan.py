"""The pages on which the plan is read: the whole of it, one goal, one measure with its history, and the progress report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.reporting.indicators.declared import INDICATORS, words_of
from services.reporting.pages.indicators import written
from services.reporting.steering import reading
from services.reporting.steering.api import plan_lines, progress
from services.reporting.steering.report import AttainmentView
from services.runtime.catalogue import Catalogue, Language
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.running import Running

PLAN: Final = f"{PREFIX}/plan"
REPORT: Final = f"{PLAN}/report"

Reader = Annotated[Visitor, Depends(page_for(Role.COORDINATOR, Role.REPORTER))]


def add_plan(router: APIRouter, running: Running, pages: Pages) -> None:
    @router.get(PLAN)
    async def plan(visitor: Reader) -> Response:
        actor = visitor.signed_in
        shown = await reading.whole(running.store(actor.county))
        taken = {field.field.now.source.partition(",")[0] for field in shown}
        offered = [one for one in plan_lines(actor.county) if one.title not in taken]
        may_change = actor.role == Role.COORDINATOR
        values = words(pages.catalogue, visitor.language)
        return pages.show(visitor, "plan.html", plan=shown, offered=offered, may_change=may_change, **values)

    @router.get(REPORT)
    async def report(visitor: Reader, since: str = "") -> Response:
        told = await progress(running, visitor.signed_in.county, _day(since))
        values = words(pages.catalogue, visitor.language)
        return pages.show(visitor, "report.html", report=told, since=since, **values)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def words(catalogue: Catalogue, spoken: Language) -> Mapping[str, Any]:
    """What the pages of the plan say of goals: how one stands, what it aims at."""

    def stands(one: AttainmentView) -> str:
        if one.value is None:
            return catalogue.text(spoken, f"plan.attainment.{one.standing}", {})
        values: dict[str, object] = {"value": written(one.value, spoken), "year": one.year}
        return catalogue.text(spoken, f"plan.attainment.{one.standing}", values)

    def target(goal: Any) -> str:
        wanted = goal.target
        indicator = INDICATORS[wanted.indicator]
        values: dict[str, object] = {
            "indicator": f"{indicator.id} {words_of(indicator.name, spoken)}",
            "value": written(wanted.value, spoken)
            + catalogue.text(spoken, f"reporting.unit-short.{indicator.unit}", {}),
            "year": wanted.year,
        }
        return catalogue.text(spoken, f"plan.target.{wanted.direction}", values)

    return {"stands": stands, "target": target}
