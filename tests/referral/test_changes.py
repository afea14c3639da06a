"""What others tell: consents, moves, corrections, erasure, needs that are no longer there, in any order across the services."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.codes import CancelReason, Purpose, ServiceKind, WaitReason
from schemas.events import (
    ConsentGiven,
    ConsentWithdrawn,
    NeedConfirmed,
    NeedWaiting,
    NeedWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ReferralCancelled,
)
from services.referral.commands import CloseOffer
from services.referral.effects import Locate, Unlocate
from services.referral.model import Case, NeedState, Settled
from services.referral.referrals import ReferralState
from services.runtime.deciding import Forget
from tests.referral.network import BRAMSCHE, COURSE, MELLE, NOW, Network, id_of, need_of

AMAL = id_of("amal", "case")


@pytest.fixture
def held() -> Network:
    """A person for whom a seat is held."""
    network = Network()
    network.publishes("course", seats=1)
    network.person("amal")
    network.round()
    return network


@pytest.fixture
def accepted(held: Network) -> Network:
    held.accepted()
    return held


def reasons(network: Network) -> list[CancelReason]:
    return [event.reason for event in network.told_of(ReferralCancelled)]


def correction(**other: object) -> PersonCorrected:
    told = {"district": MELLE, "arrived_on": date(2016, 3, 1), "birth_year": 1982, "sex": "male", "languages": ("ara",)}
    return PersonCorrected.model_validate({**told, **other})


# --- consent ------------------------------------------------------------------------------------------------------------


def test_nothing_is_proposed_without_the_consent_for_that_kind_of_partner():
    network = Network()
    network.publishes("course")
    network.arrives(AMAL)
    network.is_profiled(AMAL)
    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    network.round()
    assert [event.reason for event in network.told_of(NeedWaiting)] == [WaitReason.CONSENT_MISSING]

    network.hears(ConsentGiven(purposes=(Purpose.LABOUR,)), AMAL)
    network.round()
    assert network.state() is NeedState.WAITING

    network.hears(ConsentGiven(purposes=(Purpose.LANGUAGE_COURSES,)), AMAL)
    network.round()
    assert network.state() is NeedState.HELD


@pytest.mark.parametrize("stage", ["held", "accepted"])
def test_a_withdrawn_consent_ends_what_rests_on_it_at_once_also_at_the_partner(
    stage: str, request: pytest.FixtureRequest
):
    network: Network = request.getfixturevalue(stage)
    network.hears(ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)), AMAL)

    assert reasons(network) == [CancelReason.CONSENT_WITHDRAWN]
    assert network.offer().free == 1
    assert network.state() is NeedState.WAITING
    network.round()
    assert network.told_of(NeedWaiting)[-1].reason is WaitReason.CONSENT_MISSING


def test_a_consent_for_something_else_may_go_without_any_consequence(held: Network):
    held.hears(ConsentWithdrawn(purposes=(Purpose.LABOUR, Purpose.FOLLOW_UP)), AMAL)
    assert held.state() is NeedState.HELD
    assert reasons(held) == []


def test_without_the_transfer_consent_the_whole_way_ends_and_goes_on_when_it_is_given_again(held: Network):
    held.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), AMAL)
    assert reasons(held) == [CancelReason.CONSENT_WITHDRAWN]
    assert held.state() is NeedState.WITHDRAWN
    assert held.round() == []

    held.hears(ConsentGiven(purposes=(Purpose.TRANSFER,)), AMAL)
    held.round()
    assert held.state() is NeedState.HELD


# --- the person is elsewhere, or somebody else than was thought ---------------------------------------------------------


@pytest.mark.parametrize("stage", ["held", "accepted"])
def test_a_move_out_of_the_county_ends_the_way_here(stage: str, request: pytest.FixtureRequest):
    network: Network = request.getfixturevalue(stage)
    network.hears(PersonMoved(moved_on=date(2016, 6, 1), district=None), AMAL)
    assert reasons(network) == [CancelReason.PERSON_MOVED]
    assert network.state() is NeedState.WITHDRAWN
    assert network.offer().free == 1
    assert network.round() == []


def test_a_move_within_the_county_keeps_a_seat_that_is_still_within_reach(held: Network):
    held.hears(PersonMoved(moved_on=date(2016, 6, 1), district=BRAMSCHE), AMAL)
    assert held.state() is NeedState.HELD


def test_a_move_within_the_county_frees_a_seat_that_is_too_far_away_now():
    network = Network()
    kind = ServiceKind.CHILD_CARE_PLACE
    network.publishes("kita", kind=kind, starts_on=None, ends_on=None, cefr_from=None, cefr_to=None)
    network.person("amal", needs=kind)
    network.round()
    network.hears(PersonMoved(moved_on=date(2016, 6, 1), district=BRAMSCHE), AMAL)
    assert reasons(network) == [CancelReason.PERSON_MOVED]
    assert network.state("amal", kind) is NeedState.WAITING


def test_a_correction_that_makes_somebody_ineligible_cancels_what_is_not_accepted_yet():
    network = Network()
    network.publishes("course", sexes=["male"])
    network.person("amal")
    network.round()
    network.hears(correction(sex="female"), AMAL)
    assert reasons(network) == [CancelReason.PERSON_CORRECTED]
    assert network.state() is NeedState.WAITING
    assert network.ends() == [ReferralState.CANCELLED]


def test_a_correction_after_acceptance_leaves_the_person_where_the_partner_took_them():
    network = Network()
    network.publishes("course", sexes=["male"])
    network.person("amal")
    network.round()
    network.accepted()
    network.hears(correction(sex="female"), AMAL)
    assert network.state() is NeedState.ACCEPTED


def test_a_new_profile_that_no_longer_fits_cancels_and_one_that_fits_keeps_the_seat(held: Network):
    held.is_profiled(AMAL, german="a2", version=2)
    assert held.state() is NeedState.HELD
    held.is_profiled(AMAL, german="b1", version=3)
    assert reasons(held) == [CancelReason.PERSON_CORRECTED]


def test_a_cancelled_referral_does_not_count_against_its_offer(held: Network):
    held.is_profiled(AMAL, german="b1", version=2)
    held.is_profiled(AMAL, german="a1", version=3)
    held.round()
    assert (held.state(), held.live().attempt) == (NeedState.HELD, 2)


# --- the need -----------------------------------------------------------------------------------------------------------


def test_nothing_more_is_sought_for_a_need_that_was_withdrawn(held: Network):
    held.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    assert reasons(held) == [CancelReason.NEED_WITHDRAWN]
    assert held.state() is NeedState.WITHDRAWN
    assert held.offer().free == 1


def test_who_was_accepted_stays_when_the_need_is_withdrawn(accepted: Network):
    accepted.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    assert accepted.state() is NeedState.ACCEPTED


def test_when_the_offer_closes_nothing_is_sought_for_who_stayed_although_the_need_was_withdrawn(accepted: Network):
    accepted.publishes("second course")
    accepted.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    accepted.asks(CloseOffer(offer=id_of("course", "offer"), partner="vhs"))
    assert accepted.state() is NeedState.WITHDRAWN
    assert accepted.round() == []


def test_who_stayed_and_completed_has_a_closed_need_although_it_was_withdrawn(accepted: Network):
    accepted.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    accepted.completes(accepted.live().id)
    assert accepted.state() is NeedState.CLOSED


def test_who_stayed_is_sought_for_again_after_the_end_if_the_need_was_confirmed_again_meanwhile(accepted: Network):
    second = accepted.publishes("second course")
    accepted.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    accepted.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    assert accepted.state() is NeedState.ACCEPTED
    accepted.asks(CloseOffer(offer=id_of("course", "offer"), partner="vhs"))
    accepted.round()
    assert accepted.live().offer == second


@pytest.mark.parametrize("stage", ["held", "accepted"])
@pytest.mark.parametrize("first", ["need", "consent"])
def test_whichever_of_two_withdrawals_is_heard_first_both_end_alike(
    stage: str, first: str, request: pytest.FixtureRequest
):
    """Profiling withdraws each need when the transfer consent goes; its word and intake's come in any order."""
    network: Network = request.getfixturevalue(stage)
    withdrawals = [NeedWithdrawn(need=need_of("amal")), ConsentWithdrawn(purposes=(Purpose.TRANSFER,))]
    for word in withdrawals if first == "need" else withdrawals[::-1]:
        network.hears(word, AMAL)
    assert (network.state(), network.need().settled) == (NeedState.WITHDRAWN, Settled.WITHDRAWN)

    network.hears(ConsentGiven(purposes=(Purpose.TRANSFER,)), AMAL)
    assert network.round() == [], "the old need is over"
    anew = id_of("amal", COURSE, "2")
    network.hears(NeedConfirmed(need=anew, kind=COURSE), AMAL)
    network.round()
    assert [need.id for need in network.case().needs if need.live is not None] == [anew]


