"""The reporting office on the real database. The tests that use it share one loop, because the database's client belongs to it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from tests.reporting.office import Office, open_office


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with open_office(engines.database_url, f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("office")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def office(opened: Office) -> AsyncIterator[Office]:
    """The office, where nothing has been counted yet."""
    await opened.empty()
    yield opened
