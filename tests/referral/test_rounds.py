"""Rounds on the real database: everybody once, no seat twice, also with two matchers at once and after a stop in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from schemas.codes import Purpose, Role
from schemas.events import ConsentWithdrawn, NeedWaiting, PersonErased, ReferralLapsed
from services.referral.commands import PublishOffer
from services.referral.model import Case, NeedState
from services.referral.offers import Offer
from services.referral.rounds import Rounds
from services.referral.store import CASE_OF, Known, locate, open_offers
from services.runtime import leases
from services.runtime.deciding import Command
from services.runtime.leases import Lease
from tests.referral.house import House
from tests.referral.network import COUNTY, COURSE, NOW, id_of, need_of, terms

pytestmark = pytest.mark.asyncio(loop_scope="package")

CROWD = [f"person-{number}" for number in range(60)]


async def publish(house: House, name: str, seats: int, **other: object) -> str:
    data = PublishOffer(offer=id_of(name, "offer"), terms=terms(**other), seats=seats)
    await house.running.send_all([Command(COUNTY, "", data)])
    return data.offer


async def told(house: House, event: type) -> int:
    """How many events of a type wait to be sent or were sent."""
    documents = await house.store.find("outbox", {})
    return sum(one["type"] == event.TYPE for document in documents for one in document["events"])


async def test_a_round_places_as_many_as_there_are_seats_and_tells_the_others_why_they_wait(house: House):
    await publish(house, "course one", 20)
    await publish(house, "course two", 15)
    await house.people(CROWD)
    assert (await house.books())["waiting_because"]["unknown"] == 60
    await house.round()

    books = await house.books()
    assert (books["needs"]["held"], books["needs"]["waiting"]) == (35, 25)
    assert {reason: number for reason, number in books["waiting_because"].items() if number} == {"no-free-seat": 25}
    assert (books["seats"], books["held"], books["balanced"]) == (35, 35, True)
    assert await told(house, NeedWaiting) == 25


async def test_a_round_in_which_nothing_is_new_changes_nothing(house: House):
    await publish(house, "course", 10)
    await house.people(CROWD)
    await house.round()
    before = await house.store.find("cases", {}, fields={"version": 1}, sort=[("_id", 1)])
    await house.round()
    assert await house.store.find("cases", {}, fields={"version": 1}, sort=[("_id", 1)]) == before


async def test_of_the_offers_a_round_reads_anew_only_those_that_changed(house: House):
    one, two = await publish(house, "course one", 1), await publish(house, "course two", 1)
    day, known = NOW.date(), Known(Offer)
    before = {offer.id: offer for offer in await open_offers(house.store, day, known)}
    await publish(house, "course one", 2)
    after = {offer.id: offer for offer in await open_offers(house.store, day, known)}
    assert after[two] is before[two]
    assert (before[one].seats, after[one].seats) == (1, 2)
    assert await open_offers(house.store, day + timedelta(days=4000), known) == []


async def test_a_process_that_remembers_nothing_finds_the_same(house: House):
    await publish(house, "course", 10)
    await house.people(CROWD)
    await house.round()
    before = await house.books()
    await Rounds(house.running).run(COUNTY)
    assert await house.books() == before
    assert await told(house, NeedWaiting) == 50


async def test_who_takes_over_from_another_process_knows_whom_that_passed_over(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(leases, "RENEWED_EVERY", 0.0)
    one, two = (Lease(house.running.database, "rounds of two", name) for name in ("one", "two"))
    first, second = Rounds(house.running, one), Rounds(house.running, two)
    await publish(house, "course", 1)
    await house.people(["amal"])
    await first.run(COUNTY)
    await second.run(COUNTY)
    await house.people(["badr"])
    await second.run(COUNTY)
    assert not (await house.case("badr")).needs[0].passed_over, "one process at a time runs rounds"
    await first.run(COUNTY)
    assert (await house.case("badr")).needs[0].passed_over

    await one.release()
    await house.hear((ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case")))
    await second.run(COUNTY)
    assert (await house.case("badr")).needs[0].live is not None


async def test_two_matchers_at_once_give_no_seat_twice_and_each_need_one_seat_at_most(house: House):
    await publish(house, "course one", 20)
    await publish(house, "course two", 20)
    await house.people(CROWD)
    await asyncio.gather(*(Rounds(house.running).run(COUNTY) for _ in range(3)))

    books = await house.books()
    assert (books["needs"]["held"], books["held"], books["balanced"]) == (40, 40, True)
    assert books["referrals"]["proposed"] == 40


async def test_a_deadline_frees_seats_for_those_who_were_passed_over(house: House):
    await publish(house, "course", 10, starts_on="2016-08-01", ends_on=None)
    await house.people(CROWD[:15])
    await house.round()
    held = {name for name in CROWD[:15] if (await house.case(name)).needs[0].live is not None}

    await house.move_clock(NOW + timedelta(days=9))

    assert await told(house, ReferralLapsed) == 10
    now_held = {name for name in CROWD[:15] if (await house.case(name)).needs[0].live is not None}
    assert now_held == set(CROWD[:15]) - held
    assert (await house.books())["balanced"]


async def test_a_withdrawal_frees_the_seat_in_the_same_moment(house: House):
    offer = await publish(house, "course", 1)
    await house.people(["amal"])
    await house.round()
    await house.hear((ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case")))

    stored = await house.store.state(Offer, offer)
    assert stored is not None
    assert isinstance(stored.state, Offer)
    assert stored.state.holders == ()


async def test_after_an_erasure_no_id_leads_to_the_case_and_nothing_of_it_is_stored(house: House):
    offer = await publish(house, "course", 1)
    await house.people(["amal"])
    await house.round()
    referral = (await house.case("amal")).needs[0].live
    assert referral is not None
    assert set(await locate(house.store, [referral.id, need_of("amal")])) == {referral.id, need_of("amal")}

    await house.hear((PersonErased(), id_of("amal", "case")))

    assert await house.store.count(CASE_OF, {}) == 0
    left = [document for name in await house.collections() for document in await house.store.find(name, {})]
    of_amal = repr([one for one in left if id_of("amal", "case") in repr(one)])
    for trace in (COURSE, need_of("amal"), referral.id, offer, "vhs"):
        assert trace not in of_amal, trace
    assert "outbox" in await house.collections()
    assert referral.id not in repr(left)
    assert (await house.case("amal")).model_dump(exclude={"id", "revision"}) == Case(id="", erased=True).model_dump(
        exclude={"id", "revision"}
    )
    assert (await house.books())["balanced"]


async def test_one_persons_needs_and_steps_can_be_followed_by_the_counsellor(house: House):
    await publish(house, "course", 1)
    await house.people(["amal"])
    await house.round()
    async with house.client(Role.COUNSELLOR) as counsellor:
        shown = (await counsellor.get(f"/v1/cases/{id_of('amal', 'case')}")).json()
    (need,) = shown["needs"]
    assert (shown["stands"], need["kind"], need["state"]) == (True, COURSE, NeedState.HELD)
    assert [step["state"] for step in need["referrals"][0]["steps"]] == ["proposed"]
