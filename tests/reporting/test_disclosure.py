"""Disclosure control: what is published of a set depends on the set and a secret, is right on average, and never small."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import permutations
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.disclosure.draws import draw, published
from services.reporting.disclosure.method import DRAW_BITS, PUBLISHED_BY, Method, NoSuchTable
from services.reporting.disclosure.sets import ALL, Detail, Extent, Span, sets, splits_of, told_by_neighbours
from services.reporting.disclosure.showing import by_cell_keys, shown
from services.reporting.records import record_key
from services.reporting.sums import Cell, Row, Sum, Sums
from services.reporting.tables import DECLARED

SECRET, OTHER = b"s" * 32, b"o" * 32
EVERYTHING: Extent = dict.fromkeys(Span, Detail.FULL)

# --- the perturbation table ---------------------------------------------------------------------------------------------

COUNTS = st.integers(min_value=1, max_value=10_000)
DRAWS = st.integers(min_value=0, max_value=2**DRAW_BITS - 1)


@pytest.mark.parametrize("count", range(1, 30))
def test_on_average_a_count_is_changed_by_nothing_and_with_variance_four(count: int) -> None:
    row = PUBLISHED_BY.row(count)
    changes = list(zip(row.changes, row.probabilities, strict=True))
    assert sum(chance for _, chance in changes) == pytest.approx(1, abs=1e-9)
    assert sum(change * chance for change, chance in changes) == pytest.approx(0, abs=1e-7)
    assert sum(change**2 * chance for change, chance in changes) == pytest.approx(4, abs=1e-6)


def test_nobody_stays_nobody() -> None:
    assert PUBLISHED_BY.row(0).changes == (0,)
    with pytest.raises(ValueError, match="never below 0"):
        PUBLISHED_BY.row(-1)


@given(COUNTS, DRAWS)
def test_no_count_becomes_one_or_two_or_differs_by_more_than_seven(count: int, drawn: int) -> None:
    figure = PUBLISHED_BY.perturbed(count, drawn)
    assert figure >= 0
    assert figure not in (1, 2)
    assert abs(figure - count) <= 7


def test_a_row_is_the_flattest_there_is() -> None:
    """Whoever moves a little chance about and keeps mean and variance has a row that gives away more."""
    row = PUBLISHED_BY.row(3)
    chances = dict(zip(row.changes, row.probabilities, strict=True))
    kept = _kept_direction([-3, 0, 1, 2])
    for size in (1e-3, -1e-3):
        moved = [chance + size * kept.get(change, 0.0) for change, chance in chances.items()]
        assert _entropy(moved) < _entropy(chances.values())


def _entropy(chances: Iterable[float]) -> float:
    return -sum(chance * log(chance) for chance in chances)


def _kept_direction(changes: list[int]) -> dict[int, float]:
    """How much to move at each of four changes so that the sum, the mean and the mean square stay (divided differences are of degree 3)."""
    direction = {}
    for one in changes:
        product = 1.0
        for other in changes:
            if other != one:
                product *= one - other
        direction[one] = 1 / product
    return direction


def test_a_method_that_no_row_could_follow_is_refused() -> None:
    with pytest.raises(NoSuchTable):
        Method(most=2, variance=9.0, never_to=2).row(5)


# --- the draws ------------------------------------------------------------------------------------------------------------

ROWS = st.lists(
    st.builds(
        lambda who, month, one, two: Row("needs", f"2016-{month:02d}", (one, two), record_key(f"person {who}", "need")),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from(["lotse", "interpreter", "housing"]),
        st.sampled_from(["melle", "bramsche"]),
    ),
    max_size=40,
    unique=True,
)


def _counted(rows: list[Row]) -> Sums:
    sums = Sums()
    sums.count(rows)
    return sums


@given(ROWS)
def test_the_same_people_have_the_same_figure_wherever_they_appear(rows: list[Row]) -> None:
    found = sets(_counted(rows), {"needs": EVERYTHING})
    figures: defaultdict[Sum, set[int]] = defaultdict(set)
    for cell, amount in found:
        figures[amount].add(by_cell_keys(SECRET)(cell, amount))
    assert all(len(different) == 1 for different in figures.values())


@given(ROWS, st.randoms())
def test_neither_order_nor_counting_anew_changes_a_figure(rows: list[Row], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    half = len(mixed) // 2
    merged = _counted(mixed[:half])
    merged.merge(_counted(mixed[half:]))
    merged.count(rows)
    merged.count(rows, -1)
    one, other = (
        shown(sets(sums, {"needs": EVERYTHING}), by_cell_keys(SECRET), lambda table: False)
        for sums in (_counted(rows), merged)
    )
    assert one == other


def test_the_next_vintage_draws_anew() -> None:
    cells = [Sum(50, record_key(str(number), "set")) for number in range(400)]
    same = sum(published(PUBLISHED_BY, SECRET, cell) == published(PUBLISHED_BY, OTHER, cell) for cell in cells)
    assert same / len(cells) < 0.25  # two independent draws agree in 0.14 of cases


def test_draws_are_spread_evenly() -> None:
    draws = sorted(draw(SECRET, keys) / 2**DRAW_BITS for keys in range(4000))
    furthest = max(abs(value - place / 4000) for place, value in enumerate(draws))
    assert furthest < 1.63 / 4000**0.5  # Kolmogorov and Smirnov, at 1 in 100


# --- sets -------------------------------------------------------------------------------------------------------------------


def test_a_cell_of_a_month_is_part_of_its_quarter_its_year_and_all_that_is_coarser() -> None:
    row = Row("needs", "2016-05", ("lotse", "melle"), 7)
    found = sets(_counted([row]), {"needs": EVERYTHING})
    assert {(cell.period, cell.values) for cell, _ in found} == {
        (named, values)
        for named in ("2016-05", "2016-Q2", "2016")
        for values in ((ALL, ALL), ("lotse", ALL), (ALL, "melle"), ("lotse", "melle"))
    }
    margins = sets(_counted([row]), {"needs": {Span.YEAR: Detail.MARGINS}})
    assert {cell.values for cell, _ in margins} == {(ALL, ALL), ("lotse", ALL), (ALL, "melle")}
    total = sets(_counted([row]), {"needs": {Span.QUARTER: Detail.TOTAL}})
    assert {(cell.period, cell.values) for cell, _ in total} == {("2016-Q2", (ALL, ALL))}


def test_a_table_that_is_not_published_has_no_sets() -> None:
    assert not len(sets(_counted([Row("needs", "2016-05", ("lotse", "melle"), 7)]), {"waits": EVERYTHING}))


def test_where_all_people_are_in_one_part_the_parts_are_not_shown() -> None:
    """All needs of Melle are needs of an interpreter: who knows that somebody in Melle has a need would know which."""
    rows = [
        *(Row("needs", "2016-05", ("interpreter", "melle"), key) for key in (1, 2, 3)),
        Row("needs", "2016-05", ("lotse", "bramsche"), 4),
        Row("needs", "2016-05", ("interpreter", "bramsche"), 5),
    ]
    found = shown(
        sets(_counted(rows), {"needs": {Span.MONTH: Detail.FULL}}), lambda cell, amount: amount.n, lambda table: False
    )
    in_may = lambda *values: found.figure(Cell("needs", "2016-05", values))  # noqa: E731
    assert in_may("interpreter", "melle") is None
    assert in_may("lotse", "melle") is None, "an empty neighbour would tell as much"
    assert in_may(ALL, "melle") == 3
    assert in_may("lotse", "bramsche") is None, "all who need a guide live in Bramsche"
    assert in_may("interpreter", "bramsche") == 1


@given(ROWS)
def test_no_cell_that_is_shown_is_told_by_empty_neighbours(rows: list[Row]) -> None:
    found = sets(_counted(rows), {"needs": EVERYTHING})
    seen = shown(found, by_cell_keys(SECRET), lambda table: False)
    for cell in seen.figures:
        for split in splits_of(cell):
            beside = [other for other, amount in found if amount.n and split in splits_of(other)]
            assert len(beside) > 1
    assert seen.unsplit == told_by_neighbours(found)


def test_what_is_no_matter_of_persons_is_published_as_it_is() -> None:
    seats = _counted([Row("seats", "2016-05", ("lotse", "melle"), 7, units=2)])
    seen = shown(sets(seats, {"seats": EVERYTHING}), by_cell_keys(SECRET), DECLARED.is_public)
    assert seen.figure(Cell("seats", "2016-05", ("lotse", "melle"))) == 2
    assert [table for table in DECLARED.tables if DECLARED.is_public(table)] == ["seats"]


def test_three_sets_in_any_order_have_one_sum() -> None:
    keys = [record_key(name, "person") for name in "abc"]
    assert len({Sum(3, sum(order)) for order in permutations(keys)}) == 1
