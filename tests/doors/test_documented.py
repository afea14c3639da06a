"""Each service's OpenAPI document says what its doors do: requests made from it are answered as it says, and never with a failure.

Schemathesis makes the requests, good ones and bad ones, the same each time, and holds the answers against the document. Path and body
are mostly made up, so that most answers are refusals; that good requests are answered as documented is what the examples are for.
"""

from __future__ import annotations

import copy
import json
import re
from contextlib import suppress
from typing import Any, Final, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.codes import Role
from services.runtime.problems import MEDIA_TYPE
from tests.doors.applications import Doors

pytestmark = pytest.mark.asyncio(loop_scope="package")

NAMES: Final = ("intake", "profiling", "referral", "reporting")
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EACH: Final = 2
"""Requests of each sort (good, bad) at an operation."""

NOT_FOR_EVERYBODY: Final = ("/runtime/clock", "/runtime/refill", "/v1/rebuild")
"""They move the whole service."""


def requests_for(operation: Any, mode: Any) -> list[Any]:
    """The same requests each time."""
    made: list[Any] = []

    @settings(
        max_examples=EACH,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def take(case: Any) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # an operation that takes nothing cannot be asked wrongly
        take()
    return made


def without_sign_in(document: dict[str, Any]) -> dict[str, Any]:
    """Who comes without one is another test's matter; here everybody brings it."""
    told = copy.deepcopy(document)
    told["components"].pop("securitySchemes", None)
    for operations in told["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return told


def problems_with(case: Any, answer: httpx.Response) -> list[str]:
    try:
        # In a list of actions a wrong one is refused for itself, and the list is answered.
        checks = CHECKS[:-1] if "ItemOutcomes" in json.dumps(case.operation.definition.raw) else CHECKS
        case.validate_response(answer, checks=checks)
    except AssertionError as wrong:
        return [f"{case.method} {case.path}: {wrong}"]
    except BaseExceptionGroup as several:
        return [f"{case.method} {case.path}: {one}" for one in several.exceptions]
    if answer.status_code >= 400 and answer.headers["content-type"] != MEDIA_TYPE:
        return [f"{case.method} {case.path}: {answer.status_code} is no problem document"]
    return []


def roles_for(doors: Doors) -> dict[str, httpx.AsyncClient]:
    claims = {"office": "034590024", "organisation": "vhs", "site": "melle"}
    return {role: doors.client(role, **claims) for role in Role}


async def answered(case: Any, clients: dict[str, httpx.AsyncClient]) -> httpx.Response:
    """By the first role that is let in; `clients` begin with the one that was let in last."""
    told = case.as_transport_kwargs(base_url="http://door")
    told.pop("cookies", None)
    if isinstance(told.get("data"), bytes):
        told["content"] = told.pop("data")
    answer = httpx.Response(403)
    for role, client in list(clients.items()):
        headers = {**dict(told.get("headers") or {}), "authorization": client.headers["authorization"]}
        answer = await client.request(**{**told, "headers": headers})
        if answer.status_code != 403 or answer.json()["code"] != "role-not-allowed":
            let_in = {role: clients.pop(role)}
            rest = dict(clients)
            clients.clear()
            clients.update(let_in | rest)
            break
    return answer


@pytest.mark.parametrize("name", NAMES)
async def test_what_the_document_allows_and_forbids_is_answered_as_it_says(name: str, all_doors: dict[str, Doors]):
    doors = all_doors[name]
    clients = roles_for(doors)
    schema = schemathesis.openapi.from_dict(without_sign_in(doors.app.openapi()))
    wrong: list[str] = []
    for found in schema.get_all_operations():
        operation: Any = cast("Any", found).ok()
        if operation.path.startswith(NOT_FOR_EVERYBODY) or (
            operation.path.startswith("/runtime") and name != "reporting"
        ):
            continue  # what every service has is asked of one
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            for case in requests_for(operation, mode):
                wrong += problems_with(case, await answered(case, clients))
    for client in clients.values():
        await client.aclose()
    assert wrong == [], "\n\n".join(wrong)


PLACES: Final = {"step": "decline", "month": "2016-06", "partner": "vhs", "service": "course"}
ID: Final = "0b2d4f6a-8c10-4c7e-9a31-6f1c2a0e8d5b"


@pytest.mark.parametrize("name", NAMES)
async def test_everything_that_is_sent_as_json_has_an_example_that_is_right_in_form(
    name: str, all_doors: dict[str, Doors]
):
    doors = all_doors[name]
    clients = roles_for(doors)
    for path, operations in doors.app.openapi()["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None or path.startswith(NOT_FOR_EVERYBODY):
                continue
            assert "example" in body, f"{method} {path} has no example"
            address = re.sub(r"{(\w+)}", lambda found: PLACES.get(found[1], ID), path)
            answer = httpx.Response(403)
            for role, client in clients.items():
                sent = {"json": body["example"], "headers": {"idempotency-key": f"{method}{role}{path}"[:200]}}
                answer = await client.request(method, address, **sent)
                if answer.status_code != 403 or answer.json()["code"] != "role-not-allowed":
                    break
            assert answer.status_code not in (400, 405, 415), (method, path, answer.text)
            known = answer.json().get("code") not in ("invalid-fields", "malformed-json")
            assert known, (method, path, answer.text)
