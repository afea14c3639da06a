"""One try at a slice: load what it names, decide each message in its turn, and say what is to be written.

`decide` runs here, outside of any transaction, and may run again for the same message in a later try.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel
from pymongo.errors import PyMongoError

from schemas.envelope import Envelope, TypeName
from services.runtime.changes import Changes, rule_failed
from services.runtime.deciding import Command, Due, Logic, Message, Received, S, Subject
from services.runtime.errors import Conflict, Permanent, Refused, Transient
from services.runtime.outcomes import Outcome, Result, Work
from services.runtime.reading import Fetched, Reader
from services.runtime.recent import Recent
from services.runtime.records import Answer, DeadLetter, NewerShape, Stored, parked_id
from services.runtime.store import CountyStore, Unit

_NOT_THE_RULES: Final = (Transient, Conflict, NewerShape, PyMongoError)
"""What loading a state may raise while a message is decided. It says nothing about the message."""


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


@dataclass(frozen=True, slots=True)
class Means:
    """What every try of one service works with."""

    logic: Logic
    reader: Reader
    tracer: Tracer
    recent: Recent


class Attempt:
    """One try at a slice: loaded states, and what is to be written. Thrown away on a conflict.

    `drain`: also apply what is parked behind a record.
    """

    def __init__(self, means: Means, store: CountyStore, now: datetime, *, drain: bool) -> None:
        self._means = means
        self._logic = means.logic
        self._store = store
        self._now = now
        self._drains = drain
        self.loading = 0.0
        self._changes = Changes(means.logic, store.county, now)
        self._states = self._changes.states
        self._assumed: set[Subject] = set()
        self._answers: dict[str, tuple[str, bytes]] = {}
        self._settled_letters: frozenset[str] = frozenset()
        self._spans: list[tuple[MessageSpan, str]] = []

    # --- loading ----------------------------------------------------------------------------------------------------

    async def load(self, part: Sequence[Work]) -> None:
        """Load together what the slice names, and what it names when that is loaded; what only shows while deciding is loaded then."""
        own: dict[Subject, None] = {}
        named: dict[Subject, None] = {}
        keys: list[str] = []
        letters: list[str] = []
        messages: list[Message] = []
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
                messages.append(message)
                about, subjects = self._about(message), self._foreseen(message)
                if isinstance(message, Command) and about is not None and about in subjects:
                    own[about] = None
                named.update(dict.fromkeys(subject for subject in subjects if subject != about))
        for subject in own:
            stored = self._means.recent.find(self._store.county, subject) if subject not in named else None
            if stored is not None:
                self._states[subject] = stored
                self._assumed.add(subject)
        with self._timed():
            if keys:
                self._answers = await self._store.load_answers(keys)
            if letters:
                self._settled_letters = await self._store.settled_dead_letters(letters)
        await self._load({**own, **named})
        await self._load(dict.fromkeys(subject for message in messages for subject in self._foreseen(message)))

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
                self._changes.parked.update(await self._store.load_parked(waiting))

    async def _load_named(self, message: Message, about: Subject | None) -> None:
        while missing := [subject for subject in self._names(message) if self._is_missing(subject, about)]:
            await self._load(missing)

    def _is_missing(self, subject: Subject, about: Subject | None) -> bool:
        """Not loaded, or only assumed and about to be read by a message that need not write it."""
        return subject not in self._states or (subject != about and self._forsake(subject))

    def _about(self, message: Message) -> Subject | None:
        """The subject that the message is about: the one that it comes with, or the first that it names."""
        if isinstance(message, Received):
            return message.envelope.subject
        try:
            return next(iter(self._names(message)), None)
        except Exception:  # noqa: BLE001 - it fails again in the message's own turn
            return None

    def _forsake(self, subject: Subject | None) -> bool:
        """Forget a state that was taken over from an earlier commit, unless this slice writes it: then its version guards it."""
        if subject is None or subject not in self._assumed or self._states[subject].changed:
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
            await self._decide(item, f"due {item.subject.kind}", None)
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
            answer = await self._decide(command, name, command.traceparent)
        except Refused as refused:
            return Outcome(Result.REFUSED, error=refused)
        except _NOT_THE_RULES:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return Outcome(Result.FAILED, error=error)
        body = answer.model_dump_json().encode() if answer is not None else b"{}"
        if command.key:
            self._answers[key] = (digest, body)
            self._changes.answers.append(Answer(key, digest, body))
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
            self._changes.park(envelope, fetched.raw)
            return self._resolved(fetched, Result.PARKED)
        outcome = await self._apply(envelope, fetched)
        if outcome.result is not Result.DEAD:
            await self._drain(envelope)
        elif self._forsake(envelope.subject):
            self._changes.dead.pop()
            return await self._take_record(fetched)
        return outcome

    async def _apply(self, envelope: Envelope, fetched: Fetched) -> Outcome:
        """Apply the record that is next in its subject's sequence."""
        self._changes.unpark(envelope)
        if fetched.failure is not None:
            return self._die(fetched, fetched.failure)
        message = _received(fetched)
        if message is not None:
            try:
                await self._decide(message, TypeName.parse(envelope.type).name, envelope.traceparent, envelope)
            except Permanent as failure:
                return self._die(fetched, failure)
            except Refused as refused:
                return self._die(fetched, Permanent("refused", refused.code))
            except _NOT_THE_RULES:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                return self._die(fetched, rule_failed(error))
        self._changes.count(envelope)
        return self._resolved(fetched, Result.APPLIED if message is not None else Result.SKIPPED)

    async def _drain(self, envelope: Envelope) -> None:
        """Apply what was parked behind this record, as far as it goes without a gap."""
        subject, source, number = envelope.subject, envelope.source, envelope.sequence + 1
        while self._drains and number in self._states[subject].parked.get(source, ()):
            raw = self._changes.parked.get(parked_id(subject, source, number))
            if raw is None:
                return
            fetched = self._means.reader.read(raw)
            if fetched.envelope is None:
                return
            outcome = await self._apply(fetched.envelope, fetched)
            if outcome.result is Result.DEAD:
                return
            number += 1

    def _die(self, fetched: Fetched, failure: Permanent) -> Outcome:
        if fetched.raw.digest in self._settled_letters:
            # It lies in nobody's sequence, so only the dead letter itself knows that an operator is done with it.
            return Outcome(Result.SKIPPED)
        # A replay that fails again leaves the dead letter as it lies: the operator is told why and may correct it further.
        if fetched.resolution is None:
            self._changes.dead.append(DeadLetter(fetched.raw, failure.reason, failure.detail, fetched.envelope))
        return Outcome(Result.DEAD, error=failure)

    def _resolved(self, fetched: Fetched, result: Result) -> Outcome:
        if fetched.resolution is not None:
            self._changes.resolutions.append(fetched.resolution)
        return Outcome(result)

    # --- deciding ---------------------------------------------------------------------------------------------------

    async def _decide(
        self,
        message: Message,
        name: str,
        traceparent: str | None,
        envelope: Envelope | None = None,
    ) -> BaseModel | None:
        about = self._about(message)
        await self._load_named(message, about)
        link = None
        if envelope is None and about is not None and self._states[about].trace is not None:
            # What a clerk or a deadline does to a subject belongs to that subject's way; the request is only linked.
            traceparent, link = self._states[about].trace, traceparent
        span = self._means.tracer.message_span(
            name,
            traceparent,
            subject=str(about) if about else "",
            county=self._store.county,
            type=envelope.type if envelope else name,
            sequence=envelope.sequence if envelope else 0,
            link=link,
        )
        try:
            decision = self._logic.decide(message, _View(self._states), self._now)
            if not isinstance(message, Command) or about in decision.written or not self._forsake(about):
                self._changes.accept(decision, about, span.traceparent)
                self._spans.append((span, "applied"))
                return decision.answer
        except Exception as error:
            if not isinstance(message, Command) or not self._forsake(about):
                self._spans.append((span, "refused" if isinstance(error, Refused) else "failed"))
                raise
        # What was only assumed about a state is no ground for an answer without a write that would guard it. (A span that is never ended
        # is never told of.)
        return await self._decide(message, name, traceparent)

    # --- the end ----------------------------------------------------------------------------------------------------

    def unit(self) -> Unit:
        """Raises `Permanent` when the service's own writes cannot be made from the effects."""
        return self._changes.unit()

    def end_spans(self) -> None:
        for span, outcome in self._spans:
            span.end(outcome)

    def undo(self) -> None:
        """It came to nothing; whatever it rested on is loaded the next time."""
        self._means.recent.drop(self._store.county, self._states)
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


def _received(fetched: Fetched) -> Received | None:
    if fetched.envelope is None or fetched.data is None:
        return None
    return Received(fetched.envelope, fetched.data)
