"""What a process wrote last saves loading it again, and is never believed where somebody else may know better."""

from __future__ import annotations

import pytest

from services.runtime.deciding import Command
from services.runtime.errors import Transient
from services.runtime.reading import Fetched
from services.runtime.recent import Recent
from services.runtime.records import Stored
from services.runtime.settle import Result
from tests.runtime.faults import interrupted, unreadable
from tests.runtime.memory_store import MemoryStore
from tests.runtime.till import Till
from tests.runtime.toy import Account, Bank, Befriend, Greeted, Paid, Pay, Transfer, reader, record

ANNA, BERT, CARL = (f"{number:08d}-0000-4000-8000-000000000000" for number in (1, 2, 3))
APPLIED = Result.APPLIED


def paid(till: Till, account: str, number: int, amount: int) -> Fetched:
    return reader().read(record(till.county, account, number, Paid(amount=amount)))


async def put_back_an_empty_copy(till: Till) -> None:
    if isinstance(till.store, MemoryStore):
        till.store.collections.clear()
    else:
        for name in ("accounts", "outbox", "unpublished"):
            await till.store._raw[name].delete_many({})


async def test_the_next_record_about_a_subject_loads_nothing(till: Till) -> None:
    await till.settle(paid(till, ANNA, 1, 10))
    deaf = unreadable(till.store, Transient("database"), nth=1)
    (outcome,) = await till.settler.settle(deaf, [paid(till, ANNA, 2, 20)])
    assert outcome.result is APPLIED
    assert await till.entries(ANNA) == ["+10", "+20"]


async def test_what_another_process_wrote_meanwhile_is_not_lost(till: Till) -> None:
    other = Till(till.store)
    await till.settle(paid(till, ANNA, 1, 10))
    await other.settle(paid(till, ANNA, 2, 20))
    assert await till.take(paid(till, ANNA, 3, 30)) == [APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20", "+30"]


async def test_a_command_is_decided_upon_what_is_stored(till: Till) -> None:
    other = Till(till.store)
    await till.settle(paid(till, ANNA, 1, 10))
    await other.settle(Command(till.county, "", Pay(account=ANNA, amount=20)))
    (outcome,) = await till.settle(Command(till.county, "", Pay(account=ANNA, amount=30)))
    assert outcome.answer == b'{"balance":60}'


async def test_the_next_command_about_a_subject_loads_nothing(till: Till) -> None:
    await till.settle(Command(till.county, "", Pay(account=ANNA, amount=20)))
    deaf = unreadable(till.store, Transient("database"), nth=1)
    (outcome,) = await till.settler.settle(deaf, [Command(till.county, "", Pay(account=ANNA, amount=30))])
    assert outcome.answer == b'{"balance":50}'


async def test_a_command_is_not_refused_for_what_somebody_else_has_changed(till: Till) -> None:
    other = Till(till.store)
    await till.settle(paid(till, ANNA, 1, 10))
    await other.settle(Command(till.county, "", Pay(account=ANNA, amount=90)))
    (outcome,) = await till.settle(Command(till.county, "", Transfer(giver=ANNA, taker=BERT, amount=50)))
    assert outcome.result is APPLIED
    assert await till.entries(ANNA) == ["+10", "+90", "-50"]


async def test_nobody_is_answered_from_memory_alone(till: Till) -> None:
    """What the command asks for is so already, as this process remembers; somebody else has changed it since."""
    other = Till(till.store)
    await till.settle(Command(till.county, "", Befriend(account=ANNA, friend=BERT)))
    await other.settle(Command(till.county, "", Befriend(account=ANNA, friend=CARL)))
    (outcome,) = await till.settle(Command(till.county, "", Befriend(account=ANNA, friend=BERT)))
    assert outcome.result is APPLIED
    assert (await till.account(ANNA)).friend == BERT


async def test_a_message_that_only_reads_another_subject_reads_what_is_stored(till: Till) -> None:
    """In the same batch a record about the friend is a repetition, so that the friend would not be written and nothing would guard it."""
    other = Till(till.store)
    await till.settle(paid(till, BERT, 1, 10))
    await other.settle(Command(till.county, "", Befriend(account=BERT, friend=CARL)))
    await till.settle(Command(till.county, "", Befriend(account=ANNA, friend=BERT)))
    assert await till.take(paid(till, BERT, 1, 10), paid(till, ANNA, 1, 5)) == [Result.REPEATED, APPLIED]
    assert await till.entries(BERT) == ["+10", "+5"]
    assert (await till.account(BERT)).friend == CARL


async def test_after_a_commit_of_which_nobody_knows_the_outcome_states_are_loaded(till: Till) -> None:
    await till.settle(paid(till, ANNA, 1, 10))
    failing = interrupted(till.store, ["after"])
    with pytest.raises(Transient):
        await till.settler.settle(failing, [paid(till, ANNA, 2, 20)])
    assert await till.take(paid(till, ANNA, 2, 20), paid(till, ANNA, 3, 30)) == [Result.REPEATED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20", "+30"]


async def test_a_repetition_is_believed_only_if_the_database_says_so(till: Till) -> None:
    """Somebody has put an older copy of the database back."""
    await till.settle(paid(till, ANNA, 1, 10))
    await put_back_an_empty_copy(till)
    assert await till.take(paid(till, ANNA, 1, 10)) == [APPLIED]
    assert await till.entries(ANNA) == ["+10"]


async def test_a_rule_that_fails_on_what_was_assumed_is_asked_again(till: Till) -> None:
    """A newer program has applied meanwhile what this one cannot: it is a repetition, and no dead letter."""
    other = Till(till.store)
    till.open(Bank(fails_on=frozenset({20})))
    await till.settle(paid(till, ANNA, 1, 10))
    await other.settle(paid(till, ANNA, 2, 20))
    assert await till.take(paid(till, ANNA, 2, 20), paid(till, ANNA, 3, 30)) == [Result.REPEATED, APPLIED]
    assert await till.letters() == []
    assert await till.entries(ANNA) == ["+10", "+20", "+30"]


async def test_what_is_parked_behind_a_state_is_loaded_with_it(till: Till) -> None:
    await till.settle(paid(till, ANNA, 1, 10))
    assert await till.take(paid(till, ANNA, 3, 30)) == [Result.PARKED]
    assert await till.take(paid(till, ANNA, 2, 20)) == [APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20", "+30"]


async def test_a_number_without_a_meaning_here_is_remembered_too(till: Till) -> None:
    await till.settle(paid(till, ANNA, 1, 10))
    assert await till.take(record(till.county, ANNA, 2, Greeted())) == [Result.SKIPPED]
    assert await till.take(paid(till, ANNA, 3, 30)) == [APPLIED]
    assert await till.applied(ANNA) == 3


def test_the_state_not_used_for_longest_goes_first() -> None:
    recent = Recent(most=2)
    for id in (ANNA, BERT):
        recent.keep("10000", [Stored(Account(id=id))])
    assert recent.find("10000", Account(id=ANNA).subject) is not None
    recent.keep("10000", [Stored(Account(id=CARL))])
    kept = [id for id in (ANNA, BERT, CARL) if recent.find("10000", Account(id=id).subject) is not None]
    assert kept == [ANNA, CARL]


def test_a_state_of_one_county_is_none_of_another() -> None:
    recent = Recent()
    recent.keep("10000", [Stored(Account(id=ANNA))])
    assert recent.find("20000", Account(id=ANNA).subject) is None
