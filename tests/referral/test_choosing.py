"""A counsellor proposes an offer by hand: what is allowed, what makes room, and what stays with the referral."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.codes import CancelReason, Purpose, RejectReason, WaitReason
from schemas.events import ConsentWithdrawn, NeedConfirmed, ReferralCancelled, ReferralProposed, ReferralRejected
from services.referral.commands import ProposeByHand, ReferralStanding
from services.referral.effects import Locate
from services.referral.model import NeedState
from services.referral.referrals import ReferralState
from services.runtime.deciding import Decision
from services.runtime.errors import Refused
from tests.referral.network import ADVICE, BRAMSCHE, COUNSELLOR, COURSE, Network, id_of, need_of


def chooses(
    network: Network, offer: str = "further", reason: RejectReason | None = None, name: str = "amal"
) -> Decision:
    command = ProposeByHand(case=id_of(name, "case"), need=need_of(name), offer=id_of(offer, "offer"), reason=reason)
    return network.asks(command, actor=COUNSELLOR)


def refusal(network: Network, offer: str = "further", name: str = "amal") -> str:
    with pytest.raises(Refused) as refused:
        chooses(network, offer, name=name)
    return refused.value.code


@pytest.fixture
def proposed() -> Network:
    """Amal, for whom a seat of the course nearby is held; one further away has a free seat."""
    network = Network()
    network.publishes("course")
    network.publishes("further", district=BRAMSCHE)
    network.person("amal")
    network.round()
    assert network.live().offer == id_of("course", "offer")
    return network


def test_what_a_counsellor_chooses_makes_room_for_itself_in_one_step(proposed: Network):
    decision = chooses(proposed)
    live = proposed.live()
    assert (live.offer, live.state, live.chosen_by) == (id_of("further", "offer"), ReferralState.PROPOSED, COUNSELLOR)
    assert decision.answer == ReferralStanding.of(live.id, ReferralState.PROPOSED, need_of("amal"), NeedState.HELD)
    assert Locate(live.id, id_of("amal", "case"), live.offer) in decision.effects
    assert [len(proposed.offer(name).holders) for name in ("course", "further")] == [0, 1]


def test_others_hear_that_it_was_chosen_by_hand_and_by_whom_nobody(proposed: Network):
    chooses(proposed)
    assert [event.by_hand for event in proposed.told_of(ReferralProposed)] == [False, True]
    assert [event.reason for event in proposed.told_of(ReferralCancelled)] == [CancelReason.ANOTHER_CHOSEN]
    assert not any(COUNSELLOR in event.model_dump_json() for event in proposed.told)


def test_what_made_room_without_a_reason_may_be_proposed_again(proposed: Network):
    chooses(proposed)
    proposed.rejects(proposed.live().id)
    proposed.round()
    assert proposed.live().offer == id_of("course", "offer")
    assert proposed.live().chosen_by == ""


def test_what_made_room_for_a_reason_was_rejected(proposed: Network):
    chooses(proposed, reason=RejectReason.TIME_UNSUITABLE)
    assert [event.reason for event in proposed.told_of(ReferralRejected)] == [RejectReason.TIME_UNSUITABLE]
    assert proposed.need().past[0].steps[-1].by == COUNSELLOR
    proposed.rejects(proposed.live().id)
    proposed.round()
    assert proposed.need().told is WaitReason.ALL_TRIED


def test_a_need_that_waits_is_given_what_the_counsellor_chooses():
    network = Network()
    network.person("amal")
    network.round()
    network.publishes("further")
    chooses(network)
    assert network.state() is NeedState.HELD
    assert network.told_of(ReferralCancelled) == []
    # The round remembers somebody who waits, finds out that they do not, and leaves the seat where it is.
    network.publishes("course")
    network.round()
    assert network.live().offer == id_of("further", "offer")


def test_what_the_person_refused_before_may_be_chosen_after_all(proposed: Network):
    proposed.releases(proposed.live().id)
    proposed.refuses(proposed.live().id)
    proposed.round()
    chooses(proposed, "course")
    assert proposed.live().offer == id_of("course", "offer")


def test_what_was_released_stays_since_the_person_has_been_asked(proposed: Network):
    proposed.releases(proposed.live().id)
    assert refusal(proposed) == "referral-released-already"
    proposed.agrees(proposed.live().id)
    assert refusal(proposed) == "referral-agreed-already"
    assert len(proposed.told_of(ReferralProposed)) == 1


def test_a_hard_rule_holds_for_a_counsellor_too(proposed: Network):
    proposed.publishes("for women", sexes=("female",))
    assert refusal(proposed, "for women") == "rule-shuts-out"


def test_a_seat_that_is_not_free_is_not_given_twice(proposed: Network):
    proposed.publishes("full", seats=0)
    assert refusal(proposed, "full") == "no-seat-free"
    assert proposed.live().offer == id_of("course", "offer")


def test_what_is_not_there_not_open_or_of_another_kind_is_not_proposed(proposed: Network):
    proposed.publishes("advice", kind=ADVICE)
    proposed.publishes("begun", starts_on=date(2016, 5, 1))
    assert refusal(proposed, "nothing") == "offer-not-found"
    assert refusal(proposed, "advice") == "offer-of-another-kind"
    assert refusal(proposed, "begun") == "offer-not-open"
    assert refusal(proposed, "course") == "offer-proposed-already"


def test_without_consent_or_need_nothing_is_proposed_by_hand(proposed: Network):
    assert refusal(proposed, name="nobody") == "need-not-found"
    proposed.hears(ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case"))
    assert refusal(proposed) == "consent-for-partner-missing"
    proposed.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), id_of("amal", "case"))
    assert refusal(proposed) == "need-not-sought"


def test_nobody_is_given_a_second_place_of_the_same_kind_by_hand(proposed: Network):
    second = id_of("second need")
    proposed.hears(NeedConfirmed(need=second, kind=COURSE), id_of("amal", "case"))
    command = ProposeByHand(case=id_of("amal", "case"), need=second, offer=id_of("further", "offer"))
    with pytest.raises(Refused, match="place-of-this-kind-held"):
        proposed.asks(command, actor=COUNSELLOR)


def test_a_closed_need_is_not_served_again(proposed: Network):
    proposed.completes(proposed.accepted())
    assert refusal(proposed) == "need-closed"


def test_a_proposal_whose_deadline_has_come_is_not_replaced_any_more(proposed: Network):
    deadline = proposed.live().deadline
    assert deadline is not None
    proposed.now = deadline
    assert refusal(proposed) == "referral-deadline-passed"
