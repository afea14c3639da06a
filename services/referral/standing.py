"""How one need stands among all that seek the same kind of place: in numbers, and without a word about any other person.

It rests on the seats' prices, which prove a round the best there is (`assignment`). At such prices nobody would rather have another
place; so whoever has fewer points at a place than its price and their own gain together cannot be there in any best round. What is
missing by the prices is therefore never too much.

The smallest prices that prove a round say what one more seat would add, the largest (`dearest`) what one seat fewer would take away. By
the largest nothing is left out for a need that waits: to be served there, it has to make up for the seat that somebody else loses, and
at most one point more where the lot is against it. For a need that has a place, what is missing may be more than either says. What is
really missing (`exact`) shows when the round is solved anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from services.referral.assignment import WAITS, Index, NotOptimal, Problem, Whole, assign
from services.referral.board import Board, Solved
from services.referral.offers import Offer
from services.referral.outlook import Outlook, outlooks
from services.referral.seekers import Seeker


@dataclass(frozen=True, slots=True)
class Sought:
    """A need that is explained, on a board, among others that seek. `own` is the offer whose seat it holds.

    That seat is among the free ones, as if the need were sought again; when nobody may be proposed there any more, it is there for this
    need alone.
    """

    seeker: Seeker
    board: Board
    own: Offer | None = None

    def among(self, others: Iterable[Seeker]) -> Standing:
        """Solve for all of them. Of the person themself no other need counts."""
        board, places = self.board, {self.seeker.need: self._places(self.seeker)}
        seekers = {self.seeker.need: self.seeker}
        reserved = self._reserved()
        for one in others:
            known = seekers.get(one.case)
            if one.case == self.seeker.case or (known and (known.since, known.need) < (one.since, one.need)):
                continue
            seekers[one.case] = one
            places[one.case] = self._places(one) & ~reserved
        solved = board.solve(board.candidate(seeker, places[key]) for key, seeker in seekers.items())
        person = next(at for at, one in enumerate(solved.candidates) if one.seeker.need == self.seeker.need)
        return Standing(board, solved, person)

    def _places(self, seeker: Seeker) -> int:
        return self.board.untried(seeker, self.board.fitting(seeker)) & ~self.board.without_care(seeker)

    def _reserved(self) -> int:
        if self.own is None or self.own.is_open(self.board.today):
            return 0
        return 1 << self.board.places[self.own.id]


class Standing:
    """Where a need stands in a round that was solved. `place` is the offer that it gets there, None when it waits on."""

    def __init__(self, board: Board, solved: Solved, person: int) -> None:
        self._board = board
        self._solved = solved
        self._person = person
        at, points = solved.given.get(person, (None, 0))
        self.place: Final = board.offers[at].id if at is not None else None
        self.waiting: Final = solved.candidates[person].patience
        # What is asked of this need: others may be asked for more, or nothing.
        self._asked = solved.problem.price * solved.candidates[person].kept_back
        self._at = at
        self._gain = points + self.waiting
        self._dearest = dearest(solved.problem, solved.assignment.place)
        self._given = Counter(at for at, _ in solved.given.values())

    def price(self, offer: str) -> int:
        """What one more seat of this offer would add to what all gain together; 0 when nobody would be better off."""
        return int(self._solved.assignment.prices[self._board.places[offer]])

    def serves(self, offer: str) -> bool:
        """Whether with one more seat of this offer one more person would have a place. Solves the round once."""
        problem, place = self._solved.problem, self._board.places[offer]
        seats = problem.seats.copy()
        seats[place] += 1
        served = assign(replace(problem, seats=seats)).place != WAITS
        return int(served.sum()) > len(self._solved.given)

    def left_over(self, offer: str) -> int:
        """How many of its free seats nobody gets."""
        place = self._board.places[offer]
        return self._board.offers[place].free - self._given[place]

    def outlook(self, given_a_day: float) -> Outlook | None:
        """How many come first, and when a place can be expected; None for who gets one, and where nothing fits."""
        return outlooks(self._board, self._solved, given_a_day).get(self._person)

    def missing(self, offer: str, points: int, *, otherwise: bool = False) -> int:
        """With so many points at this offer, at least how many are missing for a seat there. 0: by the prices, none.

        `otherwise`: the person would be another, so that nothing can be said about what they would gain at the place they get now.
        """
        place = self._board.places[offer]
        some = self._board.offers[place].free > 0
        asked, found = self._asked, self._solved.assignment.prices
        proofs = (asked + found, asked + self._dearest) if some else (asked + found,)
        gain = 0 if otherwise else self._gain
        return max(0, *(self._surplus(prices, gain) + int(prices[place]) - points - self.waiting for prices in proofs))

    def _surplus(self, prices: Whole, gain: int) -> int:
        """What the need gains beyond the price of its place."""
        return gain - int(prices[self._at]) if self._at is not None else 0

    def exact(self, offer: str) -> int | None:
        """The fewest points more with which this need gets a seat of the offer, all else being equal.

        None when points do not help: the offer does not fit, or has no free seat. Solves the round twice.
        """
        place = self._board.places[offer]
        problem = self._solved.problem
        pair = np.flatnonzero((problem.person == self._person) & (problem.place == place))
        if not len(pair) or not problem.seats[place]:
            return None
        if self.place == offer:
            return 0
        # So much that it certainly gets the seat. What the others lose by that is what it would have to gain.
        plenty = 2 * int(np.abs(problem.net).max()) + 1
        forced = assign(with_more(problem, int(pair[0]), plenty)).total - plenty
        # Equal points are decided by the waiting and by lot: then one more is needed.
        fewest = max(1, self._solved.assignment.total - forced)
        served = assign(with_more(problem, int(pair[0]), fewest)).place[self._person] == place
        return fewest if served else fewest + 1


def dearest(problem: Problem, place: Index) -> Whole:
    """The largest prices of seats that prove these places the best, one seat fewer of a place being worth so much. 0 without any seat.

    Whoever has a seat would pay all they gain, but not more than what makes another place as good for them (the shortest paths of the
    residual network, by Bellman and Ford). Raises `NotOptimal` when nothing proves them the best.
    """
    people, places = problem.people, len(problem.seats)
    seated = (place[problem.person] != WAITS) & (problem.seats[problem.place] > 0)
    person, at, net = problem.person[seated], problem.place[seated], problem.net[seated]
    own = place[person] == at
    prices = np.where(np.bincount(place[place != WAITS], minlength=places) < problem.seats, 0, _BEYOND).astype(np.int64)
    prices[problem.seats == 0] = 0
    for _ in range(places + 2):
        best = np.zeros(people, dtype=np.int64)
        np.maximum.at(best, person, net - prices[at])
        bearable = prices.copy()
        np.minimum.at(bearable, at[own], net[own] - best[person[own]])
        if np.array_equal(bearable, prices):
            return prices
        prices = bearable
    raise NotOptimal("the prices of the seats fall without end")


_BEYOND: Final = 2**62
"""More than anybody pays."""


def with_more(problem: Problem, pair: int, points: int) -> Problem:
    """The same round, but that one pair is worth so many points more."""
    gain = problem.gain.copy()
    gain[pair] += points
    return replace(problem, gain=gain)
