"""Whatever fails and whoever crashes: in the log, each subject's events lie in order, without a gap, at most repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.runtime.deciding import Command
from services.runtime.leases import Lease
from services.runtime.outbox import Relay
from services.runtime.records import Outgoing
from services.runtime.store import Database
from tests.runtime.emptying import emptied
from tests.runtime.till import Till
from tests.runtime.toy import Pay, an_id

COUNTY = "10000"
ACCOUNTS = [an_id(f"account {number}") for number in range(5)]
PARTITIONS = 3

Fate = Literal["taken", "lost", "unheard"]
"""What becomes of a send: it arrives; it does not; it arrives, and the acknowledgement does not."""


@dataclass
class Moody:
    """A broker that decides about each send by `fates`, and takes everything when they are used up."""

    fates: list[Fate]
    log: list[list[Outgoing]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])

    async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
        return [self._taken(event, broken) for event in events]

    def _taken(self, event: Outgoing, broken: set[int]) -> bool:
        partition = ACCOUNTS.index(event.envelope.subject.id) % PARTITIONS
        if partition in broken:
            return False
        fate = self.fates.pop() if self.fates else "taken"
        if fate != "lost":
            self.log[partition].append(event)
        if fate != "taken":
            broken.add(partition)
        return fate == "taken"


Step = Literal["relay", "restart", "again"] | list[str]
"""A turn of the relay; a new process in its place; a wish for the whole history; or a transaction, by the accounts it is about."""

steps = st.lists(
    st.one_of(
        st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=4),
        st.sampled_from(["relay", "restart", "again"]),
    ),
    max_size=10,
)
fates = st.lists(st.sampled_from(["taken", "lost", "unheard"]), max_size=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, fates, st.booleans())
async def test_every_subject_stays_in_order_whatever_fails(
    database: Database, steps: list[Step], fates: list[Fate], told: bool
) -> None:
    await emptied(database)
    broker, bank = Moody(fates), Till(database.county(COUNTY))
    relay = fresh(database, broker, told=told)
    for step in steps:
        if isinstance(step, list):
            await bank.take(*(Command(COUNTY, "", Pay(account=account, amount=1)) for account in step))
        elif step == "restart":
            relay = fresh(database, broker, told=told)
        elif step == "again":
            await relay.send_again()
        else:
            await once(relay)
    broker.fates.clear()
    relay = fresh(database, broker, told=False)
    await once(relay)

    committed = {account: len(await bank.told(account)) for account in ACCOUNTS}
    for partition in broker.log:
        seen = dict.fromkeys(ACCOUNTS, 0)
        for event in partition:
            account, number = event.envelope.subject.id, event.envelope.sequence
            assert number <= seen[account] + 1, "a gap"
            seen[account] = max(seen[account], number)
        assert {account: count for account, count in seen.items() if count} == {
            account: count
            for account, count in committed.items()
            if count and broker.log[ACCOUNTS.index(account) % PARTITIONS] is partition
        }
    assert await relay.depth() == (0, 0.0)


def fresh(database: Database, broker: Moody, *, told: bool) -> Relay:
    """The relay of a process that has just started; what the one before was told is lost with it."""
    relay = Relay(database, "bank", broker, Lease(database, "relay", "0"))
    database.committed = (lambda parcels, written: relay.take(parcels)) if told else (lambda parcels, written: None)
    return relay


async def once(relay: Relay) -> None:
    stop = asyncio.Event()
    stop.set()
    await relay.run(stop)
