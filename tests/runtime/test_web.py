"""What every service's door has in common: answers, problems in the caller's language, limits, health, and a stop that finishes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PydanticUserError, field_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.runtime.errors import Refused, Transient
from services.runtime.limits import upload
from services.runtime.logs import current_traceparent
from services.runtime.problems import FieldProblem, Problem
from services.runtime.request_span import RequestSpans
from services.runtime.security import allow
from services.runtime.telemetry import Telemetry
from services.runtime.web import IdempotencyKey, reply
from tests.runtime.small_app import SmallService

CLERK = [Depends(allow("clerk"))]
SECRET = "Erika Mustermann"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=10, pattern="^[a-z]+$")
    count: int = Field(ge=1, le=9)
    at: AwareDatetime | None = None


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parts: list[Part] = Field(max_length=3)
    colour: Colour = Colour.RED
    by_name: dict[str, int] = {}
    word: str | None = None

    @field_validator("word")
    @classmethod
    def _lower(cls, value: str | None) -> str | None:
        if value is not None and value != value.lower():
            raise ValueError(f"{value} is not in lower case")
        if value == "forbidden":
            raise PydanticCustomError("forbidden-word", "{value}", {"value": value})
        return value


class Many(BaseModel):
    numbers: list[int]


class Answer(BaseModel):
    text: str


@pytest.fixture
def small(tmp_path: Path) -> SmallService:
    service = SmallService(tmp_path, body_limit_bytes=4096, upload_limit_bytes=100_000)
    router = service.router

    @router.get("/hello", dependencies=CLERK)
    async def hello() -> Response:
        return reply(Answer(text="Grüße"))

    @router.post("/whole", dependencies=CLERK)
    async def whole(body: Whole) -> Response:
        return reply(Answer(text="taken"), 201)

    @router.get("/things/{thing_id}", dependencies=CLERK)
    async def thing(thing_id: UUID, largest: int = 5) -> Response:
        return reply(Answer(text="found"))

    @router.post("/command", dependencies=CLERK)
    async def command(key: IdempotencyKey) -> Response:
        return reply(key.encode(), replayed=True)

    @router.post("/file", dependencies=CLERK)
    @upload
    async def file(request: Request) -> Response:
        return PlainTextResponse(str(sum([len(chunk) async for chunk in request.stream()])))

    @router.get("/broken", dependencies=CLERK)
    async def broken() -> Response:
        raise KeyError(SECRET)

    return service


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["type"] == f"urn:wegenetz:problem:{code}"
    for sentence in (problem["title"], problem["detail"]):
        assert sentence.endswith(".")
        assert "{" not in sentence
    return problem


async def test_an_answer_is_json_that_nobody_keeps_guesses_at_or_embeds(small: SmallService) -> None:
    async with small.client() as client:
        answer = await client.get("/v1/hello")

    assert answer.json() == {"text": "Grüße"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers, "one machine speaks plain HTTP"


async def test_a_page_may_bring_its_own_policy_and_caching(small: SmallService) -> None:
    @small.router.get("/page", dependencies=CLERK)
    async def page() -> Response:
        return PlainTextResponse(
            "x", headers={"Cache-Control": "max-age=60", "Content-Security-Policy": "default-src 'self'"}
        )

    async with small.client() as client:
        answer = await client.get("/v1/page")

    assert answer.headers.get_list("cache-control") == ["max-age=60"]
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "de"),
        ("", "de"),
        ("en", "en"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("de-AT, en;q=0.5", "de"),
        ("fr, en;q=0.2", "en"),
        ("fr", "de"),
        ("uk, *;q=0.1", "de"),
        ("en;q=0, de;q=0.1", "de"),
        ("en;q=nonsense", "de"),
        ("EN", "en"),
        (";;;,,q=", "de"),
        ("x" * 5000, "de"),
    ],
)
async def test_problems_are_told_in_the_caller_s_language(
    small: SmallService, asked: str | None, language: str
) -> None:
    async with small.client() as client:
        answer = await client.get("/v1/nowhere", headers={} if asked is None else {"Accept-Language": asked})

    titles = {"de": "Das gibt es hier nicht.", "en": "There is no such thing here."}
    assert problem_of(answer, 404, "not-found")["title"] == titles[language]
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "accept-language"


async def test_a_method_that_an_address_does_not_take_is_named_with_those_that_it_takes(small: SmallService) -> None:
    async with small.client() as client:
        answer = await client.delete("/v1/hello")

    problem_of(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


async def test_an_address_with_a_stroke_too_many_is_not_redirected(small: SmallService) -> None:
    async with small.client() as client:
        problem_of(await client.get("/v1/hello/", headers={"Host": "evil.example"}), 404, "not-found")


@pytest.mark.parametrize(("text", "place"), [("{", 2), ("{'a': 1}", 2), ('{"parts": [}', 12), ("\x00", 1)])
async def test_what_is_not_json_is_told_with_its_place(small: SmallService, text: str, place: int) -> None:
    async with small.client() as client:
        answer = await client.post("/v1/whole", content=text, headers={"Content-Type": "application/json"})

    assert f"Zeichen {place} " in problem_of(answer, 400, "malformed-json")["detail"]


async def test_an_empty_body_is_missing(small: SmallService) -> None:
    async with small.client() as client:
        answer = await client.post("/v1/whole", headers={"Content-Type": "application/json"})

    assert problem_of(answer, 422, "invalid-fields")["errors"] == [{"field": "body", "message": "Diese Angabe fehlt."}]


def test_a_route_whose_types_cannot_be_found_keeps_the_application_from_starting(small: SmallService) -> None:
    class Local(BaseModel):
        number: int

    @small.router.post("/local", dependencies=CLERK)
    async def local(body: Local) -> None: ...

    with pytest.raises(PydanticUserError, match="not fully defined"):
        small.app()


@pytest.mark.parametrize("content", [b'{"parts": "\xff"}', b"[" * 3000], ids=["not utf-8", "bottomless"])
async def test_what_cannot_be_decoded_is_a_bad_request(small: SmallService, content: bytes) -> None:
    async with small.client() as client:
        answer = await client.post("/v1/whole", content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "text/csv; charset=utf-8", None])
async def test_another_format_than_json_is_told_which_one_is_expected(small: SmallService, kind: str | None) -> None:
    async with small.client() as client:
        answer = await client.post(
            "/v1/whole", content=b'{"parts": []}', headers={"Content-Type": kind} if kind else {}
        )

    assert "application/json" in problem_of(answer, 415, "unsupported-media-type")["detail"]


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({}, "parts", "Diese Angabe fehlt."),
    ({"parts": SECRET}, "parts", "Hier wird eine Liste erwartet."),
    ({"parts": [SECRET]}, "parts.0", "Hier wird ein Objekt mit benannten Feldern erwartet."),
    ({"parts": [{}] * 4}, "parts", "Die Liste hat zu viele Einträge; möglich sind höchstens 3."),
    ({"parts": [], "colour": SECRET}, "colour", "Möglich ist hier nur: red, blue."),
    ({"parts": [{"name": "ok", "count": SECRET}]}, "parts.0.count", "Hier wird eine ganze Zahl erwartet."),
    ({"parts": [{"name": "ok", "count": 0}]}, "parts.0.count", "Der Wert muss mindestens 1 sein."),
    ({"parts": [{"name": "ok", "count": 10}]}, "parts.0.count", "Der Wert darf höchstens 9 sein."),
    ({"parts": [{"name": "x", "count": 1}]}, "parts.0.name", "Der Text ist zu kurz; nötig sind mindestens 2 Zeichen."),
    (
        {"parts": [{"name": SECRET, "count": 1}]},
        "parts.0.name",
        "Der Text ist zu lang; möglich sind höchstens 10 Zeichen.",
    ),
    ({"parts": [{"name": "ERIKA", "count": 1}]}, "parts.0.name", "Der Text hat nicht die vorgesehene Form."),
    (
        {"parts": [{"name": "ok", "count": 1, "at": SECRET}]},
        "parts.0.at",
        "Hier wird ein Zeitpunkt mit Zeitzone erwartet, zum Beispiel 2016-05-31T09:30:00Z.",
    ),
    (
        {"parts": [{"name": "ok", "count": 1, "at": "2016-05-31T09:30:00"}]},
        "parts.0.at",
        "Hier wird ein Zeitpunkt mit Zeitzone erwartet, zum Beispiel 2016-05-31T09:30:00Z.",
    ),
    ({"parts": [], SECRET: 1}, "body", "Hier steht ein Feld, das es nicht gibt."),
    ({"parts": [{"name": "ok", "count": 1, SECRET: 1}]}, "parts.0", "Hier steht ein Feld, das es nicht gibt."),
    ({"parts": [], "by_name": {SECRET: "x"}}, "by_name", "Hier wird eine ganze Zahl erwartet."),
    ({"parts": [], "word": SECRET}, "word", "Diese Angabe ist nicht gültig."),
]


@pytest.mark.parametrize(("body", "field", "message"), INVALID)
async def test_each_wrong_field_is_named_with_what_is_expected_and_never_with_what_was_sent(
    small: SmallService, body: dict[str, Any], field: str, message: str
) -> None:
    async with small.client() as client:
        answer = await client.post("/v1/whole", json=body)

    problem = problem_of(answer, 422, "invalid-fields")
    assert {"field": field, "message": message} in problem["errors"]
    for word in SECRET.split():
        assert word.lower() not in answer.text.lower()


async def test_all_wrong_fields_are_named_at_once_up_to_a_hundred(small: SmallService) -> None:
    @small.router.post("/many", dependencies=CLERK)
    async def many(body: Many) -> Response:
        return reply(Answer(text="taken"))

    async with small.client() as client:
        few = (await client.post("/v1/many", json={"numbers": ["a", 1, "b"]})).json()
        lots = (await client.post("/v1/many", json={"numbers": ["a"] * 500})).json()

    assert [error["field"] for error in few["errors"]] == ["numbers.0", "numbers.2"]
    assert len(lots["errors"]) == 100


async def test_parts_of_the_address_are_checked_like_fields(small: SmallService) -> None:
    async with small.client() as client:
        answer = await client.get("/v1/things/17", params={"largest": SECRET})

    assert [error["field"] for error in problem_of(answer, 422, "invalid-fields")["errors"]] == ["thing_id", "largest"]


async def test_a_service_has_sentences_of_its_own(small: SmallService, tmp_path: Path) -> None:
    for language, sentence in (("de", "Dieses Wort nicht."), ("en", "Not this word.")):
        (tmp_path / f"{language}.yaml").write_text(f"field:\n  forbidden-word: {sentence}\n")

    async with small.client(messages=[tmp_path]) as client:
        answer = await client.post(
            "/v1/whole", json={"parts": [], "word": "forbidden"}, headers={"Accept-Language": "en"}
        )

    assert problem_of(answer, 422, "invalid-fields")["errors"] == [{"field": "word", "message": "Not this word."}]


async def test_a_service_raises_problems_with_fields_and_headers(small: SmallService) -> None:
    @small.router.post("/check", dependencies=CLERK)
    async def check() -> Response:
        fields = [FieldProblem("rows.3.count", "at-least", {"ge": 7}), FieldProblem("rows.4", "missing")]
        raise Problem("invalid-fields", 422, fields=fields, headers={"Retry-After": "1"})

    async with small.client() as client:
        answer = await client.post("/v1/check")

    assert problem_of(answer, 422, "invalid-fields")["errors"] == [
        {"field": "rows.3.count", "message": "Der Wert muss mindestens 7 sein."},
        {"field": "rows.4", "message": "Diese Angabe fehlt."},
    ]
    assert answer.headers["retry-after"] == "1"


async def test_a_rule_that_says_no_is_told_in_its_own_sentence(small: SmallService, tmp_path: Path) -> None:
    for language in ("de", "en"):
        (tmp_path / f"{language}.yaml").write_text(
            "problem:\n  seat-taken:\n    title: The seat is taken.\n    detail: '{free} others are free.'\n"
        )

    @small.router.post("/seat", dependencies=CLERK)
    async def seat() -> Response:
        raise Refused("seat-taken", free=3)

    async with small.client(messages=[tmp_path]) as client:
        assert problem_of(await client.post("/v1/seat"), 409, "seat-taken")["detail"] == "3 others are free."


async def test_while_the_world_is_away_the_caller_is_asked_to_come_again(small: SmallService) -> None:
    @small.router.post("/write", dependencies=CLERK)
    async def write() -> Response:
        raise Transient(f"the database at {SECRET}")

    async with small.client() as client:
        answer = await client.post("/v1/write")

    problem_of(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    assert SECRET not in answer.text


async def test_an_unforeseen_failure_is_answered_with_the_number_under_which_it_is_logged(
    small: SmallService, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    class Spans:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            token = current_traceparent.set(f"00-{trace}-00f067aa0ba902b7-01")
            try:
                await self.app(scope, receive, send)
            finally:
                current_traceparent.reset(token)

    async with small.client(layers=[Spans]) as client:
        answer = await client.get("/v1/broken")

    assert trace in problem_of(answer, 500, "internal")["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    logged = capsys.readouterr().out
    (line,) = [json.loads(text) for text in logged.splitlines() if "request.failed" in text]
    assert line["trace_id"] == trace
    assert line["exception"]["type"] == "KeyError"
    assert SECRET not in answer.text + logged
    assert "Traceback" not in answer.text


async def test_an_answer_that_breaks_off_is_cut_and_not_completed(small: SmallService) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError(SECRET)

    @small.router.get("/half", dependencies=CLERK)
    async def stream() -> Response:
        return StreamingResponse(half())

    app = small.app()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://small", headers=small.signed_in("clerk")
    ) as client:
        with pytest.raises(RuntimeError, match="the answer was cut off") as cut:
            await client.get("/v1/half")
    assert cut.value.__context__ is None, "the server logs the error with its context, which may quote somebody"


async def test_a_caller_who_hangs_up_is_no_failure(small: SmallService, capsys: pytest.CaptureFixture[str]) -> None:
    app = small.app()
    scope = httpx.Request("POST", "http://small/v1/file")
    headers = [(b"authorization", small.signed_in("clerk")["Authorization"].encode())]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(
        {
            "type": "http",
            "method": "POST",
            "path": scope.url.path,
            "raw_path": scope.url.raw_path,
            "query_string": b"",
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "asgi": {"version": "3.0"},
        },
        receive,
        send,
    )
    assert sent == []
    assert "request.failed" not in capsys.readouterr().out


async def test_a_body_over_the_limit_is_refused_whether_announced_or_streamed(small: SmallService) -> None:
    asked_for = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal asked_for
        for _ in range(1000):
            asked_for += 1
            yield b" " * 1024

    async with small.client() as client:
        announced = await client.post("/v1/whole", content=b" " * 4097, headers={"Content-Type": "application/json"})
        streamed = await client.post("/v1/whole", content=chunks(), headers={"Content-Type": "application/json"})
        at_limit = await client.post("/v1/whole", content=b" " * 4096, headers={"Content-Type": "application/json"})

    assert "4 KiB" in problem_of(announced, 413, "body-too-large")["detail"]
    problem_of(streamed, 413, "body-too-large")
    assert asked_for == 5, "no more is read than shows that it is too much"
    problem_of(at_limit, 400, "malformed-json")


async def test_a_false_length_does_not_help(small: SmallService) -> None:
    async with small.client() as client:
        answer = await client.post(
            "/v1/whole", content=b" " * 5000, headers={"Content-Type": "application/json", "Content-Length": "10"}
        )
    problem_of(answer, 413, "body-too-large")


async def test_a_route_for_uploads_takes_more_up_to_its_own_limit(small: SmallService) -> None:
    async with small.client() as client:
        assert (await client.post("/v1/file", content=b"x" * 100_000)).text == "100000"
        problem_of(await client.post("/v1/file", content=b"x" * 100_001), 413, "body-too-large")


async def test_a_command_is_sent_with_a_key(small: SmallService) -> None:
    key = "".join(chr(code) for code in range(33, 127))
    async with small.client() as client:
        answer = await client.post("/v1/command", headers={"Idempotency-Key": key})

    assert answer.text == key
    assert answer.headers["idempotency-replayed"] == "true"


async def test_without_its_key_a_command_is_not_taken(small: SmallService) -> None:
    async with small.client() as client:
        problem_of(await client.post("/v1/command"), 400, "idempotency-key-missing")


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ä", "tab\t"])
async def test_a_key_is_short_and_visible(small: SmallService, key: str) -> None:
    async with small.client() as client:
        answer = await client.post("/v1/command", headers={"Idempotency-Key": key.encode()})  # type: ignore[dict-item]
    assert "200" in problem_of(answer, 400, "idempotency-key-malformed")["detail"]


async def test_two_keys_are_not_a_key(small: SmallService) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    async with small.client() as client:
        problem_of(await client.post("/v1/command", headers=headers), 400, "idempotency-key-malformed")


async def test_the_description_says_how_problems_look(small: SmallService) -> None:
    async with small.client(None) as client:
        described = (await client.get("/openapi.json")).json()

    default = described["paths"]["/v1/whole"]["post"]["responses"]["default"]
    assert "code" in default["content"]["application/problem+json"]["schema"]["properties"]
    assert "HTTPValidationError" not in json.dumps(described), "FastAPI's own form of errors is never sent"
    keys = [parameter["name"] for parameter in described["paths"]["/v1/command"]["post"]["parameters"]]
    assert [key.lower() for key in keys] == ["idempotency-key"]


async def test_there_is_no_page_that_loads_scripts_from_elsewhere(small: SmallService) -> None:
    async with small.client() as client:
        for path in ("/docs", "/redoc"):
            problem_of(await client.get(path), 404, "not-found")


async def test_numbers_for_prometheus_are_at_metrics(small: SmallService) -> None:
    small.metrics.dead_letters.of("03459").set(3)
    async with small.client(None) as client:
        answer = await client.get("/metrics")

    assert 'wegenetz_dead_letters_open{county="03459"} 3.0' in answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")


async def test_a_request_is_measured_under_its_whole_route(small: SmallService) -> None:
    def layer(app: Any) -> RequestSpans:
        return RequestSpans(app, Telemetry(tracing=False), small.metrics)

    async with small.client(layers=[layer]) as client:
        await client.get("/v1/things/6f1c2a0e-8d5b-4c7e-9a31-0b2d4f6a8c10")
        await client.get("/v1/broken")
        measured = (await client.get("/metrics")).text

    assert 'http_requests_total{method="GET",route="/v1/things/{thing_id}",status="200"} 1.0' in measured
    assert 'http_requests_total{method="GET",route="/v1/broken",status="500"} 1.0' in measured


async def test_many_requests_at_once_do_not_mix_languages(small: SmallService) -> None:
    async with small.client() as client:
        answers = await asyncio.gather(
            *(client.get("/v1/nowhere", headers={"Accept-Language": language}) for language in ("de", "en") * 20)
        )
    assert [answer.headers["content-language"] for answer in answers] == ["de", "en"] * 20


def test_instants_are_written_as_json_once() -> None:
    class At(BaseModel):
        at: datetime

    assert reply(At(at=datetime.fromisoformat("2016-05-31T09:30:00+00:00"))).body == b'{"at":"2016-05-31T09:30:00Z"}'
