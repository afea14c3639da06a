"""Reporting's pages in a real Chromium: the dashboard, a delivery, a measure by keyboard alone; axe on every page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from services.runtime.serving import Listener, serve
from tests.pages.axe import wrong
from tests.pages.chromium import find
from tests.reporting.county import COUNTY
from tests.reporting.indicators.test_files import csv
from tests.reporting.office import Office
from tests.reporting.released import SPRING, SUMMER, YEAR, release

pytestmark = pytest.mark.asyncio(loop_scope="module")

COORDINATOR: Final = f"{COUNTY}/coordinator/"

DELIVERED: Final = csv(
    "2;2013;03459;;17000;Anzahl;LSN;31.12.2013",
    "2;2015;03459;;26861;Anzahl;LSN;31.12.2015",
    "2;2015;03459;sex=divers;.;Anzahl;LSN;31.12.2015",
    "26.1;2015;03459;;101;Prozent;BA;31.12.2015",
    "2;2015;03459;sex=f;1;Anzahl;LSN;31.12.2015",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(opened: Office) -> AsyncIterator[str]:
    listener, stop = Listener("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(opened.app, listener, stop))
    yield f"http://127.0.0.1:{listener.port}"
    stop.set()
    await serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await asyncio.to_thread(find)
        browser = await playwright.chromium.launch(executable_path=found.path, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def signed_in(chromium: Browser, url: str, language: str = "en", width: int = 1280) -> Page:
    context = await chromium.new_context(base_url=url, locale=language, viewport={"width": width, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(10_000)
    await page.goto("/pages/sign-in")
    await page.check(f'input[value="{COORDINATOR}"]')
    await page.click("main button")
    await page.wait_for_url("**/pages/indicators")
    return page


async def press(page: Page, words: str, most: int = 80) -> None:
    """Tab to what bears these words, and press Enter."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        told = await page.evaluate("() => document.activeElement.innerText || document.activeElement.id")
        if words in told:
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"nothing with “{words}” can be reached by keyboard")


async def deliver(page: Page) -> None:
    await page.goto("/pages/deliveries")
    await page.set_input_files("#file", {"name": "lsn.csv", "mimeType": "text/csv", "buffer": DELIVERED})
    await press(page, "Take in the file")


async def take_over(page: Page) -> None:
    await page.goto("/pages/plan")
    await page.click('form:has(input[value="osnabrueck-2014"]) button')
    await expect(page.get_by_role("status")).to_have_count(1)


async def test_a_delivery_is_taken_in_and_its_doubtful_row_confirmed_by_keyboard(
    office: Office, chromium: Browser, url: str
) -> None:
    page = await signed_in(chromium, url)
    await deliver(page)
    await expect(page.locator("main")).to_contain_text(
        "3 new, 0 corrected, 0 there already, 1 to be confirmed, 1 wrong."
    )
    await expect(page.locator("main")).to_contain_text("There is no such value in this breakdown.")

    await page.focus("#line-5")
    await page.keyboard.press("Space")
    await press(page, "Confirm the chosen ones")

    await expect(page.locator("main")).to_contain_text(
        "4 new, 0 corrected, 0 there already, 0 to be confirmed, 1 wrong."
    )
    await page.goto("/pages/indicators/2")
    await expect(page.locator("main")).to_contain_text("Official for 2015: 26,861 (LSN); in 2013 it was 17,000.")
    await expect(page.locator("main")).to_contain_text("Not shown by the source (.)")
    picture = page.locator("img.picture")
    assert "26,861" in (await picture.get_attribute("alt") or "")
    assert await picture.evaluate("image => image.complete && image.naturalWidth > 100")
    await page.context.close()


async def test_a_light_without_an_explanation_comes_back_with_what_was_typed_and_then_is_kept(
    office: Office, chromium: Browser, url: str
) -> None:
    page = await signed_in(chromium, url)
    await take_over(page)
    await page.locator('a[href^="/pages/plan/measures/"]').first.click()

    await page.select_option("#light", "red")
    await page.fill("#ends", "2017-Q2")
    await press(page, "Save")
    await expect(page.get_by_role("alert")).to_contain_text("The traffic light needs an explanation.")
    assert await page.input_value("#ends") == "2017-Q2"

    await page.fill("#explanation", "Es fehlt Personal.")
    await press(page, "Save")

    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await expect(page.locator("main")).to_contain_text("red light")
    await expect(page.locator("main")).to_contain_text("Revision 2")
    await page.context.close()


