"""What stands in the forms of the plan: as it was said last, or as it was typed; and what is read from it."""

from __future__ import annotations

from typing import Any, Final

from services.reporting.steering.model import ActionField, Goal, Light, Measure, Standing
from services.runtime.pages import Form

_KEPT: Final = ("source", "place", "number", "challenge")
"""What a form does not show for changing, and leaves as it is."""


class Blank(dict[str, str]):
    """What was typed; empty where nothing was."""

    def __missing__(self, key: str) -> str:
        return ""


def typed_in(form: Form) -> dict[str, str]:
    return {name: form.one(name) for name in form.fields}


def goal_typed(goal: Goal | None) -> dict[str, str]:
    if goal is None:
        return {}
    now, target = goal.now, goal.now.target
    typed = {"text": now.text, "bodies": "\n".join(now.bodies)}
    if target is not None:
        typed |= {
            "indicator": target.indicator,
            "direction": target.direction,
            "value": target.value,
            "year": str(target.year),
        }
    return typed


def measure_typed(measure: Measure | None) -> dict[str, str]:
    if measure is None:
        return {"standing": Standing.PLANNED, "light": Light.NONE}
    now = measure.now
    return {
        "text": now.text,
        "bodies": "\n".join(now.bodies),
        "begins": now.begins or "",
        "ends": now.ends or "",
        "standing": now.standing,
        "light": now.light,
        "explanation": now.explanation,
    }


def kept(one: ActionField | Goal | Measure | None) -> dict[str, Any]:
    now = one.now.model_dump() if one else {"place": 999}
    return {name: now[name] for name in _KEPT if name in now}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def seen(form: Form) -> int:
    typed = form.one("seen")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
