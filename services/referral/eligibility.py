"""The hard rules: who may be proposed for which offer. Nothing ever overrides them.

A rule is data: a code, the one attribute of a person it looks at (that of the agreement looks at none), the offers on which it binds, and
whether a value of that attribute is let in. Its sentence for people is `rule.<code>` in `messages/`. What is not known about a person is
not let in where a rule binds: the sentence says what to ask. Since each rule looks at one attribute only, its verdict on a value holds for
everybody who shares it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from schemas.codes import CEFR_ORDER, BenefitRegime, Cefr, Daypart, ResidenceGroup, ServiceKind, Sex
from services.referral.county import CountySettings
from services.referral.directory.agreements import NONE, Agreements
from services.referral.distance import distance_km
from services.referral.lookahead import NO_PRICES, Prices
from services.referral.model import Case, Need
from services.referral.offers import OfferTerms
from services.referral.trying import Tried, tried


@dataclass(frozen=True, slots=True)
class Seeker:
    """A need in search of a place: what matching may know of it, and nothing else. `tried` are the offers proposed before."""

    case: str
    need: str
    kind: ServiceKind
    urgent: bool
    since: datetime
    tried: frozenset[Tried]
    district: str
    birth_year: int | None
    sex: Sex | None
    residence_group: ResidenceGroup | None
    benefit_regime: BenefitRegime | None
    german: Cefr | None
    available: frozenset[Daypart]
    languages: frozenset[str]
    child_care_ages: frozenset[int]

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
        district=person.district,
        birth_year=person.birth_year,
        sex=person.sex,
        residence_group=person.residence_group,
        benefit_regime=profile.benefit_regime,
        german=profile.german,
        available=frozenset(profile.available),
        languages=frozenset(person.languages),
        child_care_ages=frozenset(profile.child_care_ages),
    )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and when is judged: the county's settings, the day, the agreements with partners that are known, and what seats cost."""

    settings: CountySettings
    today: date
    agreements: Agreements = NONE
    prices: Prices = NO_PRICES


@dataclass(frozen=True, slots=True)
class Rule:
    """One hard rule. `attribute` names what it looks at, in the words of a partner's inbox; None: nothing of the person."""

    code: str
    attribute: str | None
    looks_at: Callable[[Seeker], Hashable]
    binds: Callable[[OfferTerms], bool]
    lets_in: Callable[[Any, OfferTerms, Circumstances], bool]


def shut_out_by(seeker: Seeker, terms: OfferTerms, where: Circumstances) -> tuple[Rule, ...]:
    """The rules that keep this person from this offer; empty means eligible. The kinds are the same already."""
    return tuple(rule for rule in RULES if not admits(rule, rule.looks_at(seeker), terms, where))


def admits(rule: Rule, value: Hashable, terms: OfferTerms, where: Circumstances) -> bool:
    """Whether a rule lets in somebody with this value."""
    return not rule.binds(terms) or rule.lets_in(value, terms, where)


def _age(birth_year: int | None, terms: OfferTerms, where: Circumstances) -> bool:
    # Only the year is known, so somebody is one of two ages; who may be of the right one is let in.
    if birth_year is None or terms.ages is None:
        return False
    oldest = (terms.starts_on or where.today).year - birth_year
    return oldest >= terms.ages[0] and oldest - 1 <= terms.ages[1]


def _child_age(ages: frozenset[int], terms: OfferTerms, _: Circumstances) -> bool:
    # Told in whole years on the day of the talk: a child may have had a birthday since.
    return terms.ages is not None and any(terms.ages[0] <= age + 1 and age <= terms.ages[1] for age in ages)


def _level(german: Cefr | None, terms: OfferTerms, _: Circumstances) -> bool:
    if german is None:
        return False
    enough = terms.cefr_from is None or CEFR_ORDER[german] >= CEFR_ORDER[terms.cefr_from]
    to_learn = terms.cefr_to is None or CEFR_ORDER[german] < CEFR_ORDER[terms.cefr_to]
    return enough and to_learn


def _time(available: frozenset[Daypart], terms: OfferTerms, _: Circumstances) -> bool:
    # A course takes place at all of its times, a service is open at them. Whoever was not asked yet has said nothing against it.
    if not available:
        return True
    times = frozenset(terms.dayparts)
    return times <= available if terms.is_dated else bool(times & available)


def _place(district: str, terms: OfferTerms, where: Circumstances) -> bool:
    far = distance_km(district, terms.district)
    return far is not None and far <= where.settings.furthest_km.of(terms.kind)


def _needs_hands_free(terms: OfferTerms) -> bool:
    return terms.is_dated and not terms.child_care and terms.kind not in FOR_CHILDREN


FOR_CHILDREN: Final = frozenset({ServiceKind.CHILD_LANGUAGE_SUPPORT, ServiceKind.CHILD_CARE_PLACE})
"""Where the child is looked after or taught. When a parent has time for a course says nothing about it: who works needs it most."""


def _is_for_a_child(terms: OfferTerms) -> bool:
    """The need is a parent's, the place is the child's. (Language support is a need of the child's own case.)"""
    return terms.kind is ServiceKind.CHILD_CARE_PLACE


def _asks_for_time(terms: OfferTerms) -> bool:
    return bool(terms.dayparts) and terms.kind not in FOR_CHILDREN


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "age",
        "age",
        lambda one: one.birth_year,
        lambda terms: terms.ages is not None and not _is_for_a_child(terms),
        _age,
    ),
    Rule(
        "child-age",
        "child_care_ages",
        lambda one: one.child_care_ages,
        lambda terms: terms.ages is not None and _is_for_a_child(terms),
        _child_age,
    ),
    Rule("sex", "sex", lambda one: one.sex, lambda terms: bool(terms.sexes), lambda sex, terms, _: sex in terms.sexes),
    Rule(
        "residence",
        "residence_group",
        lambda one: one.residence_group,
        lambda terms: bool(terms.residence_groups),
        lambda group, terms, _: group in terms.residence_groups,
    ),
    Rule(
        "benefit",
        "benefit_regime",
        lambda one: one.benefit_regime,
        lambda terms: bool(terms.benefit_regimes),
        lambda regime, terms, _: regime in terms.benefit_regimes,
    ),
    Rule(
        "level",
        "german",
        lambda one: one.german,
        lambda terms: terms.cefr_from is not None or terms.cefr_to is not None,
        _level,
    ),
    Rule("time", "available", lambda one: one.available, _asks_for_time, _time),
    Rule(
        "child-care",
        "needs_child_care",
        lambda one: one.needs_child_care,
        _needs_hands_free,
        lambda needed, terms, _: not needed,
    ),
    Rule("place", "distance", lambda one: one.district, lambda terms: True, _place),
    Rule(
        "language",
        "languages",
        lambda one: one.languages,
        lambda terms: terms.kind is ServiceKind.INTERPRETER and bool(terms.languages),
        lambda spoken, terms, _: not spoken.isdisjoint(terms.languages),
    ),
    Rule(
        "agreement",
        None,
        lambda _: None,
        lambda terms: True,
        lambda _, terms, where: where.agreements.cover(terms.partner, terms.kind, where.today),
    ),
)
"""All hard rules, in the order in which they are told."""


def attributes_looked_at(terms: OfferTerms) -> Iterable[str]:
    """The attributes of a person on which this offer decides."""
    return (rule.attribute for rule in RULES if rule.attribute is not None and rule.binds(terms))
