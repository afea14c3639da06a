"""The rules of need: who in which situation needs which service, why, and by which document.

A rule is data: an id that never changes its meaning (a changed rule gets the next number), the kind of service, its source, and a pure
condition that gives what fills the sentence of its reason (`reason.<id>` in `messages/`), or None. Rules do not know one another, except
that everybody gets one language course: `_language_course` says which.

Sources: [000] the migration management concept of Landkreis Osnabrück, [001] its competition entry, [003] the integration strategy of
Heidekreis, [004] the report of Landkreis Peine, domain.md what the project agreed on. A star marks general German practice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.codes import BenefitRegime, Cefr, Literacy, ResidenceGroup, ServiceKind
from services.profiling.answers import ChildCare, Goal, Qualification, Recognition
from services.profiling.situation import Situation

Params = Mapping[str, str | int]
Condition = Callable[[Situation], Params | None]

HOLDS: Final[Params] = {}
"""For reasons whose sentence has no places to fill."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `urgent` needs are served before others of the same kind."""

    id: str
    kind: ServiceKind
    source: str
    holds: Condition
    urgent: bool = False


# --- language -----------------------------------------------------------------------------------------------------------


def _language_course(one: Situation) -> ServiceKind | None:
    """The one course up to B1 that fits: by script first, then by the children, then by age."""
    if not _takes_a_course(one):
        return None
    if one.literacy is not Literacy.LITERATE:
        return _COURSE_BY_SCRIPT[one.literacy] if one.literacy is not None else None
    if any(age < 3 for age in one.answers.child_care_ages):
        return ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE
    if one.small_children:
        return ServiceKind.INTEGRATION_COURSE_PARENTS
    young = one.aged(one.practice.youth_course_ages)
    return ServiceKind.INTEGRATION_COURSE_YOUTH if young else ServiceKind.INTEGRATION_COURSE_GENERAL


_COURSE_BY_SCRIPT: Final = {
    Literacy.NOT_LITERATE: ServiceKind.INTEGRATION_COURSE_LITERACY,
    Literacy.SECOND_SCRIPT: ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT,
}


def _takes_a_course(one: Situation) -> bool:
    grown = one.aged(one.practice.course_ages) and one.answers.attends_school is not True
    return grown and one.german_below(Cefr.B1)


def _course(kind: ServiceKind, *, of_parents: bool = False) -> Condition:
    def holds(one: Situation) -> Params | None:
        if _language_course(one) is not kind:
            return None
        reason: Params = {"level": _level(one)}
        return {**reason, "ages": _listed(one.small_children)} if of_parents else reason

    return holds


def _course_until_admission(one: Situation) -> Params | None:
    waits = one.receives(BenefitRegime.ASYLBLG) and _language_course(one) is not None
    return {"level": _level(one)} if waits else None


def _course_beyond_b1(one: Situation) -> Params | None:
    wanted = one.aged(one.practice.course_ages) and one.wants(Goal.LEARN_GERMAN)
    between = one.german_from(Cefr.B1) and one.german_below(Cefr.C1)
    return {"level": _level(one)} if wanted and between and not _aims_at_work(one) else None


def _vocational_german(one: Situation) -> Params | None:
    between = one.german_from(Cefr.B1) and one.german_below(Cefr.C1)
    return {"level": _level(one)} if one.aged(one.practice.working_ages) and between and _aims_at_work(one) else None


def _child_language(one: Situation) -> Params | None:
    needs = one.aged(one.practice.child_language_ages) and one.german_below(Cefr.B1)
    return {"level": _level(one)} if needs else None


def _interpreter(one: Situation) -> Params | None:
    shared = bool(one.languages & one.practice.shared_languages)
    return {"level": _level(one)} if one.languages and not shared and one.german_below(Cefr.A2) else None


# --- school, training and work ------------------------------------------------------------------------------------------


def _school(one: Situation) -> Params | None:
    return {"age": one.age or 0} if one.aged(one.practice.school_ages) else None


def _training_place(one: Situation) -> Params | None:
    ready = one.aged(one.practice.training_ages) and one.german_from(Cefr.A2)
    return {"level": _level(one)} if ready and one.wants(Goal.TRAINING) else None