async def test_a_field_of_action_is_renamed_by_keyboard_and_what_somebody_else_changed_meanwhile_is_kept(
    office: Office, chromium: Browser, url: str
) -> None:
    page = await signed_in(chromium, url)
    await take_over(page)
    source = await page.locator("h2 + p").first.inner_text()
    await press(page, "Change “")
    await page.wait_for_url("**/pages/plan/fields/*")
    colleague = await page.context.new_page()
    await colleague.goto(page.url)

    await page.fill("#name", "   ")
    await press(page, "Save")
    await expect(page.get_by_role("alert")).to_contain_text("Please give a name of at most 600 characters.")
    await page.fill("#name", "Sprache und Bildung")
    await press(page, "Save")
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await expect(page.locator("main")).to_contain_text("Revision 2")
    await expect(page.locator("main")).to_contain_text(source)

    await colleague.fill("#name", "Arbeit")
    await press(colleague, "Save")
    await expect(colleague.get_by_role("alert")).to_have_count(1)
    assert await colleague.input_value("#name") == "Arbeit"
    await page.goto("/pages/plan")
    await expect(page.locator("h2").first).to_have_text("Sprache und Bildung")
    await page.context.close()


async def test_a_visitor_of_the_dashboard_changes_the_period_and_takes_the_figures_along(
    office: Office, chromium: Browser, url: str
) -> None:
    await release(office, SPRING, SUMMER)
    page = await signed_in(chromium, url)
    await press(page, "Dashboard")
    await page.wait_for_url("**/pages/dashboard")
    await expect(page.locator("main")).to_contain_text("Shown is quarter 3 of 2016, final")
    sentence = page.locator("#arrivals-by-district p").first
    await expect(sentence).to_contain_text("In quarter 3 of 2016")

    await page.select_option("#release", "2016-Q2-final")
    await page.select_option("#steps", "year")
    await press(page, "Show")
    await expect(sentence).to_contain_text("In quarter 2 of 2016")
    picture = page.locator("#arrivals-by-district img")
    assert (await sentence.inner_text()) in (await picture.get_attribute("alt") or "")
    await picture.scroll_into_view_if_needed()
    await page.wait_for_function(
        "() => document.querySelector('#arrivals-by-district img').naturalWidth > 100", timeout=5_000
    )
    row = page.locator("#arrivals-by-district tbody tr").first
    await press(page, "Table: Arrivals by registration district")
    await expect(row).to_be_visible()

    async with page.expect_download() as started:
        await press(page, "figures.csv")
    download = await started.value
    assert download.suggested_filename == "2016-Q2-final-figures.csv"
    figures = (await download.path()).read_text(encoding="utf-8")
    place, figure = (await row.inner_text()).split("\t")
    assert f",{place},{place},residence-group,*,insgesamt,total,{figure},A" in figures
    await page.context.close()


@pytest.mark.parametrize(("language", "width"), [("de", 1280), ("en", 360)])
async def test_axe_finds_nothing_on_any_page_and_nothing_runs_over_the_edge(
    office: Office, chromium: Browser, url: str, language: str, width: int
) -> None:
    await release(office, YEAR)
    preparing = await signed_in(chromium, url)
    await preparing.goto("/pages/yearly/2016/texts/foreword")
    await preparing.fill("#text", "Ein Absatz.\n\n- ein Punkt")
    await press(preparing, "Save")
    await preparing.wait_for_selector("[role=status]")
    await deliver(preparing)
    await preparing.wait_for_url("**/pages/deliveries/*")
    delivery = preparing.url
    await take_over(preparing)
    field = await preparing.locator('a[href^="/pages/plan/fields/"]').first.get_attribute("href")
    goal = await preparing.locator('a[href^="/pages/plan/goals/"]').first.get_attribute("href")
    measure = await preparing.locator('a[href^="/pages/plan/measures/"]').first.get_attribute("href")
    await preparing.context.close()
    page = await signed_in(chromium, url, language, width)
    paths = (
        *("/pages/indicators", "/pages/indicators/2", "/pages/indicators/5.3", "/pages/deliveries", delivery),
        *("/pages/dashboard", "/pages/yearly", "/pages/yearly/2016", "/pages/yearly/2016/texts"),
        "/pages/yearly/2016/texts/foreword",
        *("/pages/plan", field, goal, measure, f"{goal}/measure", "/pages/plan/terms", "/pages/plan/report"),
    )
    for path in paths:
        assert path is not None
        await page.goto(path, wait_until="domcontentloaded")  # pictures are looked at elsewhere
        assert (await page.locator("html").get_attribute("lang")) == language
        assert await wrong(page, colours=width == 1280) == []
    await page.context.close()
