"""The declared tables, read once from `tables.yaml`. A declaration that cannot be counted stops the service at its start."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.labels import Label
from schemas.plain_yaml import read_yaml

DIMENSIONS_BESIDE_THE_MONTH: Final = 2
"""With the month three: more would single people out."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unit(_Declared):
    """What is counted, from which events, and in which month."""

    source: tuple[str, ...] = Field(min_length=1)
    month: str
    rule: str


class Dimension(_Declared):
    """How something is coarsened. `labels` for codes of reporting's own; `first` ages of groups."""

    coarsening: str
    labels: dict[str, Label] = {}
    first: tuple[int, ...] = Field((), alias="from")


class Table(_Declared):
    """One table: `counts` names the unit, `dimensions` what it is broken down by beside the month."""

    title: Label
    counts: str
    dimensions: tuple[str, ...] = Field(min_length=1, max_length=DIMENSIONS_BESIDE_THE_MONTH)


class Declaration(_Declared):
    """`edition` goes up whenever a figure could come out differently."""

    edition: int = Field(ge=1)
    tables: dict[str, Table]
    units: dict[str, Unit]
    dimensions: dict[str, Dimension]

    @model_validator(mode="after")
    def _only_what_is_declared(self) -> Self:
        for name, table in self.tables.items():
            unknown = {table.counts} - self.units.keys() | set(table.dimensions) - self.dimensions.keys()
            if unknown:
                raise ValueError(f"the table {name} uses {', '.join(sorted(unknown))}, which is not declared")
        return self


def parse(text: str) -> Declaration:
    """The tables that a text like `tables.yaml` declares. Raises pydantic's `ValidationError`."""
    return Declaration.model_validate(read_yaml(text))


DECLARED: Final = parse(Path(__file__).with_name("tables.yaml").read_text(encoding="utf-8"))
EDITION: Final = DECLARED.edition
