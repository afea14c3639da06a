"""What became of each item of a list that was sent at once. One item hinders no other."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel

from services.runtime.catalogue import Catalogue, Language
from services.runtime.errors import Refused
from services.runtime.problems import incident_id
from services.runtime.settle import Outcome, Result


class ItemProblem(BaseModel):
    """Why an item was not taken."""

    status: int
    code: str
    title: str
    detail: str


class ItemOutcome(BaseModel):
    """One item, in the order in which they were sent. `standing` is how things stand after it."""

    id: str
    outcome: Literal["applied", "refused", "failed"]
    standing: dict[str, Any] | None = None
    problem: ItemProblem | None = None


class Outcomes(BaseModel):
    """Every item of the list."""

    items: list[ItemOutcome]


def item_outcome(id: str, settled: Outcome | Refused, catalogue: Catalogue, language: Language) -> ItemOutcome:
    """The outcome of one item. A refusal may have come from the door or from the rules."""
    refused = settled if isinstance(settled, Refused) else settled.error
    if isinstance(settled, Outcome) and settled.result in (Result.APPLIED, Result.REPEATED):
        return ItemOutcome(id=id, outcome="applied", standing=json.loads(settled.answer or b"null"))
    if isinstance(refused, Refused):
        return ItemOutcome(id=id, outcome="refused", problem=_said(refused, catalogue, language))
    unforeseen = Refused("internal", 500, incident=incident_id())
    return ItemOutcome(id=id, outcome="failed", problem=_said(unforeseen, catalogue, language))


def all_repeated(settled: list[Outcome | Refused]) -> bool:
    """Whether the whole list had been answered before."""
    outcomes = [one for one in settled if isinstance(one, Outcome)]
    return bool(outcomes) and all(one.result is Result.REPEATED for one in outcomes)


def _said(refused: Refused, catalogue: Catalogue, language: Language) -> ItemProblem:
    return ItemProblem(
        status=refused.status,
        code=refused.code,
        title=catalogue.text(language, f"problem.{refused.code}.title", refused.params),
        detail=catalogue.text(language, f"problem.{refused.code}.detail", refused.params),
    )
