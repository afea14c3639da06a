"""The planner of courses with a minimum: as good as trying everything, and what is always true of a plan."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.referral.assignment import WAITS
from services.referral.planner import Enrolment, Method, Plan, plan

Pairs = dict[tuple[int, int], int]


def enrolment(minimum: list[int], seats: list[int], at: list[int], gains: Pairs) -> Enrolment:
    """`gains`: the points of each person at each course."""
    pairs = sorted(gains)
    return Enrolment(
        minimum=np.array(minimum, dtype=np.int64),
        seats=np.array(seats, dtype=np.int64),
        at=np.array(at, dtype=np.int32),
        person=np.array([person for person, _ in pairs], dtype=np.int32),
        place=np.array([course for _, course in pairs], dtype=np.int32),
        gain=np.array([gains[pair] for pair in pairs], dtype=np.int64),
        tie=np.array([hash(pair) % 2**24 for pair in pairs], dtype=np.int64),
    )


@st.composite
def enrolments(draw: st.DrawFn) -> Enrolment:
    """Up to three courses and five people, some of whom hold a seat."""
    courses, people = draw(st.integers(1, 3)), draw(st.integers(0, 5))
    seats = draw(st.lists(st.integers(0, 4), min_size=courses, max_size=courses))
    minimum = [draw(st.integers(0, many)) for many in seats]
    gains: Pairs = {}
    at = [WAITS] * people
    for person in range(people):
        for course in range(courses):
            if draw(st.booleans()):
                gains[person, course] = draw(st.integers(0, 9))
        held = draw(st.sampled_from([WAITS, *range(courses)]))
        if held != WAITS and at.count(held) < seats[held]:
            at[person] = held
            gains.setdefault((person, held), 5)
    return enrolment(minimum, seats, at, gains)


def by_trying(one: Enrolment) -> int:
    """The most that people can gain, by looking at every way there is."""
    courses, people = len(one.seats), len(one.at)
    worth = {(int(p), int(c)): int(g) for p, c, g in zip(one.person, one.place, one.gain, strict=True)}
    best = 0
    for runs in product([False, True], repeat=courses):
        if any(not run and one.minimum[course] == 0 for course, run in enumerate(runs)):
            continue
        choices: list[list[int]] = []
        for person in range(people):
            own = int(one.at[person])
            if own != WAITS and runs[own]:
                choices.append([own])
            else:
                choices.append(
                    [WAITS, *(course for course in range(courses) if runs[course] and (person, course) in worth)]
                )
        for places in product(*choices):
            filled = [places.count(course) for course in range(courses)]
            if all(not run or one.minimum[at] <= filled[at] <= one.seats[at] for at, run in enumerate(runs)):
                best = max(best, sum(worth[person, at] for person, at in enumerate(places) if at != WAITS))
    return best


def ignoring(one: Enrolment) -> int:
    """What people gain when a round knows no minimum, and whatever is then too empty is closed."""
    nothing = np.zeros_like(one.minimum)
    found = plan(Enrolment(nothing, one.seats, one.at, one.person, one.place, one.gain, one.tie))
    full = [found.taking_part(course) >= one.minimum[course] for course in range(len(one.seats))]
    made = (found.place[one.person] == one.place) & np.array(full)[one.place]
    return int(one.gain[made].sum())


def holds(one: Enrolment, found: Plan) -> None:
    """What is always true."""
    for course, runs in enumerate(found.runs):
        many = found.taking_part(course)
        assert one.minimum[course] <= many <= one.seats[course] if runs else many == 0
        assert runs or one.minimum[course] > 0, "what has no minimum runs in any case"
        assert found.needed[course] == 0 or not runs
        assert found.needed[course] <= one.minimum[course]
    pairs = {*zip(one.person.tolist(), one.place.tolist(), strict=True)}
    for person, place in enumerate(found.place.tolist()):
        own = int(one.at[person])
        assert place == own if own != WAITS and found.runs[own] else place == WAITS or (person, place) in pairs


@given(enrolments())
def test_no_other_plan_gains_more(one: Enrolment):
    found = plan(one)
    assert found.method is Method.EXACT
    assert found.total == by_trying(one)
    holds(one, found)


@given(enrolments())
def test_the_quick_plan_holds_what_is_always_true_and_is_never_better_than_the_exact_one(one: Enrolment):
    found = plan(one, most_pairs=-1)
    assert found.method is Method.EMPTIEST_FIRST
    holds(one, found)
    assert ignoring(one) <= found.total <= plan(one).total


@given(enrolments())
def test_planning_is_never_worse_than_ignoring_the_minimums(one: Enrolment):
    assert plan(one).total >= ignoring(one)


@given(enrolments(), st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(one: Enrolment, chance):
    order = list(range(len(one.person)))
    chance.shuffle(order)
    mixed = Enrolment(
        one.minimum, one.seats, one.at, one.person[order], one.place[order], one.gain[order], one.tie[order]
    )
    assert plan(mixed).total == plan(one).total


@given(enrolments())
def test_with_fewer_more_people_than_were_needed_a_course_could_not_run_and_where_nobody_is_held_so_many_are_enough(
    one: Enrolment,
):
    # (Whoever is held there would stay, and may be whom another course needs: then no number is enough.)
    found = plan(one)
    for course in np.flatnonzero(found.needed).tolist():
        run, needed = [*np.flatnonzero(found.runs).tolist(), course], int(found.needed[course])
        assert not can_run(one, run, course, needed - 1)
        assert one.held[course] or can_run(one, run, course, needed)


def can_run(one: Enrolment, courses: list[int], course: int, more: int) -> bool:
    """Whether all these courses can reach their minimums, when so many people come for whom this course alone fits."""
    people = len(one.at)
    worth = {(int(p), int(c)) for p, c in zip(one.person, one.place, strict=True)}
    choices: list[list[int]] = []
    for person in range(people):
        own = int(one.at[person])
        choices.append([own] if own in courses else [WAITS, *(at for at in courses if (person, at) in worth)])
    for places in product(*choices):
        filled = {at: places.count(at) + (more if at == course else 0) for at in courses}
        if all(one.minimum[at] <= filled[at] and places.count(at) <= one.seats[at] for at in courses):
            return True
    return False


def test_two_half_empty_courses_become_one_and_the_other_says_what_it_would_have_needed():
    # Four people, two seats of each course held; each course needs three.
    gains = {(person, course): 10 - abs(course - person // 2) for person in range(4) for course in range(2)}
    found = plan(enrolment([3, 3], [6, 6], [0, 0, 1, 1], gains))
    assert sorted(found.runs.tolist()) == [False, True]
    closed = int(np.flatnonzero(~found.runs)[0])
    assert found.needed[closed] == 1
    assert WAITS not in found.place


def test_a_county_of_some_thousand_people_is_planned_though_not_proven_the_best():
    drawn = np.random.default_rng(7)
    people, courses, each = 800, 40, 8
    person = np.repeat(np.arange(people), each)
    place = np.concatenate([drawn.choice(courses, each, replace=False) for _ in range(people)])
    seats = drawn.integers(10, 25, courses)
    one = Enrolment(
        minimum=seats * 2 // 3,
        seats=seats,
        at=np.full(people, WAITS, dtype=np.int32),
        person=person.astype(np.int32),
        place=place.astype(np.int32),
        gain=drawn.integers(100, 1000, people * each),
        tie=drawn.integers(0, 2**24, people * each),
    )
    found = plan(one)
    assert found.method is Method.EMPTIEST_FIRST
    holds(one, found)
