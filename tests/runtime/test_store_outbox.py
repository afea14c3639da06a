"""Outbox documents: split where they grow large, in order whatever the clock says, and each subject's history found in them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.runtime import committing
from services.runtime.committing import BYTES_PER_DOCUMENT, EVENTS_PER_DOCUMENT, Unit
from services.runtime.errors import Conflict
from services.runtime.records import Stored
from services.runtime.store import CountyStore, Database
from tests.runtime.toy import ANNA, BERT, Account, account
from tests.runtime.units import COUNTY, event, loaded, opened, whole_unit


@pytest.fixture
def store(database: Database) -> CountyStore:
    return database.county(COUNTY)


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
