"""What an event does to the facts, and what that does to the counts. Pure.

Facts and counts change in one transaction: the signed rows of a change are an effect of the decision that changes the facts. So the counts
are at every instant the sum of the contributions of all facts, and of what erased people left in closed months.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schemas.events import EventData
from services.reporting.closing import is_closed
from services.reporting.consume import MEANINGS, Told, told_by
from services.reporting.counting import contributions, difference
from services.reporting.model import Count, Countable, Facts, Offer
from services.reporting.records import Pseudonyms
from services.reporting.releases.model import Publish, Release, decide_publish, evolve_release
from services.reporting.sums import Row
from services.runtime.deciding import Command, Decision, Forget, Message, Received, States, Subject, remembered


@dataclass(frozen=True, slots=True)
class Named:
    """A person is heard of for the first time and gets the pseudonym."""

    pseudonym: str


@dataclass(frozen=True, slots=True)
class Recounted:
    """Effect: rows that count from now on, and rows that do not count any more, both in this generation."""

    added: frozenset[Row]
    retracted: frozenset[Row]
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """Effect: these rows go on counting in this generation, without the facts that they came from."""

    rows: frozenset[Row]
    generation: int = 0


def names(message: Message, states: States) -> Iterable[Subject]:
    """An event concerns the one thing that it is about, a command its release."""
    if isinstance(message, Command):
        return [Subject(Release.KIND, _publish(message).release)]
    return [_event(message).envelope.subject]


def decide(message: Message, states: States, now: datetime, *, pseudonyms: Pseudonyms) -> Decision:
    if isinstance(message, Command):
        return decide_publish(_publish(message), states)
    received = _event(message)
    subject = received.envelope.subject
    before = _known(states, subject)
    if isinstance(before, Facts) and before.erased:
        return Decision()
    if not isinstance(received.data, EventData):
        raise TypeError("reporting subscribes to events of the schemas only")
    told = told_by(received.envelope, received.data)
    facts: list[object] = [told]
    if isinstance(before, Facts) and not before.pseudonym:
        facts.insert(0, Named(pseudonyms(subject.id)))
    after = before
    for fact in facts:
        after = evolve(after, fact, now)
    if isinstance(after, Facts) and after.erased:
        return _erase(subject, told, before, now)
    if after == before:
        return Decision()
    added, retracted = difference(before, after)
    effects = [Recounted(added, retracted, before.generation)] if added or retracted else []
    return Decision([(subject, fact) for fact in facts], effects)


def _erase(subject: Subject, told: Told[EventData], before: Countable, now: datetime) -> Decision:
    """The facts become a tombstone. What stands in closed months stays there, belonging to nobody; the rest is taken back."""
    rows, generation = contributions(before), before.generation
    closed = frozenset(row for row in rows if is_closed(row.period, now))
    counts = (Recounted(frozenset(), rows - closed, generation), Kept(closed, generation))
    return Decision([(subject, told)], [*counts, Forget(subject)])


@remembered
def evolve(state: Any, fact: Any, at: datetime) -> Any:
    if isinstance(state, Release):
        return evolve_release(state, fact, at)
    if isinstance(fact, Named):
        return state.but(pseudonym=fact.pseudonym)
    meaning = MEANINGS[type(fact.data)]
    return meaning(state, fact) if meaning is not None else state


def _event(message: Message) -> Received:
    if not isinstance(message, Received):
        raise TypeError("none of the facts of reporting has a deadline")
    return message


def _publish(command: Command) -> Publish:
    if not isinstance(command.data, Publish):
        raise TypeError(f"{type(command.data).__name__} is no command of reporting")
    return command.data


def _known(states: States, subject: Subject) -> Countable:
    return states.get(_MODELS[subject.kind], subject.id)


_MODELS: Final[Mapping[str, type[Countable]]] = {model.KIND: model for model in (Facts, Count, Offer)}
