"""Given, when, then for the rules of any service: states in a dictionary instead of a database, decided and evolved as the runtime does.

    world = World(SERVICE.logic, county="03459", now=...)
    world.hears(ArrivalRegistered(...), case)          # given, or when
    decision = world.asks(RecordProfile(...))          # raises Refused as the rules do
    assert world.told == [...]                         # the events that others would read, in order

A decision that raises changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pydantic import BaseModel

from schemas.envelope import Envelope, Subject
from schemas.events import EventData, source_of
from services.runtime.deciding import Command, Decision, Due, Logic, Message, Received, S, State
from services.runtime.records import Stored


class World:
    """One county of one service. `now` may be set; `told`, `effects` and `measured` collect what decisions brought about."""

    def __init__(self, logic: Logic, *, county: str, now: datetime) -> None:
        self.logic = logic
        self.county = county
        self.now = now
        self.states: dict[Subject, State] = {}
        self.told: list[EventData] = []
        self.effects: list[object] = []
        self.measured: list[tuple[str, timedelta]] = []
        self._sequences: dict[tuple[str, Subject], int] = {}

    # --- what decisions see -----------------------------------------------------------------------------------------

    def get(self, model: type[S], id: str) -> S:
        state = self.states.get(Subject(model.KIND, id), model(id=id))
        assert isinstance(state, model)
        return state

    def known(self, model: type[S], id: str) -> S | None:
        return self.get(model, id) if Subject(model.KIND, id) in self.states else None

    # --- what happens -----------------------------------------------------------------------------------------------

    def hears(self, event: EventData, id: str) -> Decision:
        """An event of another service about the subject with this id."""
        subject, source = Subject(event.SUBJECT, id), source_of(type(event))
        number = self._sequences[source, subject] = self._sequences.get((source, subject), 0) + 1
        envelope = Envelope(
            id=id, source=source, type=event.TYPE, subject=subject, county=self.county, sequence=number, time=self.now
        )
        return self.decides(Received(envelope, event))

    def asks(self, data: BaseModel, actor: str = "somebody", key: str = "") -> Decision:
        """A command. Raises what the rules raise."""
        return self.decides(Command(self.county, key, data, actor))

    def is_due(self, subject: Subject) -> Decision:
        return self.decides(Due(subject))

    def decides(self, message: Message) -> Decision:
        decision = self.logic.decide(message, self, self.now)
        evolved: dict[Subject, State] = {}
        for subject, fact in decision.facts:
            model = self.logic.kinds[subject.kind]
            before = evolved.get(subject) or self.states.get(subject) or model(id=subject.id)
            evolved[subject] = self.logic.evolve(before, fact, self.now)
            if isinstance(fact, EventData) and source_of(type(fact)) == self.logic.source:
                self.told.append(fact)
                for time in self.logic.times_of.get(type(fact), ()):
                    passed = time.of(evolved[subject], fact, self.now)
                    self.measured += [(time.name, passed)] if passed is not None else []
        self.states |= {subject: kept(state, self.county) for subject, state in evolved.items()}
        self.effects += decision.effects
        return decision

    def told_of(self, *kinds: type[EventData]) -> Sequence[Any]:
        """The told events of these types, in order."""
        return [event for event in self.told if isinstance(event, kinds)]


def kept(state: State, county: str) -> State:
    """What comes back from the database. It must be what was written, to the type of each value: the runtime hands out either."""
    document = bson.decode(bson.encode(Stored(state).to_document(county)), CodecOptions(tz_aware=True))
    back = Stored.from_document(type(state), document).state
    assert_same(state, back)
    return back


def assert_same(written: object, read: object) -> None:
    assert type(read) is type(written), f"{written!r} comes back as {read!r}"
    if isinstance(written, BaseModel) and isinstance(read, BaseModel):
        for name in type(written).model_fields:
            assert_same(getattr(written, name), getattr(read, name))
    elif isinstance(written, dict) and isinstance(read, dict):
        assert_same([*written.items()], [*read.items()])
    elif isinstance(written, list | tuple) and isinstance(read, list | tuple):
        assert len(read) == len(written)
        for one, other in zip(written, read, strict=True):
            assert_same(one, other)
    else:
        assert read == written
