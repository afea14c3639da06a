"""Attackers who have everything that was ever published of a year. If a test here fails, publish less (`releases` in tables.yaml).

Everything means: all provisional and all final releases of a year of 3,332 people, with months held against quarters and the year, parts
against wholes, and the one vintage against the other. The bars are written down in docs/architecture/disclosure-control.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import pytest

from services.reporting.counting import contributions
from services.reporting.disclosure.method import PUBLISHED_BY
from services.reporting.disclosure.sets import ALL, Extent, Span, sets, span_of
from services.reporting.disclosure.showing import Publish, by_cell_keys, shown
from services.reporting.sums import Cell, Row, Sum, Sums
from services.reporting.tables import DECLARED, Vintage
from tests.reporting.a_year import a_year
from tests.reporting.attacks import Attacker, Counts, System, Vector, detection

DETECTED_AT_MOST = 0.60
RECOVERED_AT_MOST = 0.40
SMALL_RECOVERED_AT_MOST = 0.50
CERTAIN_AT_MOST = 0.001
YEAR = "2016"

SECRETS = {Vintage.PROVISIONAL: b"provisional".ljust(32), Vintage.FINAL: b"final".ljust(32)}


# --- what is published -----------------------------------------------------------------------------------------------------


@cache
def people() -> Sequence[frozenset[Row]]:
    """The rows of the tables to which each person of the year leads."""
    return [frozenset(row for row in contributions(facts) if row.period.startswith(YEAR)) for facts in a_year()]


def found(rows: Iterable[Row], vintage: Vintage) -> Sums:
    """The true sets of all releases of a vintage together."""
    months = Sums()
    months.count(row for row in rows if not DECLARED.is_public(row.table))
    everything = Sums()
    for name, kind in DECLARED.releases.items():
        if kind.vintage is vintage:
            extents: Mapping[str, Extent] = DECLARED.extents(name)
            everything.merge(sets(months, extents))
    return everything


@dataclass(frozen=True)
class Year:
    """Everything published of a vintage, with what is true. `system` has all cells that may be seen, and those that show 0."""

    truth: Sums
    figures: Mapping[Cell, int]
    system: System

    @property
    def counts(self) -> Counts:
        return np.array([self.truth.get(cell).n for cell in self.system.cells])

    @property
    def seen(self) -> Vector:
        return np.array([float(self.figures.get(cell, 0)) for cell in self.system.cells])


def published(vintage: Vintage, publish: Publish | None = None) -> Year:
    truth = found((row for person in people() for row in person), vintage)
    seen = shown(truth, publish or by_cell_keys(SECRETS[vintage]), DECLARED.is_public)
    cells = {cell for cell, _ in truth if seen.figure(cell) is not None}
    values: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for cell in cells:
        for place, value in enumerate(cell.values):
            values[cell.table, place].add(value)
    for table, named, fine in {(c.table, c.period, tuple(value != ALL for value in c.values)) for c in cells}:
        choices = [sorted(values[table, place] - {ALL}) if is_fine else [ALL] for place, is_fine in enumerate(fine)]
        cells |= {cell for chosen in product(*choices) if seen.figure(cell := Cell(table, named, chosen)) is not None}
    return Year(truth, seen.figures, System(sorted(cells)))


@cache
def final() -> Year:
    return published(Vintage.FINAL)


# --- is somebody in there? ----------------------------------------------------------------------------------------------------

SOME = range(0, 3332, 37)


def theirs(person: int, vintage: Vintage) -> dict[Cell, int]:
    return {cell: amount.n for cell, amount in found(people()[person], vintage)}


@cache
def both_vintages() -> tuple[System, frozenset[Cell]]:
    in_first = frozenset(cell for cell, _ in published(Vintage.PROVISIONAL).truth)
    system = System(sorted({cell for cell, amount in final().truth if amount.n}))
    assert in_first <= system.place.keys()
    return system, in_first


def test_comparing_everything_tells_hardly_whether_somebody_was_added_between_two_vintages() -> None:
    system, in_first = both_vintages()
    found = [detection(system, set(in_first), theirs(person, Vintage.FINAL), PUBLISHED_BY.variance) for person in SOME]
    assert np.mean([one.right for one in found]) <= DETECTED_AT_MOST
    assert max(one.certain for one in found) <= CERTAIN_AT_MOST
    assert max(one.right for one in found) > 0.5, (
        "nothing that is published of both vintages would be nothing to attack"
    )


def test_publishing_everything_in_both_vintages_would_give_people_away() -> None:
    """What the attack shows where more is published: this is why provisional releases are so small."""
    system, _ = both_vintages()
    everything = set(system.cells)
    found = [detection(system, everything, theirs(person, Vintage.FINAL), PUBLISHED_BY.variance) for person in SOME]
    assert np.mean([one.right for one in found]) > 0.8
    assert np.mean([one.certain for one in found]) > 0.2


Guess = Callable[[Mapping[Cell, int], Mapping[Cell, int], Mapping[Cell, int]], bool]


def by_differences(before: Mapping[Cell, int], after: Mapping[Cell, int], theirs: Mapping[Cell, int]) -> bool:
    """The best guess from the figures of both vintages alone, when their draws are independent."""
    gained = sum(often * (after[cell] - before[cell]) for cell, often in theirs.items())
    return gained > sum(often**2 for often in theirs.values()) / 2


def by_any_change(before: Mapping[Cell, int], after: Mapping[Cell, int], theirs: Mapping[Cell, int]) -> bool:
    """The best guess when the same set has the same figure for ever."""
    return any(after[cell] != before[cell] for cell in theirs)


def guessed_right(guess: Guess, secrets: Sequence[tuple[bytes, bytes]]) -> float:
    """The share of right guesses, when each of some people is added, or is not, between two vintages with these pairs of secrets."""
    system, in_first = both_vintages()
    truth = {cell: final().truth.get(cell) for cell in system.cells if cell in in_first}
    right: list[bool] = []
    for person in SOME:
        own = found(people()[person], Vintage.FINAL)
        cells = {cell: own.get(cell) for cell in truth if own.get(cell).n}
        if not cells:
            continue  # came without consent: an anonymous count, which no provisional release publishes
        often = {cell: amount.n for cell, amount in cells.items()}
        for first, second in secrets:
            without = {
                cell: Sum(truth[cell].n - amount.n, truth[cell].keys - amount.keys) for cell, amount in cells.items()
            }
            before = {cell: by_cell_keys(first)(cell, without[cell]) for cell in cells}
            added = {cell: by_cell_keys(second)(cell, truth[cell]) for cell in cells}
            not_added = {cell: by_cell_keys(second)(cell, without[cell]) for cell in cells}
            right += [guess(before, added, often), not guess(before, not_added, often)]
    return float(np.mean(right))


def test_a_new_secret_for_each_vintage_hides_who_was_added() -> None:
    secrets = [(f"first {number}".encode(), f"second {number}".encode()) for number in range(40)]
    assert guessed_right(by_differences, secrets) <= DETECTED_AT_MOST
    assert guessed_right(by_any_change, secrets) <= DETECTED_AT_MOST


def test_a_build_with_one_secret_for_ever_would_show_who_was_added() -> None:
    secrets = [(secret, secret) for secret in (f"for ever {number}".encode() for number in range(10))]
    assert guessed_right(by_any_change, secrets) > 0.9


# --- how many are there? ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["by_single_figures", "by_least_squares", "by_families"])
def test_nobody_recovers_many_of_the_true_counts(attack: str) -> None:
    year = final()
    guesses = getattr(Attacker(year.system, year.seen, year.counts, PUBLISHED_BY), attack)()
    truth = year.counts
    assert guesses.recovered(truth, truth >= 0) <= RECOVERED_AT_MOST
    assert guesses.recovered(truth, truth > 0) <= RECOVERED_AT_MOST
    assert guesses.recovered(truth, (truth == 1) | (truth == 2)) <= SMALL_RECOVERED_AT_MOST


def by_averaging(figure: Callable[[Cell, Sum], int]) -> float:
    """The share of the totals that are recovered by whoever averages the same total of several tables, and holds months against
    quarters."""
    year = final()
    tables = [name for name, table in DECLARED.tables.items() if table.counts == "arrival"]
    whole = (ALL, ALL)
    cells = sorted(cell for cell in year.system.cells if cell.table == tables[0] and cell.values == whole)
    system = System(cells)
    seen: Vector = np.array(
        [
            sum(figure(cell._replace(table=table), year.truth.get(cell)) for table in tables) / len(tables)
            for cell in cells
        ]
    )
    fitted = seen - system.back(system.solve(system.gaps(seen), np.ones(len(cells))))
    return float(np.mean(np.rint(fitted) == [year.truth.get(cell).n for cell in cells]))


def test_asking_for_the_same_total_in_another_table_gives_the_same_answer() -> None:
    assert (
        np.mean([by_averaging(by_cell_keys(f"secret {number}".encode())) for number in range(40)]) <= RECOVERED_AT_MOST
    )


def test_a_build_with_fresh_keys_for_each_table_would_let_the_noise_be_averaged_away() -> None:
    def fresh(number: int) -> Publish:
        return lambda cell, amount: by_cell_keys(f"secret {number} of {cell.table}".encode())(cell, amount)

    assert np.mean([by_averaging(fresh(number)) for number in range(40)]) > RECOVERED_AT_MOST


def test_the_year_that_is_attacked_has_small_cells_and_every_table() -> None:
    counts = final().counts
    assert ((counts == 1) | (counts == 2)).sum() > 500
    assert {cell.table for cell in final().system.cells} == {t for t in DECLARED.tables if not DECLARED.is_public(t)}
    assert {span_of(cell.period) for cell in final().system.cells} == set(Span)
