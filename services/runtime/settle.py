"""One batch, one transaction: the heart of message handling.

`Settler.settle` takes records, commands and deadlines of one county, in order, and returns an outcome for each. What may be relied on:

- Each message is applied exactly once in effect. A record whose number is not above the last applied one of its subject and source is
  a repeat; a command whose key was answered hears the same answer; a deadline is decided against the state as it is.
- A record that comes before its predecessor is parked, and applied in order when the predecessor has been.
- A record that can never be applied becomes a dead letter and does not advance its subject's sequence, so that what follows is parked.
- What is about an id of another county is told nothing of it: a command is refused, a record is a dead letter, whatever its number.
- No message hinders another of the same batch, neither by being wrong, nor by a rule that fails on it, nor by asking for a write that the
  database refuses. What fails is told apart from a world that fails: the latter is raised, and tried again.
- States, events, dead letters, parked records, answers and other writes of a slice commit together or not at all. A conflict with another
  writer halves the slice and decides it again from fresh state; slices grow again as they succeed.
- After `Forget` nothing of what a subject said before is kept here, also not what came in the same slice.

`decide` runs outside the transaction and may run more than once.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from pydantic import BaseModel
from pymongo.errors import PyMongoError

from schemas.envelope import Envelope, TypeName
from services.runtime.clock import Clock
from services.runtime.deciding import Command, Decision, Due, Forget, Logic, Message, Received, S, Subject
from services.runtime.errors import Conflict, ForeignSubject, NameTaken, Permanent, Refused, Transient
from services.runtime.logs import log
from services.runtime.reading import Fetched, Reader, Resolution
from services.runtime.recent import Recent
from services.runtime.records import (
    Answer,
    DeadLetter,
    NewerShape,
    Outgoing,
    Parked,
    RawRecord,
    Stored,
    event_id,
    parked_id,
)
from services.runtime.store import CountyStore, Unit

Work = Fetched | Command | Due

PATIENCE: Final = 50
"""How often in a row a slice, in the end a single message, is decided again after a conflict before it is given up."""

LARGEST_EVENT: Final = 900 * 1024
"""Bytes of an event's value. A broker takes a record of 1 MiB by default, and one that it refuses would stop its partition for good."""

_NOT_THE_RULES: Final = (Transient, Conflict, NewerShape, PyMongoError)
"""What loading a state may raise while a message is decided. It says nothing about the message."""


