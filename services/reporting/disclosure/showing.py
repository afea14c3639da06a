"""From true sets to what may be seen of them. Nothing that is true comes out of here, but for what is no matter of persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.reporting.disclosure.draws import published
from services.reporting.disclosure.method import PUBLISHED_BY, Method
from services.reporting.disclosure.sets import Split, splits_of, told_by_neighbours
from services.reporting.sums import Cell, Sum, Sums


@dataclass(frozen=True)
class Shown:
    """`figures`: a cell that is neither here nor part of a split in `unsplit` is 0, and who sees a 0 does not know whether it was one."""

    figures: dict[Cell, int]
    unsplit: frozenset[Split]

    def figure(self, cell: Cell) -> int | None:
        """What is published of a cell; None for one that is not shown."""
        if any(split in self.unsplit for split in splits_of(cell)):
            return None
        return self.figures.get(cell, 0)


Publish = Callable[[Cell, Sum], int]
"""What is published for a cell and its sum. There are others in the tests, which break."""


def by_cell_keys(secret: bytes, method: Method = PUBLISHED_BY) -> Publish:
    """The cell key method with the secret of a reference year and vintage. Which cell it is must not matter."""
    return lambda cell, amount: published(method, secret, amount)


def shown(found: Sums, publish: Publish, is_public: Callable[[str], bool]) -> Shown:
    """The figures of all sets. Tables that are `is_public` keep their true counts and all their cells."""
    unsplit = frozenset(split for split in told_by_neighbours(found) if not is_public(split.whole.table))
    figures: dict[Cell, int] = {}
    for cell, amount in found:
        if is_public(cell.table):
            figures[cell] = amount.n
        elif not any(split in unsplit for split in splits_of(cell)) and (figure := publish(cell, amount)):
            figures[cell] = figure
    return Shown(figures, unsplit)
