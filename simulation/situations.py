"""What the first talk will find out about a made-up person, which no office's file has.

The counsellor's actor fills the profile from it. Children have only what a talk with their parents would bring: no work, no benefits of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from schemas.codes import CEFR_ORDER, BenefitRegime, Cefr, Daypart, Literacy
from schemas.events import GermanLevels
from simulation import assumptions
from simulation.chance import Chance, Odds

T = TypeVar("T")


class Goal(StrEnum):
    """What people say they want."""

    LEARN_GERMAN = "learn-german"
    FIND_WORK = "find-work"
    TRAINING = "training"
    SCHOOL = "school"
    MEET_PEOPLE = "meet-people"
    HELP_OTHERS = "help-others"
    FIND_A_HOME = "find-a-home"
    NATURALISATION = "naturalisation"


class Qualification(StrEnum):
    """The highest one from abroad."""

    NONE = "none"
    VOCATIONAL = "vocational"
    ACADEMIC = "academic"


@dataclass(frozen=True, slots=True)
class Situation:
    """The answers of the first talk. `age` in whole years at the beginning of the year, `child_ages` of children in the household.

    `wants_recognition` only with a qualification, `working` and `benefit_regime` only for adults.
    """

    age: int
    german: GermanLevels
    literacy: Literacy | None
    child_ages: tuple[int, ...]
    benefit_regime: BenefitRegime
    working: bool
    school_years: int
    qualification: Qualification
    wants_recognition: bool
    goals: tuple[Goal, ...]
    available: tuple[Daypart, ...]
    mobile: bool
    burdened: bool

    @property
    def child_care_ages(self) -> tuple[int, ...]:
        """Children who need somebody to look after them during a course."""
        return tuple(age for age in self.child_ages if age < assumptions.CHILD_CARE_BELOW)


def situation(seed: int, index: int, group: str, age: int, *, latin: bool) -> Situation:
    """Of a person of `group` and `age`; `latin`: the best language is written in Latin letters."""
    adult = age >= assumptions.ADULT_FROM_AGE
    learned = Chance(seed, "learned", index)
    household = Chance(seed, "household", index)
    work = Chance(seed, "work", index)
    years = min(learned.between(*assumptions.SCHOOL_YEARS[group]), max(0, age - assumptions.SCHOOL_FROM))
    skilled = adult and years >= assumptions.QUALIFIED_FROM
    qualification = Qualification(_QUALIFICATION.draw(learned)) if skilled else Qualification.NONE
    working = adult and work.happens(assumptions.WORKS[group])
    return Situation(
        age=age,
        german=_german(Chance(seed, "german", index), group),
        literacy=_literacy(Chance(seed, "literacy", index), group, latin=latin)
        if age >= assumptions.READS_FROM_AGE
        else None,
        child_ages=_children(household, age),
        benefit_regime=BenefitRegime.NONE if working or not adult else _BENEFITS[group].draw(work),
        working=working,
        school_years=years,
        qualification=qualification,
        wants_recognition=qualification is not Qualification.NONE and learned.happens(assumptions.WANTS_RECOGNITION),
        goals=_goals(Chance(seed, "goals", index), working=working) if adult else (Goal.SCHOOL,),
        available=_available(Chance(seed, "dayparts", index), working=working),
        mobile=adult and household.happens(assumptions.MOBILE),
        burdened=Chance(seed, "burdened", index).happens(assumptions.BURDENED[group]),
    )


_LEVELS: Final = {group: Odds(weights) for group, weights in assumptions.GERMAN_LEVEL.items()}
_LITERACY: Final = {group: Odds(weights) for group, weights in assumptions.LITERACY.items()}
_BENEFITS: Final = {group: Odds(weights) for group, weights in assumptions.BENEFITS.items()}
_CHILDREN: Final = Odds(assumptions.CHILDREN_IN_HOUSEHOLD)
_QUALIFICATION: Final = Odds(assumptions.QUALIFICATION)
_LADDER: Final = tuple(CEFR_ORDER)


def _german(chance: Chance, group: str) -> GermanLevels:
    speaking = CEFR_ORDER[_LEVELS[group].draw(chance)]
    writing = speaking - chance.happens(assumptions.GERMAN_SKILL_DIFFERS)
    return GermanLevels(
        listening=_level(speaking + chance.happens(assumptions.GERMAN_SKILL_DIFFERS)),
        reading=_level(speaking - chance.happens(assumptions.GERMAN_SKILL_DIFFERS)),
        speaking=_level(speaking),
        writing=_level(writing),
    )


def _level(rank: int) -> Cefr:
    return _LADDER[min(max(rank, 0), len(_LADDER) - 1)]


def _literacy(chance: Chance, group: str, *, latin: bool) -> Literacy:
    literacy = _LITERACY[group].draw(chance)
    if literacy is Literacy.LITERATE and not latin and chance.happens(assumptions.LATIN_SCRIPT_TO_LEARN):
        return Literacy.SECOND_SCRIPT
    return literacy


def _children(chance: Chance, age: int) -> tuple[int, ...]:
    youngest, oldest = assumptions.PARENT_AGES
    if not youngest <= age <= oldest:
        return ()
    low, high = assumptions.CHILD_AGES
    high = min(high, age - assumptions.PARENT_AT_LEAST_OLDER)
    return tuple(sorted(chance.between(low, high) for _ in range(_CHILDREN.draw(chance))))


def _goals(chance: Chance, *, working: bool) -> tuple[Goal, ...]:
    wanted = map(Goal, _each(assumptions.GOALS, chance))
    return tuple(goal for goal in wanted if not (working and goal is Goal.FIND_WORK))


def _available(chance: Chance, *, working: bool) -> tuple[Daypart, ...]:
    if working:
        return _each(assumptions.DAYPARTS_OF_WORKERS, chance) or (Daypart.WEEKDAY_EVENING,)
    return _each(assumptions.DAYPARTS_OF_OTHERS, chance) or (Daypart.WEEKDAY_MORNING,)


def _each(shares: Mapping[T, float], chance: Chance) -> tuple[T, ...]:
    """Every value of `shares` by a draw of its own."""
    return tuple([value for value, share in shares.items() if chance.happens(share)])
