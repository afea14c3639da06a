"""A database is prepared by several instances at once, and states of older and newer programs lie in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pymongo import InsertOne
from pymongo.errors import OperationFailure

from deploy.embedded.engines import Engines
from schemas.envelope import Subject
from services.runtime.committing import Unit
from services.runtime.deciding import State, Write
from services.runtime.errors import Conflict, Transient
from services.runtime.records import NewerShape, Stored
from services.runtime.store import CountyStore, Database, collection_of, state_collection
from tests.runtime.toy import ANNA, COLLECTIONS, START
from tests.runtime.units import COUNTY, loaded, opened, whole_unit


@pytest.fixture
def store(database: Database) -> CountyStore:
    return database.county(COUNTY)


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
