"""The HTTP application of a service: what all of them have in common.

What is guaranteed for every application that `build_app` makes: each route names its roles or is listed as public; each error is a
problem document in the caller's language; a failure that nobody foresaw is answered with the number under which it is logged, and
leaves neither its text in the answer nor in the log; bodies are limited; answers are not cached or framed; ``/health/live``,
``/health/ready`` and ``/metrics`` are there. The layers are pure ASGI: Starlette's BaseHTTPMiddleware would cost a task a request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.catalogue import Catalogue
from services.runtime.describing import Described
from services.runtime.health import Health, HealthReport
from services.runtime.limits import BodyLimit
from services.runtime.logs import log
from services.runtime.metrics import CONTENT_TYPE, Metrics
from services.runtime.problems import MEDIA_TYPE, Problem, Problems, incident_id, known_names
from services.runtime.security import assert_routes_guarded
from services.runtime.settings import Settings
from services.runtime.tokens import TokenVerifier

Layer = Callable[[ASGIApp], ASGIApp]

LONGEST_IDEMPOTENCY_KEY: Final = 200


def build_app(
    *,
    title: str,
    version: str,
    settings: Settings,
    verifier: TokenVerifier,
    catalogue: Catalogue,
    health: Health,
    metrics: Metrics,
    routers: Sequence[APIRouter],
    public: Collection[str] = (),
    layers: Iterable[Layer] = (),
    examples: Path | None = None,
) -> FastAPI:
    """The application of one service.

    `routers` carry their own prefix (``APIRouter(prefix="/v1")``): only so a request is measured under its whole route. `public` lists
    the paths of routes that anybody may call. `layers` go around everything, the first outermost; the request's span is one.
    `examples`: the file of the examples in the OpenAPI document.
    Raises `UnguardedRoutes`.
    """
    problems = Problems(catalogue)
    app = Described(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the caller's Host header
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # FastAPI's own would record paths and error texts
        responses={"default": _PROBLEM_DOCUMENTED},
        middleware=[
            *(Middleware(layer) for layer in layers),
            Middleware(ResponseHeaders, transport_security=settings.profile == "production"),
            Middleware(Incidents, problems=problems),
            Middleware(BodyLimit, limit=settings.body_limit_bytes, upload_limit=settings.upload_limit_bytes),
        ],
    )
    app.state.verifier = verifier
    app.state.public = frozenset(public)
    app.examples = examples
    app.state.known_names = cache(lambda: known_names(app))
    problems.handle(app)
    for router in (*routers, _watching(health, metrics)):
        app.include_router(router)
    assert_routes_guarded(app)
    _assert_types_found(app)
    return app


def _assert_types_found(app: FastAPI) -> None:
    """Raise PydanticUserError for an annotation that cannot be resolved. FastAPI would tell at the first request only."""
    for route in iter_route_contexts(app.routes):
        dependant: Any = getattr(route, "dependant", None)
        fields: list[Any] = [getattr(route, "body_field", None), getattr(route, "response_field", None)]
        if isinstance(dependant, Dependant):
            fields += _fields(dependant)
        for field in fields:
            adapter = getattr(field, "_type_adapter", None)
            if adapter is not None and not adapter.pydantic_complete:
                field.validate(None)


def _fields(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.path_params
    yield from dependant.query_params
    yield from dependant.header_params
    yield from dependant.cookie_params
    yield from dependant.body_params
    for one in dependant.dependencies:
        yield from _fields(one)


def reply(body: BaseModel | bytes, status: int = 200, *, replayed: bool = False) -> Response:
    """An answer as JSON, written once: a model, or JSON that is bytes already. `replayed`: a command's earlier answer."""
    content = body if isinstance(body, bytes) else body.model_dump_json()
    return Response(content, status, _REPLAYED if replayed else None, "application/json")


REPLAYED: Final = "Idempotency-Replayed"
"""The header of an answer that was given before."""

_REPLAYED: Final = {REPLAYED: "true"}


async def _idempotency_key(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="New for each new action; the same when an action is sent again.")
    ] = None,
) -> str:
    if idempotency_key is None:
        raise Problem("idempotency-key-missing", 400)
    visible = all("!" <= character <= "~" for character in idempotency_key)
    once = len(request.headers.getlist("idempotency-key")) == 1
    if not (once and visible and 1 <= len(idempotency_key) <= LONGEST_IDEMPOTENCY_KEY):
        raise Problem("idempotency-key-malformed", 400, longest=LONGEST_IDEMPOTENCY_KEY)
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
"""The parameter of every command: 1 to 200 visible ASCII characters, required."""


def _watching(health: Health, metrics: Metrics) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> Response:
        report = health.live()
        return reply(report, 503 if report.status == "stopped" else 200)

    @router.get("/health/ready")
    async def ready() -> Response:
        report: HealthReport = health.ready()
        return reply(report, 200 if report.status == "ok" else 503)

    @router.get("/metrics")
    async def measured() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router


class BrokenAnswerError(RuntimeError):
    """A failure after the answer had begun: the connection is cut, so that nobody takes the part for the whole."""


class Incidents:
    """ASGI layer: what nobody foresaw is logged by type and place, and answered with the number of that log line's trace."""

    def __init__(self, app: ASGIApp, problems: Problems) -> None:
        self._app = app
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
            return
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last place before the server, which would log the error's text
            log.error("request.failed", exception=error, method=scope["method"])
        # Outside of the handler, so that the error is not carried along as context.
        if begun:
            raise BrokenAnswerError("the answer was cut off")
        response = self._problems.answer(scope, Problem("internal", 500, incident=incident_id()))
        await response(scope, receive, send)


class ResponseHeaders:
    """ASGI layer: browsers guess nothing, keep nothing, embed nothing. A page may bring its own policy and caching."""

    def __init__(self, app: ASGIApp, *, transport_security: bool) -> None:
        self._app = app
        self._always = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if transport_security:
            self._always.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
        self._unless_given = {
            b"cache-control": b"no-store",
            b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                missing = [(name, value) for name, value in self._unless_given.items() if name not in given]
                message["headers"] = [*message["headers"], *self._always, *missing]
            await send(message)

        await self._app(scope, receive, adding)


_PROBLEM_DOCUMENTED: Final = {
    "description": "What is wrong, in the caller's language (RFC 9457).",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string", "format": "uri"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string", "description": "Stable; for programs."},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["field", "message"],
                            "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                        },
                    },
                },
            }
        }
    },
}
