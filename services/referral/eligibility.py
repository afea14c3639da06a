"""The hard rules: who may be proposed for which offer. Nothing ever overrides them.

A rule is data: a code, the one attribute of a person it looks at (that of the agreement looks at none), the offers on which it binds, and
whether a value of that attribute is let in. The words in which an offer says for whom it is are closed: the fields of `OfferTerms`, their
code lists and the keys of places. Its sentence for people is `rule.<code>` in `messages/`. What is not known about a person is
not let in where a rule binds: the sentence says what to ask. Since each rule looks at one attribute only, its verdict on a value holds for
everybody who shares it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from schemas.codes import (
    CEFR_ORDER,
    Accessibility,
    Rhythm,
    ServiceKind,
    Skill,
)
from services.referral.county import CountySettings
from services.referral.directory.agreements import NONE, Agreements
from services.referral.distance import distance_km
from services.referral.lookahead import NO_PRICES, Prices
from services.referral.offers import OfferTerms
from services.referral.particulars import Lotse
from services.referral.seekers import Admission, Home, Hours, Levels, Seeker


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where and when is judged: the county's settings, the day, the agreements with partners that are known, and what seats cost."""

    settings: CountySettings
    today: date
    agreements: Agreements = NONE
    prices: Prices = NO_PRICES


@dataclass(frozen=True, slots=True)
class Rule:
    """One hard rule. `attribute` names what it looks at, in the words of a partner's inbox; None: nothing that a partner sees there."""

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


def _child_age(ages: tuple[int, ...], terms: OfferTerms, _: Circumstances) -> bool:
    # Told in whole years on the day of the talk: a child may have had a birthday since.
    return terms.ages is not None and any(terms.ages[0] <= age + 1 and age <= terms.ages[1] for age in ages)


def _level(levels: Levels, terms: OfferTerms, _: Circumstances) -> bool:
    return reaches(levels, terms) and learns(levels, terms)


def reaches(levels: Levels, terms: OfferTerms) -> bool:
    """Whether every skill has the level to begin with. A skill that the offer names has to be known; of the others, those that are."""
    named = {one.skill: one.cefr_from for one in terms.skills}
    for skill, level in zip(Skill, levels, strict=True):
        start = named.get(skill) or terms.cefr_from
        if level is None:
            if named.get(skill) is not None:
                return False
        elif start is not None and CEFR_ORDER[level] < CEFR_ORDER[start]:
            return False
    return any(level is not None for level in levels)


def learns(levels: Levels, terms: OfferTerms) -> bool:
    """Whether a skill has not yet the level that is led to: as long as one has not, there is something to learn."""
    named = {one.skill: one.cefr_to for one in terms.skills}
    ends = [
        (level, end)
        for skill, level in zip(Skill, levels, strict=True)
        if (end := named.get(skill) or terms.cefr_to) is not None
    ]
    return not ends or any(level is not None and CEFR_ORDER[level] < CEFR_ORDER[end] for level, end in ends)


def _time(hours: Hours, terms: OfferTerms, _: Circumstances) -> bool:
    # A course takes place at all of its times, a service is open at them. Whoever was not asked yet has said nothing against it.
    if not hours.available or follows_shifts(hours, terms):
        return True
    times = frozenset(terms.dayparts)
    return times <= hours.available if terms.is_dated else bool(times & hours.available)


def follows_shifts(hours: Hours, terms: OfferTerms) -> bool:
    """Whether the times of the offer go by those of the person: as is agreed with anybody, or in turn as their shifts do."""
    return terms.rhythm is Rhythm.FLEXIBLE or (hours.rotating and terms.rhythm is Rhythm.ALTERNATING)


def _admitted(has: Admission | None, terms: OfferTerms, where: Circumstances) -> bool:
    if terms.admission is None or has is None:
        return False
    asked = terms.admission
    return (has.self_payer and asked.self_payers) or any(
        (not asked.kinds or one.kind in asked.kinds) and (not asked.issuers or one.issuer in asked.issuers)
        for one in has.valid(where.today)
    )


def _lives_there(home: Home, terms: OfferTerms, _: Circumstances) -> bool:
    return home.district in terms.places or home.municipality in terms.places


def _care_takes(ages: tuple[int, ...], terms: OfferTerms, _: Circumstances) -> bool:
    # Told in whole years on the day of the talk, as `_child_age` has it; here every child needs a place.
    if terms.child_care_ages is None:
        return True
    youngest, oldest = terms.child_care_ages
    return all(youngest <= age + 1 and age <= oldest for age in ages)


