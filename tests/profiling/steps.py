"""What a counsellor does in the tests, and how a case stands then."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import ServiceKind
from services.profiling.commands import Add, Confirm, ConfirmNeeds, Drop, Standing
from services.profiling.model import Case
from services.profiling.needs import Need, NeedState
from services.runtime.errors import Refused
from tests.given import World
from tests.profiling.talks import CASE


def case_of(world: World) -> Case:
    return world.get(Case, CASE)


def need_of(world: World, kind: ServiceKind) -> Need:
    return next(need for need in reversed(case_of(world).needs) if need.kind is kind)


def state_of(world: World, kind: ServiceKind) -> NeedState:
    return need_of(world, kind).state


def decide_upon(world: World, *decisions: Confirm | Drop | Add) -> Standing:
    answer = world.asks(ConfirmNeeds(case=CASE, decisions=decisions)).answer
    assert isinstance(answer, Standing)
    return answer


def confirm(world: World, kind: ServiceKind) -> str:
    need = need_of(world, kind).id
    decide_upon(world, Confirm(decision="confirm", need=need))
    return need


def refusal(world: World, command: Any) -> tuple[str, int]:
    before, told = case_of(world), list(world.told)
    with pytest.raises(Refused) as refused:
        world.asks(command)
    assert (case_of(world), world.told) == (before, told), "a refusal changes nothing"
    return refused.value.code, refused.value.status
