"""The store on the real database: whole or not at all, each writer on what it has seen, each county by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from pymongo import InsertOne, UpdateOne
from pymongo.errors import OperationFailure

from deploy.embedded.engines import Engines
from schemas.envelope import Envelope, Subject
from services.runtime import committing
from services.runtime.committing import BYTES_PER_DOCUMENT, EVENTS_PER_DOCUMENT, Unit
from services.runtime.deciding import State, Write
from services.runtime.errors import Conflict, NameTaken, Permanent, Transient
from services.runtime.reading import Resolution
from services.runtime.records import Answer, DeadLetter, NewerShape, Outgoing, Parked, Stored, event_id
from services.runtime.store import (
    CountyStore,
    Database,
    collection_of,
    state_collection,
)
from tests.runtime.toy import (
    ANNA,
    BERT,
    COLLECTIONS,
    START,
    Account,
    Booked,
    Paid,
    account,
    an_id,
    reader,
    record,
)

COUNTY, ELSEWHERE = "10000", "20000"
MODELS = {"account": Account}


@pytest.fixture
def store(database: Database) -> CountyStore:
    return database.county(COUNTY)


def event(account_id: str, sequence: int, text: str = "") -> Outgoing:
    envelope = Envelope(
        id=event_id("bank", account(account_id), sequence),
        source="bank",
        type=Booked.TYPE,
        subject=account(account_id),
        county=COUNTY,
        sequence=sequence,
        time=START,
    )
    return Outgoing(envelope, Booked(amount=sequence, text=text).model_dump_json().encode())


def opened(id: str, balance: int = 0) -> Stored:
    return Stored(Account(id=id, balance=balance))


async def loaded(store: CountyStore, *ids: str) -> list[Stored]:
    found = await store.load(MODELS, [account(id) for id in ids])
    return [found[account(id)] for id in ids]


async def everything(database: Database) -> dict[str, int]:
    names = await database.raw.list_collection_names()
    return {name: count for name in names if (count := await database.raw[name].count_documents({}))}


# --- whole or not at all ---------------------------------------------------------------------------------------------------


def whole_unit() -> Unit:
    raw = record(COUNTY, BERT, 2, Paid(amount=1))
    envelope = reader().read(raw).envelope
    assert envelope is not None
    anna = opened(ANNA)
    anna.sequence = 1
    return Unit(
        states=[anna, opened(BERT)],
        events=[event(ANNA, 1)],
        dead=[DeadLetter(raw, "reason", "", envelope)],
        parked=[Parked(envelope, raw)],
        answers=[Answer("key", "digest", b"{}")],
        writes=[Write("slips", InsertOne({"_id": "s", "county": COUNTY, "number": "1"}))],
    )


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


async def test_two_writers_at_once_never_both_succeed(store: CountyStore) -> None:
    await store.commit(Unit(states=[opened(ANNA), opened(BERT)]))

    async def write(balance: int) -> bool:
        states = await loaded(store, ANNA, BERT)
        for stored in states:
            stored.state = stored.state.but(balance=balance)
        try:
            await store.commit(Unit(states=states))
        except Conflict:
            return False
        return True

    won = await asyncio.gather(*(write(balance) for balance in range(1, 9)))
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


async def test_of_two_first_writers_one_is_told_that_the_name_is_taken(store: CountyStore) -> None:
    results = await asyncio.gather(
        *(store.commit(Unit(states=[opened(ANNA, balance)])) for balance in range(4)), return_exceptions=True
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


# --- the outbox ------------------------------------------------------------------------------------------------------------


def sent_about(*ids: str) -> Unit:
    states = [opened(id) for id in ids]
    for stored in states:
        stored.sequence = 1
    return Unit(states=states, events=[event(id, 1) for id in ids])


async def test_a_large_unit_is_split_into_documents_that_keep_the_order(database: Database, store: CountyStore) -> None:
    events = [event(ANNA, number) for number in range(1, 2 * EVENTS_PER_DOCUMENT + 2)]
    assert await store.commit(Unit(states=[Stored(Account(id=ANNA), sequence=len(events))], events=events)) == 3
    documents = await database.raw["outbox"].find({}).sort("order", 1).to_list(None)
    assert [len(document["events"]) for document in documents] == [EVENTS_PER_DOCUMENT, EVENTS_PER_DOCUMENT, 1]
    assert len({document["order"] for document in documents}) == 3
    history: list[int] = []
    while page := await store.history(Account, ANNA, len(history)):
        history += [past.envelope.sequence for past in page]
    assert history == list(range(1, len(events) + 1))


async def test_large_events_are_split_by_their_size(database: Database, store: CountyStore) -> None:
    size = BYTES_PER_DOCUMENT // 5
    events = [event(ANNA, number, "x" * size) for number in range(1, 10)]
    await store.commit(Unit(states=[Stored(Account(id=ANNA), sequence=9)], events=events))
    documents = await database.raw["outbox"].find({}).sort("order", 1).to_list(None)
    assert [event["sequence"] for document in documents for event in document["events"]] == list(range(1, 10))
    assert all(sum(len(each["value"]) for each in document["events"]) <= BYTES_PER_DOCUMENT for document in documents)


async def test_later_events_of_a_subject_lie_behind_earlier_ones_even_if_the_clock_goes_back(
    database: Database, store: CountyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([2000, 1000, 500])
    monkeypatch.setattr(committing, "machine_ms", lambda: next(clock))
    await store.commit(sent_about(ANNA))
    for sequence in (2, 3):
        (anna,) = await loaded(store, ANNA)
        anna.sequence = sequence
        await store.commit(Unit(states=[anna], events=[event(ANNA, sequence)]))
    documents = await database.raw["outbox"].find({}).sort("order", 1).to_list(None)
    assert [document["events"][0]["sequence"] for document in documents] == [1, 2, 3]
    (anna,) = await loaded(store, ANNA)
    assert anna.orders == [2000, 2001, 2002]


async def test_a_history_tells_one_subjects_events_after_a_number(store: CountyStore) -> None:
    await store.commit(sent_about(ANNA, BERT))
    (anna,) = await loaded(store, ANNA)
    await store.commit(Unit(states=[anna], events=[event(ANNA, 2), event(ANNA, 3)]))
    assert [past.envelope.sequence for past in await store.history(Account, ANNA, 0)] == [1, 2, 3]
    assert [past.envelope.sequence for past in await store.history(Account, ANNA, 1, limit=1)] == [2]
    assert await store.history(Account, ANNA, 3) == []
    assert await store.history(Account, ANNA, 0) == [event(ANNA, number) for number in (1, 2, 3)]


async def test_the_same_event_cannot_be_written_twice(store: CountyStore) -> None:
    await store.commit(sent_about(ANNA))
    with pytest.raises(Conflict):
        await store.commit(Unit(events=[event(ANNA, 1)]))


async def test_two_that_are_forgotten_at_once_out_of_one_document_are_both_forgotten(store: CountyStore) -> None:
    await store.commit(sent_about(ANNA, BERT))

    async def forget(id: str) -> None:
        while True:
            states = await loaded(store, id)
            try:
                await store.commit(Unit(states=states, forgotten=[account(id)]))
                return
            except Conflict:
                continue

    await asyncio.gather(forget(ANNA), forget(BERT))
    for id in (ANNA, BERT):
        (past,) = await store.history(Account, id, 0)
        assert (past.envelope.type, past.value) == ("wegenetz.bank.blank.v1", b"{}")


async def test_a_commit_tells_what_lies_in_the_outbox_and_what_was_written(
    database: Database, store: CountyStore
) -> None:
    told: list[Any] = []
    database.committed = lambda parcels, written: told.append((parcels, dict(written)))
    await store.commit(whole_unit())
    ((parcels, written),) = told
    assert [event.envelope.sequence for parcel in parcels for event in parcel.events] == [1]
    assert written[("accounts", "insert")] == 2
    assert written[("slips", "insert")] == 1


# --- shapes ----------------------------------------------------------------------------------------------------------------


class OldParcel(State):
    KIND = "parcel"
    weight_kg: float = 0.0


class Parcel(State):
    """Grams since shape 2, and since shape 3 with a colour."""

    KIND = "parcel"
    SHAPE = 3
    UPGRADES: ClassVar[Any] = {
        1: lambda body: {"grams": round(body["weight_kg"] * 1000)},
        2: lambda body: {**body, "colour": "brown"},
    }
    grams: int = 0
    colour: str = "white"


@pytest.fixture
async def parcels(database: Database) -> CountyStore:
    await database.prepare([state_collection(OldParcel)])
    return database.county(COUNTY)


async def test_a_state_of_an_old_shape_is_read_in_the_present_one(parcels: CountyStore) -> None:
    await parcels.commit(Unit(states=[Stored(OldParcel(id=ANNA, weight_kg=1.25), sequence=4)]))
    stored = await parcels.state(Parcel, ANNA)
    assert stored is not None
    assert (stored.state, stored.sequence) == (Parcel(id=ANNA, grams=1250, colour="brown"), 4)


async def test_an_upgraded_state_is_written_in_the_present_shape(parcels: CountyStore) -> None:
    await parcels.commit(Unit(states=[Stored(OldParcel(id=ANNA, weight_kg=1.0))]))
    stored = await parcels.state(Parcel, ANNA)
    assert stored is not None
    await parcels.commit(Unit(states=[stored]))
    (document,) = await parcels.find(collection_of("parcel"), {})
    assert (document["shape"], document["body"]) == (3, {"grams": 1000, "colour": "brown"})


async def test_a_state_of_a_newer_program_is_refused_with_what_to_do(parcels: CountyStore) -> None:
    await parcels.commit(Unit(states=[Stored(Parcel(id=ANNA))]))
    with pytest.raises(NewerShape, match="start the newer version"):
        await parcels.load({"parcel": OldParcel}, [Subject("parcel", ANNA)])


# --- opening ---------------------------------------------------------------------------------------------------------------


async def test_a_database_may_be_prepared_by_several_instances_at_once_and_again(
    engines: Engines, own_prefix: str
) -> None:
    instances = [Database(engines.database_url, own_prefix) for _ in range(3)]
    await asyncio.gather(*(instance.prepare(COLLECTIONS) for instance in instances))
    await instances[0].prepare(COLLECTIONS)
    store = instances[1].county(COUNTY)
    await store.commit(whole_unit())
    with pytest.raises(Conflict):
        await store.write([Write("slips", InsertOne({"_id": "again", "county": COUNTY, "number": "1"}))])
    await instances[0].raw.client.drop_database(own_prefix)
    for instance in instances:
        instance.close()


async def test_the_database_itself_refuses_a_state_without_its_books(store: CountyStore) -> None:
    with pytest.raises(OperationFailure):
        await store.write([Write("accounts", InsertOne({"_id": ANNA, "county": COUNTY, "body": {}}))])


async def test_a_small_note_of_the_service_itself_is_kept_and_changed_only_as_expected(database: Database) -> None:
    now = datetime(2016, 1, 1, tzinfo=UTC)
    assert await database.meta("clock") is None
    await database.set_meta("clock", now=now)
    await database.change_meta("clock", {"now": START}, now=None)
    assert await database.meta("clock") == {"_id": "clock", "now": now}
    await database.change_meta("clock", {"now": now}, now=START)
    assert await database.meta("clock") == {"_id": "clock", "now": START}


async def test_a_database_that_is_away_is_told_as_such() -> None:
    database = Database("mongodb://127.0.0.1:1/?directConnection=true", "nobody")
    store = database.county(COUNTY)
    tried = await asyncio.gather(
        database.ping(), loaded(store, ANNA), store.commit(Unit(states=[opened(ANNA)])), return_exceptions=True
    )
    assert [type(error) for error in tried] == [Transient] * 3
    database.close()
