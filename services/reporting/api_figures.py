"""The door to some figures of a release: by table, period and values, in the caller's language, as JSON or CSV.

It picks from what is published, so it tells nothing that the files do not.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from services.reporting.api_releases import Reader, Shelf, is_known
from services.reporting.releases.codes import words
from services.reporting.releases.content import Content, Observation, Status, TableContent
from services.reporting.releases.filtering import PERIOD, TABLE, NotThere, some
from services.reporting.releases.formats.plain import COLUMNS, CONTENT_FILE, row
from services.reporting.releases.negotiating import wanted
from services.reporting.tables import DECLARED
from services.runtime.problems import Problem, language

JSON: Final = "application/json"
CSV: Final = "text/csv"
NAMED: Final = {"json": JSON, "csv": CSV}
LANGUAGES: Final = ("de", "en")

Figures = Sequence[tuple[TableContent, Observation]]


class FigureView(BaseModel):
    """A figure: its codes and words by dimension (`*` is the total); null where it is not shown."""

    table: str
    period: str
    codes: dict[str, str]
    words: dict[str, str]
    figure: int | None
    status: Status


class FiguresView(BaseModel):
    """Some figures of a release. `tables` are the titles of the tables that they are of."""

    release: str
    language: Literal["de", "en"]
    tables: dict[str, str]
    items: list[FigureView]
    next: None = None


def _parameter(name: str, description: str, one_of: Sequence[str] = (), *, several: bool = True) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string", "enum": list(one_of)} if one_of else {"type": "string"}
    schema = {"type": "array", "items": text} if several else text
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


ASKED_BY: Final = [
    _parameter(TABLE, "A table of the release. Repeat it for several.", list(DECLARED.tables)),
    _parameter(PERIOD, "`2016`, `2016-Q1` or `2016-03`."),
    *(
        _parameter(name, f"{dimension.title.en}: a code, or `*` for the total.")
        for name, dimension in DECLARED.dimensions.items()
    ),
    _parameter("lang", "Language of the words; otherwise as `Accept-Language` asks.", LANGUAGES, several=False),
    _parameter("format", "In which form; otherwise as `Accept` asks, or JSON.", list(NAMED), several=False),
]


def figure_routes(shelf: Shelf) -> APIRouter:
    """``/v1/releases/{release}/figures``."""
    router = APIRouter()

    @router.get(
        "/v1/releases/{release}/figures",
        response_class=Response,
        responses={
            200: {"model": FiguresView, "content": {CSV: {}}},
            304: {"description": "It is as you know it."},
        },
        openapi_extra={"parameters": ASKED_BY},
    )
    async def figures(
        request: Request,
        actor: Reader,
        release: str,
        if_none_match: Annotated[str | None, Header(description="The `ETag` of what you have.")] = None,
    ) -> Response:
        """Some figures of a release."""
        published = await shelf.release(actor.county, release)
        if published is None:
            raise Problem("release-not-found", 404)
        asked = {name: request.query_params.getlist(name) for name in request.query_params}
        spoken = _one("lang", asked.pop("lang", []), LANGUAGES) or language(request)
        named = _one("format", asked.pop("format", []), list(NAMED))
        media_type = NAMED[named] if named else wanted(request.headers.get("accept"), list(NAMED.values()))
        file = next(one for one in published.files if one.name == CONTENT_FILE)
        content = Content.model_validate_json(await shelf.file(actor.county, published, file))
        try:
            found = some(content, asked)
        except NotThere as error:
            raise _problem(error.asked, error.allowed) from None
        body = (_csv if media_type == CSV else _json)(content, found, spoken)
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Language, Authorization"}
        if is_known(etag, if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, media_type)

    return router


def _one(name: str, values: Sequence[str], allowed: Sequence[str]) -> Any:
    """The one value that was given, or None. Raises `Problem`."""
    if not values:
        return None
    if len(values) > 1 or values[0] not in allowed:
        raise _problem(name, allowed)
    return values[0]


def _problem(asked: str | None, allowed: Sequence[str]) -> Problem:
    told = ", ".join(allowed)
    if asked is None:
        return Problem("figures-asked-by-unknown", 400, allowed=told)
    return Problem("figures-value-unknown", 400, name=asked, allowed=told)


def _json(content: Content, found: Figures, spoken: Literal["de", "en"]) -> bytes:
    items: list[FigureView] = []
    for table, one in found:
        by = dict(zip(DECLARED.tables[table.name].dimensions, one.values, strict=True))
        said = {name: getattr(words(name, code, content.county), spoken) for name, code in by.items()}
        status = content.status(one)
        items.append(
            FigureView(table=table.name, period=one.period, codes=by, words=said, figure=one.figure, status=status)
        )
    titles = {table.name: getattr(DECLARED.tables[table.name].title, spoken) for table, _ in found}
    return FiguresView(release=content.name, language=spoken, tables=titles, items=items).model_dump_json().encode()


def _csv(content: Content, found: Figures, spoken: Literal["de", "en"]) -> bytes:
    """The columns of `figures.csv` without the words of the other language."""
    kept = [
        place
        for place, name in enumerate(COLUMNS)
        if name[-3:] not in {f"_{one}" for one in LANGUAGES if one != spoken}
    ]
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([COLUMNS[place] for place in kept])
    for table, one in found:
        values = row(content, table.name, one)
        lines.writerow([values[place] for place in kept])
    return text.getvalue().encode()
