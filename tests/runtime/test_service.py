"""A service as a process: it stops from where work comes in to where it goes out, and does with its settings what they say."""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends
from starlette.responses import Response

from deploy.embedded.engines import Engines
from services.runtime import serving
from services.runtime.logs import Log
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from tests.runtime.open_services import shop_service
from tests.runtime.served import Served, make, named, served
from tests.runtime.test_bus_sending import log_of
from tests.runtime.toy import ANNA, Sell

Clerk = Annotated[Actor, Depends(allow("clerk"))]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    log, lines = Log(), StringIO()
    log._stream = lines
    monkeypatch.setattr("services.runtime.service.log", log)
    return lines


class Counter:
    """The shop's counter: a sale is begun, and finished when the test says so."""

    def __init__(self) -> None:
        self.begun, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.readiness = ""

    def routes(self, running: Running) -> APIRouter:
        router = APIRouter(prefix="/v1")

        @router.post("/sales")
        async def sell(actor: Clerk) -> Response:
            self.begun.set()
            await self.may_go_on.wait()
            self.readiness = running.health.ready().status
            return await running.send(actor, "k1", Sell(account=ANNA, amount=1))

        return router


# --- a stop -----------------------------------------------------------------------------------------------------------------


async def test_what_was_begun_before_a_stop_is_answered_and_told_before_the_process_ends(
    engines: Engines, tmp_path: Path, own_prefix: str
) -> None:
    shop, counter = named(shop_service(tmp_path), own_prefix), Counter()
    await make(engines, shop.topic)
    async with served(shop, engines, tmp_path, routes=counter.routes) as service, service.client("clerk") as client:
        sale = asyncio.create_task(client.post("/v1/sales"))
        async with asyncio.timeout(10):
            await counter.begun.wait()
        service.stop.set()
        await no_more_taken(service)
        assert not service.over.done()
        counter.may_go_on.set()
        assert (await sale).status_code == 200
        await service.ended()
        assert counter.readiness == "stopped", "nobody is sent here any more from the moment in which the stop begins"
    (told,) = (await log_of(engines.kafka, shop.topic, 1))[0]
    assert json.loads(told.value or b"") == {"amount": 1}


async def no_more_taken(service: Served) -> None:
    async with asyncio.timeout(10), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"{service.url}/health/ready")
            except httpx.TransportError:
                return
            await asyncio.sleep(0.01)


async def test_doors_that_fall_shut_stop_the_process_and_it_says_why(
    engines: Engines, tmp_path: Path, own_prefix: str, monkeypatch: pytest.MonkeyPatch, logged: StringIO
) -> None:
    falls_shut = asyncio.Event()

    async def fall_shut(app: Any, listener: serving.Listener, stop: asyncio.Event) -> None:
        await falls_shut.wait()
        listener.socket.close()
        raise RuntimeError

    monkeypatch.setattr(serving, "serve", fall_shut)
    shop = named(shop_service(tmp_path), own_prefix)
    async with served(shop, engines, tmp_path) as service:
        falls_shut.set()
        async with asyncio.timeout(30):
            await service.over
        report = service.running.health.live()
        assert (report.status, [one.name for one in report.components if one.state == "stopped"]) == (
            "stopped",
            ["doors"],
        )
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    (failed,) = (line for line in lines if line["code"] == "service.failed")
    assert failed["exception"]["type"] == "RuntimeError"
    assert lines[-1]["code"] == "service.stopped"


# --- traces -----------------------------------------------------------------------------------------------------------------


async def test_what_a_request_brought_about_is_found_in_its_trace(
    engines: Engines, tmp_path: Path, own_prefix: str
) -> None:
    shop, counter, file = named(shop_service(tmp_path), own_prefix), Counter(), tmp_path / "shop-0.jsonl"
    counter.may_go_on.set()
    await make(engines, shop.topic)
    async with served(shop, engines, tmp_path, routes=counter.routes, traces_file=file) as service:
        async with service.client("clerk") as client:
            assert (await client.post("/v1/sales")).status_code == 200
        await service.ended()
    spans = {span["name"]: span for span in map(json.loads, file.read_text().splitlines())}
    request, sale = spans["POST /v1/sales"], spans["Sell"]
    assert (sale["trace_id"], sale["parent"]) == (request["trace_id"], request["span_id"])
    (told,) = (await log_of(engines.kafka, shop.topic, 1))[0]
    assert dict(told.headers)["traceparent"] == f"00-{sale['trace_id']}-{sale['span_id']}-01".encode()


# --- settings ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "is_traced"),
    [({}, True), ({"tracing": False}, False), ({"trace_sample_ratio": 0.0}, False)],
)
async def test_spans_are_made_and_kept_as_the_settings_say(
    engines: Engines, tmp_path: Path, own_prefix: str, settings: dict[str, Any], is_traced: bool
) -> None:
    shop, file = named(shop_service(tmp_path), own_prefix), tmp_path / "shop-0.jsonl"
    async with served(shop, engines, tmp_path, traces_file=file, **settings) as service, service.client() as client:
        assert (await client.get("/runtime/rest")).status_code == 200
    assert ("GET /runtime/rest" in file.read_text() if file.exists() else False) is is_traced
