"""The relay: what was committed reaches the broker, whatever is interrupted; on the real database, with a broker that fails on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.runtime.deciding import Command
from services.runtime.errors import Transient
from services.runtime.leases import Lease
from services.runtime.outbox import WINDOW, Relay
from services.runtime.records import Outgoing, RawRecord
from services.runtime.settle import Result
from services.runtime.store import Database
from tests.runtime.memory_store import MemoryStore
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BANK_TOPIC, BERT, CARLA, Close, Pay, an_id

COUNTY = "10000"
PARTITION = {ANNA: 0, BERT: 1, CARLA: 0}


class Log:
    """A broker's log. On a partition in `down` nothing arrives; a partition in `deaf` takes one event and does not say so."""

    def __init__(self) -> None:
        self.events: list[Outgoing] = []
        self.down: set[int] = set()
        self.deaf: set[int] = set()
        self.refused: list[Outgoing] = []

    async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
        return [self._takes(event, broken) for event in events]

    def _takes(self, event: Outgoing, broken: set[int]) -> bool:
        partition = PARTITION.get(event.envelope.subject.id, 2)
        if partition in broken:
            return False
        if partition in self.down:
            self.refused.append(event)
            broken.add(partition)
            return False
        self.events.append(event)
        if partition in self.deaf:
            broken.add(partition)
            return False
        return True

    def of(self, account: str) -> list[int]:
        """The numbers of an account's events, as they lie in the log."""
        return [event.envelope.sequence for event in self.events if event.envelope.subject.id == account]

    def records(self) -> list[RawRecord]:
        return [
            RawRecord(BANK_TOPIC, 0, offset, None, event.value, tuple(event.envelope.to_headers()))
            for offset, event in enumerate(self.events)
        ]


def relay_of(database: Database, log: Log, instance: str = "0", *, told: bool = False) -> Relay:
    """A relay that finds what to send by its marks; or one that is `told` of each commit, like that of a running service."""
    relay = Relay(database, "bank", log, Lease(database, "relay", instance))
    if told:
        database.committed = lambda parcels, written: relay.take(parcels)
    return relay


async def once(relay: Relay) -> None:
    """One turn of a relay that stops afterwards."""
    stop = asyncio.Event()
    stop.set()
    await relay.run(stop)


@pytest.fixture
def bank(database: Database) -> Till:
    return Till(database.county(COUNTY))


def pay(account: str, amount: int = 1) -> Command:
    return Command(COUNTY, "", Pay(account=account, amount=amount))


async def unpublished(database: Database) -> int:
    return await database.raw["unpublished"].count_documents({})


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
    while str(said[-1] if said else None) != "broker":
        await asyncio.sleep(0.005)
    log.down = set()
    while not (log.of(ANNA) and said[-1] is None):
        await asyncio.sleep(0.005)
    stop.set()
    await running


# --- leases ---------------------------------------------------------------------------------------------------------------


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


class Seconds:
    """Somebody's monotonic clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr("services.runtime.leases.time.monotonic", clock)
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


async def test_different_leases_do_not_meet(database: Database) -> None:
    assert await Lease(database, "relay", "a").hold()
    assert await Lease(database, "round", "b").hold()


# --- sending everything again ---------------------------------------------------------------------------------------------


async def filled(bank: Till, documents: int = 3) -> None:
    for number in range(documents):
        await bank.take(pay(ANNA), pay(an_id(f"somebody {number}")), pay(BERT))


async def test_a_history_that_is_wanted_again_is_sent_in_order_before_anything_new(
    database: Database, bank: Till
) -> None:
    await filled(bank)
    await once(relay_of(database, Log()))
    log = Log()
    relay = relay_of(database, log)
    await relay.send_again()
    await bank.take(pay(ANNA))
    await once(relay)
    assert log.of(ANNA)[:4] == [1, 2, 3, 4]
    assert set(log.of(ANNA)) == {1, 2, 3, 4}
    await once(relay)
    assert log.of(BERT) == [1, 2, 3]


async def test_a_history_larger_than_a_window_is_sent_whole(database: Database, bank: Till) -> None:
    for _ in range(WINDOW + 5):
        await bank.take(pay(ANNA))
    await once(relay_of(database, Log()))
    log = Log()
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    assert log.of(ANNA) == list(range(1, WINDOW + 6))


async def test_a_refill_that_was_interrupted_is_finished_by_the_next_relay(database: Database, bank: Till) -> None:
    await filled(bank)
    await once(relay_of(database, Log()))
    log = Log()
    log.down = {1}
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    assert (log.of(ANNA), log.of(BERT)) == ([1, 2, 3], [])
    fresh = Log()
    await once(relay_of(database, fresh))
    assert (fresh.of(ANNA), fresh.of(BERT)) == ([1, 2, 3], [1, 2, 3])
    again = Log()
    await once(relay_of(database, again))
    assert again.events == []


async def test_a_log_that_is_filled_anew_gets_also_what_the_old_one_had_acknowledged(
    database: Database, bank: Till
) -> None:
    """Half of a document had been acknowledged when the broker lost its log."""
    log = Log()
    log.down = {1}
    relay = relay_of(database, log)
    await bank.take(pay(ANNA), pay(BERT))
    await once(relay)
    assert (log.of(ANNA), log.of(BERT)) == ([1], [])
    log.events, log.down = [], set()
    await relay.send_again()
    await once(relay)
    assert (set(log.of(ANNA)), set(log.of(BERT))) == ({1}, {1})


async def test_a_request_that_comes_during_a_refill_is_not_lost(database: Database, bank: Till) -> None:
    await filled(bank)

    class Asking(Log):
        """While it takes the first event, somebody asks for everything again."""

        async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
            if not self.events:
                await relay.send_again()
            return await super().publish(events, broken)

    log = Asking()
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    await once(relay)
    assert log.of(ANNA) == [1, 2, 3, 1, 2, 3]


async def test_what_was_forgotten_is_sent_again_without_its_content(database: Database, bank: Till) -> None:
    await bank.take(pay(ANNA, 4711))
    await once(relay_of(database, Log()))
    await bank.take(Command(COUNTY, "", Close(account=ANNA)))
    log = Log()
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    assert sorted({(event.envelope.sequence, event.envelope.type.split(".")[2]) for event in log.events}) == [
        (1, "blank"),
        (2, "closed"),
    ]
    assert "4711" not in str(log.events)


async def test_the_depth_tells_how_much_waits_and_for_how_long(database: Database, bank: Till) -> None:
    relay = relay_of(database, Log())
    assert await relay.depth() == (0, 0.0)
    await bank.take(pay(ANNA))
    await bank.take(pay(ANNA))
    waiting, age = await relay.depth()
    assert waiting == 2
    assert 0.0 <= age < 60.0
