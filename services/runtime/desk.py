"""Commands over HTTP take the same path as records: a batch, a transaction.

What arrives while a transaction is running is settled together in the next one (group commit), so that many people working at once cost
few round trips, and two of them at the same subject never conflict inside one process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from services.runtime.deciding import Command
from services.runtime.errors import Transient
from services.runtime.logs import current_traceparent
from services.runtime.settle import Outcome, Result, Settler
from services.runtime.store import Database
from services.runtime.waiting import set_within


class CommandFailed(Exception):
    """A rule failed on a command in a way nobody foresaw. The cause is logged by type and place; nothing was written."""

    def __init__(self, cause: Exception | None) -> None:
        super().__init__(type(cause).__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer as JSON; `repeated` when the command had been answered before."""

    body: bytes
    repeated: bool


@dataclass(slots=True)
class _Waiting:
    command: Command
    outcome: asyncio.Future[Outcome]


class Desk:
    """Takes commands of all counties; settles those of one county at a time, at most `largest` together."""

    def __init__(self, settler: Settler, database: Database, largest: int = 200) -> None:
        self._settler = settler
        self._database = database
        self._largest = largest
        self._queues: dict[str, deque[_Waiting]] = {}
        self._arrived = asyncio.Event()
        self._closed = False
        self.unfinished = 0

    async def send(self, command: Command) -> Reply:
        """Settle one command, in the trace of the request that it comes from.

        Raises `Refused`, `Transient` (send it again with the same key), `CommandFailed`.
        """
        (outcome,) = await self._send([replace(command, traceparent=command.traceparent or current_traceparent.get())])
        if outcome.result in (Result.APPLIED, Result.REPEATED) and outcome.answer is not None:
            return Reply(outcome.answer, outcome.result is Result.REPEATED)
        if outcome.result is Result.REFUSED and outcome.error is not None:
            raise outcome.error
        raise CommandFailed(outcome.error) from outcome.error

    async def send_all(self, commands: Sequence[Command]) -> list[Outcome]:
        """Settle commands in this order; each has its own outcome. Raises `Transient`; what was settled by then stays so.

        Each goes its own way, in a trace of its own, that only links the request: what came in one file is not one person's.
        """
        request = current_traceparent.get()
        return await self._send([replace(command, link=request) for command in commands] if request else commands)

    async def _send(self, commands: Sequence[Command]) -> list[Outcome]:
        if self._closed:
            raise Transient("service", "is stopping")
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(command, loop.create_future()) for command in commands]
        for entry in waiting:
            self._queues.setdefault(entry.command.county, deque()).append(entry)
        self.unfinished += len(waiting)
        self._arrived.set()
        try:
            outcomes = await asyncio.gather(*(entry.outcome for entry in waiting), return_exceptions=True)
        finally:
            self.unfinished -= len(waiting)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]

    async def run(self, stop: asyncio.Event) -> None:
        """Settle what comes, until `stop` and nothing is left. What comes afterwards is turned away, to be sent again elsewhere."""
        while True:
            self._arrived.clear()
            busy = [county for county, queue in self._queues.items() if queue]
            for county in busy:
                await self._settle(county)
            if busy:
                continue
            if stop.is_set():
                self._closed = True
                return
            await set_within(self._arrived, 0.25)

    async def _settle(self, county: str) -> None:
        queue = self._queues[county]
        group = [entry for entry in islice(queue, self._largest) if not entry.outcome.cancelled()]
        for _ in range(min(len(queue), self._largest)):
            queue.popleft()
        if not group:
            return
        try:
            outcomes = await self._settler.settle(self._database.county(county), [entry.command for entry in group])
        except Transient as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, and the desk goes on
            failed = CommandFailed(error)
            failed.__cause__ = error
            _fail(group, failed)
        else:
            for entry, outcome in zip(group, outcomes, strict=True):
                if not entry.outcome.done():
                    entry.outcome.set_result(outcome)


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for entry in group:
        if not entry.outcome.done():
            entry.outcome.set_exception(error)
