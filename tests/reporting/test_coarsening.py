"""The coarse groups, and the definitions of the indicators that they follow."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from schemas.codes import Origin
from services.reporting.closing import is_closed
from services.reporting.coarsening import age_group, citizenship_group, district_on, first_day_after, new_arrival
from services.reporting.model import Arrival, Move
from services.reporting.tables import DECLARED
from tests.reporting.county import ARTLAND, BRAMSCHE, MELLE

MARCH_1 = date(2016, 3, 1)
FIRST_AGES = DECLARED.dimensions["age-group"].first


def came(**different: object) -> Arrival:
    told: dict[str, object] = {
        "district": MELLE,
        "arrived_on": MARCH_1,
        "origin": Origin.GERMANY,
        "citizenships": ("SY",),
        "in_germany_since": None,
    }
    return Arrival.model_validate(told | different)


@pytest.mark.parametrize(
    ("born", "group"),
    [
        (2016, "0-15"),
        (2001, "0-15"),
        (2000, "16-24"),
        (1991, "25-34"),
        (1962, "45-54"),
        (1961, "55+"),
        (1900, "55+"),
        (None, "unknown"),
        (2017, "unknown"),
    ],
)
def test_ages_are_counted_in_the_groups_that_the_counties_publish(born: int | None, group: str):
    assert age_group(born, 2016, FIRST_AGES) == group


@pytest.mark.parametrize(
    ("citizenships", "group"),
    [
        (("DE",), "german-too"),
        (("SY", "DE"), "german-too"),
        (("RO",), "eu"),
        (("SY", "RO"), "eu"),
        (("XK",), "third-country"),
        (("CH",), "third-country"),
        (("stateless", "LB"), "third-country"),
        (("stateless",), "stateless-or-unclear"),
        (("unclear",), "stateless-or-unclear"),
        ((), "stateless-or-unclear"),
    ],
)
def test_of_several_citizenships_the_german_one_counts_first_and_then_one_of_the_eu(
    citizenships: tuple[str, ...], group: str
):
    assert citizenship_group(citizenships, MARCH_1) == group


def test_the_european_union_is_that_of_the_day_of_arrival():
    assert citizenship_group(("GB",), date(2020, 1, 31)) == "eu"
    assert citizenship_group(("GB",), date(2020, 2, 1)) == "third-country"
    assert citizenship_group(("HR",), date(2013, 6, 30)) == "third-country"


def test_a_foreigner_who_comes_directly_from_abroad_is_a_new_arrival():
    assert new_arrival(came(origin=Origin.ABROAD)) == "new"
    assert new_arrival(came(origin=Origin.ABROAD, citizenships=("stateless",))) == "new"


def test_nobody_who_also_holds_german_citizenship_is_a_new_arrival():
    assert new_arrival(came(origin=Origin.ABROAD, citizenships=("KZ", "DE"))) == "other"


def test_from_elsewhere_in_germany_it_takes_less_than_a_year_of_residence():
    assert new_arrival(came(in_germany_since=date(2015, 3, 2))) == "new"
    assert new_arrival(came(in_germany_since=date(2015, 3, 1))) == "other"
    assert new_arrival(came(in_germany_since=date(2016, 3, 1))) == "new"


def test_a_year_before_29_february_is_the_28th():
    assert new_arrival(came(arrived_on=date(2016, 2, 29), in_germany_since=date(2015, 3, 1))) == "new"
    assert new_arrival(came(arrived_on=date(2016, 2, 29), in_germany_since=date(2015, 2, 28))) == "other"


def test_what_cannot_be_told_is_not_guessed():
    assert new_arrival(came(in_germany_since=None)) == "unclear"
    assert new_arrival(came(origin=Origin.UNKNOWN)) == "unclear"
    assert new_arrival(came(origin=Origin.ABROAD, citizenships=())) == "unclear"


def test_with_a_date_since_when_an_unknown_origin_does_not_matter():
    assert new_arrival(came(origin=Origin.UNKNOWN, in_germany_since=date(2016, 1, 5))) == "new"
    assert new_arrival(came(origin=Origin.UNKNOWN, in_germany_since=date(2009, 1, 5))) == "other"


def test_the_district_of_a_day_is_the_last_one_moved_to_by_then():
    moves = [
        Move(on=date(2016, 5, 1), district=BRAMSCHE),
        Move(on=date(2016, 8, 1), district=None),
        Move(on=date(2016, 10, 1), district=ARTLAND),
    ]
    lived_in = {
        "2016-03-01": MELLE,
        "2016-04-30": MELLE,
        "2016-05-01": BRAMSCHE,
        "2016-09-01": BRAMSCHE,
        "2016-10-01": ARTLAND,
    }

    assert {day: district_on(came(), moves, date.fromisoformat(day)) for day in lived_in} == lived_in


def test_a_move_reported_late_does_not_undo_a_later_one():
    moves = [Move(on=date(2016, 6, 1), district=BRAMSCHE), Move(on=date(2016, 5, 1), district=ARTLAND)]

    assert district_on(came(), moves, date(2016, 7, 1)) == BRAMSCHE
    assert district_on(came(), moves, date(2016, 5, 15)) == ARTLAND


def test_a_month_is_closed_fourteen_days_after_its_end_at_midnight_in_germany():
    assert not is_closed("2016-02", datetime(2016, 3, 14, 22, 59, tzinfo=UTC))
    assert is_closed("2016-02", datetime(2016, 3, 14, 23, 0, tzinfo=UTC))
    assert is_closed("2016-06", datetime(2016, 7, 14, 22, 0, tzinfo=UTC)), "summer time"


def test_december_is_followed_by_january():
    assert first_day_after("2016-12") == date(2017, 1, 1)
    assert first_day_after("2016-02") == MARCH_1
