"""What a service's rules are made of: values in, values out.

A service is three pure functions over its states:

- ``names(message, states)`` says which states the decision needs. It is asked again until it names nothing new, so it may look
  at what is loaded already (a withdrawal names the case, and the case names the offers on which it holds seats).
- ``decide(message, states, now)`` says what happened (facts), what else is to be written (effects) and what the sender is
  answered. It raises `Refused` for a command that a rule forbids and `Permanent` for an event that can never be right.
- ``evolve(state, fact, at)`` gives the next state.

A fact that is an event type of the service's own is published under the subject that it changes, with the next number of that
subject's sequence. Any other fact changes the state and stays inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Annotated, Any, ClassVar, Final, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer

from schemas.envelope import Envelope, Subject

__all__ = [
    "Command",
    "Day",
    "Decision",
    "Due",
    "Elapsed",
    "Forget",
    "Logic",
    "Message",
    "Received",
    "State",
    "States",
    "Subject",
    "Write",
    "remembered",
]

Day = Annotated[date, PlainSerializer(date.isoformat, return_type=str)]
"""A calendar day in a state: the database has no type for it, so it is kept as ISO text."""

Document = dict[str, Any]


class State(BaseModel):
    """Base of the states. Immutable; `KIND` is the subject's kind and names the collection.

    A stored state carries the number of its `SHAPE`; `UPGRADES[n]` turns a body of shape n into shape n + 1.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    KIND: ClassVar[str]
    SHAPE: ClassVar[int] = 1
    UPGRADES: ClassVar[Mapping[int, Callable[[Document], Document]]] = {}
    id: str

    def due_at(self) -> datetime | None:
        """The next instant (UTC) at which time alone changes this state; `Due` is decided then."""
        return None

    @property
    def subject(self) -> Subject:
        return Subject(self.KIND, self.id)

    def but(self, **changes: object) -> Self:
        """This state with some fields replaced (unchecked: evolve is trusted with its own types)."""
        return self.model_copy(update=changes)


S = TypeVar("S", bound=State)


class States(Protocol):
    """The loaded states, as a decision sees them."""

    def get(self, model: type[S], id: str) -> S:
        """The state, or its first form when nothing is stored. It must have been named."""
        ...

    def known(self, model: type[S], id: str) -> S | None:
        """The state if it is loaded and stored, else None."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """An event from another service."""

    envelope: Envelope
    data: BaseModel


@dataclass(frozen=True, slots=True)
class Command:
    """Somebody wants something. `actor` is who asks.

    `key` makes a repetition harmless; `place` tells those apart that are sent under one. It is empty where the rules themselves see that
    the thing is done already (the rows of a file, the pairs of a round); then no answer is kept. `traceparent` is the request whose trace
    it joins; `link` one that brought it among others.
    """

    county: str
    key: str
    data: BaseModel
    actor: str = ""
    traceparent: str | None = None
    link: str | None = None
    place: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """The instant that a state gave as `due_at` has come."""

    subject: Subject


Message = Received | Command | Due


@dataclass(frozen=True, slots=True)
class Forget:
    """An effect that the runtime carries out: the history, the parked records and the dead letters of a subject lose their content."""

    subject: Subject


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a message. An empty one is a normal outcome."""

    facts: Sequence[tuple[Subject, object]] = ()
    effects: Sequence[object] = ()
    answer: BaseModel | None = None

    @property
    def written(self) -> frozenset[Subject]:
        """The states that it changes."""
        forgotten = (effect.subject for effect in self.effects if isinstance(effect, Forget))
        return frozenset((*(subject for subject, _ in self.facts), *forgotten))


@dataclass(frozen=True, slots=True)
class Write:
    """A write beside the states: the collection, and an operation of PyMongo's bulk interface."""

    collection: str
    operation: Any


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A business time that is measured, for metrics, whenever this event is told.

    `of` works it out from the state after the event, the event and the present instant; None: this time it is not measured. `name` becomes
    that of a metric, `text` says from when until when. It names nobody.
    """

    name: str
    text: str
    event: type[BaseModel]
    of: Callable[[Any, Any, datetime], timedelta | None]


Before = TypeVar("Before")
Fact = TypeVar("Fact")
After = TypeVar("After")

_REMEMBERED: Final = 64
"""More than one decision brings about, but for the largest."""


def remembered(evolve: Callable[[Before, Fact, datetime], After]) -> Callable[[Before, Fact, datetime], After]:
    """Decorates an `evolve`. Where `decide` looks ahead with it, the runtime takes over what was found out.

    It asks for the same again: the same state, fact and instant. None of them ever changes, so the answer does not either.
    """
    answers: dict[tuple[int, int], tuple[Before, Fact, datetime, After]] = {}

    @wraps(evolve)
    def remembering(before: Before, fact: Fact, at: datetime) -> After:
        place = (id(before), id(fact))  # theirs alone for as long as they are kept here
        answer = answers.get(place)
        if answer is not None and answer[2] is at:
            return answer[3]
        if len(answers) >= _REMEMBERED:
            answers.clear()
        after = evolve(before, fact, at)
        answers[place] = (before, fact, at, after)
        return after

    return remembering


def _no_writes(_: str, effects: Sequence[object]) -> Iterable[Write]:
    """For services whose decisions have no effects of their own."""
    if effects:
        raise TypeError("this service declares no writes for its effects")
    return ()


@dataclass(frozen=True, slots=True)
class Logic:
    """The rules of one service, as the runtime needs them.

    `heeds`: events that take effect at once, also where their turn has not come, and again in their turn. Their rules must allow both.
    `looking`: commands that write nothing to the state they are about.
    """

    source: str
    states: tuple[type[State], ...]
    names: Callable[[Message, States], Iterable[Subject]]
    decide: Callable[[Message, States, datetime], Decision]
    evolve: Callable[[Any, Any, datetime], Any]
    writes: Callable[[str, Sequence[object]], Iterable[Write]] = _no_writes
    times: tuple[Elapsed, ...] = ()
    heeds: frozenset[type[BaseModel]] = frozenset()
    looking: tuple[type, ...] = ()
    kinds: Mapping[str, type[State]] = field(init=False)
    times_of: Mapping[type, Sequence[Elapsed]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", {state.KIND: state for state in self.states})
        events = {time.event for time in self.times}
        times_of = {event: [time for time in self.times if time.event is event] for event in events}
        object.__setattr__(self, "times_of", times_of)
