"""The directory's rules: who keeps which entry, and what is confirmed when."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codes import ServiceKind
from schemas.events import OfferCapacityChanged
from services.referral.commands import ConfirmSeats, SetSeats
from services.referral.directory.keeping import (
    ConfirmPartner,
    ConfirmService,
    EntryStanding,
    PutPartner,
    PutService,
    RetirePartner,
    RetireService,
    SetAgreement,
)
from services.referral.directory.states import Partner, Service, partner_id, service_id
from services.runtime.errors import Refused
from tests.referral.directory import NEXT_DAY, agreement, course, entry, listed
from tests.referral.network import ADVICE, COUNTY, COURSE, TODAY, Network, id_of


def the_partner(network: Network, code: str = "vhs") -> Partner:
    return network.get(Partner, partner_id(COUNTY, code))


def the_service(network: Network, code: str = "course") -> Service:
    return network.get(Service, service_id(COUNTY, "vhs", code))


def test_an_entry_that_is_put_is_confirmed_and_nobody_outside_hears_of_it():
    network = Network()
    listed(network, agreed=agreement())
    assert the_partner(network).entry == entry()
    assert (the_partner(network).confirmed_on, the_partner(network).changed_at) == (TODAY, network.now)
    assert the_service(network).entry == course()
    assert network.told == []
    assert network.effects == []


def test_the_same_entry_again_changes_nothing():
    network = Network()
    listed(network, agreed=agreement())
    network.later(days=1)
    before = dict(network.states)
    listed(network, agreed=agreement())
    assert network.states == before


def test_an_entry_is_right_as_of_the_day_on_which_somebody_said_so():
    network = Network()
    listed(network)
    network.later(days=1)
    network.asks(ConfirmPartner(partner="vhs", asker="vhs"))
    answer = network.asks(ConfirmService(partner="vhs", service="course")).answer
    assert the_partner(network).confirmed_on == NEXT_DAY
    assert answer == EntryStanding(id=the_service(network).id, confirmed_on=NEXT_DAY, retired=False)
    assert not network.asks(ConfirmService(partner="vhs", service="course")).facts


def test_what_is_not_in_the_directory_is_neither_confirmed_nor_retired_nor_given_an_agreement():
    network = Network()
    for command in (
        ConfirmPartner(partner="vhs"),
        RetirePartner(partner="vhs"),
        SetAgreement(partner="vhs", agreement=agreement()),
        PutService(partner="vhs", service="course", entry=course()),
        ConfirmService(partner="vhs", service="course"),
        RetireService(partner="vhs", service="course"),
    ):
        with pytest.raises(Refused, match="entry-not-found"):
            network.asks(command)


def test_a_retired_entry_comes_back_only_through_the_coordinator():
    network = Network()
    listed(network)
    network.asks(RetirePartner(partner="vhs", asker="vhs"))
    assert the_partner(network).retired
    assert not network.asks(RetirePartner(partner="vhs")).facts
    for command in (
        PutPartner(partner="vhs", asker="vhs", entry=entry()),
        PutService(partner="vhs", service="course", asker="vhs", entry=course()),
        ConfirmPartner(partner="vhs", asker="vhs"),
    ):
        with pytest.raises(Refused, match="entry-retired"):
            network.asks(command)
    network.asks(PutPartner(partner="vhs", entry=entry()))
    assert not the_partner(network).retired


def test_a_service_takes_place_at_sites_of_its_partner():
    network = Network()
    listed(network)
    with pytest.raises(Refused, match="site-not-of-partner"):
        network.asks(PutService(partner="vhs", service="other", entry=course(sites=["bramsche"])))


# --- offers and their services ------------------------------------------------------------------------------------------


def test_an_offer_names_a_service_of_its_partner_and_of_its_kind_or_none():
    network = Network()
    network.publishes("without")
    with pytest.raises(Refused, match="service-not-in-directory"):
        network.publishes("course", service="course")
    listed(network)
    network.publishes("course", service="course")
    with pytest.raises(Refused, match="service-of-another-kind"):
        network.publishes("advice", kind=ADVICE, partner="vhs", service="course")
    network.asks(RetireService(partner="vhs", service="course"))
    with pytest.raises(Refused, match="service-not-in-directory"):
        network.publishes("another", service="course")


def test_whoever_says_how_many_seats_there_are_confirms_them_even_if_they_are_as_many_as_before():
    network = Network()
    offer = network.publishes("course", seats=3)
    assert network.offer().confirmed_on == TODAY
    told = len(network.told_of(OfferCapacityChanged))
    network.later(days=1)
    network.asks(ConfirmSeats(offer=offer, partner="vhs"))
    assert (network.offer().confirmed_on, network.offer().seats, network.offer().changes) == (NEXT_DAY, 3, 1)
    network.later(days=1)
    network.asks(SetSeats(offer=offer, seats=3, partner=None))
    assert network.offer().confirmed_on == NEXT_DAY + timedelta(days=1)
    assert len(network.told_of(OfferCapacityChanged)) == told
    network.later(days=1)
    network.asks(SetSeats(offer=offer, seats=4, partner=None))
    assert network.offer().confirmed_on == NEXT_DAY + timedelta(days=2)
    assert len(network.told_of(OfferCapacityChanged)) == told + 1


def test_another_partner_confirms_nothing():
    network = Network()
    offer = network.publishes("course")
    with pytest.raises(Refused, match="offer-not-found"):
        network.asks(ConfirmSeats(offer=offer, partner="another"))
    with pytest.raises(Refused, match="offer-not-found"):
        network.asks(ConfirmSeats(offer=id_of("nothing"), partner=None))


# --- what an entry may say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"email": "no address"},
        {"website": "javascript:alert(1)"},
        {"phone": "ring us"},
        {"sites": [{"code": "a", "name": "A", "district": "034590024", "latitude": 52.0}]},
        {"sites": [{"code": "a", "name": "A", "district": "034590024"}] * 2},
    ],
)
def test_an_entry_that_nobody_could_use_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        entry(**wrong)


DAYS = st.dates(date(2015, 1, 1), date(2018, 12, 31))


@given(begins=DAYS, ends=st.none() | DAYS, day=DAYS, kind=st.sampled_from(ServiceKind))
def test_an_agreement_covers_its_kinds_from_its_first_day_to_its_last(
    begins: date, ends: date | None, day: date, kind: ServiceKind
):
    if ends is not None and ends < begins:
        with pytest.raises(ValidationError):
            agreement(valid_from=begins, valid_until=ends)
        return
    agreed = agreement(valid_from=begins, valid_until=ends)
    assert agreed.covers(kind, day) is (kind is COURSE and begins <= day <= (ends or date.max))


CODES = st.from_regex(r"^[a-z0-9][a-z0-9.-]{0,8}$", fullmatch=True)


@given(st.tuples(CODES, CODES), st.tuples(CODES, CODES))
def test_an_id_follows_from_the_codes_and_two_services_never_share_one(one: tuple[str, str], other: tuple[str, str]):
    assert (service_id(COUNTY, *one) == service_id(COUNTY, *other)) is (one == other)
    assert uuid.UUID(service_id(COUNTY, *one)).version == 5
    assert service_id("03157", *one) != service_id(COUNTY, *one)
