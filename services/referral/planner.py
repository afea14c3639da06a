"""Which courses that need a minimum of participants are to take place: a proposal for the coordinator, when enrolment ends.

Each course runs or is closed; whoever holds a seat of one that runs stays there, and whoever loses theirs may have a place elsewhere, as
all who wait may. Of all ways in which every running course reaches its minimum, the one in which people gain most together is proposed.
That is a mixed-integer programme (a rounds' problem is none, since rounds know no minimum): up to `MOST_PAIRS` pairs it is solved exactly,
beyond the emptiest course is closed and everything solved again, until none is below its minimum (matching.md 2; .998 of the exact there).
Either way the people's places are then those of the exact optimum for the courses that run, with its proof (`assignment`).

Always true of a plan: a course that runs has at least its minimum and at most its seats; a closed one has nobody; who holds a seat of a
running course keeps it; nobody has two places; and nothing is lost against letting a round ignore the minimums and closing whatever is then
too empty. The order of people and courses does not matter. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.referral.assignment import WAITS, Index, NotOptimal, Problem, Whole, assign

MOST_PAIRS: Final = 6_000
"""Pairs of people and courses up to which the plan is exact: some seconds on the hardest made-up instances."""
MOST_SECONDS: Final = 30
"""After this the exact solver is given up, and the plan says so by its method."""
_ALMOST: Final = 0.5
"""Gains are whole points: two sums that differ by less are the same."""

Mask = NDArray[np.bool_]


class Method(StrEnum):
    """How a plan was found."""

    EXACT = "exact"
    """No other plan gains more."""
    EMPTIEST_FIRST = "emptiest-first"
    """A good plan, not proven to be the best."""


@dataclass(frozen=True)
class Enrolment:
    """People 0, 1, … and courses 0, 1, …, in an order that does not depend on how they were read.

    `minimum` of each course (0: it runs in any case) and its `seats`, those held included. `at` is the course of which each person holds a
    seat, or `WAITS`. A pair is an entry of `person`, `place` and `gain` (points, not below 0): who may have which course and what it is
    worth; also for the seats that are held. `tie` as in `Problem`.
    """

    minimum: Whole
    seats: Whole
    at: Index
    person: Index
    place: Index
    gain: Whole
    tie: Whole

    @property
    def held(self) -> Whole:
        """How many hold a seat of each course."""
        return np.bincount(self.at[self.at != WAITS], minlength=len(self.seats))


@dataclass(frozen=True, slots=True)
class Plan:
    """Which courses run, and the place of each person, or `WAITS`; `total` is what they gain together.

    `needed` of each course that is closed: so many more people, who fit there, it would take at least for it to run beside all that do.
    0: there would be enough, but together they gain more elsewhere.
    """

    runs: Mask
    place: Index
    total: int
    method: Method
    needed: Whole

    def taking_part(self, course: int) -> int:
        """How many take part in a course."""
        return int((self.place == course).sum())


def plan(enrolment: Enrolment, *, most_pairs: int = MOST_PAIRS) -> Plan:
    """The proposal. Raises `NotOptimal` rather than returning what cannot be proven."""
    exact = _exact(enrolment) if len(enrolment.person) <= most_pairs else None
    if exact is not None:
        runs, method = exact, Method.EXACT
    else:
        runs, method = _emptiest_first(enrolment), Method.EMPTIEST_FIRST
    place, total = _best(enrolment, runs)
    return Plan(runs, place, total, method, _needed(enrolment, runs))


# --- the exact one ----------------------------------------------------------------------------------------------------------


def _exact(one: Enrolment) -> Mask | None:
    """The courses that run in the best plan; None when the solver was too slow.

    Only whether a course runs is a whole number: for courses that are fixed the rest is a transport problem, whose optima are whole.
    """
    from ortools.linear_solver import pywraplp  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    library: Any = pywraplp.Solver  # it has no types
    solver = library.CreateSolver("SCIP")
    asked = np.flatnonzero(one.minimum > 0)
    runs = {int(course): solver.BoolVar("") for course in asked}
    stays = one.at[one.person] == one.place
    moves = np.flatnonzero(~stays).tolist()
    takes = {pair: solver.NumVar(0, 1, "") for pair in moves}
    of_person: dict[int, list[int]] = {}
    of_course: dict[int, list[int]] = {course: [] for course in range(len(one.seats))}
    for pair in moves:
        of_person.setdefault(int(one.person[pair]), []).append(pair)
        of_course[int(one.place[pair])].append(pair)
    for person, pairs in of_person.items():
        # Whoever holds a seat of a course that runs stays there.
        own = runs.get(int(one.at[person]))
        if own is not None or one.at[person] == WAITS:
            solver.Add(solver.Sum([takes[pair] for pair in pairs]) <= (1 if own is None else 1 - own))
        else:
            solver.Add(solver.Sum([takes[pair] for pair in pairs]) <= 0)
    held = one.held
    for course, pairs in of_course.items():
        free, lacking = int(one.seats[course] - held[course]), int(one.minimum[course] - held[course])
        coming = solver.Sum([takes[pair] for pair in pairs])
        if course not in runs:
            solver.Add(coming <= free)
            continue
        solver.Add(coming <= free * runs[course])
        solver.Add(coming >= lacking * runs[course])
    staying = [int(one.gain[pair]) * runs[at] for pair in np.flatnonzero(stays) if (at := int(one.place[pair])) in runs]
    fixed = sum(int(one.gain[pair]) for pair in np.flatnonzero(stays) if int(one.place[pair]) not in runs)
    coming = [int(one.gain[pair]) * takes[pair] for pair in moves]
    solver.Maximize(solver.Sum([*staying, *coming]))
    solver.SetTimeLimit(MOST_SECONDS * 1000)
    to_the_end: Any = pywraplp.MPSolverParameters()
    to_the_end.SetDoubleParam(to_the_end.RELATIVE_MIP_GAP, 0.0)
    if solver.Solve(to_the_end) != library.OPTIMAL:
        return None
    found = np.array(
        [course not in runs or runs[course].solution_value() > _ALMOST for course in range(len(one.seats))]
    )
    _, total = _best(one, found)
    if abs(total - fixed - solver.Objective().Value()) > _ALMOST:
        raise NotOptimal(f"a plan of {total} points was told to gain {fixed + solver.Objective().Value()}")
    return found


# --- the quick one ----------------------------------------------------------------------------------------------------------


def _emptiest_first(one: Enrolment) -> Mask:
    """Close the emptiest course, measured by its minimum, and solve again until none is below; or all that are below at once, if better."""
    runs = np.ones(len(one.seats), dtype=np.bool_)
    at_once: Mask | None = None
    while (below := runs & ((filled := _filled(one, runs)) < one.minimum)).any():
        if at_once is None:
            at_once = runs & ~below
        share = np.where(below, filled / np.maximum(one.minimum, 1), np.inf)
        runs = runs.copy()
        runs[int(share.argmin())] = False
    if at_once is not None and _best(one, at_once)[1] > _best(one, runs)[1]:
        return at_once
    return runs


def _filled(one: Enrolment, runs: Mask) -> Whole:
    """How many each course has when nobody asks for minimums."""
    place, _ = _solved(replace(one, minimum=np.zeros_like(one.minimum)), runs)
    return np.bincount(place[place != WAITS], minlength=len(one.seats))


# --- people, once it is said which courses run ------------------------------------------------------------------------------


def _best(one: Enrolment, runs: Mask) -> tuple[Index, int]:
    """The best for all when these courses run and reach their minimums. Raises `NotOptimal` where they cannot."""
    place, total = _solved(one, runs)
    if (np.bincount(place[place != WAITS], minlength=len(runs))[runs] < one.minimum[runs]).any():
        raise NotOptimal("a course was to run that cannot reach its minimum")
    return place, total


def _solved(one: Enrolment, runs: Mask, last: Sequence[int] = ()) -> tuple[Index, int]:
    """As many of the seats up to the minimums are filled as can be (those of the `last` courses only after all others), then people gain as
    much as they can. A course is two places of a round: the seats up to its minimum, worth more than all gains together, and the others."""
    stays = runs[one.at] & (one.at != WAITS)
    held = np.bincount(one.at[stays], minlength=len(one.seats))
    needed = np.where(runs, np.maximum(0, one.minimum - held), 0)
    others = np.where(runs, one.seats - held, 0) - needed
    free = ~stays[one.person] & runs[one.place]
    person, place, gain, tie = one.person[free], one.place[free], one.gain[free], one.tie[free]
    much = int(gain.max(initial=0)) + 1
    more = much * (len(np.unique(person)) + 1)
    bonus = np.full(len(one.seats), more * (len(one.at) + 1) if last else more, dtype=np.int64)
    bonus[list(last)] = more
    # Numbered anew: only who may move is part of the problem.
    movable, number = np.unique(person, return_inverse=True)
    problem = Problem(
        people=len(movable),
        seats=np.concatenate((needed, others)),
        person=np.concatenate((number, number)).astype(np.int32),
        place=np.concatenate((place, place + len(one.seats))).astype(np.int32),
        gain=np.concatenate((gain + bonus[place], gain)),
        price=np.zeros(2 * len(one.seats), dtype=np.int64),
        tie=np.concatenate((tie, tie)),
    )
    given = assign(problem).place if len(movable) else np.zeros(0, dtype=np.int32)
    found = np.where(stays, one.at, WAITS).astype(np.int32)
    found[movable] = np.where(given == WAITS, WAITS, given % len(one.seats))
    made = found[one.person] == one.place
    return found, int(one.gain[made].sum())


def _needed(one: Enrolment, runs: Mask) -> Whole:
    """Of each closed course, how many more people it would take at least."""
    needed = np.zeros(len(one.seats), dtype=np.int64)
    one = replace(one, gain=np.zeros_like(one.gain), tie=np.zeros_like(one.tie))  # only heads are counted
    for course in np.flatnonzero(~runs).tolist():
        also = runs.copy()
        also[course] = True
        place, _ = _solved(one, also, last=(course,))
        needed[course] = max(0, int(one.minimum[course]) - int((place == course).sum()))
    return needed
