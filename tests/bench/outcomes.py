"""A half-year played day by day by one policy, and what came of it: the figures that are reported of every policy and seed.

Shares, waits, gaps and what else is said of people leave out who came in the last 30 days: they have not had the time to be served. `ratio`
is of everybody, because the bound is; `ratio of the counted` is what the others gained of what they would have in hindsight, and no bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.referral.assignment import WAITS, Index, Whole
from tests.bench.halfyear import DAYS, Coming
from tests.bench.played import USUAL_PATIENCE, Morning, Played, Policy

LAST_COUNTED: Final = DAYS - 30
LARGE_GROUP: Final = 50
"""Groups with fewer people are not compared: their shares are chance."""


def play(played: Played, policy: Policy) -> Outcome:
    """Every day from the first to the last. The policy sees of a day what an office sees. Raises AssertionError for one that cheats."""
    people = len(played.comes)
    served, given = np.full(people, -1, dtype=np.int64), np.full(people, WAITS, dtype=np.int32)
    gained, seats = np.zeros(people, dtype=np.int64), played.seats.copy()
    seconds: list[float] = []
    for day in range(DAYS):
        here = (played.comes <= day) & (played.goes > day) & (served < 0)
        open_now = (played.opens <= day) & (played.closes > day) & (seats > 0)
        now = np.flatnonzero(here[played.person] & open_now[played.place])
        if not len(now):
            continue
        person, place, points = played.person[now], played.place[now], played.points[now]
        expected = played.a_day[person] * (USUAL_PATIENCE + day - played.comes[person]) // 2
        gain = points + played.start(place, day) + expected
        began = time.thread_time()
        chosen = policy(played, Morning(day, person, place, gain, seats.copy(), here))
        seconds.append(time.thread_time() - began)
        for one, at in chosen:
            (pair,) = np.flatnonzero((person == one) & (place == at))
            if served[one] >= 0 or seats[at] <= 0:
                raise AssertionError("somebody was served twice, or a seat given twice")
            served[one], given[one] = day, at
            seats[at] -= 1
            gained[one] = played.worth(person[[pair]], place[[pair]], points[[pair]], day)[0]
    if gained.sum() > played.hindsight.total:
        raise AssertionError("more was gained than hindsight can")
    return Outcome(played, served, given, gained, np.array(seconds))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A policy's half-year. Of each person `served` is the day (-1: never), `given` the place, `gained` the points; `seconds` of CPU that
    each day took."""

    played: Played
    served: NDArray[np.int64]
    given: Index
    gained: Whole
    seconds: NDArray[np.float64]

    def figures(self) -> dict[str, float]:
        """What is reported, by name. Waits are in days; of the unserved until they went, or the half-year ended."""
        played = self.played
        counted = played.comes < LAST_COUNTED
        served = self.served >= 0
        waits = np.where(served, self.served, np.minimum(played.goes, DAYS)) - played.comes
        urgent = played.a_day == played.a_day.max()
        fitted = np.zeros(len(played.comes), dtype=bool)
        fitted[played.person] = True
        return {
            "ratio": float(self.gained.sum() / played.hindsight.total),
            "ratio of the counted": float(self.gained[counted].sum() / _in_hindsight(played)[counted].sum()),
            "served": _share(served[counted]),
            "unmet, some offer fitted": _share((~served & fitted)[counted]),
            "unmet, none fitted": _share((~served & ~fitted)[counted]),
            "wait p50": _quantile(waits[counted], 50),
            "wait p90": _quantile(waits[counted], 90),
            "wait p99": _quantile(waits[counted], 99),
            "unserved wait p50": _quantile(waits[counted & ~served], 50),
            "unserved wait p90": _quantile(waits[counted & ~served], 90),
            "unserved wait p99": _quantile(waits[counted & ~served], 99),
            "urgent p90": _quantile(waits[counted & urgent], 90),
            "gap of languages": self._gap(_language, counted),
            "gap of municipalities": self._gap(lambda one: one.seeker.home.district, counted),
            "gap of sexes": self._gap(lambda one: one.seeker.sex, counted),
            "Gini of gain": gini(self.gained[counted]),
            "same partner again": self._again(counted),
            "under-filled courses": float(self._under_filled()),
            "round ms p50": 1000 * _quantile(self.seconds, 50),
            "round ms p99": 1000 * _quantile(self.seconds, 99),
        }

    def _gap(self, group: Callable[[Coming], Hashable], counted: NDArray[np.bool_]) -> float:
        """The share served of the best served large group less that of the worst; 0 if there is one such group at most."""
        groups: dict[Hashable, list[bool]] = {}
        for number in np.flatnonzero(counted):
            groups.setdefault(group(self.played.world.needs[number]), []).append(bool(self.served[number] >= 0))
        shares = [sum(some) / len(some) for some in groups.values() if len(some) >= LARGE_GROUP]
        return max(shares) - min(shares) if shares else 0.0

    def _again(self, counted: NDArray[np.bool_]) -> float:
        """Of those who were served and knew a partner of that kind, the share that has the same one again."""
        offers, needs = self.played.world.offers, self.played.world.needs
        same = [
            (terms := offers[self.given[number]].offer.terms) is not None and terms.partner == needs[number].known_to
            for number in np.flatnonzero(counted & (self.served >= 0))
            if needs[number].known_to is not None
        ]
        return _share(np.array(same))

    def _under_filled(self) -> int:
        """Courses that somebody was given a place in, and fewer than the minimum."""
        placed = np.bincount(self.given[self.given != WAITS], minlength=len(self.played.seats))
        minimum = np.array([one.minimum for one in self.played.world.offers])
        return int(((placed > 0) & (placed < minimum)).sum())


def gini(values: Whole) -> float:
    """0: all gain the same; near 1: one gains everything. (Half the relative mean difference: Gini 1912; Sen 1973.)"""
    ordered = np.sort(values)
    if not ordered.sum():
        return 0.0
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def _in_hindsight(played: Played) -> Whole:
    """What each person gains in hindsight."""
    gained = np.zeros(len(played.comes), dtype=np.int64)
    made = np.flatnonzero(played.hindsight.place[played.person] == played.place)
    gained[played.person[made]] = played.gain_in_hindsight[made]
    return gained


def _language(one: Coming) -> Hashable:
    """The first language: what is spoken beside English, which many speak."""
    return min(one.seeker.languages - {"eng"}, default="eng")


def _share(some: NDArray[np.bool_]) -> float:
    return float(some.mean()) if len(some) else 0.0


def _quantile(some: NDArray[np.int64] | NDArray[np.float64], percent: int) -> float:
    return float(np.percentile(some, percent)) if len(some) else 0.0
