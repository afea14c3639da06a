"""Deadlines and rounds: everything that is due is done, in its order, whatever fails; and with a stepped clock nothing moves by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.runtime import turns as turns_module
from services.runtime.clock import HandClock, VirtualClock
from services.runtime.deciding import Command, Decision
from services.runtime.errors import Transient
from services.runtime.store import Database
from services.runtime.turns import Turns
from tests.runtime.lines import until
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, CARLA, START, Account, Bank, Pay, Remind, an_id, settler

COUNTY, ELSEWHERE = "10000", "20000"
DAY = timedelta(days=1)


@pytest.fixture
def bank(database: Database) -> Till:
    return Till(database.county(COUNTY))


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


def turns_of(database: Database, clock: HandClock, rules: Bank | None = None, **settings: Any) -> Turns:
    return Turns(settler(rules, clock=clock), database, clock, [COUNTY, ELSEWHERE], **settings)


async def remind(bank: Till, account: str, *after_days: float) -> None:
    at = tuple(START + DAY * days for days in after_days)
    await bank.take(Command(bank.county, "", Remind(account=account, at=at)))


# --- one turn -------------------------------------------------------------------------------------------------------------


async def test_what_is_due_is_done_and_what_is_not_is_left(database: Database, bank: Till, clock: HandClock) -> None:
    await remind(bank, ANNA, 1)
    await remind(bank, BERT, 2)
    await remind(bank, CARLA, 3)
    turns = turns_of(database, clock)
    clock.set(START + 2 * DAY)
    await turns.turn()
    assert await bank.entries(ANNA) == ["reminded 02.03."]
    assert await bank.entries(BERT) == ["reminded 03.03."]
    assert await bank.entries(CARLA) == []
    assert turns.done_to == START + 2 * DAY


async def test_a_deadline_is_due_in_the_instant_that_it_names_and_not_before(
    database: Database, bank: Till, clock: HandClock
) -> None:
    await remind(bank, ANNA, 1)
    turns = turns_of(database, clock)
    clock.set(START + DAY - timedelta(milliseconds=1))
    await turns.turn()
    assert await bank.entries(ANNA) == []
    clock.set(START + DAY)
    await turns.turn()
    assert await bank.entries(ANNA) == ["reminded 02.03."]


async def test_more_than_a_page_is_done_in_one_turn(
    database: Database, bank: Till, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "PAGE", 5)
    people = [an_id(f"account {number}") for number in range(23)]
    await bank.take(*(Command(COUNTY, "", Remind(account=id, at=(START,))) for id in people))
    swept: list[tuple[int, int]] = []
    await turns_of(database, clock, swept=lambda decided, failed: swept.append((decided, failed))).turn()
    assert [await bank.entries(id) for id in people] == [["reminded 01.03."]] * 23
    assert swept == [(5, 0)] * 4 + [(3, 0)]


async def test_all_deadlines_behind_one_state_are_done_in_one_turn_and_in_their_order(
    database: Database, bank: Till, clock: HandClock
) -> None:
    """A clock that moves by months may leave more of them behind than one thinks."""
    days = [9.0, 3.0, 7.0, 1.0, 5.0, 8.0, 2.0, 6.0, 4.0]
    await remind(bank, ANNA, *days)
    await remind(bank, BERT, 2.0)
    clock.set(START + 8 * DAY)
    await turns_of(database, clock).turn()
    assert await bank.entries(ANNA) == [f"reminded {START + DAY * day:%d.%m.}" for day in range(1, 9)]
    assert await bank.entries(BERT) == ["reminded 03.03."]
    assert (await bank.account(ANNA)).reminders == (START + 9 * DAY,)


async def test_one_that_fails_holds_up_no_other_and_is_tried_again_in_the_next_turn(
    database: Database, bank: Till, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "PAGE", 2)
    people = [an_id(f"account {number}") for number in range(9)]
    for number, id in enumerate(people):
        await bank.take(Command(COUNTY, "", Pay(account=id, amount=number)))
        await remind(bank, id, number / 100)
    clock.set(START + DAY)
    swept: list[tuple[int, int]] = []
    rules = Bank(fails_on=frozenset({1, 2, 3, 4}))
    await turns_of(database, clock, rules, swept=lambda decided, failed: swept.append((decided, failed))).turn()
    reminded = [number for number, id in enumerate(people) if "reminded 01.03." in await bank.entries(id)]
    assert reminded == [0, 5, 6, 7, 8]
    assert (sum(decided for decided, _ in swept), sum(failed for _, failed in swept)) == (5, 4)
    await turns_of(database, clock, Bank()).turn()
    assert [("reminded 01.03." in await bank.entries(id)) for id in people] == [True] * 9


async def test_a_deadline_that_a_rule_does_not_take_away_does_not_turn_for_ever(
    database: Database, bank: Till, clock: HandClock
) -> None:
    class Lazy(Bank):
        def _reminded(self, own: Account, now: datetime) -> Decision:
            return Decision()

    await remind(bank, ANNA, 0)
    await turns_of(database, clock, Lazy()).turn()
    assert (await bank.account(ANNA)).reminders == (START,)


async def test_each_county_has_its_turn(database: Database, bank: Till, clock: HandClock) -> None:
    other = Till(database.county(ELSEWHERE))
    await remind(bank, ANNA, 0)
    await remind(other, BERT, 0)
    rounds: list[str] = []

    async def round(county: str) -> None:
        rounds.append(county)

    turns = turns_of(database, clock, round=round)
    await turns.turn()
    assert await bank.entries(ANNA) == ["reminded 01.03."]
    assert await other.entries(BERT) == ["reminded 01.03."]
    assert rounds == [COUNTY, ELSEWHERE]


async def test_a_round_sees_what_the_deadlines_of_its_turn_did(
    database: Database, bank: Till, clock: HandClock
) -> None:
    await remind(bank, ANNA, 0)
    seen: list[list[str]] = []

    async def round(county: str) -> None:
        seen.append(await bank.entries(ANNA))

    await turns_of(database, clock, round=round).turn()
    assert seen[0] == ["reminded 01.03."]


# --- turn after turn --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(turns: Turns) -> AsyncIterator[Turns]:
    stop = asyncio.Event()
    loop = asyncio.create_task(turns.run(stop))
    try:
        yield turns
    finally:
        stop.set()
        await loop


class Rounds:
    """Counts rounds; each may be told to fail."""

    def __init__(self) -> None:
        self.count = 0
        self.errors: list[Exception] = []

    async def __call__(self, county: str) -> None:
        if county != COUNTY:
            return
        self.count += 1
        if self.errors:
            raise self.errors.pop()


async def test_with_a_stepped_clock_a_turn_comes_at_the_start_and_when_it_is_moved_and_at_no_other_time(
    database: Database, bank: Till
) -> None:
    async def keep(instant: datetime) -> None:
        await database.set_meta("clock", now=instant)

    clock, rounds = VirtualClock(START, keep), Rounds()
    turns = turns_of(database, clock, round=rounds, stepped=True, interval=0.01)
    async with running(turns):
        await until(lambda: turns.done_to == START)
        await remind(bank, ANNA, 0)
        turns.changed()
        spoken: list[object] = []
        turns._turned = spoken.append
        await until(lambda: len(spoken) >= 3)  # the loop shows progress meanwhile
        assert (rounds.count, await bank.entries(ANNA)) == (1, [])

        await clock.move(START + DAY)
        assert await database.meta("clock") == {"_id": "clock", "now": START + DAY}
        turns.moved()
        await until(lambda: turns.done_to == START + DAY)
        assert (rounds.count, await bank.entries(ANNA)) == (2, ["reminded 01.03."])


async def test_a_move_in_the_middle_of_a_turn_brings_another_one(database: Database, bank: Till) -> None:
    clock = HandClock(START)
    seen: list[datetime] = []

    async def round(county: str) -> None:
        if county == COUNTY:
            seen.append(clock.now())
            if len(seen) == 1:
                clock.set(START + DAY)
                turns.moved()

    turns = turns_of(database, clock, round=round, stepped=True)
    async with running(turns):
        await until(lambda: turns.done_to == START + DAY)
    assert seen == [START, START + DAY]


async def test_with_real_time_deadlines_are_swept_without_anybody_asking(
    database: Database, bank: Till, clock: HandClock
) -> None:
    turns = turns_of(database, clock, interval=0.01)
    async with running(turns):
        await until(lambda: turns.done_to is not None)
        await remind(bank, ANNA, 0)
        entries: list[str] = []
        while not entries:
            entries = await bank.entries(ANNA)
            await asyncio.sleep(0.01)
    assert entries == ["reminded 01.03."]


async def test_with_real_time_a_change_brings_a_round_and_rounds_come_anyway(
    database: Database, clock: HandClock
) -> None:
    rounds = Rounds()
    turns = turns_of(database, clock, round=rounds, interval=0.02)
    async with running(turns):
        for count in (1, 2, 3):
            await until(lambda count=count: rounds.count >= count)
            turns.changed()
        await until(lambda: rounds.count >= 6)  # nobody changes anything any more


async def test_a_round_is_left_out_while_nothing_changes_and_deadlines_are_not(
    database: Database, clock: HandClock
) -> None:
    rounds = Rounds()
    turns = turns_of(database, clock, round=rounds, interval=0.02)
    swept: list[datetime | None] = []
    turns._turned = lambda error: swept.append(turns.done_to)
    async with running(turns):
        await until(lambda: len(swept) >= 12)
    assert 2 <= rounds.count <= len(swept) / 3


async def test_while_the_database_is_away_the_loop_says_so_and_goes_on_afterwards(
    database: Database, clock: HandClock
) -> None:
    rounds, said = Rounds(), list[Transient | None]()
    rounds.errors = [Transient("database"), Transient("database")]
    turns = turns_of(database, clock, round=rounds, stepped=True, turned=said.append)
    async with running(turns):
        await until(lambda: turns.done_to == START)
        await until(lambda: said[-1] is None)
    assert [error.what for error in said if error is not None] == ["database", "database"]
    assert rounds.count == 3


async def test_after_a_restart_the_clock_stands_where_it_stood_and_what_came_due_is_done(
    database: Database, bank: Till
) -> None:
    """Killed between storing the new time and acting on it."""
    await remind(bank, ANNA, 5)

    async def keep(instant: datetime) -> None:
        await database.set_meta("clock", now=instant)

    await VirtualClock(START, keep).move(START + 6 * DAY)
    kept = await database.meta("clock")
    assert kept is not None
    restarted = VirtualClock(START, keep)
    restarted.set(kept["now"])
    turns = turns_of(database, restarted, stepped=True)
    async with running(turns):
        await until(lambda: turns.done_to == START + 6 * DAY)
    assert await bank.entries(ANNA) == ["reminded 06.03."]
