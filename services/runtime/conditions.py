"""Conditional requests (RFC 9110, 13): what a resource is like now, as a tag, and what a caller wants it to be like.

A tag is of the content, whatever the language it is told in; the header has the language beside it, because it names one representation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response

from services.runtime.problems import Problem, language

IfMatch = Annotated[
    str | None, Header(description="The `ETag` that was read: nothing is changed if it is like that no more (412).")
]


def wanted(header: str | None) -> tuple[str, ...]:
    """The tags of an ``If-Match``; empty when there is none, or any will do (``*``). Raises `Problem` 400."""
    if header is None or header.strip() == "*":
        return ()
    found = tuple(part.strip() for part in header.split(","))
    if not all(len(one) > 2 and one.startswith('"') and one.endswith('"') for one in found):
        raise Problem("bad-request", 400)
    return tuple(one[1:-1].rpartition(".")[0] or one[1:-1] for one in found)


def told(request: Request, response: Response, tag: str) -> Response:
    """The answer with its tag; 304 without content when the caller has it already."""
    etag = f'"{tag}.{language(request)}"'
    headers = {"etag": etag, "vary": "accept-language", "cache-control": "private, no-cache"}
    if etag in _known(request.headers.getlist("if-none-match")):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def _known(headers: Sequence[str]) -> set[str]:
    return {part.strip().removeprefix("W/") for header in headers for part in header.split(",")}
