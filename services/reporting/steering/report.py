"""The progress report for the coordination group: the whole plan as it stands, and what changed since a day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import TypeVar

from pydantic import BaseModel

from services.reporting.steering.attainment import Standing as GoalStanding
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
    Said,
    Standing,
)
from services.reporting.steering.reading import FieldShown, GoalShown
from services.runtime.calendar import berlin_day


class AttainmentView(BaseModel):
    """How a goal stands by the official figure of `year`."""

    standing: GoalStanding
    value: str | None
    year: int | None


class MeasureView(MeasureTerms):
    id: str
    revision: int


class GoalView(GoalTerms):
    id: str
    revision: int
    attainment: AttainmentView
    measures: list[MeasureView]


class FieldView(FieldTerms):
    id: str
    revision: int
    goals: list[GoalView]


class Overview(BaseModel):
    """How many goals and measures there are, and how they stand."""

    goals: int
    with_target: int
    reached: int
    measures: int
    by_standing: dict[Standing, int]
    by_light: dict[Light, int]


class ProgressReport(BaseModel):
    """`changed`: what was changed from `since` on. `terms`: how often it is due, and for whom."""

    county: str
    on: date
    since: date | None
    terms: ReportTerms
    overview: Overview
    fields: list[FieldView]
    changed: list[str]


class Change(BaseModel):
    """One entry of a history: when, who (a sign-in's id), and which parts became what."""

    revision: int
    at: datetime
    by: str
    changed: dict[str, object]


def report(
    county: str, today: date, since: date | None, terms: ReportTerms, plan: Sequence[FieldShown]
) -> ProgressReport:
    fields = [field_view(one) for one in plan]
    goals = [goal for field in fields for goal in field.goals]
    measures = [measure for goal in goals for measure in goal.measures]
    overview = Overview(
        goals=len(goals),
        with_target=sum(1 for goal in goals if goal.target is not None),
        reached=sum(1 for goal in goals if goal.attainment.standing == "reached"),
        measures=len(measures),
        by_standing=_counted(Standing, [one.standing for one in measures]),
        by_light=_counted(Light, [one.light for one in measures]),
    )
    changed = [] if since is None else [one.id for one in _states(plan) if berlin_day(one.said[-1].at) >= since]
    return ProgressReport(
        county=county, on=today, since=since, terms=terms, overview=overview, fields=fields, changed=changed
    )


def field_view(shown: FieldShown) -> FieldView:
    field = shown.field
    goals = [goal_view(one) for one in shown.goals]
    return FieldView(id=field.id, revision=field.revision, goals=goals, **dict(field.now))


def goal_view(shown: GoalShown) -> GoalView:
    goal, stands = shown.goal, shown.attainment
    return GoalView(
        id=goal.id,
        revision=goal.revision,
        attainment=AttainmentView(standing=stands.standing, value=stands.value, year=stands.year),
        measures=[measure_view(one) for one in shown.measures],
        **dict(goal.now),
    )


def measure_view(measure: Measure) -> MeasureView:
    return MeasureView(id=measure.id, revision=measure.revision, **dict(measure.now))


def history(steered: ActionField | Goal | Measure | Reporting) -> list[Change]:
    """Every change, the latest first, with the parts that became something else by it."""
    changes: list[Change] = []
    before: dict[str, object] = {}
    for number, said in enumerate(steered.said, 1):
        told = said.terms.model_dump(mode="json")
        changed = {name: value for name, value in told.items() if number == 1 or before.get(name) != value}
        changes.append(Change(revision=number, at=said.at, by=said.by, changed=_worth_showing(changed, said, number)))
        before = told
    return changes[::-1]


def _worth_showing(changed: dict[str, object], said: Said, number: int) -> dict[str, object]:
    """Of the first entry what was said at all; of later ones everything that changed."""
    if number > 1:
        return changed
    defaults = {name: field.default for name, field in type(said.terms).model_fields.items()}
    return {name: value for name, value in changed.items() if value not in (defaults[name], [])}


def _states(plan: Sequence[FieldShown]) -> list[ActionField | Goal | Measure]:
    found: list[ActionField | Goal | Measure] = []
    for field in plan:
        found.append(field.field)
        for goal in field.goals:
            found += [goal.goal, *goal.measures]
    return found


K = TypeVar("K", Standing, Light)


def _counted(codes: type[K], found: Sequence[K]) -> dict[K, int]:
    counted = Counter(found)
    return {code: counted[code] for code in codes}
