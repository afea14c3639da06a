"""Which offers are proposed to a need again: none to which somebody said no; others once more when they have changed."""

from __future__ import annotations

import pytest

from schemas.codes import DeclineReason, RejectReason, WaitReason
from schemas.events import NeedConfirmed, NeedWaiting, ReferralRejected
from services.referral.commands import PublishOffer, SetSeats
from services.referral.model import NeedState
from services.referral.referrals import ReferralState
from services.runtime.errors import Refused
from tests.referral.network import COURSE, Network, id_of, need_of, terms

AMAL = id_of("amal", "case")
COURSE_ID = id_of("course", "offer")


@pytest.fixture
def proposed() -> Network:
    """A person for whom the one seat of the one course is held."""
    network = Network()
    network.publishes("course", seats=1)
    network.person("amal")
    network.round()
    return network


def goes_on_to(network: Network, end: str) -> None:
    """The proposal that is held ends in this way."""
    referral = network.live().id
    match end:
        case "nobody released it":
            network.later(days=8)
        case "too early for the person":
            network.rejects(referral, RejectReason.PERSON_NOT_READY)
        case "the person did not answer":
            network.releases(referral)
            network.later(days=11)
        case "the partner did not answer":
            network.releases(referral)
            network.agrees(referral)
            network.later(days=15)
        case "the counsellor says no":
            network.rejects(referral, RejectReason.PLACE_UNSUITABLE)
        case "the person says no":
            network.releases(referral)
            network.refuses(referral)
        case reason:
            network.releases(referral)
            network.agrees(referral)
            network.declines(referral, reason=DeclineReason(reason))


NOBODY_SAID_NO = (
    "nobody released it",
    "too early for the person",
    "the person did not answer",
    "the partner did not answer",
    DeclineReason.PROVIDER_FULL,
    DeclineReason.PROVIDER_CANCELLED,
)
SOMEBODY_SAID_NO = (
    "the counsellor says no",
    "the person says no",
    DeclineReason.PERSON_NOT_ELIGIBLE,
    DeclineReason.PERSON_NOT_REACHED,
    DeclineReason.LOGISTICS_TIME,
    DeclineReason.LOGISTICS_DISTANCE,
)


@pytest.mark.parametrize("end", [*NOBODY_SAID_NO, *SOMEBODY_SAID_NO])
def test_what_came_to_nothing_is_not_proposed_again_as_it_is_and_others_hear_that_all_was_tried(end: str):
    network = Network()
    network.publishes("course", seats=1, starts_on="2016-10-01")
    network.person("amal")
    network.round()
    goes_on_to(network, end)
    network.round()
    assert network.state() is NeedState.WAITING
    assert [event.reason for event in network.told_of(NeedWaiting)] == [WaitReason.ALL_TRIED]
    network.pool = None
    assert network.round() == [], "nor by a process that remembers nothing"


@pytest.mark.parametrize("change", ["seats", "terms", "somebody leaves"])
@pytest.mark.parametrize("end", NOBODY_SAID_NO)
def test_where_nobody_said_no_a_changed_offer_is_proposed_once_more(end: str, change: str):
    network = Network()
    network.publishes("course", seats=2, starts_on="2016-10-01")
    network.person("badr")
    network.round()
    network.accepted("badr")
    network.person("amal")
    network.round()
    goes_on_to(network, end)
    if change == "seats":
        network.asks(SetSeats(offer=COURSE_ID, seats=3, partner="vhs"))
    else:
        network.completes(network.live("badr").id)
    if change == "terms":
        network.asks(PublishOffer(offer=COURSE_ID, terms=terms(starts_on="2016-10-02"), seats=2))
    network.round()
    assert (network.live().offer, network.live().attempt) == (COURSE_ID, 2)


@pytest.mark.parametrize("end", SOMEBODY_SAID_NO)
def test_where_somebody_said_no_the_offer_is_not_proposed_again_however_it_changes(proposed: Network, end: str):
    goes_on_to(proposed, end)
    proposed.asks(SetSeats(offer=COURSE_ID, seats=3, partner="vhs"))
    proposed.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    proposed.round()
    assert proposed.state() is NeedState.WAITING

    second = proposed.publishes("second course")
    proposed.round()
    assert proposed.live().offer == second


def test_a_seat_that_others_held_in_vain_is_no_change():
    network = Network()
    network.publishes("course", seats=2, starts_on="2016-10-01")
    for name in ("amal", "badr"):
        network.person(name)
    network.round()
    for _ in range(5):
        network.later(days=8)
        network.round()
    assert {network.state(name) for name in ("amal", "badr")} == {NeedState.WAITING}
    assert {len(network.ends(name)) for name in ("amal", "badr")} == {1}


def test_a_seat_is_held_in_vain_twice_at_most_until_the_counsellor_confirms_the_need_again():
    network = Network()
    network.publishes("course", seats=1, starts_on="2016-12-01")
    network.person("amal")
    for seats in range(2, 6):
        network.round()
        network.later(days=8)
        network.asks(SetSeats(offer=COURSE_ID, seats=seats, partner="vhs"))
    assert network.ends() == [ReferralState.LAPSED] * 2

    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    network.round()
    assert network.live().attempt == 3


def test_after_a_holiday_the_counsellor_has_only_to_confirm_the_need_again():
    network = Network()
    network.publishes("course", seats=1, starts_on="2016-10-01")
    network.person("amal")
    network.round()
    since = network.need().since
    network.later(days=8)
    network.round()
    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    network.round()
    assert (network.state(), network.live().offer) == (NeedState.HELD, COURSE_ID)
    assert network.need().since == since, "the person has waited all the time"


def test_who_confirms_again_where_somebody_said_no_hears_again_that_all_was_tried(proposed: Network):
    goes_on_to(proposed, "the person says no")
    proposed.round()
    proposed.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), AMAL)
    proposed.round()
    assert [event.reason for event in proposed.told_of(NeedWaiting)] == [WaitReason.ALL_TRIED] * 2


def test_a_place_that_was_cancelled_for_no_fault_of_its_own_may_be_proposed_at_once(proposed: Network):
    proposed.is_profiled(AMAL, german="c1", version=2)
    proposed.is_profiled(AMAL, german="a1", version=3)
    proposed.round()
    assert (proposed.ends(), proposed.live().offer) == ([ReferralState.CANCELLED], COURSE_ID)


# --- the counsellor's no ------------------------------------------------------------------------------------------------


def test_the_counsellor_says_no_to_a_proposal_with_a_reason_and_the_next_best_is_tried_at_once(proposed: Network):
    second = proposed.publishes("second course")
    proposed.rejects(proposed.live().id, RejectReason.TIME_UNSUITABLE)

    assert [event.reason for event in proposed.told_of(ReferralRejected)] == [RejectReason.TIME_UNSUITABLE]
    assert (proposed.state(), proposed.offer().free) == (NeedState.WAITING, 1)
    proposed.round()
    assert proposed.live().offer == second


def test_what_was_released_can_no_longer_be_rejected(proposed: Network):
    proposed.releases(proposed.live().id)
    with pytest.raises(Refused, match="referral-released-already"):
        proposed.rejects(proposed.live().id)
