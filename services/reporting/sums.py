"""Rows and their sums. Sums commute: neither order, nor batches, nor who wrote them can be told from the result.

A row says that a record counts in a cell. A cell holds how many units its rows count, and the sum of their records' keys. A row that is
retracted takes off exactly what it had added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Row(NamedTuple):
    """A record in a cell: `values` are those of the table's dimensions, `key` the record's (40 bits), `units` how many it counts."""

    table: str
    period: str
    values: tuple[str, ...]
    key: int
    units: int = 1


class Cell(NamedTuple):
    """One figure of one table: the month, and a value for each dimension."""

    table: str
    period: str
    values: tuple[str, ...]


class Sum(NamedTuple):
    """`n` units; `keys` the sum of the keys, once for each unit: 40 bits each, so eight million units fit into 63."""

    n: int
    keys: int


NOTHING = Sum(0, 0)


class Sums:
    """Cells with their sums. Equal when all their figures are equal; a cell of zero is as good as none."""

    def __init__(self) -> None:
        self._cells: dict[Cell, Sum] = {}

    def count(self, rows: Iterable[Row], sign: int = 1) -> None:
        """Add rows, or take them off with `sign` -1."""
        for row in rows:
            units = sign * row.units
            self.add(Cell(row.table, row.period, row.values), Sum(units, units * row.key))

    def add(self, cell: Cell, change: Sum) -> None:
        old = self._cells.get(cell, NOTHING)
        new = Sum(old.n + change.n, old.keys + change.keys)
        if new == NOTHING:
            self._cells.pop(cell, None)
        else:
            self._cells[cell] = new

    def merge(self, other: Sums, sign: int = 1) -> None:
        """Add other sums, or take them off with `sign` -1."""
        for cell, change in other:
            self.add(cell, Sum(sign * change.n, sign * change.keys))

    def get(self, cell: Cell) -> Sum:
        return self._cells.get(cell, NOTHING)

    def cells(self) -> set[Cell]:
        return set(self._cells)

    def differing(self, other: Sums) -> set[Cell]:
        """The cells in which the two are not equal."""
        return {cell for cell in self.cells() | other.cells() if self.get(cell) != other.get(cell)}

    def __iter__(self) -> Iterator[tuple[Cell, Sum]]:
        return iter(self._cells.items())

    def __len__(self) -> int:
        return len(self._cells)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sums) and self._cells == other._cells

    __hash__ = None  # type: ignore[assignment]