def test_for_a_second_need_of_a_kind_nothing_is_sought_while_the_person_has_a_place(accepted: Network):
    second, anew = accepted.publishes("second course"), id_of("amal", COURSE, "2")
    accepted.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    accepted.hears(NeedConfirmed(need=anew, kind=COURSE), AMAL)
    for _ in range(3):
        accepted.pool = None
        accepted.round()
    assert [(event.need, event.reason) for event in accepted.told_of(NeedWaiting)] == [(anew, WaitReason.HELD_ALREADY)]

    accepted.completes(accepted.live().id)
    accepted.round()
    need = accepted.case().need(anew)
    assert need is not None
    assert need.live is not None
    assert need.live.offer in {second, id_of("course", "offer")}


def test_of_two_needs_of_a_kind_in_one_round_one_gets_a_place_and_the_other_hears_why_it_waits():
    network = Network()
    for name in ("course", "second course"):
        network.publishes(name)
    network.person("amal")
    network.hears(NeedConfirmed(need=id_of("amal", COURSE, "2"), kind=COURSE), AMAL)
    for _ in range(3):
        network.round()
    held = [need.id for need in network.case().needs if need.live is not None]
    (waits,) = network.told_of(NeedWaiting)
    assert {*held, waits.need} == {need_of("amal"), id_of("amal", COURSE, "2")}
    assert waits.reason is WaitReason.HELD_ALREADY


