"""The door for spans, as any OpenTelemetry exporter sends them: OTLP over HTTP, protobuf.

There on one machine alone, where whoever reaches it is on this machine. In production the services send to the county's collector.
"""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.operations.otlp import MEDIA_TYPE, NOTHING_REFUSED, NotOtlp, read
from services.operations.span_store import SpanStore
from services.runtime.problems import Problem

TRACES: Final = "/v1/traces"


def receiver(store: SpanStore) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def take(body: bytes, packed: bool) -> None:  # noqa: FBT001 - called by position, on a thread
        store.take(read(body, packed=packed))

    @router.post(TRACES)
    async def traces(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise Problem("unsupported-media-type", 415, expected=MEDIA_TYPE)
        packing = request.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("gzip", "identity"):
            raise Problem("unsupported-media-type", 415, expected="gzip")
        try:
            await asyncio.to_thread(take, await request.body(), packing == "gzip")
        except NotOtlp:
            raise Problem("bad-request", 400) from None
        return Response(NOTHING_REFUSED, media_type=MEDIA_TYPE)

    return router
