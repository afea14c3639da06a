"""What a request costs before a service does anything with it: CPU time of one, in one process without a socket.

    python -m tests.bench.doors

The choices in docs/decisions/fastapi.md and docs/decisions/joserfc.md rest on these figures. Each is the median of five runs.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.security import Actor, allow, verifier_of
from services.runtime.web import reply
from tests.runtime.small_app import COUNTY, SmallService

RUNS: Final = 5
TIMES: Final = 1000


class Item(BaseModel):
    id: str
    number: int
    text: str


class Items(BaseModel):
    items: list[Item]


ITEMS: Final = Items(items=[Item(id=str(number), number=number, text="x" * 20) for number in range(50)])


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


def bare(layers: int = 0) -> FastAPI:
    """FastAPI as it comes, with layers of Starlette's kind that do nothing."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/replied")
    async def replied() -> Response:
        return reply(ITEMS)

    @app.get("/returned")
    async def returned() -> Items:
        return ITEMS

    for _ in range(layers):
        app.add_middleware(Passing)
    return app


def ours(small: SmallService) -> FastAPI:
    """The same route behind our three layers, with roles."""

    @small.router.get("/replied")
    async def replied(actor: Annotated[Actor, Depends(allow("clerk"))]) -> Response:
        return reply(ITEMS)

    return small.app()


async def median(work: Callable[[], Awaitable[object]], times: int = TIMES) -> float:
    """CPU time (µs) of one of `times`."""
    runs: list[float] = []
    for _ in range(RUNS):
        started = time.process_time()
        for _ in range(times):
            await work()
        runs.append((time.process_time() - started) / times * 1e6)
    return statistics.median(runs)


def requesting(app: FastAPI, path: str, authorization: str | None = None) -> Callable[[], Awaitable[object]]:
    headers = [(b"authorization", authorization.encode())] if authorization else []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError("this should have been answered")

    def request() -> Awaitable[object]:
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        return app(scope | {"headers": headers, "http_version": "1.1", "scheme": "http"}, receive, send)

    return request


async def main() -> None:
    small = SmallService(Path(tempfile.mkdtemp()))
    token = small.issuer.token("somebody", "clerk", COUNTY)
    verifier = verifier_of(small.settings, small.http)

    async def afresh() -> None:
        verifier.forget()
        await verifier.verify(token)

    for what, work, times in (
        ("FastAPI alone, answer by reply()", requesting(bare(), "/replied"), TIMES),
        ("FastAPI alone, answer as typed return value", requesting(bare(), "/returned"), TIMES),
        ("and three layers of BaseHTTPMiddleware", requesting(bare(3), "/replied"), TIMES),
        ("ours: three layers, token, role, reply()", requesting(ours(small), "/v1/replied", f"Bearer {token}"), TIMES),
        ("a token checked before", lambda: verifier.verify(token), TIMES * 10),
        ("a token checked for the first time", afresh, TIMES // 5),
    ):
        print(f"{what:<46} {await median(work, times):8.1f} µs")


if __name__ == "__main__":
    asyncio.run(main())
