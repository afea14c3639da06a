"""What the network's coordinator sees and does on the pages: without JavaScript, in a real Chromium by keyboard alone, and by axe."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from schemas.codes import RejectReason, Role
from tests.pages.axe import wrong
from tests.pages.conftest import Site
from tests.pages.test_in_a_browser import leave, tab_to, window
from tests.pages.test_partner_pages import VHS as PARTNER
from tests.pages.visitor import LOCAL_SIGN_IN, Page, Visitor
from tests.referral.directory import A_COURSE, VHS
from tests.referral.house import key
from tests.referral.network import COUNTY, COURSE, MELLE, id_of, need_of
from tests.referral.test_directory_doors import fill
from tests.referral.test_doors import proposed

pytestmark = pytest.mark.asyncio(loop_scope="package")

COORDINATOR = f"{COUNTY}/coordinator/"
BASE = "/pages/network"
FILE = """Träger;E-Mail;Ort;Art;Leistung;Stand
Sprachschule Melle;schule@example.org;Melle;integration-course-general;Abendkurs;31.05.2016
Haus der Beratung;haus@example.org;Melle;no-such-kind;Beratung;01.05.2016
"""


async def coordinator(site: Site, language: str = "en") -> Visitor:
    visitor = site.visitor(language)
    await visitor.sign_in(COORDINATOR)
    return visitor


async def read_in(visitor: Visitor, content: str | bytes) -> Page:
    """As a browser sends a chosen file."""
    form = (await visitor.open(f"{BASE}/import")).form("/import")
    files = {"file": ("directory.csv", content, "text/csv")}
    return Page(await visitor.client.post(form.action, data=form.fields, files=files))


async def offer(site: Site, **other: Any) -> str:
    id = id_of("course", "offer")
    told = {"partner": "vhs", "kind": COURSE, "district": MELLE, "seats": 4, **other}
    async with site.house.client(Role.PARTNER, "vhs") as partner:
        await partner.put(f"/v1/offers/{id}", json=told, headers=key())
    return id


# --- who comes in -------------------------------------------------------------------------------------------------------


async def test_everybody_begins_where_their_work_is(site: Site):
    await fill(site.house)
    for person, path in ((COORDINATOR, f"{BASE}/partners"), (PARTNER, "/pages/partner/new")):
        visitor = site.visitor()
        assert (await visitor.sign_in(person)).path == path


async def test_these_pages_are_the_coordinators_alone(site: Site):
    await fill(site.house)
    partner, stranger = site.visitor(), site.visitor()
    await partner.sign_in(PARTNER)
    for path in ("partners", "partners/vhs", "review", "import", "waiting"):
        assert (await partner.open(f"{BASE}/{path}")).status == 403
        assert (await stranger.open(f"{BASE}/{path}")).path == LOCAL_SIGN_IN


# --- the directory ------------------------------------------------------------------------------------------------------


async def test_partners_stand_there_with_services_open_offers_and_when_they_were_confirmed_last(site: Site):
    await fill(site.house)
    await offer(site)
    page = await (await coordinator(site)).open(f"{BASE}/partners")
    assert VHS["name"] in page.text
    assert "1 June 2016" in page.text
    one = await (await coordinator(site, "de")).open(f"{BASE}/partners/vhs")
    assert "Plätze: 4, davon 0 belegt, 4 frei. Zuletzt bestätigt am 01.06.2016." in one.text
    assert "Allgemeiner Integrationskurs" in one.text
    assert (await (await coordinator(site)).open(f"{BASE}/partners/nobody")).status == 404


async def test_an_open_offer_without_a_service_is_not_overlooked(site: Site):
    await offer(site)
    page = await (await coordinator(site)).open(f"{BASE}/partners")
    assert "Offers without a service" in page.text
    assert "Seats: 4, of them 0 taken, 4 free." in page.text


async def test_the_coordinator_confirms_and_retires_and_it_is_what_the_api_says_then(site: Site):
    await fill(site.house)
    id = await offer(site)
    visitor = await coordinator(site)
    for ending in ("/partners/vhs/confirmation", "/services/course/confirmation", f"/offers/{id}/confirmation"):
        page = await visitor.open(f"{BASE}/partners/vhs")
        assert "The entry is confirmed as of today." in (await visitor.send(page.form(ending))).text
    page = await visitor.open(f"{BASE}/partners/vhs")
    form = page.form("/services/course/retirement")
    assert "The entry is retired." in (await visitor.send(form)).text
    assert (await visitor.send(form)).status == 200, "the same form again changes nothing"
    await visitor.send((await visitor.open(f"{BASE}/partners/vhs")).form("/partners/vhs/retirement"))
    retired = await visitor.open(f"{BASE}/partners/vhs")
    assert "This partner is retired." in retired.text
    assert not [one for one in retired.forms if "/partners/" in one.action]
    async with site.house.client(Role.COORDINATOR) as api:
        told = (await api.get("/v1/directory/partners/vhs")).json()
    assert (told["retired"], told["services"][0]["retired"]) == (True, True)


async def test_what_stands_against_a_confirmation_is_said_on_the_page(site: Site):
    await fill(site.house)
    visitor = await coordinator(site)
    form = (await visitor.open(f"{BASE}/partners/vhs")).form("/partners/vhs/confirmation")
    async with site.house.client(Role.COORDINATOR) as api:
        await api.post("/v1/directory/partners/vhs/retirement", headers=key())
    told = await visitor.send(form)
    assert told.status == 409
    assert "This partner is retired." in told.text


# --- what should be looked at -------------------------------------------------------------------------------------------


async def test_a_stale_entry_leaves_the_list_when_it_is_confirmed(site: Site):
    visitor = await coordinator(site)
    await read_in(visitor, FILE.replace("31.05.2016", "05.01.2016"))
    page = await visitor.open(f"{BASE}/review")
    assert "5 January 2016" in page.text
    assert "Service: Abendkurs" in page.text
    before = [one for one in page.forms if one.action.endswith("/confirmation")]
    after = await visitor.send(before[0])
    assert after.path == f"{BASE}/review"
    assert len([one for one in after.forms if one.action.endswith("/confirmation")]) == len(before) - 1


async def test_of_two_that_may_be_one_the_coordinator_retires_one(site: Site):
    await fill(site.house)
    async with site.house.client(Role.COORDINATOR) as api:
        twin = {"code": "vhs-2", "entry": VHS}
        await api.post("/v1/directory/partners", json={"partners": [twin]}, headers=key())
    visitor = await coordinator(site)
    page = await visitor.open(f"{BASE}/review")
    assert "Same name in the same district" in page.text
    after = await visitor.send(page.form("/partners/vhs-2/retirement"))
    assert after.path == f"{BASE}/review"
    assert "No partner seems to be in the directory twice." in after.text


# --- reading in a file --------------------------------------------------------------------------------------------------


async def test_a_file_is_read_in_and_each_bad_row_is_told_with_what_to_do(site: Site):
    visitor = await coordinator(site)
    page = await read_in(visitor, FILE)
    assert "Partners taken: 1. Services taken: 1." in page.text
    assert "Line 3" in page.text
    assert "no-such-kind" not in page.text, "never what was written"
    assert "Sprachschule Melle" in (await visitor.open(f"{BASE}/partners")).text


async def test_what_the_county_publishes_can_be_read_in_again(site: Site):
    await fill(site.house, entry={**VHS, "name": "Schule <am> Wall", "contacts": []})
    async with site.house.client(Role.COORDINATOR) as api:
        exported = (await api.get("/hsds/export")).content
    page = await read_in(await coordinator(site, "de"), exported)
    assert "Übernommene Partner: 1. Übernommene Leistungen: 1." in page.text
    assert "Alles aus der Datei steht im Verzeichnis." in page.text


@pytest.mark.parametrize("content", ["", "  \n", "nothing that is known\n1\n"])
async def test_a_file_that_cannot_be_read_is_told_beside_its_field(site: Site, content: str):
    page = await read_in(await coordinator(site), content)
    assert page.status == 422
    assert 'id="file-wrong"' in page.answer.text
    assert page.form("/import")


async def test_a_file_from_another_site_or_session_is_not_read(site: Site):
    visitor, other = await coordinator(site), await coordinator(site)
    form = (await other.open(f"{BASE}/import")).form("/import")
    files = {"file": ("directory.csv", FILE, "text/csv")}
    foreign = await visitor.client.post(form.action, data=form.fields, files=files)
    assert foreign.status_code == 403
    own = (await visitor.open(f"{BASE}/import")).form("/import")
    headers = {"sec-fetch-site": "cross-site"}
    assert (await visitor.client.post(own.action, data=own.fields, files=files, headers=headers)).status_code == 403
    assert (await visitor.client.post(own.action, data=own.fields)).status_code == 415
    assert "Sprachschule" not in (await visitor.open(f"{BASE}/partners")).text


async def test_a_file_that_is_too_large_is_refused_with_a_sentence(site: Site):
    page = await read_in(await coordinator(site), b"x" * (9 * 1024 * 1024))
    assert page.status == 413


# --- who waits, and what was overruled ----------------------------------------------------------------------------------


async def test_who_waits_is_counted_by_kind_with_the_reason_and_nobody_is_named(site: Site):
    await offer(site, seats=1)
    await site.house.people(["amal", "badr", "cem"])
    await site.house.round()
    page = await (await coordinator(site)).open(f"{BASE}/waiting")
    assert "People who wait: 2" in page.text
    assert "No free seat: 2" in page.text
    assert not [name for name in ("amal", "badr", "cem") if id_of(name, "case") in page.answer.text]


async def test_overruled_proposals_are_counted_by_reason(site: Site):
    visitor = await coordinator(site)
    assert "No proposal has been overruled" in (await visitor.open(f"{BASE}/waiting")).text
    referrals = await proposed(site.house, "amal", "badr", "cem", seats=3)
    other = id_of("other", "offer")
    async with site.house.client(Role.PARTNER, "vhs") as partner:
        told = {"partner": "vhs", "kind": COURSE, "district": MELLE, "seats": 3}
        await partner.put(f"/v1/offers/{other}", json=told, headers=key())
    reason = RejectReason.OFFER_UNSUITABLE
    steps = [{"referral": referrals[name], "step": "rejection", "reason": reason} for name in ("amal", "badr")]
    async with site.house.client(Role.COUNSELLOR) as counsellor:
        await counsellor.post("/v1/referrals/steps", json={"steps": steps}, headers=key())
        need = need_of("cem", COURSE)
        await counsellor.post(f"/v1/needs/{need}/proposal", json={"offer": other}, headers=key())
    page = await visitor.open(f"{BASE}/waiting")
    assert "Proposals overruled: 3" in page.text


# --- in a real browser --------------------------------------------------------------------------------------------------


async def a_network(site: Site) -> None:
    """With everything that the pages can show."""
    await fill(site.house)
    await offer(site, seats=1)
    async with site.house.client(Role.COORDINATOR) as api:
        twin = {"code": "vhs-2", "entry": VHS, "services": [{"code": "course", "entry": A_COURSE}]}
        await api.post("/v1/directory/partners", json={"partners": [twin]}, headers=key())
    await read_in(await coordinator(site), FILE.replace("31.05.2016", "05.01.2016"))
    await site.house.people(["amal", "badr"])
    await site.house.round()
    live = (await site.house.case("amal")).needs[0].live or (await site.house.case("badr")).needs[0].live
    assert live is not None
    async with site.house.client(Role.COUNSELLOR) as counsellor:
        step = {"referral": live.id, "step": "rejection", "reason": "offer-unsuitable"}
        await counsellor.post("/v1/referrals/steps", json={"steps": [step]}, headers=key())


@pytest.mark.parametrize(("language", "width"), [("de", 1280), ("en", 380)])
async def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_the_window(
    site: Site, chromium: Browser, language: str, width: int, tmp_path: Any
):
    await a_network(site)
    content = tmp_path / "directory.csv"
    content.write_text(FILE, encoding="utf-8")
    found: list[str] = []
    async with window(chromium, site, language, width) as page:
        await page.goto("/pages/sign-in")
        await page.check(f'input[value="{COORDINATOR}"]')
        await page.click("main button")
        await page.wait_for_url(f"**{BASE}/partners")
        for path in ("partners", "partners/vhs", "review", "waiting", "import"):
            await page.goto(f"{BASE}/{path}")
            found += await wrong(page, colours=width == 1280)
        await page.click("main form button")
        await expect(page.locator("#file-wrong")).to_be_visible()
        found += await wrong(page, colours=width == 1280)
        await page.set_input_files("#file", content)
        await page.click("main form button")
        await expect(page.locator("tbody tr")).to_have_count(1)
        found += await wrong(page, colours=width == 1280)
    assert found == []


async def test_the_coordinator_confirms_a_stale_entry_and_retires_a_twin_by_keyboard_alone(
    site: Site, chromium: Browser
):
    await a_network(site)
    async with window(chromium, site) as page:
        await page.goto("/pages/sign-in")
        await page.check(f'input[value="{COORDINATOR}"]')
        await page.click("main button")
        await page.wait_for_url(f"**{BASE}/partners")
        await tab_to(page, "To be reviewed")
        await leave(page)
        rows = page.locator("tbody tr")
        before = await rows.count()
        await tab_to(page, "Still right: Partner 1")
        await leave(page)
        await expect(page.get_by_role("status")).to_contain_text("The entry is confirmed as of today.")
        await expect(rows).to_have_count(before - 1)
        await tab_to(page, "(vhs-2)")
        await leave(page)
        await expect(page.locator("main")).to_contain_text("No partner seems to be in the directory twice.")
