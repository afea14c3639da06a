"""The half-years and the rounds of the bench: that they are what the figures say they are."""

from __future__ import annotations

import numpy as np
import pytest

from services.referral.assignment import WAITS
from services.referral.lookahead import NOTHING_LEARNED, learn
from tests.bench.figures import DAILY, FIRST_COME, LOOKING_AHEAD, HalfYear, Report
from tests.bench.halfyear import DAYS, TEST, TRAINING, VALIDATION, Shift, world
from tests.bench.online import Played, daily, first_come, policies, with_prices
from tests.bench.solving import Solving, measure


@pytest.fixture(scope="module")
def played() -> Played:
    return Played(world(Shift.ORDINARY, VALIDATION[0]))


def test_a_half_year_is_the_same_for_the_same_seed_and_another_for_another():
    one, again, other = (world(Shift.SURGE, seed) for seed in (1, 1, 2))
    assert one == again
    assert one.needs != other.needs
    assert world(Shift.ORDINARY, 1).needs != one.needs


def test_nothing_is_tuned_on_what_is_reported():
    assert not {*TEST} & {*TRAINING, *VALIDATION}


def test_nobody_is_served_before_they_come_or_after_they_went_nor_where_nothing_was_open(played: Played):
    for policy in (first_come, daily):
        outcome = played.play(policy)
        served = np.flatnonzero(outcome.served >= 0)
        day, place = outcome.served[served], outcome.given[served]
        assert ((played.comes[served] <= day) & (day < played.goes[served])).all()
        assert ((played.opens[place] <= day) & (day < played.closes[place])).all()
        assert (np.bincount(place, minlength=len(played.seats)) <= played.seats).all()
        assert (outcome.given != WAITS).sum() == len(served)


def test_hindsight_is_never_beaten(played: Played):
    learned = learn([played.in_hindsight()])
    for policy in policies(learned).values():
        assert played.play(policy).figures()["ratio"] < 1


def test_without_anything_learned_looking_ahead_is_the_optimum_of_each_day(played: Played):
    ahead = played.play(with_prices(NOTHING_LEARNED, by_scarcity=True))
    assert np.array_equal(ahead.served, played.play(daily).served)


def test_some_mentors_drop_out_before_the_day_that_was_announced():
    dropped = [one for one in world(Shift.MENTORS_DROP_OUT, 1).offers if one.closes < one.announced]
    assert dropped
    assert all(one.closes == max(one.opens, DAYS // 2) for one in dropped)
    assert all(one.closes == one.announced for one in world(Shift.ORDINARY, 1).offers)


def test_a_round_of_the_bench_places_as_many_as_there_are_seats():
    measured = measure(300, 60)
    assert 0 < measured.placed <= 0.8 * 300
    assert measured.pairs > measured.placed


def test_the_bars_of_matching_are_those_of_the_size_that_they_are_for():
    sizes = [Solving(people, 10, 1, 1, 1.0, times, 1.0, times) for people, times in ((1000, 9.0), (10_000, 2.5))]
    (verdict,) = Report({}, matching=sizes).verdicts()
    assert (verdict.value, verdict.reached) == (2.5, True)


def test_looking_ahead_is_judged_beside_hindsight_the_day_and_first_come():
    def year(seed: int, ratio: float, served: float) -> HalfYear:
        figures = {
            FIRST_COME: {"ratio": 0.85, "served": 0.7},
            DAILY: {"ratio": 0.87, "served": 0.69},
            LOOKING_AHEAD: {"ratio": ratio, "served": served},
        }
        return HalfYear("surge", seed, figures)

    report = Report({}, online=[year(1, 0.9, 0.71), year(2, 0.86, 0.7)])
    verdicts = {one.what: (round(one.value, 3), one.reached) for one in report.verdicts()}
    assert verdicts == {
        "surge: of hindsight": (0.88, True),
        "surge: worst lead over the optimum of each day": (-0.01, False),
        "surge: share served beyond first come, first served": (0.005, True),
    }
