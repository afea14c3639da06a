"""A county's own last months as hindsight sees them: what prices are learned from (`lookahead.learn`). Pure.

Everybody who came, and every offer that was open, each pair at its earliest: when both were there. What serving somebody then was worth
is the points of the place (a start that is past counts as soon) and what was left of the waiting that was to be expected on the first
day. A standing offer had at least as many seats as people it served.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from schemas.codes import ServiceKind
from services.referral.assignment import Index, Problem, Whole
from services.referral.board import Board, spread
from services.referral.eligibility import Circumstances
from services.referral.lookahead import NO_PRICES, Lesson, Period
from services.referral.model import Case
from services.referral.offers import Offer, OfferTerms
from services.referral.referrals import TAKEN, ReferralState
from services.referral.seekers import Seeker, seeker_of
from services.runtime.calendar import berlin_day

LEARNED_DAYS: Final = 182
"""How far back is learned from: half a year."""
LEAST_DAYS: Final = 56
"""A county that began less long ago has nothing to learn from."""
LONGEST_WAIT: Final = 90
"""Days after which somebody is no longer counted for an offer that opens."""

_SERVED: Final = frozenset({*TAKEN, ReferralState.COMPLETED, ReferralState.FAILED})


def is_due(last: Lesson | None, begun: date | None, today: date) -> bool:
    """Whether to learn now: once in a calendar month, in a county that has a history. `begun`: the first day on which anything happened."""
    if last is not None and (last.on.year, last.on.month) == (today.year, today.month):
        return False
    return begun is not None and (today - begun).days >= LEAST_DAYS


@dataclass(frozen=True, slots=True)
class Came:
    """A need as it came."""

    seeker: Seeker
    on: date


class History:
    """What is kept of the cases while they are read: the needs that came, and how many each offer served."""

    def __init__(self, today: date) -> None:
        self._from = today - timedelta(days=LEARNED_DAYS)
        self._came: defaultdict[ServiceKind, list[Came]] = defaultdict(list)
        self._served: Counter[str] = Counter()

    def add(self, case: Case) -> None:
        """One case; erased ones say nothing any more."""
        for need in case.needs:
            came = berlin_day(need.since)
            seeker = seeker_of(case, need)
            if seeker is None or came < self._from:
                continue
            self._came[need.kind].append(Came(replace(seeker, tried=frozenset()), came))
            self._served.update(
                one.offer for one in (need.live, *need.past) if one is not None and one.state in _SERVED
            )

    def periods(self, offers: Iterable[Offer], where: Circumstances) -> Iterator[Period]:
        """One for each kind that somebody came for and that was offered."""
        boards: defaultdict[ServiceKind, list[Offer]] = defaultdict(list)
        for offer in offers:
            last = offer.terms.last_day if offer.terms is not None else None
            if offer.terms is not None and offer.opened_on is not None and (last is None or last >= self._from):
                boards[offer.terms.kind].append(offer)
        for kind, came in self._came.items():
            if boards[kind]:
                yield period_of(came, boards[kind], self._served, replace(where, prices=NO_PRICES))


def period_of(came: Sequence[Came], offers: Sequence[Offer], served: Mapping[str, int], where: Circumstances) -> Period:
    """Needs and offers of one kind. `served`: how many people each offer served, by its id."""
    board = Board(offers, where, "")
    terms = [one.terms for one in board.offers if one.terms is not None]
    person, place = spread([board.fitting(one.seeker) for one in came], len(terms))
    lag = _lag(came, board.offers, person, place)
    counted = lag <= LONGEST_WAIT
    person, place, lag = person[counted], place[counted], lag[counted]
    candidates = [board.candidate(one.seeker, 0) for one in came]
    waiting = where.settings.waiting
    a_day = np.array(
        [waiting.urgent_points_a_day if one.seeker.urgent else waiting.points_a_day for one in came], dtype=np.int64
    )
    saved = np.maximum(0, waiting.scale_days // 2 - lag) * a_day[person]
    seats = [max(offer.seats, served.get(offer.id, 0)) for offer in board.offers]
    return Period(
        Problem(
            people=len(came),
            seats=np.array(seats, dtype=np.int64),
            person=person,
            place=place,
            gain=board.points(candidates, person, place) + saved,
            price=np.zeros(len(terms), dtype=np.int64),
            tie=np.zeros(len(person), dtype=np.int64),
        ),
        terms,
    )


def _lag(came: Sequence[Came], offers: Sequence[Offer], person: Index, place: Index) -> Whole:
    """How many days each person waited until the offer opened; beyond `LONGEST_WAIT` where it had closed before they came."""
    comes = np.array([one.on.toordinal() for one in came], dtype=np.int64)[person]
    opens = np.array([offer.opened_on.toordinal() if offer.opened_on else 0 for offer in offers], dtype=np.int64)[place]
    closes = np.array([_last_day(offer.terms) for offer in offers], dtype=np.int64)[place]
    return np.where(comes > closes, LONGEST_WAIT + 1, np.maximum(0, opens - comes))


def _last_day(terms: OfferTerms | None) -> int:
    last = terms.last_day if terms is not None else None
    return (last or date.max).toordinal()
