"""What a counsellor reads of a need over HTTP, and proposes for it by hand, on the real database."""

from __future__ import annotations

import pytest

from schemas.codes import Role
from tests.referral.house import House, key
from tests.referral.network import BRAMSCHE, id_of, need_of
from tests.referral.test_doors import partner_of, proposed, put

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_reasons_name_the_rules_that_shut_out_and_the_points_of_what_fits(house: House):
    async with partner_of(house) as partner:
        await put(partner, "for women", sexes=["female"])
        await put(partner, "good", seats=1)
        await put(partner, "full", seats=0, district=BRAMSCHE)
    await house.people(["amal"])
    await house.round()
    async with house.client(Role.COUNSELLOR) as english, house.client(Role.COUNSELLOR, language="de") as german:
        path = f"/v1/needs/{need_of('amal')}/reasons"
        why, warum = (await english.get(path)).json(), (await german.get(path)).json()

    assert (why["state"], why["offer"]) == ("held", id_of("good", "offer"))
    good, full, women = why["offers"]
    assert [one["offer"] for one in why["offers"]] == [id_of(name, "offer") for name in ("good", "full", "for women")]
    assert good["total"] == sum(good["points"].values()) > full["total"]
    assert (full["free"], full["shut_out_by"]) == (False, [])
    assert [rule["rule"] for rule in women["shut_out_by"]] == ["sex"]
    assert women["shut_out_by"][0]["sentence"] == "The offer is for people of another sex."
    assert warum["offers"][2]["shut_out_by"][0]["sentence"] == "Das Angebot richtet sich an ein anderes Geschlecht."


async def test_the_place_that_is_held_is_explained_with_its_points_and_the_next_places(house: House):
    async with partner_of(house) as partner:
        await put(partner, "good", seats=1)
        await put(partner, "further", seats=1, district=BRAMSCHE)
    await house.people(["amal"])
    await house.round()
    async with house.client(Role.COUNSELLOR) as counsellor:
        why = (await counsellor.get(f"/v1/needs/{need_of('amal')}/reasons")).json()
    held, (further,) = why["held"], why["others"]
    assert (held["offer"], held["today"], held["by_hand"]) == (id_of("good", "offer"), id_of("good", "offer"), False)
    assert sum(line["points"] for line in held["points"]) == held["total"]
    assert (further["compared"], further["fewer"]) == ("less", held["total"] - further["total"])
    assert further["sentences"][0].startswith("A seat is free here, but it fits less well.")
    assert (why["closest"], why["sentence"]) == ([], None)


async def test_whoever_waits_reads_how_far_the_closest_place_is_and_nothing_about_those_before(house: House):
    await proposed(house, "amal", seats=1)
    async with house.client(Role.COUNSELLOR, language="de") as counsellor, partner_of(house) as partner:
        await put(partner, "evening", dayparts=["weekday-evening"])
        await house.people(["badr", "cem"])
        await house.round()
        path = f"/v1/needs/{need_of('badr')}/reasons"
        answer = await counsellor.get(path)
        why = answer.json()
        # A seat is free for two who wait alike, and no round has given it away yet.
        await partner.put(f"/v1/offers/{id_of('course', 'offer')}/seats", json={"seats": 2}, headers=key())
        contested = [
            (await counsellor.get(f"/v1/needs/{need_of(name)}/reasons?exact=true")).json()["closest"][0]
            for name in ("badr", "cem")
        ]
    assert why["waits_because"] == "no-free-seat"
    assert {one["offer"]: one["conditions"] for one in why["closest"]} == {
        id_of("course", "offer"): ["seat"],
        id_of("evening", "offer"): ["time"],
    }
    assert "Dieser Platz käme infrage, wenn die Person werktags abends Zeit hätte." in answer.text
    assert not any(id_of(name, "case") in answer.text or need_of(name) in answer.text for name in ("amal", "cem"))
    behind = next(one for one in contested if not one["next"])
    assert [one["next"] for one in contested].count(True) == 1
    assert (behind["conditions"], behind["missing"], behind["exact"]) == ([], 1, 1)
    assert behind["sentences"][1] == "Um hier einen Platz zu bekommen, bräuchte die Person genau 1 Punkt mehr."


async def test_a_counsellor_proposes_an_offer_by_hand_once_and_it_says_so_everywhere(house: House):
    async with partner_of(house) as partner:
        await put(partner, "good", seats=1)
        await put(partner, "further", seats=1, district=BRAMSCHE)
        await put(partner, "for women", sexes=["female"])
    await house.people(["amal"])
    await house.round()
    path, headers = f"/v1/needs/{need_of('amal')}", key()
    choice = {"offer": id_of("further", "offer")}
    counted = house.running.metrics.registry.get_sample_value
    before = counted("wegenetz_proposals_by_hand_total") or 0
    async with house.client(Role.COUNSELLOR) as counsellor, partner_of(house) as partner:
        assert (await partner.post(f"{path}/proposal", json=choice, headers=key())).status_code == 403
        out = await counsellor.post(f"{path}/proposal", json={"offer": id_of("for women", "offer")}, headers=key())
        assert (out.status_code, out.json()["code"]) == (409, "rule-shuts-out")
        first = await counsellor.post(f"{path}/proposal", json=choice, headers=headers)
        again = await counsellor.post(f"{path}/proposal", json=choice, headers=headers)
        assert (first.status_code, again.json()) == (200, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        (line,) = (await counsellor.get("/v1/referrals?state=proposed")).json()["items"]
        assert (line["referral"], line["place"]["offer"]) == (first.json()["referral"], id_of("further", "offer"))
        assert line["by_hand"]
        held = (await counsellor.get(f"{path}/reasons")).json()["held"]
        assert (held["by_hand"], held["today"]) == (True, id_of("good", "offer"))
        (need,) = (await counsellor.get(f"/v1/cases/{id_of('amal', 'case')}")).json()["needs"]
        assert [one["chosen_by"] for one in need["referrals"]] == ["", "counsellor-1"]
        unknown = await counsellor.post(f"/v1/needs/{id_of('nothing')}/proposal", json=choice, headers=key())
        assert (unknown.status_code, unknown.json()["code"]) == (404, "need-not-found")
    assert counted("wegenetz_proposals_by_hand_total") == before + 1
    books = await house.books()
    assert (books["held"], books["referrals"]["cancelled"], books["balanced"]) == (1, 1, True)


async def test_a_need_that_waits_says_why_in_a_sentence(house: House):
    await house.people(["amal"])
    await house.round()
    async with house.client(Role.COUNSELLOR) as counsellor:
        why = (await counsellor.get(f"/v1/needs/{need_of('amal')}/reasons")).json()
    assert (why["state"], why["waits_because"]) == ("waiting", "no-offer-of-this-kind")
    assert why["sentence"] == "There is no open offer of this kind at the moment."


async def test_a_counsellor_of_another_county_reads_no_reasons_and_proposes_nothing(house: House):
    await proposed(house, "amal")
    path = f"/v1/needs/{need_of('amal')}"
    async with house.client(Role.COUNSELLOR, county="03157") as stranger:
        read = await stranger.get(f"{path}/reasons")
        chosen = await stranger.post(f"{path}/proposal", json={"offer": id_of("course", "offer")}, headers=key())
    assert [(one.status_code, one.json()["code"]) for one in (read, chosen)] == [(404, "need-not-found")] * 2
    assert (await house.case("amal")).needs[0].past == ()