def _further_training(one: Situation) -> Params | None:
    grown = one.aged(one.practice.working_ages) and not one.aged(one.practice.training_ages)
    return HOLDS if grown and one.wants(Goal.TRAINING) else None


def _recognition(one: Situation) -> Params | None:
    open_to_it = one.answers.recognition in (None, Recognition.NOT_RECOGNISED)
    return HOLDS if _qualified(one) and open_to_it else None


def _adaptation(one: Situation) -> Params | None:
    return HOLDS if _qualified(one) and one.answers.recognition is Recognition.PARTIAL else None


def _competence_assessment(one: Situation) -> Params | None:
    years = one.answers.work_experience_years or 0
    unproven = one.answers.qualification is Qualification.NONE and years >= one.practice.experience_years
    return {"years": years} if unproven and one.wants(Goal.FIND_WORK) else None


def _placement_by_jobcenter(one: Situation) -> Params | None:
    return HOLDS if _could_work(one) and one.receives(BenefitRegime.SGB_II) else None


def _placement_by_agency(one: Situation) -> Params | None:
    return HOLDS if _could_work(one) and one.receives(BenefitRegime.SGB_III) else None


def _placement_of_refugees(one: Situation) -> Params | None:
    return HOLDS if _could_work(one) and _refugee_without_entitlement(one) else None


def _placement_without_benefits(one: Situation) -> Params | None:
    others = one.receives(BenefitRegime.NONE) and not _refugee_without_entitlement(one)
    return HOLDS if _could_work(one) and others and one.wants(Goal.FIND_WORK) else None


def _skilled_worker(one: Situation) -> Params | None:
    usable = one.answers.recognition is Recognition.FULL or one.german_from(Cefr.B1)
    return HOLDS if _qualified(one) and usable and one.wants(Goal.FIND_WORK) else None


def _charitable_work(one: Situation) -> Params | None:
    may = one.receives(BenefitRegime.ASYLBLG) and one.aged((18, one.practice.working_ages[1]))
    return HOLDS if may and _could_work(one) and one.wants(Goal.FIND_WORK) else None


# --- family -------------------------------------------------------------------------------------------------------------


def _child_care_place(one: Situation) -> Params | None:
    nobody = one.answers.child_care is ChildCare.NONE
    return {"ages": _listed(one.answers.child_care_ages)} if nobody and one.answers.child_care_ages else None


def _family_centre(one: Situation) -> Params | None:
    alone = one.answers.knows_people is False or one.wants(Goal.MEET_PEOPLE)
    return {"ages": _listed(one.small_children)} if one.small_children and alone else None


def _home_visit(one: Situation) -> Params | None:
    return HOLDS if 0 in one.small_children else None


def _unaccompanied(one: Situation) -> Params | None:
    alone = one.answers.lives_with_parents is False
    return {"age": one.age or 0} if alone and one.aged(one.practice.unaccompanied_ages) else None


# --- advice and company -------------------------------------------------------------------------------------------------


def _counselling(ages: Callable[[Situation], tuple[int, int]]) -> Condition:
    def holds(one: Situation) -> Params | None:
        new = one.months_here < one.practice.counselling_months and one.answers.working is not True
        return {"months": one.months_here} if new and one.aged(ages(one)) and one.german_below(Cefr.B1) else None

    return holds


def _lotse(one: Situation) -> Params | None:
    new_here = one.months_here < one.practice.lotse_months
    alone = one.answers.knows_people is not True
    return {"months": one.months_here} if one.answers.lotse_wanted is True and new_here and alone else None


def _psychosocial(one: Situation) -> Params | None:
    return HOLDS if one.answers.psychosocial_support_wanted is True else None


def _health(one: Situation) -> Params | None:
    return HOLDS if one.answers.health_guidance_wanted is True else None


def _wanted(*goals: Goal) -> Condition:
    return lambda one: HOLDS if one.wants(*goals) else None


# --- what several of them ask -------------------------------------------------------------------------------------------


def _could_work(one: Situation) -> bool:
    return one.aged(one.practice.working_ages) and one.answers.working is False


def _aims_at_work(one: Situation) -> bool:
    in_work = one.answers.working is True or one.wants(Goal.FIND_WORK, Goal.TRAINING)
    return in_work or one.receives(BenefitRegime.SGB_II, BenefitRegime.SGB_III)


