"""A bank's counter on either store: each scenario that uses `till` is told to the double in memory and to the real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.embedded.engines import Engines
from services.runtime.store import Database
from tests.runtime.emptying import emptied
from tests.runtime.memory_store import MemoryStore
from tests.runtime.till import Till
from tests.runtime.toy import COLLECTIONS

COUNTY = "10000"


@pytest.fixture(scope="session")
def prepared(engines: Engines) -> str:
    """The name of a database with the bank's collections. Making one takes longer than most tests."""

    async def prepare() -> None:
        database = Database(engines.database_url, "bank")
        await database.prepare(COLLECTIONS)
        database.close()

    asyncio.run(prepare())
    return "bank"


@pytest.fixture
async def database(engines: Engines, prepared: str) -> AsyncIterator[Database]:
    """The bank's database, empty."""
    opened = Database(engines.database_url, prepared)
    yield opened
    await emptied(opened)
    opened.close()


@pytest.fixture(params=["in memory", "in the database"])
def till(request: pytest.FixtureRequest) -> Till:
    if request.param == "in memory":
        return Till(MemoryStore(COUNTY, unique={"slips": "number"}, required={"slips": "number"}))
    database: Database = request.getfixturevalue("database")
    return Till(database.county(COUNTY))
