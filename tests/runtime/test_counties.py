"""Two counties in one database: to each of them the other is not there, also where both come upon the same id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.settle import Outcome, Result
from services.runtime.store import Database, Unit
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, CARLA, Greeted, Paid, Pay, Transfer, Watched, record

HERE, ELSEWHERE = "10000", "20000"

APPLIED, DEAD, REFUSED, SKIPPED = Result.APPLIED, Result.DEAD, Result.REFUSED, Result.SKIPPED


@pytest.fixture
async def here(database: Database) -> Till:
    """A bank in a county, in another county of which Anna has an account."""
    elsewhere = Till(database.county(ELSEWHERE))
    assert await elsewhere.take(Command(ELSEWHERE, "", Pay(account=ANNA, amount=7))) == [APPLIED]
    return Till(database.county(HERE))


@pytest.fixture
async def elsewhere(database: Database) -> Till:
    return Till(database.county(ELSEWHERE))


def refusal(outcome: Outcome) -> tuple[str, int]:
    assert outcome.result is REFUSED
    assert isinstance(outcome.error, Refused)
    assert not outcome.error.params
    return outcome.error.code, outcome.error.status


async def test_a_command_for_an_id_of_another_county_is_told_that_it_cannot_be_used(here: Till) -> None:
    pay = Command(here.county, "k1", Pay(account=ANNA, amount=10))
    for _ in range(2):
        (outcome,) = await here.settle(pay)
        assert refusal(outcome) == ("id-not-usable", 409)
    assert await here.store.find("commands", {}) == []


async def test_a_rule_that_asks_for_something_that_exists_answers_as_if_it_did_not(here: Till) -> None:
    for giver in (ANNA, CARLA):
        (outcome,) = await here.settle(Command(here.county, "", Transfer(giver=giver, taker=BERT, amount=1)))
        assert refusal(outcome) == ("overdrawn", 409)


async def test_nobody_races_for_an_id_of_another_county(here: Till) -> None:
    """It will not be free the next time either: nothing is tried again, and nobody pauses."""
    await here.settle(Command(here.county, "", Pay(account=ANNA, amount=10)))
    assert isinstance(here.settler.watcher, Watched)
    assert here.settler.watcher.conflicts == 0


async def test_others_of_the_same_group_are_carried_out(here: Till, elsewhere: Till) -> None:
    pay = [Command(here.county, f"k{id}", Pay(account=id, amount=10)) for id in (BERT, ANNA, CARLA)]
    assert await here.take(*pay) == [APPLIED, REFUSED, APPLIED]
    assert await here.entries(BERT) == await here.entries(CARLA) == ["+10"]
    assert await elsewhere.entries(ANNA) == ["+7"]


async def test_records_about_a_subject_of_another_county_are_dead_letters_whatever_they_say(
    here: Till, elsewhere: Till
) -> None:
    batch = [
        record(here.county, BERT, 1, Paid(amount=1)),
        record(here.county, ANNA, 1, Paid(amount=1)),
        record(here.county, ANNA, 3, Paid(amount=3)),
        record(here.county, ANNA, 1, Greeted()),
        record(here.county, BERT, 2, Paid(amount=2)),
    ]
    assert await here.take(*batch) == [APPLIED, DEAD, DEAD, DEAD, APPLIED]
    assert await here.reasons() == ["foreign-subject"] * 3
    assert f"'{ELSEWHERE}" not in str(await here.letters())
    assert await here.parked(ANNA) == []
    assert await here.entries(BERT) == ["+1", "+2"]
    assert await elsewhere.entries(ANNA) == ["+7"]
    assert await elsewhere.letters() == []


async def test_such_a_dead_letter_can_be_discarded_and_does_not_come_again(here: Till) -> None:
    paid = record(here.county, ANNA, 1, Paid(amount=1))
    await here.take(paid)
    (letter,) = await here.letters()
    assert (await here.replay(letter["_id"], paid)).result is DEAD
    assert (await here.discard(letter["_id"], paid)).result is SKIPPED
    assert await here.take(paid) == [SKIPPED]
    assert await here.letters() == []


async def test_an_operator_who_comes_too_late_to_discard_it_is_told_so(here: Till) -> None:
    paid = record(here.county, ANNA, 1, Paid(amount=1))
    await here.take(paid)
    (letter,) = await here.letters()
    await here.discard(letter["_id"], paid)
    late = await here.discard(letter["_id"], paid)
    assert (late.result, str(late.error)) == (DEAD, "dead-letter-settled")


async def test_two_first_writers_of_one_county_still_meet_as_before(database: Database) -> None:
    """The one who comes second finds the other's account and books on it."""
    first, second = Till(database.county(HERE)), Till(database.county(HERE))
    slow: Any = _Late(second.store, before=lambda: first.take(Command(HERE, "", Pay(account=BERT, amount=1))))
    outcomes = await second.settler.settle(slow, [Command(HERE, "", Pay(account=BERT, amount=2))])
    assert [outcome.result for outcome in outcomes] == [APPLIED]
    assert await first.entries(BERT) == ["+1", "+2"]


class _Late:
    """A store before whose first commit something else happens."""

    def __init__(self, store: Any, before: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._before: Callable[[], Awaitable[object]] | None = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, unit: Unit) -> int:
        before, self._before = self._before, None
        if before is not None:
            await before()
        return await self._store.commit(unit)
