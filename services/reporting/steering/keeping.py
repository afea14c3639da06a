"""Who may change the plan, and what is remembered of it. Pure: names, decide, evolve.

Whoever changes something names the revision they have seen (0: it is new). If somebody else was there first, the change is refused, so that
nobody's words are lost under somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.reporting.indicators.declared import INDICATORS
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
    Terms,
    reporting_id,
)
from services.reporting.steering.plans import PLANS, entries
from services.runtime.deciding import Command, Decision, State, States, Subject
from services.runtime.errors import Refused

Steered = ActionField | Goal | Measure | Reporting


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PutField(_Wish):
    id: str
    seen: int
    terms: FieldTerms


class PutGoal(_Wish):
    id: str
    seen: int
    terms: GoalTerms


class PutMeasure(_Wish):
    id: str
    seen: int
    terms: MeasureTerms


class PutReporting(_Wish):
    seen: int
    terms: ReportTerms


class TakeOver(_Wish):
    """Take over the plan that a document of the county publishes. What was taken over already stays as it is now."""

    plan: str


class Put(BaseModel):
    """The answer: what it is now."""

    id: str
    revision: int


class TakenOver(BaseModel):
    """The answer: how many of each are new."""

    fields: int
    goals: int
    measures: int


class TermsSaid(_Wish):
    """A fact: from now on these terms hold."""

    terms: Terms
    by: str


WISHES: Final = (PutField, PutGoal, PutMeasure, PutReporting, TakeOver)
FACTS: Final = (TermsSaid,)
STATES: Final[tuple[type[Steered], ...]] = (ActionField, Goal, Measure, Reporting)
_MODELS: Final[Mapping[type[BaseModel], type[Steered]]] = {
    PutField: ActionField,
    PutGoal: Goal,
    PutMeasure: Measure,
    PutReporting: Reporting,
    FieldTerms: ActionField,
    GoalTerms: Goal,
    MeasureTerms: Measure,
}


def names(command: Command, states: States) -> Iterable[Subject]:  # noqa: ARG001 - the shape of all rules
    data = command.data
    if isinstance(data, TakeOver):
        return [Subject(_MODELS[type(terms)].KIND, id) for id, terms in _planned(command, data)]
    named = [Subject(_MODELS[type(data)].KIND, _id(command))]
    if isinstance(data, PutGoal):
        named.append(Subject(ActionField.KIND, data.terms.field))
    if isinstance(data, PutMeasure):
        named.append(Subject(Goal.KIND, data.terms.goal))
    return named


def decide(command: Command, states: States, now: datetime) -> Decision:  # noqa: ARG001
    """Raises `Refused`."""
    data = command.data
    if isinstance(data, TakeOver):
        return _take_over(command, data, states)
    if not isinstance(data, PutField | PutGoal | PutMeasure | PutReporting):
        raise TypeError(f"{type(data).__name__} is no command about the plan")
    model, id = _MODELS[type(data)], _id(command)
    kept = states.known(model, id)
    revision = kept.revision if kept else 0
    if kept is not None and kept.said and kept.said[-1].terms == data.terms:
        return Decision(answer=Put(id=id, revision=revision))
    if revision != data.seen:
        raise Refused("steering-changed-meanwhile", members={"revision": revision})
    _check(data, states)
    fact = TermsSaid(terms=data.terms, by=command.actor)
    return Decision([(Subject(model.KIND, id), fact)], answer=Put(id=id, revision=revision + 1))


def _check(data: PutField | PutGoal | PutMeasure | PutReporting, states: States) -> None:
    if isinstance(data, PutGoal):
        if states.known(ActionField, data.terms.field) is None:
            raise Refused("steering-field-unknown", 422)
        if data.terms.target is not None and data.terms.target.indicator not in INDICATORS:
            raise Refused("steering-indicator-unknown", 422)
    if isinstance(data, PutMeasure):
        if states.known(Goal, data.terms.goal) is None:
            raise Refused("steering-goal-unknown", 422)
        wrong = wrong_of(data.terms)
        if wrong:
            raise Refused(wrong, 422)


def wrong_of(terms: MeasureTerms) -> str:
    """Why the terms of a measure contradict themselves: a code of the catalogue; empty when they do not."""
    if terms.light in (Light.YELLOW, Light.RED) and not terms.explanation.strip():
        return "steering-light-unexplained"
    if terms.standing is Standing.STOPPED and not terms.explanation.strip():
        return "steering-stop-unexplained"
    if terms.begins and terms.ends and _last(terms.ends) < _first(terms.begins):
        return "steering-ends-before-it-begins"
    return ""


def _first(quarter: str) -> str:
    return quarter if "-" in quarter else f"{quarter}-Q1"


def _last(quarter: str) -> str:
    return quarter if "-" in quarter else f"{quarter}-Q4"


def evolve(state: State, fact: object, at: datetime) -> State:
    if isinstance(state, _STEERED) and isinstance(fact, TermsSaid):
        return state.but(said=(*state.said, Said(at=at, by=fact.by, terms=fact.terms)))
    raise TypeError(f"{type(fact).__name__} is no fact of a {type(state).__name__}")


_STEERED: Final = (ActionField, Goal, Measure, Reporting)


def _id(command: Command) -> str:
    data = command.data
    return data.id if isinstance(data, PutField | PutGoal | PutMeasure) else reporting_id(command.county)


# --- taking over --------------------------------------------------------------------------------------------------------


def _planned(command: Command, data: TakeOver) -> Sequence[tuple[str, FieldTerms | GoalTerms | MeasureTerms]]:
    plan = PLANS.get(data.plan)
    if plan is None or plan.county != command.county:
        raise Refused("steering-plan-unknown", 404)
    return entries(plan)


def _take_over(command: Command, data: TakeOver, states: States) -> Decision:
    facts: list[tuple[Subject, object]] = []
    new = {ActionField.KIND: 0, Goal.KIND: 0, Measure.KIND: 0}
    for id, terms in _planned(command, data):
        model = _MODELS[type(terms)]
        kept = states.known(model, id)
        if kept is None or not kept.said:
            facts.append((Subject(model.KIND, id), TermsSaid(terms=terms, by=command.actor)))
            new[model.KIND] += 1
    answer = TakenOver(fields=new[ActionField.KIND], goals=new[Goal.KIND], measures=new[Measure.KIND])
    return Decision(facts, answer=answer)
