"""One try at a slice: decide each message in its turn upon what is loaded (`loading.py`), and say what is to be written (`changes.py`).

`decide` runs here, outside of any transaction, and may run again for the same message in a later try.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import BaseModel

from schemas.envelope import Envelope, TypeName
from services.runtime.changes import Changes, rule_failed
from services.runtime.deciding import Command, Due, Logic, Message
from services.runtime.errors import Permanent, Refused
from services.runtime.loading import NOT_THE_RULES, Loaded, answer_key, received
from services.runtime.outcomes import Outcome, Result, Work
from services.runtime.reading import Fetched, Reader
from services.runtime.recent import Recent
from services.runtime.records import Answer, DeadLetter, letter_id, parked_id
from services.runtime.store import CountyStore, Unit


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
        referral: str = "",
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
        self.loaded = Loaded(means.logic, means.recent, store)
        self._changes = Changes(means.logic, store.county, now, self.loaded.states, self.loaded.parked)
        self._spans: list[tuple[MessageSpan, str]] = []

    # --- one message ------------------------------------------------------------------------------------------------

    async def take(self, item: Work) -> Outcome:
        if isinstance(item, Fetched):
            return await self._take_record(item)
        if isinstance(item, Command):
            return await self._take_command(item)
        try:
            await self._decide(item, f"due {item.subject.kind}", None)
        except NOT_THE_RULES:
            raise
        except Exception as error:  # noqa: BLE001 - a rule that fails on one message must not hinder the others
            return Outcome(Result.FAILED, error=error)
        return Outcome(Result.APPLIED)

    async def _take_command(self, command: Command) -> Outcome:
        name = type(command.data).__name__
        asked, digest, answered = ("", command.place), "", None
        if command.key:
            asked = (answer_key(command), command.place)
            digest = hashlib.sha256(name.encode() + b"\0" + command.data.model_dump_json().encode()).hexdigest()
            answered = self.loaded.answers.get(asked)
        if answered is not None:
            if answered[0] != digest:
                return Outcome(Result.REFUSED, error=Refused("idempotency-key-reused", 422))
            return Outcome(Result.REPEATED, answer=answered[1])
        try:
            answer = await self._decide(command, name, command.traceparent)
        except Refused as refused:
            return Outcome(Result.REFUSED, error=refused)
        except NOT_THE_RULES:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return Outcome(Result.FAILED, error=error)
        body = answer.model_dump_json().encode() if answer is not None else b"{}"
        if command.key:
            self.loaded.answers[asked] = (digest, body)
            self._changes.answers.append(Answer(*asked, digest, body))
        return Outcome(Result.APPLIED, answer=body)

    async def _take_record(self, fetched: Fetched) -> Outcome:
        envelope = fetched.envelope
        if envelope is None or envelope.subject.kind not in self._logic.kinds:
            return self._die(fetched, fetched.failure) if fetched.failure else self._resolved(fetched, Result.SKIPPED)
        await self.loaded.subjects([envelope.subject])
        stored = self.loaded.states[envelope.subject]
        last = stored.applied.get(envelope.source, 0)
        if envelope.sequence <= last:
            if self.loaded.forsake(envelope.subject):
                return await self._take_record(fetched)
            return self._resolved(fetched, Result.REPEATED)
        if envelope.sequence > last + 1:
            if self._changes.park(envelope, fetched.raw):
                await self._heed(envelope, fetched)
            return self._resolved(fetched, Result.PARKED)
        outcome = await self._apply(envelope, fetched)
        if outcome.result is not Result.DEAD:
            outcome = replace(outcome, dead=await self._drain(envelope))
        elif self.loaded.forsake(envelope.subject):
            self._changes.dead.pop()
            return await self._take_record(fetched)
        return outcome

    async def _heed(self, envelope: Envelope, fetched: Fetched) -> None:
        """What has to wait for its turn takes effect all the same, if its rules say so. Its number does not count."""
        message = received(fetched)
        if message is None or fetched.failure is not None or type(message.data) not in self._logic.heeds:
            return
        try:
            await self._decide(message, TypeName.parse(envelope.type).name, envelope.traceparent, envelope)
        except NOT_THE_RULES:
            raise
        except Exception:  # noqa: BLE001 - what is wrong with it shows, and is told, when its turn has come
            return

    async def _apply(self, envelope: Envelope, fetched: Fetched) -> Outcome:
        """Apply the record that is next in its subject's sequence."""
        self._changes.unpark(envelope)
        if fetched.failure is not None:
            return self._die(fetched, fetched.failure)
        message = received(fetched)
        if message is not None:
            try:
                await self._decide(message, TypeName.parse(envelope.type).name, envelope.traceparent, envelope)
            except Permanent as failure:
                return self._die(fetched, failure)
            except Refused as refused:
                return self._die(fetched, Permanent("refused", refused.code))
            except NOT_THE_RULES:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                return self._die(fetched, rule_failed(error))
        self._changes.count(envelope)
        return self._resolved(fetched, Result.APPLIED if message is not None else Result.SKIPPED)

    async def _drain(self, envelope: Envelope) -> int:
        """Apply what was parked behind this record, as far as it goes without a gap. Returns how many dead letters that makes."""
        subject, source, number = envelope.subject, envelope.source, envelope.sequence + 1
        while self._drains and number in self.loaded.states[subject].parked.get(source, ()):
            raw = self._changes.parked.get(parked_id(subject, source, number))
            fetched = self._means.reader.read(raw) if raw is not None else None
            if fetched is None or fetched.envelope is None:
                break
            outcome = await self._apply(fetched.envelope, fetched)
            if outcome.result is Result.DEAD:
                return outcome.dead
            number += 1
        return 0

    def _die(self, fetched: Fetched, failure: Permanent) -> Outcome:
        if letter_id(self._store.county, fetched.raw) in self.loaded.settled_letters:
            # It lies in nobody's sequence, so only the dead letter itself knows that an operator is done with it.
            return Outcome(Result.SKIPPED)
        # A replay that fails again leaves the dead letter as it lies: the operator is told why and may correct it further.
        if fetched.resolution is not None:
            return Outcome(Result.DEAD, error=failure)
        self._changes.dead.append(DeadLetter(fetched.raw, failure.reason, failure.detail, fetched.envelope))
        return Outcome(Result.DEAD, error=failure, dead=1)

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
        about = await self.loaded.named(message)
        came_from, link = traceparent, message.link if isinstance(message, Command) else None
        if envelope is None and about is not None and self.loaded.states[about].trace is not None:
            # What a clerk or a deadline does to a subject belongs to that subject's way; the request is only linked.
            came_from, link = self.loaded.states[about].trace, traceparent or link
        span = self._means.tracer.message_span(
            name,
            came_from,
            subject=str(about) if about else "",
            referral=_referral_of(message),
            county=self._store.county,
            type=envelope.type if envelope else name,
            sequence=envelope.sequence if envelope else 0,
            link=link,
        )
        try:
            decision = self._logic.decide(message, self.loaded.view, self._now)
            if not isinstance(message, Command) or about in decision.written or not self.loaded.forsake(about):
                self._changes.accept(decision, about, span.traceparent)
                self._spans.append((span, "applied"))
                return decision.answer
        except Exception as error:
            if not isinstance(message, Command) or not self.loaded.forsake(about):
                self._spans.append((span, "refused" if isinstance(error, Refused) else "failed"))
                raise
        # What was only assumed about a state is no ground for an answer without a write that would guard it. (A span that is never ended
        # is never told of.)
        return await self._decide(message, name, traceparent)

    # --- the end ----------------------------------------------------------------------------------------------------

    def unit(self) -> Unit:
        """Raises `Permanent` when the service's own writes cannot be made from the effects."""
        return self._changes.unit()

    @property
    def elapsed(self) -> Sequence[tuple[str, timedelta]]:
        """The business times that were measured, by name."""
        return self._changes.elapsed

    def end_spans(self) -> None:
        for span, outcome in self._spans:
            span.end(outcome)

    def undo(self) -> None:
        """It came to nothing; whatever it rested on is loaded the next time. (Its spans are never ended, so nothing is told of it.)"""
        self._means.recent.drop(self._store.county, self.loaded.states)


def _referral_of(message: Message) -> str:
    """The referral that it names, so that a way is found by it too: what is done to a referral is done to its case."""
    named: object = None if isinstance(message, Due) else getattr(message.data, "referral", None)
    return named if isinstance(named, str) else ""
