"""Matching: waiting needs and open seats in, pairs out. A pure function of its input, whatever the order of records.

What may be relied on: what all gain together is the most that is possible (`assignment`, with its proof). No seat is given twice, no hard
rule is violated, no offer is proposed to whom it is barred (`trying`), and no need that could have had one of the seats left over goes
without, but where the seat costs more than the need would gain (`lookahead`), for as many days as the county allows. Of two equal
people the one who waits longer is never second: equal points tie by the instant since when they wait, then by a seeded hash of the ids.
Whoever waits in vain changes nothing for the others.

The gain of a pair is its points plus the further waiting that ends. Only needs and offers of the same kind meet; each person has one
place of a kind at most, and of two needs the one that waits longer is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.codes import ServiceKind, WaitReason
from services.referral.board import Board, Candidate
from services.referral.care import beside
from services.referral.eligibility import Circumstances
from services.referral.offers import Offer
from services.referral.seekers import Seeker


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
    offers = list(offers)
    care = beside(offers)
    for offer in offers:
        if offer.terms is not None and offer.terms.kind in by_kind and offer.is_open(where.today):
            boards[offer.terms.kind].append(offer)
    pairs: list[Pair] = []
    unplaced: list[Unplaced] = []
    for kind, waiting in by_kind.items():
        found = _match(Board(boards[kind], where, seed, care), waiting)
        pairs += found.pairs
        unplaced += found.unplaced
    pairs.sort(key=lambda pair: (-pair.gain, pair.need))
    unplaced.sort(key=lambda one: one.need)
    return Matching(tuple(pairs), tuple(unplaced))


def _match(board: Board, seekers: Iterable[Seeker]) -> Matching:
    """Pairs and whoever goes without, in no order."""
    first, behind = one_each(seekers)
    candidates: list[Candidate] = []
    unplaced: list[Unplaced] = []
    for seeker in first:
        fitting = board.fitting(seeker)
        eligible = board.untried(seeker, fitting)
        if open_to := eligible & board.with_seat & ~board.without_care(seeker):
            candidates.append(board.candidate(seeker, open_to))
        else:
            unplaced.append(Unplaced(seeker.case, seeker.need, _why_none(board, fitting, eligible)))
    pairs = list(_pair(board, candidates, unplaced)) if candidates else []
    placed = {pair.case for pair in pairs}
    for seeker in behind:
        fitting = board.fitting(seeker)
        why = _why_none(board, fitting, board.untried(seeker, fitting))
        unplaced.append(Unplaced(seeker.case, seeker.need, WaitReason.HELD_ALREADY if seeker.case in placed else why))
    return Matching(tuple(pairs), tuple(unplaced))


def _pair(board: Board, candidates: Sequence[Candidate], unplaced: list[Unplaced]) -> Iterator[Pair]:
    solved = board.solve(candidates)
    left = board.left_over(solved)
    for number, one in enumerate(solved.candidates):
        seeker = one.seeker
        if number not in solved.given:
            reason = WaitReason.KEPT_FOR_LATER if one.places & left else WaitReason.NO_FREE_SEAT
            unplaced.append(Unplaced(seeker.case, seeker.need, reason))
            continue
        place, points = solved.given[number]
        yield Pair(seeker.case, seeker.need, board.offers[place].id, points, points + one.patience)


def _why_none(board: Board, fitting: int, eligible: int) -> WaitReason:
    if not board.offers:
        return WaitReason.NO_OFFER_OF_THIS_KIND
    if eligible:
        return WaitReason.NO_FREE_SEAT
    return WaitReason.ALL_TRIED if fitting else WaitReason.NOT_ELIGIBLE


def one_each(seekers: Iterable[Seeker]) -> tuple[Iterable[Seeker], list[Seeker]]:
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
