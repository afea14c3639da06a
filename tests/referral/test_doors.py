"""What partners, counsellors, coordinators and operators see and do over HTTP, on the real database."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from schemas.codes import Role
from schemas.events import NeedConfirmed, PersonErased
from tests.referral.house import House, key
from tests.referral.network import ADVICE, BRAMSCHE, COURSE, MELLE, id_of, need_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

COURSE_IN_MELLE: dict[str, Any] = {
    "partner": "vhs",
    "kind": COURSE,
    "district": MELLE,
    "dayparts": ["weekday-morning"],
    "cefr_from": "a1",
    "cefr_to": "b1",
    "starts_on": "2016-06-15",
    "ends_on": "2016-12-15",
    "seats": 2,
}


def partner_of(house: House, organisation: str | None = "vhs") -> httpx.AsyncClient:
    return house.client(Role.PARTNER, organisation)


async def put(client: httpx.AsyncClient, name: str = "course", **other: Any) -> httpx.Response:
    return await client.put(f"/v1/offers/{id_of(name, 'offer')}", json={**COURSE_IN_MELLE, **other}, headers=key())


async def proposed(house: House, *names: str, seats: int = 5) -> dict[str, str]:
    """People with a proposed place in the course of the vhs: the referral by name."""
    async with partner_of(house) as partner:
        await put(partner, seats=seats)
    await house.people(names)
    await house.round()
    cases = {name: await house.case(name) for name in names}
    return {name: case.needs[0].live.id for name, case in cases.items() if case.needs[0].live is not None}


async def steps(client: httpx.AsyncClient, *items: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    answer = await client.post("/v1/referrals/steps", json={"steps": items}, headers=headers or key())
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


# --- offers -------------------------------------------------------------------------------------------------------------


async def test_a_partner_publishes_its_offer_and_sees_its_own_alone(house: House):
    async with partner_of(house) as partner, partner_of(house, "another") as other:
        answer = await put(partner)
        assert (answer.status_code, answer.json()["free"]) == (200, 2)
        listed = (await partner.get("/v1/offers")).json()["items"]
        assert [(one["offer"], one["seats"], one["held"]) for one in listed] == [(id_of("course", "offer"), 2, 0)]
        assert (await other.get("/v1/offers")).json()["items"] == []
        assert (await other.get(f"/v1/offers/{id_of('course', 'offer')}")).status_code == 404


async def test_nobody_publishes_for_another_partner_but_the_coordinator(house: House):
    async with partner_of(house, "another") as other, partner_of(house, None) as nobody:
        assert (await put(other)).json()["code"] == "offer-of-another-partner"
        assert (await put(nobody)).json()["code"] == "organisation-missing"
    async with house.client(Role.COORDINATOR) as coordinator:
        assert (await put(coordinator)).status_code == 200
        assert len((await coordinator.get("/v1/offers")).json()["items"]) == 1


async def test_many_offers_are_published_at_once_each_with_an_outcome_of_its_own(house: House):
    offers = [
        {**COURSE_IN_MELLE, "id": id_of("one", "offer")},
        {**COURSE_IN_MELLE, "id": id_of("two", "offer"), "partner": "another"},
        {**COURSE_IN_MELLE, "id": id_of("three", "offer")},
    ]
    headers = key()
    async with partner_of(house) as partner:
        first = await partner.post("/v1/offers", json={"offers": offers}, headers=headers)
        again = await partner.post("/v1/offers", json={"offers": offers}, headers=headers)
    assert [one["outcome"] for one in first.json()["items"]] == ["applied", "refused", "applied"]
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (await house.books())["offers"] == 2


async def test_fewer_seats_than_are_held_take_confirming_that_people_lose_theirs(house: House):
    await proposed(house, "amal", "badr", seats=2)
    async with partner_of(house) as partner:
        course = f"/v1/offers/{id_of('course', 'offer')}"
        answer = await partner.put(f"{course}/seats", json={"seats": 1}, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (409, "capacity-below-held")
        assert "2" in answer.json()["detail"]
        loser = answer.json()["affected"]
        assert len(loser) == 1
        body = {"seats": 1, "confirm_affected": True}
        confirmed = (await partner.put(f"{course}/seats", json=body, headers=key())).json()
        assert (confirmed["held"], confirmed["free"], confirmed["affected"]) == (1, 0, loser)
        assert (await house.books())["needs"]["waiting"] == 1
        assert (await partner.put(f"{course}/seats", json={"seats": 3}, headers=key())).json()["free"] == 2


async def test_a_wrong_offer_is_refused_field_by_field(house: House):
    async with partner_of(house) as partner:
        elsewhere = await put(partner, district="034000000")
        misshapen = await put(partner, cefr_to="a7", seats=-1)
        contradicting = await put(partner, cefr_to="a0", ages=[30, 20])
        unknown = await put(partner, price=12)
    assert [one["field"] for one in elsewhere.json()["errors"]] == ["district"]
    assert {one["field"] for one in misshapen.json()["errors"]} == {"cefr_to", "seats"}
    assert {one["field"] for one in contradicting.json()["errors"]} == {"cefr_to", "ages"}
    assert [one["field"] for one in unknown.json()["errors"]] == ["body"]


async def test_a_day_with_which_nobody_can_reckon_is_refused_and_names_its_field(house: House):
    async with partner_of(house) as partner:
        far = await put(partner, starts_on=None, ends_on="9999-12-31", enrol_until="2201-01-01")
        last = await put(partner, starts_on=None, ends_on="2200-12-31", enrol_until="2200-12-31")
        listed = {**COURSE_IN_MELLE, "id": id_of("one", "offer"), "starts_on": "2201-01-01", "ends_on": None}
        many = await partner.post("/v1/offers", json={"offers": [listed]}, headers=key())
    assert far.status_code == 422
    assert {one["field"] for one in far.json()["errors"]} == {"ends_on", "enrol_until"}
    assert "2200" in far.json()["errors"][0]["message"]
    assert last.status_code == 200
    (outcome,) = many.json()["items"]
    assert [one["field"] for one in outcome["problem"]["errors"]] == ["starts_on"]


async def test_of_a_list_the_offers_that_contradict_themselves_hinder_no_other_and_say_what_to_do(house: House):
    listed = [
        {**COURSE_IN_MELLE, "id": id_of("good", "offer")},
        {**COURSE_IN_MELLE, "id": id_of("bad", "offer"), "ages": [3, 6]},
        {**COURSE_IN_MELLE, "id": id_of("elsewhere", "offer"), "district": "034000000"},
        {**COURSE_IN_MELLE, "id": id_of("misshapen", "offer"), "cefr_from": "a7"},
        "no offer at all",
    ]
    async with partner_of(house) as partner:
        items = (await partner.post("/v1/offers", json={"offers": listed}, headers=key())).json()["items"]
        shown = (await partner.get("/v1/offers")).json()["items"]
    assert [one["outcome"] for one in items] == ["applied", *["refused"] * 4]
    assert [one["problem"]["errors"][0]["field"] for one in items[1:]] == ["ages", "district", "cefr_from", "body"]
    assert "a7" not in str(items)
    assert "Please correct the ages" in items[1]["problem"]["errors"][0]["message"]
    assert [one["offer"] for one in shown] == [id_of("good", "offer")]
    assert shown[0]["eligibility"].startswith("The offer is for people who have reached level")


async def test_the_hours_of_a_volunteer_guide_are_reported_by_month(house: House):
    offer = f"/v1/offers/{id_of('guide', 'offer')}"
    guide = {"partner": "vhs", "kind": "lotse", "district": COURSE_IN_MELLE["district"], "seats": 2}
    signed = {"volunteer": "l-1", "confidentiality_signed_on": "2016-01-10"}
    async with partner_of(house) as partner:
        body = {**guide, "particulars": {"sort": "lotse", **signed}}
        assert (await partner.put(offer, json=body, headers=key())).status_code == 200
        given = {"hours": 6, "visits": 4}
        assert (await partner.put(f"{offer}/efforts/2016-05", json=given, headers=key())).status_code == 200
        later = await partner.put(f"{offer}/efforts/2016-07", json=given, headers=key())
        wrong = await partner.put(f"{offer}/efforts/may", json=given, headers=key())
        shown = (await partner.get(offer)).json()
    assert (later.json()["code"], wrong.status_code) == ("month-to-come", 422)
    assert shown["efforts"] == [{"month": "2016-05", **given}]
    assert shown["particulars"]["volunteer"] == "l-1"


async def test_a_closed_offer_lets_everybody_wait_again(house: House):
    await proposed(house, "amal", "badr")
    async with partner_of(house) as partner:
        answer = await partner.post(f"/v1/offers/{id_of('course', 'offer')}/closing", headers=key())
    assert answer.json()["closed"]
    books = await house.books()
    assert (books["needs"]["waiting"], books["referrals"]["cancelled"], books["held"]) == (2, 2, 0)


# --- the way of a referral ----------------------------------------------------------------------------------------------


async def test_a_referral_goes_from_the_counsellors_list_to_the_partners_inbox_and_on(house: House):
    referral = (await proposed(house, "amal"))["amal"]
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:
        (line,) = (await counsellor.get("/v1/referrals?state=proposed")).json()["items"]
        assert (line["referral"], line["case"], line["place"]["partner"]) == (referral, id_of("amal", "case"), "vhs")
        for step in ("release", "agreement"):
            assert (await partner.get("/v1/inbox")).json()["items"] == []
            answer = await counsellor.post(f"/v1/referrals/{referral}/{step}", headers=key())
            assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "referral": referral,
            "state": "agreed",
            "task_status": "requested",
            "business_status": "offered-to-partner",
            "need": need_of("amal"),
            "need_state": "agreed",
        }

        (waiting,) = (await partner.get("/v1/inbox?state=agreed")).json()["items"]
        assert (waiting["referral"], waiting["case"], waiting["contact"]) == (referral, None, None)
        assert waiting["person"] == {"german": "a1", "available": ["weekday-morning"], "distance": 0} | {
            "needs_child_care": False,
            "languages": ["ara"],
        }
        assert (await partner.post(f"/v1/referrals/{referral}/acceptance", headers=key())).status_code == 200

        (running,) = (await partner.get("/v1/inbox?state=accepted")).json()["items"]
        assert running["contact"] == f"/v1/cases/{id_of('amal', 'case')}/contact"
        assert "level-b1" in running["outcomes"]
        first = {"on": "2016-06-15", "daypart": "weekday-morning"}
        for step, said, status in (
            ("scheduling", first, "scheduled"),
            ("start", None, "running"),
            ("absence", None, "unattended"),
            ("attendance", {}, "running"),
            ("pause", None, "paused"),
            ("resumption", None, "running"),
        ):
            answer = await partner.post(f"/v1/referrals/{referral}/{step}", json=said, headers=key())
            assert (answer.status_code, answer.json()["business_status"]) == (200, status), answer.text
            (running,) = (await partner.get("/v1/inbox?state=accepted")).json()["items"]
            assert (running["business_status"], running["first"]) == (status, {**first, "begins": None})
        reached = {"outcome": "level-b1"}
        answer = await partner.post(f"/v1/referrals/{referral}/completion", json=reached, headers=key())
        assert (answer.status_code, answer.json()["task_status"]) == (200, "completed")
        (need,) = (await counsellor.get(f"/v1/cases/{id_of('amal', 'case')}")).json()["needs"]
        (ended,) = need["referrals"]
        assert (ended["outcome"], ended["reason"], ended["reason_group"]) == ("level-b1", None, None)
    books = await house.books()
    assert (books["needs"]["closed"], books["held"], books["accepted"]) == (1, 0, 0)


async def test_what_the_person_agreed_to_in_advance_goes_straight_to_the_partner_and_the_counsellor_sees_it(
    house: House,
):
    referral = (await proposed(house, "amal", seats=1))["amal"]
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:
        await steps(counsellor, {"referral": referral, "step": "release"}, {"referral": referral, "step": "agreement"})
        path = f"/v1/needs/{need_of('amal')}/scope"
        for wrong, field in (
            ({"scope": "same-partner", "own_district": True}, "partner"),
            ({"scope": "same-kind", "own_district": True}, "dayparts"),
            ({"scope": "same-partner", "partner": "vhs"}, "districts"),
        ):
            refused = await counsellor.post(path, json=wrong, headers=key())
            assert refused.status_code == 422
            assert f'"{field}"' in refused.json()["errors"][0]["message"]
        agreed = {"scope": "same-kind", "dayparts": ["weekday-morning"], "own_district": True}
        assert (await partner.post(path, json=agreed, headers=key())).status_code == 403
        answer = await counsellor.post(path, json=agreed, headers=key())
        assert (answer.status_code, answer.json()["scope"]) == (200, "same-kind")
        unknown = await counsellor.post(f"/v1/needs/{id_of('nothing')}/scope", json=agreed, headers=key())
        assert unknown.status_code == 404
        await steps(partner, {"referral": referral, "step": "decline", "reason": "logistics-time"})
        await put(partner, "second course")
        await house.round()
        (line,) = (await counsellor.get("/v1/referrals?state=agreed-in-advance")).json()["items"]
        (waiting,) = (await partner.get("/v1/inbox")).json()["items"]
        view = (await counsellor.get(f"/v1/cases/{id_of('amal', 'case')}")).json()
    assert line["referral"] == waiting["referral"]
    (need,) = view["needs"]
    assert need["scope"]["districts"] == [MELLE]
    assert need["referrals"][-1]["steps"][-1]["under"] == answer.json()["agreement"]


async def test_whoever_has_seen_a_referral_takes_each_step_without_its_being_looked_up(house: House):
    referral = (await proposed(house, "amal"))["amal"]
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:
        await counsellor.get("/v1/referrals?state=proposed")
        await house.running.database.raw["case_of"].delete_many({})
        for client, step in ((counsellor, "release"), (counsellor, "agreement"), (partner, "acceptance")):
            (item,) = await steps(client, {"referral": referral, "step": step})
            assert item["outcome"] == "applied", item


async def test_of_somebody_who_was_erased_after_being_seen_there_is_no_referral_any_more(house: House):
    referral = (await proposed(house, "amal"))["amal"]
    async with house.client(Role.COUNSELLOR) as counsellor:
        await counsellor.get("/v1/referrals?state=proposed")
        await house.hear((PersonErased(), id_of("amal", "case")))
        gone = await counsellor.post(f"/v1/referrals/{referral}/release", headers=key())
        unknown = await counsellor.post(f"/v1/referrals/{id_of('nothing')}/release", headers=key())
    assert (gone.status_code, gone.json()) == (404, unknown.json())


async def test_another_partner_sees_and_moves_nothing(house: House):
    referral = (await proposed(house, "amal"))["amal"]
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house, "another") as other:
        await steps(counsellor, {"referral": referral, "step": "release"}, {"referral": referral, "step": "agreement"})
        assert (await other.get("/v1/inbox")).json()["items"] == []
        unknown = await other.post(f"/v1/referrals/{id_of('nothing')}/acceptance", headers=key())
        foreign = await other.post(f"/v1/referrals/{referral}/acceptance", headers=key())
        assert (foreign.status_code, foreign.json()) == (404, unknown.json())
        for path in (f"/v1/cases/{id_of('amal', 'case')}", f"/v1/needs/{need_of('amal')}/reasons", "/v1/referrals"):
            assert (await other.get(path)).status_code == 403


async def test_counsellors_and_partners_answer_lists_at_once_and_one_item_hinders_no_other(house: House):
    names = ("amal", "badr", "cem")
    referrals = await proposed(house, *names)
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:
        released = await steps(
            counsellor,
            *({"referral": referrals[name], "step": "release"} for name in names),
            *({"referral": referrals[name], "step": "agreement"} for name in names[:2]),
            {"referral": referrals["cem"], "step": "refusal", "another": False},
            {"referral": id_of("nothing"), "step": "release"},
            {"referral": referrals["amal"], "step": "acceptance"},
        )
        assert [one["outcome"] for one in released] == ["applied"] * 6 + ["refused"] * 2
        assert [one["problem"]["code"] for one in released[6:]] == ["referral-not-found", "step-not-yours"]

        answered = await steps(
            partner,
            {"referral": referrals["amal"], "step": "acceptance"},
            {"referral": referrals["badr"], "step": "decline", "reason": "provider-full"},
            {"referral": referrals["cem"], "step": "acceptance"},
        )
    assert [one["outcome"] for one in answered] == ["applied", "applied", "refused"]
    assert answered[2]["problem"]["code"] == "referral-refused"
    books = await house.books()
    assert {state: count for state, count in books["needs"].items() if count} == {
        "accepted": 1,
        "waiting": 1,
        "refused": 1,
    }


async def test_the_counsellor_says_no_to_a_proposal_with_a_reason_one_by_one_or_in_a_list(house: House):
    referrals = await proposed(house, "amal", "badr", "cem")
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:
        path = f"/v1/referrals/{referrals['amal']}/rejection"
        answer = await counsellor.post(path, json={"reason": "time-unsuitable"}, headers=key())
        assert (answer.status_code, answer.json()["state"], answer.json()["need_state"]) == (200, "rejected", "waiting")
        assert (await counsellor.post(path, json={"reason": "provider-full"}, headers=key())).status_code == 422
        assert (await counsellor.post(path, json={}, headers=key())).status_code == 422
        item = {"referral": referrals["badr"], "step": "rejection", "reason": "offer-unsuitable"}
        (foreign,) = await steps(partner, item)
        assert foreign["problem"]["code"] == "step-not-yours"
        (taken,) = await steps(counsellor, item)
        assert taken["standing"]["state"] == "rejected"
        for reason in (None, "provider-full"):
            wrong = {"steps": [{"referral": referrals["cem"], "step": "rejection", "reason": reason}]}
            refused = await counsellor.post("/v1/referrals/steps", json=wrong, headers=key())
            assert refused.status_code == 422
            assert "rejection" in refused.json()["errors"][0]["message"]
        again = await counsellor.post(path, json={"reason": "time-unsuitable"}, headers=key())
        assert again.json()["code"] == "referral-rejected"
        await house.round()
        why = (await counsellor.get(f"/v1/needs/{need_of('amal')}/reasons")).json()
    assert (why["waits_because"], [one["tried"] for one in why["offers"]]) == ("all-tried", [True])
    assert why["sentence"].startswith("Every offer that fits has been proposed before")
    books = await house.books()
    assert (books["referrals"]["rejected"], books["held"], books["balanced"]) == (2, 1, True)


async def test_a_list_that_is_sent_twice_takes_effect_once(house: House):
    referral = (await proposed(house, "amal"))["amal"]
    item, headers = {"referral": referral, "step": "release"}, key()
    async with house.client(Role.COUNSELLOR) as counsellor:
        first = await steps(counsellor, item, **headers)
        assert await steps(counsellor, item, **headers) == first
        (later,) = await steps(counsellor, item)
    assert later["problem"]["code"] == "referral-released-already"


async def test_a_key_that_belongs_to_another_list_is_refused_item_by_item_with_a_sentence(house: House):
    referrals, headers = await proposed(house, "amal", "badr"), key()
    async with house.client(Role.COUNSELLOR) as counsellor:
        await steps(counsellor, {"referral": referrals["amal"], "step": "release"}, **headers)
        (other,) = await steps(counsellor, {"referral": referrals["badr"], "step": "release"}, **headers)
    assert (other["outcome"], other["problem"]["code"]) == ("refused", "idempotency-key-reused")
    assert other["problem"]["detail"].endswith(".")


@pytest.mark.parametrize(
    ("step", "said", "field"),
    [
        ("decline", {}, "reason"),
        ("failure", {"reason": "provider-full"}, "reason"),
        ("cancellation", {"reason": "consent-withdrawn"}, "reason"),
        ("completion", {}, "outcome"),
        ("scheduling", {"daypart": "weekend"}, "on"),
        ("scheduling", {"on": "2016-07-01"}, "daypart"),
    ],
)
async def test_a_step_needs_what_belongs_to_it_one_by_one_or_in_a_list(
    house: House, step: str, said: dict[str, str], field: str
):
    nothing = id_of("nothing")
    async with partner_of(house) as partner:
        alone = await partner.post(f"/v1/referrals/{nothing}/{step}", json=said, headers=key())
        body = {"steps": [{"referral": nothing, "step": step, **said}]}
        listed = await partner.post("/v1/referrals/steps", json=body, headers=key())
    assert (alone.status_code, [one["field"] for one in alone.json()["errors"]]) == (422, [field])
    assert listed.status_code == 422
    assert f'"{field}"' in listed.json()["errors"][0]["message"]


async def test_how_a_whole_course_went_is_reported_at_once_and_who_stays_away_is_on_the_counsellors_list(house: House):
    names = ("amal", "badr", "cem", "dana")
    referrals = await proposed(house, *names)
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:

        def every(step: str) -> list[dict[str, Any]]:
            return [{"referral": referrals[name], "step": step} for name in names]

        await steps(counsellor, *every("release"), *every("agreement"))
        went = [*every("receipt"), *every("acceptance"), *every("start")]
        went.append({"referral": referrals["dana"], "step": "absence"})
        assert {item["outcome"] for item in await steps(partner, *went)} == {"applied"}
        (away,) = (await counsellor.get("/v1/referrals?state=unattended")).json()["items"]
        assert (away["referral"], away["business_status"]) == (referrals["dana"], "unattended")
        ended = await steps(
            partner,
            {"referral": referrals["amal"], "step": "completion", "outcome": "level-b1"},
            {"referral": referrals["badr"], "step": "completion", "outcome": "attended"},
            {"referral": referrals["cem"], "step": "completion", "outcome": "advice-given"},
            {"referral": referrals["dana"], "step": "failure", "reason": "person-not-reached"},
        )
        view = (await counsellor.get(f"/v1/cases/{id_of('dana', 'case')}")).json()
    assert [one["outcome"] for one in ended] == ["applied", "applied", "refused", "applied"]
    assert ended[2]["problem"]["code"] == "outcome-of-another-kind"
    last = view["needs"][0]["referrals"][-1]
    assert (last["task_status"], last["reason_group"]) == ("failed", "person")
    books = await house.books()
    assert (books["referrals"]["completed"], books["referrals"]["failed"], books["held"]) == (2, 1, 1)
    assert books["balanced"]


async def test_a_list_is_read_in_pages_without_losing_or_repeating_anybody(house: House):
    names = [f"person-{number}" for number in range(11)]
    referrals = await proposed(house, *names, seats=11)
    seen: list[str] = []
    async with house.client(Role.COUNSELLOR) as counsellor:
        cursor: str | None = ""
        while cursor is not None:
            page = (
                await counsellor.get("/v1/referrals", params={"limit": 4, **({"cursor": cursor} if cursor else {})})
            ).json()
            assert len(page["items"]) <= 4
            seen += [one["referral"] for one in page["items"]]
            cursor = page["next"]
    assert sorted(seen) == sorted(referrals.values())
    assert len(seen) == 11


async def test_two_referrals_of_one_person_fall_on_two_pages(house: House):
    advice = {"partner": "vhs", "kind": ADVICE, "district": BRAMSCHE, "seats": 1}
    async with partner_of(house) as partner:
        await partner.put(f"/v1/offers/{id_of('advice', 'offer')}", json=advice, headers=key())
    await house.people(["amal"], ADVICE)
    await house.round()
    await house.hear((NeedConfirmed(need=need_of("amal", COURSE), kind=COURSE), id_of("amal", "case")))
    async with partner_of(house) as partner:
        await put(partner)
    await house.round()
    async with house.client(Role.COUNSELLOR) as counsellor:
        first = (await counsellor.get("/v1/referrals?limit=1")).json()
        second = (await counsellor.get("/v1/referrals", params={"limit": 1, "cursor": first["next"]})).json()
    kinds = {first["items"][0]["kind"], second["items"][0]["kind"]}
    assert kinds == {ADVICE, COURSE}
    assert second["next"] is None


async def test_an_erased_case_is_gone_and_an_unknown_one_was_never_there(house: House):
    await house.people(["amal"])
    await house.hear((PersonErased(), id_of("amal", "case")))
    async with house.client(Role.COUNSELLOR) as counsellor:
        assert (await counsellor.get(f"/v1/cases/{id_of('amal', 'case')}")).status_code == 410
        assert (await counsellor.get(f"/v1/cases/{id_of('badr', 'case')}")).status_code == 404
        assert (await counsellor.get(f"/v1/needs/{need_of('amal')}/reasons")).status_code == 404


async def test_a_counsellor_of_another_county_finds_nothing(house: House):
    referral = (await proposed(house, "amal"))["amal"]
    async with house.client(Role.COUNSELLOR, county="03157") as stranger:
        assert (await stranger.get("/v1/referrals")).json()["items"] == []
        assert (await stranger.get(f"/v1/cases/{id_of('amal', 'case')}")).status_code == 404
        answer = await stranger.post(f"/v1/referrals/{referral}/release", headers=key())
        assert answer.json()["code"] == "referral-not-found"


async def test_who_confirms_that_two_lose_their_seats_does_not_take_them_from_three(house: House):
    await proposed(house, "amal", "badr", "cem", seats=3)
    async with partner_of(house) as partner:
        seats = f"/v1/offers/{id_of('course', 'offer')}/seats"
        body = {"seats": 0, "confirm_affected": True, "affected": 2}
        answer = await partner.put(seats, json=body, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (409, "capacity-below-held")
        assert len(answer.json()["affected"]) == 3
        confirmed = await partner.put(seats, json={**body, "affected": 3}, headers=key())
    assert len(confirmed.json()["affected"]) == 3


async def test_an_offer_that_got_a_holder_since_it_was_read_keeps_its_seats(house: House):
    async with partner_of(house) as partner:
        await put(partner, seats=3)
        course = f"/v1/offers/{id_of('course', 'offer')}"
        read = (await partner.get(course, headers={"accept-language": "de"})).headers["etag"]
        await house.people(["amal"])
        await house.round()
        answer = await partner.put(f"{course}/seats", json={"seats": 5}, headers={**key(), "if-match": read})
        assert (answer.status_code, answer.json()["code"]) == (412, "offer-changed")
        now = (await partner.get(course)).headers["etag"]
        answer = await partner.put(f"{course}/seats", json={"seats": 5}, headers={**key(), "if-match": now})
    assert answer.json()["seats"] == 5
