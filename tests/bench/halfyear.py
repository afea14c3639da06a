"""A generated half-year of needs and offers, to measure what looking ahead is worth. Nothing here is a finding about a county.

A world is a function of its scenario and seed. It is frozen: policies are tuned on the seeds of `TRAINING`, chosen on those of
`VALIDATION`, and reported once for those of `TEST`; whoever changes a number below changes the worlds, and measures everything anew.

Needs of four kinds come on any day and go again when their patience ends (Lomax's law, shape 3, the scale of the kind). Offers open some
weeks before they close: courses when they start, slots of counselling after two weeks, volunteers when their time is up; what was not
taken by then is lost. Who may have what, and what it is worth, say the rules and points of the service itself. In the scenarios something
is not as it was when prices were learned; `shift` says what.

What was added later is drawn apart (`_accompanied`) or follows from the rest (`Opening.minimum`): the worlds stayed as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np

from schemas.codes import BenefitRegime, Cefr, Daypart, ResidenceGroup, ServiceKind, Sex
from schemas.places import districts
from services.referral.county import CountySettings, settings_of
from services.referral.offers import Offer, OfferTerms
from services.referral.seekers import Home, Hours, Levels, Seeker
from services.runtime.calendar import end_of_berlin_day

COUNTY: Final = "03459"
DAYS: Final = 182
FIRST_DAY: Final = date(2027, 1, 4)
NEEDS: Final = 2500
SEATS_PER_NEED: Final = 1 / 1.15

TRAINING: Final = range(100, 108)
VALIDATION: Final = range(200, 205)
TEST: Final = range(900, 910)


class Shift(StrEnum):
    """What is not as it was."""

    ORDINARY = "ordinary"
    SURGE = "surge"
    OTHER_LANGUAGES = "other languages"
    MENTORS_DROP_OUT = "mentors drop out"
    PLENTY = "plenty of seats"


class KindOfNeed(NamedTuple):
    """Share of all needs, the scale of patience in days, seats of an offer (from, to), and on how many days before its end it is open."""

    kind: ServiceKind
    share: float
    patience: float
    seats: tuple[int, int]
    open_days: tuple[int, int]


COURSE: Final = ServiceKind.INTEGRATION_COURSE_GENERAL
VOCATIONAL: Final = ServiceKind.VOCATIONAL_GERMAN
LOTSE: Final = ServiceKind.LOTSE
COUNSELLING: Final = ServiceKind.RECOGNITION_COUNSELLING

KINDS: Final = (
    KindOfNeed(COURSE, 0.4, 40.0, (10, 20), (14, 35)),
    KindOfNeed(VOCATIONAL, 0.2, 40.0, (8, 16), (14, 35)),
    KindOfNeed(LOTSE, 0.25, 28.0, (1, 4), (14, 42)),
    KindOfNeed(COUNSELLING, 0.15, 20.0, (3, 8), (7, 7)),
)

LANGUAGES: Final[Mapping[str, float]] = {
    "ron": 24,
    "pol": 18,
    "ara": 22,
    "ukr": 10,
    "tur": 8,
    "fas": 7,
    "bul": 6,
    "sqi": 5,
}
AFTERWARDS: Final[Mapping[str, float]] = {
    "ron": 10,
    "pol": 6,
    "ara": 8,
    "ukr": 34,
    "tur": 6,
    "fas": 20,
    "bul": 4,
    "sqi": 12,
}
"""The weights of languages, and those of a year in which others come."""

PARTNERS: Final = 12
"""Of each kind."""
COMES_AGAIN: Final = 0.3
"""The share of those who look for a volunteer or for counselling and know one of these partners already."""

MOST_COMMON_LAST: Final = 1.6
"""The first district has so many times the people of the last, in even steps; offers lie in the first third more often than people live."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A need, the day on which it comes, and the first day on which it has gone. Days count from 0. `known_to`: the partner that
    accompanied this person before, if they come again. No rule and no points look at it."""

    seeker: Seeker
    comes: int
    goes: int
    known_to: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """An offer, the day on which it opens, and the first day on which it has closed. `announced`: the day known before; an offer may
    close earlier than that."""

    offer: Offer
    opens: int
    closes: int
    announced: int

    @property
    def minimum(self) -> int:
        """With fewer participants a course does not take place; 0 for what is no course."""
        terms = self.offer.terms
        return -(-self.offer.seats * 3 // 5) if terms is not None and terms.kind in (COURSE, VOCATIONAL) else 0


@dataclass(frozen=True, slots=True)
class World:
    """One half-year."""

    shift: Shift
    seed: int
    needs: tuple[Coming, ...]
    offers: tuple[Opening, ...]
    settings: CountySettings


def world(shift: Shift, seed: int) -> World:
    """The same for the same shift and seed."""
    made = _Making(shift, np.random.default_rng([seed, *shift.encode()]))
    offers = made.offers()
    needs = _accompanied(made.needs(), np.random.default_rng([seed, *shift.encode(), 1]))
    return World(shift, seed, needs, offers, settings_of(COUNTY, FIRST_DAY))


def _accompanied(needs: Sequence[Coming], drawn: np.random.Generator) -> tuple[Coming, ...]:
    """Some of those who look for a volunteer or for counselling come again, and know one of the twelve partners of that kind."""
    again = drawn.random(len(needs)) < COMES_AGAIN
    partners = drawn.integers(0, PARTNERS, len(needs))
    return tuple(
        replace(one, known_to=f"{one.seeker.kind}-{partner}")
        if returns and one.seeker.kind in (LOTSE, COUNSELLING)
        else one
        for one, returns, partner in zip(needs, again.tolist(), partners.tolist(), strict=True)
    )


class _Making:
    def __init__(self, shift: Shift, drawn: np.random.Generator) -> None:
        self._shift = shift
        self._drawn = drawn
        self._districts = [one.ars for one in districts(COUNTY)]
        weights = np.linspace(MOST_COMMON_LAST, 1, len(self._districts))
        self._living = weights / weights.sum()
        central = weights**3
        self._offered = central / central.sum()

    def needs(self) -> tuple[Coming, ...]:
        days = self._arrival_days()
        kinds = self._drawn.choice(len(KINDS), len(days), p=[kind.share for kind in KINDS])
        return tuple(
            self._need(number, int(day), KINDS[kind])
            for number, (day, kind) in enumerate(zip(days, kinds, strict=True))
        )

    def offers(self) -> tuple[Opening, ...]:
        found: list[Opening] = []
        per_need = SEATS_PER_NEED * (1.35 if self._shift is Shift.PLENTY else 1)
        for kind in KINDS:
            left = round(NEEDS * kind.share * per_need)
            while left > 0:
                seats = min(left, int(self._drawn.integers(kind.seats[0], kind.seats[1] + 1)))
                found.append(self._opening(len(found), kind, seats))
                left -= seats
        return tuple(sorted(found, key=lambda one: (one.opens, one.offer.id)))

    def _arrival_days(self) -> Sequence[int]:
        weights = np.ones(DAYS)
        if self._shift is Shift.SURGE:
            weights[60:100] = 2.0
        # As many a day as ever, and in a surge twice as many for forty days.
        count = round(NEEDS * weights.sum() / DAYS)
        return np.sort(self._drawn.choice(DAYS, count, p=weights / weights.sum())).tolist()

    def _need(self, number: int, day: int, kind: KindOfNeed) -> Coming:
        drawn = self._drawn
        patience = kind.patience * ((1 - drawn.random()) ** (-1 / 3) - 1)
        german = _LEVELS[kind.kind]
        since = end_of_berlin_day(FIRST_DAY + timedelta(days=day)) - timedelta(minutes=int(drawn.integers(900, 1000)))
        children = drawn.random() < 0.25
        seeker = Seeker(
            case=f"case-{number}",
            need=f"need-{number}",
            kind=kind.kind,
            urgent=bool(drawn.random() < 0.1),
            since=since,
            tried=frozenset(),
            home=Home(str(drawn.choice(self._districts, p=self._living)), None),
            birth_year=int(drawn.integers(1965, 2009)),
            sex=Sex.FEMALE if drawn.random() < 0.48 else Sex.MALE,
            residence_group=_one(drawn, _RESIDENCE),
            benefit_regime=_one(drawn, _REGIMES),
            german=(level := _one(drawn, german)),
            levels=Levels.alike(level),
            hours=Hours(frozenset(part for part, share in _TIMES.items() if drawn.random() < share)),
            languages=frozenset(
                {_one(drawn, self._languages(day))} | ({"eng"} if drawn.random() < 0.2 else set[str]())
            ),
            child_care_ages=(3,) if children else (),
        )
        return Coming(seeker, day, day + 1 + int(patience))

    def _languages(self, day: int) -> Mapping[str, float]:
        return AFTERWARDS if self._shift is Shift.OTHER_LANGUAGES and day >= DAYS // 3 else LANGUAGES

    def _opening(self, number: int, kind: KindOfNeed, seats: int) -> Opening:
        drawn = self._drawn
        open_for = int(drawn.integers(kind.open_days[0], kind.open_days[1] + 1))
        opens = int(drawn.integers(-open_for // 2, DAYS - open_for // 3))
        announced = opens + open_for
        told: dict[str, Any] = {
            "partner": f"{kind.kind}-{int(drawn.integers(0, PARTNERS))}",
            "kind": kind.kind,
            "district": str(drawn.choice(self._districts, p=self._offered)),
            "enrol_until": FIRST_DAY + timedelta(days=announced),
        }
        if kind.kind in (COURSE, VOCATIONAL):
            begins, ends = _COURSES[kind.kind][int(drawn.integers(len(_COURSES[kind.kind])))]
            told |= {
                "cefr_from": begins,
                "cefr_to": ends,
                "dayparts": [_one(drawn, _COURSE_TIMES)],
                "child_care": bool(drawn.random() < 0.35),
                "starts_on": FIRST_DAY + timedelta(days=announced),
                "sexes": [Sex.FEMALE] if drawn.random() < 0.12 else [],
            }
        elif kind.kind is LOTSE:
            spoken = drawn.choice(list(LANGUAGES), 2, replace=False, p=_weights(LANGUAGES)).tolist()
            told |= {"languages": spoken, "dayparts": [_one(drawn, _COURSE_TIMES), Daypart.WEEKEND]}
        elif drawn.random() < 0.3:
            told |= {"benefit_regimes": [BenefitRegime.SGB_II, BenefitRegime.SGB_III]}
        closes = announced
        if (
            self._shift is Shift.MENTORS_DROP_OUT
            and kind.kind is LOTSE
            and announced > DAYS // 2
            and drawn.random() < 0.5
        ):
            closes = max(opens, DAYS // 2)
        offer = Offer(id=f"offer-{number}", terms=OfferTerms(**told), seats=seats)
        return Opening(offer, max(0, opens), closes, announced)


def _one(drawn: np.random.Generator, weights: Mapping[Any, float]) -> Any:
    return list(weights)[int(drawn.choice(len(weights), p=_weights(weights)))]


def _weights(weights: Mapping[Any, float]) -> Any:
    return np.array(list(weights.values())) / sum(weights.values())


_LEVELS: Final[dict[ServiceKind, dict[Cefr, float]]] = {
    COURSE: {Cefr.A0: 45, Cefr.A1: 35, Cefr.A2: 20},
    VOCATIONAL: {Cefr.A2: 30, Cefr.B1: 45, Cefr.B2: 25},
    LOTSE: {Cefr.A0: 60, Cefr.A1: 30, Cefr.A2: 10},
    COUNSELLING: {Cefr.A1: 30, Cefr.A2: 30, Cefr.B1: 40},
}
_COURSES: Final = {
    COURSE: ((Cefr.A0, Cefr.A2), (Cefr.A0, Cefr.B1), (Cefr.A1, Cefr.B1), (Cefr.A2, Cefr.B1)),
    VOCATIONAL: ((Cefr.A2, Cefr.B2), (Cefr.B1, Cefr.B2), (Cefr.B1, Cefr.C1), (Cefr.B2, Cefr.C1)),
}
_RESIDENCE: Final = {ResidenceGroup.EU: 55.0, ResidenceGroup.REFUGEE: 30.0, ResidenceGroup.THIRD_COUNTRY_FAMILY: 15.0}
_REGIMES: Final = {BenefitRegime.NONE: 45.0, BenefitRegime.SGB_II: 40.0, BenefitRegime.SGB_III: 15.0}
_TIMES: Final = {
    Daypart.WEEKDAY_MORNING: 0.7,
    Daypart.WEEKDAY_AFTERNOON: 0.5,
    Daypart.WEEKDAY_EVENING: 0.5,
    Daypart.WEEKEND: 0.4,
}
_COURSE_TIMES: Final = {
    Daypart.WEEKDAY_MORNING: 45.0,
    Daypart.WEEKDAY_AFTERNOON: 20.0,
    Daypart.WEEKDAY_EVENING: 30.0,
    Daypart.WEEKEND: 5.0,
}
