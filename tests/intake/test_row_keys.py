"""What is left of a row: it is known when it comes again within 30 days, and after them nothing tells whose it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Way
from schemas.events import ArrivalCounted
from services.intake.row_keys import MARGIN, RowKeys, digest
from services.intake.store import ROW_KEYS
from tests.intake.door import Door, everything_stored
from tests.intake.files import GOOD, SHORT, text
from tests.intake.office import BRAMSCHE, KEYRING, ROW_KEY, entries, keys

REFUSED = GOOD.replace("ja", "nein")
KEPT = timedelta(days=30)


async def shift(door: Door, collection: str, by: timedelta) -> None:
    """As if so much machine time had passed for this collection, and the database had swept it."""
    raw = door.running.database.raw
    async for document in raw[collection].find():
        body = document.get("body", document)
        place = "body.destroy_at" if "body" in document else "destroy_at"
        await raw[collection].update_one({"_id": document["_id"]}, {"$set": {place: body["destroy_at"] - by}})
    await raw.client.admin.command("secantusAdmin.pruneTtl")  # the embedded database sweeps once a minute by itself


async def identities(door: Door) -> set[str]:
    return {row["_id"] for row in await door.rows_of("rows")}


async def test_of_a_refusal_in_a_file_only_a_count_and_a_digest_are_kept_for_thirty_days(door: Door) -> None:
    before = datetime.now(UTC)
    await door.imports(text(SHORT, REFUSED))
    after = datetime.now(UTC)
    assert await door.told() == [ArrivalCounted(district=BRAMSCHE, arrived_in="2016-01", way=Way.OFFICE_FILE)]
    (row,) = await door.rows_of("rows")
    assert set(row["body"]) == {"destroy_at"}
    assert before - timedelta(seconds=1) <= row["body"]["destroy_at"] - KEPT <= after
    everything = await everything_stored(door)
    assert not any(word in everything for word in ("aczak", "aneta"))


async def test_after_thirty_days_of_machine_time_the_digest_is_destroyed_and_then_its_key(door: Door) -> None:
    await door.imports(text(SHORT, REFUSED, GOOD))
    for collection, kept in (("rows", KEPT), (ROW_KEYS, KEPT + MARGIN)):
        some = len(await door.rows_of(collection))
        await shift(door, collection, kept - timedelta(hours=1))
        assert len(await door.rows_of(collection)) == some > 0
        await shift(door, collection, timedelta(hours=1))
        assert await door.rows_of(collection) == []


async def test_what_is_kept_of_rows_ends_by_the_machines_time_and_not_by_the_offices(door: Door) -> None:
    await door.imports(text(SHORT, REFUSED))
    door.at(datetime(2017, 1, 5, tzinfo=UTC))
    await door.running.turns.turn()
    await door.running.database.raw.client.admin.command("secantusAdmin.pruneTtl")
    assert len(await door.rows_of("rows")) == 1


async def test_a_corrected_file_takes_the_rows_that_were_put_right_and_counts_no_refusal_twice(door: Door) -> None:
    bad = GOOD.replace("Żaneta", "Zofia").replace("04.01.2016", "31.02.2016")
    await door.imports(text(SHORT, REFUSED, GOOD, bad))
    told = await door.told()
    again = (await door.imports(text(SHORT, bad.replace("31.02.", "03.01."), GOOD, REFUSED))).json()
    assert (again["registered"], again["without_consent"], again["repeated"], again["refused"]) == (1, 0, 2, 0)
    assert [event for event in await door.told() if isinstance(event, ArrivalCounted)] == [told[0]]


async def test_once_the_key_is_gone_nobody_can_tell_whose_a_digest_was(door: Door) -> None:
    await door.imports(text(SHORT, REFUSED))
    copied = await identities(door)
    await shift(door, "rows", KEPT)
    await shift(door, ROW_KEYS, KEPT + MARGIN)
    await door.imports(text(SHORT, REFUSED))
    assert copied.isdisjoint(await identities(door)), "the same row, the same master key"


async def test_a_key_that_is_needed_again_stays_for_as_long_again(door: Door) -> None:
    await door.imports(text(SHORT, REFUSED))
    (key,) = await door.rows_of(ROW_KEYS)
    await shift(door, ROW_KEYS, timedelta(days=20))
    await door.imports(text(SHORT, GOOD))
    (kept,) = await door.rows_of(ROW_KEYS)
    assert kept["wrapped"] == key["wrapped"]
    assert kept["destroy_at"] >= key["destroy_at"]


async def test_imports_at_the_same_time_find_the_same_keys(door: Door) -> None:
    rows = [entries(arrival_date=f"04.{month:02}.2015") for month in range(1, 13)]
    found = await asyncio.gather(*(RowKeys(door.store, keys(), KEPT).identify(rows) for _ in range(8)))
    digests = [[row.digest for row in imported] for imported in found]
    assert digests == [digests[0]] * 8
    assert len(set(digests[0])) == 12
    other = await RowKeys(door.running.store("03157"), KEYRING.of("03157"), KEPT).identify(rows)
    assert {row.digest for row in other}.isdisjoint(digests[0])


async def test_keys_lie_in_the_database_encrypted(door: Door) -> None:
    await door.imports(text(SHORT, REFUSED))
    (key,) = await door.rows_of(ROW_KEYS)
    assert set(key) == {"_id", "county", "wrapped", "destroy_at"}
    opened = keys().row_key("2016-01", key["wrapped"])
    assert (len(opened), opened in key["wrapped"]) == (32, False)


TOLD = st.fixed_dictionaries(
    {},
    optional={
        "family_name": st.sampled_from(["Nowak", "Ali"]),
        "arrival_date": st.sampled_from(["03.01.2016", "03.12.2015"]),
        "phone": st.sampled_from(["", "0541 111111"]),
        "consent": st.sampled_from(["ja", "nein"]),
    },
)


@given(TOLD, TOLD)
def test_two_rows_are_one_exactly_when_they_say_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = entries(**one), entries(**other)
    assert (digest(ROW_KEY, first) == digest(ROW_KEY, second)) == (first == second)
    assert digest(ROW_KEY, first) != digest(bytes(32), first)


@pytest.mark.parametrize("consent", ["ja", "nein"])
async def test_the_month_of_arrival_says_under_which_key_a_row_is_known(door: Door, consent: str) -> None:
    rows = [GOOD.replace("ja", consent), GOOD.replace("ja", consent).replace("04.01.2016", "31.12.2015")]
    await door.imports(text(SHORT, *rows))
    assert [key["_id"] for key in await door.rows_of(ROW_KEYS)] == ["03459/2015-12", "03459/2016-01"]