class Result(StrEnum):
    """What became of a message."""

    APPLIED = "applied"
    REPEATED = "repeated"
    SKIPPED = "skipped"
    PARKED = "parked"
    DEAD = "dead"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` (JSON) for a command that took effect now or earlier; `error` for one refused, failed, or a dead record."""

    result: Result
    answer: bytes | None = None
    error: Exception | None = None


def _name_of(item: Work) -> str:
    return type(item.data if isinstance(item, Command) else item).__name__


def door_of(item: Work) -> str:
    """Through which door work came: the source of a record's events, "command" or "deadline". For metrics."""
    if isinstance(item, Command):
        return "command"
    if isinstance(item, Due):
        return "deadline"
    return item.envelope.source if item.envelope is not None else "unknown"


class MessageSpan(Protocol):
    """The span of one message."""

    @property
    def traceparent(self) -> str | None: ...

    def end(self, outcome: str) -> None: ...


class Tracer(Protocol):
    """Makes the span of one message, in the trace that its sender or its subject was last seen in."""

    def message_span(
        self,
        name: str,
        traceparent: str | None,
        *,
        subject: str = "",
        county: str = "",
        type: str = "",
        sequence: int = 0,
        link: str | None = None,
    ) -> MessageSpan: ...


class Watcher(Protocol):
    """Is told what happened, for metrics. Called after the commit."""

    def settled(self, doors: Sequence[str], outcomes: Sequence[Outcome], seconds: Mapping[str, float]) -> None:
        """`seconds` of a slice by step: load (waiting for the database), decide, write, and the whole."""
        ...

    def conflict(self, size: int) -> None: ...


class Settler:
    """Settles work for one service. `woken` are called after each commit, with whether events wait to be sent."""

    def __init__(
        self,
        logic: Logic,
        reader: Reader,
        clock: Clock,
        tracer: Tracer,
        watcher: Watcher,
        largest_slice: int = 500,
    ) -> None:
        self.logic = logic
        self.reader = reader
        self.clock = clock
        self.tracer = tracer
        self.watcher = watcher
        self.woken: list[Callable[[], None]] = []
        self.recent = Recent()
        self._largest = largest_slice

    async def settle(self, store: CountyStore, work: Sequence[Work]) -> list[Outcome]:
        """Settle all of `work`. Raises `Transient` when the database is away; what was committed by then is skipped next time."""
        outcomes: list[Outcome] = []
        size, conflicts = self._largest, 0
        while len(outcomes) < len(work):
            part = work[len(outcomes) : len(outcomes) + size]
            try:
                outcomes += await self._once(store, part)
                size, conflicts = min(self._largest, size * 2), 0
            except Conflict as conflict:
                conflicts += 1
                self.watcher.conflict(len(part))
                size = max(1, len(part) // 2)
                if len(part) == 1 and isinstance(conflict, NameTaken):
                    outcomes.append(await self._alone(store, part[0]))
                elif conflicts > PATIENCE:
                    raise Transient("database") from conflict
                await _pause(conflicts)
            except Permanent:
                # The database will not take what a message asks to be written: find that message, and only that one.
                size = max(1, len(part) // 2)
                if len(part) == 1:
                    outcomes.append(await self._alone(store, part[0]))
        return outcomes

    async def _alone(self, store: CountyStore, item: Work) -> Outcome:
        """Settle one message in steps: first without what is parked behind it, then that, one record after the other."""
        outcome = await self._step(store, item)
        following = item.envelope if isinstance(item, Fetched) else None
        while following is not None and outcome.result is not Result.DEAD:
            waiting = await store.load_parked([following.subject])
            raw = waiting.get(parked_id(following.subject, following.source, following.sequence + 1))
            if raw is None:
                break
            fetched = self.reader.read(raw)
            if (await self._step(store, fetched)).result is Result.DEAD:
                break
            following = fetched.envelope
        return outcome

    async def _step(self, store: CountyStore, item: Work) -> Outcome:
        """Settle one message and nothing that waits for it. If it cannot be written, that is its outcome."""
        for conflicts in range(PATIENCE + 1):
            try:
                (outcome,) = await self._once(store, [item], drain=False)
            except Permanent as unwritable:
                return await self._bury(store, item, unwritable)
            except NameTaken as taken:
                self.watcher.conflict(1)
                if conflicts == PATIENCE:
                    # Asked for again and again by a rule that does not see that the name is taken.
                    return await self._bury(store, item, Permanent("name-taken", str(taken)))
            except Conflict:
                self.watcher.conflict(1)
            else:
                return outcome
            await _pause(conflicts)
        raise Transient("database")

    async def _once(self, store: CountyStore, part: Sequence[Work], *, drain: bool = True) -> list[Outcome]:
        clock = asyncio.get_running_loop().time
        started = clock()
        attempt = _Attempt(self, store, self.clock.now(), drain=drain)
        try:
            await attempt.load(part)
            outcomes = [await attempt.take(item) for item in part]
            unit = attempt.unit()
            decided = clock()
            if not unit.empty():
                await store.commit(unit)
        except BaseException:
            attempt.undo()
            raise
        self.recent.keep(store.county, unit.states)
        attempt.end_spans()
        ended = clock()
        seconds = {
            "load": attempt.loading,
            "decide": decided - started - attempt.loading,
            "write": ended - decided,
            "whole": ended - started,
        }
        self.watcher.settled([door_of(item) for item in part], outcomes, seconds)
        for item, outcome in zip(part, outcomes, strict=True):
            _tell(item, outcome)
        if not unit.empty():
            for wake in self.woken:
                wake()
        return outcomes

    async def _bury(self, store: CountyStore, item: Work, failure: Permanent) -> Outcome:
        if isinstance(failure, ForeignSubject):
            if isinstance(item, Command):
                return Outcome(Result.REFUSED, error=Refused("id-not-usable"))
            try:
                if isinstance(item, Fetched) and await _is_given_up(store, item):
                    return Outcome(Result.SKIPPED)
            except Permanent as settled:
                failure = settled
        outcome = Outcome(Result.DEAD if isinstance(item, Fetched) else Result.FAILED, error=failure)
        if isinstance(item, Fetched) and item.resolution is None:
            unit = Unit(dead=[DeadLetter(item.raw, failure.reason, failure.detail, item.envelope)])
            if item.envelope is not None:
                unit.unparked = [parked_id(item.envelope.subject, item.envelope.source, item.envelope.sequence)]
            await _insist(store, unit)
        _tell(item, outcome)
        return outcome


async def _is_given_up(store: CountyStore, fetched: Fetched) -> bool:
    """Whether an operator has discarded this record, or does so now: its subject has no sequence here in which its number could count."""
    if fetched.resolution is None:
        return bool(await store.settled_dead_letters([fetched.raw.digest]))
    if fetched.data is not None or fetched.failure is not None:
        return False
    await _insist(store, Unit(resolutions=[fetched.resolution]))
    return True


async def _insist(store: CountyStore, unit: Unit) -> None:
    """Write what nothing else depends on."""
    for conflicts in range(PATIENCE):
        try:
            await store.commit(unit)
        except Conflict:
            await _pause(conflicts)
        else:
            return
    raise Transient("database")


async def _pause(conflicts: int) -> None:
    """Longer the more often others were faster, and never equally long for two."""
    await asyncio.sleep(random.uniform(0, min(0.05, 0.001 * 2 ** min(conflicts, 6))))  # noqa: S311


def _tell(item: Work, outcome: Outcome) -> None:
    """What somebody must look at is logged, whoever is answered."""
    if outcome.result is Result.FAILED:
        log.error("settle.failed", exception=outcome.error, type=_name_of(item))
    elif outcome.result is Result.DEAD and isinstance(item, Fetched) and isinstance(outcome.error, Permanent):
        raw = item.raw
        log.warning(
            "record.dead", reason=outcome.error.reason, topic=raw.topic, partition=raw.partition, offset=raw.offset
        )


class _Attempt:
    """One try at a slice: loaded states, and what is to be written. Thrown away on a conflict."""

    def __init__(self, settler: Settler, store: CountyStore, now: datetime, *, drain: bool) -> None:
        self._settler = settler
        self._drains = drain
        self._logic = settler.logic
        self._store = store
        self._now = now
        self.loading = 0.0
        self._states: dict[Subject, Stored] = {}
        self._assumed: set[Subject] = set()
        self._parked: dict[str, RawRecord] = {}
        self._newly_parked: dict[str, Parked] = {}
        self._unparked: list[str] = []
        self._answers: dict[str, tuple[str, bytes]] = {}
        self._new_answers: list[Answer] = []
        self._events: list[Outgoing] = []
        self._effects: list[object] = []
        self._resolutions: list[Resolution] = []
        self._dead: list[DeadLetter] = []
        self._settled_letters: frozenset[str] = frozenset()
        self._forgotten: list[Subject] = []
        self._spans: list[tuple[MessageSpan, str]] = []

    # --- loading ----------------------------------------------------------------------------------------------------

    async def load(self, part: Sequence[Work]) -> None:
        """Load in one go what the slice names; what only shows while deciding is loaded then."""
        own: dict[Subject, None] = {}
        named: dict[Subject, None] = {}
        keys: list[str] = []
        letters: list[str] = []
        for item in part:
            if isinstance(item, Fetched):
                message = _received(item)
                if item.envelope is not None and item.envelope.subject.kind in self._logic.kinds:
                    (named if item.resolution else own)[item.envelope.subject] = None
                elif item.failure is not None and item.resolution is None:
                    letters.append(item.raw.digest)
            else:
                message = item
                if isinstance(item, Command) and item.key:
                    keys.append(_answer_key(item))
            if message is not None:
                named.update(dict.fromkeys(subject for subject in self._foreseen(message) if subject != _own(message)))
        for subject in own:
            stored = self._settler.recent.find(self._store.county, subject) if subject not in named else None
            if stored is not None:
                self._states[subject] = stored
                self._assumed.add(subject)
        with self._timed():
            if keys:
                self._answers = await self._store.load_answers(keys)
            if letters:
                self._settled_letters = await self._store.settled_dead_letters(letters)
        await self._load({**own, **named})

    @contextmanager
    def _timed(self) -> Generator[None]:
        """Counts the time inside as waiting for the database."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            yield
        finally:
            self.loading += clock() - began

    def _foreseen(self, message: Message) -> list[Subject]:
        """What the message names before anything is loaded. If a rule fails here, it fails again in the message's own turn."""
        try:
            return [subject for subject in self._names(message) if subject.kind in self._logic.kinds]
        except Exception:  # noqa: BLE001 - as above
            return []

    async def _load(self, subjects: Iterable[Subject]) -> None:
        missing = [subject for subject in subjects if subject not in self._states]
        if not missing:
            return
        with self._timed():
            loaded = await self._store.load(self._logic.kinds, missing)
            self._states.update(loaded)
            waiting = [subject for subject, stored in loaded.items() if stored.parked]
            if waiting:
                self._parked.update(await self._store.load_parked(waiting))

    async def _load_named(self, message: Message) -> None:
        while missing := [subject for subject in self._names(message) if self._is_missing(subject, message)]:
            await self._load(missing)

    def _is_missing(self, subject: Subject, message: Message) -> bool:
        """Not loaded, or only assumed and about to be read by a message that need not write it."""
        return subject not in self._states or (subject != _own(message) and self._forsake(subject))

    def _forsake(self, subject: Subject) -> bool:
        """Forget a state that was taken over from an earlier commit, unless this slice writes it: then its version guards it."""
        if subject not in self._assumed or self._states[subject].changed:
            return False
        self._assumed.discard(subject)
        del self._states[subject]
        return True

    def _names(self, message: Message) -> Iterable[Subject]:
        if isinstance(message, Due):
            yield message.subject
        yield from self._logic.names(message, _View(self._states))

    # --- one message ------------------------------------------------------------------------------------------------

    async def take(self, item: Work) -> Outcome:
        if isinstance(item, Fetched):
            return await self._take_record(item)
        if isinstance(item, Command):
            return await self._take_command(item)
        try:
            await self._decide(item, item.subject, f"due {item.subject.kind}", None)
        except _NOT_THE_RULES:
            raise
        except Exception as error:  # noqa: BLE001 - a rule that fails on one message must not hinder the others
            return Outcome(Result.FAILED, error=error)
        return Outcome(Result.APPLIED)

    async def _take_command(self, command: Command) -> Outcome:
        name = type(command.data).__name__
        key, digest, answered = "", "", None
        if command.key:
            key = _answer_key(command)
            digest = hashlib.sha256(name.encode() + b"\0" + command.data.model_dump_json().encode()).hexdigest()
            answered = self._answers.get(key)
        if answered is not None:
            if answered[0] != digest:
                return Outcome(Result.REFUSED, error=Refused("idempotency-key-reused", 422))
            return Outcome(Result.REPEATED, answer=answered[1])
        try:
            answer = await self._decide(command, None, name, command.traceparent)
        except Refused as refused:
            return Outcome(Result.REFUSED, error=refused)
        except _NOT_THE_RULES:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return Outcome(Result.FAILED, error=error)
        body = answer.model_dump_json().encode() if answer is not None else b"{}"
        if command.key:
            self._answers[key] = (digest, body)
            self._new_answers.append(Answer(key, digest, body))
        return Outcome(Result.APPLIED, answer=body)

    async def _take_record(self, fetched: Fetched) -> Outcome:
        envelope = fetched.envelope
        if envelope is None or envelope.subject.kind not in self._logic.kinds:
            return self._die(fetched, fetched.failure) if fetched.failure else self._resolved(fetched, Result.SKIPPED)
        if envelope.subject not in self._states:
            await self._load([envelope.subject])
        stored = self._states[envelope.subject]
        last = stored.applied.get(envelope.source, 0)
        if envelope.sequence <= last:
            if self._forsake(envelope.subject):
                return await self._take_record(fetched)
            return self._resolved(fetched, Result.REPEATED)
        if envelope.sequence > last + 1:
            self._park(stored, envelope, fetched)
            return self._resolved(fetched, Result.PARKED)
        outcome = await self._apply(stored, envelope, fetched)
        if outcome.result is not Result.DEAD:
            await self._drain(envelope)
        elif self._forsake(envelope.subject):
            self._dead.pop()
            return await self._take_record(fetched)
        return outcome

    async def _apply(self, stored: Stored, envelope: Envelope, fetched: Fetched) -> Outcome:
        """Apply the record that is next in its subject's sequence."""
        self._unpark(stored, envelope.source, envelope.sequence)
        if fetched.failure is not None:
            return self._die(fetched, fetched.failure)
        message = _received(fetched)
        if message is not None:
            try:
                await self._decide(
                    message, envelope.subject, TypeName.parse(envelope.type).name, envelope.traceparent, envelope
                )
            except Permanent as failure:
                return self._die(fetched, failure)
            except Refused as refused:
                return self._die(fetched, Permanent("refused", refused.code))
            except _NOT_THE_RULES:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                return self._die(fetched, Permanent("rule-failed", _place(error)))
        stored = self._states[envelope.subject]
        stored.applied = {**stored.applied, envelope.source: envelope.sequence}
        stored.changed = True
        return self._resolved(fetched, Result.APPLIED if message is not None else Result.SKIPPED)

    async def _drain(self, envelope: Envelope) -> None:
        """Apply what was parked behind this record, as far as it goes without a gap."""
        subject, source, number = envelope.subject, envelope.source, envelope.sequence + 1
        while self._drains and number in self._states[subject].parked.get(source, ()):
            raw = self._parked.get(parked_id(subject, source, number))
            if raw is None:
                return
            fetched = self._settler.reader.read(raw)
            if fetched.envelope is None:
                return
            outcome = await self._apply(self._states[subject], fetched.envelope, fetched)
            if outcome.result is Result.DEAD:
                return
            number += 1

    def _park(self, stored: Stored, envelope: Envelope, fetched: Fetched) -> None:
        numbers = stored.parked.get(envelope.source, [])
        if envelope.sequence in numbers:
            return
        stored.parked = {**stored.parked, envelope.source: [*numbers, envelope.sequence]}
        stored.changed = True
        parked = Parked(envelope, fetched.raw)
        self._parked[parked.id] = fetched.raw
        self._newly_parked[parked.id] = parked

    def _unpark(self, stored: Stored, source: str, number: int) -> None:
        numbers = stored.parked.get(source, ())
        if number not in numbers:
            return
        stored.parked = {**stored.parked, source: [other for other in numbers if other != number]}
        stored.changed = True
        id = parked_id(stored.state.subject, source, number)
        if self._newly_parked.pop(id, None) is None:
            self._unparked.append(id)

    def _die(self, fetched: Fetched, failure: Permanent) -> Outcome:
        if fetched.raw.digest in self._settled_letters:
            # It lies in nobody's sequence, so only the dead letter itself knows that an operator is done with it.
            return Outcome(Result.SKIPPED)
        # A replay that fails again leaves the dead letter as it lies: the operator is told why and may correct it further.
        if fetched.resolution is None:
            self._dead.append(DeadLetter(fetched.raw, failure.reason, failure.detail, fetched.envelope))
        return Outcome(Result.DEAD, error=failure)

    def _resolved(self, fetched: Fetched, result: Result) -> Outcome:
        if fetched.resolution is not None:
            self._resolutions.append(fetched.resolution)
        return Outcome(result)

    # --- deciding ---------------------------------------------------------------------------------------------------

    async def _decide(
        self,
        message: Message,
        primary: Subject | None,
        name: str,
        traceparent: str | None,
        envelope: Envelope | None = None,
    ) -> BaseModel | None:
        await self._load_named(message)
        view = _View(self._states)
        if primary is None:
            primary = next(iter(self._names(message)), None)
        link = None
        if envelope is None and primary is not None and self._states[primary].trace is not None:
            # What a clerk or a deadline does to a subject belongs to that subject's way; the request is only linked.
            traceparent, link = self._states[primary].trace, traceparent
        span = self._settler.tracer.message_span(
            name,
            traceparent,
            subject=str(primary) if primary else "",
            county=self._store.county,
            type=envelope.type if envelope else name,
            sequence=envelope.sequence if envelope else 0,
            link=link,
        )
        try:
            decision = self._logic.decide(message, view, self._now)
            self._accept(decision, primary, span.traceparent)
        except Refused:
            self._spans.append((span, "refused"))
            raise
        except Exception:
            self._spans.append((span, "failed"))
            raise
        self._spans.append((span, "applied"))
        return decision.answer

    def _accept(self, decision: Decision, primary: Subject | None, trace: str | None) -> None:
        """Evolve copies first and take them over together, so that a rule that fails half way leaves nothing behind."""
        evolved: dict[Subject, Stored] = {}
        events: list[Outgoing] = []
        for subject, fact in decision.facts:
            stored = evolved.get(subject)
            if stored is None:
                stored = evolved[subject] = replace(self._states[subject], changed=True)
            stored.state = self._logic.evolve(stored.state, fact, self._now)
            type_name = getattr(fact, "TYPE", None)
            if isinstance(fact, BaseModel) and isinstance(type_name, str) and self._is_own(type_name):
                stored.sequence += 1
                events.append(self._outgoing(subject, stored.sequence, type_name, fact, trace))
        if primary is not None and primary in evolved and trace is not None:
            evolved[primary].trace = trace
        forgotten = [effect.subject for effect in decision.effects if isinstance(effect, Forget)]
        for subject in forgotten:
            # Its books say where its history lies, so it must have been named.
            evolved[subject] = replace(evolved.get(subject, self._states[subject]), changed=True)
        self._forget(forgotten)
        self._states.update(evolved)
        self._events += events
        self._effects += [effect for effect in decision.effects if not isinstance(effect, Forget)]

    def _forget(self, subjects: Sequence[Subject]) -> None:
        """Empty what this slice was going to write about the subjects; what lies in the database is emptied in the transaction."""
        if not subjects:
            return
        self._forgotten += subjects
        for subject in subjects:
            for id in self._states[subject].parked_ids():
                if id in self._parked:
                    self._parked[id] = self._parked[id].blank
                if id in self._newly_parked:
                    self._newly_parked[id] = replace(self._newly_parked[id], raw=self._parked[id])
        self._events = [event.blank if event.envelope.subject in subjects else event for event in self._events]
        self._dead = [
            replace(dead, erased=True) if dead.envelope and dead.envelope.subject in subjects else dead
            for dead in self._dead
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
            county=self._store.county,
            sequence=sequence,
            time=self._now,
            traceparent=trace,
        )
        value = fact.model_dump_json().encode()
        if len(value) > LARGEST_EVENT:
            raise ValueError(f"an event of {len(value)} bytes; at most {LARGEST_EVENT} can be sent")
        return Outgoing(envelope, value)

    # --- what is to be written --------------------------------------------------------------------------------------

    def unit(self) -> Unit:
        """Raises `Permanent` when the service's own writes cannot be made from the effects."""
        try:
            writes = [*self._logic.writes(self._store.county, self._effects)]
        except Exception as error:
            raise Permanent("rule-failed", _place(error)) from error
        return Unit(
            states=[stored for stored in self._states.values() if stored.changed],
            events=self._events,
            dead=self._dead,
            parked=list(self._newly_parked.values()),
            unparked=self._unparked,
            answers=self._new_answers,
            resolutions=self._resolutions,
            writes=writes,
            forgotten=self._forgotten,
        )

    def end_spans(self) -> None:
        for span, outcome in self._spans:
            span.end(outcome)

    def undo(self) -> None:
        """It came to nothing; whatever it rested on is loaded the next time."""
        self._settler.recent.drop(self._store.county, self._states)
        for span, _ in self._spans:
            span.end("undone")


class _View:
    """The loaded states, read-only."""

    def __init__(self, states: dict[Subject, Stored]) -> None:
        self._states = states

    def get(self, model: type[S], id: str) -> S:
        stored = self._states.get(Subject(model.KIND, id))
        if stored is None:
            raise KeyError(f"names() did not name the {model.KIND} that decide() reads")
        if not isinstance(stored.state, model):
            raise TypeError(f"{model.KIND} is declared by another model")
        return stored.state

    def known(self, model: type[S], id: str) -> S | None:
        stored = self._states.get(Subject(model.KIND, id))
        if stored is None or (stored.version == 0 and not stored.changed):
            return None
        return self.get(model, id)


def _answer_key(command: Command) -> str:
    """Keys are their senders' own: two people may come upon the same one. A key has no blank in it."""
    return f"{command.key} {command.actor}"


def _own(message: Message) -> Subject | None:
    """The subject that the message is about, if it comes with one."""
    if isinstance(message, Received):
        return message.envelope.subject
    return message.subject if isinstance(message, Due) else None


def _received(fetched: Fetched) -> Received | None:
    if fetched.envelope is None or fetched.data is None:
        return None
    return Received(fetched.envelope, fetched.data)


def _place(error: Exception) -> str:
    """Type and place of an unexpected error; its text stays out, since it may quote a person's data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.name}:{frame.lineno}"