def _accessible(needs: frozenset[Accessibility], terms: OfferTerms, _: Circumstances) -> bool:
    return unmet(needs, terms) == frozenset()


def unmet(needs: frozenset[Accessibility], terms: OfferTerms) -> frozenset[Accessibility]:
    """What the person needs and the place has not. Whoever comes to people's homes, or is seen by video, needs no accessible
    house."""
    comes = terms.kind in COMES_TO_PEOPLE or terms.takes_place_by_video
    at_home = _OF_THE_HOUSE if comes else frozenset[Accessibility]()
    return needs.difference(terms.accessibility) - at_home


def _may_meet_minors(birth_year: int | None, terms: OfferTerms, where: Circumstances) -> bool:
    # Only the year is known: who may be a minor still is taken for one, and so is who may be of any age.
    lotse = terms.particulars
    if isinstance(lotse, Lotse) and lotse.conduct_inspected_on is not None:
        known_until = lotse.conduct_inspected_on + timedelta(days=where.settings.lotsen.conduct_counts_days)
        if where.today <= known_until:
            return True
    return birth_year is not None and where.today.year - birth_year > _OF_AGE


_OF_AGE: Final = 18
"""Years (section 2 BGB)."""
COMES_TO_PEOPLE: Final = frozenset({ServiceKind.HOME_VISIT, ServiceKind.LOTSE, ServiceKind.INTERPRETER})
_OF_THE_HOUSE: Final = frozenset({Accessibility.STEP_FREE, Accessibility.ACCESSIBLE_TOILET})


def _place(district: str, terms: OfferTerms, where: Circumstances) -> bool:
    far = distance_km(district, terms.district)
    return far is not None and far <= where.settings.furthest_km.of(terms.kind)


def _needs_hands_free(terms: OfferTerms) -> bool:
    return _goes_on(terms) and not terms.child_care


def _minds_children(terms: OfferTerms) -> bool:
    return _goes_on(terms) and terms.child_care and terms.child_care_ages is not None


def _goes_on(terms: OfferTerms) -> bool:
    """Dated, for a grown-up, and longer than one talk, to which a child may come along."""
    return terms.is_dated and terms.slot is None and terms.kind not in FOR_CHILDREN


def _names_levels(terms: OfferTerms) -> bool:
    named = terms.cefr_from is not None or terms.cefr_to is not None
    return named or any(one.cefr_from is not None or one.cefr_to is not None for one in terms.skills)


FOR_CHILDREN: Final = frozenset({ServiceKind.CHILD_LANGUAGE_SUPPORT, ServiceKind.CHILD_CARE_PLACE})
"""Where the child is looked after or taught. When a parent has time for a course says nothing about it: who works needs it most."""


def _is_for_a_child(terms: OfferTerms) -> bool:
    """The need is a parent's, the place is the child's. (Language support is a need of the child's own case.)"""
    return terms.kind is ServiceKind.CHILD_CARE_PLACE


def _asks_for_time(terms: OfferTerms) -> bool:
    agreed_with_each = terms.rhythm is Rhythm.FLEXIBLE
    return bool(terms.dayparts) and not agreed_with_each and terms.kind not in FOR_CHILDREN


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
    Rule("beside", None, lambda _: None, lambda terms: terms.accompanies, lambda _, terms, where: False),
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
        lambda one: one.levels,
        _names_levels,
        _level,
    ),
    Rule(
        "literacy",
        "literacy",
        lambda one: one.literacy,
        lambda terms: bool(terms.literacy),
        lambda literacy, terms, _: literacy in terms.literacy,
    ),
    Rule(
        "certificate",
        "certificates",
        lambda one: one.admission,
        lambda terms: terms.admission is not None,
        _admitted,
    ),
    Rule("residents", "lives_there", lambda one: one.home, lambda terms: bool(terms.places), _lives_there),
    Rule("time", "available", lambda one: one.hours, _asks_for_time, _time),
    Rule(
        "child-care",
        "needs_child_care",
        lambda one: one.needs_child_care,
        _needs_hands_free,
        lambda needed, terms, _: not needed,
    ),
    Rule("care-ages", "child_care_ages", lambda one: one.child_care_ages, _minds_children, _care_takes),
    Rule("access", None, lambda one: one.access_needs, lambda terms: True, _accessible),
    Rule("place", "distance", lambda one: one.district, lambda terms: not terms.takes_place_by_video, _place),
    Rule(
        "conduct",
        "age",
        lambda one: one.birth_year,
        lambda terms: isinstance(terms.particulars, Lotse),
        _may_meet_minors,
    ),
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
