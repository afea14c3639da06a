"""Who needs what: each rule as the sentence that the county documents imply, with the people next to it who do not."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.codes import ResidenceGroup, ServiceKind
from services.profiling.answers import Answers
from services.profiling.rules import RULES
from services.profiling.service import SERVICE
from services.profiling.situation import Facts, Situation
from services.runtime.catalogue import Catalogue
from tests.profiling.talks import NOW, conclusions, levels, rules

COURSES = {
    "integration-course-literacy.1",
    "integration-course-second-script.1",
    "parents-course-with-child-care.1",
    "integration-course-parents.1",
    "integration-course-youth.1",
    "integration-course-general.1",
}


# --- language -----------------------------------------------------------------------------------------------------------


def test_a_literate_adult_below_b1_needs_the_general_integration_course() -> None:
    assert rules(age=34, german="a2", literacy="literate") & COURSES == {"integration-course-general.1"}
    assert not rules(age=34, german="b1", literacy="literate") & COURSES


def test_who_cannot_read_and_write_needs_a_literacy_course_whatever_their_age_and_children() -> None:
    for age in (17, 34, 60):
        found = rules(age=age, german="a0", literacy="not-literate", children_ages=[1])
        assert found & COURSES == {"integration-course-literacy.1"}


def test_who_writes_another_script_needs_a_course_for_learners_of_a_second_script() -> None:
    assert rules(german="a0", literacy="second-script") & COURSES == {"integration-course-second-script.1"}
    read = rules(german="a0", literacy="literate", reads_latin_script=False)
    assert read & COURSES == {"integration-course-second-script.1"}


def test_a_literate_parent_of_small_children_needs_the_parents_integration_course() -> None:
    assert rules(german="a1", literacy="literate", children_ages=[4, 9]) & COURSES == {"integration-course-parents.1"}
    assert rules(german="a1", literacy="literate", children_ages=[6, 9]) & COURSES == {"integration-course-general.1"}


def test_a_parent_of_a_child_under_three_who_is_not_looked_after_needs_a_course_with_child_care() -> None:
    uncared = rules(german="a1", literacy="literate", children_ages=[2], child_care="none")
    assert uncared & COURSES == {"parents-course-with-child-care.1"}
    older = rules(german="a1", literacy="literate", children_ages=[3], child_care="none")
    assert older & COURSES == {"integration-course-parents.1"}
    cared = rules(german="a1", literacy="literate", children_ages=[2], child_care="settled")
    assert cared & COURSES == {"integration-course-parents.1"}


def test_a_young_adult_who_left_school_needs_the_youth_integration_course() -> None:
    assert rules(age=26, german="a1", literacy="literate") & COURSES == {"integration-course-youth.1"}
    assert rules(age=27, german="a1", literacy="literate") & COURSES == {"integration-course-general.1"}
    assert not rules(age=17, german="a1", literacy="literate", attends_school=True) & COURSES


def test_the_weakest_skill_decides_on_the_course() -> None:
    assert not rules(german=levels("b1"), literacy="literate") & COURSES
    weak_in_writing = {**levels("b1"), "writing": "a2"}
    assert rules(german=weak_in_writing, literacy="literate") & COURSES == {"integration-course-general.1"}


def test_nobody_is_sent_to_a_course_by_guesswork() -> None:
    assert not rules(german="a1") & COURSES, "literacy was not asked yet"
    assert not rules(literacy="literate") & COURSES, "German was not asked yet"
    assert not rules(age=None, german="a1", literacy="literate") & COURSES, "the age is not known"
    assert not rules(age=15, german="a1", literacy="literate") & COURSES, "schooling is compulsory"


def test_with_asylum_seekers_benefits_another_course_bridges_the_time_until_admission() -> None:
    assert "german-course-other.1" in rules(german="a1", literacy="literate", benefit_regime="asylblg")
    assert "german-course-other.1" not in rules(german="a1", literacy="literate", benefit_regime="sgb-ii")
    assert "german-course-other.1" not in rules(german="b2", literacy="literate", benefit_regime="asylblg")


def test_who_reached_b1_and_wants_to_go_on_learning_needs_another_course_unless_it_is_for_work() -> None:
    learner = {"german": "b1", "goals": ["learn-german"], "working": False}
    assert "german-course-other.2" in rules(**learner)
    assert "german-course-other.2" not in rules(**{**learner, "goals": ["learn-german", "find-work"]})
    assert "german-course-other.2" not in rules(**{**learner, "german": "c1"})


@pytest.mark.parametrize("aim", [{"benefit_regime": "sgb-ii"}, {"goals": ["training"]}, {"working": True}])
def test_from_b1_on_german_for_work_is_needed_by_who_works_looks_for_work_or_is_placed_in_work(
    aim: dict[str, object],
) -> None:
    assert "vocational-german.1" in rules(german="b1", **aim)
    assert "vocational-german.1" not in rules(german="a2", **aim)
    assert "vocational-german.1" not in rules(german="c1", **aim)


def test_children_of_day_care_or_school_age_below_b1_need_language_support() -> None:
    assert "child-language-support.1" in rules(age=3, german="a0")
    assert "child-language-support.1" in rules(age=15, german="a2")
    assert "child-language-support.1" not in rules(age=16, german="a0")
    assert "child-language-support.1" not in rules(age=9, german="b1")


def test_an_interpreter_is_needed_where_no_language_is_shared() -> None:
    assert "interpreter.1" in rules(languages=["ara", "kur"], german="a1")
    assert "interpreter.1" not in rules(languages=["ara", "eng"], german="a1"), "English is shared"
    assert "interpreter.1" not in rules(languages=["ara"], german="a2"), "German is enough for a talk"
    assert "interpreter.1" not in rules(german="a0"), "nobody asked which languages are spoken"


# --- school, training and work ------------------------------------------------------------------------------------------


def test_who_is_of_school_age_needs_school_counselling() -> None:
    assert [age for age in range(4, 21) if "school-counselling.1" in rules(age=age)] == list(range(6, 18))


def test_young_people_who_want_training_and_speak_enough_german_need_a_training_place() -> None:
    assert "internship-and-training.1" in rules(age=19, german="a2", goals=["training"])
    assert "internship-and-training.1" not in rules(age=19, german="a1", goals=["training"])
    assert "internship-and-training.1" not in rules(age=19, german="a2", goals=[])


def test_older_people_who_want_training_need_further_training_advice() -> None:
    assert "further-training-advice.1" in rules(age=40, goals=["training"])
    assert "further-training-advice.1" not in rules(age=20, goals=["training"])


def test_a_foreign_qualification_that_is_not_recognised_needs_recognition_counselling() -> None:
    assert "recognition-counselling.1" in rules(qualification="academic")
    assert "recognition-counselling.1" in rules(qualification="vocational", recognition="not-recognised")
    assert "recognition-counselling.1" not in rules(qualification="vocational", recognition="not-wanted")
    assert "recognition-counselling.1" not in rules(qualification="vocational", recognition="full")
    assert "recognition-counselling.1" not in rules(qualification="none")


def test_a_qualification_recognised_in_part_needs_adaptation_training() -> None:
    assert "adaptation-training.1" in rules(qualification="vocational", recognition="partial")
    assert "adaptation-training.1" not in rules(qualification="vocational", recognition="full")


def test_experience_without_papers_needs_a_competence_assessment() -> None:
    worker = {"qualification": "none", "work_experience_years": 2, "goals": ["find-work"]}
    assert "competence-assessment.1" in rules(**worker)
    assert "competence-assessment.1" not in rules(**{**worker, "work_experience_years": 1})
    assert "competence-assessment.1" not in rules(**{**worker, "qualification": "vocational"})


@pytest.mark.parametrize(
    ("regime", "rule"),
    [
        ("sgb-ii", "job-placement-sgb-ii.1"),
        ("sgb-iii", "job-placement-sgb-iii.1"),
        ("asylblg", "job-placement-refugees.1"),
    ],
)
def test_the_benefit_regime_says_who_places_a_person_in_work(regime: str, rule: str) -> None:
    placements = {one for one in rules(working=False, benefit_regime=regime) if one.startswith("job-placement")}
    assert placements == {rule}
    assert rule not in rules(working=True, benefit_regime=regime)
    assert rule not in rules(age=67, working=False, benefit_regime=regime)


def test_refugees_are_placed_in_work_also_without_a_claim_to_benefits() -> None:
    refugee = rules(working=False, benefit_regime="none", residence=ResidenceGroup.REFUGEE)
    assert "job-placement-refugees.1" in refugee


def test_without_benefits_the_agency_helps_who_wants_to_find_work() -> None:
    assert "job-placement-no-benefits.1" in rules(working=False, benefit_regime="none", goals=["find-work"])
    assert "job-placement-no-benefits.1" not in rules(working=False, benefit_regime="none", goals=[])


def test_qualified_people_who_want_work_and_can_use_their_qualification_need_the_skilled_worker_office() -> None:
    seeker = {"qualification": "academic", "goals": ["find-work"]}
    assert "skilled-worker-office.1" in rules(**seeker, recognition="full")
    assert "skilled-worker-office.1" in rules(**seeker, german="b1")
    assert "skilled-worker-office.1" not in rules(**seeker, german="a2", recognition="applied")


def test_adults_with_asylum_seekers_benefits_who_want_to_work_are_offered_charitable_work() -> None:
    seeker = {"benefit_regime": "asylblg", "working": False, "goals": ["find-work"]}
    assert "charitable-work.1" in rules(age=18, **seeker)
    assert "charitable-work.1" not in rules(age=17, **seeker)
    assert "charitable-work.1" not in rules(age=18, **{**seeker, "benefit_regime": "sgb-ii"})


# --- family -------------------------------------------------------------------------------------------------------------


def test_small_children_whom_nobody_looks_after_need_a_child_care_place() -> None:
    (place,) = (one for one in conclusions(children_ages=[7, 5, 2], child_care="none") if "child-care" in one.rule)
    assert (place.kind, dict(place.params)) == (ServiceKind.CHILD_CARE_PLACE, {"ages": "2, 5"})
    assert "child-care-place.1" not in rules(children_ages=[2], child_care="settled")
    assert "child-care-place.1" not in rules(children_ages=[6], child_care="none")


def test_parents_of_small_children_who_know_few_people_are_shown_the_family_centre() -> None:
    assert "family-centre.1" in rules(children_ages=[3], knows_people=False)
    assert "family-centre.1" in rules(children_ages=[3], goals=["meet-people"])
    assert "family-centre.1" not in rules(children_ages=[3], knows_people=True)
    assert "family-centre.1" not in rules(children_ages=[8], knows_people=False)


def test_a_family_with_a_baby_is_visited() -> None:
    assert "home-visit.1" in rules(children_ages=[0])
    assert "home-visit.1" not in rules(children_ages=[1])


def test_a_minor_between_14_and_18_without_parents_is_helped_at_once() -> None:
    (help_,) = (one for one in conclusions(age=14, lives_with_parents=False) if "unaccompanied" in one.rule)
    assert help_.urgent
    assert "unaccompanied-minors.1" not in rules(age=18, lives_with_parents=False)
    assert "unaccompanied-minors.1" not in rules(age=16, lives_with_parents=True)
    assert "unaccompanied-minors.1" not in rules(age=16), "nobody asked"


# --- advice and company -------------------------------------------------------------------------------------------------


def test_new_adults_from_27_below_b1_need_migration_counselling_and_younger_ones_the_youth_service() -> None:
    advice = {"migration-counselling.1", "youth-migration-service.1"}
    assert rules(age=27, german="a1") & advice == {"migration-counselling.1"}
    assert rules(age=26, german="a1") & advice == {"youth-migration-service.1"}
    assert rules(age=12, german="a1") & advice == {"youth-migration-service.1"}
    assert not rules(age=11, german="a1") & advice
    assert not rules(age=40, german="a1", months_here=40) & advice, "no longer new"
    assert not rules(age=40, german="b1") & advice
    assert not rules(age=40, german="a1", working=True) & advice


def test_a_lotse_accompanies_who_wishes_it_is_new_and_knows_nobody() -> None:
    assert "lotse.1" in rules(lotse_wanted=True)
    assert "lotse.1" in rules(lotse_wanted=True, knows_people=False)
    assert "lotse.1" not in rules(lotse_wanted=True, knows_people=True)
    assert "lotse.1" not in rules(lotse_wanted=True, months_here=30)
    assert "lotse.1" not in rules(lotse_wanted=False)


def test_who_wants_to_talk_about_burdens_gets_psychosocial_care_urgently_and_nobody_else_does() -> None:
    (care,) = (one for one in conclusions(psychosocial_support_wanted=True) if one.rule == "psychosocial-care.1")
    assert care.urgent
    assert "psychosocial-care.1" not in rules(psychosocial_support_wanted=False)
    assert "psychosocial-care.1" not in rules(residence=ResidenceGroup.REFUGEE)


@pytest.mark.parametrize(
    ("rule", "wish"),
    [
        ("health-navigation.1", {"health_guidance_wanted": True}),
        ("housing.1", {"goals": ["find-a-home"]}),
        ("associations-and-volunteering.1", {"goals": ["meet-people"]}),
        ("associations-and-volunteering.1", {"goals": ["help-others"]}),
        ("naturalisation-advice.1", {"goals": ["naturalisation"]}),
    ],
)
def test_a_stated_wish_is_a_need(rule: str, wish: dict[str, object]) -> None:
    assert rule in rules(**wish)
    assert rule not in rules()


# --- all of them --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "months"),
    [
        (date(2016, 6, 1), 0),
        (date(2016, 5, 2), 0),
        (date(2016, 5, 1), 1),
        (date(2014, 6, 2), 23),
        (date(2017, 1, 1), 0),
    ],
)
def test_months_in_germany_are_whole_ones(since: date, months: int) -> None:
    here = Situation.at(Answers(), Facts(arrived_on=date(2016, 6, 1), in_germany_since=since), NOW)
    assert here.months_here == months


def test_who_was_asked_nothing_and_of_whom_nothing_is_known_needs_nothing_yet() -> None:
    assert rules(age=None) == set()


def test_every_rule_names_its_source_and_has_an_id_of_its_own() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source.startswith(("[000]", "[001]", "[003]", "[004]", "domain.md")), rule.id


def test_every_rule_says_in_both_languages_why() -> None:
    catalogue = Catalogue(SERVICE.messages)
    assert [rule.id for rule in RULES if not catalogue.has(f"reason.{rule.id}")] == []
