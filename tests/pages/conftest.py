"""Referral's pages on the real database, beside a stand-in for intake; opened once for all tests here, and empty for each of them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.embedded.engines import Engines
from services.runtime.serving import Listener, serve
from tests.pages.chromium import find
from tests.pages.intake import Intake, stand_in
from tests.pages.visitor import Visitor
from tests.referral.house import House, open_house


class Site:
    """The running pages: the house behind them, and the address at which a browser finds them."""

    def __init__(self, house: House, url: str, intake: Intake) -> None:
        self.house = house
        self.url = url
        self.intake = intake

    def visitor(self, language: str = "en") -> Visitor:
        """Somebody without JavaScript, who is not signed in yet."""
        return Visitor(self.house.app, language)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def opened(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        intake = await stack.enter_async_context(stand_in())
        folder = tmp_path_factory.mktemp("house")
        prefix = f"t{secrets.token_hex(4)}"
        house = await stack.enter_async_context(
            open_house(engines.database_url, prefix, folder, peers={"intake": intake.url})
        )
        listener, stop = Listener("127.0.0.1", 0), asyncio.Event()
        serving = asyncio.create_task(serve(house.app, listener, stop))
        yield Site(house, f"http://127.0.0.1:{listener.port}", intake)
        stop.set()
        await serving


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await asyncio.to_thread(find)
        browser = await playwright.chromium.launch(executable_path=found.path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def site(opened: Site) -> Site:
    """The pages, in a county where nothing has happened yet."""
    await opened.house.empty()
    opened.intake.heard.clear()
    opened.intake.unknown.clear()
    return opened
