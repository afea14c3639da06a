"""Who decides what: commands about indicators, the plan and the yearly report have rules of their own, the rest is counting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.reporting import decide as counting
from services.reporting.indicators import keeping
from services.reporting.records import Pseudonyms
from services.reporting.steering import keeping as steering
from services.reporting.yearly import keeping as yearly
from services.runtime.deciding import Command, Decision, Message, States, Subject


def names(message: Message, states: States) -> Iterable[Subject]:
    if isinstance(message, Command) and isinstance(message.data, keeping.WISHES):
        return keeping.names(message, states)
    if isinstance(message, Command) and isinstance(message.data, steering.WISHES):
        return steering.names(message, states)
    if isinstance(message, Command) and isinstance(message.data, yearly.WISHES):
        return yearly.names(message, states)
    return counting.names(message, states)


def decide(message: Message, states: States, now: datetime, *, pseudonyms: Pseudonyms) -> Decision:
    if isinstance(message, Command) and isinstance(message.data, keeping.WISHES):
        return keeping.decide(message, states, now)
    if isinstance(message, Command) and isinstance(message.data, steering.WISHES):
        return steering.decide(message, states, now)
    if isinstance(message, Command) and isinstance(message.data, yearly.WISHES):
        return yearly.decide(message, states, now)
    return counting.decide(message, states, now, pseudonyms=pseudonyms)


def evolve(state: Any, fact: Any, at: datetime) -> Any:
    if isinstance(fact, keeping.FACTS):
        return keeping.evolve(state, fact, at)
    if isinstance(fact, steering.FACTS):
        return steering.evolve(state, fact, at)
    if isinstance(fact, yearly.FACTS):
        return yearly.evolve(state, fact, at)
    return counting.evolve(state, fact, at)
