"""Who gets which seat: what must hold for every round, tried on many made-up ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import BenefitRegime, Cefr, Daypart, ResidenceGroup, ServiceKind, Sex, WaitReason
from services.referral.eligibility import shut_out_by
from services.referral.matching import Matching, match
from services.referral.offers import Holder, Offer, OfferTerms
from services.referral.points import points_of, waiting_gain
from services.referral.seekers import Home, Hours, Levels, Seeker
from services.referral.trying import Tried
from tests.referral.network import ADVICE, BRAMSCHE, COURSE, MELLE, NOW, TODAY, WHERE, id_of, offer, seeker

DISTRICTS = (MELLE, BRAMSCHE, "034590019", "034595401")
KINDS = (COURSE, ADVICE, ServiceKind.INTERPRETER)


def world(seed: int, people: int, places: int) -> tuple[list[Seeker], list[Offer]]:
    """People and offers of every sort, few attributes each, so that many are equal and many compete."""
    drawn = random.Random(seed)
    offers = [_offer(drawn, number) for number in range(places)]
    return [_seeker(drawn, number, offers) for number in range(people)], offers


def _offer(drawn: random.Random, number: int) -> Offer:
    kind = drawn.choice(KINDS)
    seats = drawn.randint(0, 3)
    told: dict[str, Any] = {
        "partner": f"partner-{number % 3}",
        "kind": kind,
        "district": drawn.choice(DISTRICTS),
        "dayparts": drawn.sample(list(Daypart), drawn.randint(0, 2)),
        "cefr_from": drawn.choice([None, Cefr.A0, Cefr.A2]),
        "ages": drawn.choice([None, (16, 26), (27, 99)]),
        "sexes": drawn.choice([(), (Sex.FEMALE,)]),
        "residence_groups": drawn.choice([(), (ResidenceGroup.EU,)]),
        "benefit_regimes": drawn.choice([(), (BenefitRegime.SGB_II,)]),
        "languages": drawn.choice([(), ("ara",), ("ron", "pol")]),
        "child_care": drawn.random() < 0.5,
        "starts_on": drawn.choice([None, TODAY + timedelta(days=drawn.randint(-2, 60))]),
    }
    holders = tuple(Holder(referral=id_of(number, seat), case=id_of(seat)) for seat in range(drawn.randint(0, seats)))
    offer = Offer(id=id_of("offer", number), terms=OfferTerms(**told), seats=seats, holders=holders)
    return offer.but(changes=drawn.randint(0, 2))


def _seeker(drawn: random.Random, number: int, offers: Sequence[Offer]) -> Seeker:
    return Seeker(
        case=id_of("case", number),
        need=id_of("need", number),
        kind=drawn.choice(KINDS),
        urgent=drawn.random() < 0.2,
        since=NOW - timedelta(days=drawn.randint(0, 3)),
        tried=frozenset(Tried(one.id, drawn.choice([None, 0, 1, 2])) for one in offers if drawn.random() < 0.2),
        home=Home(drawn.choice(DISTRICTS), None),
        birth_year=drawn.choice([None, 1996, 1980]),
        sex=drawn.choice([Sex.FEMALE, Sex.MALE, None]),
        residence_group=drawn.choice([None, ResidenceGroup.EU, ResidenceGroup.REFUGEE]),
        benefit_regime=drawn.choice([None, BenefitRegime.SGB_II]),
        german=(german := drawn.choice([None, Cefr.A0, Cefr.A2])),
        levels=Levels.alike(german),
        hours=Hours(frozenset(drawn.sample(list(Daypart), drawn.randint(0, 3)))),
        languages=frozenset(drawn.sample(["ara", "ron", "pol"], drawn.randint(0, 2))),
        child_care_ages=drawn.choice([(), (), (2, 4)]),
    )


worlds = st.builds(world, st.integers(0, 10**9), st.integers(0, 16), st.integers(0, 8))


def eligible(one: Seeker, place: Offer) -> bool:
    assert place.terms is not None
    fits = place.terms.kind is one.kind and not shut_out_by(one, place.terms, WHERE)
    return (
        fits and place.is_open(TODAY) and not any(tried.offer == place.id and tried.bars(place) for tried in one.tried)
    )


def most_gain(seekers: Sequence[Seeker], offers: Sequence[Offer]) -> int:
    """What all can gain together at most, by trying every way."""
    total = 0
    for kind in KINDS:
        places = [place for place in offers if place.terms is not None and place.terms.kind is kind]
        people = [one for one in seekers if one.kind is kind]
        gains = [[(at, _gain(one, place)) for at, place in enumerate(places) if eligible(one, place)] for one in people]
        total += _most(gains, tuple(place.free for place in places))
    return total


def _gain(one: Seeker, place: Offer) -> int:
    return sum(points_of(one, place, WHERE).values()) + waiting_gain(one, WHERE)


def _most(gains: Sequence[Sequence[tuple[int, int]]], free: tuple[int, ...]) -> int:
    @cache
    def rest(person: int, free: tuple[int, ...]) -> int:
        if person == len(gains):
            return 0
        served = (
            gain + rest(person + 1, (*free[:at], free[at] - 1, *free[at + 1 :]))
            for at, gain in gains[person]
            if free[at]
        )
        return max((rest(person + 1, free), *served))

    return rest(0, free)


# --- always -------------------------------------------------------------------------------------------------------------


@given(worlds)
def test_no_seat_is_given_twice_and_everybody_gets_one_at_most(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    found = match(seekers, offers, WHERE)

    given_away = Counter(pair.offer for pair in found.pairs)
    assert all(given_away[place.id] <= place.free for place in offers)
    everybody = [pair.need for pair in found.pairs] + [one.need for one in found.unplaced]
    assert sorted(everybody) == sorted(one.need for one in seekers)


@given(worlds)
def test_a_hard_rule_is_never_violated_and_nothing_is_proposed_again(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    people, places = {one.need: one for one in seekers}, {place.id: place for place in offers}

    for pair in match(seekers, offers, WHERE).pairs:
        assert eligible(people[pair.need], places[pair.offer])


@given(worlds)
def test_whoever_waits_could_have_none_of_the_seats_that_are_left(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    found = match(seekers, offers, WHERE)
    given_away = Counter(pair.offer for pair in found.pairs)
    left = [place for place in offers if place.free > given_away[place.id]]
    people = {one.need: one for one in seekers}

    assert not any(eligible(people[one.need], place) for one in found.unplaced for place in left)


@given(worlds)
def test_each_wait_has_the_reason_that_holds(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    people = {one.need: one for one in seekers}

    for one in match(seekers, offers, WHERE).unplaced:
        person = people[one.need]
        of_kind = [
            place for place in offers if place.terms and place.terms.kind is person.kind and place.is_open(TODAY)
        ]
        expected = WaitReason.NOT_ELIGIBLE if of_kind else WaitReason.NO_OFFER_OF_THIS_KIND
        if any(place.terms and not shut_out_by(person, place.terms, WHERE) for place in of_kind):
            expected = WaitReason.ALL_TRIED
        if any(eligible(person, place) for place in of_kind):
            expected = WaitReason.NO_FREE_SEAT
        assert one.reason is expected


@given(worlds, st.randoms())
def test_the_order_of_records_does_not_matter(made: tuple[list[Seeker], list[Offer]], order: random.Random):
    seekers, offers = made
    found = match(seekers, offers, WHERE, "seed")
    shuffled_seekers, shuffled_offers = [*seekers], [*offers]
    order.shuffle(shuffled_seekers)
    order.shuffle(shuffled_offers)

    assert match(shuffled_seekers, shuffled_offers, WHERE, "seed") == found


@given(worlds)
def test_the_points_and_the_gain_are_those_of_the_pair(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    people, places = {one.need: one for one in seekers}, {place.id: place for place in offers}

    for pair in match(seekers, offers, WHERE).pairs:
        person = people[pair.need]
        assert pair.points == sum(points_of(person, places[pair.offer], WHERE).values())
        assert pair.gain == pair.points + waiting_gain(person, WHERE)


@given(worlds)
def test_no_other_way_to_give_the_seats_gains_more(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    found = match(seekers, offers, WHERE)

    assert sum(pair.gain for pair in found.pairs) == most_gain(seekers, offers)
    assert [pair.gain for pair in found.pairs] == sorted((pair.gain for pair in found.pairs), reverse=True)


@given(worlds, st.integers(0, 7))
def test_one_more_seat_never_makes_it_worse(made: tuple[list[Seeker], list[Offer]], which: int):
    seekers, offers = made
    if not offers:
        return
    one = offers[which % len(offers)]
    more = [place.but(seats=place.seats + 1) if place is one else place for place in offers]
    before, after = (match(seekers, some, WHERE).pairs for some in (offers, more))

    assert sum(pair.gain for pair in after) >= sum(pair.gain for pair in before)
    assert len(after) >= len(before)


@given(worlds, st.integers(0, 15), st.integers(1, 300), st.text(max_size=5))
def test_of_two_equal_people_the_one_who_waits_longer_is_never_second(
    made: tuple[list[Seeker], list[Offer]], which: int, seconds: int, seed: str
):
    seekers, offers = made
    if not seekers:
        return
    one = seekers[which % len(seekers)]
    longer = replace(
        one, case=id_of("longer"), need=id_of("longer", "need"), since=one.since - timedelta(seconds=seconds)
    )
    found = match([*seekers, longer], offers, WHERE, seed)

    points = {pair.need: pair.points for pair in found.pairs}
    assert points.get(longer.need, -1) >= points.get(one.need, -1)


@given(worlds)
def test_removing_somebody_who_waits_changes_nothing_for_the_others(made: tuple[list[Seeker], list[Offer]]):
    seekers, offers = made
    found = match(seekers, offers, WHERE)
    if found.unplaced:
        gone = found.unplaced[0].need
        without = match([one for one in seekers if one.need != gone], offers, WHERE)
        assert without == Matching(found.pairs, found.unplaced[1:])


# --- single cases -------------------------------------------------------------------------------------------------------


def test_the_nearer_of_two_places_that_are_equal_otherwise_is_taken():
    found = match([seeker(district=MELLE)], [offer("far", district=BRAMSCHE), offer("near", district=MELLE)], WHERE)
    assert [pair.offer for pair in found.pairs] == [id_of("near")]


def test_somebody_with_one_place_to_go_does_not_lose_it_to_somebody_with_two():
    near, far = offer("near", district=MELLE), offer("far", district=BRAMSCHE)
    anywhere = seeker("anywhere", district=MELLE)
    only_near = replace(seeker("only-near", district=MELLE), tried=frozenset((Tried(far.id),)))
    found = match([anywhere, only_near], [near, far], WHERE)
    assert {pair.need: pair.offer for pair in found.pairs} == {anywhere.need: far.id, only_near.need: near.id}


def test_one_person_gets_one_place_of_a_kind_and_it_is_for_what_waited_longer():
    older = seeker("person", since=NOW - timedelta(days=3))
    newer = replace(seeker("person"), need=id_of("another", "need"))
    found = match([newer, older, seeker("other")], [offer("one"), offer("two"), offer("three")], WHERE)
    assert {pair.need for pair in found.pairs} == {older.need, seeker("other").need}
    assert [(one.need, one.reason) for one in found.unplaced] == [(newer.need, WaitReason.HELD_ALREADY)]


def test_whoever_has_waited_long_outweighs_a_better_fit():
    patient = seeker("patient", district=BRAMSCHE, since=NOW - timedelta(days=120))
    near = seeker("near", district=MELLE)
    found = match([near, patient], [offer(seats=1)], WHERE)
    assert [pair.need for pair in found.pairs] == [patient.need]
    assert [one.need for one in found.unplaced] == [near.need]


def test_an_urgent_need_goes_before_one_that_waits_as_long():
    urgent = seeker("urgent", urgent=True)
    found = match([seeker("other"), urgent], [offer(seats=1)], WHERE)
    assert [pair.need for pair in found.pairs] == [urgent.need]


def test_ties_are_decided_by_the_seed_and_by_nothing_else():
    people = [seeker(f"person-{number}") for number in range(40)]
    first, again, other = (match(people, [offer(seats=20)], WHERE, seed) for seed in ("one", "one", "two"))
    assert first == again
    assert {pair.need for pair in first.pairs} != {pair.need for pair in other.pairs}


def test_without_any_seat_nobody_is_placed_and_everybody_hears_why():
    full = Offer(id=id_of("full"), terms=offer().terms, seats=0)
    found = match([seeker("one"), seeker("two", kind=ADVICE), seeker("three", german="c1")], [full], WHERE)
    assert found.pairs == ()
    reasons = {one.need: one.reason for one in found.unplaced}
    assert reasons == {
        seeker("one").need: WaitReason.NO_FREE_SEAT,
        seeker("two").need: WaitReason.NO_OFFER_OF_THIS_KIND,
        seeker("three").need: WaitReason.NOT_ELIGIBLE,
    }


def test_nobody_is_placed_after_enrolment_has_closed():
    closed = offer(enrol_until=TODAY - timedelta(days=1))
    open_today = offer("today", enrol_until=TODAY)
    assert match([seeker()], [closed], WHERE).pairs == ()
    assert [pair.offer for pair in match([seeker()], [closed, open_today], WHERE).pairs] == [open_today.id]
    assert not offer(enrol_until=None, starts_on=date(2016, 5, 31)).is_open(TODAY)
