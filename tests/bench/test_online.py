"""The half-years and the rounds of the bench: that they are what the figures say they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from rich.console import Console

from schemas.codes import Sex
from services.referral.assignment import WAITS
from services.referral.lookahead import NOTHING_LEARNED, learn
from tests.bench import planned
from tests.bench.figures import DAILY, FIRST_COME, LOOKING_AHEAD, HalfYear, Report
from tests.bench.futures import FUTURES, sampled_futures
from tests.bench.halfyear import DAYS, FIRST_DAY, TEST, TRAINING, VALIDATION, Shift, World, world
from tests.bench.outcomes import LAST_COUNTED, Outcome, gini, play
from tests.bench.played import Morning, Played
from tests.bench.policies import daily, first_come, with_prices
from tests.bench.solving import Solving, measure
from tests.bench.tables import means, of_each, tables, teaching
from tests.bench.teaching import OWN, own_months


@pytest.fixture(scope="module")
def played() -> Played:
    return Played(world(Shift.ORDINARY, VALIDATION[0]))


def test_a_half_year_is_the_same_for_the_same_seed_and_another_for_another():
    one, again, other = (world(Shift.SURGE, seed) for seed in (1, 1, 2))
    assert one == again
    assert one.needs != other.needs
    assert world(Shift.ORDINARY, 1).needs != one.needs


DRAWN = {
    Shift.ORDINARY: "0e03c09ddb1f2799",
    Shift.SURGE: "eec92e53cd513897",
    Shift.OTHER_LANGUAGES: "9ab061405fa60110",
    Shift.MENTORS_DROP_OUT: "b7631e1211441264",
    Shift.PLENTY: "4b1df68aa10d6fc9",
}


@pytest.mark.parametrize("shift", Shift)
def test_the_half_years_are_those_that_policies_were_tuned_on(shift: Shift):
    assert fingerprint(world(shift, TRAINING[0])) == DRAWN[shift]


def fingerprint(made: World) -> str:
    """Of everything in a world that a policy or a rule can see, and when it comes and goes."""
    needs = [
        [
            *(one.seeker.need, one.seeker.kind, one.seeker.urgent, one.seeker.since.isoformat()),
            *(one.seeker.home.district, one.seeker.birth_year, one.seeker.sex, one.seeker.residence_group),
            *(one.seeker.benefit_regime, one.seeker.german, sorted(one.seeker.hours.available)),
            *(sorted(one.seeker.languages), sorted(one.seeker.child_care_ages), one.comes, one.goes),
        ]
        for one in made.needs
    ]
    offers = [
        [
            one.offer.id,
            one.offer.seats,
            one.opens,
            one.closes,
            one.announced,
            terms.model_dump(mode="json", exclude_defaults=True),
        ]
        for one in made.offers
        if (terms := one.offer.terms) is not None
    ]
    return hashlib.sha256(json.dumps([needs, offers], sort_keys=True).encode()).hexdigest()[:16]


def test_nothing_is_tuned_on_what_is_reported():
    assert not {*TEST} & {*TRAINING, *VALIDATION}
    assert not {*TRAINING} & {*VALIDATION}
    assert not {OWN + seed for seed in TEST} & {*TEST, *TRAINING, *VALIDATION}


def test_nobody_is_served_before_they_come_or_after_they_went_nor_where_nothing_was_open(played: Played):
    for policy in (first_come, daily):
        outcome = play(played, policy)
        served = np.flatnonzero(outcome.served >= 0)
        day, place = outcome.served[served], outcome.given[served]
        assert ((played.comes[served] <= day) & (day < played.goes[served])).all()
        assert ((played.opens[place] <= day) & (day < played.closes[place])).all()
        assert (np.bincount(place, minlength=len(played.seats)) <= played.seats).all()
        assert (outcome.given != WAITS).sum() == len(served)


def test_whoever_gains_more_than_hindsight_can_has_cheated(played: Played, monkeypatch: pytest.MonkeyPatch):
    learned = learn([played.in_hindsight()])
    assert play(played, with_prices(learned, by_scarcity=True)).figures()["ratio"] < 1
    monkeypatch.setattr(played, "worth", lambda person, *_: np.full(len(person), 10**7))
    with pytest.raises(AssertionError, match="hindsight"):
        play(played, first_come)


def test_without_anything_learned_looking_ahead_is_the_optimum_of_each_day(played: Played):
    ahead = play(played, with_prices(NOTHING_LEARNED, by_scarcity=True))
    assert np.array_equal(ahead.served, play(played, daily).served)


# --- sampled futures ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def morning(played: Played) -> Morning:
    """The morning of a day on which nobody was served before."""
    kept: list[Morning] = []
    play(played, lambda _, morning: kept.append(morning) or [])
    return next(one for one in kept if one.day == 30)


def test_the_fewer_futures_are_enough_the_more_people_are_served_today(played: Played, morning: Morning):
    some = sampled_futures(played, FUTURES, 1)
    served = [len(policy(played, morning)) for policy in some]
    assert served == sorted(served)
    assert served[0] < served[-1]


def test_a_policy_that_samples_futures_knows_nothing_of_the_real_one(played: Played, morning: Morning):
    """Nobody comes any more, and nobody's patience ends: it decides of this morning as it did."""
    now = played.world
    needs = tuple(replace(one, goes=max(one.goes, DAYS)) for one in now.needs if one.comes <= morning.day)
    other = Played(replace(now, needs=needs))
    (one,), (another,) = sampled_futures(played, 1), sampled_futures(other, 1)
    seen = replace(morning, waiting=morning.waiting[: len(needs)])
    assert {person for person, _ in one(played, morning)} == {person for person, _ in another(other, seen)}