def test_a_waiting_need_that_is_withdrawn_and_confirmed_again_waits_from_then_on():
    network = Network()
    case = network.person("amal")
    network.hears(NeedWithdrawn(need=need_of("amal")), case)
    assert network.finds() == []
    network.now += timedelta(days=9)
    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), case)
    assert network.state() is NeedState.WAITING
    assert network.need().since == NOW + timedelta(days=9)


def test_a_need_that_was_closed_meanwhile_is_not_sought_again_because_somebody_confirmed_it_before_hearing_so(
    accepted: Network,
):
    accepted.completes(accepted.live().id)
    accepted.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    assert accepted.state() is NeedState.CLOSED
    assert accepted.round() == []


def test_a_withdrawal_of_a_need_that_nobody_knows_is_no_error():
    network = Network()
    network.person("amal", needs=None)
    network.hears(NeedWithdrawn(need=need_of("amal")), AMAL)
    assert network.case().needs == ()


def test_a_need_may_become_urgent(held: Network):
    held.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE, urgent=True), AMAL)
    assert held.need().urgent
    assert held.state() is NeedState.HELD


# --- the offer ----------------------------------------------------------------------------------------------------------


def test_when_an_offer_closes_everybody_in_it_waits_again_and_nobody_is_dropped():
    network = Network()
    offer = network.publishes("course", seats=3)
    for name in ("amal", "badr", "cem"):
        network.person(name)
    network.round()
    network.accepted("amal")
    network.asks(CloseOffer(offer=offer, partner="vhs"))

    assert reasons(network) == [CancelReason.OFFER_CLOSED] * 3
    assert {network.state(name) for name in ("amal", "badr", "cem")} == {NeedState.WAITING}
    assert network.offer().holders == ()


# --- erasure ------------------------------------------------------------------------------------------------------------


def test_erasure_frees_the_seat_and_leaves_nothing_but_a_tombstone(held: Network):
    referral = held.live().id
    held.hears(PersonErased(), AMAL)

    assert held.offer().free == 1
    assert held.case() == Case(id=AMAL, erased=True, revision=held.case().revision)
    assert Forget(held.case().subject) in held.effects
    assert Unlocate((need_of("amal"), referral)) in held.effects


@pytest.mark.parametrize("stage", ["held", "accepted"])
def test_the_decision_that_forgets_somebody_tells_nobody_what_they_needed(stage: str, request: pytest.FixtureRequest):
    network: Network = request.getfixturevalue(stage)
    told = [*network.told]
    network.hears(PersonErased(), AMAL)
    assert network.told == told


def test_whatever_comes_after_an_erasure_brings_nobody_back(held: Network):
    held.hears(PersonErased(), AMAL)
    told = [*held.told]
    held.person("amal")
    held.hears(correction(), AMAL)
    held.hears(PersonErased(), AMAL)

    assert held.case().needs == ()
    assert held.case().person is None
    assert held.round() == []
    assert held.told == told


# --- in any order -------------------------------------------------------------------------------------------------------


def test_a_need_that_comes_before_its_arrival_waits_and_is_looked_at_once_the_person_has_arrived():
    network = Network()
    network.publishes("course")
    network.is_profiled(AMAL)
    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    assert network.round() == []
    assert network.state() is NeedState.WAITING

    network.arrives(AMAL)
    network.hears(ConsentGiven(purposes=(Purpose.LANGUAGE_COURSES,)), AMAL)
    network.round()
    assert network.state() is NeedState.HELD


def test_a_withdrawal_that_comes_before_the_need_is_remembered():
    network = Network()
    network.publishes("course")
    network.arrives(AMAL)
    network.hears(ConsentGiven(purposes=tuple(Purpose)), AMAL)
    network.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), AMAL)
    network.is_profiled(AMAL)
    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)

    assert network.state() is NeedState.WITHDRAWN
    assert network.round() == []


def test_a_need_of_somebody_who_was_erased_before_is_not_even_stored():
    network = Network()
    network.hears(PersonErased(), AMAL)
    decision = network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    assert (decision.facts, decision.effects) == ((), ())


def test_a_need_and_a_referral_can_be_found_by_their_ids():
    network = Network()
    offer = network.publishes("course")
    network.person("amal")
    network.round()
    located = [effect for effect in network.effects if isinstance(effect, Locate)]
    assert located == [Locate(need_of("amal"), AMAL), Locate(network.live().id, AMAL, offer)]
