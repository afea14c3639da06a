"""What looking ahead is worth: generated half-years, played day by day by each policy, beside what hindsight would have reached.

What is counted is the service's own measure: the points of each place that was given, and the days of waiting that it ended, in points
(urgent ones more). `load`, which says nothing of the person, is left out. In hindsight everybody's patience is known, so everybody is best
served on the first day on which both are there: that is one transport problem, and its optimum the 1.0 of every ratio.

The policies see of a day only what an office sees: who waits and since when, which offers are open and until when they say they are, and
how many came and opened lately. What they learn, they learn from other half-years (`halfyear.TRAINING`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.codes import ServiceKind
from services.referral.assignment import WAITS, Assignment, Index, Problem, Whole, assign
from services.referral.board import spread
from services.referral.eligibility import Circumstances
from services.referral.flow import COUNTED_DAYS
from services.referral.lookahead import FADE_DAYS, Learned, Period, learn, scarcity
from services.referral.points import REASONS, table
from services.referral.verdicts import Verdicts
from tests.bench.halfyear import DAYS, FIRST_DAY, KINDS, TRAINING, Shift, World, world

USUAL_PATIENCE: Final = 50
"""The scale of the law of waiting that the policies reckon with, in days; the worlds have another for each kind."""
LAST_COUNTED: Final = DAYS - 30
"""Who comes later has not had the time to be served."""

Chosen = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Morning:
    """What a policy sees: the pairs of who waits with what is open, what each would gain (waiting by expectation), and the seats."""

    day: int
    person: Index
    place: Index
    gain: Whole
    seats: Whole


class Played:
    """A world as arrays: all pairs that were ever possible, and what each is worth on a day."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.comes, self.goes = _days(made.needs, "comes"), _days(made.needs, "goes")
        self.opens, self.closes = _days(made.offers, "opens"), _days(made.offers, "closes")
        self.announced = _days(made.offers, "announced")
        self.seats = np.array([one.offer.seats for one in made.offers], dtype=np.int64)
        waiting = made.settings.waiting
        a_day = {True: waiting.urgent_points_a_day, False: waiting.points_a_day}
        self.a_day = np.array([a_day[one.seeker.urgent] for one in made.needs], dtype=np.int64)
        self.person, self.place, self._points = self._pairs()
        dated = [one.announced if one.offer.terms and one.offer.terms.is_dated else -1 for one in made.offers]
        self._starts = np.array(dated, dtype=np.int64)

    @cached_property
    def hindsight(self) -> Assignment:
        return assign(self.in_hindsight().problem)

    def in_hindsight(self) -> Period:
        """Everybody and everything, each pair at its earliest."""
        first = np.maximum(self.comes[self.person], self.opens[self.place])
        gain = self.worth(self.person, self.place, self._points, first)
        terms = [one.offer.terms for one in self.world.offers if one.offer.terms is not None]
        return Period(_problem(len(self.comes), self.seats, self.person, self.place, gain), terms)

    def worth(self, person: Index, place: Index, points: Whole, day: Any) -> Whole:
        """What a pair gains on a day, patience known."""
        return points + self._start(place, day) + self.a_day[person] * (self.goes[person] - day)

    def play(self, policy: Policy) -> Outcome:
        """Every day from the first to the last."""
        served, total = np.full(len(self.comes), -1, dtype=np.int64), 0
        given = np.full(len(self.comes), WAITS, dtype=np.int32)
        seats = self.seats.copy()
        for day in range(DAYS):
            here = (self.comes <= day) & (self.goes > day) & (served < 0)
            open_now = (self.opens <= day) & (self.closes > day) & (seats > 0)
            now = np.flatnonzero(here[self.person] & open_now[self.place])
            if not len(now):
                continue
            person, place = self.person[now], self.place[now]
            expected = self.a_day[person] * (USUAL_PATIENCE + day - self.comes[person]) // 2
            morning = Morning(day, person, place, self._points[now] + self._start(place, day) + expected, seats.copy())
            for one, at in policy(self, morning):
                pair = now[(person == one) & (place == at)]
                served[one], given[one] = day, at
                seats[at] -= 1
                total += int(self.worth(self.person[pair], self.place[pair], self._points[pair], day)[0])
        if (seats < 0).any():
            raise AssertionError("a seat was given twice")
        return Outcome(self, total, served, given)

    @cached_property
    def kind_of_place(self) -> NDArray[np.int64]:
        return np.array([_KIND_NUMBERS[one.offer.terms.kind] for one in self.world.offers if one.offer.terms])

    @cached_property
    def kind_of_need(self) -> NDArray[np.int64]:
        return np.array([_KIND_NUMBERS[one.seeker.kind] for one in self.world.needs])

    def _start(self, place: Index, day: Any) -> Whole:
        """The points for a start that is soon, which change from day to day. (As in `points`: full for two weeks, none from 120 days.)"""
        days = np.where(self._starts[place] < 0, 0, np.maximum(0, self._starts[place] - day))
        return self.world.settings.points.start * (1000 * np.maximum(0, 120 - np.maximum(days, 14)) // 106) // 1000

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


Policy = Callable[[Played, Morning], Chosen]


# --- policies -----------------------------------------------------------------------------------------------------------


def first_come(played: Played, morning: Morning) -> Chosen:
    """What offices do: whoever came first chooses the best of what is open."""
    seats, chosen = morning.seats, list[tuple[int, int]]()
    people = np.unique(morning.person)
    for one in people[np.lexsort((people, played.comes[people]))]:
        own = np.flatnonzero(morning.person == one)
        own = own[seats[morning.place[own]] > 0]
        if len(own):
            at = int(morning.place[own[np.argmax(morning.gain[own])]])
            seats[at] -= 1
            chosen.append((int(one), at))
    return chosen


def daily(played: Played, morning: Morning) -> Chosen:
    """The optimum of the day."""
    return _best(played, morning, np.zeros(len(morning.seats), dtype=np.int64))


def weekly(played: Played, morning: Morning) -> Chosen:
    """The optimum once a week."""
    return daily(played, morning) if morning.day % 7 == 6 else []


def with_prices(learned: Learned, *, by_scarcity: bool) -> Policy:
    """The optimum of the day after the learned prices; `by_scarcity`: as much of them as seats are scarce now."""

    def policy(played: Played, morning: Morning) -> Chosen:
        whole = np.array([learned.of(one.offer.terms) for one in played.world.offers if one.offer.terms is not None])
        share = _shares(played, morning.day)[played.kind_of_place] if by_scarcity else 1.0
        fade = np.clip((played.announced - morning.day) / FADE_DAYS, 0, 1)
        return _best(played, morning, (whole * share * fade).astype(np.int64))

    return policy


def policies(learned: Learned) -> Mapping[str, Policy]:
    """Those that are compared, by name."""
    return {
        "first come, first served": first_come,
        "optimum each day": daily,
        "optimum once a week": weekly,
        "each day, minus learned prices": with_prices(learned, by_scarcity=False),
        "the same, by scarcity": with_prices(learned, by_scarcity=True),
    }


def play_all(shift: Shift, seed: int, learned: Learned) -> Mapping[str, Mapping[str, float]]:
    """The figures of one half-year by the name of the policy."""
    played = Played(world(shift, seed))
    return {name: played.play(policy).figures() for name, policy in policies(learned).items()}


def trained() -> Learned:
    """What the training half-years teach."""
    return learn(Played(world(Shift.ORDINARY, seed)).in_hindsight() for seed in TRAINING)


def _best(played: Played, morning: Morning, price: Whole) -> Chosen:
    problem = _problem(len(played.comes), morning.seats, morning.person, morning.place, morning.gain, price)
    place = assign(problem).place
    return [(int(one), int(place[one])) for one in np.flatnonzero(place != WAITS)]


def _shares(played: Played, day: int) -> NDArray[np.float64]:
    """`scarcity` of each kind, from what came and opened lately."""
    came = played.kind_of_need[(played.comes <= day) & (played.comes > day - COUNTED_DAYS)]
    opened = (played.opens <= day) & (played.opens > day - COUNTED_DAYS)
    kinds = range(len(KINDS))
    return np.array(
        [
            scarcity(int((came == kind).sum()), int(played.seats[opened & (played.kind_of_place == kind)].sum()))
            for kind in kinds
        ]
    )


def _problem(
    people: int, seats: Whole, person: Index, place: Index, gain: Whole, price: Whole | None = None
) -> Problem:
    free = np.zeros(len(seats), dtype=np.int64)
    return Problem(
        people, seats, person, place, gain, free if price is None else price, np.zeros(len(gain), dtype=np.int64)
    )


# --- what came of it ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """A policy's half-year. `served` is the day of each person, -1 for nobody; `given` the place."""

    played: Played
    total: int
    served: NDArray[np.int64]
    given: Index

    def figures(self) -> dict[str, float]:
        """What is reported of it. Shares and waits are of those who came early enough to be served, waits also of whoever went."""
        played = self.played
        counted = played.comes < LAST_COUNTED
        ended = np.where(self.served >= 0, self.served, np.minimum(played.goes, DAYS))
        waits = (ended - played.comes)[counted]
        urgent = counted & (played.a_day == played.a_day.max())
        could = np.zeros(len(played.comes), dtype=bool)
        could[played.person] = True
        served = self.served >= 0
        return {
            "ratio": self.total / played.hindsight.total,
            "served": float(served[counted].mean()),
            "unmet, some offer fitted": float((~served & could)[counted].mean()),
            "unmet, none fitted": float((~served & ~could)[counted].mean()),
            "wait p50": float(np.percentile(waits, 50)),
            "wait p90": float(np.percentile(waits, 90)),
            "wait p99": float(np.percentile(waits, 99)),
            "urgent p90": float(np.percentile((ended - played.comes)[urgent], 90)),
            "gap of languages": self._gap("languages", counted),
            "gap of districts": self._gap("district", counted),
            "gap of sexes": self._gap("sex", counted),
        }

    def _gap(self, attribute: str, counted: NDArray[np.bool_]) -> float:
        """The share served of the best served group less that of the worst, of groups of fifty and more."""
        groups: dict[Any, list[bool]] = {}
        for number in np.flatnonzero(counted):
            groups.setdefault(getattr(self.played.world.needs[number].seeker, attribute), []).append(
                bool(self.served[number] >= 0)
            )
        shares = [sum(some) / len(some) for some in groups.values() if len(some) >= 50]
        return max(shares) - min(shares) if shares else 0.0


_KIND_NUMBERS: Final[Mapping[ServiceKind, int]] = {one.kind: number for number, one in enumerate(KINDS)}


def _is_of(terms: Any, kind: ServiceKind) -> bool:
    return terms is not None and terms.kind is kind


def _days(some: Sequence[Any], name: str) -> NDArray[np.int64]:
    return np.array([getattr(one, name) for one in some], dtype=np.int64)
