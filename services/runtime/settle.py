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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from services.runtime import contention
from services.runtime.attempt import Attempt, Means, Tracer
from services.runtime.clock import Clock
from services.runtime.contention import contended, insist, pause
from services.runtime.deciding import Command, Logic
from services.runtime.errors import Conflict, ForeignSubject, NameTaken, Permanent, Refused
from services.runtime.logs import log
from services.runtime.outcomes import Outcome, Result, Work, door_of
from services.runtime.reading import Fetched, Reader
from services.runtime.recent import Recent
from services.runtime.records import DeadLetter, letter_id, parked_id
from services.runtime.store import CountyStore, Unit


class Watcher(Protocol):
    """Is told what happened, for metrics. Called after the commit."""

    def settled(self, doors: Sequence[str], outcomes: Sequence[Outcome], seconds: Mapping[str, float]) -> None:
        """`seconds` of a slice by step: load (waiting for the database), decide, write, and the whole."""
        ...

    def elapsed(self, times: Sequence[tuple[str, timedelta]]) -> None:
        """Business times that the service declares, by name."""
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
                elif conflicts > contention.PATIENCE:
                    raise contended() from conflict
                await pause(conflicts)
            except Permanent:
                # The database will not take what a message asks to be written: find that message, and only that one.
                size = max(1, len(part) // 2)
                if len(part) == 1:
                    outcomes.append(await self._alone(store, part[0]))
        return outcomes

    async def _alone(self, store: CountyStore, item: Work) -> Outcome:
        """Settle one message in steps: first without what is parked behind it, then that, one record after the other."""
        outcome = last = await self._step(store, item)
        following = item.envelope if isinstance(item, Fetched) else None
        while following is not None and last.result is not Result.DEAD:
            waiting = await store.load_parked([following.subject])
            raw = waiting.get(parked_id(following.subject, following.source, following.sequence + 1))
            if raw is None:
                return outcome
            fetched = self.reader.read(raw)
            last, following = await self._step(store, fetched), fetched.envelope
        return replace(outcome, dead=last.dead)

    async def _step(self, store: CountyStore, item: Work) -> Outcome:
        """Settle one message and nothing that waits for it. If it cannot be written, that is its outcome."""
        for conflicts in range(contention.PATIENCE + 1):
            try:
                (outcome,) = await self._once(store, [item], drain=False)
            except Permanent as unwritable:
                return await self._bury(store, item, unwritable)
            except NameTaken as taken:
                self.watcher.conflict(1)
                if conflicts == contention.PATIENCE:
                    # Asked for again and again by a rule that does not see that the name is taken.
                    return await self._bury(store, item, Permanent("name-taken", str(taken)))
            except Conflict:
                self.watcher.conflict(1)
            else:
                return outcome
            await pause(conflicts)
        raise contended()

    async def _once(self, store: CountyStore, part: Sequence[Work], *, drain: bool = True) -> list[Outcome]:
        clock = asyncio.get_running_loop().time
        started = clock()
        means = Means(self.logic, self.reader, self.tracer, self.recent)
        attempt = Attempt(means, store, self.clock.now(), drain=drain)
        try:
            await attempt.loaded.load(part)
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
            "load": attempt.loaded.seconds,
            "decide": decided - started - attempt.loaded.seconds,
            "write": ended - decided,
            "whole": ended - started,
        }
        self.watcher.settled([door_of(item) for item in part], outcomes, seconds)
        self.watcher.elapsed(attempt.elapsed)
        for item, outcome in zip(part, outcomes, strict=True):
            _tell(item, outcome)
        _tell_dead(unit.dead)
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
        if not isinstance(item, Fetched):
            outcome = Outcome(Result.FAILED, error=failure)
        elif item.resolution is not None:
            outcome = Outcome(Result.DEAD, error=failure)
        else:
            outcome = Outcome(Result.DEAD, error=failure, dead=1)
            unit = Unit(dead=[DeadLetter(item.raw, failure.reason, failure.detail, item.envelope)])
            if item.envelope is not None:
                unit.unparked = [parked_id(item.envelope.subject, item.envelope.source, item.envelope.sequence)]
            await insist(partial(store.commit, unit))
            _tell_dead(unit.dead)
        _tell(item, outcome)
        return outcome


async def _is_given_up(store: CountyStore, fetched: Fetched) -> bool:
    """Whether an operator has discarded this record, or does so now: its subject has no sequence here in which its number could count."""
    if fetched.resolution is None:
        return bool(await store.settled_dead_letters([letter_id(store.county, fetched.raw)]))
    if fetched.data is not None or fetched.failure is not None:
        return False
    await insist(partial(store.commit, Unit(resolutions=[fetched.resolution])))
    return True


def _tell(item: Work, outcome: Outcome) -> None:
    """What somebody must look at is logged, whoever is answered."""
    if outcome.result is Result.FAILED:
        log.error(
            "settle.failed",
            exception=outcome.error,
            traceparent=(item.traceparent or item.link) if isinstance(item, Command) else None,
            type=type(item.data if isinstance(item, Command) else item).__name__,
        )


def _tell_dead(letters: Sequence[DeadLetter]) -> None:
    """Also of a record that had waited for another, which alone came in now; but not of what is forgotten already."""
    for dead in letters:
        if not dead.erased:
            log.warning(
                "record.dead",
                traceparent=dead.envelope.traceparent if dead.envelope else None,
                reason=dead.reason,
                topic=dead.raw.topic,
                partition=dead.raw.partition,
                offset=dead.raw.offset,
            )


__all__ = ["Outcome", "Result", "Settler", "Watcher", "Work"]
