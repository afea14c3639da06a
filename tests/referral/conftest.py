"""The house of referral on the real database, opened once for all tests that use it, and empty for each of them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from tests.referral.house import House, open_house


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def opened(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(engines.database_url, f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("house")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="package")
async def house(opened: House) -> House:
    """The house, in a county where nothing has happened yet."""
    await opened.empty()
    return opened
