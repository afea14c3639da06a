"""Whatever the world does to a log, the outcome is that of reading it once, in order: shown over many logs on the store in memory."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from services.runtime.errors import Transient
from services.runtime.records import RawRecord
from tests.runtime.faults import Fault, interrupted
from tests.runtime.memory_store import MemoryStore
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, CARLA, Bank, Greeted, OwnerErased, Paid, Weighed, reader, record

COUNTY = "03459"

told = st.one_of(
    st.integers(1, 99).map(lambda amount: Paid(amount=amount)),
    st.just(Greeted()),
    st.integers(1, 99).map(lambda grams: Weighed(grams=grams)),
)


@st.composite
def logs(draw: st.DrawFn) -> list[RawRecord]:
    """What the shop and the post tell about three accounts, in order; one of them may be erased in the middle."""
    records: list[RawRecord] = []
    for account in (ANNA, BERT, CARLA):
        events: list[BaseModel] = draw(st.lists(told, max_size=8))
        if draw(st.booleans()):
            events.insert(draw(st.integers(0, len(events))), OwnerErased())
        counts = {"shop": 0, "post": 0}
        for event in events:
            source = "post" if isinstance(event, Weighed) else "shop"
            counts[source] += 1
            records.append(record(COUNTY, account, counts[source], event))
    return records


@dataclass(frozen=True)
class Delivery:
    """A log as it may arrive: shuffled, with repetitions, cut into batches that go to one of two processes (as partitions do when a
    group is rebalanced), and with faults while it is settled."""

    log: list[RawRecord]
    batches: list[tuple[int, list[RawRecord]]]
    faults: list[Fault]


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    log = draw(logs())
    repeated = draw(st.lists(st.sampled_from(log), max_size=10)) if log else []
    arriving = draw(st.permutations([*log, *repeated]))
    cuts = sorted(draw(st.lists(st.integers(0, len(arriving)), max_size=6)))
    borders = zip([0, *cuts], [*cuts, len(arriving)], strict=True)
    fault: st.SearchStrategy[Fault] = st.sampled_from((None, "before", "after", "conflict"))
    faults = draw(st.lists(fault, max_size=20))
    batches = [(draw(st.integers(0, 1)), arriving[start:end]) for start, end in borders]
    return Delivery(log, batches, faults)


async def settled_in_order(log: list[RawRecord]) -> Till:
    till = Till(MemoryStore(COUNTY))
    await till.take(*log)
    return till


async def settled_as_it_comes(delivery: Delivery) -> Till:
    """Each batch is handed over until it was taken, to a new process after every crash."""
    store = interrupted(MemoryStore(COUNTY), delivery.faults)
    processes = [Till(store), Till(store)]
    for number, batch in delivery.batches:
        while True:
            try:
                await processes[number].settler.settle(store, [reader().read(each) for each in batch])
                break
            except Transient:
                processes[number].open()
    return processes[0]


async def seen(till: Till, account: str) -> tuple[object, ...]:
    """All of an account that must not depend on how things came: each source's entries in their order, and what the bank told."""
    state = await till.account(account)
    of_the_post = [entry for entry in state.entries if entry.endswith("g")]
    of_the_shop = [entry for entry in state.entries if not entry.endswith("g")]
    return of_the_shop, of_the_post if not state.closed else None, state.balance, state.closed, await till.told(account)


@settings(max_examples=200, deadline=None)
@given(deliveries())
async def test_any_order_repetition_cut_and_crash_ends_as_reading_once_in_order(delivery: Delivery) -> None:
    expected, actual = await settled_in_order(delivery.log), await settled_as_it_comes(delivery)
    for account in (ANNA, BERT, CARLA):
        assert await seen(actual, account) == await seen(expected, account)
        assert await actual.parked(account) == []
    assert await actual.letters() == []


@settings(max_examples=100, deadline=None)
@given(deliveries(), st.data())
async def test_dead_letters_replayed_after_a_repair_end_there_too(delivery: Delivery, data: st.DataObject) -> None:
    """The rules fail on half of the amounts until somebody repairs them; then the dead letters are replayed in any order, as
    often as some are left (what waited behind one may become the next)."""
    expected = await settled_in_order(delivery.log)
    store = MemoryStore(COUNTY)
    processes = [Till(store, Bank(fails_on=frozenset(range(1, 50)))) for _ in range(2)]
    for number, batch in delivery.batches:
        await processes[number].take(*batch)
    till = Till(store)
    while letters := await till.letters():
        letter = data.draw(st.sampled_from(letters))
        await till.replay(letter["_id"], RawRecord.from_document(letter["record"]))
    for account in (ANNA, BERT, CARLA):
        assert await seen(till, account) == await seen(expected, account)
        assert await till.parked(account) == []


@settings(max_examples=100, deadline=None)
@given(logs(), st.data())
async def test_what_is_missing_for_ever_stops_its_subject_right_there(
    log: list[RawRecord], data: st.DataObject
) -> None:
    if not log:
        return
    lost = data.draw(st.sampled_from(log))
    kept = [each for each in log if each is not lost]
    read = {id(each): reader().read(each).envelope for each in log}
    gap = read[id(lost)]
    assert gap is not None
    till = await settled_in_order(data.draw(st.permutations(kept)))
    behind = [
        envelope.sequence
        for each in kept
        if (envelope := read[id(each)]) is not None
        and (envelope.subject, envelope.source) == (gap.subject, gap.source)
        and envelope.sequence > gap.sequence
    ]
    assert await till.applied(gap.subject.id, gap.source) == gap.sequence - 1
    assert await till.parked(gap.subject.id) == sorted(behind)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nobody to wait for."""

    async def at_once(conflicts: int) -> None:
        return

    monkeypatch.setattr("services.runtime.settle.pause", at_once)
