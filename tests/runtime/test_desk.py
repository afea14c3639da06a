"""The desk: commands that come while a transaction runs are settled together, each has its own answer, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel

from services.runtime.deciding import Command
from services.runtime.desk import CommandFailed, Desk
from services.runtime.errors import Refused, Transient
from services.runtime.settle import Outcome, Result, Settler, Work
from services.runtime.store import Database
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, Bank, Pay, Transfer, an_id, settler

COUNTY, ELSEWHERE = "10000", "20000"


class Slow:
    """A settler that waits until it may go on, and remembers the size of each group."""

    def __init__(self, inner: Settler) -> None:
        self._inner = inner
        self.groups: list[tuple[str, int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.error: Exception | None = None

    async def settle(self, store: Any, work: Sequence[Work]) -> list[Outcome]:
        self.groups.append((store.county, len(work)))
        await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        return await self._inner.settle(store, work)


@asynccontextmanager
async def open_desk(database: Database, bank: Bank | None = None, **settings: int) -> AsyncIterator[tuple[Desk, Slow]]:
    slow = Slow(settler(bank))
    desk = Desk(slow, database, **settings)  # pyright: ignore[reportArgumentType]
    stop = asyncio.Event()
    running = asyncio.create_task(desk.run(stop))
    try:
        yield desk, slow
    finally:
        slow.may_go_on.set()
        stop.set()
        await running


def command(data: BaseModel, key: str = "", county: str = COUNTY) -> Command:
    return Command(county, key, data, "clerk")


def pay(amount: int = 1, account: str = ANNA, key: str = "", county: str = COUNTY) -> Command:
    return command(Pay(account=account, amount=amount), key, county)


async def test_a_command_is_answered_and_a_repeated_one_says_so(database: Database) -> None:
    async with open_desk(database) as (desk, _):
        first = await desk.send(pay(10, key="k"))
        again = await desk.send(pay(10, key="k"))
    assert (json.loads(first.body), first.repeated) == ({"balance": 10}, False)
    assert (again.body, again.repeated) == (first.body, True)


async def test_what_comes_while_a_transaction_runs_is_settled_in_one_group(database: Database) -> None:
    async with open_desk(database) as (desk, slow):
        slow.may_go_on.clear()
        first = asyncio.create_task(desk.send(pay()))
        while not slow.groups:
            await asyncio.sleep(0)
        others = [asyncio.create_task(desk.send(pay())) for _ in range(20)]
        await asyncio.sleep(0)
        assert desk.unfinished == 21
        slow.may_go_on.set()
        answers = [json.loads(answer.body)["balance"] for answer in await asyncio.gather(first, *others)]
        assert desk.unfinished == 0
    assert slow.groups == [(COUNTY, 1), (COUNTY, 20)]
    assert answers == list(range(1, 22))


async def test_a_group_is_no_larger_than_it_may_be(database: Database) -> None:
    async with open_desk(database, largest=8) as (desk, slow):
        await desk.send_all([pay() for _ in range(20)])
    assert [size for _, size in slow.groups] == [8, 8, 4]


async def test_commands_of_two_counties_are_settled_apart(database: Database) -> None:
    async with open_desk(database) as (desk, slow):
        outcomes = await desk.send_all([pay(), pay(5, BERT, county=ELSEWHERE), pay()])
    assert sorted(slow.groups) == [(COUNTY, 2), (ELSEWHERE, 1)]
    assert [json.loads(outcome.answer or b"")["balance"] for outcome in outcomes] == [1, 5, 2]


async def test_in_one_group_each_command_has_its_own_outcome_in_order(database: Database) -> None:
    async with open_desk(database, Bank(fails_on=frozenset({13}))) as (desk, _):
        outcomes = await desk.send_all(
            [pay(10), pay(-99), pay(13), command(Transfer(giver=ANNA, taker=BERT, amount=4))]
        )
    assert [outcome.result for outcome in outcomes] == [Result.APPLIED, Result.REFUSED, Result.FAILED, Result.APPLIED]


async def test_a_refused_command_is_told_by_its_code(database: Database) -> None:
    async with open_desk(database) as (desk, _):
        with pytest.raises(Refused) as refused:
            await desk.send(pay(-1))
    assert refused.value.code == "overdrawn"


async def test_a_command_on_which_a_rule_fails_names_the_cause_for_the_log_alone(database: Database) -> None:
    async with open_desk(database, Bank(fails_on=frozenset({13}))) as (desk, _):
        with pytest.raises(CommandFailed) as failed:
            await desk.send(pay(13))
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert str(failed.value) == "ZeroDivisionError"


async def test_while_the_database_is_away_whoever_waits_hears_it_and_the_desk_goes_on(database: Database) -> None:
    async with open_desk(database) as (desk, slow):
        slow.error = Transient("database")
        told = await asyncio.gather(*(desk.send(pay(key=f"k{number}")) for number in range(3)), return_exceptions=True)
        assert [type(error) for error in told] == [Transient] * 3
        slow.error = None
        assert not (await desk.send(pay(key="k0"))).repeated


async def test_an_error_that_nobody_foresaw_reaches_whoever_waits_and_the_desk_goes_on(database: Database) -> None:
    async with open_desk(database) as (desk, slow):
        slow.error = LookupError("of the desk itself")
        with pytest.raises(CommandFailed) as failed:
            await desk.send(pay())
        assert failed.value.__cause__ is slow.error
        slow.error = None
        await desk.send(pay())


async def test_a_command_whose_sender_has_gone_before_its_turn_is_not_carried_out(database: Database) -> None:
    async with open_desk(database) as (desk, slow):
        slow.may_go_on.clear()
        running = asyncio.create_task(desk.send(pay()))
        while not slow.groups:
            await asyncio.sleep(0)
        gone = asyncio.create_task(desk.send(pay(100)))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        slow.may_go_on.set()
        await running
        assert json.loads((await desk.send(pay())).body) == {"balance": 2}
    assert desk.unfinished == 0


async def test_a_stopping_desk_finishes_what_it_has_and_turns_the_rest_away(database: Database) -> None:
    slow = Slow(settler())
    desk = Desk(slow, database)  # pyright: ignore[reportArgumentType]
    stop = asyncio.Event()
    waiting = [asyncio.create_task(desk.send(pay())) for _ in range(5)]
    await asyncio.sleep(0)
    stop.set()
    await desk.run(stop)
    assert [json.loads((await each).body)["balance"] for each in waiting] == [1, 2, 3, 4, 5]
    with pytest.raises(Transient):
        await desk.send(pay())


async def test_many_at_the_same_subject_never_conflict_inside_one_process(database: Database) -> None:
    async with open_desk(database) as (desk, slow):
        people = [an_id(f"account {number}") for number in range(10)]
        sent = [desk.send(pay(1, people[number % 10], key=f"k{number}")) for number in range(200)]
        await asyncio.gather(*sent)
    assert sum(size for _, size in slow.groups) == 200
    bank = Till(database.county(COUNTY))
    assert [(await bank.account(id)).balance for id in people] == [20] * 10
