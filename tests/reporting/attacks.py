"""Attackers of published counts, each as strong as we know how to make it: they have every figure ever published, the method and its
parameters, and how frequent small counts are; only the secrets and the truth are unknown to them.

Figures hang together: a whole is the sum of its parts, a year of its quarters, a quarter of its months, and a later vintage tells of
nearly the same people as an earlier one. Each of these equations is a row of `System`; what one figure leaves open, the others may close.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.reporting.disclosure.method import Method
from services.reporting.disclosure.sets import ALL, Span, Split, period, span_of, splits_of
from services.reporting.sums import Cell

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]

LARGEST_SMALL: Final = 40
"""Counts up to here are guessed one by one with all that is known of small ones; beyond, every count near the estimate is as likely."""

AS_MANY_LARGE: Final = 200
"""Large counts share their chance among so many."""


# --- what hangs together ------------------------------------------------------------------------------------------------


def equations(cells: Iterable[Cell]) -> dict[Split, list[Cell]]:
    """Wholes with their parts: by each dimension, and in time (`place` -1 for the months of a quarter, -2 for the quarters of a year, -3
    for the months of a year). Only those of which the whole is published, and all parts that have somebody."""
    published = set(cells)
    found: defaultdict[Split, list[Cell]] = defaultdict(list)
    spans: defaultdict[tuple[str, tuple[str, ...]], set[Span]] = defaultdict(set)
    for cell in published:
        spans[cell.table, cell.values].add(span_of(cell.period))
    for cell in published:
        for split in (*splits_of(cell), *_in_time(cell, spans[cell.table, cell.values])):
            if split.whole in published:
                found[split].append(cell)
    return found


def _in_time(cell: Cell, spans: set[Span]) -> Iterable[Split]:
    span = span_of(cell.period)
    if span is Span.MONTH:
        if Span.QUARTER in spans:
            yield Split(cell._replace(period=period(cell.period, Span.QUARTER)), -1)
        else:
            yield Split(cell._replace(period=cell.period[:4]), -3)
    elif span is Span.QUARTER:
        yield Split(cell._replace(period=cell.period[:4]), -2)


@dataclass(frozen=True)
class System:
    """The cells in an order, and the equations between them as a sparse matrix: each row is its parts less its whole, which is 0."""

    cells: Sequence[Cell]

    @cached_property
    def place(self) -> Mapping[Cell, int]:
        return {cell: place for place, cell in enumerate(self.cells)}

    @cached_property
    def families(self) -> Sequence[tuple[Cell, list[Cell]]]:
        return [(split.whole, parts) for split, parts in sorted(equations(self.cells).items())]

    @cached_property
    def _entries(self) -> tuple[Any, Any, Any]:
        rows, columns, signs = [], [], []
        for row, (whole, parts) in enumerate(self.families):
            for cell, sign in ((whole, -1.0), *((part, 1.0) for part in parts)):
                rows.append(row)
                columns.append(self.place[cell])
                signs.append(sign)
        return np.array(rows), np.array(columns), np.array(signs)

    def gaps(self, amounts: Vector) -> Vector:
        """By how much the parts exceed the whole, in each equation."""
        rows, columns, signs = self._entries
        return np.bincount(rows, signs * amounts[columns], len(self.families)).astype(np.float64)

    def back(self, gaps: Vector) -> Vector:
        """The transposed matrix: of each cell the gaps of its equations."""
        rows, columns, signs = self._entries
        return np.bincount(columns, signs * gaps[rows], len(self.cells)).astype(np.float64)

    def solve(self, gaps: Vector, spread: Vector) -> Vector:
        """(C S C^T)^-1 gaps by conjugate gradients, with the variances `spread` of the cells. Equations that follow from others do no
        harm."""
        scale = np.maximum(np.bincount(self._entries[0], spread[self._entries[1]], len(self.families)), 1e-9)
        answer, rest = np.zeros_like(gaps), gaps.copy()
        z = rest / scale
        direction, old = z.copy(), float(rest @ z)
        goal = 1e-10 * max(old, 1e-30)
        for _ in range(400):
            if old <= goal:
                break
            pushed = self.gaps(spread * self.back(direction))
            step = old / float(direction @ pushed)
            answer += step * direction
            rest -= step * pushed
            z = rest / scale
            new = float(rest @ z)
            direction = z + (new / old) * direction
            old = new
        return answer


# --- is somebody in there? -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Detection:
    """How far the figures of two vintages tell whether one person was added between them.

    `distance`: by how many standard deviations the attacker's best statistic differs between the two cases. Of those who guess by it,
    `right` guess right, the two cases being equally likely; `certain` are those who may be sure at 99 in 100.
    """

    distance: float

    @property
    def right(self) -> float:
        return _normal(self.distance / 2)

    @property
    def certain(self) -> float:
        if self.distance == 0:
            return 0.0
        needed = math.log(99)
        return _normal((self.distance**2 / 2 - needed) / self.distance) + _normal(
            (-(self.distance**2) / 2 - needed) / self.distance
        )


def detection(system: System, in_both: set[Cell], theirs: Mapping[Cell, int], variance: float) -> Detection:
    """Whether the person who counts so often in each of the cells `theirs` was added between two vintages, of which the second publishes
    all cells and the first those `in_both`. Everything else is the same in both; the attacker knows that, and which cells would be the
    person's.

    With the draws of a vintage independent of the other's, the best statistic (generalised least squares) has two independent parts: the
    differences of the figures published in both, each with twice the variance; and what their mean breaks of the equations.
    """
    joined = np.array([float(theirs.get(cell, 0)) for cell in system.cells])
    both = np.array([1.0 if cell in in_both else 0.0 for cell in system.cells])
    direct = float((joined**2 * both).sum()) / (2 * variance)
    spread = variance * np.where(both > 0, 0.5, 1.0)
    broken = system.gaps(joined * both * 0.5)
    through = float(broken @ system.solve(broken, spread)) if broken.any() else 0.0
    return Detection(math.sqrt(direct + through))


def _normal(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


# --- how many are there? --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Guesses:
    """An attacker's best guess of each cell, in the order of the system."""

    counts: Counts

    def recovered(self, truth: Counts, among: NDArray[np.bool_]) -> float:
        """The share of the cells of which the guess is the truth."""
        return float((self.counts == truth)[among].mean())


