"""What the rules of need look at: the answers of the talk beside the facts of the register, on a day.

What is not known is never guessed: an unknown age is neither young nor old, an unknown level of German neither low nor high.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.codes import CEFR_ORDER, BenefitRegime, Cefr, Literacy, ResidenceGroup
from schemas.events import Language
from services.profiling.answers import SCHOOL_AGE, Answers, Goal
from services.runtime.calendar import berlin_day, berlin_instant
from services.runtime.deciding import Day


class Facts(BaseModel):
    """What intake knows of the person and the rules use. Nothing else is kept here."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    arrived_on: Day
    in_germany_since: Day | None = None
    birth_year: int | None = None
    residence_group: ResidenceGroup | None = None
    languages: tuple[Language, ...] = ()

    @property
    def arrived_at(self) -> datetime:
        """The first instant of the day of arrival."""
        return berlin_instant(self.arrived_on)


@dataclass(frozen=True, slots=True)
class Practice:
    """Figures of German practice that the county documents do not give (domain.md: marked *). Ages in years, both ends included."""

    course_ages: tuple[int, int] = (16, 120)
    youth_course_ages: tuple[int, int] = (16, 26)
    working_ages: tuple[int, int] = (16, 66)
    youth_service_ages: tuple[int, int] = (12, 26)
    adult_counselling_ages: tuple[int, int] = (27, 120)
    unaccompanied_ages: tuple[int, int] = (14, 17)
    """[000] 5, Qualifizierung und Beruf: between 14 and 18."""
    school_ages: tuple[int, int] = (SCHOOL_AGE, 17)
    child_language_ages: tuple[int, int] = (3, 15)
    training_ages: tuple[int, int] = (16, 26)
    counselling_months: int = 36
    """After moving to Germany, migration counselling is meant for the first three years."""
    lotse_months: int = 24
    experience_years: int = 2
    shared_languages: frozenset[str] = frozenset({"deu", "eng"})
    """Languages in which every counsellor can hold a talk."""


PRACTICE: Final = Practice()


@dataclass(frozen=True)
class Situation:
    """One person on one day. `today` is a day in Germany."""

    answers: Answers
    facts: Facts
    today: date
    practice: Practice = PRACTICE

    @classmethod
    def at(cls, answers: Answers, facts: Facts, now: datetime, practice: Practice = PRACTICE) -> Situation:
        return cls(answers, facts, berlin_day(now), practice)

    @cached_property
    def age(self) -> int | None:
        """The age that the person reaches this year: registers and events tell the year of birth alone."""
        return _age(self.facts, self.today)

    def aged(self, ages: tuple[int, int]) -> bool:
        return self.age is not None and ages[0] <= self.age <= ages[1]

    @cached_property
    def german(self) -> Cefr | None:
        """The level that every answered skill reaches."""
        told = self.answers.german
        levels = [level for level in (told.listening, told.reading, told.speaking, told.writing) if level is not None]
        return min(levels, key=CEFR_ORDER.__getitem__, default=None)

    def german_below(self, level: Cefr) -> bool:
        return self.german is not None and CEFR_ORDER[self.german] < CEFR_ORDER[level]

    def german_from(self, level: Cefr) -> bool:
        return self.german is not None and CEFR_ORDER[self.german] >= CEFR_ORDER[level]

    @cached_property
    def literacy(self) -> Literacy | None:
        return self.answers.read_and_written

    @cached_property
    def months_here(self) -> int:
        """Whole months since the person came to Germany, as far as is known."""
        since = self.facts.in_germany_since or self.facts.arrived_on
        months = (self.today.year - since.year) * 12 + self.today.month - since.month
        return max(0, months - (self.today.day < since.day))

    @cached_property
    def languages(self) -> frozenset[str]:
        """What the person speaks, told at the counter or in the talk; empty where nobody asked."""
        return frozenset((*(self.answers.languages or ()), *self.facts.languages))

    @cached_property
    def small_children(self) -> tuple[int, ...]:
        """Ages of the children below school age."""
        return tuple(age for age in self.answers.children_ages or () if age < SCHOOL_AGE)

    def receives(self, *regimes: BenefitRegime) -> bool:
        return self.answers.benefit_regime in regimes

    def wants(self, *goals: Goal) -> bool:
        return any(goal in (self.answers.goals or ()) for goal in goals)


def age_at(facts: Facts | None, instant: datetime) -> int | None:
    """The age that the person reaches in the year of this instant, or None where the year of birth is unknown."""
    return _age(facts, berlin_day(instant)) if facts is not None else None


def _age(facts: Facts, today: date) -> int | None:
    return None if facts.birth_year is None else max(0, today.year - facts.birth_year)
