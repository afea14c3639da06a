"""What becomes of a delivered file: what goes in, what waits, what is wrong, and what is remembered."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.indicators.declared import INDICATORS
from services.reporting.indicators.files import read
from services.reporting.indicators.keeping import Confirm, Delivered, TakeFile
from services.reporting.indicators.model import Delivery, Official, official_id
from services.runtime.errors import Refused
from tests.reporting.county import COUNTY
from tests.reporting.deciding import Desk
from tests.reporting.indicators.test_files import csv

ROW = "2;2016;03459;;26861;Anzahl;LSN;31.12.2016"


def send(desk: Desk, *lines: str, actor: str = "reporter-1") -> Delivered:
    content = csv(*lines)
    rows, faults = read(content)
    digest = hashlib.sha256(content).hexdigest()
    return desk.wish(TakeFile(digest=digest, rows=tuple(rows), faults=tuple(faults)), actor)


def official(desk: Desk, indicator: str, year: int) -> Official | None:
    return desk.known(Official, official_id(COUNTY, indicator, year))


def doubts(desk: Desk, delivery: str) -> list[tuple[int, list[str]]]:
    return [(one.row.line, [why.code for why in one.why]) for one in desk.get(Delivery, delivery).waiting]


def faults(desk: Desk, delivery: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.code) for one in desk.get(Delivery, delivery).faults]


def test_a_good_row_goes_in_with_its_source_and_date() -> None:
    desk = Desk()

    answer = send(desk, ROW)

    assert (answer.new, answer.corrected, answer.unchanged, answer.doubtful, answer.wrong) == (1, 0, 0, 0, 0)
    kept = official(desk, "2", 2016)
    assert kept is not None
    (figure,) = kept.figures
    assert (figure.now.said.value, figure.now.said.source, figure.now.said.stand.isoformat()) == (
        "26861",
        "LSN",
        "2016-12-31",
    )
    assert figure.now.by == "reporter-1"


def test_the_same_file_again_changes_nothing() -> None:
    desk = Desk()
    send(desk, ROW)
    before = official(desk, "2", 2016)

    answer = send(desk, ROW)

    assert (answer.new, answer.corrected, answer.unchanged) == (0, 0, 1)
    assert official(desk, "2", 2016) == before


def test_a_corrected_value_keeps_the_one_before_in_its_history() -> None:
    desk = Desk()
    send(desk, ROW)

    answer = send(desk, "2;2016;03459;;26900;Anzahl;LSN;30.06.2017", actor="reporter-2")

    assert (answer.new, answer.corrected) == (0, 1)
    kept = official(desk, "2", 2016)
    assert kept is not None
    (figure,) = kept.figures
    assert figure.now.said.value == "26900"
    assert [(one.said.value, one.by) for one in figure.before] == [("26861", "reporter-1")]


def test_a_value_that_the_supplier_hides_stays_hidden_with_its_mark() -> None:
    desk = Desk()

    send(desk, ROW, "2;2016;03459;sex=divers;.;Anzahl;LSN;31.12.2016")

    kept = official(desk, "2", 2016)
    assert kept is not None
    hidden = kept.figure(COUNTY, (("sex", "divers"),))
    assert hidden is not None
    assert (hidden.now.said.value, hidden.now.said.mark) == (None, ".")


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("2;2016;03157;;1;Anzahl;LSN;31.12.2016", "place", "place-not-of-the-indicator"),
        ("7;2016;034590014014;;1;Anzahl;AZR;31.12.2016", "place", "place-not-of-the-indicator"),
        ("2;2016;03459;;1;Prozent;LSN;31.12.2016", "unit", "unit-not-of-the-indicator"),
        ("2;2016;03459;school_type=x1;1;Anzahl;LSN;31.12.2016", "breakdown", "dimension-not-of-the-indicator"),
        ("2;2016;03459;sex=f;1;Anzahl;LSN;31.12.2016", "breakdown", "code-unknown"),
        ("2;2016;03459;;-1;Anzahl;LSN;31.12.2016", "value", "value-negative"),
        ("2;2016;03459;;1.5;Anzahl;LSN;31.12.2016", "value", "value-not-whole"),
        ("2;2019;03459;;1;Anzahl;LSN;31.12.2016", "year", "year-not-begun"),
        ("2;2016;03459;;1;Anzahl;LSN;31.12.2018", "stand", "date-in-the-future"),
    ],
)
def test_what_can_be_no_figure_of_the_indicator_does_not_go_in_and_hinders_no_other_row(
    row: str, column: str, code: str
) -> None:
    desk = Desk()

    answer = send(desk, row, "25;2016;03459;;100;Anzahl;BA;31.12.2016")

    assert (answer.new, answer.wrong) == (1, 1)
    assert faults(desk, answer.delivery) == [(2, column, code)]


def test_a_migration_balance_may_be_below_zero() -> None:
    assert send(Desk(), "4;2016;03459;;-12;Anzahl;LSN;31.12.2016").new == 1


def test_two_rows_that_contradict_each_other_the_later_one_is_wrong() -> None:
    desk = Desk()

    answer = send(desk, ROW, "2;2016;03459;;26862;Anzahl;LSN;31.12.2016")

    assert answer.new == 1
    assert faults(desk, answer.delivery) == [(3, "", "said-twice")]


@pytest.mark.parametrize(
    ("rows", "line", "code"),
    [
        (["2;2015;03459;;10000;Anzahl;LSN;31.12.2015", ROW], 3, "jump"),
        (["26.1;2016;03459;;101;Prozent;BA;31.12.2016"], 2, "share-above-100"),
        ([ROW, "2;2016;03459;sex=male;30000;Anzahl;LSN;31.12.2016"], 3, "part-above-the-whole"),
        (["2;2016;03459;;26861;Anzahl;LSN;31.12.2015"], 2, "date-before-the-year"),
        (["2;2016;03459;;–;Anzahl;LSN;31.12.2016"], 2, "dash-is-zero"),
    ],
)
def test_what_is_implausible_waits_for_somebody_to_confirm_it(rows: list[str], line: int, code: str) -> None:
    desk = Desk()
    answer = send(desk, *rows)
    assert [(at, code in codes) for at, codes in doubts(desk, answer.delivery)] == [(line, True)]

    confirmed = desk.wish(Confirm(delivery=answer.delivery, lines=(line,)))

    assert (confirmed.new, confirmed.doubtful) == (len(rows), 0)


def test_parts_that_come_to_more_than_the_whole_wait_all_of_them() -> None:
    desk = Desk()

    answer = send(
        desk,
        ROW,
        "2;2016;03459;sex=male;20000;Anzahl;LSN;31.12.2016",
        "2;2016;03459;sex=female;20000;Anzahl;LSN;31.12.2016",
    )

    assert doubts(desk, answer.delivery) == [(3, ["parts-above-the-whole"]), (4, ["parts-above-the-whole"])]


def test_an_older_source_does_not_replace_a_newer_one_unasked() -> None:
    desk = Desk()
    send(desk, "2;2016;03459;;26900;Anzahl;LSN;30.06.2017")

    answer = send(desk, ROW)

    assert doubts(desk, answer.delivery) == [(2, ["older-than-what-is-there"])]


def test_a_jump_of_very_small_numbers_is_nothing_unusual() -> None:
    assert send(Desk(), "8;2015;03459;;4;Anzahl;LSN;31.12.2015", "8;2016;03459;;9;Anzahl;LSN;31.12.2016").new == 2


def test_only_what_was_delivered_can_be_confirmed() -> None:
    with pytest.raises(Refused, match="delivery-not-found"):
        Desk().wish(Confirm(delivery="6f1c2a0e-8d5b-4c7e-9a31-0b2d4f6a8c10", lines=(1,)))


@given(
    st.lists(st.tuples(st.sampled_from(sorted(INDICATORS)), st.integers(2010, 2017), st.integers(0, 99)), max_size=12)
)
def test_whatever_is_sent_twice_is_kept_once_and_every_row_has_an_outcome(rows: list[tuple[str, int, int]]) -> None:
    desk = Desk()
    lines = [f"{one};{year};03459;;{n};{INDICATORS[one].unit};LSN;01.01.2018" for one, year, n in rows]

    first, kept = send(desk, *lines), desk.all(Official)
    again = send(desk, *lines)

    assert first.new + first.corrected + first.unchanged + first.doubtful + first.wrong == len(rows)
    assert (again.new, again.corrected) == (0, 0)
    assert desk.all(Official) == kept
