"""The relay: what was committed reaches the broker, whatever is interrupted; on the real database, with a broker that fails on demand."""

from __future__ import annotations

import asyncio

import pytest

from services.runtime.deciding import Command
from services.runtime.errors import Transient
from services.runtime.leases import TAKEN_OVER_AFTER, Lease
from services.runtime.outbox import WINDOW, Relay
from services.runtime.settle import Result
from services.runtime.store import Database
from tests.runtime.memory_store import MemoryStore
from tests.runtime.relays import COUNTY, Log, Seconds, once, pay, relay_of, unpublished
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, CARLA, Close


@pytest.fixture
def bank(database: Database) -> Till:
    return Till(database.county(COUNTY))


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr("services.runtime.leases.time", clock)
    return clock


@pytest.mark.parametrize("told", [True, False])
async def test_what_was_committed_is_sent_in_order_and_the_history_stays(
    database: Database, bank: Till, told: bool
) -> None:
    log = Log()
    relay = relay_of(database, log, told=told)
    if told:
        await once(relay)  # from now on it keeps what it is told
    for _ in range(3):
        await bank.take(pay(ANNA), pay(BERT))
    await once(relay)
    assert (log.of(ANNA), log.of(BERT)) == ([1, 2, 3], [1, 2, 3])
    assert await unpublished(database) == 0
    assert [number for number, _, _ in await bank.told(ANNA)] == [1, 2, 3]


async def test_each_event_is_sent_once_while_nothing_fails(database: Database, bank: Till) -> None:
    log = Log()
    relay = relay_of(database, log, told=True)
    await bank.take(pay(ANNA))
    await once(relay)
    await bank.take(pay(ANNA))
    await once(relay)
    await once(relay)
    assert log.of(ANNA) == [1, 2]


async def test_after_a_crash_between_commit_and_sending_the_next_relay_sends_it(database: Database, bank: Till) -> None:
    relay_of(database, Log(), told=True)  # takes what is committed, and never comes to send it
    await bank.take(pay(ANNA), pay(ANNA))
    log = Log()
    await once(relay_of(database, log))
    assert log.of(ANNA) == [1, 2]


async def test_after_a_crash_between_sending_and_marking_it_is_sent_again_and_readers_skip_it(
    database: Database, bank: Till
) -> None:
    await bank.take(pay(ANNA), pay(ANNA), pay(BERT))
    log = Log()
    crashed = relay_of(database, log)
    marked = database.raw["unpublished"]
    kept = await marked.find({}).to_list(None)
    await once(crashed)
    await marked.insert_many(kept)  # as if it had been killed right before
    await once(relay_of(database, log))
    assert log.of(ANNA) == [1, 2, 1, 2]
    reader = Till(MemoryStore(COUNTY))
    results = await reader.take(*log.records())
    assert results == [Result.SKIPPED] * 3 + [Result.REPEATED] * 3
    assert await reader.applied(ANNA, "bank") == 2


async def test_a_broken_partition_stops_itself_and_no_other(database: Database, bank: Till) -> None:
    log = Log()
    log.down = {0}
    relay = relay_of(database, log)
    await bank.take(pay(ANNA), pay(BERT))
    await bank.take(pay(CARLA), pay(BERT), pay(ANNA))
    await once(relay)
    assert (log.of(ANNA), log.of(BERT), log.of(CARLA)) == ([], [1, 2], [])
    assert len(log.refused) == 1  # one attempt for a whole pass
    assert await unpublished(database) == 2

    log.down = set()
    await once(relay)
    assert (log.of(ANNA), log.of(BERT), log.of(CARLA)) == ([1, 2], [1, 2], [1])
    assert await unpublished(database) == 0


@pytest.mark.parametrize("told", [True, False])
async def test_an_acknowledgement_that_is_lost_costs_a_repetition_and_no_order(
    database: Database, bank: Till, told: bool
) -> None:
    log = Log()
    relay = relay_of(database, log, told=told)
    if told:
        await once(relay)  # from now on it keeps what it is told
    log.deaf = {0}
    await bank.take(pay(ANNA), pay(ANNA))
    await bank.take(pay(ANNA))
    await once(relay)
    assert log.of(ANNA) == [1]
    log.deaf = set()
    await once(relay)
    assert log.of(ANNA) == [1, 1, 2, 3]


