"""The coded answers of a profile, as rules read them.

A version of the profile keeps its answers as the guideline of its day coded them, by question. `Answers` is the view that rules
take of it: every field is optional, since talks are interrupted and completed later, and what a rule does not know is left out.
Null always means "not asked or not answered"; an empty list is the answer "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from schemas.codes import Accessibility, BenefitRegime, Daypart, Literacy
from schemas.events import Certificate, GermanLevels


class Goal(StrEnum):
    """What the person wants ([000] 3.3.2: expectations and goals are discussed in the talk)."""

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


class Recognition(StrEnum):
    """How far the recognition of that qualification in Germany has come."""

    NOT_RECOGNISED = "not-recognised"
    NOT_WANTED = "not-wanted"
    APPLIED = "applied"
    PARTIAL = "partial"
    FULL = "full"


class ChildCare(StrEnum):
    """Whether the children are looked after while a parent is at a course or at work."""

    NONE = "none"
    PARTLY = "partly"
    SETTLED = "settled"


class Mobility(StrEnum):
    """How the person gets about."""

    CAR = "car"
    PUBLIC_TRANSPORT = "public-transport"
    BICYCLE = "bicycle"


class Occupation(StrEnum):
    """Field of the work done so far: the ten areas of the classification of occupations (KldB 2010), without the armed forces."""

    AGRICULTURE = "agriculture"
    PRODUCTION = "production"
    CONSTRUCTION = "construction"
    SCIENCE_AND_IT = "science-and-it"
    TRANSPORT_AND_CLEANING = "transport-and-cleaning"
    COMMERCE_AND_TOURISM = "commerce-and-tourism"
    OFFICE_AND_LAW = "office-and-law"
    HEALTH_AND_EDUCATION = "health-and-education"
    CULTURE_AND_MEDIA = "culture-and-media"


class Strength(StrEnum):
    """Social competences ([000] 3.3.2)."""

    CARING = "caring"
    TEACHING = "teaching"
    ORGANISING = "organising"
    TEAMWORK = "teamwork"
    INTERPRETING = "interpreting"
    CRAFTS = "crafts"


class Answers(BaseModel):
    """One profile. Ages and durations in whole years."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    languages: tuple[str, ...] | None = None
    german: GermanLevels = GermanLevels()
    literacy: Literacy | None = None
    reads_latin_script: bool | None = None
    lives_with_parents: bool | None = None
    children_ages: tuple[int, ...] | None = None
    child_care: ChildCare | None = None
    attends_school: bool | None = None
    school_years: int | None = None
    working: bool | None = None
    occupation: Occupation | None = None
    work_experience_years: int | None = None
    qualification: Qualification | None = None
    recognition: Recognition | None = None
    strengths: tuple[Strength, ...] | None = None
    mobility: tuple[Mobility, ...] | None = None
    benefit_regime: BenefitRegime | None = None
    certificates: tuple[Certificate, ...] | None = None
    self_payer: bool | None = None
    goals: tuple[Goal, ...] | None = None
    available: tuple[Daypart, ...] | None = None
    rotating_shifts: bool | None = None
    access_needs: tuple[Accessibility, ...] | None = None
    knows_people: bool | None = None
    lotse_wanted: bool | None = None
    psychosocial_support_wanted: bool | None = None
    health_guidance_wanted: bool | None = None

    @classmethod
    def of(cls, coded: Mapping[str, Any]) -> Self:
        """The answers of a stored version."""
        return cls.model_validate(coded)

    @property
    def read_and_written(self) -> Literacy | None:
        """How far the person reads and writes, for a course in Latin script."""
        if self.literacy is Literacy.LITERATE and self.reads_latin_script is False:
            return Literacy.SECOND_SCRIPT
        return self.literacy

    @property
    def child_care_ages(self) -> tuple[int, ...]:
        """Ages of the children who need somebody to look after them: below school age, and nobody does so fully."""
        if self.child_care is ChildCare.SETTLED:
            return ()
        return tuple(age for age in self.children_ages or () if age < SCHOOL_AGE)


SCHOOL_AGE = 6
"""Years. Compulsory schooling begins in the year in which a child becomes six (section 64 NSchG)."""
