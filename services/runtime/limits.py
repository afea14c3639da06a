"""How large the body of a request may be.

The bytes are counted as they come in, so that neither a false ``Content-Length`` nor a body in chunks gets more into memory than is
allowed. A body that announces itself as too large is refused before it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.problems import Problem

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_UPLOAD: Final = "takes_an_upload"


def upload(endpoint: Endpoint) -> Endpoint:
    """Decorates an endpoint that takes files, and so more bytes than others.

    It takes the `Request` and reads its ``stream()``: a declared body would be read before the token is checked.
    """
    setattr(endpoint, _UPLOAD, True)
    return endpoint


def takes_an_upload(endpoint: object) -> bool:
    return getattr(endpoint, _UPLOAD, False)


class BodyLimit:
    """ASGI layer that raises `Problem` 413 into the endpoint while it reads."""

    def __init__(self, app: ASGIApp, limit: int, upload_limit: int) -> None:
        self._app = app
        self._limit = limit
        self._upload_limit = upload_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _content_length(scope)
        read = 0

        async def counted() -> Message:
            nonlocal read
            # Asked here and not before, because only by now the router has found the endpoint.
            limit = self._upload_limit if takes_an_upload(scope.get("endpoint")) else self._limit
            if announced > limit:
                raise _too_large(limit)
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, counted, send)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _too_large(limit: int) -> Problem:
    return Problem("body-too-large", 413, limit_kib=limit // 1024)
