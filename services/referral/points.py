"""The points: how well an eligible place fits. Whole numbers, additive, few, named; the county says how much each may add.

Like a hard rule, each reason looks at one attribute of a person, so that its points hold for everybody who shares it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.codes import CEFR_ORDER, Cefr
from services.referral.distance import distance_km
from services.referral.eligibility import FOR_CHILDREN, Circumstances, follows_shifts
from services.referral.offers import Offer, OfferTerms
from services.referral.seekers import Hours, Seeker
from services.runtime.calendar import berlin_day

_ALL: Final = 1000
_HALF: Final = 500
_AT_ONCE_DAYS: Final = 14
_LATE_DAYS: Final = 120
_STEPS_OF_LEVEL: Final = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for points. `share` is how much of its weight a value earns, in thousandths; of the offer it looks at `of_offer` alone."""

    code: str
    looks_at: Callable[[Seeker], Hashable]
    of_offer: Callable[[OfferTerms], Hashable]
    share: Callable[[Any, OfferTerms, Circumstances], int]


def points_of(seeker: Seeker, offer: Offer, where: Circumstances) -> dict[str, int]:
    """The points of an eligible place by name; together at most 1000."""
    if offer.terms is None:
        return {}
    given = {reason.code: weighed(reason, reason.looks_at(seeker), offer.terms, where) for reason in REASONS}
    return {**given, LOAD: load(offer, where)}


def points_at_most(seeker: Seeker, offer: Offer, where: Circumstances, unmet: Collection[str]) -> int:
    """The most points that this need could have here if the hard rules with these codes let it in, and nothing else were otherwise."""
    if offer.terms is None:
        return 0
    raised = {_OF_RULE[code] for code in unmet if code in _OF_RULE}
    given = (
        where.settings.points.of(reason.code)
        if reason.code in raised
        else weighed(reason, reason.looks_at(seeker), offer.terms, where)
        for reason in REASONS
    )
    return sum(given) + load(offer, where)


_OF_RULE: Final = {"level": "level", "time": "time", "place": "distance", "language": "language"}
"""The reason for points that looks at the same attribute as a rule."""


def weighed(reason: Reason, value: Hashable, terms: OfferTerms, where: Circumstances) -> int:
    """The points of one reason for somebody with this value."""
    return where.settings.points.of(reason.code) * reason.share(value, terms, where) // _ALL


def table(
    reason: Reason, values: Iterable[Any], offers: Iterable[OfferTerms], where: Circumstances
) -> NDArray[np.int64]:
    """The points of one reason: a line for each value, with one number for each offer.

    Offers that are the same to the reason are looked at once: of a thousand there are twenty districts.
    """
    weight, share = where.settings.points.of(reason.code), reason.share
    kinds: dict[Hashable, tuple[int, OfferTerms]] = {}
    column = [kinds.setdefault(reason.of_offer(terms), (len(kinds), terms))[0] for terms in offers]
    told = [[weight * share(value, terms, where) // _ALL for _, terms in kinds.values()] for value in values]
    return np.array(told, dtype=np.int64).reshape(-1, len(kinds))[:, column]


def load(offer: Offer, where: Circumstances) -> int:
    """More points for an offer with more of its seats free, so that the people spread over the partners."""
    return where.settings.points.load * offer.free // offer.seats if offer.seats else 0


LOAD: Final = "load"


def waiting_gain(seeker: Seeker, where: Circumstances) -> int:
    """What serving this need now saves in further waiting, in points.

    Waiting times have a heavy tail: who has waited long is likely to wait long. Under Lomax's law (Pareto type II) with shape 3 and the
    county's scale s, after t days another (s + t) / 2 are to be expected (mean excess of the law: (s + t) / (shape - 1)).
    """
    return further_waiting(seeker, days_waited(seeker, where), where)


def further_waiting(seeker: Seeker, waited: int, where: Circumstances) -> int:
    """`waiting_gain` after so many days."""
    waiting = where.settings.waiting
    a_day = waiting.urgent_points_a_day if seeker.urgent else waiting.points_a_day
    return a_day * (waiting.scale_days + waited) // 2


def days_waited(seeker: Seeker, where: Circumstances) -> int:
    """Whole days since the search began."""
    return max(0, (where.today - berlin_day(seeker.since)).days)


def _nearness(district: str, terms: OfferTerms, where: Circumstances) -> int:
    if terms.takes_place_by_video:
        return _ALL
    furthest = where.settings.furthest_km.of(terms.kind)
    far = distance_km(district, terms.district)
    return 0 if far is None else _ALL * max(0, furthest - far) // furthest


def _level_fit(german: Cefr | None, terms: OfferTerms, _: Circumstances) -> int:
    begins_at = terms.begins_at
    if begins_at is None:
        return _ALL
    if german is None:
        return 0
    above = CEFR_ORDER[german] - CEFR_ORDER[begins_at]
    return _ALL * max(0, _STEPS_OF_LEVEL - abs(above)) // _STEPS_OF_LEVEL


def _soon(_: Hashable, terms: OfferTerms, where: Circumstances) -> int:
    days = _days_until(terms.starts_on, where.today)
    return _ALL * max(0, _LATE_DAYS - max(days, _AT_ONCE_DAYS)) // (_LATE_DAYS - _AT_ONCE_DAYS)


def _days_until(day: date | None, today: date) -> int:
    return max(0, (day - today).days) if day is not None else 0


def _time_fit(hours: Hours, terms: OfferTerms, _: Circumstances) -> int:
    if not terms.dayparts or terms.kind in FOR_CHILDREN or follows_shifts(hours, terms):
        return _ALL
    available = hours.available
    return _ALL * len(available.intersection(terms.dayparts)) // len(set(terms.dayparts))


def _language_shared(spoken: frozenset[str], terms: OfferTerms, _: Circumstances) -> int:
    if not terms.languages:
        return _HALF
    return 0 if spoken.isdisjoint(terms.languages) else _ALL


REASONS: Final[tuple[Reason, ...]] = (
    Reason(
        "distance",
        attrgetter("home.district"),
        lambda terms: (terms.kind, terms.district, terms.takes_place_by_video),
        _nearness,
    ),
    Reason("level", attrgetter("german"), lambda terms: terms.begins_at, _level_fit),
    Reason("start", attrgetter("kind"), lambda terms: terms.starts_on, _soon),
    Reason("time", attrgetter("hours"), lambda terms: (terms.kind, terms.dayparts, terms.rhythm), _time_fit),
    Reason("language", attrgetter("languages"), lambda terms: terms.languages, _language_shared),
)
"""The reasons that look at the person or the day; `load` looks at the offer alone. Asked tens of thousands of times: `attrgetter`."""
