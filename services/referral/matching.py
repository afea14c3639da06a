"""Matching: waiting needs and open seats in, pairs out. A pure function of its input, whatever the order of records.

What may be relied on: what all gain together is the most that is possible (`assignment`, with its proof). No seat is given twice, no hard
rule is violated, no offer is proposed to whom it is barred (`trying`), and no need that could have had one of the seats left over goes
without. Of two equal people the one who waits longer is never second: equal points tie by the instant since when they wait, then by a
seeded hash of the ids. Whoever waits in vain changes nothing for the others.

The gain of a pair is its points plus the further waiting that ends. Only needs and offers of the same kind meet; each person has one
place of a kind at most, and of two needs the one that waits longer is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.codes import ServiceKind, WaitReason
from services.referral.assignment import WAITS, Index, Problem, Whole, assign
from services.referral.eligibility import Circumstances, Seeker
from services.referral.offers import Offer, OfferTerms
from services.referral.points import REASONS, load, waiting_gain, weighed
from services.referral.ties import Ties
from services.referral.verdicts import Verdicts

_ROWS_AT_ONCE: Final = 4096
"""So many people's offers are spread out at a time, a byte for each offer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A seat for a need. `points` are those of the place, `gain` counts the waiting too."""

    case: str
    need: str
    offer: str
    points: int
    gain: int


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A need without a seat, and why."""

    case: str
    need: str
    reason: WaitReason


@dataclass(frozen=True, slots=True)
class Matching:
    """What a round found: pairs in the order of their gain, and whoever waits on, in the order of their ids."""

    pairs: tuple[Pair, ...]
    unplaced: tuple[Unplaced, ...]


def match(seekers: Iterable[Seeker], offers: Iterable[Offer], where: Circumstances, seed: str = "") -> Matching:
    """Pair needs with free seats of open offers. `seed` decides ties between people and places that are equal in everything."""
    by_kind: dict[ServiceKind, list[Seeker]] = defaultdict(list)
    for seeker in seekers:
        by_kind[seeker.kind].append(seeker)
    boards: dict[ServiceKind, list[Offer]] = defaultdict(list)
    for offer in offers:
        if offer.terms is not None and offer.terms.kind in by_kind and offer.is_open(where.today):
            boards[offer.terms.kind].append(offer)
    pairs: list[Pair] = []
    unplaced: list[Unplaced] = []
    for kind, waiting in by_kind.items():
        found = _Kind(boards[kind], where, seed).match(waiting)
        pairs += found.pairs
        unplaced += found.unplaced
    pairs.sort(key=lambda pair: (-pair.gain, pair.need))
    unplaced.sort(key=lambda one: one.need)
    return Matching(tuple(pairs), tuple(unplaced))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A need with the places that it may have now, as a whole number with their bits. `values` is what the points look at."""

    seeker: Seeker
    places: int
    values: tuple[Hashable, ...]
    patience: int
    tie: int


