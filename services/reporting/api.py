"""What operators may ask: the declared tables, the true counts, the books; and to count anew.

True counts are for nobody else. Until figures are published there is nothing that others may read, and they are told so. Keys of records
are shown to nobody.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from schemas.codes import Role
from schemas.labels import Label
from services.reporting.auditing import Audit
from services.reporting.books import CountyBooks
from services.reporting.closing import is_closed
from services.reporting.figures import published_figures
from services.reporting.indicators.api import add_indicators
from services.reporting.pages import page_routes
from services.reporting.steering.api import add_steering
from services.reporting.store import Rebuilt
from services.reporting.tables import DECLARED, EDITION
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.security import Actor, allow


class TableView(BaseModel):
    """A declared table. `dimensions` beside the month, with how each is coarsened."""

    name: str
    title: Label
    counts: str
    month: str
    source: tuple[str, ...]
    rule: str
    dimensions: dict[str, str]


class TablesView(BaseModel):
    edition: int
    items: list[TableView]
    next: None = None


class CellView(BaseModel):
    """How many in one month, with one value for each dimension."""

    period: str
    values: dict[str, str]
    count: int


class CountsView(BaseModel):
    """The cells of a table that are not zero. While a month is not `closed`, more is expected to come in."""

    table: str
    period: str
    closed: bool
    items: list[CellView]
    next: None = None


Operator = Annotated[Actor, Depends(allow(Role.OPERATOR))]
Period = Annotated[
    str, Query(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]))?$", description="A month (2016-03) or a year (2016).")
]

_WHO_WOULD_READ: Final = allow(Role.OPERATOR, Role.REPORTER)


async def _may_see_true_counts(actor: Annotated[Actor, Depends(_WHO_WOULD_READ)]) -> Actor:
    if actor.role != Role.OPERATOR:
        raise Problem("counts-not-published", 403)
    return actor


TrueCounts = Annotated[Actor, Depends(_may_see_true_counts)]


def routes(running: Running) -> APIRouter:
    """Everything below ``/v1`` and ``/pages``."""
    router = APIRouter(prefix="/v1")
    published = published_figures(running)
    add_indicators(router, running, published)
    add_steering(router, running)

    @router.get("/tables")
    async def tables(actor: TrueCounts) -> TablesView:  # noqa: ARG001 - the dependency guards the route
        return _DECLARED

    @router.get("/tables/{table}")
    async def counts(actor: TrueCounts, table: str, period: Period) -> CountsView:
        if table not in DECLARED.tables:
            raise Problem("not-found", 404)
        first, last = (period, period) if "-" in period else (f"{period}-01", f"{period}-12")
        sums = await CountyBooks(running.database, actor.county).counts(table, first, last)
        dimensions = DECLARED.tables[table].dimensions
        return CountsView(
            table=table,
            period=period,
            closed=is_closed(last, running.clock.now()),
            items=[
                CellView(period=cell.period, values=dict(zip(dimensions, cell.values, strict=True)), count=figure.n)
                for cell, figure in sorted(sums)
            ],
        )

    @router.get("/books")
    async def books(actor: TrueCounts) -> Audit:
        return await CountyBooks(running.database, actor.county).audit()

    @router.post("/rebuild")
    async def rebuild(actor: Operator) -> Rebuilt:
        """Takes no idempotency key: doing it twice leaves what doing it once leaves."""
        return await CountyBooks(running.database, actor.county).rebuild()

    return APIRouter(routes=[*router.routes, *page_routes(running, published).routes])


_DECLARED: Final = TablesView(
    edition=EDITION,
    items=[
        TableView(
            name=name,
            title=table.title,
            counts=table.counts,
            month=DECLARED.units[table.counts].month,
            source=DECLARED.units[table.counts].source,
            rule=DECLARED.units[table.counts].rule,
            dimensions={dimension: DECLARED.dimensions[dimension].coarsening for dimension in table.dimensions},
        )
        for name, table in DECLARED.tables.items()
    ],
)
