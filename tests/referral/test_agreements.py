"""An agreement is honoured where there is one: who is proposed to a partner, and what it may read of whom it accepts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import ContactField, ServiceKind, WaitReason
from schemas.events import NeedWaiting, ReferralAccepted
from services.referral.commands import Propose, ProposeByHand, Taken
from services.referral.county import settings_of
from services.referral.directory.agreements import Agreements
from services.referral.directory.keeping import PutPartner, RetirePartner, SetAgreement
from services.referral.directory.states import Partner
from services.referral.eligibility import Circumstances, shut_out_by
from services.referral.model import NeedState
from services.referral.referrals import ReferralState
from services.runtime.errors import Refused
from tests.referral.directory import FIELDS, agreement, entry, listed
from tests.referral.network import ADVICE, COUNTY, COURSE, TODAY, Network, id_of, need_of, seeker, terms


def network(**agreed: Any) -> Network:
    """The school is in the directory with such an agreement, offers its course, and somebody needs one."""
    found = Network()
    listed(found, agreed=agreement(**agreed))
    found.publishes()
    found.person()
    return found


def test_the_partner_reads_the_fields_of_its_agreement_of_somebody_it_accepts():
    one = network()
    one.round()
    one.accepted()
    (told,) = one.told_of(ReferralAccepted)
    assert told.fields == FIELDS


@pytest.mark.parametrize("in_the_directory", [False, True])
def test_without_an_agreement_the_countys_fields_hold(in_the_directory: bool):
    one = Network()
    if in_the_directory:
        listed(one)
    one.publishes()
    one.person()
    one.round()
    one.accepted()
    (told,) = one.told_of(ReferralAccepted)
    assert told.fields == settings_of(COUNTY, TODAY).contact.fields == (
        ContactField.NAME, ContactField.PHONE, ContactField.LANGUAGES,
    )  # fmt: skip


@pytest.mark.parametrize(
    "agreed",
    [
        {"valid_until": "2016-05-31"},
        {"valid_from": "2016-06-02"},
        {"kinds": [ADVICE]},
    ],
)
def test_an_agreement_that_has_ended_or_is_about_something_else_shuts_the_offers_out(agreed: dict[str, Any]):
    one = network(**agreed)
    one.round()
    assert one.proposals() == []
    assert [event.reason for event in one.told_of(NeedWaiting)] == [WaitReason.NOT_ELIGIBLE]


def test_a_new_agreement_opens_the_offers_in_the_next_round():
    one = network(valid_until="2016-05-31")
    one.round()
    one.asks(SetAgreement(partner="vhs", agreement=agreement()))
    one.round()
    assert one.state() is NeedState.HELD


def test_to_a_partner_that_was_retired_nobody_is_proposed():
    one = network()
    one.asks(RetirePartner(partner="vhs"))
    one.round()
    assert one.proposals() == []


def test_what_a_round_saw_is_decided_again_by_the_agreement_as_it_is():
    one = network()
    (wanted,) = one.finds()
    assert isinstance(wanted, Propose)
    one.asks(SetAgreement(partner="vhs", agreement=agreement(kinds=[ADVICE])))
    assert one.asks(wanted).answer == Taken(done=False)


def test_a_choice_by_hand_honours_the_agreement_too():
    one = network(kinds=[ADVICE])
    chosen = ProposeByHand(case=id_of("amal", "case"), need=need_of("amal"), offer=id_of("course", "offer"))
    with pytest.raises(Refused, match="rule-shuts-out"):
        one.asks(chosen)
    one.asks(SetAgreement(partner="vhs", agreement=agreement()))
    one.asks(chosen)
    assert one.state() is NeedState.HELD


def test_a_referral_stays_when_the_agreement_ends_but_the_partner_accepts_only_under_one():
    one = network(valid_until="2016-06-01")
    one.round()
    referral = one.live().id
    one.releases(referral)
    one.agrees(referral)
    one.later(days=1)
    one.is_profiled(id_of("amal", "case"), version=2)
    assert one.live().state is ReferralState.AGREED
    with pytest.raises(Refused, match="agreement-missing"):
        one.accepts(referral)
    one.asks(SetAgreement(partner="vhs", agreement=agreement()))
    one.accepts(referral)
    assert one.state() is NeedState.ACCEPTED


def test_an_agreement_of_one_partner_says_nothing_about_another():
    one = network(kinds=[ADVICE])
    one.asks(PutPartner(partner="another", entry=entry()))
    one.publishes("elsewhere", partner="another")
    one.round()
    assert [event.partner for event in one.proposals()] == ["another"]


DAYS = st.dates(date(2016, 1, 1), date(2017, 12, 31))


@given(
    kinds=st.sets(st.sampled_from((COURSE, ADVICE, ServiceKind.LOTSE)), min_size=1), begins=DAYS, ends=DAYS, today=DAYS
)
def test_a_partner_is_open_to_a_need_exactly_while_its_agreement_covers_the_kind(
    kinds: set[ServiceKind], begins: date, ends: date, today: date
):
    begins, ends = min(begins, ends), max(begins, ends)
    agreed = agreement(kinds=sorted(kinds), valid_from=begins, valid_until=ends)
    partner = Partner(id=id_of("vhs")).but(code="vhs", entry=entry(), agreement=agreed)
    where = Circumstances(settings_of(COUNTY, today), today, Agreements.of([partner]))
    open_ended = terms(starts_on=None, ends_on=None)
    codes = {rule.code for rule in shut_out_by(seeker(), open_ended, where)}
    assert ("agreement" in codes) is not (COURSE in kinds and begins <= today <= ends)
