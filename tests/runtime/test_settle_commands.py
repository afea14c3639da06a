"""Commands: each takes effect once however often it is sent, and none hinders another.

Each scenario is told to the store in memory and to the real database.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from services.runtime.deciding import Command
from services.runtime.errors import Refused, Transient
from services.runtime.settle import Outcome, Result
from tests.runtime.faults import interrupted
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, Bank, Close, Paid, Pay, Print, Transfer, record

APPLIED, REPEATED, REFUSED, FAILED = Result.APPLIED, Result.REPEATED, Result.REFUSED, Result.FAILED


def command(till: Till, data: BaseModel, key: str = "", actor: str = "clerk", place: int = 0) -> Command:
    return Command(till.county, key, data, actor, place=place)


def answer(outcome: Outcome) -> Any:
    assert outcome.answer is not None
    return json.loads(outcome.answer)


def refusal(outcome: Outcome) -> str:
    assert outcome.result is REFUSED
    assert isinstance(outcome.error, Refused)
    return outcome.error.code


async def test_a_command_is_answered_and_told(till: Till) -> None:
    (outcome,) = await till.settle(command(till, Pay(account=ANNA, amount=10), "k1"))
    assert (outcome.result, answer(outcome)) == (APPLIED, {"balance": 10})
    assert await till.told(ANNA) == [(1, "booked", {"amount": 10})]


async def test_the_same_command_again_hears_the_same_answer_and_changes_nothing(till: Till) -> None:
    pay = command(till, Pay(account=ANNA, amount=10), "k1")
    await till.take(pay)
    await till.take(command(till, Pay(account=ANNA, amount=1), "k2"))
    (again,) = await till.settle(pay)
    assert (again.result, answer(again)) == (REPEATED, {"balance": 10})
    assert await till.entries(ANNA) == ["+10", "+1"]


async def test_the_same_command_twice_in_one_group_takes_effect_once(till: Till) -> None:
    pay = command(till, Pay(account=ANNA, amount=10), "k1")
    first, second = await till.settle(pay, pay)
    assert (first.result, second.result) == (APPLIED, REPEATED)
    assert first.answer == second.answer
    assert await till.entries(ANNA) == ["+10"]


@pytest.mark.parametrize("together", [True, False])
async def test_a_key_with_another_command_is_refused(till: Till, together: bool) -> None:
    pay, other = (command(till, Pay(account=ANNA, amount=amount), "k1") for amount in (10, 11))
    outcomes = await till.settle(pay, other) if together else [*await till.settle(pay), *await till.settle(other)]
    assert outcomes[0].result is APPLIED
    assert refusal(outcomes[1]) == "idempotency-key-reused"
    assert await till.entries(ANNA) == ["+10"]


async def test_a_key_with_a_command_of_another_kind_but_the_same_content_is_refused(till: Till) -> None:
    class Borrow(Pay): ...

    await till.take(command(till, Pay(account=ANNA, amount=10), "k1"))
    (outcome,) = await till.settle(command(till, Borrow(account=ANNA, amount=10), "k1"))
    assert refusal(outcome) == "idempotency-key-reused"


async def test_a_list_sent_under_one_key_is_answered_place_by_place_also_when_a_part_of_it_comes_again(
    till: Till,
) -> None:
    payments = [
        command(till, Pay(account=ANNA, amount=amount), "list", place=place)
        for place, amount in enumerate((1, 20, 300))
    ]
    await till.take(payments[0])
    outcomes = await till.settle(*payments)
    assert [outcome.result for outcome in outcomes] == [REPEATED, APPLIED, APPLIED]
    assert [answer(outcome) for outcome in outcomes] == [{"balance": 1}, {"balance": 21}, {"balance": 321}]
    again = await till.settle(*reversed(payments))
    assert [(outcome.result, answer(outcome)["balance"]) for outcome in again] == [
        (REPEATED, 321),
        (REPEATED, 21),
        (REPEATED, 1),
    ]
    assert await till.entries(ANNA) == ["+1", "+20", "+300"]


async def test_two_people_may_come_upon_the_same_key(till: Till) -> None:
    hers = command(till, Pay(account=ANNA, amount=10), "1", actor="clara")
    his = command(till, Pay(account=BERT, amount=20), "1", actor="carl")
    assert await till.take(hers, his) == [APPLIED, APPLIED]
    assert [answer(outcome) for outcome in await till.settle(hers, his)] == [{"balance": 10}, {"balance": 20}]


async def test_commands_without_a_key_are_decided_each_time(till: Till) -> None:
    pay = command(till, Pay(account=ANNA, amount=10))
    assert await till.take(pay, pay) == [APPLIED, APPLIED]
    assert await till.store.find("commands", {}) == []


async def test_a_refused_command_leaves_no_answer_and_may_be_sent_again(till: Till) -> None:
    withdraw = command(till, Pay(account=ANNA, amount=-10), "k1")
    (first,) = await till.settle(withdraw)
    assert refusal(first) == "overdrawn"
    await till.take(command(till, Pay(account=ANNA, amount=15)))
    assert await till.take(withdraw) == [APPLIED]
    assert await till.entries(ANNA) == ["+15", "-10"]


async def test_neither_a_refused_nor_a_failing_command_hinders_the_others(till: Till) -> None:
    till.open(Bank(fails_on=frozenset({13})))
    results = await till.take(
        command(till, Pay(account=ANNA, amount=10), "k1"),
        command(till, Pay(account=ANNA, amount=-99), "k2"),
        command(till, Pay(account=ANNA, amount=13), "k3"),
        command(till, Pay(account=ANNA, amount=5), "k4"),
    )
    assert results == [APPLIED, REFUSED, FAILED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "+5"]


async def test_later_commands_of_a_group_see_what_earlier_ones_did(till: Till) -> None:
    results = await till.take(
        command(till, Transfer(giver=ANNA, taker=BERT, amount=10)),
        command(till, Pay(account=ANNA, amount=10)),
        command(till, Transfer(giver=ANNA, taker=BERT, amount=10)),
        command(till, Transfer(giver=ANNA, taker=BERT, amount=10)),
    )
    assert results == [REFUSED, APPLIED, APPLIED, REFUSED]
    assert ((await till.account(ANNA)).balance, (await till.account(BERT)).balance) == (0, 10)


async def test_commands_and_records_may_meet_in_one_batch(till: Till) -> None:
    paid = record(till.county, ANNA, 1, Paid(amount=10))
    assert await till.take(paid, command(till, Pay(account=ANNA, amount=-10), "k1")) == [APPLIED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "-10"]


# --- crashes ------------------------------------------------------------------------------------------------------------


async def test_a_command_that_never_reached_the_database_is_carried_out_when_sent_again(till: Till) -> None:
    pay = command(till, Pay(account=ANNA, amount=10), "k1")
    with pytest.raises(Transient):
        await till.settler.settle(interrupted(till.store, ["before"]), [pay])
    assert await till.entries(ANNA) == []
    till.open()
    assert await till.take(pay) == [APPLIED]
    assert await till.entries(ANNA) == ["+10"]


async def test_after_a_crash_between_commit_and_answer_the_answer_is_still_there(till: Till) -> None:
    pay = command(till, Pay(account=ANNA, amount=10), "k1")
    with pytest.raises(Transient):
        await till.settler.settle(interrupted(till.store, ["after"]), [pay])
    till.open()
    (again,) = await till.settle(pay)
    assert (again.result, answer(again)) == (REPEATED, {"balance": 10})
    assert await till.entries(ANNA) == ["+10"]
    assert len(await till.told(ANNA)) == 1


# --- what the database refuses ------------------------------------------------------------------------------------------


async def test_a_command_that_cannot_be_written_fails_alone(till: Till) -> None:
    results = await till.take(
        command(till, Pay(account=ANNA, amount=10), "k1"),
        command(till, Pay(account=BERT, amount=2**70), "k2"),  # more than the database's whole numbers hold
        command(till, Print(account=ANNA, slip="blank"), "k3"),  # not as the collection declares it
        command(till, Print(account=ANNA, slip="unprintable"), "k4"),  # the service cannot even say what to write
        command(till, Pay(account=ANNA, amount=5), "k5"),
    )
    assert results == [APPLIED, FAILED, FAILED, FAILED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "+5"]
    assert await till.entries(BERT) == []
    assert await till.store.find("slips", {}) == []


async def test_a_name_that_is_taken_fails_the_command_that_wants_it_and_no_other(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.contention.PATIENCE", 3)
    assert await till.take(command(till, Print(account=ANNA, slip="7"))) == [APPLIED]
    results = await till.take(
        command(till, Pay(account=BERT, amount=10)),
        command(till, Print(account=BERT, slip="7")),
        command(till, Pay(account=BERT, amount=5)),
    )
    assert results == [APPLIED, FAILED, APPLIED]
    assert await till.entries(BERT) == ["+10", "+5"]
    assert [slip["account"] for slip in await till.store.find("slips", {})] == [ANNA]


async def test_a_command_may_close_what_others_of_its_group_wrote_to(till: Till) -> None:
    results = await till.take(
        command(till, Pay(account=ANNA, amount=10)),
        command(till, Close(account=ANNA)),
        command(till, Pay(account=ANNA, amount=5)),
    )
    assert results == [APPLIED, APPLIED, APPLIED]
    assert (await till.account(ANNA)).closed
    assert await till.told(ANNA) == [(1, "blank", {}), (2, "closed", {})]
