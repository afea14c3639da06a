"""Some of the figures of a release: those of a table, a period, a value. Pure; nothing comes out that the release does not say.

What is asked for and is not there is an error that names what there is, never an empty answer: a slip in a code would read as nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.reporting.releases.content import Content, Observation, TableContent
from services.reporting.tables import DECLARED

TABLE: Final = "table"
PERIOD: Final = "period"


class NotThere(LookupError):
    """`asked` is a name of ours (``table``, ``period``, a dimension), or None if it is none of these; `allowed` is what there is."""

    def __init__(self, asked: str | None, allowed: Iterable[str]) -> None:
        super().__init__("something that the release does not have was asked for")
        self.asked = asked
        self.allowed = tuple(allowed)


def some(content: Content, asked: Mapping[str, Sequence[str]]) -> list[tuple[TableContent, Observation]]:
    """The figures that are of one of the values asked for, in everything that is asked by; in the order of the release.

    Asking by a dimension leaves out the tables that do not have it. Raises `NotThere`.
    """
    tables = _tables(content, asked)
    by = [name for name in asked if name not in (TABLE, PERIOD)]
    for name in asked:
        _check(name, asked[name], tables)
    return [
        (table, one)
        for table in tables
        for one in table.observations
        if (PERIOD not in asked or one.period in asked[PERIOD])
        and all(_value(table, one, dimension) in asked[dimension] for dimension in by)
    ]


def _tables(content: Content, asked: Mapping[str, Sequence[str]]) -> list[TableContent]:
    known = [table.name for table in content.tables]
    if any(name not in known for name in asked.get(TABLE, ())):
        raise NotThere(TABLE, known)
    chosen = [table for table in content.tables if TABLE not in asked or table.name in asked[TABLE]]
    there = dict.fromkeys(name for table in chosen for name in DECLARED.tables[table.name].dimensions)
    by = {name for name in asked if name not in (TABLE, PERIOD)}
    of_all = [table for table in chosen if by <= {*DECLARED.tables[table.name].dimensions}]
    if not of_all:
        raise NotThere(None, (TABLE, PERIOD, *there))
    return of_all


def _check(name: str, values: Sequence[str], tables: Sequence[TableContent]) -> None:
    if name == TABLE:
        return
    there = dict.fromkeys(
        one.period if name == PERIOD else _value(table, one, name) for table in tables for one in table.observations
    )
    if any(value not in there for value in values):
        raise NotThere(name, there)


def _value(table: TableContent, one: Observation, dimension: str) -> str:
    return one.values[DECLARED.tables[table.name].dimensions.index(dimension)]
