"""A refusal by the person is a normal outcome without penalty: whatever decides about places knows the person as before.

What stays is that the same offer is not proposed to this need again: that is the person's own word.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.referral.eligibility import shut_out_by
from services.referral.model import NeedState
from services.referral.points import points_of, waiting_gain
from services.referral.seekers import Seeker, seeker_of
from tests.referral.network import NOW, WHERE, Network, id_of, offer


def seeker(network: Network, name: str) -> Seeker:
    found = seeker_of(network.case(name), network.need(name))
    assert found is not None
    return found


@given(st.lists(st.sampled_from(["asked", "agreed", "opened"]), min_size=1, max_size=4))
def test_who_refused_any_number_of_times_is_to_matching_who_they_were_before(refusals: list[str]):
    network = Network()
    network.person("amal")
    before = seeker(network, "amal")
    for number, at in enumerate(refusals):
        network.publishes(f"course {number}", seats=1)
        network.round()
        referral = network.live().id
        network.releases(referral)
        if at != "asked":
            network.agrees(referral)
        if at == "opened":
            network.opens(referral)
        network.refuses(referral)
    after = seeker(network, "amal")

    assert replace(after, tried=before.tried) == before
    assert len(after.tried) == len(refusals)
    other = offer("another course")
    assert other.terms is not None
    assert points_of(after, other, WHERE) == points_of(before, other, WHERE)
    assert waiting_gain(after, WHERE) == waiting_gain(before, WHERE)
    assert shut_out_by(after, other.terms, WHERE) == shut_out_by(before, other.terms, WHERE)
    assert network.need().since == NOW


def test_who_refused_and_waits_longer_comes_before_who_never_refused():
    network = Network()
    network.publishes("course", seats=1)
    network.person("amal")
    network.round()
    network.releases(network.live().id)
    network.refuses(network.live().id)
    network.later(days=1)
    network.person("badr")
    network.round()
    assert network.live("badr").offer == id_of("course", "offer")

    second = network.publishes("second course", seats=1)
    network.person("cem")
    network.round()
    assert network.live("amal").offer == second
    assert network.state("cem") is NeedState.WAITING
