"""The way of a referral: proposed, released, agreed, accepted, closed; and every way in which it ends before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.codes import ContactField, DeclineReason, LapseStage, Outcome
from schemas.events import (
    ReferralAccepted,
    ReferralAgreed,
    ReferralClosed,
    ReferralDeclined,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralReleased,
)
from services.referral.commands import Accept, Close
from services.referral.model import LIVE, NeedState, ReferralState
from services.referral.service import SERVICE
from services.referral.transitions import TABLE, StepKind, after
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


def test_a_closed_referral_settles_the_need_and_its_seat_is_free_for_somebody_else(proposed: Network):
    proposed.closes(proposed.accepted(), Outcome.COMPLETED)

    assert [event.outcome for event in proposed.told_of(ReferralClosed)] == [Outcome.COMPLETED]
    assert proposed.state() is NeedState.CLOSED
    assert proposed.offer().free == 1
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
        proposed.closes(referral)
    proposed.accepts(referral)
    with pytest.raises(Refused, match="referral-accepted-already"):
        proposed.declines(referral)
    proposed.closes(referral)
    with pytest.raises(Refused, match="referral-closed"):
        proposed.closes(referral)


IMPOSSIBLE = [(step, state) for step in StepKind for state in ReferralState if state not in TABLE[step].of]


@pytest.mark.parametrize(("step", "state"), IMPOSSIBLE)
def test_every_step_that_is_not_in_the_table_is_refused_with_a_sentence(step: StepKind, state: ReferralState):
    with pytest.raises(Refused) as refused:
        after(step, state)
    for language in LANGUAGES:
        assert SENTENCES.text(language, f"problem.{refused.value.code}.detail").endswith(".")


def test_a_referral_that_ended_moves_no_more():
    for step in StepKind:
        for state in set(ReferralState) - set(LIVE):
            with pytest.raises(Refused, match=f"referral-{state}"):
                after(step, state)


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
    for command in (Accept(**nothing, partner="vhs"), Close(**nothing, partner=None, outcome=Outcome.COMPLETED)):
        with pytest.raises(Refused, match="referral-not-found"):
            network.asks(command)
