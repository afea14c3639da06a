"""The declared tables, read once from `tables.yaml`. A declaration that cannot be counted stops the service at its start."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.labels import Label
from schemas.plain_yaml import read_yaml
from services.reporting.disclosure.sets import LENGTH, Detail, Extent, Span

DIMENSIONS_BESIDE_THE_MONTH: Final = 2
"""With the month three: more would single people out."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unit(_Declared):
    """What is counted, from which events, and in which month. What is `public` is no matter of persons, and published as it is."""

    source: tuple[str, ...] = Field(min_length=1)
    month: str
    rule: str
    public: bool = False


class Dimension(_Declared):
    """What a table may be broken down by: `title` names it, `coarsening` says how it is made coarser. `labels` for codes of
    reporting's own; `first` ages of groups."""

    title: Label
    coarsening: str
    labels: dict[str, Label] = {}
    first: tuple[int, ...] = Field((), alias="from")


class Table(_Declared):
    """One table: `counts` names the unit, `dimensions` what it is broken down by beside the month."""

    title: Label
    counts: str
    dimensions: tuple[str, ...] = Field(min_length=1, max_length=DIMENSIONS_BESIDE_THE_MONTH)


class Vintage(StrEnum):
    """How certain a release is. What comes late is in the next one; each has secrets of its own."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class ReleaseKind(_Declared):
    """A kind of release: `days` after the end of each period it `publishes` so much of single tables, and `publishes_of_each` of all
    others."""

    vintage: Vintage
    of: Span
    days: int = Field(ge=1)
    publishes: dict[str, dict[Span, Detail]] = {}
    publishes_of_each: dict[Span, Detail] = {}

    @model_validator(mode="after")
    def _no_longer_than_its_period(self) -> Self:
        spans = {span for extent in (self.publishes_of_each, *self.publishes.values()) for span in extent}
        for span in spans:
            if LENGTH[span] > LENGTH[self.of]:
                raise ValueError(f"a release of each {self.of} cannot publish a {span}, which is not over then")
        return self


class Declaration(_Declared):
    """`edition` goes up whenever a figure could come out differently."""

    edition: int = Field(ge=1)
    tables: dict[str, Table]
    units: dict[str, Unit]
    dimensions: dict[str, Dimension]
    releases: dict[str, ReleaseKind] = {}

    @model_validator(mode="after")
    def _only_what_is_declared(self) -> Self:
        for name, table in self.tables.items():
            unknown = {table.counts} - self.units.keys() | set(table.dimensions) - self.dimensions.keys()
            if unknown:
                raise ValueError(f"the table {name} uses {', '.join(sorted(unknown))}, which is not declared")
        for name, kind in self.releases.items():
            if unknown := kind.publishes.keys() - self.tables.keys():
                raise ValueError(f"the release {name} publishes {', '.join(sorted(unknown))}, which is not declared")
        return self

    def extents(self, kind: str) -> dict[str, Extent]:
        """How much of each table a kind of release publishes; a table of which it publishes nothing is missing."""
        release = self.releases[kind]
        extents = {table: release.publishes.get(table, release.publishes_of_each) for table in self.tables}
        return {table: extent for table, extent in extents.items() if extent}

    def is_public(self, table: str) -> bool:
        return self.units[self.tables[table].counts].public


def parse(text: str) -> Declaration:
    """The tables that a text like `tables.yaml` declares. Raises pydantic's `ValidationError`."""
    return Declaration.model_validate(read_yaml(text))


DECLARED: Final = parse(Path(__file__).with_name("tables.yaml").read_text(encoding="utf-8"))
EDITION: Final = DECLARED.edition
