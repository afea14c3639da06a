"""The policies that are compared. Each sees of a day only what an office sees: who waits and since when, which offers are open and until
when they say they are, and how many came and opened lately. What they learn, they learn from other half-years (`halfyear.TRAINING`)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.referral.assignment import WAITS, Whole, assign
from services.referral.flow import COUNTED_DAYS
from services.referral.lookahead import FADE_DAYS, Learned, scarcity
from tests.bench.halfyear import KINDS
from tests.bench.played import Chosen, Morning, Played, Policy, problem_of

WEEK: Final = 7


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
    return best(played, morning, np.zeros(len(morning.seats), dtype=np.int64))


def weekly(played: Played, morning: Morning) -> Chosen:
    """The optimum once a week."""
    return daily(played, morning) if morning.day % WEEK == WEEK - 1 else []


def with_prices(learned: Learned, *, by_scarcity: bool) -> Policy:
    """The optimum of the day after the learned prices; `by_scarcity`: as much of them as seats are scarce now."""

    def policy(played: Played, morning: Morning) -> Chosen:
        whole = np.array([learned.of(one.offer.terms) for one in played.world.offers if one.offer.terms is not None])
        share = _shares(played, morning.day)[played.kind_of_place] if by_scarcity else 1.0
        fade = np.clip((played.announced - morning.day) / FADE_DAYS, 0, 1)
        return best(played, morning, (whole * share * fade).astype(np.int64))

    return policy


def best(played: Played, morning: Morning, price: Whole) -> Chosen:
    """The optimum after prices."""
    problem = problem_of(len(played.comes), morning.seats, morning.person, morning.place, morning.gain, price)
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
