"""A partner has fewer seats than it promised: who loses one is a stated rule, everybody is told, and nobody vanishes."""

from __future__ import annotations

import pytest

from schemas.codes import CancelReason
from schemas.events import NeedWithdrawn, OfferCapacityChanged, ReferralCancelled
from services.referral.commands import CloseOffer, OfferStanding, Propose, PublishOffer, SetSeats
from services.referral.model import ROUND, NeedState
from services.runtime.errors import Refused
from tests.referral.network import Network, id_of, need_of, terms

ID = id_of("course", "offer")


@pytest.fixture
def network() -> Network:
    """Four people hold the four seats: one proposed, one released, one agreed, one accepted. Nothing else is open."""
    world = Network()
    world.publishes("course", seats=4)
    for name in ("accepted", "agreed", "released", "proposed"):
        world.person(name)
        world.later(hours=1)
    world.round()
    world.accepted("accepted")
    for name in ("agreed", "released"):
        world.releases(world.live(name).id)
    world.agrees(world.live("agreed").id)
    return world


def lowered(network: Network, seats: int) -> list[str]:
    """Who lost a seat, by the answer."""
    names = {network.live(name).id: name for name in ("accepted", "agreed", "released", "proposed")}
    answer = network.asks(SetSeats(offer=ID, seats=seats, partner="vhs", confirm_affected=True)).answer
    assert isinstance(answer, OfferStanding)
    return [names[referral] for referral in answer.affected]


def test_unless_it_is_confirmed_nobody_loses_a_seat_and_whoever_asks_is_told_who_would(network: Network):
    told, last = [*network.told], network.live("released").id
    with pytest.raises(Refused) as refused:
        network.asks(SetSeats(offer=ID, seats=2, partner="vhs"))
    assert (refused.value.code, refused.value.params) == ("capacity-below-held", {"held": 4, "affected": 2})
    assert refused.value.members == {"affected": (network.live("proposed").id, last)}
    assert network.told == told
    assert network.offer().seats == 4


@pytest.mark.parametrize(
    ("seats", "affected"),
    [
        (4, []),
        (3, ["proposed"]),
        (2, ["proposed", "released"]),
        (1, ["proposed", "released", "agreed"]),
        (0, ["proposed", "released", "agreed", "accepted"]),
    ],
)
def test_the_less_has_been_said_the_sooner_a_seat_is_lost(network: Network, seats: int, affected: list[str]):
    assert lowered(network, seats) == affected
    assert (network.offer().seats, network.offer().taken) == (seats, seats)


def test_among_equals_the_seat_proposed_last_is_lost_whatever_the_ids():
    network = Network()
    network.publishes("course", seats=3)
    for name in ("amal", "badr", "cem"):
        network.person(name)
        network.round()
        network.later(hours=1)
    ids = [network.live(name).id for name in ("cem", "badr", "amal")]
    decision = network.asks(SetSeats(offer=ID, seats=1, partner="vhs", confirm_affected=True))
    assert isinstance(decision.answer, OfferStanding)
    assert list(decision.answer.affected) == ids[:2]


def test_among_those_proposed_in_one_round_the_longest_wait_keeps_its_seat():
    network = Network()
    for name in ("amal", "badr", "cem", "dana"):
        network.person(name)
        network.later(hours=1)
    network.publishes("course", seats=4)
    network.round()
    network.asks(SetSeats(offer=ID, seats=2, partner="vhs", confirm_affected=True))
    kept = {name for name in ("amal", "badr", "cem", "dana") if network.state(name) is NeedState.HELD}
    assert kept == {"amal", "badr"}


def test_whoever_lost_a_seat_waits_at_their_old_waiting_time_and_is_in_the_next_round(network: Network):
    since = network.need("accepted").since
    lowered(network, 0)
    assert network.state("accepted") is NeedState.WAITING
    assert network.need("accepted").since == since
    assert ROUND in network.case("accepted").agenda
    network.publishes("another", seats=1)
    wanted = network.round()
    assert Propose(case=id_of("accepted", "case"), need=need_of("accepted"), offer=id_of("another", "offer")) in wanted


def test_others_hear_of_each_lost_seat_for_a_reason_of_its_own_and_of_the_new_number(network: Network):
    lowered(network, 2)
    cancelled = network.told_of(ReferralCancelled)
    assert [event.reason for event in cancelled] == [CancelReason.SEAT_LOST] * 2
    assert network.told[-1] == OfferCapacityChanged(seats=2)


def test_a_lost_seat_may_be_proposed_again_when_it_comes_back(network: Network):
    lowered(network, 3)
    network.asks(SetSeats(offer=ID, seats=4, partner="vhs"))
    network.round()
    assert network.live("proposed").offer == ID


def test_publishing_the_same_offer_with_fewer_seats_takes_nobodys_seat_away(network: Network):
    with pytest.raises(Refused, match="capacity-below-held"):
        network.asks(PublishOffer(offer=ID, terms=terms(), seats=1))
    assert network.offer().taken == 4


def test_a_need_that_was_withdrawn_meanwhile_does_not_wait_again(network: Network):
    network.hears(NeedWithdrawn(need=need_of("accepted")), id_of("accepted", "case"))
    lowered(network, 0)
    assert network.state("accepted") is NeedState.WITHDRAWN


def test_whoever_closes_an_offer_is_told_whose_seats_are_gone(network: Network):
    expected = [network.live(name).id for name in ("proposed", "released", "agreed", "accepted")]
    answer = network.asks(CloseOffer(offer=ID, partner="vhs")).answer
    assert isinstance(answer, OfferStanding)
    assert list(answer.affected) == expected
