"""The doors to what is published: releases for ever under their own addresses, and their files.

Releases are for everybody who has a token of the county. What is behind an address never changes, so whoever has it need not ask again:
files say `immutable`, and their `ETag` is their checksum. A pull that was cut off goes on where it stopped (`Range`).
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel
from starlette.responses import Response

from schemas.codes import Role
from services.reporting.releases import keeping
from services.reporting.releases.calendar import issue_named
from services.reporting.releases.model import File, Release, release_id
from services.reporting.releases.ranges import Asked, asked_for
from services.reporting.tables import Vintage
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import Actor, allow

Reader = Annotated[Actor, Depends(allow(*(role for role in Role if role is not Role.SERVICE)))]

FOR_EVER: Final = {"Cache-Control": "private, max-age=31536000, immutable"}
MOST_CACHED_BYTES: Final = 32 * 1024 * 1024


class FileView(BaseModel):
    """A file. `sha256` is the checksum of its bytes."""

    name: str
    media_type: str
    size: int
    sha256: str
    url: str


class ReleaseView(BaseModel):
    """A release. `changes` counts the figures that an earlier release had otherwise; `content.json` lists them."""

    name: str
    kind: str
    period: str
    vintage: Vintage
    published_at: datetime
    changes: int
    url: str
    files: list[FileView]


class ReleasesView(BaseModel):
    """All releases, those published last first. There are at most seventeen a year."""

    items: list[ReleaseView]
    next: None = None


class Shelf:
    """The bytes of files asked for lately: what is published never changes. Holds at most `MOST_CACHED_BYTES`."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._files: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()
        self._releases: dict[tuple[str, str], Release] = {}
        self._bytes = 0

    async def release(self, county: str, name: str) -> Release | None:
        """A release by its name (`2016-Q1-final`)."""
        if (known := self._releases.get((county, name))) is not None:
            return known
        if (issue := issue_named(name)) is None:
            return None
        found = await keeping.release(self._running.store(county), release_id(county, issue))
        if found is None or found.published_at is None:
            return None
        self._releases[county, name] = found
        return found

    async def file(self, county: str, release: Release, file: File) -> bytes:
        place = (county, release.batch, file.name)
        if (known := self._files.get(place)) is not None:
            self._files.move_to_end(place)
            return known
        content = await keeping.file(self._running.store(county), release.batch, file.name)
        self._files[place] = content
        self._bytes += len(content)
        while self._bytes > MOST_CACHED_BYTES:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest)
        return content


def release_routes(running: Running, shelf: Shelf) -> APIRouter:
    """Everything below ``/v1/releases``."""
    router = APIRouter(prefix="/v1/releases")

    async def found(county: str, name: str) -> Release:
        release = await shelf.release(county, name)
        if release is None:
            raise Problem("release-not-found", 404)
        return release

    @router.get("")
    async def releases(actor: Reader) -> ReleasesView:
        """What has been published."""
        known = await keeping.releases(running.store(actor.county))
        return ReleasesView(items=[_view(one) for one in known])

    @router.get("/{release}")
    async def release(actor: Reader, release: str) -> ReleaseView:
        """One release with its files."""
        return _view(await found(actor.county, release))

    @router.get("/{release}/{file}", response_class=Response)
    async def file(
        actor: Reader,
        release: str,
        file: str,
        if_none_match: Annotated[str | None, Header(description="The `ETag` of what you have.")] = None,
        range: Annotated[str | None, Header(description="`bytes=1000-`: from there on.")] = None,
        if_range: Annotated[str | None, Header(description="The `ETag` of what you have the beginning of.")] = None,
    ) -> Response:
        """A file, or what is still missing of it."""
        published = await found(actor.county, release)
        known = {one.name: one for one in published.files}.get(file)
        if known is None:
            raise Problem("release-not-found", 404)
        etag = f'"{known.sha256}"'
        headers = {**FOR_EVER, "ETag": etag, "Accept-Ranges": "bytes"}
        if is_known(etag, if_none_match):
            return Response(status_code=304, headers=headers)
        content = await shelf.file(actor.county, published, known)
        asked = asked_for(range if if_range in (None, etag) else None, known.size)
        match asked:
            case None:
                return Response(content, 200, headers, known.media_type)
            case Asked(first, last):
                headers["Content-Range"] = f"bytes {first}-{last}/{known.size}"
                return Response(content[first : last + 1], 206, headers, known.media_type)
            case "beyond":
                size = {"Accept-Ranges": "bytes", "Content-Range": f"bytes */{known.size}"}
                raise Problem("range-beyond-the-end", 416, headers=size, size=known.size)

    return router


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether the caller has this already, by what it says of it."""
    return if_none_match is not None and (if_none_match.strip() == "*" or etag in if_none_match)


def _view(release: Release) -> ReleaseView:
    if release.published_at is None:
        raise ValueError("only what was published is shown")
    url = f"/v1/releases/{release.issue.name}"
    return ReleaseView(
        name=release.issue.name,
        kind=release.kind,
        period=release.period,
        vintage=release.vintage,
        published_at=release.published_at,
        changes=release.changes,
        url=url,
        files=[FileView(**file.model_dump(), url=f"{url}/{file.name}") for file in release.files],
    )
