"""Made-up partners and their dated offers, sized so that most needs are met and some people wait.

For each kind of service a planner's guess of the need (`assumptions.PLANS`) becomes offers until their seats reach it. Dated offers start
spread over the year and are published some weeks before; the others take people all year, and their `seats` are the places of the whole
year, as a provider counts them in its contract. The number of offers grows with the number of people, an offer's size does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import ceil
from typing import Final, NamedTuple

import yaml
from pydantic import BaseModel, TypeAdapter

from schemas.codes import Cefr, ContactField, Daypart, ServiceKind
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

    `key` is stable for a county, a seed and a number of people. Levels, `ages` (years from, to) and `language` are None where they do not
    matter. `published_on` is the day on which the partner tells the network.
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
    language: str | None


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
        for offer in _of_kind(seed, year, kind, _seats(kind, plan, people), _Around(districts, groups))
    ]
    return tuple(sorted(found, key=lambda offer: (offer.published_on, offer.key)))


_FIELDS: Final = (ContactField.NAME, ContactField.PHONE, ContactField.LANGUAGES)
_DAYPARTS: Final = Odds(assumptions.COURSE_DAYPARTS)
_LEVELS: Final = {kind: Odds(levels) for kind, levels in assumptions.COURSE_LEVELS.items()}
_CITIZENSHIPS: Final = {group: Odds(weights) for group, weights in assumptions.CITIZENSHIPS.items()}


def _codes(sort: Sort) -> Iterator[tuple[int, str]]:
    for number in range(1, sort.places + 1):
        yield number, f"{sort.code}-{number}" if sort.places > 1 else sort.code


def _seats(kind: ServiceKind, plan: assumptions.Plan, people: int) -> int:
    """Seats of a kind over the year; at least one offer of each kind."""
    expected = people * (1 - assumptions.CONSENT_REFUSED) * plan.needed
    return max(plan.seats, ceil(expected * assumptions.SEATS_PER_NEED_OF.get(kind, assumptions.SEATS_PER_NEED)))


class _Around(NamedTuple):
    """Where people live and where they come from."""

    districts: Odds[str]
    groups: Odds[str]


def _of_kind(seed: int, year: int, kind: ServiceKind, seats: int, around: _Around) -> Iterator[Offer]:
    """Offers of the usual size, the last one smaller, until there are `seats`."""
    plan = assumptions.PLANS[kind]
    number = ceil(seats / plan.seats)
    providers = [(sort, code) for sort in sorts() if kind in sort.kinds for _, code in _codes(sort)]
    for place in range(number):
        chance = Chance(seed, "offer", kind, place)
        sort, partner = chance.one_of(providers)
        starts_on = _start(year, place, number, chance) if plan.dated else None
        dayparts = (_DAYPARTS.draw(chance),) if plan.dated else _ALL_WORKING_HOURS
        levels = _LEVELS[kind].draw(chance) if kind in _LEVELS else None
        home = Chance(seed, "partner", partner)
        yield Offer(
            key=f"{kind}-{place + 1}",
            partner=partner,
            kind=kind,
            district=around.districts.draw(home if sort.local else chance),
            seats=min(plan.seats, seats - place * plan.seats),
            published_on=_published(year, starts_on),
            starts_on=starts_on,
            weeks=plan.weeks,
            dayparts=dayparts,
            german_from=levels[0] if levels else None,
            german_to=levels[1] if levels else None,
            ages=assumptions.AGES_SERVED.get(kind),
            child_care=_has_child_care(kind, dayparts, chance),
            language=_language(around.groups, chance) if sort.talks else None,
        )


_ALL_WORKING_HOURS: Final = (Daypart.WEEKDAY_MORNING, Daypart.WEEKDAY_AFTERNOON)
_WITH_CHILD_CARE: Final = (ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE, ServiceKind.INTEGRATION_COURSE_PARENTS)


def _start(year: int, place: int, number: int, chance: Chance) -> date:
    """A Monday in the `place`-th of `number` equal parts of the year."""
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    day = date(year, 1, 1) + timedelta(days=int((place + chance.unit()) * days / number))
    return day + timedelta(days=(7 - day.weekday()) % 7)


def _published(year: int, starts_on: date | None) -> date:
    new_year = date(year, 1, 1)
    if starts_on is None:
        return new_year
    return max(new_year, starts_on - timedelta(days=assumptions.COURSE_PUBLISHED_BEFORE))


def _has_child_care(kind: ServiceKind, dayparts: tuple[Daypart, ...], chance: Chance) -> bool:
    in_the_morning = dayparts == (Daypart.WEEKDAY_MORNING,)
    return kind in _WITH_CHILD_CARE or (in_the_morning and chance.happens(assumptions.COURSE_WITH_CHILD_CARE))


def _language(groups: Odds[str], chance: Chance) -> str:
    """A language as people of this county speak it: volunteers come from the same communities."""
    citizenship = _CITIZENSHIPS[groups.draw(chance)].draw(chance)
    spoken: Sequence[str] = naming.origins()[citizenship].languages
    return spoken[0] if chance.happens(assumptions.MAIN_LANGUAGE) else chance.one_of(spoken)
