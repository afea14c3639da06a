"""What a seat is worth to those who are still to come."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Cefr
from services.referral.assignment import Problem
from services.referral.lookahead import (
    FADE_DAYS,
    LARGEST_SHARE,
    LEAST_OFFERS,
    LEAST_SHARE,
    NOTHING_LEARNED,
    PRIOR_SEATS,
    Learned,
    Period,
    learn,
    price,
    scarcity,
    sorts_of,
)
from services.referral.offers import OfferTerms
from tests.referral.network import COURSE, TODAY, standing, terms


def period(offers: list[OfferTerms], gains: list[dict[int, int]], seats: int = 1) -> Period:
    """Gains of each person by place."""
    pairs = [(person, place, gain) for person, own in enumerate(gains) for place, gain in own.items()]
    person, place, gain = (list(column) for column in zip(*pairs, strict=True))
    return Period(
        Problem(
            people=len(gains),
            seats=np.full(len(offers), seats, dtype=np.int64),
            person=np.array(person, dtype=np.int32),
            place=np.array(place, dtype=np.int32),
            gain=np.array(gain, dtype=np.int64),
            price=np.zeros(len(offers), dtype=np.int64),
            tie=np.zeros(len(pairs), dtype=np.int64),
        ),
        offers,
    )


def closing_in(days: int) -> OfferTerms:
    return terms(starts_on=TODAY + timedelta(days=days), ends_on=None)


LEARNED = Learned({(str(COURSE),): 400.0})


def test_a_seat_for_which_somebody_was_left_over_was_worth_what_they_would_have_gained():
    learned = learn([period([terms()], [{0: 700}, {0: 500}])])
    assert learned.of(terms()) == 500


def test_a_seat_that_was_left_over_was_worth_nothing():
    assert learn([period([terms(), terms()], [{0: 700, 1: 700}])]).of(terms()) == 0


def test_of_several_periods_the_mean_over_all_seats_counts():
    scarce = period([terms()], [{0: 700}, {0: 600}])
    plenty = period([terms()], [{0: 700}], seats=2)
    assert learn([scarce, plenty]).of(terms()) == 600 / 3


def test_a_narrow_sort_counts_when_there_were_enough_offers_of_it():
    beginners, advanced = terms(cefr_from=Cefr.A0, cefr_to=Cefr.A2), terms(cefr_from=Cefr.A2, cefr_to=Cefr.B2)
    wanted = [period([beginners], [{0: 700}, {0: 600}]) for _ in range(LEAST_OFFERS)]
    unwanted = [period([advanced], [{0: 700}]) for _ in range(LEAST_OFFERS)]
    few = learn([*wanted[1:], *unwanted[1:]])
    enough = learn([*wanted, *unwanted])
    assert (few.of(beginners), few.of(advanced)) == (300, 300)
    assert (enough.of(beginners), enough.of(advanced)) == (600, 0)


def test_without_history_nothing_is_asked():
    assert price(NOTHING_LEARNED, closing_in(30), 1.0, TODAY) == 0


def test_the_price_fades_to_zero_until_enrolment_closes():
    asked = [price(LEARNED, closing_in(days), 1.0, TODAY) for days in (30, FADE_DAYS, FADE_DAYS // 2, 0)]
    assert asked == [400, 400, 200, 0]


def test_a_service_without_a_last_day_keeps_its_price():
    kind = str(standing().kind)
    assert price(Learned({(kind,): 90.0}), standing(), 1.0, date(2030, 1, 1)) == 90


def test_with_plenty_of_seats_the_price_all_but_vanishes_and_with_few_it_is_a_little_more_than_learned():
    assert scarcity(came=100, opened=400) == LEAST_SHARE
    assert scarcity(came=400, opened=100) == LARGEST_SHARE


def test_a_few_days_say_little():
    assert scarcity(came=0, opened=0) == LARGEST_SHARE
    assert scarcity(came=0, opened=PRIOR_SEATS // 10) > 0.9 * LARGEST_SHARE


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(1, 100))
def test_the_more_seats_for_as_many_people_the_less_is_asked(came: int, opened: int, more: int):
    assert LEAST_SHARE <= scarcity(came, opened + more) <= scarcity(came, opened) <= LARGEST_SHARE
    assert scarcity(came, opened) <= scarcity(came + more, opened)


def test_the_sorts_of_an_offer_go_from_narrow_to_its_kind_alone():
    sorts = sorts_of(terms(child_care=True))
    assert [len(sort) for sort in sorts] == [4, 3, 2, 1]
    assert sorts[-1] == (str(COURSE),)
    assert all(narrow[: len(wide)] == wide for narrow, wide in pairwise(sorts))
