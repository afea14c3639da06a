"""A lease: one holder at a time, taken over from whoever is silent for long."""

from __future__ import annotations

import asyncio

import pytest

from services.runtime.leases import TAKEN_OVER_AFTER, Lease
from services.runtime.store import Database
from tests.runtime.relays import Seconds


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr("services.runtime.leases.time", clock)
    return clock


async def test_a_lease_is_taken_over_when_its_counter_has_not_moved_for_ten_seconds(
    database: Database, seconds: Seconds
) -> None:
    dead, alive = Lease(database, "relay", "dead"), Lease(database, "relay", "alive")
    assert await dead.hold()
    for _ in range(4):
        assert not await alive.hold()
        seconds.now += 3.0
    assert await alive.hold()
    assert not await dead.hold()


async def test_a_lease_whose_counter_moves_is_left_alone(database: Database, seconds: Seconds) -> None:
    holder, observer = Lease(database, "relay", "holder"), Lease(database, "relay", "observer")
    for _ in range(20):
        assert await holder.hold()
        assert not await observer.hold()
        seconds.now += 3.0


async def test_a_restarted_instance_takes_its_own_lease_back_at_once(database: Database, seconds: Seconds) -> None:
    assert await Lease(database, "relay", "a").hold()
    assert await Lease(database, "relay", "a").hold()


async def test_a_lease_that_was_given_back_is_free_at_once(database: Database, seconds: Seconds) -> None:
    leaving, waiting = Lease(database, "relay", "leaving"), Lease(database, "relay", "waiting")
    assert await leaving.hold()
    assert not await waiting.hold()
    await leaving.release()
    seconds.now += 3.0
    assert await waiting.hold()


async def test_of_many_that_ask_for_a_new_lease_at_once_one_gets_it(database: Database) -> None:
    leases = [Lease(database, "relay", str(number)) for number in range(8)]
    held = await asyncio.gather(*(lease.hold() for lease in leases))
    assert held.count(True) == 1


async def test_of_two_processes_that_go_by_one_name_the_older_notices_that_it_is_not_meant_any_more(
    database: Database, seconds: Seconds
) -> None:
    older, newer = Lease(database, "relay", "a"), Lease(database, "relay", "a")
    assert await older.hold()
    assert await newer.hold()
    for _ in range(10):
        seconds.now += 3.0
        assert not await older.hold()
        assert await newer.hold()
    await older.release()
    seconds.now += 3.0
    assert await newer.hold(), "what is not one's own cannot be given back"


async def test_different_leases_do_not_meet(database: Database) -> None:
    assert await Lease(database, "relay", "a").hold()
    assert await Lease(database, "round", "b").hold()


async def test_a_holder_that_was_silent_for_long_hears_that_somebody_else_may_have_held_it(
    database: Database, seconds: Seconds
) -> None:
    holder = Lease(database, "relay", "holder")
    assert await holder.hold()
    seconds.now += TAKEN_OVER_AFTER
    assert not await holder.hold()
    assert await holder.hold()
