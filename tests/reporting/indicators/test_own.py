"""Our own counts by their written definitions, worked out by hand. What goes in are published figures and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.reporting.indicators.own import (
    INTEGRATION_COURSES,
    NOT_SHOWN,
    OTHER_GERMAN_COURSES,
    Own,
    Published,
    own_figures,
)
from services.reporting.sums import Cell
from services.reporting.tables import DECLARED


def published(came: int | str | None, gone: int | str | None, year: str = "2016") -> Published:
    figures = {
        Cell("arrivals-by-citizenship", year, ("*", "new")): came,
        Cell("departures", year, ("new", "same-year")): gone,
    }
    return {cell: figure for cell, figure in figures.items() if figure is not None}  # type: ignore[misc]


def whole(indicator: str, figures: Published, rule: str = "of-the-move") -> Own:
    return own_figures(indicator, 2016, figures, rule)[0]  # type: ignore[arg-type]


def test_new_arrivals_are_the_cell_of_those_who_can_be_told_to_be_new() -> None:
    assert whole("5.1", published(3332, None)) == Own((), Decimal(3332))


def test_new_arrivals_are_shown_by_citizenship_too_and_a_withheld_group_stays_withheld() -> None:
    figures = {
        **published(30, None),
        Cell("arrivals-by-citizenship", "2016", ("eu", "new")): 25,
        Cell("arrivals-by-citizenship", "2016", ("third-country", "new")): NOT_SHOWN,
    }

    groups = own_figures("5.1", 2016, figures)[1:]

    assert groups == [
        Own((("citizenship", "eu"),), Decimal(25)),
        Own((("citizenship", "third-country"),), None, "withheld"),
        Own((("citizenship", "stateless-or-unclear"),), None, "not-published"),
    ]


def test_new_arrivals_who_left_are_those_who_left_in_the_year_in_which_they_moved_to_the_county() -> None:
    assert whole("5.2", published(100, 12)) == Own((), Decimal(12))


@pytest.mark.parametrize("indicator", ["5.2", "5.3"])
def test_with_the_year_of_entry_to_germany_the_tables_cannot_tell(indicator: str) -> None:
    assert whole(indicator, published(100, 12), "of-the-entry") == Own((), None, "not-in-the-tables")


@pytest.mark.parametrize(
    ("came", "gone", "share"),
    [(100, 12, "88.0"), (3, 1, "66.7"), (8, 0, "100.0"), (5, 5, "0.0"), (2000, 1, "100.0"), (16, 1, "93.8")],
)
def test_the_share_that_stayed_is_what_came_less_what_left_over_what_came(came: int, gone: int, share: str) -> None:
    assert whole("5.3", published(came, gone)) == Own((), Decimal(share))


@pytest.mark.parametrize(
    ("came", "gone", "gap"),
    [
        (0, 0, "no-arrivals"),
        (3, 4, "too-few-for-a-share"),
        (NOT_SHOWN, 4, "withheld"),
        (10, NOT_SHOWN, "withheld"),
        (None, 4, "not-published"),
        (10, None, "not-published"),
    ],
)
def test_where_there_is_no_share_there_is_a_gap_with_its_reason(
    came: int | str | None, gone: int | str | None, gap: str
) -> None:
    assert whole("5.3", published(came, gone)) == Own((), None, gap)  # type: ignore[arg-type]


def test_departures_of_another_year_do_not_count() -> None:
    figures: Published = {**published(10, None), **published(None, 7, "2017")}

    assert whole("5.2", figures).gap == "not-published"


def test_foreign_nationals_moving_in_are_everybody_but_those_who_are_also_german() -> None:
    figures: Published = {
        Cell("arrivals-by-citizenship", "2016", ("eu", "*")): 40,
        Cell("arrivals-by-citizenship", "2016", ("third-country", "*")): 20,
        Cell("arrivals-by-citizenship", "2016", ("stateless-or-unclear", "*")): 3,
        Cell("arrivals-by-citizenship", "2016", ("german-too", "*")): 1000,
    }

    assert whole("4.1", figures) == Own((), Decimal(63))


def test_foreign_nationals_moving_out_cannot_be_told_from_others() -> None:
    assert whole("4.2", published(1, 1)).gap == "not-in-the-tables"


def test_participants_are_those_who_began_a_course_of_the_kind() -> None:
    figures: Published = {
        Cell("referral-steps", "2016", (kind, "started")): 2 for kind in (*INTEGRATION_COURSES, *OTHER_GERMAN_COURSES)
    }

    assert whole("13.1", figures) == Own((), Decimal(10))
    assert whole("13.2", figures) == Own((), Decimal(6))


def test_nothing_is_computed_for_an_indicator_that_rests_on_official_figures_alone() -> None:
    assert own_figures("26.1", 2016, published(1, 1)) == []


@pytest.mark.parametrize("indicator", ["4.1", "5.1", "5.2", "5.3", "13.1", "13.2"])
def test_every_cell_that_is_asked_for_is_of_a_declared_table(indicator: str) -> None:
    class Asked(dict[Cell, int]):
        def get(self, cell: Cell, default: object = None) -> int:
            table = DECLARED.tables[cell.table]
            assert len(cell.values) == len(table.dimensions)
            for name, value in zip(table.dimensions, cell.values, strict=True):
                labels = DECLARED.dimensions[name].labels
                assert value == "*" or not labels or value in labels
            return 1

    assert own_figures(indicator, 2016, Asked())[0].value is not None
