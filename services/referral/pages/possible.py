"""Which steps a partner can take with a referral, what each asks for, and the command that it becomes.

All of it is read from the table of transitions, the commands and the closed code lists: a step that is added there appears on the pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final, Literal, get_args

from schemas.codes import CancelReason, Outcome, ServiceKind
from schemas.ends import CALLED_OFF, OUTCOMES
from services.referral.api_referrals import COMMANDS, Said, command_of
from services.referral.commands import TakeStep
from services.referral.referrals import ReferralState
from services.referral.store import Located
from services.referral.transitions import STEPS_OF, TABLE, By, StepKind
from services.runtime.errors import Refused
from services.runtime.tokens import Actor

Kind = Literal["choice", "day", "flag", "text"]

_NOT_ASKED: Final = frozenset({*TakeStep.model_fields, "partner", "skills"})


@dataclass(frozen=True, slots=True)
class StepField:
    """Something that a step asks for. `codes` are what can be chosen, where it is a choice."""

    name: str
    kind: Kind
    codes: tuple[StrEnum, ...] = ()


def steps_at(state: ReferralState) -> list[StepKind]:
    """The steps that a partner can take from this state, in the order of the table."""
    return [one.step for one in TABLE if By.PARTNER in one.by and state in one.of]


def fields_of(step: StepKind, kind: ServiceKind) -> tuple[StepField, ...]:
    """What the step asks for, for a service of this kind. Raises `Refused` for a step that is nobody's to take."""
    if step not in STEPS_OF[By.PARTNER]:
        raise Refused("step-not-yours", 403)
    asked = (item for item in COMMANDS[step].model_fields.items() if item[0] not in _NOT_ASKED)
    return tuple(_narrowed(_field(name, described.annotation), kind) for name, described in asked)


def _narrowed(field: StepField, kind: ServiceKind) -> StepField:
    """Of some lists only a part can be chosen: what can come of this kind of service, and the reasons that people give."""
    may = {*OUTCOMES[kind], *CALLED_OFF}
    if field.codes and isinstance(field.codes[0], Outcome | CancelReason):
        return replace(field, codes=tuple(code for code in field.codes if code in may))
    return field


def _field(name: str, annotation: Any) -> StepField:
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, StrEnum):
            return StepField(name, "choice", tuple(one))
    if annotation is bool:
        return StepField(name, "flag")
    return StepField(name, "day" if date in (annotation, *get_args(annotation)) else "text")


def missing(fields: Sequence[StepField], values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with what was typed: the key of a sentence for each field."""
    wrong: dict[str, str] = {}
    for one in fields:
        value = values.get(one.name, "")
        if one.kind == "flag":
            continue
        if not value:
            wrong[one.name] = "partner.choose" if one.kind == "choice" else "field.missing"
        elif one.kind == "choice" and value not in {code.value for code in one.codes}:
            wrong[one.name] = "partner.choose"
        elif one.kind == "day" and not _is_day(value):
            wrong[one.name] = "field.date"
    return wrong


def _is_day(value: str) -> bool:
    """Whether it is ``YYYY-MM-DD``; Python reads weeks and other forms too, which commands do not."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def command(
    actor: Actor,
    referral: str,
    step: StepKind,
    fields: Sequence[StepField],
    values: Mapping[str, str],
    at: Located | None,
) -> TakeStep:
    """The command of a step with what was typed, in which nothing is missing. Raises `Refused`."""
    said = {one.name: values.get(one.name) == "yes" if one.kind == "flag" else values.get(one.name) for one in fields}
    return command_of(actor, referral, step, Said.model_validate(said), at)
