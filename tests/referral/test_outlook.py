"""What somebody who waits is told: how many come first, and when a place can be expected."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.referral.matching import match
from services.referral.offers import Holder, Offer
from services.referral.outlook import LATEST_DAYS, Waiting, expected, waiting_list
from services.referral.points import points_of, waiting_gain
from tests.referral.network import BRAMSCHE, MELLE, NOW, TODAY, WHERE, id_of, offer, seeker
from tests.referral.test_matching import worlds
from tests.referral.test_standing import Made, of_one_kind

SEED = "seed"


def listed(made: Made, given_a_day: float = 1.0) -> list[Waiting]:
    people, offers = made
    return waiting_list(people, offers, WHERE, SEED, given_a_day)


@given(worlds)
def test_whoever_has_so_many_before_them_gets_the_next_seat_but_so_many(made: Made):
    people, offers = of_one_kind(made)
    rows = listed((people, offers))
    in_vain = [row.seeker for row in rows if row.outlook is not None]
    for row in rows:
        if row.outlook is not None:
            at = next(place for place in offers if place.id == row.outlook.offer)
            gains = [sum(points_of(one, at, WHERE).values()) + waiting_gain(one, WHERE) for one in in_vain]
            if len({*gains}) < len(gains):
                continue  # a lot decides
            seats = [at.but(holders=(), seats=number) for number in (row.outlook.ahead, row.outlook.ahead + 1)]
            without, with_it = ({pair.need for pair in match(in_vain, [one], WHERE, SEED).pairs} for one in seats)
            assert row.seeker.need in with_it - without


@given(worlds)
def test_everybody_who_waits_is_on_the_list_once_the_longest_wait_first(made: Made):
    people, offers = of_one_kind(made)
    rows = listed((people, offers))
    assert [row.seeker for row in rows] == sorted(people, key=lambda one: (one.since, one.need))
    given_by_round = {pair.need: pair.offer for pair in match(people, offers, WHERE, SEED).pairs}
    assert {row.seeker.need: row.next for row in rows if row.next} == given_by_round
    assert not any(row.next and row.outlook for row in rows)


@given(st.integers(0, 500), st.floats(0, 50), st.floats(0, 50))
def test_more_people_ahead_or_a_slower_pace_never_bring_the_day_nearer(ahead: int, one: float, other: float):
    slow, fast = (expected(ahead, pace / (ahead + 1), TODAY) for pace in sorted((one, other)))
    more = expected(ahead + 1, max(one, other) / (ahead + 2), TODAY)
    if fast is None:
        assert slow is None
        return
    assert TODAY < fast.earliest <= fast.day <= TODAY + timedelta(days=LATEST_DAYS)
    assert fast.day <= fast.latest
    assert slow is None or fast.day <= slow.day
    assert more is None or fast.day <= more.day


def test_without_a_place_given_lately_no_day_is_told():
    rows = listed(([seeker("amal")], [offer("full", seats=0)]), given_a_day=0.0)
    assert rows[0].outlook is not None
    assert (rows[0].outlook.ahead, rows[0].outlook.expected) == (0, None)


def test_nothing_is_told_where_no_offer_fits():
    rows = listed(([seeker("amal")], [offer("for women", seats=0, sexes=["female"])]))
    assert (rows[0].next, rows[0].outlook) == (None, None)


def test_eight_of_ten_waits_end_between_the_days_that_were_told():
    """Seats come by chance at two places, of which some can have one, some the other, some both; each goes where it gains most."""
    ended_in_time, told = 0, 0
    for seed in range(30):
        chance = random.Random(seed)
        places = [offer("melle", seats=8), offer("bramsche", seats=4, district=BRAMSCHE)]
        places = [full(place) for place in places]
        people = [
            seeker(
                f"{seed}-{number}",
                district=chance.choice([MELLE, BRAMSCHE]),
                since=NOW - timedelta(days=chance.randrange(60)),
                urgent=chance.random() < 0.2,
            )
            for number in range(25)
        ]
        given_a_day = 0.6
        rows = {row.seeker.need: row.outlook for row in listed((people, places), given_a_day)}
        waiting, day = list(people), TODAY
        while waiting and day < TODAY + timedelta(days=LATEST_DAYS):
            day += timedelta(days=1)
            for place, share in zip(places, (8 / 12, 4 / 12), strict=True):
                while chance.random() < given_a_day * share / (1 + given_a_day * share):
                    one_seat = place.but(seats=place.seats + 1)
                    for pair in match(waiting, [one_seat], WHERE, SEED).pairs:
                        outlook = rows[pair.need]
                        assert outlook is not None
                        assert outlook.expected is not None
                        told += 1
                        ended_in_time += outlook.expected.earliest <= day <= outlook.expected.latest
                        waiting = [one for one in waiting if one.need != pair.need]
    assert told > 700
    assert 0.7 < ended_in_time / told < 0.9


def full(place: Offer) -> Offer:
    """All its seats are held by somebody."""
    holders = (
        Holder(referral=id_of(place.id, seat), case=id_of(place.id, "case", seat)) for seat in range(place.seats)
    )
    return place.but(holders=tuple(holders))
