"""Services that answer by script, behind a real socket: what the simulation's client has to live with, on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Scripted:
    """An answer. `cut` ends the connection in the middle of it, `last` after it."""

    body: Any = None
    status: int = 200
    cut: bool = False
    last: bool = False


Script = Callable[[Request], Scripted]


class ScriptedService:
    """Asks its script for each request, and remembers all of them."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """On the same port as before, if it was started before."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.close()
        if self._talks:
            await asyncio.wait(self._talks)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            self._talks.discard(talk)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append(Request(method, path, headers, body))
        scripted = self.script(self.requests[-1])
        kind = "application/problem+json" if scripted.status >= 400 else "application/json"
        content = json.dumps(scripted.body).encode()
        lines = [f"HTTP/1.1 {scripted.status} Answer", f"content-type: {kind}", f"content-length: {len(content)}"]
        lines += ["connection: close"] if scripted.last else []
        answer = "\r\n".join((*lines, "", "")).encode() + content
        writer.write(answer[:-1] if scripted.cut else answer)
        await writer.drain()
        return not (scripted.cut or scripted.last)


AT_REST: Final[dict[str, Any]] = {
    "now": "2016-01-04T08:00:00.000Z",
    "done_to": "2016-01-04T08:00:00.000Z",
    "unpublished": 0,
    "unfinished_commands": 0,
    "published": {},
    "settled": {},
}
"""What a service says that has nothing to do."""
