"""All four services with their doors as they are served, on the real database, without broker and loops."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from tests.doors.applications import SERVICES, Doors, open_doors


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def all_doors(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Doors]]:
    """By name of the service. The same sign-in is good at each of them."""
    folder, prefix = tmp_path_factory.mktemp("doors"), f"t{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        yield {
            one.name: await stack.enter_async_context(open_doors(one, engines.database_url, prefix, folder))
            for one in SERVICES
        }
