"""The board of one kind: its offers with their free seats, and the problem that all who seek one of them make together.

Rounds and explanations look at the same board, so what is said about a round is what the round does. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from services.referral.assignment import WAITS, Assignment, Index, Problem, Whole, assign
from services.referral.care import room
from services.referral.eligibility import Circumstances
from services.referral.offers import Offer, OfferTerms
from services.referral.points import REASONS, days_waited, further_waiting, load, table
from services.referral.seekers import Seeker
from services.referral.ties import Ties
from services.referral.verdicts import Verdicts

_ROWS_AT_ONCE: Final = 4096
"""So many people's offers are spread out at a time, a byte for each offer."""


_LOOKS_AT: Final = tuple(reason.looks_at for reason in REASONS)


class Candidate(NamedTuple):
    """A need with the places that it may have, as a whole number with their bits. `values` is what the points look at.

    `kept_back`: a seat costs this need what it is worth to those who are still to come.
    """

    seeker: Seeker
    places: int
    values: tuple[Hashable, ...]
    patience: int
    tie: int
    kept_back: bool


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

    def __init__(
        self, offers: Iterable[Offer], where: Circumstances, seed: str, care: Mapping[str, Offer] | None = None
    ) -> None:
        self.offers: Final = sorted(offers, key=lambda offer: offer.id)
        self.places: Final = {offer.id: place for place, offer in enumerate(self.offers)}
        self.with_seat: Final = sum(1 << place for place, offer in enumerate(self.offers) if offer.free > 0)
        self.today: Final = where.today
        self._where = where
        self._ties = Ties(seed)
        self._verdicts = Verdicts(self.offers, where)
        self._care: Final = care or {}
        """The offers of child care beside courses, by id."""
        self._cared: Final = {
            place: offer.terms.care
            for place, offer in enumerate(self.offers)
            if offer.terms is not None and offer.terms.care is not None
        }
        self._cramped: Final[dict[tuple[int, ...], int]] = {}
        self._rows: Final[Counter[str]] = Counter()
        for place, offer in enumerate(self.offers):
            if offer.row is not None:
                self._rows[offer.row] |= 1 << place

    def fitting(self, seeker: Seeker) -> int:
        """The places that no hard rule shuts this need out of."""
        return self._verdicts.fitting(seeker)

    def untried(self, seeker: Seeker, places: int) -> int:
        """Of these places those that may be proposed (again)."""
        for tried in seeker.tried:
            place = self.places.get(tried.offer)
            if place is not None and tried.bars(self.offers[place]):
                places &= ~(1 << place)
            if tried.row is not None:
                places &= ~self._rows[tried.row]
        return places

    def without_care(self, seeker: Seeker) -> int:
        """The places that have child care of their own and no room in it for all children of this person."""
        ages = seeker.child_care_ages
        if not ages or not self._cared:
            return 0
        known = self._cramped.get(ages)
        if known is None:
            cramped = (1 << place for place, care in self._cared.items() if not room(ages, self._care.get(care)))
            known = self._cramped[ages] = sum(cramped)
        return known

    def candidate(self, seeker: Seeker, places: int) -> Candidate:
        """Somebody who may have these places."""
        values = tuple([looks_at(seeker) for looks_at in _LOOKS_AT])
        waited = days_waited(seeker, self._where)
        patience, tie = further_waiting(seeker, waited, self._where), self._ties.of(seeker.need)
        return Candidate(seeker, places, values, patience, tie, waited < self._where.settings.look_ahead.kept_back_days)

    def solve(self, candidates: Iterable[Candidate]) -> Solved:
        """The best for all of them together. Places without a seat may be among theirs: they get a price, and nobody gets them."""
        waiting = sorted(candidates, key=lambda one: (one.seeker.since, one.tie, one.seeker.need))
        person, place = spread([one.places for one in waiting], len(self.offers))
        points, alike = self._points(waiting, person, place)
        price = np.array([self._where.prices.of(_terms(offer), self.today) for offer in self.offers], dtype=np.int64)
        # Whom a seat costs nothing gains its price back.
        exempt = np.array([not one.kept_back for one in waiting], dtype=np.bool_)
        problem = Problem(
            people=len(waiting),
            seats=np.array([offer.free for offer in self.offers], dtype=np.int64),
            person=person,
            place=place,
            gain=points
            + np.array([one.patience for one in waiting], dtype=np.int64)[person]
            + np.where(exempt[person], price[place], 0),
            price=price,
            tie=self.ties(waiting, person, place),
        )
        assignment = assign(problem)
        while (left := self._with_room(waiting, problem, assignment)) is not None:
            problem = left
            assignment = assign(problem)
        worth = np.zeros(len(waiting), dtype=np.int64)
        chosen = np.flatnonzero(assignment.place[person] == place)
        worth[person[chosen]] = points[chosen]
        return Solved(waiting, problem, assignment, _longest_wait_first(alike, assignment.place, worth))

    def _with_room(self, waiting: Sequence[Candidate], problem: Problem, found: Assignment) -> Problem | None:
        """The problem without the pairs for which there is no room in the child care beside the courses; None when all have room.

        Those who gain most come first. Whoever has no room any more may still have another place, so all of it is solved again; that the
        whole is the best way to use the places for children is not said (children are no people of the flow), that nobody has one too many
        is.
        """
        wanted: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        made = np.flatnonzero(found.place[problem.person] == problem.place) if self._cared else ()
        for pair in made:
            number, care = int(problem.person[pair]), self._cared.get(int(problem.place[pair]))
            if care is not None and waiting[number].seeker.child_care_ages:
                wanted[care].append((-int(problem.net[pair]), number))
        keep = np.ones(len(problem.person), dtype=np.bool_)
        for care, people in wanted.items():
            beside = self._care.get(care)
            free = beside.free if beside is not None else 0
            places = [place for place, one in self._cared.items() if one == care]
            for _, number in sorted(people):
                children = len(waiting[number].seeker.child_care_ages)
                if children <= free:
                    free -= children
                else:
                    keep &= ~((problem.person == number) & np.isin(problem.place, places))
        if keep.all():
            return None
        return replace(
            problem,
            person=problem.person[keep],
            place=problem.place[keep],
            gain=problem.gain[keep],
            tie=problem.tie[keep],
        )

    def points(self, candidates: Sequence[Candidate], person: Index, place: Index) -> Whole:
        """The points of each pair of people, numbered as in `candidates`, and places."""
        return self._points(candidates, person, place)[0]

    def ties(self, candidates: Sequence[Candidate], person: Index, place: Index) -> Whole:
        """What decides between equals, of each pair."""
        own = [self._ties.of(offer.id) for offer in self.offers]
        return self._ties.of_pairs([one.tie for one in candidates], own, person, place)

    def left_over(self, solved: Solved) -> int:
        """The places of which nobody gets the last seat."""
        given = Counter(place for place, _ in solved.given.values())
        return sum(1 << place for place, offer in enumerate(self.offers) if offer.free > given[place])

    def _points(self, candidates: Sequence[Candidate], person: Index, place: Index) -> tuple[Whole, Whole]:
        """The points of each pair, from a table for each reason with a line for each value that occurs; and a number for each person, the
        same for those who are equal in everything but their waiting, and to whom seats cost the same."""
        points = np.array([load(offer, self._where) for offer in self.offers], dtype=np.int64)[place]
        terms = [_terms(offer) for offer in self.offers]
        places: dict[int, int] = {}
        alike = np.array(
            [
                4 * places.setdefault(one.places & self.with_seat, len(places)) + 2 * one.seeker.urgent + one.kept_back
                for one in candidates
            ],
            dtype=np.int64,
        )
        for reason, values in zip(REASONS, zip(*(one.values for one in candidates), strict=True), strict=False):
            lines: dict[Hashable, int] = {}
            line = np.array([lines.setdefault(value, len(lines)) for value in values], dtype=np.int64)
            points += table(reason, lines, terms, self._where).ravel().take(line[person] * len(terms) + place)
            alike = alike * len(lines) + line
        if self._cared:
            families: dict[tuple[int, ...], int] = {}
            line = [families.setdefault(one.seeker.child_care_ages, len(families)) for one in candidates]
            alike = alike * len(families) + np.array(line, dtype=np.int64)
        return points, alike


def _longest_wait_first(alike: Whole, place: Index, worth: Whole) -> dict[int, tuple[int, int]]:
    """The place of each person who gets one, and its points. People who are equal in everything but their waiting are of equal use to the
    optimum wherever they sit: among them the longest wait comes first, to the place with the most points."""
    seated = np.flatnonzero(place != WAITS)
    given: dict[int, tuple[int, int]] = dict(
        zip(seated.tolist(), zip(place[seated].tolist(), worth[seated].tolist(), strict=True), strict=True)
    )
    _, group, size = np.unique(alike, return_inverse=True, return_counts=True)
    equal: defaultdict[int, list[int]] = defaultdict(list)
    for number in np.flatnonzero(size[group] > 1).tolist():
        equal[int(group[number])].append(number)
    for people in equal.values():
        seats = sorted((given.pop(number) for number in people if number in given), key=lambda one: (-one[1], one[0]))
        # People are numbered in the order of their waiting, and so are those of a group.
        given.update(zip(people, seats, strict=False))
    return given


def spread(masks: Sequence[int], places: int) -> tuple[Index, Index]:
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
