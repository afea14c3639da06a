"""One batch, one transaction: the heart of message handling.

`Settler.settle` takes records, commands and deadlines of one county, in order, and returns an outcome for each. What may be relied on:

- Each message is applied exactly once in effect. A record whose number is not above the last applied one of its subject and source is
  a repeat; a command whose key was answered hears the same answer; a deadline is decided against the state as it is.
- A record that comes before its predecessor is parked, and applied in order when the predecessor has been.
- A record that can never be applied becomes a dead letter and does not advance its subject's sequence, so that what follows is parked.
- No message hinders another of the same batch, neither by being wrong nor by a rule that fails on it.
- States, events, dead letters, parked records, answers and other writes of a slice commit together or not at all. A conflict with another
  writer halves the slice and decides it again from fresh state; slices grow again as they succeed.

`decide` runs outside the transaction and may run more than once.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from pydantic import BaseModel

from schemas.envelope import Envelope, TypeName
from services.runtime.clock import Clock
from services.runtime.deciding import Command, Decision, Due, Forget, Logic, Message, Received, S, Subject, Write
from services.runtime.errors import Conflict, Permanent, Refused
from services.runtime.reading import Fetched, Reader
from services.runtime.records import Answer, DeadLetter, Outgoing, Parked, RawRecord, Stored, event_id, parked_id
from services.runtime.store import CountyStore, Unit

Work = Fetched | Command | Due

PATIENCE: Final = 200
"""How often a single message is decided again after a conflict before the world is called broken."""


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

    def settled(self, doors: Sequence[str], outcomes: Sequence[Outcome], seconds: float) -> None: ...

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
        self._largest = largest_slice
        self._slice = largest_slice

    async def settle(self, store: CountyStore, work: Sequence[Work]) -> list[Outcome]:
        """Settle all of `work`. Raises `Transient` when the database is away; what was committed by then is skipped next time."""
        outcomes: list[Outcome] = []
        conflicts = 0
        while len(outcomes) < len(work):
            part = work[len(outcomes) : len(outcomes) + self._slice]
            try:
                outcomes += await self._once(store, part)
                self._slice, conflicts = min(self._largest, self._slice * 2), 0
            except Conflict:
                self.watcher.conflict(len(part))
                self._slice = max(1, len(part) // 2)
                conflicts += 1
                if conflicts > PATIENCE:
                    raise
                await asyncio.sleep(random.uniform(0, min(0.05, 0.001 * 2 ** min(conflicts, 6))))  # noqa: S311
            except Permanent as unwritable:
                # The database will not take what a message asks to be written: find that message, and only that one.
                if len(part) > 1:
                    self._slice = max(1, len(part) // 2)
                else:
                    outcomes.append(await self._bury(store, part[0], unwritable))
        return outcomes

    async def _once(self, store: CountyStore, part: Sequence[Work]) -> list[Outcome]:
        started = asyncio.get_running_loop().time()
        attempt = _Attempt(self, store, self.clock.now())
        try:
            await attempt.load(part)
            outcomes = [await attempt.take(item) for item in part]
            unit = attempt.unit()
            if not unit.empty():
                await store.commit(unit)
        except BaseException:
            attempt.end_spans(undone=True)
            raise
        attempt.end_spans()
        self.watcher.settled([door_of(item) for item in part], outcomes, asyncio.get_running_loop().time() - started)
        if not unit.empty():
            for wake in self.woken:
                wake()
        return outcomes

    async def _bury(self, store: CountyStore, item: Work, failure: Permanent) -> Outcome:
        if isinstance(item, Fetched):
            await store.commit(Unit(dead=[DeadLetter(item.raw, failure.reason, failure.detail, item.envelope)]))
            return Outcome(Result.DEAD, error=failure)
        return Outcome(Result.FAILED, error=failure)


class _Attempt:
    """One try at a slice: loaded states, and what is to be written. Thrown away on a conflict."""

    def __init__(self, settler: Settler, store: CountyStore, now: datetime) -> None:
        self._settler = settler
        self._logic = settler.logic
        self._store = store
        self._now = now
        self._states: dict[Subject, Stored] = {}
        self._parked: dict[str, RawRecord] = {}
        self._newly_parked: dict[str, Parked] = {}
        self._unparked: list[str] = []
        self._answers: dict[str, tuple[str, bytes]] = {}
        self._new_answers: list[Answer] = []
        self._events: list[Outgoing] = []
        self._effects: list[object] = []
        self._writes: list[Write] = []
        self._dead: list[DeadLetter] = []
        self._spans: list[tuple[MessageSpan, str]] = []

    # --- loading ----------------------------------------------------------------------------------------------------

    async def load(self, part: Sequence[Work]) -> None:
        """Load in one go what the slice names; what only shows while deciding is loaded then."""
        named: dict[Subject, None] = {}
        keys: list[str] = []
        view = _View(self._states)
        for item in part:
            if isinstance(item, Fetched):
                message = _received(item)
                if item.envelope is not None and item.envelope.subject.kind in self._logic.kinds:
                    named[item.envelope.subject] = None
            else:
                message = item
                if isinstance(item, Command) and item.key:
                    keys.append(item.key)
            if message is not None:
                named.update(dict.fromkeys(self._names(message, view)))
        if keys:
            self._answers = await self._store.load_answers(keys)
        await self._load(named)

    async def _load(self, subjects: Iterable[Subject]) -> None:
        missing = [subject for subject in subjects if subject not in self._states]
        if not missing:
            return
        loaded = await self._store.load(self._logic.kinds, missing)
        self._states.update(loaded)
        waiting = [subject for subject, stored in loaded.items() if stored.parked]
        if waiting:
            self._parked.update(await self._store.load_parked(waiting))

    async def _load_named(self, message: Message) -> None:
        view = _View(self._states)
        while True:
            missing = [subject for subject in self._names(message, view) if subject not in self._states]
            if not missing:
                return
            await self._load(missing)

    def _names(self, message: Message, view: _View) -> Iterable[Subject]:
        if isinstance(message, Due):
            yield message.subject
        yield from self._logic.names(message, view)

    # --- one message ------------------------------------------------------------------------------------------------

    async def take(self, item: Work) -> Outcome:
        if isinstance(item, Fetched):
            return await self._take_record(item)
        if isinstance(item, Command):
            return await self._take_command(item)
        try:
            await self._decide(item, item.subject, f"due {item.subject.kind}", None)
        except Exception as error:  # noqa: BLE001 - a rule that fails on one message must not hinder the others
            return Outcome(Result.FAILED, error=error)
        return Outcome(Result.APPLIED)

    async def _take_command(self, command: Command) -> Outcome:
        name = type(command.data).__name__
        digest = hashlib.sha256(name.encode() + b"\0" + command.data.model_dump_json().encode()).hexdigest()
        answered = self._answers.get(command.key)
        if answered is not None:
            if answered[0] != digest:
                return Outcome(Result.REFUSED, error=Refused("idempotency-key-reused", 422))
            return Outcome(Result.REPEATED, answer=answered[1])
        try:
            answer = await self._decide(command, None, name, command.traceparent)
        except Refused as refused:
            return Outcome(Result.REFUSED, error=refused)
        except Permanent as permanent:
            return Outcome(Result.FAILED, error=permanent)
        except Exception as error:  # noqa: BLE001 - a rule that fails on one message must not hinder the others
            return Outcome(Result.FAILED, error=error)
        body = answer.model_dump_json().encode() if answer is not None else b"{}"
        if command.key:
            self._answers[command.key] = (digest, body)
            self._new_answers.append(Answer(command.key, digest, body))
        return Outcome(Result.APPLIED, answer=body)

    async def _take_record(self, fetched: Fetched) -> Outcome:
        envelope = fetched.envelope
        if envelope is None:
            return self._die(fetched, fetched.failure or Permanent("unreadable"))
        if envelope.subject.kind not in self._logic.kinds:
            return self._die(fetched, fetched.failure) if fetched.failure else self._resolved(fetched, Result.SKIPPED)
        if envelope.subject not in self._states:
            await self._load([envelope.subject])
        stored = self._states[envelope.subject]
        last = stored.applied.get(envelope.source, 0)
        if envelope.sequence <= last:
            return self._resolved(fetched, Result.REPEATED)
        if envelope.sequence > last + 1:
            self._park(stored, envelope, fetched)
            return self._resolved(fetched, Result.PARKED)
        outcome = await self._apply(stored, envelope, fetched)
        if outcome.result is not Result.DEAD:
            await self._drain(envelope)
        return outcome

    async def _apply(self, stored: Stored, envelope: Envelope, fetched: Fetched) -> Outcome:
        """Apply the record that is next in its subject's sequence."""
        self._unpark(stored, envelope)
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
            except Exception as error:  # noqa: BLE001 - as above
                return self._die(fetched, Permanent("rule-failed", _place(error)))
        stored = self._states[envelope.subject]
        stored.applied = {**stored.applied, envelope.source: envelope.sequence}
        stored.changed = True
        return self._resolved(fetched, Result.APPLIED if message is not None else Result.SKIPPED)

    async def _drain(self, envelope: Envelope) -> None:
        """Apply what was parked behind this record, as far as it goes without a gap."""
        subject, source, number = envelope.subject, envelope.source, envelope.sequence + 1
        while number in self._states[subject].parked.get(source, ()):
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

    def _unpark(self, stored: Stored, envelope: Envelope) -> None:
        numbers = stored.parked.get(envelope.source, ())
        if envelope.sequence not in numbers:
            return
        stored.parked = {
            **stored.parked,
            envelope.source: [number for number in numbers if number != envelope.sequence],
        }
        stored.changed = True
        id = parked_id(envelope.subject, envelope.source, envelope.sequence)
        if self._newly_parked.pop(id, None) is None:
            self._unparked.append(id)

    def _die(self, fetched: Fetched, failure: Permanent) -> Outcome:
        # A replay that fails again leaves the dead letter as it lies: the operator is told why and may correct it further.
        if fetched.resolution is None:
            self._dead.append(DeadLetter(fetched.raw, failure.reason, failure.detail, fetched.envelope))
        return Outcome(Result.DEAD, error=failure)

    def _resolved(self, fetched: Fetched, result: Result) -> Outcome:
        if fetched.resolution is not None:
            self._writes.append(fetched.resolution.write())
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
            primary = next(iter(self._names(message, view)), None)
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
        self._states.update(evolved)
        self._events += events
        self._effects += decision.effects

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
        return Outgoing(envelope, fact.model_dump_json().encode())

    # --- what is to be written --------------------------------------------------------------------------------------

    def unit(self) -> Unit:
        forgotten = [effect.subject for effect in self._effects if isinstance(effect, Forget)]
        effects = [effect for effect in self._effects if not isinstance(effect, Forget)]
        return Unit(
            states=[stored for stored in self._states.values() if stored.changed],
            events=self._events,
            dead=self._dead,
            parked=list(self._newly_parked.values()),
            unparked=self._unparked,
            answers=self._new_answers,
            writes=[*self._writes, *self._logic.writes(self._store.county, effects)],
            forgotten=forgotten,
        )

    def end_spans(self, *, undone: bool = False) -> None:
        for span, outcome in self._spans:
            span.end("undone" if undone else outcome)


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


def _received(fetched: Fetched) -> Received | None:
    if fetched.envelope is None or fetched.data is None:
        return None
    return Received(fetched.envelope, fetched.data)


def _place(error: Exception) -> str:
    """Type and place of an unexpected error; its text stays out, since it may quote a person's data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.name}:{frame.lineno}"
