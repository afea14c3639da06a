"""What fails is told apart: a wrong message, a rule that fails on it, a write that is refused, and a world that is away.

Each scenario is told to the store in memory and to the real database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from services.runtime.deciding import Command, Due, Logic, Message, States, Subject
from services.runtime.errors import Transient
from services.runtime.records import NewerShape
from services.runtime.settle import Result, Settler
from services.runtime.telemetry import Telemetry
from tests.runtime.faults import Fault, interrupted, unreadable
from tests.runtime.till import Till
from tests.runtime.toy import (
    ANNA,
    BERT,
    CARLA,
    Bank,
    Befriend,
    Paid,
    Pay,
    Remind,
    Watched,
    evolve,
    reader,
    record,
    writes,
)

APPLIED, PARKED, DEAD, FAILED = Result.APPLIED, Result.PARKED, Result.DEAD, Result.FAILED


# --- rules ----------------------------------------------------------------------------------------------------------------


async def test_a_rule_that_fails_on_one_record_hinders_no_other(till: Till) -> None:
    till.open(Bank(fails_on=frozenset({13})))
    batch = [record(till.county, id, 1, Paid(amount=amount)) for id, amount in ((ANNA, 10), (BERT, 13), (CARLA, 30))]
    assert await till.take(*batch) == [APPLIED, DEAD, APPLIED]
    assert await till.reasons() == ["rule-failed"]


async def test_a_rules_failure_is_described_by_its_place_and_never_by_its_text(till: Till) -> None:
    till.open(Bank(fails_on=frozenset({13})))
    await till.take(record(till.county, ANNA, 1, Paid(amount=13)))
    (letter,) = await till.letters()
    assert letter["detail"].startswith("ZeroDivisionError at decide:")
    assert "somebody" not in str(letter)


@dataclass(frozen=True)
class Forgetful(Bank):
    """Its names fail on one account, and wrongly name a kind that nobody keeps for another."""

    def names(self, message: Message, states: States) -> Iterable[Subject]:
        for subject in super().names(message, states):
            if subject.id == BERT:
                raise LookupError("whose account was that")
            yield Subject("parcel", subject.id) if subject.id == CARLA else subject


async def test_names_that_fail_on_one_message_hinder_no_other(till: Till) -> None:
    till.open(Forgetful())
    batch = [record(till.county, id, 1, Paid(amount=10)) for id in (BERT, ANNA, CARLA)]
    assert await till.take(*batch) == [DEAD, APPLIED, DEAD]
    assert await till.take(Command(till.county, "k", Pay(account=BERT, amount=5))) == [FAILED]
    assert await till.entries(ANNA) == ["+10"]


@dataclass(frozen=True)
class Careless(Bank):
    """Fails after it has begun to change states."""

    def logic(self) -> Logic:
        def failing(state: object, fact: object, at: object) -> object:
            if getattr(state, "id", "") == BERT:
                raise RuntimeError("half way")
            return evolve(state, fact, at)  # pyright: ignore[reportArgumentType]

        return Logic("bank", super().logic().states, self.names, self.decide, failing, writes)


async def test_a_rule_that_fails_half_way_leaves_nothing_behind(till: Till) -> None:
    await till.take(Command(till.county, "", Befriend(account=ANNA, friend=BERT)))
    till.open(Careless())
    assert await till.take(record(till.county, ANNA, 1, Paid(amount=10))) == [DEAD]
    assert await till.entries(ANNA) == []
    assert await till.told(ANNA) == []


async def test_a_deadline_on_which_a_rule_fails_hinders_no_other(till: Till) -> None:
    till.open(Bank(fails_on=frozenset({13})))
    for id, amount in ((ANNA, 10), (BERT, 12), (CARLA, 14)):
        await till.take(
            Command(till.county, "", Pay(account=id, amount=amount)),
            Command(till.county, "", Remind(account=id, at=(till.clock.now(),))),
        )
    await till.take(Command(till.county, "", Pay(account=BERT, amount=1)))
    due = [Due(Subject("account", id)) for id in (ANNA, BERT, CARLA)]
    assert await till.take(*due) == [APPLIED, FAILED, APPLIED]
    assert await till.entries(CARLA) == ["+14", "reminded 01.03."]


# --- writes ---------------------------------------------------------------------------------------------------------------


async def test_a_record_that_cannot_be_written_becomes_a_dead_letter_and_no_other_does(till: Till) -> None:
    batch = [record(till.county, id, 1, Paid(amount=amount)) for id, amount in ((ANNA, 1), (BERT, 2**70), (CARLA, 3))]
    assert await till.take(*batch, record(till.county, BERT, 2, Paid(amount=2))) == [APPLIED, DEAD, APPLIED, PARKED]
    assert await till.reasons() == ["not-storable"]
    assert await till.entries(CARLA) == ["+3"]


async def test_the_parked_record_that_cannot_be_written_is_found_and_not_the_one_before_it(till: Till) -> None:
    waiting = [
        record(till.county, ANNA, sequence, Paid(amount=amount)) for sequence, amount in ((2, 20), (3, 2**70), (4, 40))
    ]
    await till.take(*waiting)
    assert await till.take(record(till.county, ANNA, 1, Paid(amount=10))) == [APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20"]
    (letter,) = await till.letters()
    assert (letter["reason"], letter["sequence"]) == ("not-storable", 3)
    assert [document["sequence"] for document in await till.store.find("parked", {})] == [4]


async def test_an_event_too_large_for_the_broker_is_never_written_down(till: Till) -> None:
    """It would stand at the head of its partition for ever."""
    pay = [Command(till.county, "", Pay(account=ANNA, amount=1, text="x" * length)) for length in (900_000, 950_000)]
    assert await till.take(*pay) == [APPLIED, FAILED]
    assert await till.entries(ANNA) == ["+1"]


# --- how many there are -----------------------------------------------------------------------------------------------------


async def test_a_record_behind_which_a_broken_one_waited_says_that_it_led_to_a_dead_letter(till: Till) -> None:
    waiting = [record(till.county, ANNA, 2, Paid(amount=20)), record(till.county, ANNA, 3, Paid(amount=30), value=b"{")]
    assert [outcome.dead for outcome in await till.settle(*waiting)] == [0, 0]
    (outcome,) = await till.settle(record(till.county, ANNA, 1, Paid(amount=10)))
    assert (outcome.result, outcome.dead) == (APPLIED, 1)


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_so_does_one_behind_which_something_waited_that_cannot_be_written(till: Till, number: int) -> None:
    batch = [record(till.county, ANNA, each, Paid(amount=2**70 if each == number else 1)) for each in (3, 2, 1)]
    assert sum(outcome.dead for outcome in await till.settle(*batch)) == len(await till.letters()) == 1


async def test_a_replay_that_fails_again_makes_no_new_dead_letter(till: Till) -> None:
    broken = record(till.county, ANNA, 1, Paid(amount=-1))
    await till.take(broken)
    (letter,) = await till.letters()
    assert (await till.replay(letter["_id"], broken)).dead == 0


# --- the world ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_database_that_goes_away_while_loading_makes_no_dead_letters(till: Till, nth: int) -> None:
    """Neither at the first load nor at one that only the decision asks for."""
    await till.take(Command(till.county, "", Befriend(account=ANNA, friend=BERT)))
    till.open()
    paid = record(till.county, ANNA, 1, Paid(amount=10))
    away = unreadable(till.store, Transient("database"), nth)
    with pytest.raises(Transient):
        await till.settler.settle(away, [reader().read(paid)])
    assert await till.letters() == []
    assert await till.take(paid) == [APPLIED]
    assert await till.entries(BERT) == ["+10"]


async def test_a_state_of_a_newer_program_is_no_fault_of_the_message(till: Till) -> None:
    await till.take(Command(till.county, "", Befriend(account=ANNA, friend=BERT)))
    till.open()
    newer = unreadable(till.store, NewerShape("account", 9), nth=2)
    with pytest.raises(NewerShape):
        await till.settler.settle(newer, [reader().read(record(till.county, ANNA, 1, Paid(amount=10)))])
    newer = unreadable(till.store, NewerShape("account", 9), nth=1)
    with pytest.raises(NewerShape):
        await till.settler.settle(newer, [Command(till.county, "k", Pay(account=ANNA, amount=1))])
    assert await till.letters() == []


async def test_a_commit_of_which_nobody_knows_whether_it_took_effect_is_harmless(till: Till) -> None:
    batch = [reader().read(record(till.county, ANNA, number, Paid(amount=number))) for number in (2, 1, 3)]
    faults: tuple[Fault, ...] = ("before", "after")
    for fault in faults:
        with pytest.raises(Transient):
            await till.settler.settle(interrupted(till.store, [fault]), batch)
    await till.settler.settle(till.store, batch)
    assert await till.entries(ANNA) == ["+1", "+2", "+3"]
    assert len(await till.told(ANNA)) == 3


# --- conflicts ------------------------------------------------------------------------------------------------------------


CONFLICTS: list[Fault] = ["conflict"] * 1000


class Sizes(Watched):
    """Remembers how large the slices were that lost against somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def conflict(self, size: int) -> None:
        self.sizes.append(size)


