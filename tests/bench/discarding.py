"""A collector that takes every batch of spans and discards it, in a process of its own.

    async with discarding() as address: …

What it costs is a collector's and not the services', so that its CPU is not counted.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
_LENGTH: Final = b"content-length:"


@asynccontextmanager
async def discarding() -> AsyncIterator[str]:
    """Its base URL, while it runs."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.discarding", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the collector has no pipes")
    try:
        port = int(await child.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stdin.close()
        await child.wait()


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(_LENGTH)]
            await reader.readexactly(int(lengths[0].removeprefix(_LENGTH)) if lengths else 0)
            writer.write(_ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # whoever sent has gone
    finally:
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_take, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)  # ends with whoever started it


if __name__ == "__main__":
    asyncio.run(_main())
