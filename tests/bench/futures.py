"""The policy that samples futures: what most of them would choose today is done today.

A future is the rest of a training half-year: who still comes in it and which offers still open, beside those who wait now and what is open
now. How long each of those who wait stays is drawn by the law of waiting whose scale, by kind, the training half-years have. Each future is
solved in hindsight, every day anew. Somebody is served today if so many of the futures serve them today as are enough; with which place,
is the assignment that most of the futures agree with. Most of them is the rule of the literature (consensus; Bent and Van Hentenryck
2004). The fewer are enough, the fewer people are kept waiting.

It costs many times what a round costs: the strongest that is known, to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.referral.assignment import WAITS, Index, Whole, assign, flow
from tests.bench.halfyear import KINDS, TRAINING, Shift, World, world
from tests.bench.played import Chosen, Morning, Played, Policy, problem_of

FUTURES: Final = 5
AHEAD_DAYS: Final = 42
"""So far is looked; what lies further ahead hardly bears on today."""
_VOTE: Final = 1 << 20
"""A vote counts more than any points."""
_NEVER: Final = 1 << 20


def sampled_futures(played: Played, *enough: int) -> Sequence[Policy]:
    """A policy for this half-year for each number of futures that is `enough` to serve somebody today. Their pairs are worked out once."""
    some = [_Future(played, seed) for seed in TRAINING[:FUTURES]]
    return [_policy(some, len(played.comes), one) for one in enough]


def _policy(some: Sequence[_Future], people: int, enough: int) -> Policy:

    def policy(_: Played, morning: Morning) -> Chosen:
        votes = np.zeros(len(morning.person), dtype=np.int64)
        for one in some:
            votes += one.serves_today(morning)
        return _agreed(morning, votes, enough, people)

    return policy


def _agreed(morning: Morning, votes: Whole, enough: int, people: int) -> Chosen:
    today = np.bincount(morning.person, weights=votes, minlength=people) >= enough
    asked = np.flatnonzero(today[morning.person] & (votes > 0))
    person, place = morning.person[asked], morning.place[asked]
    agreed = votes[asked] * _VOTE + morning.gain[asked]
    found = assign(problem_of(people, morning.seats, person, place, agreed)).place
    return [(int(one), int(found[one])) for one in np.flatnonzero(found != WAITS)]


class _Future:
    """One future: this half-year's people and places, and behind them those of a training half-year."""

    def __init__(self, played: Played, seed: int) -> None:
        sampled = world(Shift.ORDINARY, seed)
        self._both = both = Played(_side_by_side(played.world, sampled))
        self._people, self._places = len(played.comes), len(played.seats)
        lengths = np.random.default_rng(seed).random(self._people)
        # Lomax's law by its quantiles: what is left after t days is the scale and t, times this.
        self._left = (1 - lengths) ** (-1 / 3) - 1
        self._scale = _scales(sampled)[both.kind_of_need[: self._people]]

    def serves_today(self, morning: Morning) -> NDArray[np.bool_]:
        """Whether this future makes each of the pairs of the morning today."""
        both, day, people, places = self._both, morning.day, self._people, self._places
        goes = both.goes.copy()
        waited = day - both.comes[:people]
        goes[:people] = day + 1 + ((self._scale + waited) * self._left).astype(np.int64)
        last = day + AHEAD_DAYS
        here = (both.comes > day) & (both.comes <= last)
        here[:people] = morning.waiting
        seats, opens = both.seats.copy(), both.opens
        seats[:places] = np.where((opens[:places] <= day) & (both.announced[:places] > day), morning.seats, 0)
        seats[places:][(opens[places:] <= day) | (opens[places:] > last)] = 0
        first = np.maximum(day, np.maximum(both.comes[both.person], opens[both.place]))
        open_then = first < both.announced[both.place]
        asked = np.flatnonzero(here[both.person] & (seats[both.place] > 0) & open_then & (first < goes[both.person]))
        person, place, first = both.person[asked], both.place[asked], first[asked]
        gain = both.points[asked] + both.start(place, first) + both.a_day[person] * (goes[person] - first)
        found = np.full(len(both.comes), WAITS, dtype=np.int32)
        for kind in range(len(KINDS)):
            own = np.flatnonzero(both.kind_of_need[person] == kind)
            _solve(person[own], place[own], gain[own], seats, found)
        return found[morning.person] == morning.place


def _solve(person: Index, place: Index, gain: Whole, seats: Whole, found: Index) -> None:
    """Fill in the places of the best way. Both are numbered anew: the fewer nodes, the faster. Nobody asks a future for its proof."""
    people, who = np.unique(person, return_inverse=True)
    places, where = np.unique(place, return_inverse=True)
    who, where = who.astype(np.int32), where.astype(np.int32)
    made = flow(problem_of(len(people), seats[places], who, where, gain), who, where, -gain)
    found[person[made]] = place[made]


def _side_by_side(own: World, sampled: World) -> World:
    """Everybody and everything of both. Nobody has gone and nothing has closed in the sample before it begins to count."""
    needs = (*(replace(one, goes=_NEVER) for one in own.needs), *sampled.needs)
    offers = (
        *(replace(one, closes=one.announced) for one in own.offers),
        *(replace(one, offer=one.offer.model_copy(update={"id": f"later-{one.offer.id}"})) for one in sampled.offers),
    )
    return replace(own, needs=needs, offers=offers)


def _scales(sampled: World) -> NDArray[np.float64]:
    """Of each kind the scale of Lomax's law with shape 3, whose mean is half of it."""
    lengths = {
        kind.kind: [one.goes - one.comes for one in sampled.needs if one.seeker.kind is kind.kind] for kind in KINDS
    }
    return np.array([2 * float(np.mean(some)) for some in lengths.values()])
