"""A request is traced and counted by its route's template; its path and query are never written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from services.runtime.metrics import Metrics
from services.runtime.request_span import RequestSpans
from services.runtime.telemetry import Telemetry, current_traceparent

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Door:
    """An application behind `RequestSpans`, and what came of calling it."""

    def __init__(self, folder: Path, *, tracing: bool = True) -> None:
        self._file = folder / "door-0.jsonl"
        self.telemetry = Telemetry.start("door", "0", traces_file=self._file, tracing=tracing)
        self.metrics = Metrics()
        app = FastAPI()

        @app.get("/v1/things/{thing}")
        async def thing(thing: str) -> dict[str, str | None]:
            return {"traceparent": current_traceparent.get()}

        @app.get("/v1/threaded/{thing}")
        def threaded(thing: str) -> dict[str, str | None]:
            return {"traceparent": current_traceparent.get()}

        @app.post("/v1/things/{thing}/break")
        async def break_it(thing: str) -> None:
            raise RuntimeError(f"{thing} is broken")

        @app.post("/v1/things/{thing}/refuse")
        async def refuse(thing: str) -> None:
            raise HTTPException(409)

        @app.get("/health/live")
        async def live() -> None:
            return None

        self.transport = httpx.ASGITransport(
            app=RequestSpans(app, self.telemetry, self.metrics),  # pyright: ignore[reportArgumentType]
            raise_app_exceptions=False,
        )

    async def call(self, method: str, path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=self.transport, base_url="http://door") as client:
            return await client.request(method, path, headers=headers)

    def has_written(self) -> bool:
        self.telemetry.stop()
        return self._file.exists()

    def spans(self) -> list[dict[str, Any]]:
        self.telemetry.stop()
        return [json.loads(line) for line in self._file.read_text().splitlines()]


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


async def test_a_request_is_named_by_its_template_and_never_by_its_path(door: Door):
    await door.call("GET", "/v1/things/anna-meyer?born=1990-02-03")
    await door.call("GET", "/v1/things/")
    await door.call("GET", "/anna-meyer")
    await door.call("MEYER", "/v1/things/anna-meyer")

    spans = door.spans()
    assert [span["name"] for span in spans] == [
        "GET /v1/things/{thing}",
        "GET unmatched",
        "GET unmatched",
        "OTHER /v1/things/{thing}",
    ]
    assert [span["http_status"] for span in spans] == [200, 404, 404, 405]
    everything = json.dumps(spans) + door.metrics.exposition().decode()
    assert "meyer" not in everything.lower()
    assert "1990-02-03" not in everything


@pytest.mark.parametrize("path", ["/v1/things/a", "/v1/threaded/a"])
async def test_a_request_joins_its_callers_trace_and_commands_made_for_it_find_its_span(door: Door, path: str):
    answer = await door.call("GET", path, traceparent=CALLER)

    [span] = door.spans()
    assert (span["trace_id"], span["parent"]) == (CALLER[3:35], CALLER[36:52])
    assert answer.json() == {"traceparent": f"00-{span['trace_id']}-{span['span_id']}-01"}
    assert current_traceparent.get() is None


async def test_an_error_of_ours_fails_the_span_and_a_refusal_does_not(door: Door):
    await door.call("POST", "/v1/things/anna/break")
    await door.call("POST", "/v1/things/anna/refuse")

    assert [(span["http_status"], span["status"]) for span in door.spans()] == [(500, "error"), (409, "ok")]
    exposition = door.metrics.exposition().decode()
    assert 'http_requests_total{method="POST",route="/v1/things/{thing}/break",status="500"} 1.0' in exposition
    assert 'http_request_seconds_count{method="POST",route="/v1/things/{thing}/refuse"} 1.0' in exposition


async def test_questions_about_health_are_counted_but_not_traced(door: Door):
    await door.call("GET", "/health/live")

    assert door.spans() == []
    assert 'route="/health/live",status="200"} 1.0' in door.metrics.exposition().decode()


async def test_with_tracing_off_the_callers_trace_is_handed_on_and_requests_are_still_counted(tmp_path: Path):
    door = Door(tmp_path, tracing=False)
    answer = await door.call("GET", "/v1/things/a", traceparent=CALLER)

    assert answer.json() == {"traceparent": CALLER}
    assert 'route="/v1/things/{thing}",status="200"} 1.0' in door.metrics.exposition().decode()
    assert not door.has_written()
