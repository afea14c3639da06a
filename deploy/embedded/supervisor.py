"""Keeps the programs of one copy running, and knows what each one's end means for the others.

* A broker that forgets its log when it ends begins everything anew: the services end with it and start after it.
* A broker that keeps its log, of one node or several, is like the database: each node is started again alone.
* The database keeps what it acknowledged: it is started again alone, and the services wait for it.
* A service is started again alone.

What ends is started again after a pause that grows up to `LONGEST_PAUSE` while it keeps ending. What was never ready in
`ATTEMPTS` tries has a reason that no patience mends: that ends everything, and says why.

Stopping goes the other way round: services first, each with its time to finish, then the broker (all its nodes at once), then the database.
"""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from deploy.embedded.child import Child, Program, StartFailed
from deploy.refusals import CannotDo

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 10.0
STEADY_SECONDS: Final = 20.0
"""Who has run this long is well again: the next pause is the first one."""
ATTEMPTS: Final = 3
SECONDS_WITHOUT_BROKER: Final = 2.0
"""A service whose broker is gone can finish its requests, and nothing else: the next start sends its history again anyway."""
ASKED_EVERY: Final = 2.0
"""Seconds between two questions to a service how it is."""

_DEADLY: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


class State(StrEnum):
    """Where one program stands. `UNWELL`: it runs, and says itself that it cannot work just now."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNWELL = "unwell"
    ENDED = "ended"
    STOPPING = "stopping"
    STOPPED = "stopped"


Changed = Callable[[str, State], None]
_Life = Callable[[Child], Awaitable[None]]


class GaveUp(CannotDo):
    """A program was never ready. The text is that of its last `StartFailed`."""


class Supervisor:
    """Runs one broker, one database (or none) and any services.

    `broker` has a program for each node; one whose `log_is_kept` may have several. `prepare` is awaited before the services start: once
    where the log is kept, else after each start of the broker. It raises `StartFailed` to be asked again. `changed` hears of each change
    of a state, `spawned` of all process numbers after each start of one.
    """

    def __init__(
        self,
        broker: Sequence[Program],
        database: Program | None,
        services: Sequence[Program],
        *,
        folder: Path,
        logs: Path,
        log_is_kept: bool = False,
        prepare: Callable[[], Awaitable[None]],
        changed: Changed = lambda _name, _state: None,
        spawned: Callable[[Mapping[str, int]], None] = lambda _pids: None,
    ) -> None:
        self._broker = tuple(broker)
        self._log_is_kept = log_is_kept
        self._database = [database] if database else []
        self._services = tuple(services)
        self._folder = folder
        self._logs = logs
        self._prepare = prepare
        self._changed = changed
        self._spawned = spawned
        self.states: Final = {program.name: State.WAITING for program in (*broker, *self._database, *services)}
        self._ready = {name: asyncio.Event() for name in self.states}
        self._prepared = asyncio.Event()
        self._was_ready: set[str] = set()
        self._children: dict[str, Child] = {}
        self._doomed: set[Child] = set()
        self._keeping: list[list[asyncio.Task[None]]] = []
        """In groups, as they are stopped one after the other."""
        self._time_to_stop = math.inf

    async def start(self) -> None:
        """Returns when everything is ready. Raises `GaveUp`, with everything ended, when something cannot start."""
        life_of_node = self._life_of_engine if self._log_is_kept else self._life_of_broker
        self._keeping = [
            [asyncio.create_task(self._begin_services())] if self._log_is_kept else [],
            [asyncio.create_task(self._keep(node, life_of_node)) for node in self._broker],
            [asyncio.create_task(self._keep(database, self._life_of_engine)) for database in self._database],
        ]
        all_ready = asyncio.gather(self._prepared.wait(), *(event.wait() for event in self._ready.values()))
        failing = asyncio.create_task(self.run())
        try:
            await asyncio.wait([all_ready, failing], return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                failing.result()
        except BaseException:
            await self.stop()
            raise
        finally:
            all_ready.cancel()
            failing.cancel()

    async def run(self) -> None:
        """Never returns by itself. Raises `GaveUp` when something cannot be kept running."""
        every = [task for group in self._keeping for task in group]
        done, _ = await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Services, broker, database, in this order, each with its time to finish."""
        for group in self._keeping:
            for task in group:
                task.cancel()
            for task in group:
                with suppress(asyncio.CancelledError, GaveUp):
                    await task
        self._keeping = []

    def kill_all(self) -> None:
        """Everything at once: whoever is being stopped has no time left. Nothing that was acknowledged is lost."""
        for child in self._children.values():
            child.send(signal.SIGKILL)

    async def crash(self) -> None:
        """As when the machine loses its power: everything is killed, and nothing is started again."""
        for group in self._keeping:
            for task in group:
                task.cancel()
        self.kill_all()
        await self.stop()

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one program. If it is a deadly one, `until_ready` waits for its successor from now on."""
        if number in _DEADLY:
            ends = [name]
            if not self._log_is_kept and name == self._broker[0].name:
                ends += [service.name for service in self._services]
            for ending in ends:
                if ending in self._children:
                    self._doomed.add(self._children[ending])
                self._set(ending, State.ENDED)
        self._children[name].send(number)

    async def until_ready(self, name: str, seconds: float = 60.0) -> None:
        """Raises `StartFailed` when it takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready[name].wait()
        except TimeoutError:
            end = self._children[name].log_end() if name in self._children else ""
            raise StartFailed(f"{name} was not ready within {seconds:.0f} s.\n{end}") from None

    def pid(self, name: str) -> int:
        """The process that runs now, or ran last."""
        return self._children[name].pid

    # --- the life of each program ------------------------------------------------------------------------------------

    async def _keep(self, program: Program, life: _Life) -> None:
        """Start `program` again whenever its life is over, until cancelled."""
        try:
            pause, attempts = FIRST_PAUSE, 0
            while True:
                began = time.monotonic()
                try:
                    await self._live(program, life)
                except StartFailed as failure:
                    attempts += 1
                    if program.name not in self._was_ready and attempts == ATTEMPTS:
                        raise GaveUp(str(failure)) from failure
                if time.monotonic() - began > STEADY_SECONDS:
                    pause = FIRST_PAUSE
                self._set(program.name, State.ENDED)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._set(program.name, State.STOPPED)

    async def _live(self, program: Program, life: _Life) -> None:
        child = self._spawn(program)
        try:
            await child.until_ready()
            self._was_ready.add(program.name)
            self._set_of(child, State.READY)
            await life(child)
        finally:
            if child.exit_code is None:
                self._set(program.name, State.STOPPING)
                await child.stop(self._time_to_stop)
            self._doomed.discard(child)

    async def _life_of_engine(self, engine: Child) -> None:
        await engine.until_ended()

    async def _life_of_service(self, service: Child) -> None:
        ended = asyncio.create_task(service.until_ended())
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=ASKED_EVERY)
                if not ended.done():
                    self._set_of(service, State.READY if await _works(service.program) else State.UNWELL)
        finally:
            ended.cancel()

    async def _life_of_broker(self, broker: Child) -> None:
        ended = asyncio.create_task(broker.until_ended())
        services = asyncio.create_task(self._keep_services())
        try:
            await asyncio.wait([ended, services], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                services.result()  # raises what is wrong with one that cannot be kept running
            await ended
            self._time_to_stop = SECONDS_WITHOUT_BROKER
        finally:
            ended.cancel()
            services.cancel()
            await asyncio.gather(services, return_exceptions=True)
            self._time_to_stop = math.inf

    async def _begin_services(self) -> None:
        """Where the log is kept: once, and whatever becomes of the broker later, they wait for it by themselves."""
        for attempt in range(1, ATTEMPTS + 1):
            for node in self._broker:
                await self._ready[node.name].wait()
            try:
                await self._keep_services()
                await asyncio.Event().wait()  # there are none to keep
            except StartFailed as failure:
                if attempt == ATTEMPTS:
                    raise GaveUp(str(failure)) from failure
                await asyncio.sleep(FIRST_PAUSE)

    async def _keep_services(self) -> None:
        await self._prepare()
        self._prepared.set()
        try:
            async with asyncio.TaskGroup() as group:
                for program in self._services:
                    group.create_task(self._keep(program, self._life_of_service))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    def _spawn(self, program: Program) -> Child:
        self._set(program.name, State.STARTING)
        child = Child(program, self._folder, self._logs / f"{program.name}.log")
        self._children[program.name] = child
        self._spawned({name: running.pid for name, running in self._children.items() if running.exit_code is None})
        return child

    def _set_of(self, child: Child, state: State) -> None:
        """What a child says of itself counts no more once it has been told to end."""
        if child not in self._doomed and child.exit_code is None:
            self._set(child.program.name, state)

    def _set(self, name: str, state: State) -> None:
        if state is State.READY:
            self._ready[name].set()
        else:
            self._ready[name].clear()
        if self.states[name] is not state:
            self.states[name] = state
            self._changed(name, state)


async def _works(program: Program) -> bool:
    return await program.ready() and (program.well is None or await program.well())
