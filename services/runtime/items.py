"""The answer to a list that was sent at once: what became of each item, and if it was not taken, why, in words.

One item hinders no other. An item may be refused at the door (`Problem`, `Refused`) or by the rules (an outcome that carries it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel

from services.runtime.catalogue import Catalogue, Language
from services.runtime.errors import Refused
from services.runtime.outcomes import Outcome, Result
from services.runtime.problems import Problem, document, incident_id, problem_of

Settled = Outcome | Refused | Problem
"""What became of one item: at the door, or behind it."""


class ItemProblem(BaseModel):
    """Why an item was not taken. `errors` names its wrong fields."""

    status: int
    code: str
    title: str
    detail: str
    errors: list[dict[str, str]] = []


class ItemOutcome(BaseModel):
    """One item, in the order in which they were sent. `standing` is how things stand after it."""

    id: str
    outcome: Literal["applied", "refused", "failed"]
    standing: dict[str, Any] | None = None
    problem: ItemProblem | None = None


class ItemOutcomes(BaseModel):
    """Every item of the list."""

    items: list[ItemOutcome]


def item_outcome(id: str, settled: Settled, catalogue: Catalogue, language: Language) -> ItemOutcome:
    """The outcome of one item. `catalogue` has the runtime's sentences too."""
    if isinstance(settled, Outcome) and settled.result in (Result.APPLIED, Result.REPEATED):
        return ItemOutcome(id=id, outcome="applied", standing=json.loads(settled.answer or b"null"))
    wrong = settled.error if isinstance(settled, Outcome) else settled
    if isinstance(wrong, Refused):
        wrong = problem_of(wrong)
    if isinstance(wrong, Problem):
        return ItemOutcome(id=id, outcome="refused", problem=_said(wrong, catalogue, language))
    unforeseen = Problem("internal", 500, incident=incident_id())
    return ItemOutcome(id=id, outcome="failed", problem=_said(unforeseen, catalogue, language))


def nothing_new(settled: Iterable[Settled]) -> bool:
    """Whether everything that took effect had done so before."""
    results = {one.result for one in settled if isinstance(one, Outcome)}
    return Result.REPEATED in results and Result.APPLIED not in results


def _said(problem: Problem, catalogue: Catalogue, language: Language) -> ItemProblem:
    return ItemProblem.model_validate(document(problem, catalogue, language))
