"""Counselling slots: each appointment is one person's, at a time to which they agreed, and a row of them is sent at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import CancelReason, Daypart, DeclineReason, Role, Weekday
from schemas.events import ReferralAccepted, ReferralCancelled
from services.referral.commands import CloseOffer, Propose, PublishOffer, SetSeats
from services.referral.contradictions import contradictions
from services.referral.eligibility import shut_out_by
from services.referral.model import NeedState
from services.referral.offers import Offer, OfferTerms
from services.referral.particulars import WeeklyTime, minutes
from services.referral.referrals import FirstDay, ReferralState
from services.referral.service import SERVICE
from services.referral.slots import SlotRow
from services.referral.views import referral_line
from services.referral.whom import Whom
from services.runtime.catalogue import LANGUAGES, RUNTIME_MESSAGES, Catalogue
from services.runtime.errors import Refused
from tests.referral.house import House, key
from tests.referral.network import ADVICE, COUNTY, MELLE, WHERE, Network, id_of, seeker, standing

CATALOGUE = Catalogue(RUNTIME_MESSAGES, SERVICE.messages)
TUESDAY = date(2016, 6, 14)
"""In two weeks."""
ROW = id_of("row")


def slot(begins: str = "09:00", day: date = TUESDAY, row: str | None = None, **other: Any) -> OfferTerms:
    """Three quarters of an hour of migration counselling in Melle, on a Tuesday morning."""
    said = {"begins": begins, "minutes": 45, "way": "on-site", "row": row, **other.pop("particulars", {})}
    told = {"dayparts": ["weekday-morning"], "starts_on": day, "languages": ["ara"], **other}
    return standing(particulars={"sort": "counselling-slot", **said}, **told)


def publishes(network: Network, name: str = "slot", offered: OfferTerms | None = None) -> str:
    network.asks(PublishOffer(offer=id_of(name, "offer"), terms=offered or slot(), seats=1))
    return id_of(name, "offer")


@pytest.fixture
def network() -> Network:
    """One appointment, proposed to the one person who seeks counselling."""
    world = Network()
    publishes(world)
    world.person("amal", needs=ADVICE)
    world.round()
    return world


# --- one appointment --------------------------------------------------------------------------------------------------------


def test_whom_the_partner_accepts_for_an_appointment_is_scheduled_with_its_day_and_time(network: Network):
    network.accepted("amal", ADVICE)
    live = network.live("amal", ADVICE)
    assert live.state is ReferralState.SCHEDULED
    assert live.first == FirstDay(on=TUESDAY, daypart=Daypart.WEEKDAY_MORNING, begins="09:00")
    assert [step.state for step in live.steps[-2:]] == [ReferralState.ACCEPTED, ReferralState.SCHEDULED]
    assert len(network.told_of(ReferralAccepted)) == 1
    assert network.state("amal", ADVICE) is NeedState.ACCEPTED


def test_the_person_is_asked_about_day_time_length_and_way(network: Network):
    line = referral_line(
        network.case(), network.need("amal", ADVICE), network.live("amal", ADVICE), network.offer("slot")
    )
    place = line.place
    assert (place.starts_on, place.begins, place.minutes, place.way) == (TUESDAY, "09:00", 45, "on-site")


def test_an_appointment_is_never_two_peoples(network: Network):
    network.person("badr", needs=ADVICE)
    network.round()
    assert network.state("badr", ADVICE) is NeedState.WAITING
    with pytest.raises(Refused, match="seats-above-sort"):
        network.asks(SetSeats(offer=id_of("slot", "offer"), seats=2, partner="advice-1"))


def test_the_time_of_an_appointment_is_not_changed_behind_the_persons_back(network: Network):
    referral = network.accepted("amal", ADVICE)
    with pytest.raises(Refused, match="slot-has-its-time"):
        network.schedules(referral, date(2016, 6, 20))


def test_nobody_is_given_time_to_answer_beyond_the_appointment(network: Network):
    # Released on the eve, the person would otherwise have ten days to agree.
    network.later(days=6)
    network.releases(network.live("amal", ADVICE).id)
    assert network.live("amal", ADVICE).deadline == datetime(2016, 6, 14, 7, 0, tzinfo=UTC), "nine o'clock in Germany"
    network.later(days=7)
    assert network.ends("amal", ADVICE) == [ReferralState.LAPSED]


def test_on_its_own_day_an_appointment_is_proposed_to_nobody():
    offered = Offer(id=id_of("slot"), terms=slot(), seats=1)
    assert offered.is_open(TUESDAY - timedelta(days=1))
    assert not offered.is_open(TUESDAY)


@pytest.mark.parametrize("how", ["closed", "no seat"])
def test_an_appointment_that_falls_away_lets_its_person_wait_on_from_when_they_waited(network: Network, how: str):
    since, offer = network.need("amal", ADVICE).since, id_of("slot", "offer")
    network.accepted("amal", ADVICE)
    if how == "closed":
        network.asks(CloseOffer(offer=offer, partner="advice-1"))
    else:
        network.asks(SetSeats(offer=offer, seats=0, partner="advice-1", confirm_affected=True))
    reason = CancelReason.OFFER_CLOSED if how == "closed" else CancelReason.SEAT_LOST
    assert [event.reason for event in network.told_of(ReferralCancelled)] == [reason]
    publishes(network, "other")
    wanted = network.round()
    need = network.need("amal", ADVICE)
    assert need.since == since
    assert Propose(case=id_of("amal", "case"), need=need.id, offer=id_of("other", "offer")) in wanted


def test_to_a_talk_a_child_may_come_along_and_to_a_video_nobody_needs_a_step_free_house():
    parent = seeker(kind=ADVICE, child_care_ages=(3,))
    assert shut_out_by(parent, slot(), WHERE) == ()
    far = seeker(kind=ADVICE, district="000000000", access_needs=frozenset({"step-free"}))
    assert {rule.code for rule in shut_out_by(far, slot(), WHERE)} == {"place", "access"}
    assert shut_out_by(far, slot(particulars={"way": "video"}), WHERE) == ()


def test_an_appointment_suits_who_has_time_then():
    evenings = seeker(kind=ADVICE, available=frozenset({"weekday-evening"}))
    assert [rule.code for rule in shut_out_by(evenings, slot(), WHERE)] == ["time"]
    assert shut_out_by(evenings, slot("18:30", dayparts=["weekday-evening"]), WHERE) == ()


@pytest.mark.parametrize(
    ("offered", "seats", "wrong"),
    [
        (slot(), 1, []),
        (slot(), 2, [("seats", "slot-of-one-person")]),
        (slot(starts_on=None), 1, [("starts_on", "slot-without-day")]),
        (slot(ends_on=date(2016, 6, 15)), 1, [("ends_on", "slot-of-one-day")]),
        (slot(enrol_until=TUESDAY), 1, [("enrol_until", "slot-enrols-too-late")]),
        (slot(dayparts=["weekday-evening"]), 1, [("dayparts", "slot-has-one-time")]),
        (slot(rhythm="flexible"), 1, [("rhythm", "slot-has-one-time")]),
        (slot("23:30", dayparts=["weekday-evening"]), 1, [("particulars.minutes", "slot-past-midnight")]),
        (slot(kind="lotse"), 1, [("particulars.sort", "sort-of-another-kind")]),
    ],
)
def test_an_appointment_does_not_contradict_itself(offered: OfferTerms, seats: int, wrong: list[tuple[str, str]]):
    found = [*contradictions(offered, seats, COUNTY, WHERE.settings)]
    assert [(one.field, one.code) for one in found] == wrong
    for one in found:
        assert all(CATALOGUE.text(language, f"field.{one.code}", one.params).endswith(".") for language in LANGUAGES)


def test_an_appointment_says_when_it_is_and_in_which_way():
    assert Whom(CATALOGUE, "en").times(slot()) == "09:00–09:45, on site"


# --- no to the counsellor ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("no", "next_one"),
    [("declined", None), ("refused", "second"), ("full", "second")],
)
def test_the_partners_no_to_a_person_is_one_to_the_whole_row_and_the_persons_own_to_this_time_alone(
    no: str, next_one: str | None
):
    network = Network()
    for name, begins in (("first", "09:00"), ("second", "09:45")):
        publishes(network, name, slot(begins, row=ROW))
    network.person("amal", needs=ADVICE)
    network.round()
    first = network.live("amal", ADVICE)
    network.releases(first.id)
    if no == "refused":
        network.refuses(first.id)
    else:
        network.agrees(first.id)
        reason = DeclineReason.PROVIDER_FULL if no == "full" else DeclineReason.PERSON_NOT_ELIGIBLE
        network.declines(first.id, "advice-1", reason)
    network.round()
    live = network.need("amal", ADVICE).live
    assert (live is not None) is (next_one is not None)
    assert live is None or live.offer != first.offer


# --- a row ------------------------------------------------------------------------------------------------------------------


def row(**other: Any) -> SlotRow:
    """Tuesdays from nine to twelve, three quarters of an hour each, in June after the first week."""
    times = [{"weekday": "tuesday", "begins": "09:00", "ends": "12:00"}]
    told = {"times": times, "minutes": 45, "way": "on-site", "first": "2016-06-14", "last": "2016-06-28", **other}
    return SlotRow.model_validate(told)


def test_a_row_is_as_many_appointments_as_fit_into_its_hours_each_week():
    found = [(terms.starts_on, terms.slot.begins) for _, terms in row().slots(ROW, standing()) if terms.slot]
    assert found[:4] == [(TUESDAY, begins) for begins in ("09:00", "09:45", "10:30", "11:15")]
    assert len(found) == 12


def test_no_appointment_is_on_a_day_left_out_and_each_can_be_proposed_until_some_days_before():
    found = [terms for _, terms in row(left_out=["2016-06-21"], notice_days=3).slots(ROW, standing())]
    assert {terms.starts_on for terms in found} == {TUESDAY, date(2016, 6, 28)}
    assert {terms.last_day for terms in found} == {date(2016, 6, 11), date(2016, 6, 25)}


TIMES = st.tuples(st.sampled_from(Weekday), st.integers(0, 20), st.integers(1, 3)).map(
    lambda at: WeeklyTime(weekday=at[0], begins=f"{at[1]:02}:15", ends=f"{at[1] + at[2]:02}:15")
)


@given(st.lists(TIMES, min_size=1, max_size=4), st.integers(5, 90), st.integers(0, 40))
def test_the_same_row_is_always_the_same_appointments_within_its_hours_and_each_can_be_published(
    times: list[WeeklyTime], long: int, days: int
):
    asked = SlotRow.model_validate(
        {"times": times, "minutes": long, "way": "video", "first": TUESDAY, "last": TUESDAY + timedelta(days=days)}
    )
    found = dict(asked.slots(ROW, standing()))
    assert found == dict(asked.slots(ROW, standing()))
    assert len(found) == len({(terms.starts_on, terms.slot and terms.slot.begins) for terms in found.values()})
    for terms in found.values():
        assert terms.slot is not None
        assert not [*contradictions(terms, 1, COUNTY, WHERE.settings)]
        assert any(
            minutes(time.begins) <= minutes(terms.slot.begins) and minutes(terms.slot.ends) <= minutes(time.ends)
            for time in times
        )


@pytest.mark.asyncio(loop_scope="package")
async def test_a_partner_sends_a_row_once_and_each_appointment_is_an_offer_of_its_own(house: House):
    body: dict[str, Any] = {
        "partner": "advice-1",
        "kind": ADVICE,
        "district": MELLE,
        "languages": ["ara"],
        "row": row().model_dump(mode="json"),
    }
    async with house.client(Role.PARTNER, "advice-1") as partner, house.client(Role.PARTNER, "another") as other:
        answer = await partner.put(f"/v1/slot-rows/{ROW}", json=body, headers=key())
        assert [one["outcome"] for one in answer.json()["items"]] == ["applied"] * 12, answer.text
        again = await partner.put(f"/v1/slot-rows/{ROW}", json=body, headers=key())
        assert again.status_code == 200
        offers = (await partner.get("/v1/offers?limit=50")).json()["items"]
        assert len(offers) == 12
        assert {one["particulars"]["row"] for one in offers} == {ROW}
        refused = await other.put(f"/v1/slot-rows/{ROW}", json=body, headers=key())
        assert (refused.status_code, refused.json()["code"]) == (403, "offer-of-another-partner")
        empty = {**body, "row": {**body["row"], "last": "2016-06-13"}}
        assert (await partner.put(f"/v1/slot-rows/{ROW}", json=empty, headers=key())).json()["code"] == "no-slots"
        long = {**body, "row": {**body["row"], "last": "2017-06-13"}}
        assert (await partner.put(f"/v1/slot-rows/{ROW}", json=long, headers=key())).json()["code"] == "too-many-slots"
