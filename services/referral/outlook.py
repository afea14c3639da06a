"""What somebody who waits may expect: how many come first, and when a place can be expected.

There is no queue: a round gives each seat where it gains most. So a place in line is told by offer: of all who wait in vain and could have
its next seat, those who would gain more by it come first. Told is the offer at which the fewest do.

When, is an estimate, and called so. Places of the kind are given at the pace of the last weeks, and those of an offer by its share of the
seats. Whoever has `a` people before them at an offer that gives `p` places a day waits some (a + 1) / p days; with several such offers the
paces p / (a + 1) add up. A sum of so many independent waits is spread like a gamma distribution, whose eighth and last tenths are told
as from and to (by Wilson and Hilferty, 1931). Whoever comes later and gains more, or goes away, is not foreseen. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, sqrt
from typing import Final

import numpy as np

from services.referral.board import Board, Solved
from services.referral.eligibility import Circumstances
from services.referral.matching import one_each
from services.referral.offers import Offer
from services.referral.seekers import Seeker

LATEST_DAYS: Final = 730
"""Nobody is told a day that lies further away: it would be a guess."""
_ONE_IN_TEN: Final = 1.2816
"""The quantile of the normal distribution that one in ten exceeds."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A day, and from when to when eight of ten such waits end."""

    earliest: date
    day: date
    latest: date


@dataclass(frozen=True, slots=True)
class Outlook:
    """So many come first for the next seat at `offer`. `expected` is None where nothing can be said: no pace, or a day too far away."""

    ahead: int
    offer: str
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody on the waiting list of a kind. `next`: the offer that the next round is expected to propose; `outlook` for who waits in
    vain. With neither, nothing that is open fits, or another need of the person comes first."""

    seeker: Seeker
    next: str | None
    outlook: Outlook | None


def waiting_list(
    seekers: Iterable[Seeker],
    offers: Iterable[Offer],
    where: Circumstances,
    seed: str,
    given_a_day: float,
    care: Mapping[str, Offer] | None = None,
) -> list[Waiting]:
    """All who wait for a place of one kind, the longest wait first. `offers` are the open ones of the kind, `care` the child care beside
    them."""
    board = Board(offers, where, seed, care)
    first, behind = one_each(seekers)
    fitting = [(one, board.untried(one, board.fitting(one)) & ~board.without_care(one)) for one in first]
    listed = [Waiting(one, None, None) for one in (*behind, *(one for one, places in fitting if not places))]
    candidates = [board.candidate(one, places) for one, places in fitting if places]
    if candidates:
        listed += _among(board, board.solve(candidates), given_a_day)
    return sorted(listed, key=lambda one: (one.seeker.since, one.seeker.need))


def _among(board: Board, solved: Solved, given_a_day: float) -> Iterator[Waiting]:
    found = outlooks(board, solved, given_a_day)
    for number, candidate in enumerate(solved.candidates):
        place = solved.given.get(number)
        proposed = board.offers[place[0]].id if place is not None else None
        yield Waiting(candidate.seeker, proposed, found.get(number))


def outlooks(board: Board, solved: Solved, given_a_day: float) -> Mapping[int, Outlook]:
    """By number of the candidate, for those who get no seat in this round and whom some offer fits. `given_a_day`: the kind's pace."""
    problem = solved.problem
    # Whoever is kept back from a seat that is left over waits for the price to fall, not for a seat.
    left = board.left_over(solved)
    in_vain = np.array([not one.places & left for one in solved.candidates], dtype=np.bool_)
    in_vain[list(solved.given)] = False
    pairs = np.flatnonzero(in_vain[problem.person])
    if not len(pairs):
        return {}
    # Between equal gains the lot decides, as it does in a round.
    pairs = pairs[np.lexsort((-problem.tie[pairs], -problem.gain[pairs], problem.place[pairs]))]
    person, place = problem.person[pairs], problem.place[pairs]
    ahead = np.arange(len(pairs)) - np.searchsorted(place, place, side="left")
    pace = _paces(board, given_a_day)[place] / (ahead + 1)
    a_day = np.bincount(person, weights=pace, minlength=problem.people)
    order = np.lexsort((place, ahead, person))
    first = order[np.searchsorted(person[order], np.unique(person))]
    return {
        int(person[at]): Outlook(
            int(ahead[at]),
            board.offers[int(place[at])].id,
            expected(int(ahead[at]), float(a_day[person[at]]), board.today),
        )
        for at in first.tolist()
    }


def expected(ahead: int, a_day: float, today: date) -> Expected | None:
    """When somebody is served before whom so many come, if one such wait ends at this pace."""
    if a_day * LATEST_DAYS < 1:
        return None
    mean, shape = 1 / a_day, ahead + 1
    return Expected(
        _after(today, _quantile(mean, shape, -_ONE_IN_TEN)),
        _after(today, mean),
        _after(today, min(LATEST_DAYS, _quantile(mean, shape, _ONE_IN_TEN))),
    )


def _quantile(mean: float, shape: int, normal: float) -> float:
    return mean * (1 - 1 / (9 * shape) + normal / (3 * sqrt(shape))) ** 3


def _after(today: date, days: float) -> date:
    return today + timedelta(days=max(1, ceil(days)))


def _paces(board: Board, given_a_day: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of the kind's pace, what falls to each offer."""
    seats = np.array([offer.seats for offer in board.offers], dtype=np.float64)
    return given_a_day * seats / max(1.0, float(seats.sum()))
