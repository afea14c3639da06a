"""The store on the real database: whole or not at all, each writer on what it has seen, each county by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pymongo import InsertOne, UpdateOne

from deploy.embedded.engines import Engines
from services.runtime.committing import Unit
from services.runtime.deciding import Write
from services.runtime.errors import Conflict, NameTaken, Permanent
from services.runtime.reading import Resolution
from services.runtime.records import Answer, Stored
from services.runtime.store import CountyStore, Database
from tests.runtime.toy import ANNA, BERT, START, Account, account, an_id
from tests.runtime.units import COUNTY, ELSEWHERE, everything, loaded, opened, whole_unit


@pytest.fixture
def store(database: Database) -> CountyStore:
    return database.county(COUNTY)


# --- whole or not at all ---------------------------------------------------------------------------------------------------


async def test_a_unit_of_work_is_written_whole(database: Database, store: CountyStore) -> None:
    assert await store.commit(whole_unit()) == 1
    assert await everything(database) == {
        "accounts": 2,
        "outbox": 1,
        "unpublished": 1,
        "dead_letters": 1,
        "parked": 1,
        "commands": 1,
        "slips": 1,
    }


def _stale_state(unit: Unit) -> None:
    unit.states.append(Stored(Account(id=an_id("carla")), version=7))


def _taken_state(unit: Unit) -> None:
    unit.states.append(opened(an_id("taken")))


def _taken_number(unit: Unit) -> None:
    unit.writes.append(Write("slips", InsertOne({"_id": "t", "county": COUNTY, "number": "taken"})))


def _undeclared(unit: Unit) -> None:
    unit.writes.append(Write("slips", InsertOne({"_id": "t", "county": COUNTY})))


def _too_large(unit: Unit) -> None:
    unit.writes.append(Write("slips", InsertOne({"_id": "t", "county": COUNTY, "number": "x" * 17_000_000})))


def _unknown_letter(unit: Unit) -> None:
    unit.resolutions.append(Resolution(COUNTY, "no such letter", "replayed", {}))


def _not_a_document(unit: Unit) -> None:
    unit.writes.append(Write("slips", InsertOne({"_id": "t", "county": COUNTY, "number": "4", "what": object()})))


def _lonely_surrogate(unit: Unit) -> None:
    unit.writes.append(Write("slips", InsertOne({"_id": "t", "county": COUNTY, "number": "\ud800"})))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (_stale_state, Conflict),
        (_taken_state, NameTaken),
        (_taken_number, NameTaken),
        (_undeclared, Permanent),
        (_too_large, Permanent),
        (_unknown_letter, Permanent),
        (_not_a_document, Permanent),
        (_lonely_surrogate, Permanent),
    ],
)
async def test_one_write_that_fails_takes_all_others_with_it(
    database: Database, store: CountyStore, spoil: Callable[[Unit], None], error: type[Exception]
) -> None:
    taken = Write("slips", InsertOne({"_id": "other", "county": COUNTY, "number": "taken"}))
    await store.commit(Unit(states=[opened(an_id("taken"))], writes=[taken]))
    before = await everything(database)
    unit = whole_unit()
    spoil(unit)
    with pytest.raises(error):
        await store.commit(unit)
    assert await everything(database) == before


async def test_a_refused_name_is_told_by_its_fields_and_never_by_its_value(store: CountyStore) -> None:
    slip = {"county": COUNTY, "number": "anna's secret"}
    await store.write([Write("slips", InsertOne({"_id": "1", **slip}))])
    with pytest.raises(NameTaken) as taken:
        await store.write([Write("slips", InsertOne({"_id": "2", **slip}))])
    assert "secret" not in str(taken.value)


async def test_what_was_asked_under_one_key_lies_in_one_document_and_no_answer_is_ever_replaced(
    store: CountyStore,
) -> None:
    await store.commit(Unit(answers=[Answer("key", place, f"digest {place}", b"first") for place in range(3)]))
    await store.commit(Unit(answers=[Answer("key", 3, "digest 3", b"second")]))
    for place in (0, 3):
        with pytest.raises(NameTaken):
            await store.commit(
                Unit(answers=[Answer("key", place, "other", b"other"), Answer("key", 7, "other", b"other")])
            )
    assert await store.count("commands", {}) == 1
    assert await store.load_answers(["key", "unasked"]) == {
        **{("key", place): (f"digest {place}", b"first") for place in range(3)},
        ("key", 3): ("digest 3", b"second"),
    }


def _slip(number: str) -> Write:
    return Write("slips", InsertOne({"_id": number, "county": COUNTY, "number": number}))


async def test_writes_that_come_while_others_are_made_go_together_in_one_transaction(
    database: Database, store: CountyStore
) -> None:
    ended: list[str] = []
    database.ended = ended.append
    await asyncio.gather(*(database.county(COUNTY).write([_slip(str(number))]) for number in range(20)))
    assert await store.count("slips", {}) == 20
    assert ended == ["committed"]


async def test_who_goes_together_with_a_write_that_is_refused_hears_nothing_of_it(store: CountyStore) -> None:
    await store.write([_slip("taken")])
    outcomes = await asyncio.gather(
        *(store.write([_slip(number)]) for number in ("1", "taken", "2")), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), NameTaken, type(None)]
    assert await store.count("slips", {}) == 3


async def test_who_no_longer_waits_hinders_nobody_who_goes_along(store: CountyStore) -> None:
    writing = [asyncio.create_task(store.write([_slip(str(number))])) for number in range(3)]
    await asyncio.sleep(0)
    writing[0].cancel()
    await asyncio.gather(*writing[1:])
    assert await store.count("slips", {"number": {"$in": ["1", "2"]}}) == 2


async def test_a_unit_with_nothing_in_it_is_not_worth_a_transaction() -> None:
    assert Unit().empty()
    assert not Unit(resolutions=[Resolution(COUNTY, "letter", "discarded", {})]).empty()


async def test_writes_to_one_document_take_effect_in_their_order(store: CountyStore) -> None:
    await store.write([Write("slips", InsertOne({"_id": "1", "county": COUNTY, "number": "first"}))])
    await store.commit(
        Unit(
            writes=[
                Write("slips", UpdateOne({"_id": "1"}, {"$set": {"number": "second"}})),
                Write("slips", InsertOne({"_id": "2", "county": COUNTY, "number": "first"})),
                Write("slips", UpdateOne({"_id": "2"}, {"$set": {"number": "third"}})),
            ]
        )
    )
    assert [slip["number"] for slip in await store.find("slips", {}, sort=[("_id", 1)])] == ["second", "third"]


# --- versions --------------------------------------------------------------------------------------------------------------


async def test_a_state_is_written_only_on_the_version_that_was_read(store: CountyStore) -> None:
    await store.commit(Unit(states=[opened(ANNA, 1)]))
    (mine,) = await loaded(store, ANNA)
    (theirs,) = await loaded(store, ANNA)
    theirs.state = theirs.state.but(balance=2)
    mine.state = mine.state.but(balance=3)
    await store.commit(Unit(states=[theirs]))
    with pytest.raises(Conflict):
        await store.commit(Unit(states=[mine]))
    (now,) = await loaded(store, ANNA)
    assert (now.state, now.version) == (Account(id=ANNA, balance=2), 2)


@pytest.fixture
def processes(engines: Engines, database: Database, prepared: str) -> Iterator[list[CountyStore]]:
    """The store as four processes have it, each with connections and turns of its own."""
    others = [Database(engines.database_url, prepared) for _ in range(3)]
    yield [one.county(COUNTY) for one in (database, *others)]
    for one in others:
        one.close()


async def test_two_writers_at_once_never_both_succeed(store: CountyStore, processes: list[CountyStore]) -> None:
    await store.commit(Unit(states=[opened(ANNA), opened(BERT)]))

    async def write(process: CountyStore, balance: int) -> bool:
        states = await loaded(process, ANNA, BERT)
        for stored in states:
            stored.state = stored.state.but(balance=balance)
        try:
            await process.commit(Unit(states=states))
        except Conflict:
            return False
        return True

    won = await asyncio.gather(*(write(processes[number % 4], number) for number in range(1, 9)))
    anna, bert = await loaded(store, ANNA, BERT)
    assert anna.version == bert.version == 1 + won.count(True)
    assert anna.state.but(id="") == bert.state.but(id="")


async def test_a_transaction_sees_one_instant_whatever_others_commit_meanwhile(
    database: Database, store: CountyStore
) -> None:
    await store.commit(Unit(states=[opened(ANNA, 1)]))
    accounts = database.raw["accounts"]
    async with database.transaction() as session:
        assert [one["_id"] for one in await accounts.find({}, session=session).to_list(None)] == [ANNA]
        await store.commit(Unit(states=[opened(BERT)]))
        (anna,) = await loaded(store, ANNA)
        anna.state = Account(id=ANNA, balance=2)
        await store.commit(Unit(states=[anna]))
        seen = await accounts.find({}, session=session).to_list(None)
    assert [(one["_id"], one["body"]["balance"]) for one in seen] == [(ANNA, 1)]


async def test_the_writers_of_one_process_write_one_after_the_other(database: Database, store: CountyStore) -> None:
    async with database.writing():
        another = asyncio.create_task(store.commit(Unit(states=[opened(ANNA)])))
        unguarded = asyncio.create_task(store.write([_slip("1")]))
        await asyncio.sleep(0.2)
        assert not another.done()
        assert not unguarded.done()
    await asyncio.gather(another, unguarded)
    assert len(await loaded(store, ANNA)) == 1


async def test_a_writer_that_fails_or_is_called_off_leaves_its_turn_to_the_next(
    database: Database, store: CountyStore
) -> None:
    with pytest.raises(Permanent):
        await store.commit(Unit(writes=[Write("slips", InsertOne({"_id": "t", "county": COUNTY}))]))
    async with database.writing():
        waiting = asyncio.create_task(store.commit(Unit(states=[opened(BERT)])))
        await asyncio.sleep(0)
        waiting.cancel()
    assert await store.commit(Unit(states=[opened(ANNA)])) == 0


async def test_of_two_first_writers_one_is_told_that_the_name_is_taken(processes: list[CountyStore]) -> None:
    results = await asyncio.gather(
        *(process.commit(Unit(states=[opened(ANNA, balance)])) for balance, process in enumerate(processes)),
        return_exceptions=True,
    )
    assert sum(result == 0 for result in results) == 1
    assert all(result == 0 or isinstance(result, Conflict) for result in results)


# --- loading ---------------------------------------------------------------------------------------------------------------


async def test_what_is_not_stored_is_loaded_in_its_first_form(store: CountyStore) -> None:
    (anna,) = await loaded(store, ANNA)
    assert anna == Stored(Account(id=ANNA))


async def test_more_states_than_one_query_asks_for_are_all_loaded(database: Database) -> None:
    store = CountyStore(database, COUNTY, load_chunk=10)
    ids = [an_id(f"account {number}") for number in range(35)]
    await store.commit(Unit(states=[opened(id, number) for number, id in enumerate(ids)]))
    assert [stored.state.balance for stored in await loaded(store, *ids)] == list(range(35))  # pyright: ignore[reportAttributeAccessIssue]


async def test_a_state_comes_back_as_it_was_written(store: CountyStore) -> None:
    state = Account(
        id=ANNA,
        entries=("+1", "ß€Ł̣"),
        balance=-5,
        friend=BERT,
        reminders=(START + timedelta(milliseconds=7),),
        closed=True,
    )
    stored = Stored(state, sequence=3, applied={"shop": 5}, parked={"post": [2, 4], "shop": []}, trace="00-trace")
    await store.commit(Unit(states=[stored]))
    (back,) = await loaded(store, ANNA)
    assert back.state == state
    assert (back.version, back.sequence, back.applied) == (1, 3, {"shop": 5})
    assert (back.parked, back.trace) == ({"post": [2, 4]}, "00-trace")


async def test_one_countys_store_sees_and_changes_nothing_of_another(database: Database, store: CountyStore) -> None:
    elsewhere = database.county(ELSEWHERE)
    await store.commit(whole_unit())
    assert (await loaded(elsewhere, ANNA))[0].version == 0
    assert await elsewhere.state(Account, ANNA) is None
    assert await elsewhere.find("parked", {"county": COUNTY}) == []
    assert await elsewhere.one("accounts", {"_id": ANNA, "county": COUNTY}) is None
    assert await elsewhere.count("dead_letters", {}) == 0
    assert await elsewhere.aggregate("accounts", [{"$group": {"_id": "$county"}}]) == []
    assert await elsewhere.load_answers(["key"]) == {}
    assert await elsewhere.load_parked([account(BERT)]) == {}
    assert await elsewhere.history(Account, ANNA, 0) == []
    assert [page async for page in elsewhere.each("accounts", {})] == []
    with pytest.raises(Conflict):
        await elsewhere.commit(Unit(states=[Stored(Account(id=ANNA), version=1)]))


async def test_a_record_that_two_counties_keep_lies_in_each_by_itself(database: Database, store: CountyStore) -> None:
    """One is left a dead letter while its county is not served here, and comes again when it is."""
    elsewhere = database.county(ELSEWHERE)
    here, again = whole_unit(), whole_unit()
    await store.commit(here)
    await elsewhere.commit(Unit(dead=again.dead))
    assert [await each.count("dead_letters", {}) for each in (store, elsewhere)] == [1, 1]


async def test_what_waits_in_one_county_is_never_overwritten_from_another(
    database: Database, store: CountyStore
) -> None:
    await store.commit(whole_unit())
    before = await store.find("parked", {})
    with pytest.raises(Conflict):
        await database.county(ELSEWHERE).commit(Unit(parked=whole_unit().parked))
    assert await store.find("parked", {}) == before


async def test_all_documents_come_in_pages_of_bounded_size(store: CountyStore) -> None:
    ids = sorted(an_id(f"account {number}") for number in range(25))
    await store.commit(Unit(states=[opened(id) for id in ids]))
    pages = [[document["_id"] for document in page] async for page in store.each("accounts", {}, page=10)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [id for page in pages for id in page] == ids


async def test_what_is_due_comes_earliest_first(store: CountyStore) -> None:
    ids = [an_id(f"account {number}") for number in range(6)]
    states = [Stored(Account(id=id, reminders=(START + timedelta(hours=5 - hour),))) for hour, id in enumerate(ids)]
    await store.commit(Unit(states=[*states, opened(ANNA)]))
    due = await store.due("account", START + timedelta(hours=3), 3)
    assert due == [(ids[5 - hour], START + timedelta(hours=hour)) for hour in range(3)]
