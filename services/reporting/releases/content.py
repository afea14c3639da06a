"""What a release says, before it is written in any format: figures, what is not shown, and what is different from earlier ones.

Everything in here may be seen by everybody. True counts and keys go into `figures_of` and do not come out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import product

from pydantic import BaseModel, ConfigDict

from services.reporting.disclosure.sets import ALL, fineness, sets
from services.reporting.disclosure.showing import Shown, by_cell_keys, shown
from services.reporting.releases.calendar import Issue, periods_of
from services.reporting.releases.codes import code_list
from services.reporting.sums import Cell, Sum
from services.reporting.tables import DECLARED, Vintage


class Status(StrEnum):
    """The status of an observation, in the codes of SDMX (CL_OBS_STATUS)."""

    NORMAL = "A"
    PROVISIONAL = "P"
    CONFIDENTIAL = "C"


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Observation(_Written):
    """One figure. `values` has one for each dimension of the table, `ALL` for all together. `figure` is None where it is not shown."""

    period: str
    values: tuple[str, ...]
    figure: int | None

    @property
    def is_shown(self) -> bool:
        return self.figure is not None


class TableContent(_Written):
    """The figures of one table: of each period and each combination of values that it is published by, also where they are 0."""

    name: str
    observations: tuple[Observation, ...]


class Change(_Written):
    """A figure that an earlier `release` had, and this one has too, with another value."""

    table: str
    period: str
    values: tuple[str, ...]
    release: str
    before: int | None
    now: int | None


class Content(_Written):
    """A release: everything that its files say. Two of the same county and name are the same."""

    county: str
    kind: str
    period: str
    vintage: Vintage
    tables: tuple[TableContent, ...]
    changes: tuple[Change, ...] = ()

    @property
    def issue(self) -> Issue:
        return Issue(self.kind, self.period)

    @property
    def name(self) -> str:
        return self.issue.name

    def status(self, observation: Observation) -> Status:
        if not observation.is_shown:
            return Status.CONFIDENTIAL
        return Status.PROVISIONAL if self.vintage is Vintage.PROVISIONAL else Status.NORMAL

    @cached_property
    def figures(self) -> Mapping[Cell, int | None]:
        """Each figure by its cell; None for one that is not shown. A cell that is missing is not published here."""
        return {
            Cell(table.name, one.period, one.values): one.figure for table in self.tables for one in table.observations
        }


def figures_of(issue: Issue, months: Iterable[tuple[Cell, Sum]], secret: bytes) -> Shown:
    """What may be seen of the true cells of an issue's months, with the secret of its year and vintage."""
    return shown(sets(months, DECLARED.extents(issue.kind)), by_cell_keys(secret), DECLARED.is_public)


def content_of(county: str, issue: Issue, seen: Shown, earlier: Sequence[Content] = ()) -> Content:
    """The release for what may be seen. `earlier`: what has been published before of the same months."""
    content = Content(
        county=county,
        kind=issue.kind,
        period=issue.period,
        vintage=issue.vintage,
        tables=tuple(
            TableContent(
                name=table,
                observations=tuple(
                    Observation(period=cell.period, values=cell.values, figure=seen.figure(cell))
                    for cell in _cells(county, issue, table, seen)
                ),
            )
            for table in DECLARED.extents(issue.kind)
        ),
    )
    return content.model_copy(update={"changes": tuple(_changes(content, earlier))})


def _cells(county: str, issue: Issue, table: str, seen: Shown) -> Iterator[Cell]:
    """All cells that a table is published by, those of nobody included: the periods in order, the total of each first."""
    dimensions = DECLARED.tables[table].dimensions
    lists = [list(code_list(dimension, county)) for dimension in dimensions]
    for cell in seen.figures:  # what is in no list, such as a district of former times, is not left out
        if cell.table == table:
            for codes, value in zip(lists, cell.values, strict=True):
                if value != ALL and value not in codes:
                    codes.append(value)
    for span, detail in DECLARED.extents(issue.kind)[table].items():
        for named in periods_of(issue.period, span):
            for fine in fineness(len(dimensions), detail):
                for values in product(*([*codes] if by else [ALL] for codes, by in zip(lists, fine, strict=True))):
                    yield Cell(table, named, values)


def _changes(content: Content, earlier: Iterable[Content]) -> Iterator[Change]:
    for before in earlier:
        for cell, now in content.figures.items():
            if cell in before.figures and (was := before.figures[cell]) != now:
                yield Change(
                    table=cell.table, period=cell.period, values=cell.values, release=before.name, before=was, now=now
                )
