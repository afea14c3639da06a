"""What a try at a slice is going to write: states with their books, events, dead letters, parked records.

Nothing of it counts before the commit, and on a conflict all of it is thrown away. A decision is taken over whole or not at all.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from schemas.envelope import Envelope
from services.runtime.deciding import Decision, Forget, Logic, Subject
from services.runtime.errors import Permanent
from services.runtime.reading import Resolution
from services.runtime.records import Answer, DeadLetter, Outgoing, Parked, RawRecord, Stored, event_id, parked_id
from services.runtime.store import Unit

LARGEST_EVENT: Final = 900 * 1024
"""Bytes of an event's value. A broker takes a record of 1 MiB by default, and one that it refuses would stop its partition for good."""


class Changes:
    """Collects the changes. `states` are all that are loaded, and `parked` the records that wait, loaded or new, by parked id."""

    def __init__(
        self, logic: Logic, county: str, now: datetime, states: dict[Subject, Stored], parked: dict[str, RawRecord]
    ) -> None:
        self._logic = logic
        self._county = county
        self._now = now
        self.states = states
        self.parked = parked
        self.answers: list[Answer] = []
        self.resolutions: list[Resolution] = []
        self.dead: list[DeadLetter] = []
        self.elapsed: list[tuple[str, timedelta]] = []
        self._newly_parked: dict[str, Parked] = {}
        self._unparked: list[str] = []
        self._events: list[Outgoing] = []
        self._effects: list[object] = []
        self._forgotten: list[Subject] = []

    # --- decisions --------------------------------------------------------------------------------------------------

    def accept(self, decision: Decision, primary: Subject | None, trace: str | None) -> None:
        """Evolve copies first and take them over together, so that a rule that fails half way leaves nothing behind."""
        evolved: dict[Subject, Stored] = {}
        events: list[Outgoing] = []
        elapsed: list[tuple[str, timedelta]] = []
        for subject, fact in decision.facts:
            stored = evolved.get(subject)
            if stored is None:
                stored = evolved[subject] = self.states[subject].copy(changed=True)
            stored.state = self._logic.evolve(stored.state, fact, self._now)
            type_name = getattr(fact, "TYPE", None)
            if isinstance(fact, BaseModel) and isinstance(type_name, str) and self._is_own(type_name):
                stored.sequence += 1
                events.append(self._outgoing(subject, stored.sequence, type_name, fact, trace))
                for time in self._logic.times_of.get(type(fact), ()):
                    passed = time.of(stored.state, fact, self._now)
                    if passed is not None:
                        elapsed.append((time.name, passed))
        if primary is not None and primary in evolved and trace is not None:
            evolved[primary].trace = trace
        forgotten = [effect.subject for effect in decision.effects if isinstance(effect, Forget)]
        for subject in forgotten:
            # Its books say where its history lies, so it must have been named.
            evolved[subject] = evolved.get(subject, self.states[subject]).copy(changed=True)
        self._forget(forgotten)
        self.states.update(evolved)
        self._events += events
        self.elapsed += elapsed
        self._effects += [effect for effect in decision.effects if not isinstance(effect, Forget)]

    def _forget(self, subjects: Sequence[Subject]) -> None:
        """Empty what this slice was going to write about the subjects; what lies in the database is emptied in the transaction."""
        if not subjects:
            return
        self._forgotten += subjects
        for subject in subjects:
            for id in self.states[subject].parked_ids():
                if id in self.parked:
                    self.parked[id] = self.parked[id].blank
                if id in self._newly_parked:
                    self._newly_parked[id] = replace(self._newly_parked[id], raw=self.parked[id])
        self._events = [event.blank if event.envelope.subject in subjects else event for event in self._events]
        self.dead = [
            replace(dead, erased=True) if dead.envelope and dead.envelope.subject in subjects else dead
            for dead in self.dead
        ]

    def _is_own(self, type_name: str) -> bool:
        return type_name.split(".", 2)[1] == self._logic.source

    def _outgoing(
        self, subject: Subject, sequence: int, type_name: str, fact: BaseModel, trace: str | None
    ) -> Outgoing:
        source = self._logic.source
        envelope = Envelope(
            id=event_id(source, subject, sequence),
            source=source,
            type=type_name,
            subject=subject,
            county=self._county,
            sequence=sequence,
            time=self._now,
            traceparent=trace,
        )
        value = fact.model_dump_json().encode()
        if len(value) > LARGEST_EVENT:
            raise ValueError(f"an event of {len(value)} bytes; at most {LARGEST_EVENT} can be sent")
        return Outgoing(envelope, value)

    # --- numbers ----------------------------------------------------------------------------------------------------

    def count(self, envelope: Envelope) -> None:
        """This record's number is the last one applied now."""
        stored = self.states[envelope.subject]
        stored.applied = {**stored.applied, envelope.source: envelope.sequence}
        stored.changed = True

    def park(self, envelope: Envelope, raw: RawRecord) -> bool:
        """Keep a record until its predecessor has been applied. False when it is kept already."""
        stored = self.states[envelope.subject]
        numbers = stored.parked.get(envelope.source, [])
        if envelope.sequence in numbers:
            return False
        stored.parked = {**stored.parked, envelope.source: [*numbers, envelope.sequence]}
        stored.changed = True
        parked = Parked(envelope, raw)
        self.parked[parked.id] = raw
        self._newly_parked[parked.id] = parked
        return True

    def unpark(self, envelope: Envelope) -> None:
        """This record waits no more, if it did."""
        stored, source, number = self.states[envelope.subject], envelope.source, envelope.sequence
        numbers = stored.parked.get(source, ())
        if number not in numbers:
            return
        stored.parked = {**stored.parked, source: [other for other in numbers if other != number]}
        stored.changed = True
        id = parked_id(envelope.subject, source, number)
        if self._newly_parked.pop(id, None) is None:
            self._unparked.append(id)

    # --- what is to be written --------------------------------------------------------------------------------------

    def unit(self) -> Unit:
        """Raises `Permanent` when the service's own writes cannot be made from the effects."""
        try:
            writes = [*self._logic.writes(self._county, self._effects)]
        except Exception as error:
            raise rule_failed(error) from error
        return Unit(
            states=[stored for stored in self.states.values() if stored.changed],
            events=self._events,
            dead=self.dead,
            parked=list(self._newly_parked.values()),
            unparked=self._unparked,
            answers=self.answers,
            resolutions=self.resolutions,
            writes=writes,
            forgotten=self._forgotten,
        )


def rule_failed(error: Exception) -> Permanent:
    """Names type and place of an unexpected error; its text stays out, since it may quote a person's data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Permanent("rule-failed", f"{type(error).__name__} at {frame.name}:{frame.lineno}")
