"""A partner's morning in a real Chromium, by keyboard alone, and every page looked at by axe, in both languages, wide and narrow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from tests.pages.axe import wrong
from tests.pages.conftest import Site
from tests.pages.test_notices import post, register
from tests.pages.test_partner_pages import VHS, accepted, agreed, state_of, vhs
from tests.referral.network import id_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

PEOPLE: Final = ("amal", "badr", "chen", "dina", "eli")
COURSE: Final = f"/pages/partner/offers/{id_of('course', 'offer')}"


@asynccontextmanager
async def window(chromium: Browser, site: Site, language: str = "en", width: int = 1280) -> AsyncIterator[Page]:
    """A window whose page must not complain, nor ask anything of anybody else."""
    context = await chromium.new_context(base_url=site.url, locale=language, viewport={"width": width, "height": 900})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda asked: None if asked.url.startswith((site.url, "data:")) else complaints.append(asked.url)
    )
    yield page
    await context.close()
    # A form that is wrong is answered with 422, a link that is known no more with 404; the console repeats both.
    assert [one for one in complaints if "422" not in one and "404 (Not Found)" not in one] == []


async def signed_in(page: Page, person: str = VHS) -> None:
    await page.goto("/pages/sign-in")
    await page.check(f'input[value="{person}"]')
    await page.click("main button")
    await page.wait_for_url("**/pages/partner/new")


async def tab_to(page: Page, words: str, most: int = 60) -> None:
    """Press Tab until what is focused bears these words; whatever is focused can be seen to be."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        told = await page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.getAttribute('aria-label') || e.innerText || e.value || e.id, s.outlineStyle, e.id] }"
        )
        assert told[1] != "none", f"nobody sees that {told[0]!r} is focused"
        if words in (told[0] or "") or words == told[2]:
            return
    raise AssertionError(f"no key leads to {words!r}")


async def leave(page: Page) -> None:
    """Press Enter on what leads to another page, and be there."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_a_partner_answers_five_referrals_and_reports_the_courses_end_by_keyboard_alone(
    site: Site, chromium: Browser
):
    referrals = await agreed(site, *PEOPLE)
    async with window(chromium, site) as page:
        await signed_in(page)
        for _ in PEOPLE[:4]:
            await tab_to(page, "Accept: General integration course, number 1")
            await leave(page)
            await expect(page.get_by_role("status")).to_contain_text("You have accepted.")
        await tab_to(page, "General integration course")
        await leave(page)
        await tab_to(page, "Decline")
        await page.keyboard.press("Enter")
        await tab_to(page, "provider-full")
        await page.keyboard.press("Space")
        await tab_to(page, "Decline")
        await leave(page)
        await expect(page.get_by_role("status")).to_contain_text("You have declined.")
        await expect(page.locator("main")).to_contain_text("At the moment no request waits for your answer.")
        await tab_to(page, "Offers and seats")
        await leave(page)
        await tab_to(page, "General integration course")
        await leave(page)
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(4)
        for number in range(4):
            await tab_to(page, await rows.nth(number).locator("select").get_attribute("id") or "")
            await page.keyboard.type("End with")
        await tab_to(page, "Send all")
        await leave(page)
        await expect(page.get_by_role("status")).to_contain_text("Everything is recorded.")
    states = [await state_of(site, name) for name in referrals]
    assert sorted(states).count("declined") == 1
    assert not {"agreed", "accepted"} & set(states)


async def test_the_first_key_leads_past_the_header(site: Site, chromium: Browser):
    async with window(chromium, site) as page:
        await page.goto("/pages/sign-in")
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()


async def test_seats_are_saved_in_place_and_the_field_keeps_the_focus(site: Site, chromium: Browser):
    await agreed(site, "amal")
    async with window(chromium, site) as page:
        await signed_in(page)
        await page.goto("/pages/partner/offers")
        await page.get_by_label("Seats", exact=True).fill("8")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("The number of seats is saved.")
        await expect(page.get_by_label("Seats", exact=True)).to_have_value("8")
        await expect(page.get_by_label("Seats", exact=True)).to_be_focused()
        assert page.url.endswith("/pages/partner/offers")


@pytest.mark.parametrize(("language", "width"), [("de", 1280), ("en", 380)])
async def test_axe_finds_nothing_on_any_page(site: Site, chromium: Browser, language: str, width: int):
    open_one = (await agreed(site, "amal"))["amal"]
    running = (await accepted(site, "badr", "chen"))["badr"]
    await register(await vhs(site), "mail", "courses@example.org")
    link = await link_on_page(site)
    referral = "/pages/partner/referrals"
    async with window(chromium, site, language, width) as page:
        await page.goto("/pages/sign-in")
        found = await wrong(page, colours=width == 1280)
        await signed_in(page)
        for path in (
            "/pages/partner/new",
            "/pages/partner/running",
            "/pages/partner/done",
            f"{referral}/{open_one}",
            f"{referral}/{running}/contact",
            "/pages/partner/offers",
            COURSE,
            f"{COURSE}/names",
            "/pages/partner/notices",
            link,
            link[:-1],
        ):
            await page.goto(path)
            found += await wrong(page, colours=width == 1280)
        await page.goto(COURSE)
        await page.click("main form button")
        found += await wrong(page, colours=width == 1280)
    assert found == []


async def link_on_page(site: Site) -> str:
    """The link of the latest mail, which without a mail server is read on a page."""
    async with post(site) as office:
        await office.turn(site.house.store)
    html = (await (await vhs(site)).open("/pages/partner/notices")).answer.text
    return "/pages/answer/" + html.split('href="/pages/answer/')[1].split('"')[0]


async def test_somebody_without_an_account_answers_by_the_link_of_the_mail_by_keyboard_alone(
    site: Site, chromium: Browser
):
    await agreed(site, "amal")
    await register(await vhs(site), "mail", "courses@example.org")
    link = await link_on_page(site)
    async with window(chromium, site, "de", 380) as page:
        await page.goto(link)
        await tab_to(page, "Ablehnen")
        await page.keyboard.press("Enter")
        await tab_to(page, "provider-full")
        await page.keyboard.press("Space")
        await tab_to(page, "Ablehnen")
        await leave(page)
        await expect(page.get_by_role("status")).to_contain_text("Danke für Ihre Antwort.")
        await expect(page.locator("h1")).to_have_text("Dieser Link gilt nicht mehr.")
    assert await state_of(site, "amal") == "declined"