class _Kind:
    """The open offers of one kind, by place 0, 1, …; a set of places is a whole number with their bits."""

    def __init__(self, offers: Iterable[Offer], where: Circumstances, seed: str) -> None:
        self._where = where
        self._offers = sorted(offers, key=lambda offer: offer.id)
        self._ties = Ties(seed)
        self._places = {offer.id: place for place, offer in enumerate(self._offers)}
        self._with_seat = sum(1 << place for place, offer in enumerate(self._offers) if offer.free > 0)
        self._verdicts = Verdicts(self._offers, where)

    def match(self, seekers: Iterable[Seeker]) -> Matching:
        """Pairs and whoever goes without, in no order."""
        first, behind = _one_each(seekers)
        candidates: list[_Candidate] = []
        unplaced: list[Unplaced] = []
        for seeker in first:
            fitting = self._verdicts.fitting(seeker)
            eligible = self._untried(seeker, fitting)
            if eligible & self._with_seat:
                candidates.append(self._candidate(seeker, eligible & self._with_seat))
            else:
                unplaced.append(Unplaced(seeker.case, seeker.need, self._why_none(fitting, eligible)))
        pairs: list[Pair] = []
        if candidates:
            candidates.sort(key=lambda one: (one.seeker.since, one.tie, one.seeker.need))
            pairs += self._pair(candidates, unplaced)
        placed = {pair.case for pair in pairs}
        for seeker in behind:
            fitting = self._verdicts.fitting(seeker)
            why = self._why_none(fitting, self._untried(seeker, fitting))
            unplaced.append(
                Unplaced(seeker.case, seeker.need, WaitReason.HELD_ALREADY if seeker.case in placed else why)
            )
        return Matching(tuple(pairs), tuple(unplaced))

    def _pair(self, candidates: Sequence[_Candidate], unplaced: list[Unplaced]) -> Iterator[Pair]:
        person, place = _spread([one.places for one in candidates], len(self._offers))
        points = self._points(candidates, person, place)
        problem = Problem(
            people=len(candidates),
            seats=np.array([offer.free for offer in self._offers], dtype=np.int64),
            person=person,
            place=place,
            gain=points + np.array([one.patience for one in candidates], dtype=np.int64)[person],
            price=np.zeros(len(self._offers), dtype=np.int64),
            tie=self._ties.of_pairs(
                [one.tie for one in candidates], [self._ties.of(offer.id) for offer in self._offers], person, place
            ),
        )
        found: list[int] = assign(problem).place.tolist()
        chosen = np.flatnonzero(np.array(found, dtype=np.int32)[person] == place)
        worth: dict[int, int] = dict(zip(person[chosen].tolist(), points[chosen].tolist(), strict=True))
        given = _longest_wait_first(candidates, found, worth)
        for number, one in enumerate(candidates):
            seeker, (at, earned) = one.seeker, given.get(number, (WAITS, 0))
            if at == WAITS:
                unplaced.append(Unplaced(seeker.case, seeker.need, WaitReason.NO_FREE_SEAT))
            else:
                yield Pair(seeker.case, seeker.need, self._offers[at].id, earned, earned + one.patience)

    def _candidate(self, seeker: Seeker, places: int) -> _Candidate:
        values = tuple(reason.looks_at(seeker) for reason in REASONS)
        return _Candidate(seeker, places, values, waiting_gain(seeker, self._where), self._ties.of(seeker.need))

    def _points(self, candidates: Sequence[_Candidate], person: Index, place: Index) -> Whole:
        """The points of each pair: a table for each reason, with a line for each value that occurs."""
        points = np.array([load(offer, self._where) for offer in self._offers], dtype=np.int64)[place]
        terms = [_terms(offer) for offer in self._offers]
        for number, reason in enumerate(REASONS):
            lines: dict[Hashable, int] = {}
            line = np.array([lines.setdefault(one.values[number], len(lines)) for one in candidates], dtype=np.int32)
            table = np.array([[weighed(reason, value, one, self._where) for one in terms] for value in lines])
            points += table[line[person], place]
        return points

    def _untried(self, seeker: Seeker, places: int) -> int:
        """Of these places those that may be proposed (again)."""
        for tried in seeker.tried:
            place = self._places.get(tried.offer)
            if place is not None and tried.bars(self._offers[place]):
                places &= ~(1 << place)
        return places

    def _why_none(self, fitting: int, eligible: int) -> WaitReason:
        if not self._offers:
            return WaitReason.NO_OFFER_OF_THIS_KIND
        if eligible:
            return WaitReason.NO_FREE_SEAT
        return WaitReason.ALL_TRIED if fitting else WaitReason.NOT_ELIGIBLE


def _one_each(seekers: Iterable[Seeker]) -> tuple[Iterable[Seeker], list[Seeker]]:
    """Of each case the need that waits longest, and all others."""
    first: dict[str, Seeker] = {}
    behind: list[Seeker] = []
    for seeker in seekers:
        known = first.setdefault(seeker.case, seeker)
        if (seeker.since, seeker.need) < (known.since, known.need):
            first[seeker.case] = seeker
            behind.append(known)
        elif seeker is not known:
            behind.append(seeker)
    return first.values(), behind


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


def _longest_wait_first(
    candidates: Sequence[_Candidate], found: Sequence[int], worth: dict[int, int]
) -> dict[int, tuple[int, int]]:
    """The place of each person and its points. People who are equal in everything but their waiting are of equal use to the optimum
    wherever they sit: among them the longest wait comes first, to the place with the most points."""
    equal: defaultdict[tuple[int, tuple[Hashable, ...], bool], list[int]] = defaultdict(list)
    for number, one in enumerate(candidates):
        equal[one.places, one.values, one.seeker.urgent].append(number)
    given: dict[int, tuple[int, int]] = {}
    for people in equal.values():
        # The candidates are in the order of their waiting, and so are the people of a group.
        seats = sorted((-worth[number], found[number]) for number in people if found[number] != WAITS)
        for number, (loss, place) in zip(people, seats, strict=False):
            given[number] = (place, -loss)
    return given


def _terms(offer: Offer) -> OfferTerms:
    if offer.terms is None:
        raise ValueError("an offer that nobody has published is on no board")
    return offer.terms
