"""Forgetting: nothing of what was said about a subject is kept, the numbers stay, and no repetition brings it back.

Each scenario is told to the store in memory and to the real database.
"""

from __future__ import annotations

from services.runtime.deciding import Command, Due
from services.runtime.records import RawRecord
from services.runtime.settle import Result
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, Account, Close, OwnerErased, Paid, Pay, Remind, Weighed, account, record

APPLIED, PARKED, DEAD, SKIPPED = Result.APPLIED, Result.PARKED, Result.DEAD, Result.SKIPPED


def paid(till: Till, sequence: int, amount: int, id: str = ANNA, value: bytes | None = None) -> RawRecord:
    return record(till.county, id, sequence, Paid(amount=amount), value=value)


def erased(till: Till, sequence: int, id: str = ANNA) -> RawRecord:
    return record(till.county, id, sequence, OwnerErased())


async def everything(till: Till) -> str:
    """All that lies in the store, as text."""
    found = [await till.store.find(name, {}) for name in ("accounts", "outbox", "parked", "dead_letters", "slips")]
    return str(found)


async def test_the_history_is_emptied_and_keeps_its_numbers(till: Till) -> None:
    await till.take(paid(till, 1, 47114711471), paid(till, 1, 5, BERT), paid(till, 2, 47114711472))
    await till.take(erased(till, 3))
    assert await till.told(ANNA) == [(1, "blank", {}), (2, "blank", {}), (3, "closed", {})]
    assert await till.told(BERT) == [(1, "booked", {"amount": 5})]
    assert await till.account(ANNA) == Account(id=ANNA, closed=True)
    assert "4711471147" not in await everything(till)


async def test_what_was_said_in_the_same_batch_is_forgotten_too(till: Till) -> None:
    await till.take(paid(till, 1, 47114711471), erased(till, 2))
    assert await till.told(ANNA) == [(1, "blank", {}), (2, "closed", {})]
    assert "47114711471" not in await everything(till)


async def test_parked_and_dead_records_are_forgotten(till: Till) -> None:
    await till.take(
        record(till.county, ANNA, 2, Weighed(grams=47114711471)),
        paid(till, 1, 47114711471, value=b'{"amount": "47114711471 of anna"}'),
    )
    await till.take(Command(till.county, "", Close(account=ANNA)))
    assert await till.letters() == []
    (letter,) = await till.letters("erased")
    assert (letter["record"]["value"], letter["record"]["headers"]) == (None, [])
    assert "47114711471" not in await everything(till)


async def test_parked_and_dead_records_of_the_same_batch_are_forgotten(till: Till) -> None:
    results = await till.take(
        record(till.county, ANNA, 2, Weighed(grams=47114711471)),
        paid(till, 1, 47114711471, value=b'{"amount": "47114711471 of anna"}'),
        Command(till.county, "", Close(account=ANNA)),
    )
    assert results == [PARKED, DEAD, APPLIED]
    assert len(await till.letters("erased")) == 1
    assert "47114711471" not in await everything(till)


async def test_a_dead_letter_that_was_forgotten_does_not_come_back_when_it_is_delivered_again(till: Till) -> None:
    broken = paid(till, 1, 47114711471, value=b'{"amount": "47114711471 of anna"}')
    await till.take(broken)
    await till.take(Command(till.county, "", Close(account=ANNA)))
    await till.take(broken)
    assert await till.letters() == []
    assert "47114711471" not in await everything(till)


async def test_what_waited_behind_the_erasure_does_not_stop_the_sequence(till: Till) -> None:
    await till.take(paid(till, 3, 47114711471), paid(till, 4, 47114711472))
    await till.take(paid(till, 1, 47114711473), erased(till, 2))
    assert await till.applied(ANNA) == 4
    assert await till.parked(ANNA) == []
    assert await till.account(ANNA) == Account(id=ANNA, closed=True)
    assert "4711471147" not in await everything(till)


async def test_what_waits_behind_a_gap_keeps_its_place_without_its_content(till: Till) -> None:
    await till.take(record(till.county, ANNA, 2, Weighed(grams=47114711471)))
    await till.take(erased(till, 1), record(till.county, ANNA, 3, Weighed(grams=1)))
    assert await till.parked(ANNA) == [2, 3]
    assert "47114711471" not in await everything(till)
    await till.take(record(till.county, ANNA, 1, Weighed(grams=2)))
    assert await till.applied(ANNA, "post") == 3
    assert await till.parked(ANNA) == []


async def test_a_repetition_of_everything_does_not_bring_the_content_back(till: Till) -> None:
    log = [
        paid(till, 1, 47114711471),
        paid(till, 1, 5, BERT),
        paid(till, 2, 47114711472),
        erased(till, 3),
        paid(till, 4, 47114711473),
    ]
    await till.take(*log)
    before = await till.told(ANNA), await till.account(ANNA)
    till.open()
    await till.take(*log)
    await till.take(*reversed(log))
    assert (await till.told(ANNA), await till.account(ANNA)) == before
    assert "4711471147" not in await everything(till)


async def test_who_reads_an_emptied_history_from_the_start_ends_up_with_nothing(till: Till) -> None:
    """The histories of others are emptied the same way: blank events count and say nothing."""
    blank = [record(till.county, ANNA, number, Paid(amount=1), value=b"{}") for number in (1, 2)]
    blanks = [
        RawRecord(
            each.topic,
            0,
            0,
            each.key,
            each.value,
            tuple((name, b"wegenetz.shop.blank.v1" if name == "ce_type" else text) for name, text in each.headers),
        )
        for each in blank
    ]
    assert await till.take(*blanks, erased(till, 3)) == [SKIPPED, SKIPPED, APPLIED]
    assert await till.account(ANNA) == Account(id=ANNA, closed=True)


async def test_a_deadline_of_the_forgotten_is_gone(till: Till) -> None:
    await till.take(Command(till.county, "", Remind(account=ANNA, at=(till.clock.now(),))))
    await till.take(erased(till, 1))
    await till.take(Due(account(ANNA)))
    assert await till.entries(ANNA) == []


async def test_forgetting_one_leaves_its_neighbours_in_the_same_outbox_document_alone(till: Till) -> None:
    await till.take(*(Command(till.county, "", Pay(account=id, amount=7)) for id in (ANNA, BERT, ANNA)))
    await till.take(
        Command(till.county, "", Close(account=ANNA)), Command(till.county, "", Pay(account=BERT, amount=8))
    )
    assert [name for _, name, _ in await till.told(ANNA)] == ["blank", "blank", "closed"]
    assert [data for _, _, data in await till.told(BERT)] == [{"amount": 7}, {"amount": 8}]
