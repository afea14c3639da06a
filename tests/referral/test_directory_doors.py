"""The directory over HTTP, on the real database: who may keep, read and list what."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import Role
from simulation.actors.partners import listed as made_up
from simulation.county import generate
from tests.referral.directory import A_COURSE, AGREED, VHS
from tests.referral.house import House, key
from tests.referral.network import BRAMSCHE, COURSE, MELLE, id_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

PATH = "/v1/directory/partners"


async def fill(house: House, **other: Any) -> None:
    """The school with its agreement and its course, by the coordinator."""
    partner = {"code": "vhs", "entry": VHS, "agreement": AGREED, "services": [{"code": "course", "entry": A_COURSE}]}
    async with house.client(Role.COORDINATOR) as coordinator:
        answer = await coordinator.post(PATH, json={"partners": [{**partner, **other}]}, headers=key())
    assert [one["outcome"] for one in answer.json()["items"]] == ["applied"], answer.text


async def test_a_partner_keeps_its_own_entry_but_neither_anothers_nor_its_agreement(house: House):
    async with house.client(Role.PARTNER, "vhs") as partner:
        put = await partner.put(f"{PATH}/vhs", json=VHS, headers=key())
        assert (put.status_code, put.json()["confirmed_on"]) == (200, "2016-06-01")
        service = await partner.put(f"{PATH}/vhs/services/course", json=A_COURSE, headers=key())
        assert service.status_code == 200
        for action in ("confirmation", "services/course/confirmation", "services/course/retirement"):
            assert (await partner.post(f"{PATH}/vhs/{action}", headers=key())).status_code == 200
        foreign = await partner.put(f"{PATH}/another", json=VHS, headers=key())
        assert (foreign.status_code, foreign.json()["code"]) == (403, "entry-of-another-partner")
        assert (await partner.put(f"{PATH}/vhs/agreement", json=AGREED, headers=key())).status_code == 403
        assert (await partner.post(PATH, json={"partners": []}, headers=key())).status_code == 403
    async with house.client(Role.COORDINATOR) as coordinator:
        assert (await coordinator.put(f"{PATH}/vhs/agreement", json=AGREED, headers=key())).status_code == 200
        assert (await coordinator.post(f"{PATH}/vhs/retirement", headers=key())).json()["retired"]


async def test_a_command_that_is_sent_twice_takes_effect_once(house: House):
    headers = key()
    async with house.client(Role.PARTNER, "vhs") as partner:
        first = await partner.put(f"{PATH}/vhs", json=VHS, headers=headers)
        again = await partner.put(f"{PATH}/vhs", json=VHS, headers=headers)
        other = await partner.put(f"{PATH}/vhs", json={**VHS, "name": "Another"}, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert other.json()["code"] == "idempotency-key-reused"


async def test_readers_see_the_entry_with_its_open_offers_and_only_whom_it_concerns_the_agreement(house: House):
    await fill(house)
    offer = {"partner": "vhs", "service": "course", "kind": COURSE, "district": MELLE, "seats": 2}
    async with house.client(Role.PARTNER, "vhs") as partner, house.client(Role.COUNSELLOR) as counsellor:
        await partner.put(f"/v1/offers/{id_of('course', 'offer')}", json=offer, headers=key())
        own = (await partner.get(f"{PATH}/vhs")).json()
        (seen,) = (await counsellor.get(PATH)).json()["items"]
        confirmed = await partner.post(f"/v1/offers/{id_of('course', 'offer')}/confirmation", headers=key())
    assert own["agreement"] == AGREED
    assert (seen["code"], seen["entry"]["name"], seen["agreement"]) == ("vhs", VHS["name"], None)
    (line,) = seen["services"][0]["offers"]
    assert (line["offer"], line["seats"], line["free"], line["confirmed_on"]) == (
        id_of("course", "offer"),
        2,
        2,
        "2016-06-01",
    )
    assert confirmed.json()["confirmed_on"] == "2016-06-01"


async def test_of_many_partners_one_hinders_no_other(house: House):
    wrong = {"code": "wrong", "entry": VHS, "services": [{"code": "course", "entry": {**A_COURSE, "sites": ["x"]}}]}
    good = {"code": "good", "entry": {**VHS, "contacts": []}}
    async with house.client(Role.COORDINATOR) as coordinator:
        answer = (await coordinator.post(PATH, json={"partners": [wrong, good]}, headers=key())).json()["items"]
        listed = [one["code"] for one in (await coordinator.get(PATH)).json()["items"]]
    assert [(one["id"], one["outcome"]) for one in answer] == [("wrong", "refused"), ("good", "applied")]
    assert answer[0]["problem"]["code"] == "site-not-of-partner"
    assert listed == ["good", "wrong"]


async def test_a_site_lies_in_the_county(house: House):
    abroad = {**VHS, "sites": [{**VHS["sites"][0], "district": "031570001"}]}
    async with house.client(Role.PARTNER, "vhs") as partner:
        answer = await partner.put(f"{PATH}/vhs", json=abroad, headers=key())
    assert [one["field"] for one in answer.json()["errors"]] == ["sites.0.district"]


async def test_a_directory_is_read_in_pages_and_another_county_reads_nothing_of_it(house: House):
    partners = [{"code": f"partner-{number}", "entry": VHS} for number in range(5)]
    seen: list[str] = []
    async with house.client(Role.COORDINATOR) as coordinator:
        await coordinator.post(PATH, json={"partners": partners}, headers=key())
        cursor: str | None = ""
        while cursor is not None:
            asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await coordinator.get(PATH, params=asked)).json()
            seen += [one["code"] for one in page["items"]]
            cursor = page["next"]
    assert seen == [one["code"] for one in partners]
    async with house.client(Role.COORDINATOR, county="03157") as stranger:
        assert (await stranger.get(PATH)).json()["items"] == []
        assert (await stranger.get(f"{PATH}/partner-1")).status_code == 404
        answer = await stranger.post(f"{PATH}/partner-1/confirmation", headers=key())
        assert answer.json()["code"] == "entry-not-found"


async def test_nobody_answering_for_an_organisation_is_named_in_what_is_kept_beside_the_entry(house: House):
    await fill(house)
    async with house.client(Role.COORDINATOR) as coordinator:
        await coordinator.put(f"{PATH}/vhs", json={**VHS, "phone": "+49 5422 0001"}, headers=key())
    for name in set(await house.collections()) - {"partners"}:
        text = repr(await house.running.database.raw[name].find({}).to_list(None))
        assert "Erika" not in text, name
        assert "anmeldung@" not in text, name


async def test_a_made_up_county_enters_all_its_partners_in_one_request(house: House):
    county = generate(people=5)
    partners = [made_up(one, county.year) for one in county.partners]
    async with house.client(Role.COORDINATOR) as coordinator:
        answer = (await coordinator.post(PATH, json={"partners": partners}, headers=key())).json()["items"]
        again = (await coordinator.get(f"{PATH}?limit=200")).json()["items"]
        published = (await coordinator.get("/hsds/services")).json()
    assert {one["outcome"] for one in answer} == {"applied"}
    assert len(again) == len(county.partners)
    assert all(one["agreement"]["fields"] == ["name", "phone", "languages"] for one in again)
    assert published["total_items"] == sum(len(one.kinds) for one in county.partners)


async def test_the_district_of_an_offer_and_the_sites_of_its_service_need_not_be_the_same(house: House):
    await fill(house)
    offer = {"partner": "vhs", "service": "course", "kind": COURSE, "district": BRAMSCHE, "seats": 2}
    async with house.client(Role.PARTNER, "vhs") as partner:
        answer = await partner.put(f"/v1/offers/{id_of('course', 'offer')}", json=offer, headers=key())
    assert answer.status_code == 200
