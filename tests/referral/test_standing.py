"""How one need stands among the others: what is missing by the prices, and what is really missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.referral.assignment import Problem, assign
from services.referral.board import Board
from services.referral.matching import match
from services.referral.offers import Holder, Offer
from services.referral.seekers import Seeker
from services.referral.standing import Sought, Standing, dearest, with_more
from tests.referral.network import BRAMSCHE, COURSE, MELLE, NOW, TODAY, WHERE, id_of, offer, seeker
from tests.referral.test_matching import worlds

Made = tuple[list[Seeker], list[Offer]]


def of_one_kind(made: Made) -> tuple[list[Seeker], list[Offer]]:
    """The people and the open offers of the kind that most seek."""
    seekers, offers = made
    kinds = sorted({one.kind for one in seekers}, key=lambda kind: (-sum(one.kind is kind for one in seekers), kind))
    people = [one for one in seekers if kinds and one.kind is kinds[0]]
    return people, [one for one in offers if one.terms and kinds and one.terms.kind is kinds[0] and one.is_open(TODAY)]


def standing(one: Seeker, others: Sequence[Seeker], offers: Sequence[Offer]) -> Standing:
    return Sought(one, Board(offers, WHERE, "seed")).among(others)


@given(worlds)
def test_what_is_explained_is_what_the_round_does(made: Made):
    people, offers = of_one_kind(made)
    given_by_round = {pair.need: pair.offer for pair in match(people, offers, WHERE, "seed").pairs}
    for one in people if offers else ():
        others = [other for other in people if other is not one]
        assert standing(one, others, offers).place == given_by_round.get(one.need)


@given(worlds)
def test_the_exact_figure_is_the_fewest_points_with_which_the_need_is_served_there(made: Made):
    people, offers = of_one_kind(made)
    for one in people[:4] if offers else ():
        stands = standing(one, [other for other in people if other is not one], offers)
        problem, person = stands._solved.problem, stands._person
        for at, place in enumerate(stands._board.offers):
            fewest = stands.exact(place.id)
            pair = np.flatnonzero((problem.person == person) & (problem.place == at))
            assert (fewest is None) == (not len(pair) or place.free == 0)
            if not fewest:
                assert fewest is None or stands.place == place.id
                continue
            assert assign(with_more(problem, int(pair[0]), fewest)).place[person] == at
            assert stands.place != place.id
            assert fewest == 1 or assign(with_more(problem, int(pair[0]), fewest - 1)).place[person] != at


@given(worlds)
def test_what_is_missing_by_the_prices_is_never_too_much(made: Made):
    people, offers = of_one_kind(made)
    for one in people[:4] if offers else ():
        stands = standing(one, [other for other in people if other is not one], offers)
        problem = stands._solved.problem
        for at, place in enumerate(stands._board.offers):
            fewest = stands.exact(place.id)
            pair = np.flatnonzero((problem.person == stands._person) & (problem.place == at))
            if fewest is not None:
                points = int(problem.gain[pair[0]]) - stands.waiting
                assert stands.missing(place.id, points) <= fewest


@given(worlds, st.integers(1, 2000))
def test_where_a_price_is_asked_for_a_seat_that_is_missing_too(made: Made, asked: int):
    people, offers = of_one_kind(made)
    for one in people[:2] if offers else ():
        free = standing(one, [other for other in people if other is not one], offers)
        problem = replace(free._solved.problem, price=np.full(len(offers), asked, dtype=np.int64))
        found = assign(problem)
        given_seats = {
            person: (int(at), _points(problem, free, person, int(at)))
            for person, at in enumerate(found.place)
            if at >= 0
        }
        stands = Standing(
            free._board, replace(free._solved, problem=problem, assignment=found, given=given_seats), free._person
        )
        for at, place in enumerate(free._board.offers):
            fewest = stands.exact(place.id)
            if fewest is not None:
                missing = stands.missing(place.id, _points(problem, free, free._person, at))
                assert missing <= fewest
                assert stands.place or fewest - missing <= 1


def _points(problem: Problem, stands: Standing, person: int, at: int) -> int:
    (pair,) = np.flatnonzero((problem.person == person) & (problem.place == at))
    return int(problem.gain[pair]) - stands._solved.candidates[person].patience


@given(worlds)
def test_a_price_is_what_one_more_seat_adds_also_where_there_is_none(made: Made):
    people, offers = of_one_kind(made)
    for one in people[:1] if offers else ():
        stands = standing(one, people[1:], offers)
        problem = stands._solved.problem
        for at, place in enumerate(stands._board.offers):
            seats = problem.seats.copy()
            seats[at] += 1
            more = assign(replace(problem, seats=seats)).total - stands._solved.assignment.total
            assert stands.price(place.id) == more


@given(worlds)
def test_for_a_need_that_waits_the_prices_say_what_is_missing_to_the_point_but_for_the_lot(made: Made):
    people, offers = of_one_kind(made)
    for one in people if offers else ():
        stands = standing(one, [other for other in people if other is not one], offers)
        problem = stands._solved.problem
        for at, place in enumerate(stands._board.offers):
            fewest = stands.exact(place.id) if stands.place is None else None
            if fewest is not None:
                pair = int(np.flatnonzero((problem.person == stands._person) & (problem.place == at))[0])
                told = stands.missing(place.id, int(problem.gain[pair]) - stands.waiting)
                assert fewest in (told, told + 1)


@given(worlds)
def test_the_largest_price_is_what_one_seat_fewer_takes_away(made: Made):
    people, offers = of_one_kind(made)
    for one in people[:1] if offers else ():
        solved = standing(one, people[1:], offers)._solved
        prices = dearest(solved.problem, solved.assignment.place)
        assert (prices >= solved.assignment.prices)[solved.problem.seats > 0].all()
        for at in np.flatnonzero(solved.problem.seats):
            seats = solved.problem.seats.copy()
            seats[at] -= 1
            assert prices[at] == solved.assignment.total - assign(replace(solved.problem, seats=seats)).total


def test_the_gap_to_somebody_who_gains_more_is_told_to_the_point():
    near, far = seeker("near"), seeker("far", district=BRAMSCHE)
    stands = standing(far, [near], [offer("course", district=MELLE)])
    assert stands.place is None
    behind = stands.exact(id_of("course"))
    assert behind is not None
    assert behind > 1
    assert standing(near, [far], [offer("course", district=MELLE)]).place == id_of("course")


def test_of_two_needs_of_the_same_person_the_other_one_does_not_count():
    one, other = seeker("amal"), replace(seeker("amal"), need=id_of("another"))
    assert standing(one, [other], [offer("course")]).place == id_of("course")


def test_the_seat_of_an_offer_that_has_begun_is_there_for_its_holder_alone():
    begun = offer("course", starts_on=TODAY.replace(day=1), enrol_until=TODAY.replace(month=5, day=20))
    assert not begun.is_open(TODAY)
    holder, other = seeker("amal", district=BRAMSCHE), seeker("badr", since=NOW.replace(month=1))
    assert Sought(holder, Board([begun], WHERE, "seed"), begun).among([other]).place == begun.id
    held = begun.but(holders=(Holder(referral=id_of("r"), case=holder.case),))
    assert Sought(holder, Board([held], WHERE, "seed"), held).among([other]).place is None


def test_nobody_competes_for_an_offer_with_as_many_seats_as_people():
    people = [seeker(str(number)) for number in range(3)]
    stands = standing(people[0], people[1:], [offer("course", seats=4)])
    assert (stands.price(id_of("course")), stands.left_over(id_of("course"))) == (0, 1)
    assert stands.exact(id_of("course")) == 0
    assert all(one.kind is COURSE for one in people)
