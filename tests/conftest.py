"""Fixtures for tests that use the real broker and the real database.

Both are started once and shared, so a test keeps to its own names: `own_prefix` for its databases, topics and groups.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import settings

from deploy.embedded.engines import Engines
from services.runtime.collector import THRESHOLDS
from tests.broker import BROKER

collect_ignore = [] if BROKER == "kafka" else ["kafka"]  # what only a running Apache Kafka can show

# The same commit gives the same verdict everywhere. `make search` looks further, elsewhere each time.
settings.register_profile("same everywhere", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("same everywhere")


gc.disable()  # until everything is collected: what is imported stays


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import are not looked through again and again for garbage."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, because many tests wait for something; at most four, because each has engines of its own."""
    return min(4, (os.cpu_count() or 1) + 1)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """The broker and the database, for the whole test session. Who kills one takes engines of its own instead."""
    running = Engines(tmp_path_factory.mktemp("engines"), BROKER)
    asyncio.run(running.__aenter__())
    try:
        yield running
    finally:
        asyncio.run(running.close())


@pytest.fixture
def own_prefix() -> str:
    """A name that no other test has, for databases, topics and consumer groups."""
    return f"t{secrets.token_hex(4)}"