class Attacker:
    """One vintage's figures, and how frequent each true count is in each class of cells: as the truth has it, which is more than anybody
    knows. A class are the cells of a table that are equally fine and of periods of one length."""

    def __init__(self, system: System, figures: Vector, truth: Counts, method: Method) -> None:
        self.system, self.figures, self.method = system, figures, method
        classes = [
            (cell.table, span_of(cell.period), tuple(value == ALL for value in cell.values)) for cell in system.cells
        ]
        of: defaultdict[object, list[int]] = defaultdict(list)
        for klass, count in zip(classes, truth, strict=True):
            of[klass].append(int(count))
        frequent = {klass: _frequency(counts) for klass, counts in of.items()}
        self._prior = [frequent[klass] for klass in classes]
        self._own = [self._alone(place) for place in range(len(figures))]

    def _alone(self, place: int) -> tuple[int, Vector]:
        """What a figure says by itself: the first count that is possible, and the chances of it and those after it."""
        figure = int(self.figures[place])
        first, likely = _likelihood(self.method, figure)
        prior = self._prior[place]
        known = prior[np.minimum(np.arange(first, first + len(likely)), len(prior) - 1)]
        chances = likely * known
        whole = chances.sum()
        return first, (chances / whole if whole > 0 else likely / likely.sum())

    def by_single_figures(self) -> Guesses:
        """Looks at nothing but the figure itself."""
        return Guesses(np.array([first + int(chances.argmax()) for first, chances in self._own]))

    def by_least_squares(self, probes: int = 400, seed: int = 1) -> Guesses:
        """Also at all equations: what all other figures say of a cell is a normal distribution, by which its own chances are weighed.

        How much of a cell's variance the equations leave is estimated with random probes (Hutchinson)."""
        means = np.array([first + float(np.arange(len(chances)) @ chances) for first, chances in self._own])
        squares = np.array([float(((first + np.arange(len(chances))) ** 2) @ chances) for first, chances in self._own])
        spread = np.maximum(squares - means**2, 1e-3)
        system = self.system
        left = means - spread * system.back(system.solve(system.gaps(means), spread))
        random = np.random.default_rng(seed)
        explained = np.zeros(len(means))
        root = np.sqrt(spread)
        for _ in range(probes):
            probe = random.choice((-1.0, 1.0), len(means))
            explained += probe * root * system.back(system.solve(system.gaps(root * probe), spread))
        after = spread * np.clip(1 - explained / probes, 1e-3, 1.0)
        counts = []
        for place, (first, chances) in enumerate(self._own):
            rest = 1 / after[place] - 1 / spread[place]
            if rest <= 1e-9:
                counts.append(first + int(chances.argmax()))
                continue
            there = (left[place] / after[place] - means[place] / spread[place]) / rest
            near = np.arange(first, first + len(chances))
            counts.append(first + int((np.log(chances + 1e-300) - rest * (near - there) ** 2 / 2).argmax()))
        return Guesses(np.array(counts))

    def by_families(self, most: int = 12) -> Guesses:
        """Looks at each whole with its two or three parts, going through all that could be true of them. The same set has the same figure,
        and the attacker knows: a whole of one part has that part's figure."""
        best = np.array([first + int(chances.argmax()) for first, chances in self._own])
        sure = np.array([float(chances.max()) for _, chances in self._own])
        for whole, parts in self.system.families:
            if len(parts) not in (2, 3):
                continue
            places = [self.system.place[part] for part in parts]
            if max(self.figures[place] for place in places) > most - 4:
                continue
            joint = self._of_family(self.system.place[whole], places, most)
            for axis, place in enumerate(places):
                chances = joint.sum(axis=tuple(other for other in range(len(places)) if other != axis))
                if chances.max() > sure[place]:
                    sure[place], best[place] = chances.max(), int(chances.argmax())
        return Guesses(best)

    def _of_family(self, whole: int, places: Sequence[int], most: int) -> NDArray[np.float64]:
        counts = np.indices((most,) * len(places))
        joint: Any = np.ones((most,) * len(places))
        for axis, place in enumerate(places):
            prior = self._prior[place]
            chance = np.array(
                [
                    _chance(self.method, count, int(self.figures[place])) * prior[min(count, len(prior) - 1)]
                    for count in range(most)
                ]
            )
            joint = joint * chance[counts[axis]]
        total = counts.sum(axis=0)
        figure = int(self.figures[whole])
        of_whole = np.array([_chance(self.method, count, figure) for count in range(most * len(places))])
        only = (counts > 0).sum(axis=0) == 1
        same = np.zeros_like(joint)
        for axis, place in enumerate(places):
            if int(self.figures[place]) == figure:
                same[counts[axis] == total] = 1.0
        joint = joint * np.where(only, same, of_whole[total])
        whole_chance = joint.sum()
        return joint / whole_chance if whole_chance > 0 else joint


def _frequency(counts: Sequence[int]) -> Vector:
    """How frequent each small count is; the last entry is that of each larger one."""
    frequent = np.bincount(np.minimum(counts, LARGEST_SMALL + 1), minlength=LARGEST_SMALL + 2).astype(np.float64)
    frequent[:-1] += 1e-6
    frequent[-1] = max(frequent[-1] / AS_MANY_LARGE, 1e-6)
    return frequent / frequent.sum()


@lru_cache(maxsize=4096)
def _likelihood(method: Method, figure: int) -> tuple[int, Vector]:
    first = max(0, figure - method.most)
    return first, np.array([_chance(method, count, figure) for count in range(first, figure + method.most + 1)])


@lru_cache(maxsize=65536)
def _chance(method: Method, count: int, figure: int) -> float:
    row = method.row(count)
    change = figure - count
    return row.probabilities[row.changes.index(change)] if change in row.changes else 0.0
