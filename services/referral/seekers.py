"""A need in search of a place, as matching sees it: the coded facts that rules and points look at, and nothing else of the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from schemas.codes import (
    Accessibility,
    BenefitRegime,
    Cefr,
    Daypart,
    Literacy,
    ResidenceGroup,
    ServiceKind,
    Sex,
    scheme_of,
)
from schemas.events import GermanLevels
from schemas.places import UnknownPlace, municipalities
from services.referral.model import Case, Need
from services.referral.people import Certificate, Person, Profile
from services.referral.trying import Tried, tried


class Levels(NamedTuple):
    """The level of each skill, None where it is not known; in the order of `Skill`."""

    listening: Cefr | None = None
    reading: Cefr | None = None
    speaking: Cefr | None = None
    writing: Cefr | None = None

    @classmethod
    def alike(cls, level: Cefr | None) -> Levels:
        """The same level in each skill."""
        return cls(level, level, level, level)


class Hours(NamedTuple):
    """When somebody has time, each week; `rotating`: besides in turn, as their shifts change."""

    available: frozenset[Daypart]
    rotating: bool = False


class Home(NamedTuple):
    """Where somebody lives; the municipality only where it is known, or the district has but one."""

    district: str
    municipality: str | None


class Admission(NamedTuple):
    """What somebody has for federal courses of one scheme. `certificates` is None where nobody asked."""

    certificates: frozenset[Certificate] | None
    self_payer: bool

    def valid(self, day: date) -> tuple[Certificate, ...]:
        """The certificates that count on this day: an expired one counts as none."""
        return tuple(one for one in self.certificates or () if one.valid_until is None or day <= one.valid_until)


@dataclass(frozen=True, slots=True)
class Seeker:
    """A need in search of a place: what matching may know of it, and nothing else. `tried` are the offers proposed before; `german` is the
    weakest of the `levels`; `admission` is None where the kind is no federal course."""

    case: str
    need: str
    kind: ServiceKind
    urgent: bool
    since: datetime
    tried: frozenset[Tried]
    home: Home
    birth_year: int | None
    sex: Sex | None
    residence_group: ResidenceGroup | None
    benefit_regime: BenefitRegime | None
    german: Cefr | None
    levels: Levels
    hours: Hours
    languages: frozenset[str]
    child_care_ages: tuple[int, ...]
    literacy: Literacy | None = None
    admission: Admission | None = None
    access_needs: frozenset[Accessibility] = frozenset()

    @property
    def district(self) -> str:
        return self.home.district

    @property
    def needs_child_care(self) -> bool:
        return bool(self.child_care_ages)


def seeker_of(case: Case, need: Need) -> Seeker | None:
    """The need as matching sees it; None before the person has arrived."""
    person, profile = case.person, case.profile
    if person is None:
        return None
    return Seeker(
        case=case.id,
        need=need.id,
        kind=need.kind,
        urgent=need.urgent,
        since=need.since,
        tried=tried(need),
        home=_home(person),
        birth_year=person.birth_year,
        sex=person.sex,
        residence_group=person.residence_group,
        benefit_regime=profile.benefit_regime,
        german=profile.german,
        levels=_levels(profile.levels),
        literacy=profile.literacy,
        admission=_admission(profile, need.kind),
        hours=Hours(frozenset(profile.available), profile.rotating_shifts),
        languages=frozenset(person.languages),
        child_care_ages=tuple(sorted(profile.child_care_ages)),
        access_needs=frozenset(profile.access_needs),
    )


def _home(person: Person) -> Home:
    return Home(person.district, person.municipality or _only_municipality(person.district))


@cache
def _only_municipality(district: str) -> str | None:
    try:
        found = municipalities(district)
    except UnknownPlace:
        return None
    return found[0].ars if len(found) == 1 else None


def _levels(told: GermanLevels) -> Levels:
    return Levels(told.listening, told.reading, told.speaking, told.writing)


def _admission(profile: Profile, kind: ServiceKind) -> Admission | None:
    scheme = scheme_of(kind)
    if scheme is None:
        return None
    known = profile.certificates
    return Admission(
        None if known is None else frozenset(one for one in known if one.scheme is scheme), profile.self_payer
    )
