"""Who a made-up newcomer is, and what of it an office's file has.

`Identity` is the truth; `Register` is what was written down, with everything that real files lack: partial birth dates, empty cells,
single names, citizenships of former states.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from schemas.codes import Origin, ResidenceGroup, Sex
from schemas.places import Municipality
from simulation import assumptions, naming
from simulation.chance import Chance, Odds
from simulation.figures import male_share


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A birth date as far as it is known: a year, a year and a month, or a day."""

    year: int
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        known = [f"{self.year:04d}"]
        known += [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(known)


@dataclass(frozen=True, slots=True)
class Identity:
    """The truth about a person. `group` is eu, third or refugee; languages are ISO 639-3, the best first."""

    group: str
    citizenship: str
    languages: tuple[str, ...]
    born_on: date
    residence_group: ResidenceGroup
    feminine_name: bool
    sex: Sex | None


@dataclass(frozen=True, slots=True)
class Register:
    """What an office's file has about a person. Citizenships are Destatis keys, languages ISO 639-3, `municipality` an ARS."""

    family_name: str
    given_names: str
    birth_date: PartialDate | None
    sex: Sex | None
    citizenships: tuple[str, ...]
    municipality: str
    arrived_on: date
    origin: Origin
    in_germany_since: date | None
    languages: tuple[str, ...]
    phone: str | None
    email: str | None
    welcome_package: bool
    residence_group: ResidenceGroup | None

    @property
    def district(self) -> str:
        """The first nine digits of the ARS."""
        return self.municipality[:9]


def identity(seed: int, index: int, group: str, year: int) -> Identity:
    """Person number `index` of a group. Born before the year begins, so that it never depends on the day of arrival."""
    citizenship = _CITIZENSHIPS[group].draw(Chance(seed, "citizenship", index))
    born_on = _birth(Chance(seed, "age", index), group, year)
    child = year - born_on.year <= assumptions.ADULT_FROM_AGE
    sexes = Chance(seed, "sex", index)
    sex = _sexes().draw(sexes)
    return Identity(
        group=group,
        citizenship=citizenship,
        languages=_languages(Chance(seed, "languages", index), citizenship),
        born_on=born_on,
        residence_group=_residence(Chance(seed, "residence", index), group, child=child),
        feminine_name=sex is Sex.FEMALE
        if sex in (Sex.FEMALE, Sex.MALE)
        else sexes.happens(assumptions.NAME_OF_WOMEN_WITHOUT_SEX),
        sex=sex,
    )


def register(seed: int, index: int, who: Identity, place: Municipality, arrived_on: date) -> Register:
    """What the office writes down about `who`."""
    name = naming.name(who.languages[0], feminine=who.feminine_name, chance=Chance(seed, "name", index))
    told = Chance(seed, "told", index)
    origin = _origin(told, who.group)
    since = arrived_on - timedelta(days=told.between(*assumptions.DAYS_IN_GERMANY_BEFORE))
    return Register(
        family_name=name.family,
        given_names=name.given,
        birth_date=_known_birth(Chance(seed, "birth-date", index), who),
        sex=who.sex,
        citizenships=_citizenships(Chance(seed, "second-citizenship", index), who),
        municipality=place.ars,
        arrived_on=arrived_on,
        origin=origin,
        in_germany_since=since if origin is Origin.GERMANY else None,
        languages=() if told.happens(assumptions.LANGUAGE_NOT_TOLD) else who.languages,
        phone=naming.phone(index) if told.happens(assumptions.HAS_PHONE) else None,
        email=naming.email(index) if told.happens(assumptions.HAS_EMAIL) else None,
        welcome_package=told.happens(assumptions.WELCOME_PACKAGE),
        residence_group=who.residence_group if told.happens(assumptions.RESIDENCE_GROUP_TOLD) else None,
    )


def whole(born_on: date) -> PartialDate:
    """A birth date of which everything is known."""
    return PartialDate(born_on.year, born_on.month, born_on.day)


_CITIZENSHIPS: Final = {group: Odds(weights) for group, weights in assumptions.CITIZENSHIPS.items()}
_AGES: Final = {group: Odds(bands) for group, bands in assumptions.AGE_BANDS.items()}
_THIRD: Final = Odds(assumptions.RESIDENCE_OF_THIRD)


@cache
def _sexes() -> Odds[Sex | None]:
    told = 1 - sum(assumptions.SEX_OTHER.values())
    male = told * male_share()
    return Odds[Sex | None]({Sex.MALE: male, Sex.FEMALE: told - male, **assumptions.SEX_OTHER})


def _birth(chance: Chance, group: str, year: int) -> date:
    youngest, below = _AGES[group].draw(chance)
    first, end = date(year - below, 1, 1), date(year - youngest, 1, 1)
    return first + timedelta(days=chance.between(0, (end - first).days - 1))


def _languages(chance: Chance, citizenship: str) -> tuple[str, ...]:
    native = naming.origins()[citizenship].languages
    first = native[0] if chance.happens(assumptions.MAIN_LANGUAGE) else chance.one_of(native[1:] or native)
    others = [language for language in (*native, "eng") if language != first]
    return (first, chance.one_of(others)) if others and chance.happens(assumptions.SECOND_LANGUAGE) else (first,)


def _residence(chance: Chance, group: str, *, child: bool) -> ResidenceGroup:
    if group == "third":
        return ResidenceGroup.THIRD_COUNTRY_FAMILY if child else ResidenceGroup(_THIRD.draw(chance))
    return ResidenceGroup.EU if group == "eu" else ResidenceGroup.REFUGEE


def _known_birth(chance: Chance, who: Identity) -> PartialDate | None:
    if chance.happens(assumptions.BIRTH_DATE_NOT_TOLD):
        return None
    if chance.happens(assumptions.BIRTH_DATE_PARTIAL[who.group]):
        return PartialDate(
            who.born_on.year, who.born_on.month if chance.happens(assumptions.BIRTH_MONTH_KNOWN) else None
        )
    return whole(who.born_on)


def _citizenships(chance: Chance, who: Identity) -> tuple[str, ...]:
    """Stateless, unclear, not told and former states stand alone."""
    if chance.happens(assumptions.CITIZENSHIP_NOT_ENTERED):
        return ()
    if not chance.happens(assumptions.SECOND_CITIZENSHIP):
        return (who.citizenship,)
    both = tuple(dict.fromkeys((who.citizenship, _CITIZENSHIPS[who.group].draw(chance))))
    return both if all(map(naming.country, both)) else (who.citizenship,)


def _origin(chance: Chance, group: str) -> Origin:
    if chance.happens(assumptions.ORIGIN_NOT_TOLD):
        return Origin.UNKNOWN
    return Origin.GERMANY if chance.happens(assumptions.PREVIOUSLY_IN_GERMANY[group]) else Origin.ABROAD
