"""Matching: waiting needs and open seats in, pairs out. A pure function of its input, whatever the order of records.

What may be relied on: no seat is given twice, no hard rule is violated, no offer is proposed to whom it is barred (`trying`), and no
need that could have had one of the seats left over goes without. Of two equal people the one who waits longer is never second: equal
points tie by the instant since when they wait, then by a seeded hash of the ids.

The best pair first: pairs are taken in the order of their gain (points, plus the further waiting that ends). Only needs and offers of the
same kind meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from schemas.codes import ServiceKind, WaitReason
from services.referral.eligibility import Circumstances, Seeker
from services.referral.offers import Offer, OfferTerms
from services.referral.points import REASONS, Reason, load, waiting_gain, weighed
from services.referral.verdicts import Verdicts


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
        board = _Board(boards[kind], where, seed)
        pairs += _pair(waiting, board, unplaced)
    pairs.sort(key=lambda pair: (-pair.gain, pair.need))
    unplaced.sort(key=lambda one: one.need)
    return Matching(tuple(pairs), tuple(unplaced))


class _Choice(NamedTuple):
    """A need with the best place that is still open to it. The smallest one is served first."""

    loss: int
    since: datetime
    tie: bytes
    need: str
    seeker: Seeker
    patience: int
    places: Sequence[tuple[int, bytes, int]]
    at: int


def _pair(seekers: Sequence[Seeker], board: _Board, unplaced: list[Unplaced]) -> Iterable[Pair]:
    choices: list[_Choice] = []
    for seeker in seekers:
        fitting = board.verdicts.fitting(seeker)
        eligible = board.untried(seeker, fitting)
        places = board.ranked(seeker, eligible)
        if places:
            patience = waiting_gain(seeker, board.where)
            tie = board.tie(seeker.need)
            choices.append(
                _Choice(places[0][0] - patience, seeker.since, tie, seeker.need, seeker, patience, places, 0)
            )
        else:
            unplaced.append(Unplaced(seeker.case, seeker.need, board.why_none(fitting, eligible)))
    heapify(choices)
    while choices:
        choice = choices[0]
        minus_points, _, place = choice.places[choice.at]
        if board.free[place]:
            heappop(choices)
            board.free[place] -= 1
            seeker = choice.seeker
            yield Pair(seeker.case, seeker.need, board.offers[place].id, -minus_points, -choice.loss)
            continue
        at = next((at for at in range(choice.at + 1, len(choice.places)) if board.free[choice.places[at][2]]), None)
        if at is not None:
            heapreplace(choices, choice._replace(loss=choice.places[at][0] - choice.patience, at=at))
        else:
            heappop(choices)
            unplaced.append(Unplaced(choice.seeker.case, choice.need, WaitReason.NO_FREE_SEAT))


class _Board:
    """The open offers of one kind, by place 0, 1, …; a set of places is a whole number with their bits."""

    def __init__(self, offers: Iterable[Offer], where: Circumstances, seed: str) -> None:
        self.where = where
        self.offers = sorted(offers, key=lambda offer: offer.id)
        self.free = [offer.free for offer in self.offers]
        self._seed = blake2b(seed.encode(), digest_size=16).digest()
        self._ties = [self.tie(offer.id) for offer in self.offers]
        self._places = {offer.id: place for place, offer in enumerate(self.offers)}
        self._with_seat = sum(1 << place for place, free in enumerate(self.free) if free > 0)
        self.verdicts = Verdicts(self.offers, where)
        self._load = [load(offer, where) for offer in self.offers]
        self._points: dict[tuple[str, Hashable], Sequence[int]] = {}

    def untried(self, seeker: Seeker, places: int) -> int:
        """Of these places those that may be proposed (again)."""
        for tried in seeker.tried:
            place = self._places.get(tried.offer)
            if place is not None and tried.bars(self.offers[place]):
                places &= ~(1 << place)
        return places

    def ranked(self, seeker: Seeker, eligible: int) -> Sequence[tuple[int, bytes, int]]:
        """The eligible places that had a seat at the beginning, the best one first: minus its points, its tie, the place."""
        places = eligible & self._with_seat
        if not places:
            return ()
        parts = [self._points_for(reason, reason.looks_at(seeker)) for reason in REASONS]
        return sorted(
            (-self._load[place] - sum(part[place] for part in parts), self._ties[place], place)
            for place in _places_in(places)
        )

    def why_none(self, fitting: int, eligible: int) -> WaitReason:
        if not self.offers:
            return WaitReason.NO_OFFER_OF_THIS_KIND
        if eligible:
            return WaitReason.NO_FREE_SEAT
        return WaitReason.ALL_TRIED if fitting else WaitReason.NOT_ELIGIBLE

    def tie(self, id: str) -> bytes:
        return blake2b(id.encode(), digest_size=8, key=self._seed).digest()

    def _points_for(self, reason: Reason, value: Hashable) -> Sequence[int]:
        known = self._points.get((reason.code, value))
        if known is None:
            known = self._points[reason.code, value] = [
                weighed(reason, value, _terms(offer), self.where) for offer in self.offers
            ]
        return known


def _places_in(places: int) -> list[int]:
    """The positions of the bits that are set."""
    digits = bin(places)[:1:-1]
    found: list[int] = []
    at = digits.find("1")
    while at >= 0:
        found.append(at)
        at = digits.find("1", at + 1)
    return found


def _terms(offer: Offer) -> OfferTerms:
    if offer.terms is None:
        raise ValueError("an offer that nobody has published is on no board")
    return offer.terms
