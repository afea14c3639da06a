"""What the planner is asked, out of offers and people: the courses of one kind that are due, who holds their seats, and who waits. Pure.

Due is a course below its minimum whose enrolment ends soon, or has ended lately, and on which nobody has decided. Whom enrolment has ended
for cannot be proposed there any more, so such a course has the people whom it has. The other open offers of the kind are places for those
who wait, as they are in a round; whether they take place is not asked yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from schemas.codes import ServiceKind
from services.referral.assignment import WAITS, Index, Whole
from services.referral.board import Board, Candidate, spread
from services.referral.care import beside
from services.referral.eligibility import Circumstances
from services.referral.matching import one_each
from services.referral.model import Case
from services.referral.offers import Offer
from services.referral.particulars import minimum_of
from services.referral.planner import Enrolment, Plan, plan
from services.referral.points import load
from services.referral.seekers import Seeker, seeker_of

STAYING: Final = 1
"""Points for a seat that somebody keeps: of two plans that are equally good, the one in which fewer people have to move."""
LATELY: Final = timedelta(days=28)
"""For so long after the end of enrolment a course waits for its decision; then its start has long decided it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one course. `taking_part`: so many if it runs as planned; `needed` as in `Plan`."""

    offer: Offer
    runs: bool
    taking_part: int
    needed: int
    plan: Plan


def is_due(offer: Offer, today: date, within: timedelta) -> bool:
    """Whether the county is to decide on it now."""
    if offer.terms is None or offer.closed or offer.runs_anyway_since is not None or not offer.missing:
        return False
    last = offer.terms.last_day
    return last is not None and today - LATELY <= last <= today + within


def holders_of(due: Iterable[Offer]) -> set[str]:
    """The cases that hold seats of these courses."""
    return {holder.case for offer in due for holder in offer.holders}


def held_in(cases: Iterable[Case], due: Iterable[Offer]) -> list[tuple[Seeker, str]]:
    """Whoever holds a seat of these courses, with its offer."""
    ids = {offer.id for offer in due}
    found = ((case, need) for case in cases for need in case.needs if need.live is not None and need.live.offer in ids)
    return [
        (seeker, need.live.offer)
        for case, need in found
        if need.live is not None and (seeker := seeker_of(case, need)) is not None
    ]


def proposals(
    due: Sequence[Offer],
    offers: Iterable[Offer],
    waiting: Iterable[Seeker],
    held: Iterable[tuple[Seeker, str]],
    where: Circumstances,
    seed: str,
) -> list[Proposal]:
    """For each of the courses of one kind that are due. `offers` are all that are open now, `waiting` who seeks a place of the kind."""
    if not due:
        return []
    kind = kind_of(due[0])
    offers = list(offers)
    open_now = {
        one.id: one for one in offers if one.terms is not None and one.terms.kind is kind and one.is_open(where.today)
    }
    asked = {one.id: one for one in due}
    board = Board((open_now | asked).values(), where, seed, beside(offers))
    found = plan(_enrolment(board, asked, frozenset(open_now), waiting, held, where))
    places = [(board.places[one.id], one) for one in sorted(due, key=lambda one: one.id)]
    return [
        Proposal(one, bool(found.runs[at]), found.taking_part(at), int(found.needed[at]), found) for at, one in places
    ]


def kind_of(offer: Offer) -> ServiceKind:
    """The kind of a published offer."""
    if offer.terms is None:
        raise ValueError("an offer that nobody has published is not planned")
    return offer.terms.kind


def _enrolment(
    board: Board,
    asked: Mapping[str, Offer],
    open_now: frozenset[str],
    waiting: Iterable[Seeker],
    held: Iterable[tuple[Seeker, str]],
    where: Circumstances,
) -> Enrolment:
    to_new = sum(1 << place for place, offer in enumerate(board.offers) if offer.id in open_now)
    first, _ = one_each(waiting)
    people = [(seeker, None) for seeker in first] + list(held)
    people.sort(key=lambda one: one[0].need)
    at = np.array([WAITS if own is None else board.places[own] for _, own in people], dtype=np.int32)
    masks: list[int] = []
    for (seeker, own), place in zip(people, at.tolist(), strict=True):
        fits = board.untried(seeker, board.fitting(seeker)) & ~board.without_care(seeker) & to_new
        masks.append(fits if own is None else fits | 1 << place)
    candidates = [board.candidate(seeker, mask) for (seeker, _), mask in zip(people, masks, strict=True)]
    empty = np.zeros(0, dtype=np.int32)
    person, place = spread(masks, len(board.offers)) if people else (empty, empty)
    return Enrolment(
        minimum=np.array([_minimum(one, asked) for one in board.offers], dtype=np.int64),
        seats=np.array([_seats(one, asked, open_now) for one in board.offers], dtype=np.int64),
        at=at,
        person=person,
        place=place,
        gain=_gain(board, candidates, person, place, where) + STAYING * (at[person] == place),
        tie=board.ties(candidates, person, place),
    )


def _gain(board: Board, candidates: Sequence[Candidate], person: Index, place: Index, where: Circumstances) -> Whole:
    """As in a round: the points, and the waiting that ends. But for those for free seats, which are to spread people: here they are
    gathered."""
    if not candidates:
        return np.zeros(0, dtype=np.int64)
    patience = np.array([one.patience for one in candidates], dtype=np.int64)
    spreading = np.array([load(offer, where) for offer in board.offers], dtype=np.int64)
    return board.points(candidates, person, place) - spreading[place] + patience[person]


def _minimum(offer: Offer, asked: Mapping[str, Offer]) -> int:
    return (minimum_of(offer.terms.particulars) or 0) if offer.id in asked and offer.terms is not None else 0


def _seats(offer: Offer, asked: Mapping[str, Offer], open_now: frozenset[str]) -> int:
    if offer.id not in asked:
        return offer.free
    return offer.seats if offer.id in open_now else offer.taken
