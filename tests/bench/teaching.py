"""What prices are learned from: a county's own first months, as the service learns from them, beside generated half-years.

The own months are the beginning of another half-year of the same scenario, so that what came to pass there is what will come, by chance
differently: people, offers and seats, but not how long anybody would have stayed (`hindsight.period_of`). The generated ones are ordinary,
whatever the county is. Both are asked for as far as seats are scarce, in a half-year that neither has seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from schemas.codes import ServiceKind
from services.referral.eligibility import Circumstances
from services.referral.hindsight import Came, period_of
from services.referral.lookahead import NOTHING_LEARNED, Learned, Period, learn
from services.referral.offers import Offer
from tests.bench.halfyear import FIRST_DAY, Shift, World, world
from tests.bench.outcomes import play
from tests.bench.played import Played
from tests.bench.policies import with_prices

WEEKS: Final = (8, 13, 26)
"""So long the county's own history is. The service learns from the eighth week on."""
OWN: Final = 1000
"""The seed of an own history is so much more than that of the half-year in which it counts."""


def play_all(shift: Shift, seed: int, generated: Learned) -> Mapping[str, Mapping[str, float]]:
    """The figures of one half-year by the name of the teacher."""
    own = world(shift, OWN + seed)
    teachers = {
        "nothing": NOTHING_LEARNED,
        **{f"own {weeks} weeks": learn(own_months(own, weeks)) for weeks in WEEKS},
        "generated half-years": generated,
    }
    played = Played(world(shift, seed))
    return {name: play(played, with_prices(learned, by_scarcity=True)).figures() for name, learned in teachers.items()}


def own_months(own: World, weeks: int) -> Iterator[Period]:
    """The first weeks by kind, as the service would know them on the day after."""
    days = 7 * weeks
    came: defaultdict[ServiceKind, list[Came]] = defaultdict(list)
    offers: defaultdict[ServiceKind, list[Offer]] = defaultdict(list)
    for need in own.needs:
        if need.comes < days:
            came[need.seeker.kind].append(Came(need.seeker, FIRST_DAY + timedelta(days=need.comes)))
    for opening in own.offers:
        if opening.opens < days and opening.offer.terms is not None:
            opened = opening.offer.but(opened_on=FIRST_DAY + timedelta(days=opening.opens))
            offers[opening.offer.terms.kind].append(opened)
    where = Circumstances(own.settings, FIRST_DAY + timedelta(days=days))
    for kind, some in came.items():
        if offers[kind]:
            yield period_of(some, offers[kind], {}, where)
