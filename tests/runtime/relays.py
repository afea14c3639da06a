"""Relays, and the log of a broker that fails on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.runtime.deciding import Command
from services.runtime.leases import Lease
from services.runtime.outbox import Relay
from services.runtime.records import Outgoing, RawRecord
from services.runtime.store import Database
from tests.runtime.toy import ANNA, BANK_TOPIC, BERT, CARLA, Pay

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


def pay(account: str, amount: int = 1) -> Command:
    return Command(COUNTY, "", Pay(account=account, amount=amount))


async def unpublished(database: Database) -> int:
    return await database.raw["unpublished"].count_documents({})


class Seconds:
    """The monotonic clock by which leases are observed, in place of the module `time`; the event loop's own goes on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now
