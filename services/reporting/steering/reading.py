"""What is kept of the plan, as it is asked for. Every query is one county's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from services.reporting.indicators import reading as indicators
from services.reporting.steering.attainment import Attainment, attainment
from services.reporting.steering.keeping import STATES, Steered
from services.reporting.steering.model import ActionField, Goal, Measure
from services.runtime.records import Stored
from services.runtime.store import CountyStore, collection_of, state_collection

COLLECTIONS: Final = tuple(state_collection(model) for model in STATES)

S = TypeVar("S", bound=Steered)


@dataclass(frozen=True, slots=True)
class GoalShown:
    """A goal with how it stands and its measures."""

    goal: Goal
    attainment: Attainment
    measures: Sequence[Measure]


@dataclass(frozen=True, slots=True)
class FieldShown:
    field: ActionField
    goals: Sequence[GoalShown]


async def whole(store: CountyStore) -> list[FieldShown]:
    """The county's plan, ordered as its documents are. A plan is some hundreds of lines: all of it is read in three queries."""
    fields = await every(store, ActionField)
    goals = await every(store, Goal)
    measures = await every(store, Measure)
    stands = {goal.id: await standing(store, goal) for goal in goals}
    return [
        FieldShown(
            field,
            [
                GoalShown(goal, stands[goal.id], _ordered([one for one in measures if one.now.goal == goal.id]))
                for goal in _ordered([one for one in goals if one.now.field == field.id])
            ],
        )
        for field in sorted(fields, key=_document_and_place)
    ]


async def standing(store: CountyStore, goal: Goal) -> Attainment:
    """How a goal stands by the official figures for the county as a whole."""
    target = goal.now.target
    if target is None:
        return attainment(None, {})
    found = await indicators.officials(store, target.indicator)
    wholes = {one.year: one.figure(store.county, ()) for one in found}
    return attainment(target, {year: figure.now.said.value for year, figure in wholes.items() if figure})


async def every(store: CountyStore, model: type[S]) -> list[S]:
    return [_typed(model, document) async for page in store.each(collection_of(model.KIND), {}) for document in page]


async def some(store: CountyStore, model: type[S], after: str | None, most: int) -> list[S]:
    """By id."""
    query = {"_id": {"$gt": after}} if after else {}
    found = await store.find(collection_of(model.KIND), query, sort=[("_id", 1)], limit=most)
    return [_typed(model, document) for document in found]


async def one(store: CountyStore, model: type[S], id: str) -> S | None:
    document = await store.one(collection_of(model.KIND), {"_id": id})
    return _typed(model, document) if document else None


def _typed(model: type[S], document: dict[str, object]) -> S:
    state = Stored.from_document(model, document).state
    if not isinstance(state, model):
        raise TypeError(f"no {model.KIND}")
    return state


T = TypeVar("T", Goal, Measure)


def _ordered(found: Sequence[T]) -> list[T]:
    return sorted(found, key=lambda one: (one.now.place, one.id))


def _document_and_place(field: ActionField) -> tuple[str, int, str]:
    return field.now.source.partition(",")[0], field.now.place, field.id
