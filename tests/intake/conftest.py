"""Intake's doors on a database that is made once and emptied after each test: making one takes longer than most tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.embedded.engines import Engines
from services.intake.service import SERVICE
from services.runtime.store import Database
from tests.intake.door import Door, open_door


@pytest.fixture(scope="session")
def prepared(engines: Engines) -> str:
    async def prepare() -> None:
        database = Database(engines.database_url, "intake")
        await database.prepare(SERVICE.collections)
        database.close()

    asyncio.run(prepare())
    return "intake"


@pytest.fixture
async def door(engines: Engines, prepared: str, tmp_path: Path) -> AsyncIterator[Door]:
    database = Database(engines.database_url, prepared)
    async with open_door(database, tmp_path) as opened:
        yield opened
    for name in await database.raw.list_collection_names():
        await database.raw[name].delete_many({})
    database.close()