async def test_more_than_a_window_at_once_is_sent_in_order(database: Database, bank: Till) -> None:
    log = Log()
    relay = relay_of(database, log, told=True)
    await once(relay)
    for _ in range(WINDOW + 8):
        await bank.take(pay(ANNA))
    await once(relay)
    assert log.of(ANNA) == list(range(1, WINDOW + 9))


async def test_what_another_instance_commits_is_sent_too(database: Database, bank: Till) -> None:
    log = Log()
    relay = relay_of(database, log, told=True)
    await once(relay)
    told, database.committed = database.committed, lambda parcels, written: None
    await bank.take(pay(ANNA))
    database.committed = told
    relay.wake()
    await once(relay)
    assert log.of(ANNA) == [1]


async def test_a_relay_that_is_told_acts_at_once_and_until_it_is_stopped(database: Database, bank: Till) -> None:
    log = Log()
    relay = Relay(database, "bank", log, Lease(database, "relay", "0"), poll=60)
    database.committed = lambda parcels, written: relay.take(parcels)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    for count in range(1, 4):
        await bank.take(pay(ANNA))
        while log.of(ANNA) != list(range(1, count + 1)):
            await asyncio.sleep(0.005)
    stop.set()
    relay.wake()
    await running


async def test_while_the_broker_is_away_the_relay_says_so_and_goes_on_afterwards(
    database: Database, bank: Till
) -> None:
    log, said = Log(), list[Transient | None]()
    log.down = {0}
    relay = Relay(database, "bank", log, Lease(database, "relay", "0"), poll=0.01, turned=said.append)
    await bank.take(pay(ANNA))
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    while not said or said[-1] is None:
        await asyncio.sleep(0.005)
    log.down = set()
    while not (log.of(ANNA) and said[-1] is None):
        await asyncio.sleep(0.005)
    stop.set()
    await running


async def test_the_depth_tells_how_much_waits_and_for_how_long(database: Database, bank: Till) -> None:
    relay = relay_of(database, Log())
    assert await relay.depth() == (0, 0.0)
    await bank.take(pay(ANNA))
    await bank.take(pay(ANNA))
    waiting, age = await relay.depth()
    assert waiting == 2
    assert 0.0 <= age < 60.0


# --- two of them ------------------------------------------------------------------------------------------------------------


async def test_of_two_relays_one_sends(database: Database, bank: Till) -> None:
    first, second = Log(), Log()
    stop = asyncio.Event()
    relays = [relay_of(database, log, instance) for log, instance in ((first, "a"), (second, "b"))]
    running = [asyncio.create_task(relay.run(stop)) for relay in relays]
    for _ in range(5):
        await bank.take(pay(ANNA))
    while await unpublished(database):
        await asyncio.sleep(0.005)
    stop.set()
    await asyncio.gather(*running)
    assert sorted([first.of(ANNA), second.of(ANNA)]) == [[], [1, 2, 3, 4, 5]]


async def test_an_event_that_overtakes_one_of_another_instance_is_followed_by_it(
    database: Database, bank: Till
) -> None:
    log = Log()
    relay = relay_of(database, log, told=True)
    await relay.act()
    told, database.committed = database.committed, lambda parcels, written: None
    await bank.take(pay(ANNA))
    database.committed = told
    await bank.take(pay(ANNA))
    await relay.act()
    relay.wake()
    await relay.act()
    assert log.of(ANNA) == [2, 1]
    reader = Till(MemoryStore(COUNTY))
    assert await reader.take(*log.records()) == [Result.PARKED, Result.SKIPPED]
    assert await reader.applied(ANNA, "bank") == 2


@pytest.mark.parametrize("leaves", ["it is killed", "it stops"])
async def test_what_was_forgotten_while_the_lease_was_elsewhere_is_sent_without_its_content(
    database: Database, bank: Till, seconds: Seconds, leaves: str
) -> None:
    """The process stands still with an event in its hands; another holds the lease meanwhile, erases, and leaves, nothing sent."""
    log = Log()
    relay = relay_of(database, log, "a", told=True)
    await relay.act()
    await bank.take(pay(ANNA, 47114711471))
    other = Lease(database, "relay", "b")
    await other.hold()
    seconds.now += TAKEN_OVER_AFTER + 1
    assert await other.hold()
    database.committed = lambda parcels, written: None
    await bank.take(Command(COUNTY, "", Close(account=ANNA)))
    if leaves == "it stops":
        await other.release()
    for _ in range(5):
        await relay.act()
        seconds.now += TAKEN_OVER_AFTER - 1
    assert log.of(ANNA) == [1, 2]
    assert "47114711471" not in str(log.events)
