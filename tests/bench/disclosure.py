"""What disclosure control costs those who read the figures, and what attackers get out of them: `python -m tests.bench.disclosure`.

The year of `tests.reporting.a_year`, everything that is published of it, three ways on the same cells:

- *cell keys*: what this system does;
- *rounded*: each count to the nearest multiple of 10, as official statistics do where nothing else is at hand;
- *suppressed*: counts of 1 to 4 are not shown (taken as 0), the others as they are. What would have to go besides, so that the hidden
  ones do not follow from the totals, is not taken off: the real loss of this way is larger.

*Hellinger*: the distance between the true distribution over the parts of a whole and the published one, 0 (the same) to 1, the mean of all
splits. *Ranks*: Spearman's correlation between the true and the published order of the parts, the mean of all splits into five and more.
*Off*: the share of the cells of 20 and more whose figure is off by more than a tenth.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from services.reporting.disclosure.method import PUBLISHED_BY
from services.reporting.disclosure.sets import ALL, Split, splits_of
from services.reporting.sums import Cell
from services.reporting.tables import Vintage
from tests.reporting.attacks import Attacker
from tests.reporting.test_attacks import SOME, Year, both_vintages, detection, final, theirs

Vector = NDArray[np.float64]

PURPOSE: Final = "What disclosure control costs those who read the figures, and what attackers get out of them."

FROM: Final = 20
"""Counts that are large enough to be asked for their relative error."""

ATTACKS: Final = ("by_single_figures", "by_least_squares", "by_families")


@dataclass(frozen=True)
class Loss:
    """What a way of protecting costs; see above."""

    hellinger: float
    ranks: float
    off: float


def losses(year: Year) -> dict[str, Loss]:
    """Each way on the cells of a year."""
    ways: dict[str, Callable[[Cell, int], float]] = {
        "cell keys": lambda cell, count: year.figures.get(cell, 0),
        "rounded to 10": lambda cell, count: 10 * round(count / 10),
        "1 to 4 suppressed": lambda cell, count: 0 if count < 5 else count,
    }
    return {name: _loss(year, way) for name, way in ways.items()}


def _loss(year: Year, way: Callable[[Cell, int], float]) -> Loss:
    shown = {cell: way(cell, int(count)) for cell, count in zip(year.system.cells, year.counts, strict=True)}
    true = {cell: float(count) for cell, count in zip(year.system.cells, year.counts, strict=True)}
    parts: defaultdict[Split, list[Cell]] = defaultdict(list)
    for cell in year.system.cells:
        if sum(value != ALL for value in cell.values) == 1:
            for split in splits_of(cell):
                parts[split].append(cell)
    distances: list[float] = []
    ranks: list[float] = []
    for cells in parts.values():
        truth, seen = (np.array([of[cell] for cell in cells]) for of in (true, shown))
        if truth.sum() and seen.sum():
            distances.append(float(np.sqrt(max(0.0, 1 - np.sqrt(truth / truth.sum() * seen / seen.sum()).sum()))))
        if len(cells) >= 5 and len(set(truth)) > 1 and len(set(seen)) > 1:
            ranks.append(float(np.corrcoef(_ranks(truth), _ranks(seen))[0, 1]))
    large = [cell for cell in year.system.cells if true[cell] >= FROM]
    off = [abs(shown[cell] - true[cell]) > true[cell] / 10 for cell in large]
    return Loss(float(np.mean(distances)), float(np.mean(ranks)), float(np.mean(off)))


def _ranks(values: Vector) -> Vector:
    """Equal values share the mean of their ranks."""
    _, places, often = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(often)
    middle: Any = last - (often - 1) / 2
    return middle[places]


def attacked(year: Year) -> list[tuple[str, Sequence[float]]]:
    """Each attack with the share of counts that it recovers: of all cells, of those with somebody, of ones and twos."""
    attacker, truth = Attacker(year.system, year.seen, year.counts, PUBLISHED_BY), year.counts
    among = (truth >= 0, truth > 0, (truth == 1) | (truth == 2))
    return [
        (name, [guesses.recovered(truth, some) for some in among])
        for name, guesses in ((name, getattr(attacker, name)()) for name in ATTACKS)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m tests.bench.disclosure", description=PURPOSE).parse_args(arguments)
    console, year = Console(), final()
    truth = year.counts
    cells = (
        f"{len(truth)} cells, {(truth > 0).sum()} with somebody, {((truth == 1) | (truth == 2)).sum()} with one or two"
    )
    loss = Table(
        "what it costs", "Hellinger", "ranks", f"off by a tenth, from {FROM}", title=f"final releases: {cells}"
    )
    for name, one in losses(year).items():
        loss.add_row(name, f"{one.hellinger:.3f}", f"{one.ranks:.3f}", f"{one.off:.1%}")
    console.print(loss)
    recovered = Table("true counts recovered", "of all cells", "of those with somebody", "of ones and twos")
    for name, shares in attacked(year):
        recovered.add_row(name.replace("_", " "), *(f"{share:.3f}" for share in shares))
    console.print(recovered)
    system, in_first = both_vintages()
    added = Table("one person added between two vintages", "guessed right, mean", "at most", "certain, at most")
    for name, both in (("as published", set(in_first)), ("if everything were in both", set(system.cells))):
        found = [detection(system, both, theirs(person, Vintage.FINAL), PUBLISHED_BY.variance) for person in SOME]
        right, certain = [one.right for one in found], [one.certain for one in found]
        added.add_row(name, f"{np.mean(right):.3f}", f"{max(right):.3f}", f"{max(certain):.3f}")
    console.print(added)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