def _refugee_without_entitlement(one: Situation) -> bool:
    refugee = one.facts.residence_group is ResidenceGroup.REFUGEE
    return one.receives(BenefitRegime.ASYLBLG) or (refugee and one.receives(BenefitRegime.NONE))


def _qualified(one: Situation) -> bool:
    return one.answers.qualification in (Qualification.VOCATIONAL, Qualification.ACADEMIC)


def _level(one: Situation) -> str:
    return (one.german or Cefr.A0).upper()


def _listed(ages: tuple[int, ...]) -> str:
    return ", ".join(str(age) for age in ages)


_LANGUAGE_COURSES = "[000] 5, Bildung und Ausbildung: Spracherwerb und Sprachförderung organisieren"
_WORK = "[000] 5, Qualifizierung und Beruf: Vermittlung in Arbeit optimieren"
_FURTHER_TRAINING = "[000] 5, Qualifizierung und Beruf: Weiterbildungsbeteiligung erhöhen"
_ADVICE = "[000] 5, Erstkontakt: Beratungsangebote vorhalten und vermitteln"
_PARTICIPATION = "[000] 5, Partizipation"

_K = ServiceKind

RULES: Final[tuple[Rule, ...]] = (
    Rule("unaccompanied-minors.1", _K.UNACCOMPANIED_MINORS, _WORK, _unaccompanied, urgent=True),
    Rule(
        "psychosocial-care.1",
        _K.PSYCHOSOCIAL_CARE,
        "[003] 3, Onlineumfrage und Interviews",
        _psychosocial,
        urgent=True,
    ),
    Rule("interpreter.1", _K.INTERPRETER, "[000] 5, Erstkontakt; [003] 6.3", _interpreter),
    Rule(
        "integration-course-literacy.1",
        _K.INTEGRATION_COURSE_LITERACY,
        _LANGUAGE_COURSES,
        _course(_K.INTEGRATION_COURSE_LITERACY),
    ),
    Rule(
        "integration-course-second-script.1",
        _K.INTEGRATION_COURSE_SECOND_SCRIPT,
        f"{_LANGUAGE_COURSES}; domain.md 3.5",
        _course(_K.INTEGRATION_COURSE_SECOND_SCRIPT),
    ),
    Rule(
        "parents-course-with-child-care.1",
        _K.PARENTS_COURSE_WITH_CHILD_CARE,
        f"{_LANGUAGE_COURSES} (Mama/Papa-lernt-Deutsch)",
        _course(_K.PARENTS_COURSE_WITH_CHILD_CARE, of_parents=True),
    ),
    Rule(
        "integration-course-parents.1",
        _K.INTEGRATION_COURSE_PARENTS,
        f"[003] 6.2, Ziel 2.3; {_LANGUAGE_COURSES}",
        _course(_K.INTEGRATION_COURSE_PARENTS, of_parents=True),
    ),
    Rule(
        "integration-course-youth.1",
        _K.INTEGRATION_COURSE_YOUTH,
        f"{_LANGUAGE_COURSES}; domain.md 3.5*",
        _course(_K.INTEGRATION_COURSE_YOUTH),
    ),
    Rule(
        "integration-course-general.1",
        _K.INTEGRATION_COURSE_GENERAL,
        _LANGUAGE_COURSES,
        _course(_K.INTEGRATION_COURSE_GENERAL),
    ),
    Rule(
        "german-course-other.1",
        _K.GERMAN_COURSE_OTHER,
        "[000] 5, Qualifizierung und Beruf: Sprachliche Grundlage legen; domain.md 3.7*",
        _course_until_admission,
    ),
    Rule(
        "german-course-other.2",
        _K.GERMAN_COURSE_OTHER,
        "[003] 3, Tisch Sprachförderung (Anschlussmodelle)",
        _course_beyond_b1,
    ),
    Rule(
        "vocational-german.1",
        _K.VOCATIONAL_GERMAN,
        "[000] 5, Qualifizierung und Beruf: Sprachliche Grundlage legen",
        _vocational_german,
    ),
    Rule(
        "child-language-support.1",
        _K.CHILD_LANGUAGE_SUPPORT,
        f"{_LANGUAGE_COURSES}; [003] 6.2, Ziel 2.7",
        _child_language,
    ),
    Rule(
        "school-counselling.1",
        _K.SCHOOL_COUNSELLING,
        "[000] 5, Bildung und Ausbildung: Übergänge im Bildungssystem gestalten; [003] 6.2, Ziel 2.8",
        _school,
    ),
    Rule(
        "internship-and-training.1",
        _K.INTERNSHIP_AND_TRAINING,
        "[000] 5, Bildung und Ausbildung: Den Einstieg in Ausbildung erreichen; [003] 6.1, Ziel 1.5",
        _training_place,
    ),
    Rule("further-training-advice.1", _K.FURTHER_TRAINING_ADVICE, _FURTHER_TRAINING, _further_training),
    Rule("recognition-counselling.1", _K.RECOGNITION_COUNSELLING, _WORK, _recognition),
    Rule("adaptation-training.1", _K.ADAPTATION_TRAINING, _FURTHER_TRAINING, _adaptation),
    Rule("competence-assessment.1", _K.COMPETENCE_ASSESSMENT, "[003] 6.1, Ziel 1.2", _competence_assessment),
    Rule("job-placement-sgb-ii.1", _K.JOB_PLACEMENT, _WORK, _placement_by_jobcenter),
    Rule("job-placement-sgb-iii.1", _K.JOB_PLACEMENT, _WORK, _placement_by_agency),
    Rule("job-placement-refugees.1", _K.JOB_PLACEMENT, _WORK, _placement_of_refugees),
    Rule("job-placement-no-benefits.1", _K.JOB_PLACEMENT, f"{_WORK}; domain.md 3.5*", _placement_without_benefits),
    Rule("skilled-worker-office.1", _K.SKILLED_WORKER_OFFICE, "[000] 3.3.7", _skilled_worker),
    Rule("charitable-work.1", _K.CHARITABLE_WORK, "[004] 2.3.3", _charitable_work),
    Rule(
        "child-care-place.1",
        _K.CHILD_CARE_PLACE,
        "[000] 5, Bildung und Ausbildung: Integration in Krippe und Kita unterstützen",
        _child_care_place,
    ),
    Rule(
        "family-centre.1",
        _K.FAMILY_CENTRE,
        "[000] 5, Bildung und Ausbildung: Elternkompetenz stärken",
        _family_centre,
    ),
    Rule("home-visit.1", _K.HOME_VISIT, f"{_ADVICE}; [003] 6.6, Ziel 6.4", _home_visit),
    Rule(
        "migration-counselling.1",
        _K.MIGRATION_COUNSELLING,
        f"{_ADVICE}; domain.md 3.5*",
        _counselling(lambda one: one.practice.adult_counselling_ages),
    ),
    Rule(
        "youth-migration-service.1",
        _K.YOUTH_MIGRATION_SERVICE,
        f"{_ADVICE}; domain.md 3.5*",
        _counselling(lambda one: one.practice.youth_service_ages),
    ),
    Rule("lotse.1", _K.LOTSE, "[000] 5, Erstkontakt: Erste Orientierung geben", _lotse),
    Rule("health-navigation.1", _K.HEALTH_NAVIGATION, "[001] Handlungsfeld 6, Gesundheit; domain.md 3.5", _health),
    Rule("housing.1", _K.HOUSING, "[001] Handlungsfeld 2, Wohnen & Leben", _wanted(Goal.FIND_A_HOME)),
    Rule(
        "associations-and-volunteering.1",
        _K.ASSOCIATIONS_AND_VOLUNTEERING,
        f"{_PARTICIPATION}: Teilhabe von Zuwanderern unterstützen",
        _wanted(Goal.MEET_PEOPLE, Goal.HELP_OTHERS),
    ),
    Rule(
        "naturalisation-advice.1",
        _K.NATURALISATION_ADVICE,
        f"{_PARTICIPATION}: Engagement in der Politik fördern",
        _wanted(Goal.NATURALISATION),
    ),
)
"""All rules, in the order in which their needs are shown and planned: what cannot wait, then language, work, family, advice."""

RULES_BY_ID: Final[Mapping[str, Rule]] = {rule.id: rule for rule in RULES}
