"""One case from the first word to the plan: the talk, its versions, its needs, and what others are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.codes import Cefr, ServiceKind
from schemas.events import (
    AppointmentReleased,
    NeedConfirmed,
    NeedWithdrawn,
    PersonCorrected,
    ProfileRecorded,
)
from services.profiling.commands import Add, Confirm, ConfirmNeeds, Drop, WithdrawNeed
from services.profiling.decide import KeepVersion
from services.profiling.model import Stage
from services.profiling.needs import NeedState
from services.runtime.ids import child
from tests.given import World
from tests.profiling.steps import case_of, confirm, decide_upon, need_of, refusal, state_of
from tests.profiling.talks import (
    APPOINTMENT,
    CASE,
    GUIDELINE,
    NOW,
    TALK_AT,
    arrival,
    booking,
    profiling,
    record,
    whole_talk,
)

# --- before the talk ----------------------------------------------------------------------------------------------------


def test_a_new_arrival_is_to_be_invited_and_with_an_appointment_the_talk_is_due() -> None:
    world = profiling()
    world.hears(arrival(), CASE)
    assert case_of(world).stage is Stage.TO_INVITE
    assert case_of(world).on_agenda == datetime(2016, 2, 29, 23, tzinfo=UTC), "midnight of the arrival in Germany"
    world.hears(booking(), CASE)
    assert (case_of(world).stage, case_of(world).on_agenda) == (Stage.TALK_DUE, TALK_AT)


def test_a_booking_moved_to_another_slot_stays_though_the_old_slot_is_released(arrived: World) -> None:
    later = child(CASE, "later")
    arrived.hears(booking(), CASE)
    arrived.hears(booking(later, TALK_AT + timedelta(days=2)), CASE)
    arrived.hears(AppointmentReleased(appointment=APPOINTMENT), CASE)
    assert case_of(arrived).on_agenda == TALK_AT + timedelta(days=2)
    arrived.hears(AppointmentReleased(appointment=later), CASE)
    assert case_of(arrived).stage is Stage.TO_INVITE


def test_only_what_rules_use_is_kept_of_the_register(arrived: World) -> None:
    kept = case_of(arrived).model_dump()["facts"]
    assert set(kept) == {"arrived_on", "in_germany_since", "birth_year", "residence_group", "languages"}


# --- the profile --------------------------------------------------------------------------------------------------------


def test_a_talk_makes_a_version_that_others_hear_of_without_the_answers_that_they_do_not_use(arrived: World) -> None:
    answers = whole_talk(children_ages=[8, 3], child_care="partly", benefit_regime="sgb-ii", goals=["find-work"])
    arrived.asks(record(answers=answers), actor="counsellor-1")
    (recorded,) = arrived.told_of(ProfileRecorded)
    assert (recorded.version, recorded.complete, recorded.german.reading) == (1, True, Cefr.A1)
    assert (recorded.benefit_regime, recorded.child_care_ages) == ("sgb-ii", (3,))
    assert (recorded.literacy, recorded.rotating_shifts, recorded.certificates) == ("literate", False, ())
    unused = {"goals", "qualification", "languages", "children_ages", "access_needs", "guideline"}
    assert not unused & set(recorded.model_dump())
    profile = case_of(arrived).profile
    assert profile is not None
    assert (profile.recorded_by, profile.recorded_at, profile.guideline) == ("counsellor-1", NOW, GUIDELINE)


def test_an_interrupted_talk_is_kept_and_completed_later(arrived: World) -> None:
    arrived.asks(record(answers={"languages": ["ara"]}), actor="counsellor-1")
    assert case_of(arrived).stage is Stage.TALK_BEGUN
    arrived.now = NOW + timedelta(days=3)
    arrived.asks(record(), actor="counsellor-2")
    assert [(one.version, one.complete) for one in arrived.told_of(ProfileRecorded)] == [(1, False), (2, True)]
    kept = [effect for effect in arrived.effects if isinstance(effect, KeepVersion)]
    assert [(one.version.version, one.version.recorded_by) for one in kept] == [
        (1, "counsellor-1"),
        (2, "counsellor-2"),
    ]
    assert kept[0].version.answers == {"languages": ["ara"]}, "the first version is as it was"


def test_saving_the_same_answers_again_makes_no_version(talked: World) -> None:
    told = list(talked.told)
    decision = talked.asks(record(answers=whole_talk(goals=["meet-people", "find-a-home"])), actor="counsellor-2")
    assert (decision.facts, talked.told) == ([], told)


def test_two_counsellors_at_one_profile_do_not_overwrite_each_other(talked: World) -> None:
    talked.asks(record(answers=whole_talk(working=True), based_on=1))
    assert refusal(talked, record(answers=whole_talk(school_years=12), based_on=1)) == (
        "profile-changed-meanwhile",
        409,
    )


def test_the_plan_and_profile_of_a_small_child_are_complete_without_questions_for_adults() -> None:
    world = profiling()
    world.hears(arrival(birth_year=2012), CASE)
    world.asks(record(answers={"languages": ["ara"]}))
    assert world.told_of(ProfileRecorded)[0].complete


# --- needs --------------------------------------------------------------------------------------------------------------


def test_a_talk_derives_needs_that_wait_for_the_counsellor(talked: World) -> None:
    assert {need.kind for need in case_of(talked).needs} == {
        ServiceKind.INTERPRETER,
        ServiceKind.INTEGRATION_COURSE_GENERAL,
        ServiceKind.MIGRATION_COUNSELLING,
        ServiceKind.HOUSING,
        ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING,
    }
    assert {need.state for need in case_of(talked).needs} == {NeedState.DERIVED}
    assert (case_of(talked).stage, talked.told_of(NeedConfirmed)) == (Stage.PROFILED, [])


def test_a_confirmed_need_is_told_once_however_often_it_is_confirmed(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    confirm(talked, ServiceKind.HOUSING)
    assert talked.told_of(NeedConfirmed) == [NeedConfirmed(need=need, kind=ServiceKind.HOUSING)]
    assert need == child(CASE, "housing.1/housing")


def test_a_dropped_need_is_not_told_and_not_proposed_again(talked: World) -> None:
    decide_upon(talked, Drop(decision="drop", need=need_of(talked, ServiceKind.HOUSING).id))
    talked.asks(record(answers=whole_talk(goals=["find-a-home"], school_years=10)))
    assert [need.state for need in case_of(talked).needs if need.kind is ServiceKind.HOUSING] == [NeedState.DROPPED]
    assert talked.told_of(NeedConfirmed) == []


def test_the_plan_is_agreed_when_every_need_is_decided_upon(talked: World) -> None:
    first, *others = case_of(talked).needs
    decide_upon(talked, Drop(decision="drop", need=first.id))
    decide_upon(talked, *(Confirm(decision="confirm", need=need.id) for need in reversed(others)))
    assert case_of(talked).stage is Stage.PLANNED
    assert [step.id for step in case_of(talked).plan] == [need.id for need in reversed(others)]


def test_the_counsellor_adds_what_no_rule_saw_and_once_is_enough(talked: World) -> None:
    decide_upon(talked, Add(decision="add", kind=ServiceKind.LOTSE, urgent=True))
    decide_upon(talked, Add(decision="add", kind=ServiceKind.LOTSE))
    (added,) = talked.told_of(NeedConfirmed)
    assert (added.kind, added.urgent) == (ServiceKind.LOTSE, True)
    assert need_of(talked, ServiceKind.LOTSE).rule is None


def test_to_add_a_kind_that_a_rule_derived_confirms_that_need(talked: World) -> None:
    decide_upon(talked, Add(decision="add", kind=ServiceKind.HOUSING))
    assert [one.need for one in talked.told_of(NeedConfirmed)] == [child(CASE, "housing.1/housing")]


def test_what_the_counsellor_added_is_not_derived_a_second_time(arrived: World) -> None:
    decide_upon(arrived, Add(decision="add", kind=ServiceKind.HOUSING))
    arrived.asks(record(answers=whole_talk(goals=["find-a-home"])))
    assert [need.rule for need in case_of(arrived).needs if need.kind is ServiceKind.HOUSING] == [None]


def test_a_list_of_decisions_counts_as_a_whole_or_not_at_all(talked: World) -> None:
    known = Confirm(decision="confirm", need=need_of(talked, ServiceKind.HOUSING).id)
    unknown = Confirm(decision="confirm", need=child(CASE, "unknown"))
    assert refusal(talked, ConfirmNeeds(case=CASE, decisions=(known, unknown))) == ("need-not-found", 404)


def test_a_paper_sheet_on_which_the_needs_were_confirmed_is_recorded_in_one_step(arrived: World) -> None:
    arrived.asks(record(answers=whole_talk(goals=["find-a-home"]), confirm_derived=True))
    assert isinstance(arrived.told[0], ProfileRecorded), "who looks for offers knows the person before the needs"
    assert {one.kind for one in arrived.told_of(NeedConfirmed)} == {need.kind for need in case_of(arrived).needs}
    assert case_of(arrived).stage is Stage.PLANNED


def test_a_derived_need_goes_when_the_answers_no_longer_speak_for_it_and_comes_back_with_them(talked: World) -> None:
    need = need_of(talked, ServiceKind.HOUSING).id
    talked.asks(record(answers=whole_talk(goals=["meet-people"])))
    assert state_of(talked, ServiceKind.HOUSING) is NeedState.WITHDRAWN
    talked.asks(record(answers=whole_talk(goals=["find-a-home"])))
    assert (need_of(talked, ServiceKind.HOUSING).id, state_of(talked, ServiceKind.HOUSING)) == (need, NeedState.DERIVED)
    assert talked.told_of(NeedWithdrawn) == [], "nobody had heard of it"


def test_a_confirmed_need_whose_rule_no_longer_holds_is_put_before_the_counsellor(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.asks(record(answers=whole_talk(goals=["meet-people"])))
    assert (need_of(talked, ServiceKind.HOUSING).in_doubt, case_of(talked).stage) == (True, Stage.PROFILED)
    assert talked.told_of(NeedWithdrawn) == [], "the counsellor decides"
    talked.asks(WithdrawNeed(case=CASE, need=need))
    talked.asks(WithdrawNeed(case=CASE, need=need))
    assert talked.told_of(NeedWithdrawn) == [NeedWithdrawn(need=need)]


def test_a_need_that_was_kept_against_its_rule_and_withdrawn_lends_its_id_to_no_other(talked: World) -> None:
    kept = confirm(talked, ServiceKind.HOUSING)
    talked.asks(record(answers=whole_talk(goals=["meet-people"])))
    confirm(talked, ServiceKind.HOUSING)
    talked.asks(WithdrawNeed(case=CASE, need=kept))
    talked.asks(record(answers=whole_talk(goals=["find-a-home"])))
    anew = need_of(talked, ServiceKind.HOUSING)
    assert (anew.id, anew.state) == (child(CASE, "housing.1/housing/2"), NeedState.DERIVED)
    assert len({need.id for need in case_of(talked).needs}) == len(case_of(talked).needs)


def test_a_need_that_the_counsellor_keeps_against_its_rule_is_no_longer_doubted(talked: World) -> None:
    confirm(talked, ServiceKind.HOUSING)
    talked.asks(record(answers=whole_talk(goals=["meet-people"])))
    confirm(talked, ServiceKind.HOUSING)
    talked.asks(record(answers=whole_talk(goals=["meet-people"], school_years=11)))
    kept = need_of(talked, ServiceKind.HOUSING)
    assert (kept.in_doubt, kept.rule, kept.state) == (False, None, NeedState.CONFIRMED)
    assert len(talked.told_of(NeedConfirmed)) == 1


def test_what_the_counsellor_withdrew_is_not_proposed_again(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.asks(WithdrawNeed(case=CASE, need=need))
    talked.asks(record(answers=whole_talk(goals=["find-a-home"], school_years=11)))
    assert [one.state for one in case_of(talked).needs if one.kind is ServiceKind.HOUSING] == [NeedState.WITHDRAWN]


def test_each_decision_that_does_not_fit_says_what_to_do_instead(talked: World) -> None:
    derived, other = need_of(talked, ServiceKind.INTERPRETER).id, need_of(talked, ServiceKind.HOUSING).id
    assert refusal(talked, WithdrawNeed(case=CASE, need=derived)) == ("need-not-confirmed", 409)
    confirm(talked, ServiceKind.HOUSING)
    drop = ConfirmNeeds(case=CASE, decisions=(Drop(decision="drop", need=other),))
    assert refusal(talked, drop) == ("need-confirmed", 409)
    talked.asks(WithdrawNeed(case=CASE, need=other))
    again = ConfirmNeeds(case=CASE, decisions=(Confirm(decision="confirm", need=other),))
    assert refusal(talked, again) == ("need-withdrawn", 409)


def test_a_correction_of_the_register_is_heard_by_the_rules(talked: World) -> None:
    talked.hears(PersonCorrected(**{**arrival().model_dump(), "birth_year": 1995}), CASE)
    assert state_of(talked, ServiceKind.INTEGRATION_COURSE_YOUTH) is NeedState.DERIVED
    assert state_of(talked, ServiceKind.INTEGRATION_COURSE_GENERAL) is NeedState.WITHDRAWN


def test_a_correction_years_later_does_not_undo_what_was_right_on_the_day_of_the_talk(arrived: World) -> None:
    arrived.asks(record(answers=whole_talk(lotse_wanted=True)))
    need = confirm(arrived, ServiceKind.LOTSE)
    arrived.now = NOW + timedelta(days=3 * 365)
    arrived.hears(PersonCorrected(**{**arrival().model_dump(), "languages": ("ara", "kur")}), CASE)
    assert (need_of(arrived, ServiceKind.LOTSE).id, need_of(arrived, ServiceKind.LOTSE).in_doubt) == (need, False)
