"""The first talk as the counsellor writes it down: a sheet of answers to the guideline's questions.

A pure function of seed and person. Every question is answered that anybody could be asked at the person's age, so that a talk which is not
interrupted completes the profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.codes import Literacy, ServiceKind
from simulation import assumptions
from simulation.chance import Chance
from simulation.people import Person
from simulation.situations import Qualification, Situation

GUIDELINE: Final = "guideline-2016.1"

Answers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Talk:
    """The sheets of one talk, the last of them complete, and how many days lie between two of them."""

    sheets: tuple[Answers, ...]
    resumed_after_days: int = 0


def talk(seed: int, person: Person) -> Talk:
    """What the counsellor writes down, in one sitting or two."""
    whole = answers(seed, person)
    chance = Chance(seed, "sitting", person.index)
    if not chance.happens(assumptions.TALK_INTERRUPTED):
        return Talk((whole,))
    first = dict(list(whole.items())[: len(whole) // 2])
    return Talk((first, whole), chance.between(*assumptions.TALK_RESUMED_AFTER))


def answers(seed: int, person: Person) -> Answers:
    """All answers, by question, in the order of the guideline."""
    told, who = person.situation, person.truth
    chance = Chance(seed, "guideline", person.index)
    adult = told.age >= assumptions.ADULT_FROM_AGE
    given: Answers = {
        "languages": list(who.languages),
        "german": told.german.model_dump(),
        "literacy": told.literacy or Literacy.NOT_LITERATE,
        "reads_latin_script": told.literacy is Literacy.LITERATE,
        "lives_with_parents": None if adult else not _without_parents(chance, who.group, told.age),
        "children_ages": list(told.child_ages),
        "child_care": _child_care(chance, told),
        "attends_school": assumptions.SCHOOL_FROM <= told.age < assumptions.ADULT_FROM_AGE,
        "school_years": told.school_years,
        "working": told.working,
        "work_experience_years": _years_worked(chance, told.age),
        "qualification": told.qualification,
        "recognition": _recognition(told),
        "mobility": ["car"] if told.mobile else ["public-transport"],
        "benefit_regime": told.benefit_regime,
        "goals": list(told.goals),
        "available": list(told.available),
        "knows_people": chance.happens(assumptions.KNOWS_PEOPLE[who.group]),
        "lotse_wanted": chance.happens(assumptions.LOTSE_WANTED) and adult,
        "psychosocial_support_wanted": told.burdened,
        "health_guidance_wanted": chance.happens(assumptions.HEALTH_GUIDANCE_WANTED),
    }
    return {question: answer for question, answer in given.items() if answer is not None}


def _without_parents(chance: Chance, group: str, age: int) -> bool:
    youngest, below = assumptions.AGES_SERVED[ServiceKind.UNACCOMPANIED_MINORS]
    drawn = chance.happens(assumptions.WITHOUT_PARENTS)
    return drawn and group == "refugee" and youngest <= age < below


def _child_care(chance: Chance, told: Situation) -> str | None:
    settled = chance.happens(assumptions.CHILD_CARE_SETTLED)
    if not told.child_care_ages:
        return None
    return "settled" if settled else "none"


def _years_worked(chance: Chance, age: int) -> int:
    return min(chance.between(*assumptions.YEARS_WORKED), max(0, age - assumptions.ADULT_FROM_AGE))


def _recognition(told: Situation) -> str | None:
    if told.qualification is Qualification.NONE:
        return None
    return "not-recognised" if told.wants_recognition else "not-wanted"
