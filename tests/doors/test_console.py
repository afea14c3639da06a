"""The console's doors: every route of it is tried, as nobody, as somebody who is no operator, and as an operator of another county.

The routes are those of the application itself: one that is added is tried too, and fails here until it is said what stands in its path.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from schemas.codes import Role
from services.operations.receiving import TRACES
from services.runtime.security import ALWAYS_PUBLIC
from tests.operations.room import Room, open_room
from tests.operations.test_spans_kept import ANNA, SEAT, kept

ELSEWHERE: Final = "03157"
SECRET: Final = "step-of-another-county"
VALUES: Final = {"service": ("intake",), "id": (ANNA.partition("/")[2], SEAT, "a" * 32)}
OPEN: Final = frozenset(
    {
        *(
            "/",
            "/pages",
            "/pages/sign-in",
            "/pages/sign-in/return",
            "/pages/signed-out",
            "/pages/sign-out",
            "/pages/language",
        ),
        *("/pages/local-sign-in/authorize", "/pages/local-sign-in/token", "/pages/local-sign-in/end-session"),
        *("/pages/local-sign-in/keys", "/pages/local-sign-in/.well-known/openid-configuration"),
        *("/pages/assets/{name}", "/pages/{rest:path}"),
        TRACES,
    }
)
"""For those who are not signed in yet, or no more: they show nothing of a county. And the door for spans, on one machine alone."""
ENDLESS: Final = "/pages/live"
"""An operator's stream of what is new: it ends when they leave. It tells that something changed, and never what."""


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A console that knows something of another county only."""
    async with open_room(tmp_path, {"intake": ["http://127.0.0.1:9"]}) as opened:
        opened.console.spans.take([kept("a" * 32, subject=ANNA, name=SECRET, county=ELSEWHERE, failed=True)])
        yield opened


def routes(room: Room) -> Iterator[tuple[str, str]]:
    """Method and path, once for each value that may stand in it. None that anybody may use."""
    for one in iter_route_contexts(room.app.routes):
        path = one.path or ""
        if path in ALWAYS_PUBLIC or path in OPEN:
            continue
        for method in sorted((one.methods or set[str]()) - {"HEAD"}):
            yield from ((method, filled) for filled in _filled(path))


def _filled(path: str) -> Iterator[str]:
    names = re.findall(r"{([a-z_]+)[^}]*}", path)
    if not names:
        yield path
        return
    for value in VALUES[names[0]]:
        yield from _filled(re.sub(r"{[^}]*}", value, path, count=1))


async def refused(client: httpx.AsyncClient, method: str, path: str) -> str:
    """What is answered instead; that it is a refusal is seen to."""
    answer = await client.request(method, path, follow_redirects=False)
    to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/pages/sign-in")
    assert to_sign_in or answer.status_code in (401, 403), (method, path, answer.status_code)
    return answer.text


async def test_nobody_comes_in_without_a_sign_in_and_no_role_but_the_operators(room: Room) -> None:
    tried = list(routes(room))
    assert len(tried) > 8
    async with room.visitor() as nobody:
        for method, path in tried:
            assert SECRET not in await refused(nobody, method, path)
    for role in (one for one in Role if one is not Role.OPERATOR):
        async with room.operator(role) as somebody:
            for method, path in tried:
                assert SECRET not in await refused(somebody, method, path)


async def test_an_operator_sees_nothing_of_another_county_at_any_route(room: Room) -> None:
    async with room.operator() as operator:
        for method, path in routes(room):
            if path != ENDLESS:
                answer = await operator.request(method, path, data={"value": "{}", "headers": "", "reason": "none"})
                assert answer.status_code < 500 or answer.status_code == 503, (method, path)
                assert SECRET not in answer.text, (method, path)
