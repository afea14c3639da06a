"""Serves an application over HTTP until told to stop, then finishes what it has begun.

There is no access log: paths and queries may hold search words. Requests are seen in traces and metrics, by route.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Coroutine, Generator
from typing import Any, Final, TypeVar

import uvicorn
import uvloop
from fastapi import FastAPI

from services.runtime.security import assert_routes_guarded

GRACE_SECONDS: Final = 20.0

T = TypeVar("T")


class Listener:
    """A port that is ours. Bound at once, so that its number is known before anything else starts; served by `serve`."""

    def __init__(self, host: str, port: int) -> None:
        """`port` 0 takes a free one. Raises OSError when the port is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.port: int = self.socket.getsockname()[1]


async def serve(app: FastAPI, listener: Listener, stop: asyncio.Event, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Serve until `stop`. Running requests are finished within `grace_seconds`; no new ones are taken."""
    assert_routes_guarded(app)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=round(grace_seconds),
    )
    server = _Server(config)

    async def watch() -> None:
        await stop.wait()
        server.should_exit = True

    watching = asyncio.create_task(watch())
    try:
        await server.serve(sockets=[listener.socket])
    finally:
        watching.cancel()
        listener.socket.close()


class _Server(uvicorn.Server):
    """uvicorn, without taking over the process's signals: the process decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a process's main coroutine on the fast event loop (uvloop)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
