"""The pages of ways: finding one by the id of a case, a referral or a trace, its waterfall, and what was slowest."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from schemas.codes import Role
from services.operations.console import Console
from services.operations.pages.standing import number
from services.runtime.catalogue import Language
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.ways import Scale, Step, Way, duration, in_order

WAYS: Final = f"{PREFIX}/ways"
SPANS_SHOWN: Final = 2_000
CELLS: Final = 200
"""Of a bar: its picture is as many units wide."""
_DEEPEST_INDENT: Final = 8

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_TRACE: Final = re.compile(r"[0-9a-f]{32}").fullmatch

Operator = Annotated[Visitor, Depends(page_for(Role.OPERATOR))]


def add_ways(router: APIRouter, console: Console, pages: Pages) -> None:
    @router.get(WAYS)
    async def ways(visitor: Operator, id: str = "") -> Response:
        wanted = id.strip().lower().rpartition("/")[2]
        if _UUID(wanted) or _TRACE(wanted):
            return RedirectResponse(f"{WAYS}/{wanted}", 303)
        return pages.show(
            visitor,
            "ways.html",
            status=422 if id else 200,
            typed=id,
            kept=number(console.spans.kept, visitor.language),
            duration=partial(lasting, language=visitor.language),
            hour=console.slowest.of(visitor.signed_in.county),
        )

    @router.get(WAYS + "/{id}")
    async def one_way(visitor: Operator, id: str) -> Response:
        if not (_UUID(id) or _TRACE(id)):
            raise Problem("not-found", 404)
        found = await asyncio.to_thread(_found, console, id, visitor.signed_in.county)
        stretches = found.worked
        scale = Scale(stretches, CELLS)
        return pages.show(
            visitor,
            "way.html",
            duration=partial(lasting, language=visitor.language),
            status=200 if found.steps else 404,
            id=id,
            way=found,
            rows=_rows(found, scale),
            cells=CELLS,
            services=sorted({step.span.service for step in found.steps}),
            traces=sorted({step.span.trace_id for step in found.steps}),
            failed=sum(step.span.failed for step in found.steps),
            whole=stretches[-1][1] - stretches[0][0] if stretches else 0,
            worked=sum(end - start for start, end in stretches),
        )


def _found(console: Console, id: str, county: str) -> Way:
    """Of a trace all of it, of a subject its own part and what led to it."""
    if _TRACE(id):
        found, cut = console.spans.of_trace(id, county, SPANS_SHOWN)
        return Way(id, tuple(in_order(found, "")), cut)
    subjects = console.spans.subjects(id, county)
    if not subjects:
        return Way(id, ())
    found, cut = console.spans.of_subject(subjects[0], county, SPANS_SHOWN)
    return Way(subjects[0], tuple(in_order(found, subjects[0])), cut)


def _rows(way: Way, scale: Scale) -> list[tuple[Step, int, int, int, int, int]]:
    """Each step with: the pause before it and its instant since the start (ns), its indent, where its bar begins, and how long it is."""
    begun = min((step.span.start_ns for step in way.steps), default=0)
    pauses = way.pauses
    rows: list[tuple[Step, int, int, int, int, int]] = []
    for step in way.steps:
        span = step.span
        first, after = scale.place(span.start_ns, span.end_ns)
        pause = pauses.pop(span.start_ns, 0)
        indent = min(step.depth, _DEEPEST_INDENT)
        rows.append((step, pause, span.start_ns - begun, indent, first, after - first))
    return rows


def lasting(ns: int, language: Language) -> str:
    """A length of time, with the decimal sign of the language."""
    said = duration(ns)
    return said.replace(".", ",") if language == "de" else said
