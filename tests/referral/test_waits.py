"""How long people wait for a place is measured once for each of them, however many places they need or are offered."""

from __future__ import annotations

from datetime import timedelta

from tests.referral.network import NOW, Network


def test_from_the_arrival_to_the_first_seat_that_is_held_and_to_the_first_that_a_partner_accepts() -> None:
    network = Network()
    network.person("amal")
    network.later(days=10)
    network.publishes("course", seats=1)
    network.round()
    first = network.live().id
    network.releases(first)
    network.agrees(first)
    network.later(days=2)
    network.accepts(first)
    assert network.measured == [
        ("arrival_to_first_offer", timedelta(days=10)),
        ("arrival_to_acceptance", timedelta(days=12)),
    ]


def test_of_another_place_nothing_is_measured_any_more() -> None:
    network = Network()
    network.person("amal")
    network.publishes("course", seats=1)
    network.publishes("another", seats=1)
    network.round()
    network.releases(network.live().id)
    network.refuses(network.live().id)
    network.round()
    assert network.now == NOW
    assert network.measured == [("arrival_to_first_offer", timedelta())]
