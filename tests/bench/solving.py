"""How much a round takes beyond the bare solver: made-up needs and offers of twenty kinds, at the sizes that are asked for.

Everything of one size is measured on the same needs and offers, one after the other, in CPU seconds of the thread that does it:

- *eligibility*: what the hard rules say of each need, as the pool of a service asks them when somebody is new;
- *round*: from the needs with the places that are open to them to who gets which seat: points, the problem, the solver, and the proof;
- *solver*: OR-Tools alone, given the same arcs with the same costs as arrays.

Reading and writing the database is not in it; whole rounds of a running service stand in `/metrics`. That the proof holds is checked at
every size: what is gained is what the prices of the seats say that nobody can exceed (`NotOptimal` is raised if it does not).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final, TypeVar

import numpy as np

from schemas.codes import BenefitRegime, Cefr, Daypart, ResidenceGroup, ServiceKind, Sex
from schemas.places import districts
from services.referral.assignment import Problem, costs_of, flow
from services.referral.board import Board, Solved
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances
from services.referral.offers import Offer, OfferTerms
from services.referral.seekers import Home, Hours, Levels, Seeker
from services.runtime.calendar import end_of_berlin_day
from tests.bench.halfyear import COUNTY, FIRST_DAY

SEATS_A_PERSON: Final = 0.8
KINDS: Final = tuple(kind for kind in ServiceKind if "child" not in kind)[:20]
REPEATS: Final = 5

T = TypeVar("T")

_LANGUAGES: Final = ("ron", "pol", "ara", "ukr", "tur", "fas", "bul", "sqi")
_LEVELS: Final = (Cefr.A0, Cefr.A1, Cefr.A2, Cefr.B1, Cefr.B2)


@dataclass(frozen=True, slots=True)
class Solving:
    """One size. Seconds are of CPU, the middle of some repeats; `times` is the middle of their ratios."""

    people: int
    offers: int
    pairs: int
    placed: int
    eligibility: float
    round: float
    solver: float
    times: float


def measure(people: int, offers: int, seed: int = 1) -> Solving:
    """One size. Raises `NotOptimal` if a round is not the best there is."""
    seekers, boards = made(people, offers, seed)
    eligibility, rounds, solver = list[float](), list[float](), list[float]()
    solved: list[Solved] = []
    for _ in range(REPEATS):
        fresh = [(Board(boards[kind], _WHERE, "bench"), some) for kind, some in seekers.items()]
        began = time.thread_time()
        fitting = [[board.fitting(one) for one in some] for board, some in fresh]
        eligibility.append(time.thread_time() - began)
        began = time.thread_time()
        solved = [_round(board, some, places) for (board, some), places in zip(fresh, fitting, strict=True)]
        rounds.append(time.thread_time() - began)
        solver.append(sum(_bare(one) for one in solved))
    pairs, placed = sum(len(one.problem.person) for one in solved), sum(len(one.given) for one in solved)
    times = median(ours / bare for ours, bare in zip(rounds, solver, strict=True))
    return Solving(people, offers, pairs, placed, median(eligibility), median(rounds), median(solver), times)


def problems(people: int, offers: int, kinds: Sequence[ServiceKind], seed: int = 1) -> list[Problem]:
    """What a round is asked for these kinds, when there are so many needs and offers of all kinds."""
    seekers, offered = made(people, offers, seed)
    boards = {kind: Board(offered[kind], _WHERE, "bench") for kind in kinds}
    return [
        _round(board, seekers[kind], [*map(board.fitting, seekers[kind])]).problem for kind, board in boards.items()
    ]


def _round(board: Board, seekers: Sequence[Seeker], fitting: Sequence[int]) -> Solved:
    return board.solve(
        [
            board.candidate(one, places & board.with_seat)
            for one, places in zip(seekers, fitting, strict=True)
            if places & board.with_seat
        ]
    )


def _bare(solved: Solved) -> float:
    """CPU seconds of the solver, for the arcs that are worth something, with the costs that they had."""
    worth, costs = costs_of(solved.problem)
    person, place = solved.problem.person[worth], solved.problem.place[worth]
    began = time.thread_time()
    flow(solved.problem, person, place, costs)
    return time.thread_time() - began


def made(
    people: int, offers: int, seed: int
) -> tuple[Mapping[ServiceKind, Sequence[Seeker]], Mapping[ServiceKind, Sequence[Offer]]]:
    """Needs and offers by kind; with a thousand offers a need finds some 25 that fit and have a seat."""
    drawn = np.random.default_rng(seed)
    where = [one.ars for one in districts(COUNTY)]
    seats = drawn.multinomial(round(people * SEATS_A_PERSON), np.full(offers, 1 / offers))
    boards: dict[ServiceKind, list[Offer]] = {kind: [] for kind in KINDS}
    for number in range(offers):
        kind = KINDS[number % len(KINDS)]
        boards[kind].append(_offer(drawn, number, kind, where, int(seats[number])))
    seekers: dict[ServiceKind, list[Seeker]] = {kind: [] for kind in KINDS}
    for one in (_seeker(drawn, number, where) for number in range(people)):
        seekers[one.kind].append(one)
    return seekers, boards


def _offer(drawn: np.random.Generator, number: int, kind: ServiceKind, where: Sequence[str], seats: int) -> Offer:
    told: dict[str, Any] = {
        "partner": f"partner-{drawn.integers(200)}",
        "kind": kind,
        "district": _one_of(drawn, where),
        "dayparts": [_one_of(drawn, tuple(Daypart))] if drawn.random() < 0.6 else [],
        "cefr_from": _one_of(drawn, _LEVELS[:3]) if drawn.random() < 0.6 else None,
        "sexes": [Sex.FEMALE] if drawn.random() < 0.1 else [],
        "benefit_regimes": [BenefitRegime.SGB_II] if drawn.random() < 0.15 else [],
        "languages": drawn.choice(_LANGUAGES, 2, replace=False).tolist() if drawn.random() < 0.5 else [],
        "starts_on": FIRST_DAY + timedelta(days=int(drawn.integers(3, 90))) if drawn.random() < 0.5 else None,
        "child_care": bool(drawn.random() < 0.5),
    }
    return Offer(id=f"offer-{number:06}", terms=OfferTerms(**told), seats=seats)


def _seeker(drawn: np.random.Generator, number: int, where: Sequence[str]) -> Seeker:
    return Seeker(
        case=f"case-{number:06}",
        need=f"need-{number:06}",
        kind=_one_of(drawn, KINDS),
        urgent=bool(drawn.random() < 0.1),
        since=end_of_berlin_day(FIRST_DAY) - timedelta(minutes=int(drawn.integers(1, 120 * 1440))),
        tried=frozenset(),
        home=Home(_one_of(drawn, where), None),
        birth_year=int(drawn.integers(1960, 2009)),
        sex=_one_of(drawn, (Sex.FEMALE, Sex.MALE)),
        residence_group=_one_of(drawn, (ResidenceGroup.EU, ResidenceGroup.REFUGEE)),
        benefit_regime=_one_of(drawn, (BenefitRegime.NONE, BenefitRegime.SGB_II)),
        german=(german := _one_of(drawn, _LEVELS)),
        levels=Levels.alike(german),
        hours=Hours(frozenset(part for part in Daypart if drawn.random() < 0.5)),
        languages=frozenset(drawn.choice(_LANGUAGES, 1).tolist()),
        child_care_ages=(3,) if drawn.random() < 0.25 else (),
    )


def _one_of(drawn: np.random.Generator, some: Sequence[T]) -> T:
    return some[int(drawn.integers(len(some)))]


_WHERE: Final = Circumstances(settings_of(COUNTY, FIRST_DAY), FIRST_DAY)
