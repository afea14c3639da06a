"""Over real sockets: the port is known at once, and a stop finishes what was begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import Depends
from starlette.responses import PlainTextResponse

from services.runtime.security import UnguardedRoutes, allow
from services.runtime.serving import Listener, run, serve
from tests.runtime.small_app import SmallService


@pytest.fixture
def small(tmp_path: Path) -> SmallService:
    return SmallService(tmp_path)


async def test_a_stop_finishes_the_running_request_and_takes_no_new_one(small: SmallService) -> None:
    begun, go_on, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @small.router.get("/slow", dependencies=[Depends(allow("clerk"))])
    async def slow() -> PlainTextResponse:
        begun.set()
        await go_on.wait()
        return PlainTextResponse("done")

    listener = Listener("127.0.0.1", 0)
    assert listener.port > 0
    serving = asyncio.create_task(serve(small.app(), listener, stop))
    url = f"http://127.0.0.1:{listener.port}"
    async with httpx.AsyncClient(base_url=url, headers=small.signed_in("clerk")) as client:
        request = asyncio.create_task(client.get("/v1/slow"))
        async with asyncio.timeout(5):
            await begun.wait()
        stop.set()
        await _closed(listener.port)
        assert not serving.done()
        go_on.set()
        async with asyncio.timeout(5):
            answer = await request
    assert answer.text == "done"
    assert "server" not in answer.headers
    async with asyncio.timeout(5):
        await serving


async def _closed(port: int) -> None:
    """Until nobody listens any more."""
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return
            writer.close()
            await asyncio.sleep(0.02)


async def test_a_stop_does_not_wait_for_ever(small: SmallService) -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    @small.router.get("/endless", dependencies=[Depends(allow("clerk"))])
    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    listener = Listener("127.0.0.1", 0)
    serving = asyncio.create_task(serve(small.app(), listener, stop, grace_seconds=0))
    async with httpx.AsyncClient(headers=small.signed_in("clerk")) as client:
        request = asyncio.create_task(client.get(f"http://127.0.0.1:{listener.port}/v1/endless"))
        async with asyncio.timeout(5):
            await begun.wait()
        stop.set()
        async with asyncio.timeout(5):
            await serving
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()


async def test_a_large_upload_is_refused_with_an_answer_that_arrives(small: SmallService) -> None:
    stop = asyncio.Event()
    listener = Listener("127.0.0.1", 0)

    @small.router.post("/text", dependencies=[Depends(allow("clerk"))])
    async def text(body: dict[str, str]) -> None: ...

    serving = asyncio.create_task(serve(small.app(), listener, stop))
    async with httpx.AsyncClient(headers=small.signed_in("clerk")) as client:
        answer = await client.post(
            f"http://127.0.0.1:{listener.port}/v1/text",
            content=b" " * 8_000_000,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 413
        assert answer.json()["code"] == "body-too-large"
    stop.set()
    async with asyncio.timeout(5):
        await serving


def test_a_taken_port_is_told_at_once() -> None:
    first = Listener("127.0.0.1", 0)
    first.socket.listen()
    with pytest.raises(OSError, match="in use"):
        Listener("127.0.0.1", first.port)
    first.socket.close()


async def test_an_unguarded_route_that_was_added_later_is_not_served(small: SmallService) -> None:
    app = small.app()

    @app.get("/late")
    async def late() -> None: ...

    listener = Listener("127.0.0.1", 0)
    with pytest.raises(UnguardedRoutes, match="/late"):
        await serve(app, listener, asyncio.Event())
    listener.socket.close()


def test_a_process_runs_on_the_fast_loop() -> None:
    async def loop() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(loop()) == "uvloop"
