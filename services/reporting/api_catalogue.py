"""The door to the catalogue: what is published, as portals of open data read it (DCAT-AP.de 3.0)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from services.reporting.api_releases import Reader, is_known
from services.reporting.releases import keeping
from services.reporting.releases.catalogue.entries import entries
from services.reporting.releases.catalogue.rdf import json_ld, turtle
from services.reporting.releases.negotiating import wanted
from services.runtime.publisher import Publisher
from services.runtime.running import Running

JSON_LD: Final = "application/ld+json"
TURTLE: Final = "text/turtle"
WRITERS: Final = {JSON_LD: json_ld, TURTLE: turtle}
NAMED: Final = {"jsonld": JSON_LD, "turtle": TURTLE}


def catalogue_routes(running: Running) -> APIRouter:
    """``/v1/catalogue``."""
    router = APIRouter()

    @router.get(
        "/v1/catalogue",
        response_class=Response,
        responses={200: {"content": {JSON_LD: {}, TURTLE: {}}}, 304: {"description": "It is as you know it."}},
    )
    async def catalogue(
        request: Request,
        actor: Reader,
        format: Annotated[
            Literal["jsonld", "turtle"] | None,
            Query(description="In which form; otherwise as `Accept` asks, or JSON-LD."),
        ] = None,
        if_none_match: Annotated[str | None, Header(description="The `ETag` of what you have.")] = None,
    ) -> Response:
        """All releases of the county with their files, as a catalogue of data sets."""
        media_type = NAMED[format] if format else wanted(request.headers.get("accept"), list(WRITERS))
        publisher = running.settings.publishers.get(actor.county, Publisher())
        base = (running.settings.public_url or str(request.base_url)).rstrip("/")
        known = await keeping.releases(running.store(actor.county))
        content = WRITERS[media_type](entries(actor.county, known, publisher, base))
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
        if is_known(etag, if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(content, 200, headers, media_type)

    return router
