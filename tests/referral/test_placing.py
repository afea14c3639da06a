"""What a round found is decided again from the states as they are, and what it did not find is told once and looked at when it may help."""

from __future__ import annotations

import pytest

from schemas.codes import Purpose
from schemas.events import ConsentWithdrawn, NeedConfirmed, NeedWaiting, ReferralLapsed
from services.referral.commands import Propose
from services.referral.model import NeedState
from tests.referral.network import ADVICE, COURSE, Network, id_of, need_of


@pytest.fixture
def network() -> Network:
    """A person who needs a course, and a course with one seat."""
    world = Network()
    world.publishes("course", seats=1)
    world.person("amal")
    return world


# --- somebody was faster ------------------------------------------------------------------------------------------------


def test_a_pair_that_lost_its_seat_waits_for_the_next_round(network: Network):
    network.person("badr")
    wanted = network.finds()
    first = next(data for data in wanted if isinstance(data, Propose))
    other = next(name for name in ("amal", "badr") if need_of(name) != first.need)
    network.asks(Propose(case=id_of(other, "case"), need=need_of(other), offer=first.offer))

    network.asks(first)

    loser = "amal" if other == "badr" else "badr"
    assert network.state(other) is NeedState.HELD
    assert network.state(loser) is NeedState.WAITING
    assert not network.need(loser).passed_over
    network.round()
    assert [event.need for event in network.told_of(NeedWaiting)] == [need_of(loser)]


def test_a_pair_whose_person_changed_meanwhile_leaves_the_seat_to_others(network: Network):
    (wanted,) = network.finds()
    network.is_profiled(id_of("amal", "case"), german="c1", version=2)
    network.person("badr")
    network.round()

    network.asks(wanted)

    assert network.state() is NeedState.WAITING
    assert network.state("badr") is NeedState.HELD


def test_a_pair_that_is_settled_twice_holds_one_seat(network: Network):
    (wanted,) = network.finds()
    network.asks(wanted)
    network.asks(wanted)
    assert len(network.proposals()) == 1
    assert network.offer().taken == 1


def test_why_a_need_waits_is_told_once_and_again_only_when_the_reason_changes(network: Network):
    network.round()
    network.person("badr")
    network.round()
    network.round()
    waiting = [(event.need, event.reason) for event in network.told_of(NeedWaiting)]
    assert waiting == [(need_of("badr"), "no-free-seat")]

    network.pool = None
    network.round()
    assert len(network.told_of(NeedWaiting)) == 1
    network.is_profiled(id_of("badr", "case"), german="c1", version=2)
    network.round()
    assert network.told_of(NeedWaiting)[-1].reason == "not-eligible"


def test_somebody_who_was_passed_over_and_lost_a_new_seat_to_others_has_the_next_one(network: Network):
    network.round()
    network.person("badr")
    network.round()
    assert network.need("badr").passed_over
    second = network.publishes("second course")
    (wanted,) = network.finds()
    network.person("cem")
    network.asks(Propose(case=id_of("cem", "case"), need=need_of("cem"), offer=second))

    network.asks(wanted)

    assert network.state("badr") is NeedState.WAITING
    network.round()
    network.publishes("third course")
    network.round()
    assert network.state("badr") is NeedState.HELD


def test_a_pair_whose_consent_was_withdrawn_meanwhile_is_not_held(network: Network):
    (wanted,) = network.finds()
    network.hears(ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case"))
    network.asks(wanted)
    assert network.state() is NeedState.WAITING
    assert network.offer().taken == 0


def test_a_pair_that_was_refused_meanwhile_is_not_held_again(network: Network):
    (wanted,) = network.finds()
    network.round()
    network.releases(network.live().id)
    network.refuses(network.live().id)
    network.asks(wanted)
    assert network.state() is NeedState.WAITING


def test_news_that_comes_while_a_round_looks_is_not_lost():
    network = Network()
    network.person("amal")
    (wanted,) = network.finds()
    network.is_profiled(id_of("amal", "case"), german="a2", version=2)
    network.asks(wanted)
    assert not network.need().passed_over


def test_news_that_changes_nothing_is_told_to_nobody_and_looked_at_once(network: Network):
    network.round()
    network.person("badr")
    network.round()
    network.is_profiled(id_of("badr", "case"), german="a1", version=2)
    network.round()
    assert len(network.told_of(NeedWaiting)) == 1
    assert network.need("badr").passed_over


def test_who_waits_again_after_a_proposal_hears_why_again(network: Network):
    network.person("badr")
    network.round()
    first = next(name for name in ("amal", "badr") if network.state(name) is NeedState.HELD)
    other = "amal" if first == "badr" else "badr"
    assert [event.need for event in network.told_of(NeedWaiting)] == [need_of(other)]
    network.releases(network.live(first).id)
    network.refuses(network.live(first).id)
    network.round()
    network.releases(network.live(other).id)
    network.refuses(network.live(other).id)
    network.round()
    assert [event.need for event in network.told_of(NeedWaiting)] == [need_of(other), need_of(first), need_of(other)]


def test_two_needs_of_one_person_are_settled_in_one_round():
    network = Network()
    network.publishes("course")
    case = network.person("amal")
    network.hears(NeedConfirmed(need=need_of("amal", ADVICE), kind=ADVICE), case)
    network.round()
    assert network.state("amal", COURSE) is NeedState.HELD
    assert network.need("amal", ADVICE).passed_over
    assert network.finds() == []


# --- what is read again -------------------------------------------------------------------------------------------------


def test_a_seat_that_is_freed_is_offered_to_whoever_was_passed_over():
    network = Network()
    network.publishes("course", seats=1)
    network.person("amal")
    network.round()
    network.person("badr")
    network.round()
    assert network.need("badr").passed_over

    network.later(days=8)
    assert len(network.told_of(ReferralLapsed)) == 1
    network.round()
    assert network.state("badr") is NeedState.HELD


def test_a_kind_for_which_nothing_changed_is_not_looked_at_again():
    network = Network()
    network.publishes("course", seats=1)
    network.person("amal")
    network.person("badr")
    network.round()
    network.round()
    assert network.finds() == []
    network.publishes("advice", kind=ADVICE)
    assert network.finds() == []
    network.publishes("second course")
    assert len(network.finds()) == 1
