"""One span and two metrics for each HTTP request, as a pure ASGI layer.

A request is named by its method and its route's template (``POST /v1/imports/{id}``). Its path and query are never looked at: they may
hold ids and search words. What no route matched is ``unmatched``. While the request runs, `current_traceparent` is its span, so log
lines and commands made for it belong to its trace. It continues the caller's trace if the caller sent a ``traceparent``.

Health and metrics are asked every few seconds; they are counted and timed, but not traced.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import Any, Final

from services.runtime.logs import current_traceparent
from services.runtime.metrics import Metrics
from services.runtime.telemetry import Telemetry

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNTRACED: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
UNMATCHED: Final = "unmatched"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_INTERNAL_ERROR: Final = 500


class RequestSpans:
    """Wraps an application. The outermost layer, so that it sees the final status of every answer."""

    def __init__(self, app: App, telemetry: Telemetry, metrics: Metrics) -> None:
        self._app = app
        self._telemetry = telemetry
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = _INTERNAL_ERROR

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        span = self._telemetry.start_span("request", _traceparent(scope["headers"]), kind="request")
        token = current_traceparent.set(span.traceparent)
        try:
            await self._app(scope, receive, watched_send)
        finally:
            current_traceparent.reset(token)
            method, route = _method(scope), _route(scope)
            self._metrics.http_requests.of(method, route, str(status)).inc()
            self._metrics.http_seconds.of(method, route).observe(perf_counter() - started)
            if route not in UNTRACED:
                span.name = f"{method} {route}"
                span.attributes.update(method=method, route=route, http_status=status)
                span.end("failed" if status >= _INTERNAL_ERROR else None)


def _traceparent(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"traceparent":
            return value.decode("latin-1")
    return None


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in _METHODS else "OTHER"


def _route(scope: Scope) -> str:
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else UNMATCHED
