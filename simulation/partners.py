"""Made-up partners and their dated offers, sized so that most needs are met and some people wait.

For each kind of service the need that a planner expects (`assumptions.PLANS`) becomes offers until their seats reach it. Dated offers start
spread over the year and the first weeks of the next, and are published some weeks before; the others take people all year, and their
`seats` are the places of the whole year, as a provider counts them in its contract. With the number of people grows the number of offers,
and their size only up to the usual one. Times and levels are dealt out like cards, in their shares: two courses of a kind are seldom alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import ceil, sqrt
from typing import Final, NamedTuple

import yaml
from pydantic import BaseModel, TypeAdapter

from schemas.codes import (
    Accessibility,
    Cefr,
    ContactField,
    Daypart,
    Literacy,
    MeetingWay,
    Rhythm,
    ServiceKind,
    scheme_of,
)
from simulation import assumptions, naming
from simulation.chance import Chance, Odds
from simulation.figures import DATA


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation. `seat` is its own district; `fields` are what its agreement lets it read of a person."""

    code: str
    name: str
    kinds: tuple[ServiceKind, ...]
    seat: str
    fields: tuple[ContactField, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A course on dates, or a standing service (`starts_on` is None: rolling).

    `key` is stable for a county, a seed and a number of people. Levels and `ages` (years from, to) are None and `languages` empty where
    they do not matter. `published_on` is the day on which the partner tells the network. `slots`: it is given by appointment, so many a
    week.
    """

    key: str
    partner: str
    kind: ServiceKind
    district: str
    seats: int
    published_on: date
    starts_on: date | None
    weeks: int
    dayparts: tuple[Daypart, ...]
    german_from: Cefr | None
    german_to: Cefr | None
    ages: tuple[int, int] | None
    child_care: bool
    languages: tuple[str, ...]
    asks: Asks
    minimum: int | None
    way: MeetingWay
    slots: int | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """For whom an offer is, and what its place has. `self_payers` is None for what is no federal course; `places` are keys (ARS)."""

    rhythm: Rhythm
    self_payers: bool | None
    literacy: tuple[Literacy, ...]
    places: tuple[str, ...]
    accessibility: tuple[Accessibility, ...]


class Sort(BaseModel):
    """A sort of partner in `data/partners.yaml`."""

    code: str
    name: str
    places: int
    kinds: tuple[ServiceKind, ...]
    local: bool = False
    talks: bool = False


@cache
def sorts() -> tuple[Sort, ...]:
    """All sorts of partners; a county has `places` of each."""
    text = (DATA / "partners.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Sort, ...]).validate_python(yaml.safe_load(text))


def partners(seed: int, districts: Odds[str]) -> tuple[Partner, ...]:
    """A county's partners, each in a district of its own drawing."""
    return tuple(
        Partner(
            code=code,
            name=f"{sort.name} {number}" if sort.places > 1 else sort.name,
            kinds=sort.kinds,
            seat=districts.draw(Chance(seed, "partner", code)),
            fields=_FIELDS,
        )
        for sort in sorts()
        for number, code in _codes(sort)
    )


def offers(seed: int, year: int, people: int, districts: Odds[str], groups: Odds[str]) -> tuple[Offer, ...]:
    """The year's offers for so many people, in the order of their publication."""
    found = [
        offer
        for kind, plan in assumptions.PLANS.items()
        for offer in _of_kind(seed, year, kind, _seats(kind, plan, people, year), _Around(districts, groups))
    ]
    return tuple(sorted(found, key=lambda offer: (offer.published_on, offer.key)))


_FIELDS: Final = (ContactField.NAME, ContactField.PHONE, ContactField.LANGUAGES)
_DAYPARTS: Final = Odds(assumptions.COURSE_DAYPARTS)
_LEVELS: Final = {kind: Odds(levels) for kind, levels in assumptions.COURSE_LEVELS.items()}
_CITIZENSHIPS: Final = {group: Odds(weights) for group, weights in assumptions.CITIZENSHIPS.items()}


def _codes(sort: Sort) -> Iterator[tuple[int, str]]:
    for number in range(1, sort.places + 1):
        yield number, f"{sort.code}-{number}" if sort.places > 1 else sort.code


def _seats(kind: ServiceKind, plan: assumptions.Plan, people: int, year: int) -> int:
    """Seats of a kind over the year; courses go on into the next."""
    expected = people * (1 - assumptions.CONSENT_REFUSED) * plan.needed
    wanted = expected * assumptions.SEATS_PER_NEED_OF.get(kind, assumptions.SEATS_PER_NEED)
    if plan.dated:
        wanted = wanted * _planned_days(year) / _days(year)
    return max(assumptions.OFFERS_AT_LEAST, ceil(wanted))


class _Around(NamedTuple):
    """Where people live and where they come from."""

    districts: Odds[str]
    groups: Odds[str]


class _Deal(NamedTuple):
    """Numbers from 0 to 1 for one offer after the other, spread evenly however few there are; by the fractional parts of a root."""

    start: float
    root: float

    @classmethod
    def of(cls, seed: int, kind: ServiceKind, what: str, root: int) -> _Deal:
        """Two deals of different roots know nothing of each other."""
        return cls(Chance(seed, "deal", kind, what).unit(), sqrt(root))

    def at(self, place: int) -> float:
        return (self.start + place * self.root) % 1


def _of_kind(seed: int, year: int, kind: ServiceKind, seats: int, around: _Around) -> Iterator[Offer]:
    """As many offers of at most the usual size as have these seats together, all about as large."""
    plan = assumptions.PLANS[kind]
    number = max(assumptions.OFFERS_AT_LEAST, ceil(seats / plan.seats))
    providers = [(sort, code) for sort in sorts() if kind in sort.kinds for _, code in _codes(sort)]
    opening, levels = _Opening.of(seed, kind, plan), _Deal.of(seed, kind, "levels", _ROOT_OF_LEVELS)
    for place in range(number):
        chance = Chance(seed, "offer", kind, place)
        sort, partner = chance.one_of(providers)
        own = seats * (place + 1) // number - seats * place // number
        starts_on = _start(year, place, number, chance) if plan.dated else None
        dayparts = opening.at(place)
        home = Chance(seed, "partner", partner)
        district = around.districts.draw(home if sort.local else chance)
        asks = _asks(kind, dayparts, district, Chance(seed, "asks", kind, place))
        german = _LEVELS[kind].at(levels.at(place)) if kind in _LEVELS else None
        yield Offer(
            key=f"{kind}-{place + 1}",
            partner=partner,
            kind=kind,
            district=district,
            seats=own,
            published_on=_published(year, starts_on),
            starts_on=starts_on,
            weeks=plan.weeks,
            dayparts=_IN_TURN if asks.rhythm is Rhythm.ALTERNATING else dayparts,
            german_from=german[0] if german else None,
            german_to=german[1] if german else None,
            ages=assumptions.AGES_SERVED.get(kind),
            child_care=_has_child_care(kind, dayparts, chance),
            languages=_languages(kind, around.groups, chance) if sort.talks else (),
            asks=asks,
            minimum=ceil(own * assumptions.COURSE_MINIMUM) if plan.dated else None,
            way=_way(Chance(seed, "way", kind, place)),
            slots=ceil(own / assumptions.SLOT_WEEKS) if kind in assumptions.SLOT_KINDS else None,
        )


def _way(chance: Chance) -> MeetingWay:
    return MeetingWay.VIDEO if chance.happens(assumptions.INTERPRETED_BY_VIDEO) else MeetingWay.ON_SITE


def _asks(kind: ServiceKind, dayparts: tuple[Daypart, ...], district: str, chance: Chance) -> Asks:
    dated = assumptions.PLANS[kind].dated
    rhythm, neighbours = Rhythm.FIXED, False
    if dated and dayparts == (Daypart.WEEKDAY_EVENING,) and chance.happens(assumptions.COURSE_IN_TURN):
        rhythm = Rhythm.ALTERNATING
    elif kind in _OF_VOLUNTEERS:
        rhythm = Rhythm.FLEXIBLE if chance.happens(assumptions.STANDING_AS_AGREED) else Rhythm.FIXED
        neighbours = chance.happens(assumptions.FOR_NEIGHBOURS)
    return Asks(
        rhythm=rhythm,
        self_payers=chance.happens(assumptions.SELF_PAYERS_TAKEN) if scheme_of(kind) is not None else None,
        literacy=assumptions.LETTERS_TAUGHT.get(kind, ()),
        places=(district,) if neighbours else (),
        accessibility=tuple(one for one, share in assumptions.PLACE_HAS.items() if chance.happens(share)),
    )


_IN_TURN: Final = (Daypart.WEEKDAY_MORNING, Daypart.WEEKDAY_EVENING)
_OF_VOLUNTEERS: Final = (ServiceKind.LOTSE, ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING)


class _Opening(NamedTuple):
    """When one offer after the other takes place (courses, in one part of the day) or is open (in those that the deals bring)."""

    course: _Deal | None
    standing: Mapping[Daypart, tuple[_Deal, float]]

    @classmethod
    def of(cls, seed: int, kind: ServiceKind, plan: assumptions.Plan) -> _Opening:
        if plan.dated:
            return cls(_Deal.of(seed, kind, "dayparts", _ROOTS_OF_DAYPARTS[0]), {})
        shares = assumptions.STANDING_OPEN_OF.get(kind, assumptions.STANDING_OPEN)
        deals = {
            part: (_Deal.of(seed, kind, part, root), share)
            for root, (part, share) in zip(_ROOTS_OF_DAYPARTS, shares.items(), strict=True)
        }
        return cls(None, deals)

    def at(self, place: int) -> tuple[Daypart, ...]:
        if self.course is not None:
            return (_DAYPARTS.at(self.course.at(place)),)
        usual = max(self.standing, key=lambda part: self.standing[part][1])
        return tuple(part for part, (deal, share) in self.standing.items() if deal.at(place) < share) or (usual,)


_ROOTS_OF_DAYPARTS: Final = (5, 2, 3, 7)
_ROOT_OF_LEVELS: Final = 13
_WITH_CHILD_CARE: Final = (ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE, ServiceKind.INTEGRATION_COURSE_PARENTS)


def _days(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _planned_days(year: int) -> int:
    """The days on which a course may start that somebody hears of in this year."""
    return _days(year) + assumptions.COURSE_PUBLISHED_BEFORE


def _start(year: int, place: int, number: int, chance: Chance) -> date:
    """A Monday in the `place`-th of `number` equal parts of the days that are planned."""
    day = date(year, 1, 1) + timedelta(days=int((place + chance.unit()) * _planned_days(year) / number))
    return day + timedelta(days=(7 - day.weekday()) % 7)


def _published(year: int, starts_on: date | None) -> date:
    new_year, last = date(year, 1, 1), date(year, 12, 31)
    if starts_on is None:
        return new_year
    return min(last, max(new_year, starts_on - timedelta(days=assumptions.COURSE_PUBLISHED_BEFORE)))


def _has_child_care(kind: ServiceKind, dayparts: tuple[Daypart, ...], chance: Chance) -> bool:
    in_the_morning = dayparts == (Daypart.WEEKDAY_MORNING,)
    return kind in _WITH_CHILD_CARE or (in_the_morning and chance.happens(assumptions.COURSE_WITH_CHILD_CARE))


def _languages(kind: ServiceKind, groups: Odds[str], chance: Chance) -> tuple[str, ...]:
    """Languages as people of this county speak them: volunteers come from the same communities."""
    wanted = chance.between(*assumptions.INTERPRETED_LANGUAGES) if kind is ServiceKind.INTERPRETER else 1
    found: dict[str, None] = {}
    while len(found) < wanted:
        found[_language(groups, chance)] = None
    return tuple(found)


def _language(groups: Odds[str], chance: Chance) -> str:
    """A language as people of this county speak it: volunteers come from the same communities."""
    citizenship = _CITIZENSHIPS[groups.draw(chance)].draw(chance)
    spoken: Sequence[str] = naming.origins()[citizenship].languages
    return spoken[0] if chance.happens(assumptions.MAIN_LANGUAGE) else chance.one_of(spoken)
