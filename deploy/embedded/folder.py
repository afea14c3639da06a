"""The data folder of one copy of the system: everything that outlives a stop, and the proof that only one copy uses it.

::

    lock                held by the supervisor as long as it lives (the kernel lets go, however it ends)
    choices.json        what the folder was begun with: county, clock, seed; a later start goes on with the same
    ports.json          the ports of the last run, taken again when they are free
    processes.json      the processes of the last run, so that one that outlived its supervisor is found and ended
    running.json        addresses of the running copy, for the command line; absent when nothing runs
    secrets/            keys that were made here; readable by the owner alone
    database/  log/  traces/
    operations/         what the console keeps, where it runs
    kafka/              the log, where the broker is Apache Kafka
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from deploy.refusals import CannotDo

PERSON_KEY_BYTES: Final = 32
BROKERS: Final = ("embedded", "kafka")
NODES: Final = (1, 3)
"""How many a broker may have. The embedded one is one."""


class FolderInUse(CannotDo):
    """Another running copy holds the folder."""


class OtherChoices(CannotDo):
    """The folder was begun with other choices than the ones asked for now."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What one folder's data is about. None: not said; the stored choice holds, or the default where there is none.

    `clock` is ``real`` or ``virtual``; `clock_start` (ISO 8601) is the first instant of a virtual clock that was never moved. `broker` is
    ``embedded`` or ``kafka``, of `nodes` nodes: what one has told of is not in the log of another.
    """

    counties: tuple[str, ...] | None = None
    clock: str | None = None
    clock_start: str | None = None
    ids_seed: str | None = None
    broker: str | None = None
    nodes: int | None = None

    def merged(self, stored: Self) -> Self:
        """These choices with the stored ones where nothing was said. Raises `OtherChoices` where both differ."""
        for choice in fields(self):
            said, kept = getattr(self, choice.name), getattr(stored, choice.name)
            if said is not None and kept is not None and said != kept:
                raise OtherChoices(
                    f"The data here was begun with {choice.name.replace('_', ' ')} {_words(kept)}, "
                    f"and cannot go on with {_words(said)}. Take another folder, or remove this one (make clean)."
                )
        return type(self)(**{choice.name: _first(self, stored, choice.name) for choice in fields(self)})


@dataclass(frozen=True, slots=True)
class RunningCopy:
    """Where a running copy is reached, as `running.json` says it."""

    pid: int
    broker: str
    database: str
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    console: str | None = None


class DataFolder:
    """One folder, open for one supervisor: ``with DataFolder(path) as folder``. Raises `FolderInUse`."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path.resolve()
        self.database: Final = self.path / "database"
        self.kafka: Final = self.path / "kafka"
        self.logs: Final = self.path / "log"
        self.traces: Final = self.path / "traces"
        self.operations: Final = self.path / "operations"
        self.secrets: Final = self.path / "secrets"
        self.issuer_key_file: Final = self.secrets / "issuer-key.json"
        self._lock: int | None = None

    def __enter__(self) -> Self:
        for folder in (self.path, self.logs, self.traces):
            folder.mkdir(parents=True, exist_ok=True)
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            running = read_running(self.path)
            who = f" (process {running.pid})" if running else ""
            raise FolderInUse(
                f"The system is already running{who} with the data in {self.path.name}/. "
                "Stop it first, or give this copy a folder of its own."
            ) from None
        self._lock = lock
        self._end_left_behind()
        (self.path / "running.json").unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            (self.path / "running.json").unlink(missing_ok=True)
            (self.path / "processes.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def choose(self, asked: Choices, default: Choices) -> Choices:
        """The choices that hold from now on: asked, else stored, else default. Raises `OtherChoices`."""
        chosen = asked.merged(read_choices(self.path))
        chosen = Choices(**{choice.name: _first(chosen, default, choice.name) for choice in fields(chosen)})
        _write(self.path / "choices.json", asdict(chosen))
        return chosen

    def person_key(self) -> Path:
        """The folder from which a service reads the master key for personal data; the key is made at the first start."""
        folder = self.secrets / "person"
        folder.mkdir(mode=0o700, exist_ok=True)
        key = folder / "wegenetz_person_key"
        if not key.exists():
            _write_secret(key, base64.b64encode(secrets.token_bytes(PERSON_KEY_BYTES)).decode())
        return folder

    def last_ports(self) -> dict[str, int]:
        return _read(self.path / "ports.json", {})

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        _write(self.path / "ports.json", dict(ports))

    def record_processes(self, pids: Mapping[str, int]) -> None:
        """Called after each start of a process."""
        _write(self.path / "processes.json", {name: [pid, _birth(pid)] for name, pid in pids.items()})

    def announce(self, copy: RunningCopy) -> None:
        _write(self.path / "running.json", asdict(copy))

    def _end_left_behind(self) -> None:
        """End processes of an earlier run that outlived it. A number that now belongs to another process is left alone."""
        for pid, birth in _read(self.path / "processes.json", {}).values():
            if birth and _birth(pid) == birth:
                os.kill(pid, signal.SIGKILL)
        (self.path / "processes.json").unlink(missing_ok=True)


def read_running(path: Path) -> RunningCopy | None:
    """The copy that runs with this folder, or None. A file that a killed supervisor left behind does not count."""
    content = _read(path / "running.json", {})
    if not content or not _is_locked(path / "lock"):
        return None
    return RunningCopy(**content)


def read_choices(path: Path) -> Choices:
    """What the folder was begun with; nothing chosen if there is no such folder."""
    return Choices(**{name: _hashable(value) for name, value in _read(path / "choices.json", {}).items()})


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _birth(pid: int) -> str:
    """What tells this process from a later one with the same number; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        started = stat.rpartition(")")[2].split()[19]  # field 22: ticks since the machine's start
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='utf-8').strip()} {started}"
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return listed.stdout.strip()


def _first(said: Choices, otherwise: Choices, name: str) -> Any:
    value = getattr(said, name)
    return getattr(otherwise, name) if value is None else value


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _read(path: Path, absent: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return absent


def _write(path: Path, content: object) -> None:
    """Whole or not at all: a reader never sees half a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def _write_secret(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        opened.write(content)
    draft.replace(path)