# --- what is reported ---------------------------------------------------------------------------------------------------


def test_everything_that_is_asked_for_is_reported_of_each_policy(played: Played):
    assert set(play(played, daily).figures()) == {
        *("ratio", "ratio of the counted", "served", "unmet, some offer fitted", "unmet, none fitted"),
        *(
            "wait p50",
            "wait p90",
            "wait p99",
            "unserved wait p50",
            "unserved wait p90",
            "unserved wait p99",
            "urgent p90",
        ),
        *("gap of languages", "gap of municipalities", "gap of sexes", "Gini of gain", "same partner again"),
        *("under-filled courses", "round ms p50", "round ms p99"),
    }


def test_shares_waits_and_gaps_are_those_of_a_hand_count(played: Played):
    outcome = play(played, daily)
    figures, served = outcome.figures(), outcome.served
    counted = [number for number in range(len(served)) if played.comes[number] < LAST_COUNTED]
    assert figures["served"] == pytest.approx(sum(served[one] >= 0 for one in counted) / len(counted))
    parts = ("served", "unmet, some offer fitted", "unmet, none fitted")
    assert sum(figures[name] for name in parts) == pytest.approx(1)
    by_sex = {sex: [served[one] >= 0 for one in counted if played.world.needs[one].seeker.sex == sex] for sex in Sex}
    shares = [sum(some) / len(some) for some in by_sex.values() if some]
    assert figures["gap of sexes"] == pytest.approx(max(shares) - min(shares))


def test_a_course_with_fewer_than_its_minimum_is_counted_and_one_with_nobody_is_not(played: Played):
    course = next(number for number, one in enumerate(played.world.offers) if one.minimum > 1)
    people = len(played.comes)

    def with_people(number: int) -> float:
        given = np.full(people, WAITS, dtype=np.int32)
        given[:number] = course
        served = np.where(given != WAITS, played.comes, -1)
        return Outcome(played, served, given, np.zeros(people, dtype=np.int64), np.zeros(1)).figures()[
            "under-filled courses"
        ]

    assert [with_people(number) for number in (0, 1, played.world.offers[course].minimum)] == [0, 1, 0]


def test_continuity_is_of_those_who_come_again_alone(played: Played):
    needs, offers = played.world.needs, played.world.offers
    own = next(
        (number, place)
        for number, one in enumerate(needs)
        for place, offer in enumerate(offers)
        if offer.offer.terms is not None and one.known_to == offer.offer.terms.partner
    )
    stranger = next(number for number, one in enumerate(needs) if one.known_to is None)
    given = np.full(len(needs), WAITS, dtype=np.int32)
    given[own[0]], given[stranger] = own[1], own[1]
    served = np.where(given != WAITS, 0, -1)
    nothing = np.zeros(len(needs), dtype=np.int64)
    assert Outcome(played, served, given, nothing, np.zeros(1)).figures()["same partner again"] == 1


def test_gini_is_nothing_where_all_gain_the_same_and_nearly_one_where_one_gains_everything():
    assert gini(np.full(10, 7)) == pytest.approx(0)
    assert gini(np.array([0] * 99 + [5])) == pytest.approx(0.99)
    assert gini(np.array([1, 3])) == pytest.approx(0.25)


def test_a_table_for_each_half_year_is_printed_when_it_is_asked_for():
    figures = {name: {"ratio": 0.9, "served": 0.7, "wait p90": 10.0} for name in (FIRST_COME, DAILY, LOOKING_AHEAD)}
    report = Report({}, online=[HalfYear("surge", seed, figures) for seed in (1, 2)])
    few, many = list(tables(report)), list(tables(report, each_seed=True))
    assert len(many) == len(few) + 2
    console = Console(width=120)
    with console.capture() as told:
        console.print(means("surge", report.online), *of_each(report.online), teaching({"surge": report.online}))
    assert "surge, seed 2" in told.get()
    assert "0.900" in told.get()


# --- what prices are learned from ---------------------------------------------------------------------------------------


def test_own_months_are_what_the_county_has_seen_by_then():
    own = world(Shift.ORDINARY, OWN)
    first, longer = (list(own_months(own, weeks)) for weeks in (8, 26))
    assert sum(one.problem.people for one in first) == sum(one.comes < 56 for one in own.needs)
    assert sum(one.problem.people for one in longer) == len(own.needs)
    last = FIRST_DAY + timedelta(days=56)
    assert sum(len(one.terms) for one in first) == sum(one.opens < 56 for one in own.offers)
    assert any(terms.last_day is not None and terms.last_day > last for one in first for terms in one.terms)


def test_some_mentors_drop_out_before_the_day_that_was_announced():
    dropped = [one for one in world(Shift.MENTORS_DROP_OUT, 1).offers if one.closes < one.announced]
    assert dropped
    assert all(one.closes == max(one.opens, DAYS // 2) for one in dropped)
    assert all(one.closes == one.announced for one in world(Shift.ORDINARY, 1).offers)


def test_a_round_of_the_bench_places_as_many_as_there_are_seats():
    measured = measure(300, 60)
    assert 0 < measured.placed <= 0.8 * 300
    assert measured.pairs > measured.placed


def test_plans_of_the_bench_close_courses_and_none_gains_more_than_the_exact_one():
    found = planned.measure(400, 40)
    assert found.exactly == len(planned.COUNTED_KINDS)
    assert 0 < found.closed < found.courses
    assert 0 < found.of_exact <= 1
    assert "plans of courses, CPU seconds" in [
        str(one.columns[0].header) for one in tables(Report({}, planning=[found]))
    ]


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
