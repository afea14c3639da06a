"""What looking ahead is worth: generated half-years, played day by day by each policy, beside what hindsight would have reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.referral.lookahead import Learned, learn
from tests.bench.figures import DAILY, FIRST_COME, LOOKING_AHEAD
from tests.bench.futures import FUTURES, sampled_futures
from tests.bench.halfyear import TRAINING, Shift, world
from tests.bench.outcomes import play
from tests.bench.played import Played, Policy
from tests.bench.policies import daily, first_come, weekly, with_prices

MOST: Final = FUTURES // 2 + 1
SOME: Final = 2


def policies(played: Played, learned: Learned) -> Mapping[str, Policy]:
    """Those that are compared in this half-year, by name."""
    most, some = sampled_futures(played, MOST, SOME)
    return {
        FIRST_COME: first_come,
        DAILY: daily,
        "optimum once a week": weekly,
        "each day, minus learned prices": with_prices(learned, by_scarcity=False),
        LOOKING_AHEAD: with_prices(learned, by_scarcity=True),
        "sampled futures, most of five": most,
        "sampled futures, two of five": some,
    }


def play_all(shift: Shift, seed: int, learned: Learned) -> Mapping[str, Mapping[str, float]]:
    """The figures of one half-year by the name of the policy."""
    played = Played(world(shift, seed))
    return {name: play(played, policy).figures() for name, policy in policies(played, learned).items()}


def trained() -> Learned:
    """What the training half-years teach."""
    return learn(Played(world(Shift.ORDINARY, seed)).in_hindsight() for seed in TRAINING)
