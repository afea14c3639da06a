"""What a county learns from its own last months, and how rounds and explanations look ahead with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Role, WaitReason
from services.referral import store as kept
from services.referral.eligibility import Circumstances
from services.referral.hindsight import LEAST_DAYS, History, is_due
from services.referral.lookahead import NO_PRICES, NOTHING_LEARNED, Learned, Lesson, Prices, learn
from services.referral.matching import match
from services.runtime.calendar import berlin_day
from tests.referral.house import House
from tests.referral.network import COURSE, NOW, TODAY, WHERE, Network, id_of, need_of, offer, seeker
from tests.referral.test_doors import partner_of, put
from tests.referral.test_matching import worlds
from tests.referral.test_standing import Made, of_one_kind

KEPT_BACK = WHERE.settings.look_ahead.kept_back_days


def asking(points: float) -> Circumstances:
    """Where a seat of a course costs so many points."""
    return replace(WHERE, prices=Prices(Learned({(str(COURSE),): points}), {}))


def learned_by(network: Network) -> Learned:
    told = History(berlin_day(network.now))
    for case in network.cases():
        told.add(case)
    return learn(told.periods(network.offers(), WHERE))


def worth(network: Network) -> float:
    """What was learned of a seat of the course."""
    terms = network.offer("course").terms
    assert terms is not None
    return learned_by(network).of(terms)


# --- learning -----------------------------------------------------------------------------------------------------------


def test_a_seat_was_worth_what_somebody_left_over_would_have_gained_by_it():
    network = Network()
    network.publishes("course", seats=1)
    for name in ("amal", "badr"):
        network.person(name)
    network.round()
    assert worth(network) > 500


def test_where_there_was_room_for_everybody_a_seat_was_worth_nothing():
    network = Network()
    network.publishes("course", seats=2)
    for name in ("amal", "badr"):
        network.person(name)
    network.round()
    assert worth(network) == 0


def test_who_came_long_after_an_offer_had_closed_is_not_counted_for_it():
    network = Network()
    network.publishes("course", seats=1)
    network.person("amal")
    network.later(days=60)
    network.person("badr")
    assert worth(network) == 0


def test_a_county_in_which_nobody_came_has_nothing_to_learn_from():
    network = Network()
    network.publishes("course", seats=1)
    assert learned_by(network) == NOTHING_LEARNED


# --- rounds -------------------------------------------------------------------------------------------------------------


def test_a_seat_that_is_worth_more_to_who_is_to_come_is_kept_and_the_need_hears_why():
    dear = match([seeker("amal")], [offer("course")], asking(2000))
    assert [one.reason for one in dear.unplaced] == [WaitReason.KEPT_FOR_LATER]
    assert [pair.offer for pair in match([seeker("amal")], [offer("course")], asking(100)).pairs] == [id_of("course")]


def test_nobody_is_kept_back_for_longer_than_the_county_allows():
    since = NOW - timedelta(days=KEPT_BACK)
    at_last = match([seeker("amal", since=since), seeker("badr")], [offer("course", seats=2)], asking(2000))
    assert [pair.case for pair in at_last.pairs] == [id_of("amal", "case")]


def test_where_no_seat_is_left_over_that_is_the_reason():
    dear = match([seeker("amal")], [offer("course", seats=0)], asking(2000))
    assert [one.reason for one in dear.unplaced] == [WaitReason.NO_FREE_SEAT]


@given(worlds, st.integers(0, 3000))
def test_at_any_price_whoever_waits_although_a_seat_that_fits_is_left_is_told_so_and_has_not_waited_long(
    made: Made, asked: int
):
    people, offers = of_one_kind(made)
    where = replace(WHERE, prices=Prices(Learned({(str(one.terms.kind),): asked for one in offers if one.terms}), {}))
    found = match(people, offers, where, "seed")
    given = [pair.offer for pair in found.pairs]
    left = [place for place in offers if place.free > given.count(place.id)]
    by_need = {one.need: one for one in people}
    for one in found.unplaced:
        who = by_need[one.need]
        would = match([who], left, WHERE, "seed").pairs
        if one.reason is WaitReason.KEPT_FOR_LATER:
            assert would
            assert (TODAY - berlin_day(who.since)).days < KEPT_BACK
        elif one.reason is not WaitReason.HELD_ALREADY:
            assert not would


@given(worlds)
def test_without_a_price_nobody_is_kept_back(made: Made):
    people, offers = made
    found = match(people, offers, replace(WHERE, prices=NO_PRICES), "seed")
    assert WaitReason.KEPT_FOR_LATER not in {one.reason for one in found.unplaced}


# --- in the running service ---------------------------------------------------------------------------------------------


@pytest.mark.asyncio(loop_scope="package")
async def test_what_was_learned_is_asked_in_rounds_and_said_in_explanations(house: House):
    asked = {("integration-course-general",): 5000.0}
    await kept.keep_lesson(house.store, Lesson(Learned(asked), TODAY))
    async with partner_of(house) as partner:
        await put(partner, seats=1)
    await house.people(["amal"])
    await house.round()
    async with house.client(Role.COUNSELLOR) as counsellor:
        why = (await counsellor.get(f"/v1/needs/{need_of('amal')}/reasons")).json()
    assert (why["waits_because"], why["outlook"]) == ("kept-for-later", None)
    assert f"At the latest {KEPT_BACK} days after the search began this ends" in why["sentence"]
    (path,) = why["closest"]
    assert path["conditions"] == []
    assert path["sentences"][0].startswith("This place is free and fits.")


def test_a_county_learns_once_in_a_month_and_not_before_it_has_a_history():
    begun = TODAY - timedelta(days=LEAST_DAYS)
    earlier, now = (Lesson(NOTHING_LEARNED, day) for day in (TODAY - timedelta(days=1), TODAY))
    assert is_due(None, begun, TODAY)
    assert is_due(earlier, begun, TODAY)  # it was May then
    assert not is_due(now, begun, TODAY + timedelta(days=29))
    assert not is_due(None, begun + timedelta(days=1), TODAY)
    assert not is_due(None, None, TODAY)


@pytest.mark.asyncio(loop_scope="package")
async def test_what_was_learned_from_what_is_stored_is_there_again(house: House):
    async with partner_of(house) as partner:
        await put(partner, seats=1)
    await house.people(["amal", "badr"])
    await house.round()
    told, offers = await kept.history(house.store, TODAY)
    learned = learn(told.periods(offers, await kept.circumstances(house.store, TODAY)))
    assert learned.points[(str(COURSE),)] > 0
    await kept.keep_lesson(house.store, Lesson(learned, TODAY))
    assert await kept.last_lesson(house.store) == Lesson(learned, TODAY)
    assert await kept.begun(house.store) == TODAY
