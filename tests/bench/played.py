"""A generated half-year as arrays: all pairs that were ever possible, and what each is worth on a day.

What is counted is the service's own measure: the points of each place that was given, and the days of waiting that it ended, in points
(urgent ones more). `load`, which says nothing of the person, is left out. In hindsight everybody's patience is known, so everybody is best
served on the first day on which both are there: that is one transport problem, and its optimum the 1.0 of every ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.codes import ServiceKind
from services.referral.assignment import Assignment, Index, Problem, Whole, assign
from services.referral.board import spread
from services.referral.eligibility import Circumstances
from services.referral.lookahead import Period
from services.referral.points import REASONS, table
from services.referral.verdicts import Verdicts
from tests.bench.halfyear import FIRST_DAY, KINDS, World

USUAL_PATIENCE: Final = 50
"""The scale of the law of waiting that the policies reckon with, in days; the worlds have another for each kind."""


@dataclass(frozen=True, slots=True)
class Morning:
    """What a policy sees: the pairs of who waits with what is open, what each would gain (waiting by expectation), the seats, and
    everybody who waits, also those for whom nothing is open."""

    day: int
    person: Index
    place: Index
    gain: Whole
    seats: Whole
    waiting: NDArray[np.bool_]


class Played:
    """A world as arrays. People and places are counted from 0, days too."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.comes, self.goes = _days(made.needs, "comes"), _days(made.needs, "goes")
        self.opens, self.closes = _days(made.offers, "opens"), _days(made.offers, "closes")
        self.announced = _days(made.offers, "announced")
        self.seats = np.array([one.offer.seats for one in made.offers], dtype=np.int64)
        waiting = made.settings.waiting
        a_day = {True: waiting.urgent_points_a_day, False: waiting.points_a_day}
        self.a_day = np.array([a_day[one.seeker.urgent] for one in made.needs], dtype=np.int64)
        self.person, self.place, self.points = self._pairs()
        dated = [one.announced if one.offer.terms and one.offer.terms.is_dated else -1 for one in made.offers]
        self._starts = np.array(dated, dtype=np.int64)

    @cached_property
    def hindsight(self) -> Assignment:
        return assign(self.in_hindsight().problem)

    def in_hindsight(self) -> Period:
        """Everybody and everything, each pair at its earliest."""
        terms = [one.offer.terms for one in self.world.offers if one.offer.terms is not None]
        return Period(problem_of(len(self.comes), self.seats, self.person, self.place, self.gain_in_hindsight), terms)

    @cached_property
    def gain_in_hindsight(self) -> Whole:
        """What each pair gains at its earliest."""
        first = np.maximum(self.comes[self.person], self.opens[self.place])
        return self.worth(self.person, self.place, self.points, first)

    def worth(self, person: Index, place: Index, points: Whole, day: Any) -> Whole:
        """What a pair gains on a day, patience known."""
        return points + self.start(place, day) + self.a_day[person] * (self.goes[person] - day)

    def start(self, place: Index, day: Any) -> Whole:
        """The points for a start that is soon, which change from day to day. (As in `points`: full for two weeks, none from 120 days.)"""
        days = np.where(self._starts[place] < 0, 0, np.maximum(0, self._starts[place] - day))
        return self.world.settings.points.start * (1000 * np.maximum(0, 120 - np.maximum(days, 14)) // 106) // 1000

    @cached_property
    def kind_of_place(self) -> NDArray[np.int64]:
        return np.array([_KIND_NUMBERS[one.offer.terms.kind] for one in self.world.offers if one.offer.terms])

    @cached_property
    def kind_of_need(self) -> NDArray[np.int64]:
        return np.array([_KIND_NUMBERS[one.seeker.kind] for one in self.world.needs])

    def _pairs(self) -> tuple[Index, Index, Whole]:
        """All pairs that the rules allow and that were there at the same time, with the points that do not change."""
        where = Circumstances(self.world.settings, FIRST_DAY)
        people, places, worth = list[Index](), list[Index](), list[Whole]()
        for kind in (one.kind for one in KINDS):
            numbers = [number for number, one in enumerate(self.world.needs) if one.seeker.kind is kind]
            board = sorted(
                (one.offer.id, number) for number, one in enumerate(self.world.offers) if _is_of(one.offer.terms, kind)
            )
            offers = [self.world.offers[number].offer for _, number in board]
            verdicts = Verdicts(offers, where)
            seekers = [self.world.needs[number].seeker for number in numbers]
            person, place = spread([verdicts.fitting(one) for one in seekers], len(offers))
            points = np.zeros(len(person), dtype=np.int64)
            terms = [offer.terms for offer in offers if offer.terms is not None]
            for reason in REASONS:
                if reason.code != "start":
                    lines: dict[Any, int] = {}
                    line = np.array([lines.setdefault(reason.looks_at(one), len(lines)) for one in seekers])
                    points += table(reason, lines, terms, where)[line[person], place]
            people.append(np.array(numbers, dtype=np.int32)[person])
            places.append(np.array([number for _, number in board], dtype=np.int32)[place])
            worth.append(points)
        person, place, points = np.concatenate(people), np.concatenate(places), np.concatenate(worth)
        together = (self.comes[person] < self.closes[place]) & (self.opens[place] < self.goes[person])
        return person[together], place[together], points[together]


Chosen = Sequence[tuple[int, int]]
Policy = Callable[[Played, Morning], Chosen]
"""Who gets which place today."""


def problem_of(
    people: int, seats: Whole, person: Index, place: Index, gain: Whole, price: Whole | None = None
) -> Problem:
    """A problem without ties; without prices unless some are given."""
    free = np.zeros(len(seats), dtype=np.int64)
    return Problem(
        people, seats, person, place, gain, free if price is None else price, np.zeros(len(gain), dtype=np.int64)
    )


_KIND_NUMBERS: Final[Mapping[ServiceKind, int]] = {one.kind: number for number, one in enumerate(KINDS)}


def _is_of(terms: Any, kind: ServiceKind) -> bool:
    return terms is not None and terms.kind is kind


def _days(some: Sequence[Any], name: str) -> NDArray[np.int64]:
    return np.array([getattr(one, name) for one in some], dtype=np.int64)
