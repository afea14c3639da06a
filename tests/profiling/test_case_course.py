"""The course of a case: the plan follows the referrals, early news waits, consents and residence end, erasure is for good."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.codes import CancelReason, DeclineReason, FailReason, Outcome, Purpose, ServiceKind, WaitReason
from schemas.events import (
    ConsentGiven,
    ConsentWithdrawn,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralFailed,
    ReferralProposed,
    ReferralRefused,
    ReferralReleased,
    ReferralStarted,
)
from services.profiling.commands import Add, ConfirmNeeds, Reach, Standing, WithdrawNeed
from services.profiling.decide import ForgetVersions, KeepVersion
from services.profiling.evolve import SheetKept, evolve
from services.profiling.model import Case, Place, Sheet, Stage
from services.profiling.needs import NeedState, StepState
from services.profiling.service import SERVICE
from services.runtime.calendar import berlin_instant
from services.runtime.catalogue import LANGUAGES, Catalogue
from services.runtime.deciding import Forget, Subject
from services.runtime.ids import child
from tests.given import World
from tests.profiling.steps import case_of, confirm, decide_upon, need_of, refusal, state_of
from tests.profiling.talks import (
    BRAMSCHE,
    CASE,
    MELLE,
    MELLE_TOWN,
    NOW,
    TALK_PURPOSES,
    arrival,
    profiling,
    record,
    whole_talk,
)

REFERRAL = "5f0e7a44-90b1-4a0c-8d53-c6f0d3f4b1aa"
NEXT_REFERRAL = "7c1d3b52-11d2-4f6e-a3a5-0f9be8d4c2bb"


# --- the plan follows the referrals -------------------------------------------------------------------------------------


def test_a_step_of_the_plan_follows_its_referrals_by_itself(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    first = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    second = {**first, "referral": NEXT_REFERRAL}
    seen: list[tuple[StepState, str | None, str | None]] = []
    for event in (
        NeedWaiting(need=need, kind=ServiceKind.HOUSING, reason=WaitReason.NO_FREE_SEAT),
        ReferralProposed(**first, partner="caritas"),
        ReferralReleased(**first),
        ReferralAgreed(**first),
        ReferralDeclined(**first, reason=DeclineReason.PROVIDER_FULL),
        ReferralProposed(**second, partner="diakonie"),
        ReferralReleased(**second),
        ReferralAgreed(**second),
        ReferralAccepted(**second, partner="diakonie", fields=(), until=date(2016, 12, 31)),
        ReferralStarted(**second),
        ReferralCompleted(**second, outcome=Outcome.PLACE_FOUND),
    ):
        talked.hears(event, CASE)
        step = case_of(talked).steps[need]
        seen.append((step.state, step.partner, step.reason))
    assert seen == [
        (StepState.WAITING, None, "no-free-seat"),
        (StepState.PROPOSED, "caritas", None),
        (StepState.RELEASED, "caritas", None),
        (StepState.AGREED, "caritas", None),
        (StepState.SEEKING, "caritas", "provider-full"),
        (StepState.PROPOSED, "diakonie", None),
        (StepState.RELEASED, "diakonie", None),
        (StepState.AGREED, "diakonie", None),
        (StepState.ACCEPTED, "diakonie", None),
        (StepState.STARTED, "diakonie", None),
        (StepState.COMPLETED, "diakonie", "place-found"),
    ]


def test_a_refusal_by_the_person_is_a_state_of_the_step_and_nothing_else_follows(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    told = list(talked.told)
    step = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    talked.hears(ReferralRefused(**step, another=False), CASE)
    assert case_of(talked).steps[need].state is StepState.REFUSED
    talked.hears(ReferralCancelled(**step, reason=CancelReason.OFFER_CLOSED), CASE)
    assert (case_of(talked).steps[need].state, talked.told) == (StepState.CANCELLED, told)


@pytest.mark.parametrize("again", ["confirm", "add"])
def test_who_wanted_nothing_of_the_kind_is_sought_for_again_once_the_counsellor_confirms_or_adds_it_again(
    talked: World, again: str
) -> None:
    need, other = confirm(talked, ServiceKind.HOUSING), confirm(talked, ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING)
    step = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    talked.hears(ReferralRefused(**step, another=False), CASE)
    for _ in range(2):
        if again == "confirm":
            confirm(talked, ServiceKind.HOUSING)
        else:
            decide_upon(talked, Add(decision="add", kind=ServiceKind.HOUSING, urgent=True))
    assert [one.need for one in talked.told_of(NeedConfirmed)] == [need, other, need], "once, not twice"
    assert need not in case_of(talked).steps
    assert [one.id for one in case_of(talked).plan] == [need, other], "it keeps its place in the plan"


def test_who_refused_one_place_and_wants_another_is_sought_for_already(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    step = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    talked.hears(ReferralRefused(**step, another=True), CASE)
    assert (case_of(talked).steps[need].state, case_of(talked).steps[need].reason) == (StepState.SEEKING, "refused")
    confirm(talked, ServiceKind.HOUSING)
    assert len(talked.told_of(NeedConfirmed)) == 1


def test_when_all_offers_were_tried_the_counsellor_can_have_them_tried_again(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.hears(NeedWaiting(need=need, kind=ServiceKind.HOUSING, reason=WaitReason.NO_FREE_SEAT), CASE)
    confirm(talked, ServiceKind.HOUSING)
    assert len(talked.told_of(NeedConfirmed)) == 1, "a round looks for a seat by itself"
    talked.hears(NeedWaiting(need=need, kind=ServiceKind.HOUSING, reason=WaitReason.ALL_TRIED), CASE)
    confirm(talked, ServiceKind.HOUSING)
    assert [one.need for one in talked.told_of(NeedConfirmed)] == [need, need]


def test_a_need_in_doubt_whose_step_rests_is_kept_and_sought_again_in_one_word(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.asks(record(answers=whole_talk(goals=["meet-people"])))
    talked.hears(ReferralRefused(referral=REFERRAL, need=need, kind=ServiceKind.HOUSING, another=False), CASE)
    confirm(talked, ServiceKind.HOUSING)
    assert (need_of(talked, ServiceKind.HOUSING).in_doubt, len(talked.told_of(NeedConfirmed))) == (False, 2)


def test_every_state_of_a_step_and_every_reason_to_wait_has_its_sentence() -> None:
    sentences = Catalogue(SERVICE.messages)
    keys = [f"step.{state}" for state in StepState if state is not StepState.WAITING]
    for key in (*keys, *(f"waits.{reason}" for reason in WaitReason)):
        for language in LANGUAGES:
            assert sentences.text(language, key).endswith(".")


def test_what_was_completed_is_neither_doubted_nor_proposed_nor_withdrawn_again(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    step = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    talked.hears(ReferralCompleted(**step, outcome=Outcome.PLACE_FOUND), CASE)
    talked.asks(record(answers=whole_talk(goals=["meet-people"])))
    talked.asks(record(answers=whole_talk(goals=["find-a-home"])))
    talked.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), CASE)
    (housing,) = [one for one in case_of(talked).needs if one.kind is ServiceKind.HOUSING]
    assert (housing.state, housing.in_doubt) == (NeedState.CONFIRMED, False)


def test_what_has_ended_is_open_again_only_with_another_referral(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    step = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    talked.hears(ReferralFailed(**step, reason=FailReason.PERSON_STOPPED), CASE)
    talked.hears(ReferralAgreed(**step), CASE)
    assert case_of(talked).steps[need].state is StepState.FAILED
    talked.hears(ReferralAgreed(**{**step, "referral": child(CASE, "another")}), CASE)
    assert case_of(talked).steps[need].state is StepState.AGREED


def test_after_a_completed_step_the_counsellor_can_add_the_same_kind_as_a_new_need(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    step = {"referral": REFERRAL, "need": need, "kind": ServiceKind.HOUSING}
    talked.hears(ReferralFailed(**step, reason=FailReason.PERSON_STOPPED), CASE)
    decide_upon(talked, Add(decision="add", kind=ServiceKind.HOUSING))
    assert len({one.need for one in talked.told_of(NeedConfirmed)}) == 2


def test_a_referral_whose_need_is_not_known_is_remembered() -> None:
    world = profiling()
    step = {"referral": REFERRAL, "need": child(CASE, "housing.1/housing"), "kind": ServiceKind.HOUSING}
    world.hears(ReferralAgreed(**step), CASE)
    world.hears(arrival(), CASE)
    world.asks(record(answers=whole_talk(goals=["find-a-home"]), confirm_derived=True))
    assert case_of(world).steps[need_of(world, ServiceKind.HOUSING).id].state is StepState.AGREED


# --- what comes before the arrival --------------------------------------------------------------------------------------


def test_a_sheet_before_its_arrival_waits_and_nobody_hears_of_it() -> None:
    world = profiling()
    answer = world.asks(record(confirm_derived=True), actor="counsellor-1").answer
    until = berlin_instant(date(2016, 6, 16))
    assert answer == Standing(case=CASE, stage=Stage.NOT_ARRIVED, version=None, kept_until=until, needs=())
    assert (world.told, world.effects) == ([], [])


def test_with_the_arrival_the_latest_sheet_that_waits_is_recorded_as_of_its_day() -> None:
    world = profiling()
    world.asks(record(answers={"languages": ["ara"]}), actor="counsellor-1")
    world.now = NOW + timedelta(hours=1)
    world.asks(record(answers=whole_talk(goals=["find-a-home"]), confirm_derived=True), actor="counsellor-2")
    world.now = NOW + timedelta(hours=2)
    world.hears(arrival(), CASE)
    assert [one.version for one in world.told_of(ProfileRecorded)] == [1]
    assert ServiceKind.HOUSING in {one.kind for one in world.told_of(NeedConfirmed)}
    kept = [effect.version for effect in world.effects if isinstance(effect, KeepVersion)]
    assert [(one.recorded_by, one.recorded_at) for one in kept] == [("counsellor-2", NOW + timedelta(hours=1))]
    assert (case_of(world).waiting, case_of(world).due_at()) == ((), None)


def test_of_each_guideline_the_latest_sheet_waits_and_the_last_one_comes_last() -> None:
    case = Case(id=CASE)
    for number, version in enumerate(("guideline-2016.1", "guideline-2017.1", "guideline-2016.1")):
        sheet = Sheet(guideline=version, answers={}, confirm_derived=False, by=f"counsellor-{number}", at=NOW)
        case = evolve(case, SheetKept(sheet), NOW)
    assert [sheet.by for sheet in case.waiting] == ["counsellor-1", "counsellor-2"]


def test_a_sheet_whose_case_does_not_arrive_loses_its_answers_and_whoever_wrote_it_hears_of_that_for_a_while() -> None:
    world = profiling()
    world.asks(record(answers=whole_talk(goals=["find-a-home"])), actor="counsellor-1")
    deadline = berlin_instant(date(2016, 6, 16))
    assert case_of(world).due_at() == deadline, "fourteen whole days"
    world.now = deadline - timedelta(milliseconds=1)
    assert world.is_due(case_of(world).subject).facts == ()

    world.now = deadline
    world.is_due(case_of(world).subject)
    assert case_of(world).waiting == ()
    assert "find-a-home" not in case_of(world).model_dump_json()
    (lost,) = case_of(world).lost
    assert (lost.by, lost.at, lost.dropped_at) == ("counsellor-1", NOW, deadline)
    assert (case_of(world).stage, case_of(world).on_agenda) == (Stage.NOT_ARRIVED, NOW)

    assert case_of(world).due_at() == berlin_instant(date(2016, 7, 17))
    world.now = berlin_instant(date(2016, 7, 17))
    world.is_due(case_of(world).subject)
    assert case_of(world) == Case(id=CASE)
    assert world.told == []


def test_who_arrives_after_their_sheet_was_lost_is_invited_like_anybody_and_the_loss_is_still_told() -> None:
    world = profiling()
    world.asks(record())
    world.now = NOW + timedelta(days=20)
    world.is_due(case_of(world).subject)
    world.hears(arrival(), CASE)
    assert (case_of(world).stage, world.told_of(ProfileRecorded)) == (Stage.TO_INVITE, [])
    assert [sheet.dropped_at for sheet in case_of(world).lost] == [NOW + timedelta(days=20)]


def test_needs_of_a_case_that_has_not_arrived_cannot_be_decided_upon_yet() -> None:
    decisions = ConfirmNeeds(case=CASE, decisions=(Add(decision="add", kind=ServiceKind.HOUSING),))
    assert refusal(profiling(), decisions) == ("case-not-arrived", 409)


@pytest.mark.parametrize("later", [arrival(), ConsentGiven(purposes=TALK_PURPOSES)])
def test_a_withdrawal_before_the_arrival_is_remembered(later: Any) -> None:
    world = profiling()
    world.asks(record(confirm_derived=True))
    world.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER, Purpose.LABOUR)), CASE)
    world.hears(later, CASE)
    world.hears(arrival(consents=(Purpose.TRANSFER, Purpose.FAMILY)), CASE)
    assert (case_of(world).stage, world.told) == (Stage.ENDED, [])
    assert Purpose.TRANSFER not in case_of(world).consents
    assert case_of(world).waiting == (), "what the person no longer consents to is not kept"


def test_no_sheet_is_kept_of_who_withdrew_the_consent_before_the_arrival() -> None:
    world = profiling()
    world.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), CASE)
    assert refusal(world, record()) == ("transfer-consent-missing", 409)


# --- when work ends -----------------------------------------------------------------------------------------------------


def test_without_the_transfer_consent_work_ends_and_confirmed_needs_are_withdrawn(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), CASE)
    assert talked.told_of(NeedWithdrawn) == [NeedWithdrawn(need=need)]
    assert (case_of(talked).stage, {one.state for one in case_of(talked).needs}) == (Stage.ENDED, {NeedState.WITHDRAWN})
    for command in (record(answers=whole_talk(working=True)), WithdrawNeed(case=CASE, need=need)):
        assert refusal(talked, command) == ("transfer-consent-missing", 409)


def test_when_the_person_consents_again_open_needs_are_proposed_anew_under_new_ids(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), CASE)
    talked.hears(ConsentGiven(purposes=(Purpose.TRANSFER,)), CASE)
    assert state_of(talked, ServiceKind.HOUSING) is NeedState.DERIVED
    again = confirm(talked, ServiceKind.HOUSING)
    assert again != need, "others were told that the first one is over"
    assert state_of(talked, ServiceKind.INTERPRETER) is NeedState.DERIVED


def test_withdrawing_another_consent_leaves_needs_as_they_are(talked: World) -> None:
    confirm(talked, ServiceKind.HOUSING)
    before = case_of(talked).needs
    talked.hears(ConsentGiven(purposes=TALK_PURPOSES), CASE)
    talked.hears(ConsentWithdrawn(purposes=(Purpose.ADVICE,)), CASE)
    assert case_of(talked).needs == before
    assert Purpose.ADVICE not in case_of(talked).consents


def test_who_moves_within_the_county_keeps_plan_and_profile(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.hears(PersonMoved(moved_on=date(2016, 6, 2), district=BRAMSCHE), CASE)
    assert case_of(talked).place == Place(district=BRAMSCHE)
    assert [one.id for one in case_of(talked).plan] == [need]


def test_who_moves_away_is_no_longer_worked_for_until_they_come_back(talked: World) -> None:
    need = confirm(talked, ServiceKind.HOUSING)
    talked.hears(PersonMoved(moved_on=date(2016, 6, 2), district=None), CASE)
    assert (case_of(talked).stage, talked.told_of(NeedWithdrawn)) == (Stage.ENDED, [NeedWithdrawn(need=need)])
    assert refusal(talked, record(answers=whole_talk(working=True))) == ("case-moved-away", 409)
    talked.hears(PersonMoved(moved_on=date(2016, 9, 2), district=MELLE), CASE)
    assert case_of(talked).stage is Stage.PROFILED


def test_erasure_leaves_a_tombstone_and_nothing_else(talked: World) -> None:
    confirm(talked, ServiceKind.HOUSING)
    talked.asks(record(answers=whole_talk(working=True)))
    talked.effects.clear()
    talked.hears(PersonErased(), CASE)
    assert case_of(talked) == Case(id=CASE, erased=True)
    assert talked.effects == [ForgetVersions(CASE, 2), Forget(Subject("case", CASE))]
    assert refusal(talked, record()) == ("case-erased", 410)
    talked.hears(arrival(), CASE)
    assert case_of(talked) == Case(id=CASE, erased=True)


# --- whose cases --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reach", "covered"),
    [
        (Reach(), True),
        (Reach(district=MELLE), True),
        (Reach(district=MELLE, municipality=MELLE_TOWN), True),
        (Reach(district=BRAMSCHE), False),
        (Reach(district=MELLE, municipality="034590024999"), False),
    ],
)
def test_a_social_worker_reaches_the_cases_of_their_place_and_no_other(
    talked: World, reach: Reach, *, covered: bool
) -> None:
    commands = [
        record(answers=whole_talk(working=True), reach=reach),
        ConfirmNeeds(case=CASE, decisions=(Add(decision="add", kind=ServiceKind.HOUSING),), reach=reach),
    ]
    for command in commands:
        if covered:
            talked.asks(command)
        else:
            assert refusal(talked, command) == ("case-not-found", 404)


def test_of_a_case_whose_place_is_unknown_a_social_worker_hears_nothing() -> None:
    assert refusal(profiling(), record(reach=Reach(district=MELLE))) == ("case-not-found", 404)


def test_a_command_of_another_service_is_a_mistake_in_the_code(arrived: World) -> None:
    with pytest.raises(TypeError):
        arrived.asks(Standing(case=CASE, stage=Stage.PLANNED, version=None, needs=()))