async def test_a_conflict_halves_the_slice_down_to_a_single_message(till: Till) -> None:
    watched = Sizes()
    settler = Settler(Bank().logic(), reader(), till.clock, Telemetry(tracing=False), watched, largest_slice=8)
    batch = [reader().read(record(till.county, ANNA, number, Paid(amount=number))) for number in range(1, 9)]
    outcomes = await settler.settle(interrupted(till.store, CONFLICTS[:5]), batch)
    assert watched.sizes == [8, 4, 2, 1, 1]
    assert [outcome.result for outcome in outcomes] == [APPLIED] * 8
    assert await till.entries(ANNA) == [f"+{number}" for number in range(1, 9)]


async def test_slices_grow_again_as_they_succeed(till: Till) -> None:
    watched = Sizes()
    settler = Settler(Bank().logic(), reader(), till.clock, Telemetry(tracing=False), watched, largest_slice=8)
    batch = [reader().read(record(till.county, ANNA, number, Paid(amount=number))) for number in range(1, 17)]
    faults = interrupted(till.store, ["conflict", "conflict", None, None, "conflict"])
    await settler.settle(faults, batch)
    assert watched.sizes == [8, 4, 8]
    assert len(await till.entries(ANNA)) == 16


async def test_whoever_loses_every_race_calls_the_world_away_and_may_try_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.contention.PATIENCE", 3)
    paid = reader().read(record(till.county, ANNA, 1, Paid(amount=10)))
    with pytest.raises(Transient):
        await till.settler.settle(interrupted(till.store, CONFLICTS), [paid])
    await till.settler.settle(till.store, [paid])
    assert await till.entries(ANNA) == ["+10"]
