"""What somebody needs to take part decides where they are proposed; partners see it after accepting, and it goes with the consent."""

from __future__ import annotations

import pytest

from schemas.codes import Accessibility, CancelReason, Purpose
from schemas.events import AccessNeedsTold, ConsentWithdrawn, ReferralCancelled
from services.referral.model import Case, NeedState
from services.referral.views import inbox_line
from services.runtime.records import Stored
from tests.referral.network import BRAMSCHE, COUNTY, WHERE, Network, id_of

AMAL = id_of("amal", "case")
NEEDS = AccessNeedsTold(needs=(Accessibility.STEP_FREE,))


@pytest.fixture
def network() -> Network:
    """A course near by, up the stairs; one far away, on the ground floor; and somebody who needs no stairs."""
    world = Network()
    world.publishes("upstairs", seats=1)
    world.publishes("downstairs", seats=1, accessibility=["step-free"], district=BRAMSCHE)
    world.person("amal")
    return world


def test_somebody_is_proposed_where_they_can_take_part(network: Network):
    network.hears(NEEDS, AMAL)
    network.round()
    assert network.live().offer == id_of("downstairs", "offer")


def test_a_proposal_where_they_cannot_take_part_is_cancelled_when_that_is_heard(network: Network):
    network.round()
    assert network.live().offer == id_of("upstairs", "offer")
    network.hears(NEEDS, AMAL)
    (cancelled,) = network.told_of(ReferralCancelled)
    assert cancelled.reason is CancelReason.PERSON_CORRECTED
    network.round()
    assert network.live().offer == id_of("downstairs", "offer")


def test_a_later_profile_does_not_make_it_forgotten_but_the_withdrawn_consent_does_at_once(network: Network):
    network.hears(NEEDS, AMAL)
    network.is_profiled(AMAL, version=3)
    assert network.case().profile.access_needs == (Accessibility.STEP_FREE,)
    network.hears(ConsentWithdrawn(purposes=(Purpose.ACCESSIBILITY,)), AMAL)
    assert network.case().profile.access_needs == ()
    assert network.state() is NeedState.WAITING, "nothing else hangs on it"


def test_a_partner_sees_it_when_it_has_accepted_and_not_before(network: Network):
    network.hears(NEEDS, AMAL)
    network.round()
    before = inbox_line(network.case(), network.need(), network.live(), network.offer("downstairs"), WHERE)
    network.accepted()
    after = inbox_line(network.case(), network.need(), network.live(), network.offer("downstairs"), WHERE)
    assert "access_needs" not in before.person
    assert after.person["access_needs"] == ["step-free"]


def test_of_a_case_that_was_stored_before_the_one_level_counts_for_each_skill(network: Network):
    document = Stored(network.case()).to_document(COUNTY)
    profile = {**document["body"]["profile"], "german": "a2"}
    del profile["levels"]
    older = {**document, "shape": 1, "body": {**document["body"], "profile": profile}}
    case = Stored.from_document(Case, older).state
    assert isinstance(case, Case)
    assert case.profile.german == "a2"
    assert set(case.profile.levels.model_dump().values()) == {"a2"}
