"""Whatever fails and whoever crashes: all that was committed lies in the log, at most repeated, what one instance committed in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.embedded.engines import Engines
from services.runtime.deciding import Command
from services.runtime.errors import Transient
from services.runtime.leases import Lease
from services.runtime.outbox import Relay
from services.runtime.records import Outgoing
from services.runtime.store import Database
from tests.runtime.emptying import emptied
from tests.runtime.relays import COUNTY, Seconds, once
from tests.runtime.till import Till
from tests.runtime.toy import Pay, an_id

ACCOUNTS = [an_id(f"account {number}") for number in range(3)]
PARTITIONS = 2

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

    def numbers(self, account: str) -> list[int]:
        """Of an account's events, as they lie in the log."""
        partition = self.log[ACCOUNTS.index(account) % PARTITIONS]
        return [event.envelope.sequence for event in partition if event.envelope.subject.id == account]


class Instance:
    """A process of the bank. What it commits is told to its relay, if that is `told`; a look takes six seconds."""

    def __init__(self, name: str, database: Database, broker: Moody, seconds: Seconds, *, told: bool) -> None:
        self._name, self._database, self._broker, self._seconds, self._told = name, database, broker, seconds, told
        self.restart()

    def restart(self) -> None:
        """What the process before was told is lost with it."""
        relay = self.relay = Relay(self._database, "bank", self._broker, Lease(self._database, "relay", self._name))
        self._database.committed = (lambda parcels, written: relay.take(parcels)) if self._told else _nothing
        self._bank = Till(self._database.county(COUNTY))

    async def commit(self, accounts: Sequence[str]) -> None:
        await self._bank.take(*(Command(COUNTY, "", Pay(account=account, amount=1)) for account in accounts))

    async def look(self) -> None:
        self._seconds.now += 6.0
        self.relay.wake()
        try:
            await self.relay.act()
        except Transient:
            return  # the broker did not take all of it

    async def stop(self) -> None:
        await once(self.relay)
        self.restart()


def _nothing(parcels: object, written: object) -> None:
    pass


@pytest.fixture
async def databases(engines: Engines, database: Database, prepared: str) -> AsyncIterator[tuple[Database, Database]]:
    """The same one, opened by two processes."""
    again = Database(engines.database_url, prepared)
    yield database, again
    again.close()


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr("services.runtime.leases.time", clock)
    return clock


Act = Literal["look", "restart", "stop", "again"] | list[str]
"""The relay looks; a new process is there in its place, at once or after a stop; somebody wishes for the whole history; or a transaction,
by the accounts that it is about."""

commits = st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=3)
acts = st.one_of(commits, commits, st.just("look"), st.sampled_from(["look", "restart", "stop", "again"]))
steps = st.lists(st.tuples(st.sampled_from([0, 0, 1]), acts), min_size=6, max_size=16)
fates = st.lists(st.sampled_from(["taken", "taken", "taken", "lost", "unheard"]), max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, fates, st.booleans())
async def test_what_one_instance_commits_about_a_subject_is_sent_in_order_whatever_fails(
    databases: tuple[Database, Database], seconds: Seconds, steps: list[tuple[int, Act]], fates: list[Fate], told: bool
) -> None:
    await emptied(databases[0])
    broker = Moody(fates)
    instances = [Instance(name, each, broker, seconds, told=told) for name, each in zip("ab", databases, strict=True)]
    writers: dict[str, list[int]] = {account: [] for account in ACCOUNTS}
    for number, act in steps:
        instance = instances[number]
        if isinstance(act, list):
            await instance.commit(act)
            for account in act:
                writers[account].append(number)
        elif act == "look":
            await instance.look()
        elif act == "restart":
            instance.restart()
        elif act == "stop":
            await instance.stop()
        else:
            await instance.relay.send_again()
    broker.fates.clear()
    for _ in range(5):  # as long as it takes until the other's lease counts as lost
        await instances[0].look()

    for account, of in writers.items():
        log = broker.numbers(account)
        assert set(log) == set(range(1, len(of) + 1)), "all of it, and nothing else"
        for writer in (0, 1):
            first = [log.index(number) for number, by in enumerate(of, 1) if by == writer]
            assert first == sorted(first)
    assert await instances[0].relay.depth() == (0, 0.0)
