"""Who may call a route: signed in with a token that counts, in a role that the route names, for the county of the token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from services.runtime.limits import upload
from services.runtime.security import Actor, UnguardedRoutes, allow, assert_routes_guarded
from services.runtime.web import reply
from tests.runtime.small_app import COUNTY, SmallService


class Seen(BaseModel):
    subject: str
    role: str
    county: str
    office: str | None
    site: str | None
    organisation: str | None


@pytest.fixture
def small(tmp_path: Path) -> SmallService:
    service = SmallService(tmp_path)

    @service.router.get("/me")
    async def me(actor: Annotated[Actor, Depends(allow("clerk", "operator"))]) -> Response:
        return reply(Seen(**{name: getattr(actor, name) for name in Seen.model_fields}))

    return service


async def test_the_route_learns_who_asks_from_the_token(small: SmallService) -> None:
    token = small.issuer.token("c-17", "clerk", COUNTY, office="034590003", site="north", organisation="o-1")
    async with small.client(None) as client:
        answer = await client.get("/v1/me", headers={"Authorization": f"bearer {token}"})

    assert answer.status_code == 200
    assert answer.json() == {
        "subject": "c-17",
        "role": "clerk",
        "county": COUNTY,
        "office": "034590003",
        "site": "north",
        "organisation": "o-1",
    }


async def test_the_county_cannot_be_asked_for(small: SmallService) -> None:
    async with small.client("clerk") as client:
        answer = await client.get("/v1/me", params={"county": "03456"}, headers={"County": "03456"})

    assert answer.json()["county"] == COUNTY


async def test_who_is_not_signed_in_is_asked_to_sign_in(small: SmallService) -> None:
    async with small.client(None) as client:
        answer = await client.get("/v1/me", headers={"Accept-Language": "en"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Please sign in."


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer \xe4", "token"])
async def test_what_is_no_bearer_token_is_refused(small: SmallService, header: str) -> None:
    async with small.client(None) as client:
        answer = await client.get("/v1/me", headers={"Authorization": header.encode("latin-1")})  # type: ignore[dict-item]

    assert answer.status_code == 401
    assert answer.json()["code"] == "token-invalid"


async def test_two_tokens_at_once_are_refused(small: SmallService) -> None:
    clerk, operator = (small.signed_in(role)["Authorization"] for role in ("clerk", "operator"))
    async with small.client(None) as client:
        answer = await client.get("/v1/me", headers=[("Authorization", clerk), ("Authorization", operator)])

    assert answer.status_code == 401


async def test_another_role_is_told_so_without_a_code_name(small: SmallService) -> None:
    async with small.client("reporter") as client:
        answer = await client.get("/v1/me")

    problem = answer.json()
    assert answer.status_code == 403
    assert problem["code"] == "role-not-allowed"
    assert "reporter" not in problem["title"] + problem["detail"]


async def test_a_role_is_a_whole_word(small: SmallService) -> None:
    async with small.client("cler") as client:
        assert (await client.get("/v1/me")).status_code == 403


def test_a_route_that_names_no_role_keeps_the_application_from_starting(small: SmallService) -> None:
    @small.router.post("/anything")
    async def anything() -> None: ...

    with pytest.raises(UnguardedRoutes, match="POST /v1/anything names no roles"):
        small.app()


def test_the_guard_is_found_on_router_and_route_alike(small: SmallService) -> None:
    guarded = APIRouter(prefix="/v1", dependencies=[Depends(allow("operator"))])

    @guarded.get("/inside")
    async def inside() -> None: ...

    small.app(routers=[guarded])


async def test_a_guard_on_the_router_acts(small: SmallService) -> None:
    guarded = APIRouter(prefix="/v1", dependencies=[Depends(allow("operator"))])

    @guarded.get("/inside")
    async def inside() -> PlainTextResponse:
        return PlainTextResponse("within")

    async with small.client("clerk", routers=[guarded]) as client:
        assert (await client.get("/v1/inside")).status_code == 403
    async with small.client("operator", routers=[guarded]) as client:
        assert (await client.get("/v1/inside")).text == "within"


def test_routes_inside_included_routers_are_looked_at_too(small: SmallService) -> None:
    outer, inner = APIRouter(prefix="/v1"), APIRouter(prefix="/inner")

    @inner.get("/open")
    async def open_to_all() -> None: ...

    outer.include_router(inner)

    with pytest.raises(UnguardedRoutes, match="GET /v1/inner/open"):
        small.app(routers=[outer])


@pytest.mark.parametrize(
    "route",
    [Mount("/files", PlainTextResponse("x")), Route("/plain", lambda request: PlainTextResponse("x"))],
    ids=["mount", "plain route"],
)
def test_what_is_not_an_api_route_is_unguarded(small: SmallService, route: Mount | Route) -> None:
    app = small.app()
    app.router.routes.append(route)

    with pytest.raises(UnguardedRoutes, match=route.path):
        assert_routes_guarded(app)


def test_a_websocket_is_unguarded(small: SmallService) -> None:
    app = small.app()

    @app.websocket("/live-view")
    async def live_view() -> None: ...

    with pytest.raises(UnguardedRoutes, match="/live-view"):
        assert_routes_guarded(app)


async def test_a_public_route_is_listed(small: SmallService) -> None:
    @small.router.get("/welcome")
    async def welcome() -> PlainTextResponse:
        return PlainTextResponse("welcome")

    with pytest.raises(UnguardedRoutes):
        small.app()
    async with small.client(None, public=["/v1/welcome"]) as client:
        assert (await client.get("/v1/welcome")).text == "welcome"


def test_an_upload_must_not_be_read_before_the_token_is_checked(small: SmallService) -> None:
    @small.router.post("/files")
    @upload
    async def take(content: Seen, actor: Annotated[Actor, Depends(allow("clerk"))]) -> None: ...

    with pytest.raises(UnguardedRoutes, match="POST /v1/files would read an upload"):
        small.app()


async def test_an_upload_by_somebody_unknown_is_refused_unread(small: SmallService) -> None:
    reads = 0

    @small.router.post("/files")
    @upload
    async def take(request: Request, actor: Annotated[Actor, Depends(allow("clerk"))]) -> None: ...

    async def body() -> AsyncIterator[bytes]:
        nonlocal reads
        reads += 1
        yield b"a;b\n"

    async with small.client(None) as client:
        assert (await client.post("/v1/files", content=body())).status_code == 401
    assert reads == 0


def test_roles_have_to_be_named() -> None:
    with pytest.raises(ValueError, match="name the roles"):
        allow()


async def test_the_description_says_that_a_token_is_needed(small: SmallService) -> None:
    async with small.client(None) as client:
        described = (await client.get("/openapi.json")).json()

    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert described["paths"]["/v1/me"]["get"]["security"] == [{"bearer": []}]
    assert "/health/live" not in described["paths"]


def test_an_application_without_routes_of_its_own_is_guarded(tmp_path: Path) -> None:
    app = SmallService(tmp_path).app()
    assert isinstance(app, FastAPI)
