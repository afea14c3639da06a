"""What came, opened and was given lately is counted as it happens."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.codes import Role
from services.referral import store as kept
from services.referral.flow import COUNTED_DAYS, Flowed, entry, first_counted, flows
from tests.referral.house import House, key
from tests.referral.network import ADVICE, COURSE, TODAY, id_of, need_of
from tests.referral.test_doors import partner_of, proposed, put

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_needs_count_once_seats_as_they_are_said_and_each_seat_that_is_held(house: House):
    referral = (await proposed(house, "amal", seats=3))["amal"]
    await house.people(["badr", "cem"], kind=ADVICE)
    async with partner_of(house) as partner, house.client(Role.COUNSELLOR) as counsellor:
        await partner.put(f"/v1/offers/{id_of('course', 'offer')}/seats", json={"seats": 2}, headers=key())
        await counsellor.post(f"/v1/referrals/{referral}/rejection", json={"reason": "person-not-ready"}, headers=key())
        await put(partner, "another", seats=1)
    await house.round()
    brought = await kept.flow(house.store, TODAY)
    assert brought.days == 1
    assert {
        (kind, what): number for kind in (COURSE, ADVICE) for what in Flowed if (number := brought.of(what, kind))
    } == {
        (COURSE, Flowed.CAME): 1,
        (COURSE, Flowed.OPENED): 3,
        (COURSE, Flowed.GIVEN): 2,
        (ADVICE, Flowed.CAME): 2,
    }


async def test_what_was_given_longer_ago_says_nothing_about_the_pace_of_today(house: House):
    await proposed(house, "amal", seats=1)
    last = await kept.flow(house.store, TODAY + timedelta(days=COUNTED_DAYS - 1))
    over = await kept.flow(house.store, TODAY + timedelta(days=COUNTED_DAYS))
    assert (last.days, last.of(Flowed.GIVEN, COURSE)) == (COUNTED_DAYS, 1)
    assert (over.days, over.of(Flowed.GIVEN, COURSE)) == (COUNTED_DAYS, 0)


async def test_a_county_that_begins_has_the_pace_of_the_days_that_there_were():
    begun = TODAY - timedelta(days=2)
    some = flows([(begun, {entry(Flowed.GIVEN, COURSE): 4}), (TODAY, {entry(Flowed.GIVEN, COURSE): 2})], TODAY, begun)
    assert (some.days, some.given_a_day(COURSE), some.given_a_day(ADVICE)) == (3, 2.0, 0.0)
    assert flows([], TODAY, None).days == 1
    assert first_counted(TODAY) == date(2016, 4, 21)


async def test_whoever_waits_reads_who_comes_first_and_when_a_place_can_be_expected(house: House):
    await proposed(house, "amal", seats=1)
    await house.people(["badr", "cem"])
    await house.round()
    async with house.client(Role.COUNSELLOR, language="de") as counsellor:
        answers = [(await counsellor.get(f"/v1/needs/{need_of(name)}/reasons")).json() for name in ("badr", "cem")]
        listed = (await counsellor.get(f"/v1/waiting/{COURSE}?limit=1")).json()
        rest = (await counsellor.get(f"/v1/waiting/{COURSE}?limit=1&cursor={listed['next']}")).json()
    outlooks = sorted((answer["outlook"] for answer in answers), key=lambda one: one["ahead"])
    assert [one["ahead"] for one in outlooks] == [0, 1]
    assert {one["offer"] for one in outlooks} == {id_of("course", "offer")}
    # One place of this kind was given on the one day that there was.
    assert [one["expected_on"] for one in outlooks] == ["2016-06-02", "2016-06-03"]
    assert outlooks[0]["earliest_on"] <= outlooks[0]["expected_on"] <= outlooks[0]["latest_on"]
    assert outlooks[0]["sentences"] == [
        "Der nächste Platz, der für die Person infrage kommt, geht an sie.",
        (
            "Nach dem Tempo der letzten sechs Wochen ist etwa am 2. Juni 2016 mit einem Platz zu rechnen, wahrscheinlich "
            "zwischen dem 2. Juni 2016 und dem 4. Juni 2016. Das ist eine Schätzung, keine Zusage."
        ),
    ]
    lines = [*listed["items"], *rest["items"]]
    assert {line["need"]: line["outlook"]["ahead"] for line in lines} == {
        answer["need"]: answer["outlook"]["ahead"] for answer in answers
    }
    assert (rest["next"], {line["next"] for line in lines}) == (None, {None})


async def test_only_counsellors_read_a_waiting_list(house: House):
    async with partner_of(house) as partner, house.client(Role.COUNSELLOR) as counsellor:
        assert (await partner.get(f"/v1/waiting/{COURSE}")).status_code == 403
        assert (await counsellor.get(f"/v1/waiting/{COURSE}")).json() == {"items": [], "next": None}
        assert (await counsellor.get("/v1/waiting/knitting")).status_code == 422
