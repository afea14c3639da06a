"""Dead letters: none is too large to be kept, none keeps its content for longer than somebody needs it, and none hides that it is open.

What is told to the store in memory is told to the real database too.
"""

from __future__ import annotations

from typing import Any

import bson
import pytest

from services.runtime.records import LARGEST_VALUE, NOWHERE, DeadLetter, RawRecord
from services.runtime.settle import Result
from services.runtime.store import Database
from tests.runtime.memory_store import MemoryStore
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, SHOP_TOPIC, Paid, reader, record

DEAD, PARKED, APPLIED = Result.DEAD, Result.PARKED, Result.APPLIED


def paid(till: Till, sequence: int, value: bytes | None = None) -> RawRecord:
    return record(till.county, ANNA, sequence, Paid(amount=10), value=value)


# --- open again -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settled", ["replayed", "discarded"])
async def test_one_that_was_settled_and_whose_record_dies_again_is_open_again(till: Till, settled: str) -> None:
    """Else its number would stay open, and nobody would see what all that comes later waits for."""
    broken = paid(till, 1, b"{")
    await till.take(broken)
    (letter,) = await till.letters()
    if settled == "replayed":
        await till.replay(letter["_id"], paid(till, 1))
    else:
        await till.discard(letter["_id"], broken)
    await without_accounts(till)
    assert await till.take(broken) == [DEAD]
    (again,) = await till.letters()
    assert (again["_id"], RawRecord.from_document(again["record"])) == (letter["_id"], broken)
    assert [entry["state"] for entry in again["audit"]] == [settled]


async def without_accounts(till: Till) -> None:
    """Somebody puts back an older copy of them."""
    till.open()
    if isinstance(till.store, MemoryStore):
        till.store.collections["accounts"].clear()
    else:
        await till.store._raw["accounts"].delete_many({})


async def test_one_of_no_county_does_not_hide_that_of_a_county_that_is_served_since(database: Database) -> None:
    """The record itself is the same; its letter of before has been sent again, and failed later, behind what was missing."""
    here, nowhere = Till(database.county("10000")), Till(database.county(NOWHERE))
    broken = paid(here, 2, b"{")
    await nowhere.settler.settle(nowhere.store, [reader().of_no_county(reader().read(broken))])
    (unserved,) = await nowhere.letters()
    resolution = nowhere._resolution(unserved["_id"], "replayed", "olga")
    await here.settler.settle(here.store, [reader().read(broken, resolution)])
    assert await here.parked(ANNA) == [2]
    await here.take(paid(here, 1))
    assert await here.reasons() == ["invalid-payload"]
    assert len(await nowhere.letters("replayed")) == 1


# --- content ----------------------------------------------------------------------------------------------------------------


async def test_what_is_given_up_keeps_its_place_and_no_content(till: Till) -> None:
    broken = paid(till, 1, b'{"amount": "47114711471 of anna"}')
    await till.take(broken)
    (letter,) = await till.letters()
    await till.discard(letter["_id"], broken)
    (given_up,) = await till.letters("discarded")
    assert (given_up["subject"], given_up["sequence"]) == (f"account/{ANNA}", 1)
    assert [given_up["record"][name] for name in ("key", "value", "headers")] == [None, None, []]
    assert "47114711471" not in str(await till.store.find("dead_letters", {}))


async def test_what_is_sent_again_keeps_its_content_as_long_as_its_subject_may_still_be_erased(till: Till) -> None:
    broken = paid(till, 1, b"{")
    await till.take(broken)
    (letter,) = await till.letters()
    await till.replay(letter["_id"], paid(till, 1))
    (replayed,) = await till.letters("replayed")
    assert RawRecord.from_document(replayed["record"]) == broken


async def test_what_belongs_to_nobody_is_kept_for_thirty_days(database: Database) -> None:
    """No erasure would ever find it there."""
    here, nowhere = Till(database.county("10000")), Till(database.county(NOWHERE))
    await here.take(paid(here, 1, b"{"))
    await nowhere.take(RawRecord(SHOP_TOPIC, 0, 0, None, b"47114711471 of anna", ()))
    (of_anna,), (of_nobody,) = await here.letters(), await nowhere.letters()
    index = (await database.raw["dead_letters"].index_information())["unclaimed"]
    assert (index["key"], index["expireAfterSeconds"]) == ([("unclaimed_since", 1)], 30 * 24 * 3600)
    assert of_nobody["unclaimed_since"] == of_nobody["at"]
    assert "unclaimed_since" not in of_anna


# --- size -------------------------------------------------------------------------------------------------------------------

HUGE = 17 * 1024 * 1024
"""Bytes. The database takes documents of 16 MiB."""


async def test_a_record_larger_than_any_document_stops_nothing_but_its_subject(till: Till) -> None:
    huge = paid(till, 1, b"x" * HUGE)
    assert await till.take(huge, record(till.county, ANNA, 2, Paid(amount=20))) == [DEAD, PARKED]
    (letter,) = await till.letters()
    assert letter["reason"] == "value-too-large"
    assert letter["record"]["value"] == b"x" * LARGEST_VALUE
    assert letter["record"]["whole"]["length"] == HUGE
    assert (await till.replay(letter["_id"], paid(till, 1))).result is APPLIED
    assert await till.entries(ANNA) == ["+10", "+20"]


async def test_one_that_is_too_large_to_wait_for_its_predecessor_is_a_dead_letter_and_counts_in_its_turn(
    till: Till,
) -> None:
    huge = paid(till, 2, b"x" * HUGE)
    assert await till.take(huge) == [DEAD]
    assert await till.take(record(till.county, ANNA, 3, Paid(amount=30)), paid(till, 1)) == [PARKED, APPLIED]
    (letter,) = await till.letters()
    await till.discard(letter["_id"], huge)
    assert await till.entries(ANNA) == ["+10", "+30"]


@pytest.mark.parametrize(
    "large",
    [
        {"value": b"x" * HUGE},
        {"key": b"x" * HUGE},
        {"headers": (("ce_id", b"x" * HUGE),)},
        {"headers": (("x" * HUGE, None),)},
        {"headers": (("x", None),) * 1_000_000},
        {"value": b"x" * HUGE, "key": b"x" * HUGE, "headers": (("x", b"x" * HUGE),)},
        {"value": b"x" * LARGEST_VALUE, "key": b"x" * 1024 * 1024, "headers": (("x", b"x" * 1000),) * 1000},
    ],
    ids=["value", "key", "header", "header's name", "many headers", "everything", "everything, just allowed"],
)
def test_whatever_of_a_record_is_too_large_its_letter_fits_into_a_document(large: dict[str, Any]) -> None:
    raw = RawRecord(
        **{"topic": SHOP_TOPIC, "partition": 0, "offset": 0, "key": None, "value": None, "headers": ()} | large
    )
    assert len(bson.encode(DeadLetter(raw, "reason", "", None).to_document(NOWHERE))) < 12 * 1024 * 1024
