"""The board of one kind: its offers with their free seats, and the problem that all who seek one of them make together.

Rounds and explanations look at the same board, so what is said about a round is what the round does. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.referral.assignment import WAITS, Assignment, Index, Problem, Whole, assign
from services.referral.eligibility import Circumstances, Seeker
from services.referral.offers import Offer, OfferTerms
from services.referral.points import REASONS, load, waiting_gain, weighed
from services.referral.ties import Ties
from services.referral.verdicts import Verdicts

_ROWS_AT_ONCE: Final = 4096
"""So many people's offers are spread out at a time, a byte for each offer."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A need with the places that it may have, as a whole number with their bits. `values` is what the points look at."""

    seeker: Seeker
    places: int
    values: tuple[Hashable, ...]
    patience: int
    tie: int


@dataclass(frozen=True, slots=True)
class Solved:
    """Who gets which place. `candidates` are people 0, 1, … of the problem, in the order of their waiting.

    `given` is the place of each who gets one, and its points. It is as good as that of the assignment, whose prices prove both: people who
    are equal in everything but their waiting have been put in the order of it.
    """

    candidates: Sequence[Candidate]
    problem: Problem
    assignment: Assignment
    given: Mapping[int, tuple[int, int]]


class Board:
    """The offers of one kind, by place 0, 1, …; a set of places is a whole number with their bits. `with_seat`: where one is free."""

    def __init__(self, offers: Iterable[Offer], where: Circumstances, seed: str) -> None:
        self.offers: Final = sorted(offers, key=lambda offer: offer.id)
        self.places: Final = {offer.id: place for place, offer in enumerate(self.offers)}
        self.with_seat: Final = sum(1 << place for place, offer in enumerate(self.offers) if offer.free > 0)
        self.today: Final = where.today
        self._where = where
        self._ties = Ties(seed)
        self._verdicts = Verdicts(self.offers, where)

    def fitting(self, seeker: Seeker) -> int:
        """The places that no hard rule shuts this need out of."""
        return self._verdicts.fitting(seeker)

    def untried(self, seeker: Seeker, places: int) -> int:
        """Of these places those that may be proposed (again)."""
        for tried in seeker.tried:
            place = self.places.get(tried.offer)
            if place is not None and tried.bars(self.offers[place]):
                places &= ~(1 << place)
        return places

    def candidate(self, seeker: Seeker, places: int) -> Candidate:
        """Somebody who may have these places."""
        values = tuple(reason.looks_at(seeker) for reason in REASONS)
        return Candidate(seeker, places, values, waiting_gain(seeker, self._where), self._ties.of(seeker.need))

    def solve(self, candidates: Iterable[Candidate]) -> Solved:
        """The best for all of them together. Places without a seat may be among theirs: they get a price, and nobody gets them."""
        waiting = sorted(candidates, key=lambda one: (one.seeker.since, one.tie, one.seeker.need))
        person, place = _spread([one.places for one in waiting], len(self.offers))
        points = self._points(waiting, person, place)
        problem = Problem(
            people=len(waiting),
            seats=np.array([offer.free for offer in self.offers], dtype=np.int64),
            person=person,
            place=place,
            gain=points + np.array([one.patience for one in waiting], dtype=np.int64)[person],
            price=np.zeros(len(self.offers), dtype=np.int64),
            tie=self._ties.of_pairs(
                [one.tie for one in waiting], [self._ties.of(offer.id) for offer in self.offers], person, place
            ),
        )
        assignment = assign(problem)
        chosen = np.flatnonzero(assignment.place[person] == place)
        worth: dict[int, int] = dict(zip(person[chosen].tolist(), points[chosen].tolist(), strict=True))
        return Solved(waiting, problem, assignment, self._longest_wait_first(waiting, assignment.place.tolist(), worth))

    def _points(self, candidates: Sequence[Candidate], person: Index, place: Index) -> Whole:
        """The points of each pair: a table for each reason, with a line for each value that occurs."""
        points = np.array([load(offer, self._where) for offer in self.offers], dtype=np.int64)[place]
        terms = [_terms(offer) for offer in self.offers]
        for number, reason in enumerate(REASONS):
            lines: dict[Hashable, int] = {}
            line = np.array([lines.setdefault(one.values[number], len(lines)) for one in candidates], dtype=np.int32)
            table = np.array([[weighed(reason, value, one, self._where) for one in terms] for value in lines])
            points += table[line[person], place]
        return points

    def _longest_wait_first(
        self, candidates: Sequence[Candidate], found: Sequence[int], worth: Mapping[int, int]
    ) -> dict[int, tuple[int, int]]:
        """The place of each person and its points. People who are equal in everything but their waiting are of equal use to the optimum
        wherever they sit: among them the longest wait comes first, to the place with the most points."""
        equal: defaultdict[tuple[int, tuple[Hashable, ...], bool], list[int]] = defaultdict(list)
        for number, one in enumerate(candidates):
            equal[one.places & self.with_seat, one.values, one.seeker.urgent].append(number)
        given: dict[int, tuple[int, int]] = {}
        for people in equal.values():
            # The candidates are in the order of their waiting, and so are the people of a group.
            seats = sorted((-worth[number], found[number]) for number in people if found[number] != WAITS)
            for number, (loss, place) in zip(people, seats, strict=False):
                given[number] = (place, -loss)
        return given


def _spread(masks: Sequence[int], places: int) -> tuple[Index, Index]:
    """The pairs of people (by number) and places whose bits are set."""
    width = (places + 7) // 8
    people_found, places_found = list[Index](), list[Index]()
    for start in range(0, len(masks), _ROWS_AT_ONCE):
        packed = b"".join(mask.to_bytes(width, "little") for mask in masks[start : start + _ROWS_AT_ONCE])
        bits = np.frombuffer(packed, dtype=np.uint8).reshape(-1, width)
        person, place = np.nonzero(np.unpackbits(bits, axis=1, count=places, bitorder="little"))
        people_found.append((person + start).astype(np.int32))
        places_found.append(place.astype(np.int32))
    return np.concatenate(people_found), np.concatenate(places_found)


def _terms(offer: Offer) -> OfferTerms:
    if offer.terms is None:
        raise ValueError("an offer that nobody has published is on no board")
    return offer.terms
