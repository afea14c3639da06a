"""One person's whole way over real processes, with everything going wrong on it that may: seen, mended and replayed in the console."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from deploy.cli import main
from deploy.embedded.folder import Choices
from deploy.embedded.system import Embedded, Running
from deploy.traces import read_case
from simulation.doors import Doors
from tests.bench.whole_path import SEED
from tests.operations.journey import Journey
from tests.pages.axe import wrong
from tests.pages.chromium import find

COUNTY: Final = "03459"
READERS: Final = ("profiling", "referral", "reporting")
"""Who reads an arrival."""
POISON: Final = b'{"district": "\xe2\x80\xaenowhere"}'
WAY: Final = (
    "intake RegisterArrival",
    *(f"{service} arrival-registered" for service in READERS),
    "profiling consent-given",
    "profiling RecordProfile",
    "referral profile-recorded",
    "reporting profile-recorded",
    "referral Propose",
    "profiling referral-proposed",
    "referral Release",
    "referral Agree",
    "referral Accept",
    "referral Complete",
    "reporting referral-completed",
)
"""Of the steps those that show the way: each service, what came from a file, from a batch, from a person, and from a round."""
SECONDS: Final = 60.0

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await asyncio.to_thread(find)
        opened = await playwright.chromium.launch(executable_path=found.path, args=["--no-sandbox"])
        yield opened
        await opened.close()


async def signed_in(chromium: Browser, running: Running, language: str = "en", width: int = 1280) -> Page:
    context = await chromium.new_context(
        base_url=running.console, locale=language, viewport={"width": width, "height": 900}
    )
    page = await context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    await page.goto("/pages/sign-in")
    await page.check(f'input[value="{COUNTY}/operator/"]')
    await page.click("main button")
    await page.wait_for_url("**/pages/overview")
    return page


async def steps_of(page: Page, id: str, wanted: Sequence[str]) -> None:
    """The way's page shows all of these. Spans come a moment after what they tell of."""
    until = time.monotonic() + SECONDS
    while True:
        answer = await page.goto(f"/pages/ways/{id}")
        rows = await page.locator(".waterfall tbody th").all_inner_texts() if answer and answer.ok else []
        if all(one in rows for one in wanted):
            return
        assert time.monotonic() < until, (wanted, rows)
        await asyncio.sleep(0.3)


async def test_a_way_from_the_office_to_the_count_is_one_trace_whatever_went_wrong_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker dies over the arrival, the event is damaged in the outbox and mended by an operator, the database dies over the talk."""
    choices = Choices((COUNTY,), ids_seed=SEED)
    async with (
        Embedded(tmp_path, choices=choices, console=True) as running,
        Doors.of(running.services, running.issuer_key_file, COUNTY) as doors,
        browser() as chromium,
    ):
        page = await signed_in(chromium, running)
        await page.goto("/pages/letters")
        await expect(page.locator("#live")).to_contain_text("There are none.")
        person = Journey(running, doors)
        await person.offers_are_published()
        await person.joined()
        await person.arrives_while_the_broker_is_away()
        await steps_of(page, person.case, WAY[:1])  # a span that was not written yet dies with its process
        await page.goto("/pages/letters")
        right = await person.what_waits_is_damaged(POISON)

        # It is seen without reloading, once at each service that reads it.
        letters = page.locator("#live h3 a")
        await expect(letters).to_have_count(len(READERS), timeout=SECONDS * 1000)
        addresses = [await one.get_attribute("href") or "" for one in await letters.all()]
        for language, width in (("de", 1280), ("en", 360)):
            looking = await signed_in(chromium, running, language, width)
            way = f"/pages/ways/{person.case}"
            for path in ("/pages/overview", "/pages/lag", "/pages/letters", addresses[0], "/pages/ways", way):
                await looking.goto(path)
                assert await wrong(looking, colours=width == 1280) == []
            await looking.context.close()

        for address in addresses:
            await page.goto(address)
            await expect(page.locator("pre.bytes").first).to_have_text('{"district": "\\u{202e}nowhere"}')
            await page.fill("#value", '{"still": "wrong"}')
            await page.get_by_role("button", name="Replay").click()
            await expect(page.get_by_role("alert")).to_be_visible()
            await page.fill("#value", right.decode())
            await page.get_by_role("button", name="Replay").click()
            await expect(page.get_by_role("status")).to_contain_text("The message was replayed.")
        await expect(page.locator("#live")).to_contain_text("There are none.")
        await page.goto("/pages/letters?state=replayed")
        await expect(page.locator("#live")).to_contain_text("Replayed by operator-1")

        # What had waited behind it was applied too, and the person goes on.
        await person.has_a_talk_while_the_database_is_killed()
        referral = await person.is_placed_and_completes()
        await steps_of(page, person.case, WAY)
        await expect(page.locator("main")).to_contain_text("traces: 1")

        # The same way is found by the referral, all of the trace by its id; and in the files, without the console.
        await steps_of(page, referral, WAY)
        (trace,) = {step.span.trace_id for step in read_case(running.traces, person.case).steps}
        await steps_of(page, trace, WAY)
        monkeypatch.setenv("COLUMNS", "300")  # a narrow screen cuts deep steps
        for id in (person.case, referral, trace):
            assert main(["trace", id, "--data", str(tmp_path)]) == 0
            shown = capsys.readouterr().out
            assert [step for step in WAY if step not in shown] == [], id
            assert "1 trace" in shown
