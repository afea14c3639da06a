"""What partners publish: seats that are never given twice, terms that hold for those who agreed to them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.events import OfferCapacityChanged, OfferPublished
from services.referral.commands import CloseOffer, PublishOffer, SetSeats
from services.referral.evolve import evolve
from services.referral.facts import SeatHeld
from services.referral.offers import WITHOUT_END, Holder, Offer
from services.runtime.errors import Refused
from tests.referral.network import COURSE, MELLE, NOW, Network, id_of, offer, standing, terms

ID = id_of("course", "offer")


@pytest.fixture
def network() -> Network:
    """An offer of two seats, one of which is held."""
    world = Network()
    world.publishes("course", seats=2)
    world.person("amal")
    world.round()
    return world


def test_a_published_offer_is_told_with_what_others_count():
    network = Network()
    network.publishes("course", seats=12)
    assert network.told == [
        OfferPublished(partner="vhs", kind=COURSE, district=MELLE, seats=12, starts_on=date(2016, 6, 15))
    ]


def test_the_same_offer_sent_again_changes_nothing(network: Network):
    told = [*network.told]
    decision = network.asks(PublishOffer(offer=ID, terms=terms(), seats=2))
    assert (decision.facts, network.told) == ((), told)


def test_another_number_of_seats_is_told(network: Network):
    network.asks(SetSeats(offer=ID, seats=5, partner="vhs"))
    network.asks(PublishOffer(offer=ID, terms=terms(), seats=6))
    assert [event.seats for event in network.told_of(OfferCapacityChanged)] == [5, 6]
    assert (network.offer().seats, network.offer().free) == (6, 5)


def test_terms_to_which_somebody_agreed_do_not_change(network: Network):
    with pytest.raises(Refused, match="offer-in-use"):
        network.asks(PublishOffer(offer=ID, terms=terms(district="034590014"), seats=2))


def test_terms_of_an_empty_offer_may_change_and_are_published_anew():
    network = Network()
    network.publishes("course", seats=2)
    network.asks(PublishOffer(offer=ID, terms=terms(child_care=True), seats=3))
    assert [event.seats for event in network.told_of(OfferPublished)] == [2, 3]
    assert network.offer().terms == terms(child_care=True)


def test_a_closed_offer_takes_nobody_and_stays_closed(network: Network):
    network.asks(CloseOffer(offer=ID, partner="vhs"))
    assert network.told[-1] == OfferCapacityChanged(seats=0)
    assert not network.offer().is_open(date(2016, 6, 1))
    for command in (PublishOffer(offer=ID, terms=terms(), seats=4), SetSeats(offer=ID, seats=4, partner=None)):
        with pytest.raises(Refused, match="offer-closed"):
            network.asks(command)
    assert network.asks(CloseOffer(offer=ID, partner="vhs")).facts == ()


def test_to_another_partner_an_offer_does_not_exist(network: Network):
    for command in (SetSeats(offer=ID, seats=4, partner="another"), CloseOffer(offer=ID, partner="another")):
        with pytest.raises(Refused, match="offer-not-found") as refused:
            network.asks(command)
        assert refused.value.status == 404
    with pytest.raises(Refused, match="offer-id-taken"):
        network.asks(PublishOffer(offer=ID, terms=terms(partner="another"), seats=4))


def test_a_coordinator_may_act_for_every_partner(network: Network):
    network.asks(SetSeats(offer=ID, seats=4, partner=None))
    assert network.offer().seats == 4


# --- an illegal offer cannot be built -----------------------------------------------------------------------------------


def test_an_offer_with_more_holders_than_seats_cannot_be_built():
    full = evolve(offer(seats=1), SeatHeld(Holder(referral=id_of("one"), case=id_of("case"))), NOW)
    with pytest.raises(ValueError, match="never has more holders than seats"):
        evolve(full, SeatHeld(Holder(referral=id_of("two"), case=id_of("case"))), NOW)


def test_a_referral_cannot_hold_two_seats():
    holder = Holder(referral=id_of("one"), case=id_of("case"))
    with pytest.raises(ValidationError, match="holds one seat"):
        Offer(id=id_of("offer"), terms=terms(), seats=2, holders=(holder, holder))


def test_the_last_day_of_proposals_is_what_the_partner_says_or_the_start_or_the_end():
    def last_day(**other: Any) -> str | None:
        return Offer(id=ID, terms=terms(**other), seats=1).open_until

    assert last_day(enrol_until=date(2016, 6, 20)) == "2016-06-20"
    assert last_day() == "2016-06-15"
    assert Offer(id=ID, terms=standing(ends_on=date(2016, 12, 31)), seats=1).open_until == "2016-12-31"
    assert Offer(id=ID, terms=standing(), seats=1).open_until == WITHOUT_END
    assert Offer(id=ID).open_until is None
