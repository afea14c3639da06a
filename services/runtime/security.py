"""Which roles may call a route. Every route says so, or the application does not start.

    @router.get("/v1/slots")
    async def free_slots(actor: Annotated[Actor, Depends(allow(Role.CLERK))]) -> Response: ...

Roles are plain words that the services give. The county that a route works for is the actor's, never a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from services.runtime.limits import takes_an_upload
from services.runtime.local_issuer import LocalIssuer
from services.runtime.problems import Problem
from services.runtime.settings import Settings
from services.runtime.tokens import Actor, KeySource, PublishedKeys, TokenVerifier, fetched_from

__all__ = [
    "Actor",
    "Guard",
    "LocalIssuer",
    "TokenVerifier",
    "UnguardedRoutes",
    "allow",
    "assert_routes_guarded",
    "verifier_of",
]

ALWAYS_PUBLIC: Final = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json"})


class UnguardedRoutes(RuntimeError):
    """The application has routes that anybody could call. The message names them."""


class Guard(SecurityBase):
    """A dependency that says who may call a route. An application counts on it that each route has one."""


class _Allow(Guard):
    """The dependency: checks token and role, gives the `Actor`."""

    def __init__(self, roles: frozenset[str]) -> None:
        self.roles = roles
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> Actor:
        verifier: TokenVerifier = request.app.state.verifier
        actor = await verifier.verify(bearer_token(request))
        if actor.role not in self.roles:
            raise Problem("role-not-allowed", 403)
        return actor


def allow(*roles: str) -> _Allow:
    """A dependency for `Depends`: lets these roles in and gives the `Actor`; answers 401 or 403 to everybody else."""
    if not roles:
        raise ValueError("name the roles that may call this route")
    return _Allow(frozenset(str(role) for role in roles))


def bearer_token(request: Request) -> str:
    """The token that a request carries. Raises `Problem` 401."""
    given = request.headers.getlist("authorization")
    if not given:
        raise Problem("token-missing", 401, headers={"WWW-Authenticate": "Bearer"})
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token.isascii():
        raise Problem("token-invalid", 401, headers={"WWW-Authenticate": 'Bearer error="invalid_request"'})
    return token.strip()


def verifier_of(settings: Settings, client: httpx.AsyncClient) -> TokenVerifier:
    """Checks tokens against the published keys, or on one machine against those of the local issuer."""
    url = settings.jwks_url
    keys: KeySource = LocalIssuer(settings) if url is None else PublishedKeys(fetched_from(url, client))
    return TokenVerifier(keys, issuer=settings.issuer, audience=settings.audience, counties=settings.counties)


def assert_routes_guarded(app: FastAPI) -> None:
    """Raise `UnguardedRoutes` if a route neither names its roles nor is listed in ``app.state.public``, or reads uploads first."""
    public = ALWAYS_PUBLIC | app.state.public
    complaints = [
        complaint
        for route in iter_route_contexts(app.routes)
        if route.path not in public
        for complaint in _complaints(route)
    ]
    if complaints:
        raise UnguardedRoutes("The application must not start:\n" + "\n".join(f"- {line}" for line in complaints))


def _complaints(route: RouteContext) -> Iterator[str]:
    name = f"{', '.join(sorted(route.methods or {'any method'}))} {route.path}"
    dependant: Any = getattr(route, "dependant", None)
    if not isinstance(dependant, Dependant) or not _has_roles(dependant):
        yield f"{name} names no roles; add Depends(allow(…)), or list it as public."
    elif takes_an_upload(route.endpoint) and getattr(route, "body_field", None) is not None:
        yield f"{name} would read an upload before it checks the token; take the Request and read its stream."


def _has_roles(dependant: Dependant) -> bool:
    return any(isinstance(one.call, Guard) or _has_roles(one) for one in dependant.dependencies)
