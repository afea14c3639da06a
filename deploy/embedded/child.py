"""One program running as our child process: started, watched, stopped, and never left behind.

* It runs in a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone, which then stops things in order.
* On Linux the kernel kills it when its parent ends, even by ``kill -9`` (`deploy.embedded.leash`).
* What it prints goes to a log file of its own.

Nothing here is bound to an event loop, so a child may be started in one and stopped in another.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_POLL_SECONDS: Final = 0.02
_LOG_KEPT_BYTES: Final = 8 * 1024 * 1024
_LEASH: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("leash.py")))

Probe = Callable[[], Awaitable[bool]]


class StartFailed(RuntimeError):
    """A program ended or stayed silent instead of becoming ready. The text says which, and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `ready` is asked until it says true; `ready_seconds` is how long that may take.

    `well` is asked of one that is ready: whether everything in it still works (None: being ready says so).
    `one_core`: its threads take turns anyway, and doing so across cores costs more than the turns themselves. Linux only.
    """

    name: str
    command: tuple[str, ...]
    ready: Probe
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    ready_seconds: float = 60.0
    stop_seconds: float = 10.0
    one_core: bool = False
    well: Probe | None = None


class Child:
    """A started `Program`."""

    def __init__(self, program: Program, folder: Path, log: Path) -> None:
        self.program: Final = program
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_KEPT_BYTES:
            log.replace(log.with_name(log.name + ".1"))
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                (*_LEASH, str(os.getpid()), *program.command),
                cwd=folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if program.one_core and sys.platform == "linux":
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(self.pid, {cores[self.pid % len(cores)]})
        self.started_at: Final = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number if a signal ended it."""
        return self._process.poll()

    async def until_ready(self) -> None:
        """Returns when the program answers. Raises `StartFailed` if it ends before that, or takes too long."""
        deadline = self.started_at + self.program.ready_seconds
        while True:
            answered = await self.program.ready()
            if self.exit_code is not None:
                raise StartFailed(f"{self.program.name} ended at once ({self._ending()}).\n{self.log_end()}")
            if answered:
                return
            if time.monotonic() > deadline:
                waited = f"{self.program.ready_seconds:.0f} s"
                raise StartFailed(f"{self.program.name} did not become ready within {waited}.\n{self.log_end()}")
            await asyncio.sleep(_POLL_SECONDS)

    async def until_ended(self) -> int:
        while (code := self.exit_code) is None:
            await asyncio.sleep(_POLL_SECONDS)
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the process has ended."""
        self._process.send_signal(number)

    async def stop(self, at_most_seconds: float = math.inf) -> None:
        """Ask it to end, and end it when its time is up: the program's own, or less."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        try:
            async with asyncio.timeout(min(self.program.stop_seconds, at_most_seconds)):
                await self.until_ended()
        except TimeoutError:
            await self.kill()
        except asyncio.CancelledError:
            self.send(signal.SIGKILL)
            raise

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.until_ended()

    def log_end(self, lines: int = 12) -> str:
        """The last lines that it printed, for a person who asks why it does not run."""
        try:
            tail = self._log.read_bytes()[-20_000:]
        except FileNotFoundError:
            return ""
        return "\n".join(tail.decode(errors="replace").splitlines()[-lines:])

    def _ending(self) -> str:
        code = self.exit_code
        if code is None or code >= 0:
            return f"exit code {code}"
        return signal.Signals(-code).name
