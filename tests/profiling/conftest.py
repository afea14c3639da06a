"""A case that has arrived, and one that was talked to."""

from __future__ import annotations

import pytest

from tests.given import World
from tests.profiling.talks import CASE, arrival, profiling, record, whole_talk


@pytest.fixture
def arrived() -> World:
    world = profiling()
    world.hears(arrival(), CASE)
    return world


@pytest.fixture
def talked(arrived: World) -> World:
    """A literate beginner who wants a home and to meet people: a course, advice, an interpreter, housing, associations."""
    arrived.asks(record(answers=whole_talk(goals=["find-a-home", "meet-people"])), actor="counsellor-1")
    return arrived
