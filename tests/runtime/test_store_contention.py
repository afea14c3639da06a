"""Many writers at the subjects of a running batch: consumption goes on, and everything ends up where it should."""

from __future__ import annotations

import asyncio
import random

from services.runtime.deciding import Command
from services.runtime.settle import Result
from services.runtime.store import Database
from tests.runtime.lines import until
from tests.runtime.till import Till
from tests.runtime.toy import Paid, Pay, Transfer, Watched, an_id, reader, record

COUNTY = "10000"
WRITERS = 32
SUBJECTS = 500
THINKING = 0.4
"""Seconds at most between two commands of a writer. A batch of all subjects takes long enough that some are always in its way."""

ACCOUNTS = [an_id(f"account {number}") for number in range(SUBJECTS)]
WRITTEN_TO = ACCOUNTS[200:300]
"""In the middle of the batch, so that slices have to become small there and may grow again behind it."""


async def test_a_batch_gets_through_while_32_writers_send_commands_to_its_subjects(database: Database) -> None:
    """The writers go on for as long as the batches do: whoever were stopped by them would never come to an end."""
    bank = Till(database.county(COUNTY))
    consumed = asyncio.Event()
    paid = dict.fromkeys(ACCOUNTS, 0)

    async def write(writer: int) -> None:
        other = Till(
            database.county(COUNTY)
        )  # a process of its own: its commands are not settled together with anybody's
        for turn in range(10_000):
            target = WRITTEN_TO[(writer * 31 + turn * 7) % len(WRITTEN_TO)]
            if await other.take(Command(COUNTY, f"{writer}/{turn}", Pay(account=target, amount=1))) == [Result.APPLIED]:
                paid[target] += 1
            if consumed.is_set():
                return
            await asyncio.sleep(random.uniform(0, THINKING))

    batch = [reader().read(record(COUNTY, id, 1, Paid(amount=1000))) for id in ACCOUNTS]
    async with asyncio.TaskGroup() as writers:
        for number in range(WRITERS):
            writers.create_task(write(number))
        await until(lambda: sum(paid.values()) >= WRITERS)
        before = sum(paid.values())
        outcomes = await bank.settler.settle(bank.store, batch)
        meanwhile = sum(paid.values()) - before
        consumed.set()
    assert {outcome.result for outcome in outcomes} == {Result.APPLIED}
    assert meanwhile > 0, "nobody wrote meanwhile"
    assert isinstance(bank.settler.watcher, Watched)
    assert bank.settler.watcher.conflicts > 0, "nobody was in the way"
    balances = {document["_id"]: document["body"]["balance"] for document in await bank.store.find("accounts", {})}
    assert balances == {id: 1000 + paid[id] for id in ACCOUNTS}
    told = [event for document in await bank.store.find("outbox", {}) for event in document["events"]]
    numbers = {
        id: sorted(each["sequence"] for each in told if each["subject"] == f"account/{id}") for id in WRITTEN_TO[:20]
    }
    assert numbers == {id: list(range(1, 2 + paid[id])) for id in WRITTEN_TO[:20]}


async def test_transfers_in_all_directions_at_once_lose_and_make_no_money(database: Database) -> None:
    people = ACCOUNTS[:6]
    bank = Till(database.county(COUNTY))
    await bank.take(*(Command(COUNTY, "", Pay(account=id, amount=100)) for id in people))

    async def move(giver: int, turn: int) -> Result:
        transfer = Transfer(giver=people[giver], taker=people[(giver + 1 + turn) % 6], amount=7)
        (result,) = await Till(database.county(COUNTY)).take(Command(COUNTY, "", transfer))
        return result

    results = await asyncio.gather(*(move(giver, turn) for giver in range(6) for turn in range(4)))
    assert set(results) <= {Result.APPLIED, Result.REFUSED}
    balances = [(await bank.account(id)).balance for id in people]
    assert sum(balances) == 600
    assert min(balances) >= 0
