"""A poisoned message arrives, is seen in the console, mended and replayed, and the person's way is complete: over real processes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import SecretStr

from deploy.embedded.folder import Choices
from deploy.embedded.system import Embedded, Running
from schemas.codes import Role
from schemas.envelope import Envelope, Subject
from schemas.events import EventData
from schemas.topics import topic_of
from services.runtime.local_issuer import LocalIssuer
from services.runtime.records import event_id
from services.runtime.settings import Settings
from services.runtime.telemetry import Telemetry
from tests.pages.chromium import find
from tests.profiling.talks import arrival, booking, whole_talk

COUNTY: Final = "03459"
SERVICES: Final = ("profiling", "reporting")
AXE: Final = (Path(__file__).parents[1] / "pages" / "axe.min.js").read_text(encoding="utf-8")
STANDARD: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SECONDS: Final = 30.0

pytestmark = pytest.mark.timeout(240)


class Office:
    """Intake as the others see it: its span, and the events that it tells of one person."""

    def __init__(self, running: Running) -> None:
        self.case = str(uuid.uuid4())
        self._telemetry = Telemetry.start("intake", "0", otlp_endpoint=running.console)
        span = self._telemetry.message_span("RegisterArrival", None, subject=f"case/{self.case}", county=COUNTY)
        self._traceparent = span.traceparent
        span.end("applied")
        self._kafka = running.kafka
        self._sequence = 0

    async def tells(self, *told: tuple[EventData, bytes | None]) -> None:
        """Send these events; bytes instead of an event's content poison it."""
        producer = AIOKafkaProducer(bootstrap_servers=self._kafka, enable_idempotence=False)
        await producer.start()
        try:
            for event, poison in told:
                self._sequence += 1
                subject = Subject("case", self.case)
                id = event_id("intake", subject, self._sequence)
                envelope = Envelope(
                    *(id, "intake", event.TYPE, subject, COUNTY, self._sequence, datetime.now(UTC)),
                    traceparent=self._traceparent,
                )
                value = poison if poison is not None else event.model_dump_json().encode()
                await producer.send_and_wait(
                    topic_of("intake").name, value, key=str(subject).encode(), headers=envelope.to_headers()
                )
        finally:
            await producer.stop()

    def closes(self) -> None:
        self._telemetry.stop()


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await asyncio.to_thread(find)
        opened = await playwright.chromium.launch(executable_path=found.path, args=["--no-sandbox"])
        yield opened
        await opened.close()


async def signed_in(chromium: Browser, running: Running, language: str = "en", width: int = 1280, **more: Any) -> Page:
    context = await chromium.new_context(
        base_url=running.console, locale=language, viewport={"width": width, "height": 900}, **more
    )
    page = await context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    await page.goto("/pages/sign-in")
    await page.check(f'input[value="{COUNTY}/operator/"]')
    await page.click("main button")
    await page.wait_for_url("**/pages/overview")
    return page


async def talk_is_written(running: Running, case: str) -> None:
    """A counsellor writes down the talk, for which profiling must have heard of the person."""
    issuer = LocalIssuer(
        Settings(service="test", local_issuer_key_file=running.issuer_key_file, database_url=SecretStr("mongodb://x"))
    )
    token = issuer.token("counsellor-1", Role.COUNSELLOR, COUNTY, site="melle")
    headers = {"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())}
    async with httpx.AsyncClient(base_url=running.services["profiling"], headers=headers) as client:
        answer = await client.put(f"/v1/cases/{case}/profile", json={"answers": whole_talk()})
        assert answer.is_success, answer.text


async def steps_of(page: Page, case: str, wanted: Sequence[str]) -> None:
    """The way's page shows all of these. Spans come a moment after what they tell of."""
    until = time.monotonic() + SECONDS
    while True:
        answer = await page.goto(f"/pages/ways/{case}")
        rows = await page.locator(".waterfall tbody th").all_inner_texts() if answer and answer.ok else []
        if all(one in rows for one in wanted):
            return
        assert time.monotonic() < until, (wanted, rows)
        await asyncio.sleep(0.3)


async def axe_is_clean(page: Page, path: str) -> None:
    await page.goto(path)
    await page.add_script_tag(content=AXE)
    found = await page.evaluate(
        "async tags => (await axe.run({runOnly: tags})).violations.map(v => [v.id, v.nodes.map(n => n.html).slice(0, 3)])",
        STANDARD,
    )
    assert found == [], path
    assert await page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), path


async def test_a_poisoned_message_is_seen_mended_and_replayed_and_the_persons_way_is_complete(tmp_path: Path) -> None:
    choices = Choices((COUNTY,))
    async with (
        Embedded(tmp_path, services=SERVICES, choices=choices, console=True) as running,
        browser() as chromium,
    ):
        page = await signed_in(chromium, running)
        await page.goto("/pages/letters")
        await expect(page.locator("#live")).to_contain_text("There are none.")
        office = Office(running)
        right = arrival()
        await office.tells((right, b'{"district": "\xe2\x80\xaenowhere"}'), (booking(), None))

        # It is seen without reloading, once at each service that reads it.
        letters = page.locator("#live h3 a")
        await expect(letters).to_have_count(len(SERVICES), timeout=SECONDS * 1000)
        addresses = [await one.get_attribute("href") or "" for one in await letters.all()]
        for language, width in (("de", 1280), ("en", 360)):
            looking = await signed_in(chromium, running, language, width, bypass_csp=True)
            for path in ("/pages/overview", "/pages/lag", "/pages/letters", addresses[0], "/pages/ways"):
                await axe_is_clean(looking, path)
            await axe_is_clean(looking, f"/pages/ways/{office.case}")
            await looking.context.close()

        for address in addresses:
            await page.goto(address)
            await expect(page.locator("pre.bytes").first).to_have_text('{"district": "\\u{202e}nowhere"}')
            await page.fill("#value", '{"still": "wrong"}')
            await page.get_by_role("button", name="Replay").click()
            await expect(page.get_by_role("alert")).to_be_visible()
            await page.fill("#value", right.model_dump_json())
            await page.get_by_role("button", name="Replay").click()
            await expect(page.get_by_role("status")).to_contain_text("The message was replayed.")
        await expect(page.locator("#live")).to_contain_text("There are none.")
        await page.goto("/pages/letters?state=replayed")
        await expect(page.locator("#live")).to_contain_text("Replayed by operator-1")

        # What had waited behind it was applied too, and what follows is told through the outbox: all of it one trace.
        await talk_is_written(running, office.case)
        wanted = [
            "intake RegisterArrival",
            *(f"{service} {event}" for service in SERVICES for event in ("arrival-registered", "appointment-booked")),
            "reporting profile-recorded",
        ]
        await steps_of(page, office.case, wanted)
        await expect(page.locator("main")).to_contain_text("traces: 1")
        await asyncio.to_thread(office.closes)
