"""What the documents of the counties publish of their plans: the files of `plans/`, read once. Facts with their source, in own words.

Ids follow from county, document and place in it, so that a plan taken over twice is there once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.plain_yaml import read_yaml
from services.reporting.steering.model import FieldTerms, GoalTerms, MeasureTerms, Quarter, plan_id


class _Published(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedMeasure(_Published):
    text: str
    bodies: tuple[str, ...] = ()
    begins: Quarter | None = None


class PublishedGoal(_Published):
    text: str
    number: str = ""
    challenge: str = ""
    bodies: tuple[str, ...] = ()
    measures: tuple[PublishedMeasure, ...] = ()


class PublishedField(_Published):
    name: str
    source: str
    goals: tuple[PublishedGoal, ...] = ()


class Plan(_Published):
    """A published plan. `title` is the document's name, `source` where in it."""

    id: str
    county: str = Field(pattern=r"^[0-9]{5}$")
    title: str
    source: str
    fields_of_action: tuple[PublishedField, ...] = Field(min_length=1)


def parse(text: str) -> Plan:
    """Raises pydantic's `ValidationError`."""
    return Plan.model_validate(read_yaml(text))


PLANS: Final = {
    plan.id: plan
    for plan in (parse(file.read_text(encoding="utf-8")) for file in sorted(Path(__file__).parent.glob("plans/*.yaml")))
}


def entries(plan: Plan) -> Sequence[tuple[str, FieldTerms | GoalTerms | MeasureTerms]]:
    """Everything in the plan with its id, fields before goals before measures."""
    found: list[tuple[str, FieldTerms | GoalTerms | MeasureTerms]] = []

    def id_of(*place: int) -> str:
        return plan_id(plan.county, plan.id, ".".join(map(str, place)))

    for at, field in enumerate(plan.fields_of_action, 1):
        source = f"{plan.title}, {field.source}"
        found.append((id_of(at), FieldTerms(name=field.name, source=source, place=at)))
        for below, goal in enumerate(field.goals, 1):
            terms = GoalTerms(
                field=id_of(at),
                text=goal.text,
                number=goal.number,
                challenge=goal.challenge,
                bodies=goal.bodies,
                source=source,
                place=below,
            )
            found.append((id_of(at, below), terms))
            for last, measure in enumerate(goal.measures, 1):
                told = MeasureTerms(
                    goal=id_of(at, below),
                    text=measure.text,
                    bodies=measure.bodies,
                    begins=measure.begins,
                    source=source,
                    place=last,
                )
                found.append((id_of(at, below, last), told))
    return found
