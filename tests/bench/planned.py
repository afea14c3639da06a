"""What the planner of courses with a minimum takes beside a round of the same people and courses, and how good its quick way is.

The needs and offers are those of `solving`, of some kinds, but with `SEATS` times the seats; every offer is a course that asks for `FILLED`
of them, or it does not take place. So there are not people enough for all courses, and some have to be closed. Measured one after the
other, in CPU seconds of the thread:

- *round*: who gets which seat when nobody asks for a minimum, with the proof (`assignment.assign`), from the same pairs and points;
- *exact*: the planner's proposal as the mixed-integer programme finds it;
- *quick*: the same by closing the emptiest course until none is below its minimum, as beyond `planner.MOST_PAIRS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import numpy as np

from services.referral.assignment import WAITS, Problem, assign
from services.referral.planner import Enrolment, Method, plan
from tests.bench.solving import KINDS, problems

COUNTED_KINDS: Final = KINDS[:4]
SEATS: Final = 2
FILLED: Final = 0.7
REPEATS: Final = 3


@dataclass(frozen=True, slots=True)
class Planning:
    """Seconds are of CPU for the plans of all kinds together, the middle of some repeats; `times` and `quick_times` are how often a round.
    `exactly`: so many of the plans are proven to be the best. `of_exact`: what people gain by the quick plans, as a share."""

    people: int
    courses: int
    pairs: int
    closed: int
    exactly: int
    round: float
    exact: float
    quick: float
    of_exact: float

    @property
    def times(self) -> float:
        return self.exact / self.round

    @property
    def quick_times(self) -> float:
        return self.quick / self.round


def measure(people: int, offers: int, seed: int = 1) -> Planning:
    """So many needs and offers of all kinds, of which `COUNTED_KINDS` are planned. Raises `NotOptimal` as the planner does."""
    rounds = [replace(one, seats=SEATS * one.seats) for one in problems(people, offers, COUNTED_KINDS, seed)]
    asked = [_enrolment(one) for one in rounds]
    exact = [plan(one, most_pairs=len(one.person)) for one in asked]
    quick = [plan(one, most_pairs=-1) for one in asked]
    return Planning(
        people=sum(one.people for one in rounds),
        courses=sum(len(one.seats) for one in rounds),
        pairs=sum(len(one.person) for one in rounds),
        closed=sum(int((~one.runs).sum()) for one in exact),
        exactly=sum(one.method is Method.EXACT for one in exact),
        round=_seconds(lambda: [assign(one) for one in rounds]),
        exact=_seconds(lambda: [plan(one, most_pairs=len(one.person)) for one in asked]),
        quick=_seconds(lambda: [plan(one, most_pairs=-1) for one in asked]),
        of_exact=sum(one.total for one in quick) / max(1, sum(one.total for one in exact)),
    )


def _enrolment(one: Problem) -> Enrolment:
    """Nobody holds a seat yet: whether any course runs is open."""
    return Enrolment(
        minimum=np.ceil(FILLED * one.seats).astype(np.int64),
        seats=one.seats,
        at=np.full(one.people, WAITS, dtype=np.int32),
        person=one.person,
        place=one.place,
        gain=one.gain,
        tie=one.tie,
    )


def _seconds(work: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(REPEATS):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return median(taken)
