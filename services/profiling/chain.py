"""What usually follows when a course or service was completed: the rules of `chain.yaml`, read once, and a level that was certified.

A rule that could never hold (an outcome that its kinds cannot have), or two rules that would both hold, stop the service at its start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.codes import CEFR_ORDER, Cefr, Outcome, ServiceKind, Skill
from schemas.ends import OUTCOMES, level_of
from schemas.plain_yaml import read_yaml
from services.profiling.guideline import SKILLS

PREFIX: Final = "after-"
"""Of the ids of all rules of the chain, also of those that were replaced: stored needs name them."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChainRule(_Part):
    """After one of these kinds was completed with one of these outcomes, that kind is suggested."""

    id: str = Field(pattern=rf"^{PREFIX}[a-z0-9-]+\.[1-9]$")
    after: tuple[ServiceKind, ...] = Field(min_length=1)
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    then: ServiceKind
    source: str

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        for kind in self.after:
            if not set(self.outcomes) & set(OUTCOMES[kind]):
                raise ValueError(f"{self.id}: {kind} has none of these outcomes")
        return self


class Chain(_Part):
    """All rules. At most one holds of a completion."""

    rules: tuple[ChainRule, ...]

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        pairs = [(kind, outcome) for rule in self.rules for kind in rule.after for outcome in rule.outcomes]
        if len(set(pairs)) != len(pairs) or len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError("two rules of the chain have the same id, or would hold of the same completion")
        return self


def parse(text: str) -> Chain:
    """The rules that a text like `chain.yaml` declares. Raises pydantic's `ValidationError`."""
    return Chain.model_validate(read_yaml(text))


CHAIN: Final = parse(Path(__file__).with_name("chain.yaml").read_text(encoding="utf-8"))
CHAIN_BY_ID: Final = {rule.id: rule for rule in CHAIN.rules}


def follows(kind: ServiceKind, outcome: Outcome) -> ChainRule | None:
    """The rule that holds when this kind was completed with this outcome."""
    return next((rule for rule in CHAIN.rules if kind in rule.after and outcome in rule.outcomes), None)


def is_of_chain(rule: str | None) -> bool:
    """Whether a need of this rule was suggested by the chain. Its reason is what happened, which does not cease to be true."""
    return rule is not None and rule.startswith(PREFIX)


def with_certificate(
    answers: Mapping[str, Any], outcome: Outcome, skills: Collection[Skill] = ()
) -> Mapping[str, Any] | None:
    """The answers of a profile after a certificate; None where it says nothing new.

    The rule: a certificate raises the skills that it names (a partial one: of four skills one or two were passed), and no other. One that
    names none is of the whole level, which is what courses and authorities ask for (section 17 IntV: the German test for newcomers says A2
    or B1 as a whole), and raises each. A skill that was better stays.
    """
    level = level_of(outcome)
    if level is None:
        return None
    known: Mapping[str, str] = answers.get("german") or {}
    raised = {skill: _higher(known.get(skill), level) for skill in SKILLS if not skills or skill in skills}
    german = {**known, **raised}
    return {**answers, "german": german} if german != known else None


def _higher(known: str | None, level: Cefr) -> str:
    return known if known is not None and CEFR_ORDER[Cefr(known)] > CEFR_ORDER[level] else level.value
