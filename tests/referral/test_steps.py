"""The way of a referral: proposed, released, agreed, opened, accepted, begun, completed; and every other way in which it ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.codes import (
    CancelReason,
    ContactField,
    Daypart,
    DeclineReason,
    FailReason,
    LapseStage,
    Outcome,
    ServiceKind,
    Skill,
)
from schemas.ends import OUTCOMES
from schemas.events import (
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralFailed,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralReleased,
    ReferralStarted,
)
from services.referral.commands import Accept, Complete
from services.referral.model import NeedState, running_at
from services.referral.referrals import LIVE, TAKEN, FirstDay, ReferralState
from services.referral.service import SERVICE
from services.referral.transitions import TABLE, By, StepKind, after
from services.runtime.calendar import berlin_instant
from services.runtime.catalogue import LANGUAGES, Catalogue
from services.runtime.errors import Refused
from tests.referral.network import COUNSELLOR, COURSE, NOW, Network, id_of, need_of

SENTENCES = Catalogue(SERVICE.messages)


@pytest.fixture
def network() -> Network:
    """A person who needs a course, and a course with one seat."""
    world = Network()
    world.publishes("course", seats=1)
    world.person("amal")
    return world


@pytest.fixture
def proposed(network: Network) -> Network:
    network.round()
    return network


# --- a way that goes well -----------------------------------------------------------------------------------------------


def test_a_round_holds_a_seat_until_the_counsellors_deadline(network: Network):
    network.round()

    live = network.live()
    assert network.told_of(ReferralProposed) == [
        ReferralProposed(
            referral=live.id,
            need=need_of("amal"),
            kind=COURSE,
            partner="vhs",
        )
    ]
    assert (live.offer, live.attempt, live.deadline) == (id_of("course", "offer"), 1, berlin_instant(date(2016, 6, 9)))
    assert network.state() is NeedState.HELD
    assert [holder.referral for holder in network.offer().holders] == [live.id]
    assert network.offer().free == 0


def test_counsellor_person_and_partner_each_take_their_step_and_who_and_when_is_kept(proposed: Network):
    referral = proposed.live().id
    proposed.releases(referral)
    assert proposed.state() is NeedState.RELEASED
    proposed.agrees(referral)
    assert proposed.state() is NeedState.AGREED
    proposed.accepts(referral)
    assert proposed.state() is NeedState.ACCEPTED

    assert [type(event) for event in proposed.told[-3:]] == [ReferralReleased, ReferralAgreed, ReferralAccepted]
    assert [(step.state, step.by, step.at) for step in proposed.live().steps] == [
        (ReferralState.PROPOSED, "", NOW),
        (ReferralState.RELEASED, COUNSELLOR, NOW),
        (ReferralState.AGREED, COUNSELLOR, NOW),
        (ReferralState.ACCEPTED, "partner", NOW),
    ]


def test_each_step_has_a_deadline_of_its_own_and_after_acceptance_there_is_none(proposed: Network):
    referral = proposed.live().id
    proposed.releases(referral)
    assert proposed.case().due_at() == berlin_instant(date(2016, 6, 12))
    proposed.agrees(referral)
    assert proposed.case().due_at() == berlin_instant(date(2016, 6, 16))
    proposed.accepts(referral)
    assert proposed.case().due_at() is None


def test_acceptance_says_what_the_partner_may_read_and_until_when(proposed: Network):
    proposed.accepted()
    (accepted,) = proposed.told_of(ReferralAccepted)
    assert accepted.partner == "vhs"
    assert accepted.fields == (ContactField.NAME, ContactField.PHONE, ContactField.LANGUAGES)
    assert accepted.until == date(2016, 12, 15) + timedelta(days=30)


def test_an_offer_from_before_there_was_a_last_day_can_still_be_accepted():
    network = Network()
    network.publishes("course", ends_on=date.max)
    network.person("amal")
    network.round()
    network.accepted()
    assert network.told_of(ReferralAccepted)[0].until == date.max


# --- from acceptance to the end -------------------------------------------------------------------------------------------


def test_a_completed_referral_settles_the_need_and_its_seat_is_free_for_somebody_else(proposed: Network):
    proposed.completes(proposed.accepted(), Outcome.LEVEL_B1)

    assert [event.outcome for event in proposed.told_of(ReferralCompleted)] == [Outcome.LEVEL_B1]
    assert proposed.state() is NeedState.CLOSED
    assert proposed.offer().free == 1
    assert proposed.round() == []


def test_a_partner_who_has_opened_a_referral_has_no_more_time_to_answer_and_nobody_else_hears_of_it(proposed: Network):
    referral = proposed.live().id
    proposed.releases(referral)
    proposed.agrees(referral)
    due, told = proposed.case().due_at(), len(proposed.told)
    proposed.opens(referral)

    assert proposed.live().state is ReferralState.RECEIVED
    assert proposed.case().due_at() == due
    assert len(proposed.told) == told
    assert proposed.state() is NeedState.AGREED
    proposed.accepts(referral)
    assert proposed.state() is NeedState.ACCEPTED


def test_from_the_acceptance_to_the_end_the_seat_stays_taken_whatever_is_marked(proposed: Network):
    referral = proposed.accepted()
    proposed.schedules(referral, date(2016, 6, 15))
    assert proposed.live().first == FirstDay(on=date(2016, 6, 15), daypart=Daypart.WEEKDAY_MORNING)
    for step in ("starts", "misses", "attends", "pauses", "resumes"):
        getattr(proposed, step)(referral)
        assert proposed.offer().free == 0
        assert proposed.state() is NeedState.ACCEPTED
        assert running_at("vhs") in proposed.case().agenda
    proposed.completes(referral)
    assert proposed.offer().free == 1
    assert [step.state for step in proposed.need().past[0].steps][3:] == [
        ReferralState.ACCEPTED,
        ReferralState.SCHEDULED,
        ReferralState.STARTED,
        ReferralState.UNATTENDED,
        ReferralState.STARTED,
        ReferralState.PAUSED,
        ReferralState.STARTED,
        ReferralState.COMPLETED,
    ]


def test_that_it_began_is_told_once_and_what_is_only_marked_not_at_all(proposed: Network):
    referral = proposed.accepted()
    told = len(proposed.told)
    proposed.schedules(referral)
    proposed.misses(referral)
    assert len(proposed.told) == told
    proposed.attends(referral)
    proposed.pauses(referral)
    proposed.resumes(referral)
    assert [type(event) for event in proposed.told[told:]] == [ReferralStarted]


def test_whoever_did_not_come_is_on_the_counsellors_list_until_they_attend_again(proposed: Network):
    referral = proposed.accepted()
    proposed.misses(referral)
    assert "unattended" in proposed.case().agenda
    proposed.attends(referral)
    assert "unattended" not in proposed.case().agenda


def test_the_first_day_lies_ahead(proposed: Network):
    referral = proposed.accepted()
    with pytest.raises(Refused, match="first-day-not-ahead"):
        proposed.schedules(referral, date(2016, 5, 31))
    proposed.schedules(referral, date(2016, 6, 20))
    proposed.schedules(referral, date(2016, 6, 27), Daypart.WEEKDAY_EVENING)
    assert proposed.live().first == FirstDay(on=date(2016, 6, 27), daypart=Daypart.WEEKDAY_EVENING)


def test_an_outcome_belongs_to_the_kind_of_service(proposed: Network):
    referral = proposed.accepted()
    with pytest.raises(Refused, match="outcome-of-another-kind"):
        proposed.completes(referral, Outcome.WORK_FOUND)
    assert proposed.live().state is ReferralState.ACCEPTED


def test_every_kind_of_service_has_outcomes_and_every_outcome_a_kind():
    assert set(OUTCOMES) == set(ServiceKind)
    assert all(OUTCOMES.values())
    assert {outcome for outcomes in OUTCOMES.values() for outcome in outcomes} == set(Outcome)


def test_who_leaves_early_is_told_with_the_reason_and_nothing_more_is_sought(proposed: Network):
    proposed.fails(proposed.accepted(), FailReason.PERSON_TOOK_WORK)
    assert [event.reason for event in proposed.told_of(ReferralFailed)] == [FailReason.PERSON_TOOK_WORK]
    assert (proposed.state(), proposed.offer().free) == (NeedState.CLOSED, 1)
    assert proposed.round() == []


def test_when_the_partner_calls_it_off_the_need_waits_since_it_was_confirmed_and_another_place_is_sought(
    proposed: Network,
):
    since = proposed.need().since
    proposed.cancels(proposed.accepted(), CancelReason.PROVIDER_CANCELLED)
    assert [(event.reason, event.another) for event in proposed.told_of(ReferralCancelled)] == [
        (CancelReason.PROVIDER_CANCELLED, True)
    ]
    assert (proposed.state(), proposed.need().since) == (NeedState.WAITING, since)
    proposed.round()
    assert proposed.state() is NeedState.WAITING  # the seat that they left themselves is no news of that course
    second = proposed.publishes("second course")
    proposed.round()
    assert proposed.live().offer == second


def test_who_wishes_to_stop_is_asked_whether_they_want_another_place(proposed: Network):
    proposed.publishes("second course", seats=1)
    proposed.cancels(proposed.accepted(), CancelReason.PERSON_WISH, another=False)
    assert proposed.state() is NeedState.REFUSED
    assert proposed.round() == []


# --- no, or nothing -----------------------------------------------------------------------------------------------------


def test_when_the_partner_declines_the_next_best_place_is_proposed_and_not_the_same_again(proposed: Network):
    referral = proposed.live().id
    proposed.releases(referral)
    proposed.agrees(referral)
    proposed.declines(referral)
    assert proposed.told_of(ReferralDeclined)[0].reason is DeclineReason.PROVIDER_FULL
    assert proposed.state() is NeedState.WAITING
    assert proposed.offer().free == 1

    proposed.round()
    assert proposed.state() is NeedState.WAITING

    second = proposed.publishes("second course")
    proposed.round()
    assert (proposed.live().offer, proposed.live().attempt) == (second, 2)


def test_a_persons_refusal_has_no_penalty_and_another_place_is_sought(proposed: Network):
    since = proposed.need().since
    proposed.releases(proposed.live().id)
    proposed.refuses(proposed.live().id)

    assert len(proposed.told_of(ReferralRefused)) == 1
    assert proposed.state() is NeedState.WAITING
    assert proposed.need().since == since
    assert proposed.offer().free == 1


def test_a_person_may_refuse_after_having_agreed_until_the_partner_accepts(proposed: Network):
    proposed.releases(proposed.live().id)
    proposed.agrees(proposed.live().id)
    proposed.refuses(proposed.live().id)
    assert proposed.state() is NeedState.WAITING


def test_who_wants_none_of_this_kind_is_left_in_peace(proposed: Network):
    proposed.publishes("second course")
    proposed.releases(proposed.live().id)
    proposed.refuses(proposed.live().id, another=False)

    assert proposed.state() is NeedState.REFUSED
    assert proposed.round() == []


@pytest.mark.parametrize(
    ("steps", "stage", "days"),
    [
        ([], LapseStage.RELEASE, 7),
        (["releases"], LapseStage.AGREEMENT, 10),
        (["releases", "agrees"], LapseStage.ANSWER, 14),
    ],
)
def test_a_deadline_that_passes_frees_the_seat_and_the_need_waits_again(
    proposed: Network, steps: list[str], stage: LapseStage, days: int
):
    for step in steps:
        getattr(proposed, step)(proposed.live().id)
    proposed.later(days=days)
    assert proposed.told_of(ReferralLapsed) == []

    proposed.later(days=1)
    assert [event.stage for event in proposed.told_of(ReferralLapsed)] == [stage]
    assert proposed.state() is NeedState.WAITING
    assert proposed.offer().free == 1


def test_a_deadline_that_is_looked_at_too_early_changes_nothing(proposed: Network):
    assert proposed.is_due(proposed.case().subject).facts == []


def test_a_step_after_its_deadline_comes_too_late_even_before_the_lapse_is_noted(proposed: Network):
    proposed.now += timedelta(days=30)
    with pytest.raises(Refused, match="referral-deadline-passed"):
        proposed.releases(proposed.live().id)


# --- what stands against a step -----------------------------------------------------------------------------------------


def test_a_step_out_of_order_says_what_comes_first_or_what_has_happened(proposed: Network):
    referral = proposed.live().id
    with pytest.raises(Refused, match="referral-not-released-yet"):
        proposed.agrees(referral)
    proposed.releases(referral)
    with pytest.raises(Refused, match="referral-released-already"):
        proposed.releases(referral)
    with pytest.raises(Refused, match="referral-not-agreed-yet"):
        proposed.accepts(referral)
    proposed.agrees(referral)
    with pytest.raises(Refused, match="referral-not-accepted-yet"):
        proposed.completes(referral)
    proposed.accepts(referral)
    with pytest.raises(Refused, match="referral-accepted-already"):
        proposed.declines(referral)
    with pytest.raises(Refused, match="referral-not-started-yet"):
        proposed.pauses(referral)
    proposed.starts(referral)
    with pytest.raises(Refused, match="referral-running"):
        proposed.attends(referral)
    proposed.completes(referral)
    with pytest.raises(Refused, match="referral-completed"):
        proposed.completes(referral)


ALLOWED = {(one.step, state, by) for one in TABLE for state in one.of for by in one.by}
IMPOSSIBLE = sorted({(step, state, by) for step in StepKind for state in ReferralState for by in By} - ALLOWED)


@pytest.mark.parametrize(("step", "state", "by"), IMPOSSIBLE)
def test_every_step_that_is_not_in_the_table_is_refused_with_a_sentence(step: StepKind, state: ReferralState, by: By):
    with pytest.raises(Refused) as refused:
        after(step, state, by)
    for language in LANGUAGES:
        assert SENTENCES.text(language, f"problem.{refused.value.code}.detail").endswith(".")


def test_a_referral_that_ended_moves_no_more():
    for one in TABLE:
        for state in set(ReferralState) - set(LIVE):
            with pytest.raises(Refused, match=f"referral-{state}"):
                after(one.step, state, one.by[0])


def test_from_each_state_in_which_a_partner_has_somebody_it_can_end_in_each_way():
    ends = {StepKind.COMPLETION, StepKind.FAILURE, StepKind.CANCELLATION}
    for state in TAKEN:
        assert ends <= {one.step for one in TABLE if state in one.of and By.PARTNER in one.by}


def test_to_another_partner_a_referral_does_not_exist(proposed: Network):
    referral = proposed.live()
    proposed.releases(referral.id)
    proposed.agrees(referral.id)
    with pytest.raises(Refused, match="referral-not-found") as refused:
        proposed.accepts(referral.id, "another")
    assert refused.value.status == 404


def test_commands_about_what_nobody_knows_are_refused():
    network = Network()
    nothing = {"referral": id_of("nothing"), "case": id_of("nobody"), "offer": id_of("no offer")}
    for command in (Accept(**nothing, partner="vhs"), Complete(**nothing, outcome=Outcome.ATTENDED, skills=())):
        with pytest.raises(Refused, match="referral-not-found"):
            network.asks(command)


def test_a_level_that_was_certified_in_some_skills_says_in_which_and_nothing_else_has_skills(proposed: Network):
    referral = proposed.accepted()
    at = {"referral": referral, "case": id_of("amal", "case"), "offer": proposed.live().offer}
    with pytest.raises(Refused, match="skills-without-level"):
        proposed.asks(Complete(**at, outcome=Outcome.ATTENDED, skills=(Skill.SPEAKING,)))
    proposed.asks(Complete(**at, outcome=Outcome.LEVEL_B1, skills=(Skill.SPEAKING,)))
    assert [one.skills for one in proposed.told_of(ReferralCompleted)] == [(Skill.SPEAKING,)]
