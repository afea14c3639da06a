"""The first talk as the counsellor writes it down: a sheet of answers to the guideline's questions.

A pure function of seed and person. Every question is answered that anybody could be asked at the person's age, so that a talk which is not
interrupted completes the profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.codes import (
    CEFR_ORDER,
    BenefitRegime,
    Cefr,
    CertificateIssuer,
    CertificateKind,
    CourseScheme,
    Literacy,
    ServiceKind,
)
from simulation import assumptions
from simulation.chance import Chance
from simulation.people import Person
from simulation.situations import Qualification, Situation

GUIDELINE: Final = "guideline-2016.2"

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
    shifts, needs = Chance(seed, "shifts", person.index), Chance(seed, "access needs", person.index)
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
        "certificates": _certificates(Chance(seed, "certificates", person.index), person) if adult else None,
        "self_payer": Chance(seed, "self-payer", person.index).happens(assumptions.SELF_PAYER[who.group]) and adult,
        "goals": list(told.goals),
        "available": list(told.available),
        "rotating_shifts": told.working and shifts.happens(assumptions.ROTATING_SHIFTS),
        "access_needs": [need for need, share in assumptions.ACCESS_NEEDS.items() if needs.happens(share)],
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


def _certificates(chance: Chance, person: Person) -> list[dict[str, Any]]:
    """For integration courses, and from B1 on for vocational German. Who lives on benefits pays no fee (section 9 (2) IntV)."""
    told, group = person.situation, person.truth.group
    until = chance.day(person.registered_on, assumptions.CERTIFICATE_VALID).isoformat()
    common = {"valid_until": until, "fee_exempt": told.benefit_regime is not BenefitRegime.NONE}
    held: list[dict[str, Any]] = []
    if chance.happens(assumptions.CERTIFICATE_HELD[group]):
        kind, issuer = _ground(chance, told, group)
        held.append({"scheme": CourseScheme.INTEGRATION_COURSE, "kind": kind, "issuer": issuer, **common})
    speaks = told.german.speaking
    ready = speaks is not None and CEFR_ORDER[speaks] >= CEFR_ORDER[Cefr.B1]
    if ready and chance.happens(assumptions.VOCATIONAL_CERTIFICATE_HELD):
        by_jobcenter = told.benefit_regime is BenefitRegime.SGB_II
        issuer = CertificateIssuer.JOBCENTER if by_jobcenter else CertificateIssuer.EMPLOYMENT_AGENCY
        entitled = {"kind": CertificateKind.ENTITLED, "issuer": issuer, **common}
        held.append({"scheme": CourseScheme.VOCATIONAL_GERMAN, **entitled})
    return held


def _ground(chance: Chance, told: Situation, group: str) -> tuple[CertificateKind, CertificateIssuer]:
    """On what ground somebody may take part in an integration course, and who says so."""
    if told.benefit_regime is BenefitRegime.SGB_II and chance.happens(assumptions.OBLIGED):
        return CertificateKind.OBLIGED, CertificateIssuer.JOBCENTER
    if group == "third" or told.benefit_regime is BenefitRegime.SGB_II:
        return CertificateKind.ENTITLED, CertificateIssuer.FOREIGNERS_AUTHORITY
    return CertificateKind.ADMITTED, CertificateIssuer.BAMF


def _years_worked(chance: Chance, age: int) -> int:
    return min(chance.between(*assumptions.YEARS_WORKED), max(0, age - assumptions.ADULT_FROM_AGE))


def _recognition(told: Situation) -> str | None:
    if told.qualification is Qualification.NONE:
        return None
    return "not-recognised" if told.wants_recognition else "not-wanted"
