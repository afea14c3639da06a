"""The exact optimum of a round: compared with every way there is, on many small made-up rounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral.assignment import TIE_BITS, WAITS, NotOptimal, Problem, TooLarge, assign, proven


@dataclass(frozen=True)
class Small:
    """A round that can be tried out in full: `gains[person]` by place."""

    seats: tuple[int, ...]
    gains: tuple[dict[int, int], ...]
    prices: tuple[int, ...]
    ties: int = 0

    @property
    def problem(self) -> Problem:
        pairs = [(person, place, gain) for person, own in enumerate(self.gains) for place, gain in own.items()]
        columns = list(zip(*pairs, strict=True)) or [(), (), ()]
        drawn = np.random.default_rng(self.ties)
        return Problem(
            people=len(self.gains),
            seats=np.array(self.seats, dtype=np.int64),
            person=np.array(columns[0], dtype=np.int32),
            place=np.array(columns[1], dtype=np.int32),
            gain=np.array(columns[2], dtype=np.int64),
            price=np.array(self.prices, dtype=np.int64),
            tie=drawn.integers(0, 2**TIE_BITS, len(pairs)),
        )

    def best(self) -> int:
        """The most that can be gained, by trying every way."""

        @cache
        def rest(person: int, seats: tuple[int, ...]) -> int:
            if person == len(self.gains):
                return 0
            ways = [rest(person + 1, seats)]
            for place, gain in self.gains[person].items():
                if seats[place]:
                    left = (*seats[:place], seats[place] - 1, *seats[place + 1 :])
                    ways.append(gain - self.prices[place] + rest(person + 1, left))
            return max(ways)

        return rest(0, self.seats)


@st.composite
def rounds(draw: st.DrawFn, prices: bool = True) -> Small:
    places = draw(st.integers(1, 4))
    gains = st.dictionaries(st.integers(0, places - 1), st.integers(0, 12), max_size=places)
    price = st.integers(0, 6 if prices else 0)
    return Small(
        seats=tuple(draw(st.lists(st.integers(0, 2), min_size=places, max_size=places))),
        gains=tuple(draw(st.lists(gains, max_size=7))),
        prices=tuple(draw(st.lists(price, min_size=places, max_size=places))),
        ties=draw(st.integers(0, 1000)),
    )


def gained(small: Small, place: np.ndarray) -> int:
    chosen = ((person, int(at)) for person, at in enumerate(place) if at != WAITS)
    return sum(small.gains[person][at] - small.prices[at] for person, at in chosen)


@given(rounds())
def test_no_way_to_give_the_seats_gains_more(small: Small):
    found = assign(small.problem)
    assert found.total == gained(small, found.place) == small.best() == found.bound


@given(rounds())
def test_no_seat_is_given_twice_and_only_pairs_that_were_asked_about_are_made(small: Small):
    place = assign(small.problem).place
    assert all((place == number).sum() <= seats for number, seats in enumerate(small.seats))
    for person, at in enumerate(place):
        assert at == WAITS or small.gains[person][int(at)] >= small.prices[int(at)]


@given(rounds())
def test_the_price_of_a_seat_is_what_one_more_would_add(small: Small):
    found = assign(small.problem)
    for place, seats in enumerate(small.seats):
        more = replace(small, seats=(*small.seats[:place], seats + 1, *small.seats[place + 1 :]))
        assert assign(more.problem).total - found.total == found.prices[place]


@given(rounds())
def test_at_these_prices_nobody_would_rather_have_another_place(small: Small):
    found = assign(small.problem)
    assert (found.prices >= 0).all()
    for person, own in enumerate(small.gains):
        left = {place: gain - small.prices[place] - int(found.prices[place]) for place, gain in own.items()}
        at = int(found.place[person])
        has = left[at] if at != WAITS else 0
        # A place without any seat has no price that anybody asks for: one more seat of it is what it would take.
        assert has >= max((worth for place, worth in left.items()), default=0)


@given(rounds())
def test_whoever_gets_nothing_changes_nothing_for_the_others(small: Small):
    found = assign(small.problem)
    for waits in np.flatnonzero(found.place == WAITS):
        # Nobody else's ties may change with it, so the person stays in the arrays with nothing to hope for.
        problem = small.problem
        others = problem.person != waits
        without = replace(
            problem,
            person=problem.person[others],
            place=problem.place[others],
            gain=problem.gain[others],
            tie=problem.tie[others],
        )
        assert np.array_equal(assign(without).place, found.place)


@given(rounds(), st.integers(0, 1000))
def test_the_order_of_the_pairs_does_not_matter(small: Small, seed: int):
    problem = small.problem
    mixed = np.random.default_rng(seed).permutation(len(problem.person))
    other = replace(
        problem,
        person=problem.person[mixed],
        place=problem.place[mixed],
        gain=problem.gain[mixed],
        tie=problem.tie[mixed],
    )
    assert np.array_equal(assign(other).place, assign(problem).place)


def test_somebody_with_one_place_to_go_does_not_lose_it_to_somebody_with_two():
    # The best pair first would give place 0 to person 0, and person 1 nothing.
    found = assign(Small(seats=(1, 1), gains=({0: 10, 1: 9}, {0: 8}), prices=(0, 0)).problem)
    assert found.place.tolist() == [1, 0]
    assert found.total == 17


def test_of_equal_ways_the_tie_decides():
    equal = Small(seats=(1,), gains=({0: 5}, {0: 5}), prices=(0,)).problem
    served = [assign(replace(equal, tie=np.array(ties, dtype=np.int64))).place.tolist() for ties in ([9, 4], [4, 9])]
    assert served == [[0, WAITS], [WAITS, 0]]


def test_nobody_is_served_for_less_than_the_price_that_was_asked():
    found = assign(Small(seats=(2,), gains=({0: 5}, {0: 3}), prices=(4,)).problem)
    assert found.place.tolist() == [0, WAITS]
    assert found.total == 1


def test_nobody_and_nothing_is_an_answer_too():
    assert assign(Small(seats=(3,), gains=(), prices=(0,)).problem).place.tolist() == []
    assert assign(Small(seats=(3,), gains=({}, {}), prices=(0,)).problem).place.tolist() == [WAITS, WAITS]


def test_gains_that_do_not_fit_into_the_solver_are_refused_and_not_cut_off():
    with pytest.raises(TooLarge, match="too large to be added up"):
        assign(Small(seats=(1,), gains=({0: 2**61},), prices=(0,)).problem)


def test_a_result_that_is_not_the_best_is_never_taken_for_it():
    small = Small(seats=(1, 1), gains=({0: 10, 1: 9}, {0: 8}), prices=(0, 0))
    with pytest.raises(NotOptimal):
        proven(small.problem, np.array([0, WAITS], dtype=np.int32))


def test_a_chain_of_a_hundred_people_is_priced_to_its_end():
    # Person n has place n and would gain one point more by the next; a seat at the end of the chain lets all before it move up.
    people = 100
    gains = tuple({number: 100, number + 1: 101} for number in range(people))
    found = assign(Small(seats=(1,) * people + (0,), gains=gains, prices=(0,) * (people + 1)).problem)
    assert found.total == people * 100
    assert found.prices.tolist() == list(range(people + 1))


@pytest.mark.parametrize("people", [50, 1000, 5000])
def test_as_many_bits_of_the_ties_are_used_as_the_solver_takes(people: int):
    places = people // 5
    drawn = np.random.default_rng(people)
    person = np.repeat(np.arange(people, dtype=np.int32), 3)
    place = (person + np.tile(np.array([0, 1, 5], dtype=np.int32), people)) % places
    found = assign(
        Problem(
            people=people,
            seats=np.full(places, 3, dtype=np.int64),
            person=person,
            place=place.astype(np.int32),
            gain=drawn.integers(0, 30_000, len(person)),
            price=np.zeros(places, dtype=np.int64),
            tie=drawn.integers(0, 2**TIE_BITS, len(person)),
        )
    )
    assert (found.place != WAITS).sum() == 3 * places
