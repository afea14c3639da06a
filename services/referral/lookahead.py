"""Looking ahead: what a seat is worth to those who are still to come, as a price that a round takes off.

Seats that are held cannot be given back, and tomorrow's people are known in kind. So a round makes a pair only if it gains more than the
seat is expected to gain later; seats that nobody would miss cost nothing. Pure.

A price has three parts, each of which a coordinator can be told:

- what such a seat was worth in past periods, solved in hindsight: the mean of its prices there (`learn`), for offers of the same sort, the
  narrowest sort of which there were enough;
- how scarce seats of the kind are now (`scarcity`): where fewer people come for each seat than usual, the price all but vanishes, so that
  with plenty of seats nobody is kept waiting;
- how long it can still be given: the price fades to zero over the last days of enrolment (`price`).

Nobody waits for the sake of others for longer than the county allows (`county.LookAhead`): from then on, seats cost them nothing.

Without history every price is zero, which is the plain optimum of the day. The constants were chosen on made-up half-years
(`tests/bench/halfyear.py`: trained on some seeds, compared on others), and are to be chosen anew when a county has a history of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.codes import ServiceKind
from services.referral.assignment import Problem, assign
from services.referral.flow import Flowed, Flows
from services.referral.offers import OfferTerms

Sort = tuple[str, ...]

FADE_DAYS: Final = 10
LEAST_OFFERS: Final = 6
"""A sort of which history knows fewer is too thin; the wider one counts."""

USUAL_NEEDS_A_SEAT: Final = 1.15
PRIOR_SEATS: Final = 60
"""So many seats with as many needs as usual are added to what is counted: a few days say little."""
PLENTY: Final = 0.9
SCARCE: Final = 1.05
LEAST_SHARE: Final = 0.2
LARGEST_SHARE: Final = 1.25
"""More than the mean price where seats are scarce: who comes later gains more than the average of those who could have had it."""


@dataclass(frozen=True, slots=True)
class Period:
    """A past period as hindsight sees it: everybody who came and every offer, with what each pair would have gained at its earliest."""

    problem: Problem
    terms: Sequence[OfferTerms]


@dataclass(frozen=True, slots=True)
class Learned:
    """What one more seat would have added, in points, by sort of offer."""

    points: Mapping[Sort, float]

    def of(self, terms: OfferTerms) -> float:
        """Of the narrowest sort that is known; 0 without history."""
        return next((self.points[sort] for sort in sorts_of(terms) if sort in self.points), 0.0)


NOTHING_LEARNED: Final = Learned({})


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned, and when."""

    learned: Learned
    on: date


def sorts_of(terms: OfferTerms) -> tuple[Sort, ...]:
    """The sorts that an offer belongs to, the narrowest first: by kind, level, child care and when it takes place."""
    kind, level, when = str(terms.kind), str(terms.cefr_from or ""), ",".join(terms.dayparts[:1])
    return (
        (kind, level, when, "child-care" if terms.child_care else ""),
        (kind, level, when),
        (kind, level),
        (kind,),
    )


def learn(periods: Iterable[Period]) -> Learned:
    """Solve each period in hindsight, and take the mean over its seats. The narrow sorts are those of which there were enough offers."""
    worth: defaultdict[Sort, float] = defaultdict(float)
    seats: defaultdict[Sort, int] = defaultdict(int)
    offers: defaultdict[Sort, int] = defaultdict(int)
    for period in periods:
        prices: list[int] = assign(period.problem).prices.tolist()
        for terms, price, free in zip(period.terms, prices, period.problem.seats.tolist(), strict=True):
            for sort in sorts_of(terms):
                worth[sort] += price * free
                seats[sort] += free
                offers[sort] += 1
    enough = (sort for sort in seats if seats[sort] and (offers[sort] >= LEAST_OFFERS or len(sort) == 1))
    return Learned({sort: worth[sort] / seats[sort] for sort in enough})


def scarcity(came: int, opened: int) -> float:
    """The share of the learned price that is asked, from how many needs of a kind came and how many seats of it opened, in the last
    `flow.COUNTED_DAYS` days."""
    needs_a_seat = (came + PRIOR_SEATS * USUAL_NEEDS_A_SEAT) / (opened + PRIOR_SEATS)
    between = min(1.0, max(0.0, (needs_a_seat - PLENTY) / (SCARCE - PLENTY)))
    return LEAST_SHARE + (LARGEST_SHARE - LEAST_SHARE) * between


def price(learned: Learned, terms: OfferTerms, share: float, today: date) -> int:
    """What a seat of this offer costs today, in whole points. An offer without a last day keeps its price."""
    left = (terms.last_day - today).days if terms.last_day is not None else FADE_DAYS
    return int(learned.of(terms) * share * min(1.0, max(0.0, left / FADE_DAYS)))


@dataclass(frozen=True, slots=True)
class Prices:
    """What is asked for seats on a day: what was learned, and the share of it by kind."""

    learned: Learned
    shares: Mapping[ServiceKind, float]

    def of(self, terms: OfferTerms, today: date) -> int:
        """In whole points."""
        return price(self.learned, terms, self.shares.get(terms.kind, 1.0), today)


NO_PRICES: Final = Prices(NOTHING_LEARNED, {})


def prices(learned: Learned, lately: Flows) -> Prices:
    """By what was learned, and what came and opened lately."""
    kinds = {ServiceKind(sort[0]) for sort in learned.points}
    return Prices(
        learned, {kind: scarcity(lately.of(Flowed.CAME, kind), lately.of(Flowed.OPENED, kind)) for kind in kinds}
    )
