"""The rules of intake: which states a message needs, what follows from it, and the state after a fact. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from schemas.envelope import Subject
from services.intake import arrivals, changes, reads
from services.intake.booking import evolve_calendar, evolve_daybook
from services.intake.cases import after
from services.intake.commands import (
    CountArrival,
    OfCase,
    ReadPerson,
    RegisterArrival,
)
from services.intake.consume import consumed
from services.intake.facts import LinkAdded, RowTaken
from services.intake.model import AuditDay, Calendar, Case, Count, Daybook, Row, audit_id
from services.intake.sites import rules_of
from services.runtime.deciding import Command, Decision, Due, Message, Received, States


def names(message: Message, states: States) -> Iterable[Subject]:
    """The states that a message needs, the one it is about first."""
    match message:
        case Received(envelope):
            return (envelope.subject,)
        case Command(county, _, data):
            return _names_of_command(county, data, states)
        case Due():
            raise TypeError("no state of intake has a deadline")


def _names_of_command(county: str, data: object, states: States) -> Iterable[Subject]:
    match data:
        case RegisterArrival():
            return arrivals.names_to_register(data, states, rules_of(county))
        case CountArrival():
            return arrivals.names_to_count(data)
        case ReadPerson():
            return (Subject(Case.KIND, data.case), Subject(AuditDay.KIND, audit_id(county, data.today)))
        case OfCase():
            return changes.names_of_change(data, states, rules_of(county))
        case _:
            raise TypeError(type(data).__name__)


def decide(message: Message, states: States, now: datetime) -> Decision:
    """What follows from a message. Raises `Refused` for a command that a rule forbids."""
    match message:
        case Received(envelope, data):
            case = states.get(Case, envelope.subject.id)
            fact = consumed(case, data)
            return Decision([(case.subject, fact)]) if fact is not None else Decision()
        case Command(county, _, data):
            return _decide_command(county, data, states, now)
        case Due():
            raise TypeError("no state of intake has a deadline")


def _decide_command(county: str, data: object, states: States, now: datetime) -> Decision:
    rules = rules_of(county)
    if isinstance(data, RegisterArrival):
        return arrivals.register(data, states, rules, now)
    if isinstance(data, CountArrival):
        return arrivals.count(data, states)
    if not isinstance(data, OfCase):
        raise TypeError(type(data).__name__)
    case = changes.case_of(data, states)
    if isinstance(data, ReadPerson):
        return reads.read(data, case, states.get(AuditDay, audit_id(county, data.today)), now)
    return changes.change(data, case, changes.Around(states, rules, now))


def evolve(state: Any, fact: Any, at: datetime) -> Any:
    """The state after a fact."""
    match state:
        case Case():
            return after(fact, state, at)
        case Daybook():
            return evolve_daybook(state, fact)
        case Calendar():
            return evolve_calendar(state, fact)
        case Row() if isinstance(fact, RowTaken):
            return state.but(destroy_at=fact.destroy_at)
        case AuditDay() if isinstance(fact, LinkAdded):
            return state.but(records=state.records + 1, head=fact.head)
        case Count():
            return state
        case _:
            raise TypeError(f"{type(state).__name__}, {type(fact).__name__}")
