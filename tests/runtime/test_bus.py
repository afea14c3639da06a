"""The real broker, the real library: whatever lies in a log, each record is handled or kept with its reason; and what stops, says so.

Groups take seconds to form, so all consumers of this module are started together, each on a topic of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from services.runtime.errors import Transient
from services.runtime.reading import VALUE_LIMIT, Resolution
from services.runtime.records import NOWHERE, RawRecord
from services.runtime.settle import Result
from services.runtime.store import Database
from tests.runtime.lines import Line, Settle, until
from tests.runtime.till import Till
from tests.runtime.toy import COLLECTIONS, Paid, an_id, reader, record

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTY = "10000"
PATIENCE_SECONDS = 0.6


# --- records as they should not be ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Defect:
    """What is wrong with the first record of an account, and under which reason it is kept; None if it is not kept at all."""

    name: str
    reason: str | None
    spoil: Callable[[RawRecord], RawRecord] = lambda raw: raw

    @property
    def account(self) -> str:
        return an_id(self.name)

    def first(self) -> RawRecord:
        return self.spoil(self.as_it_should_be())

    def as_it_should_be(self) -> RawRecord:
        return record(COUNTY, self.account, 1, Paid(amount=1), topic="shop.events.v1")

    def second(self) -> RawRecord:
        return record(COUNTY, self.account, 2, Paid(amount=2))


def valued(value: bytes | None) -> Callable[[RawRecord], RawRecord]:
    return lambda raw: RawRecord(raw.topic, 0, 0, raw.key, value, raw.headers)


def headed(name: str, text: bytes | None) -> Callable[[RawRecord], RawRecord]:
    return lambda raw: RawRecord(
        raw.topic, 0, 0, raw.key, raw.value, tuple((n, text if n == name else v) for n, v in raw.headers)
    )


def without(name: str) -> Callable[[RawRecord], RawRecord]:
    return lambda raw: RawRecord(
        raw.topic, 0, 0, raw.key, raw.value, tuple(header for header in raw.headers if header[0] != name)
    )


DEFECTS = [
    Defect("broken json", "invalid-payload", valued(b'{"amount": 1')),
    Defect("not what was agreed", "invalid-payload", valued(b'{"amount": "many"}')),
    Defect("unheard-of type", None, headed("ce_type", b"wegenetz.shop.unheard-of.v1")),
    Defect("no type at all", "unknown-type", headed("ce_type", b"paid")),
    Defect("future version", "unsupported-version", headed("ce_type", b"wegenetz.shop.paid.v2")),
    Defect("missing header", "missing-header", without("ce_sequence")),
    Defect("null header", "null-header", headed("ce_subject", None)),
    Defect("header not utf-8", "header-not-utf8", headed("ce_id", b"\xff\xfe")),
    Defect("county of others", "county-not-served", headed("ce_county", b"99999")),
    Defect(
        "somebody else's words",
        "foreign-source",
        lambda raw: headed("ce_source", b"post")(headed("ce_type", b"wegenetz.post.paid.v1")(raw)),
    ),
    Defect("empty value", "empty-value", valued(b"")),
    Defect("no value", "empty-value", valued(None)),
    Defect("2 MB", "value-too-large", valued(b'{"amount": 1}' + b" " * (2 * VALUE_LIMIT))),
    Defect("nothing", None),
]
KEPT = [defect for defect in DEFECTS if defect.reason is not None]


# --- the hall ---------------------------------------------------------------------------------------------------------------


@dataclass
class Hall:
    """All lines of this module."""

    database: Database
    own: Engines
    broken: Line
    plain: Line
    unhurried: Line
    limited: Line
    patient: Line
    impatient: Line
    faulty: Line
    unreadable: Line
    away: Line

    @property
    def lines(self) -> list[Line]:
        return [each for each in vars(self).values() if isinstance(each, Line)]

    def till(self, county: str = COUNTY) -> Till:
        return Till(self.database.county(county))


def settling(database: Database) -> Settle:
    """What a service does with a batch."""
    till = Till(database.county(COUNTY))

    async def settle(records: Sequence[RawRecord]) -> int:
        dead = 0
        for county, work in reader().by_county(records, [COUNTY]).items():
            outcomes = await till.settler.settle(database.county(county), work)
            dead += sum(outcome.dead for outcome in outcomes)
        return dead

    return settle


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    prefix = f"t{secrets.token_hex(3)}"
    database = Database(engines.database_url, prefix)
    await database.prepare(COLLECTIONS)

    def line(name: str, **limits: Any) -> Line:
        return Line(engines.kafka, f"{prefix}-{name}-shop.events.v1", **limits)

    async with Engines(tmp_path_factory.mktemp("own engines")) as own:
        hall = Hall(
            database,
            own,
            broken=line("broken"),
            plain=line("plain"),
            unhurried=line("unhurried", gather=3.0, batch_records=3),
            limited=line("limited", dead_letter_limit=3),
            patient=line("patient"),
            impatient=line("impatient", retry_limit=PATIENCE_SECONDS),
            faulty=line("faulty"),
            unreadable=line("unreadable"),
            away=line("away"),
        )
        hall.broken.settle = settling(database)
        hall.limited.settle = hall.patient.settle = hall.impatient.settle = hall.faulty.settle = _never
        for each in hall.lines:
            await each.open()
        # What lies there before anybody reads comes at once, up to the record that is larger than a fetch should be.
        await hall.broken.put_records(*(each.first() for each in DEFECTS), *(each.second() for each in DEFECTS))
        await hall.limited.put(*(b"dead %d" % number for number in range(10)))
        await hall.unreadable.put_unreadable()
        await asyncio.gather(*(each.consumer.start() for each in hall.lines))
        yield hall
        await asyncio.gather(*(each.consumer.stop() for each in hall.lines))
    await database.raw.client.drop_database(prefix)
    database.close()


async def _never(records: Sequence[RawRecord]) -> int:
    """Until the test says what is to become of a batch."""
    raise Transient("test")


# --- what lies in the log ---------------------------------------------------------------------------------------------------


async def test_of_a_batch_with_everything_wrong_in_it_the_valid_is_handled_and_the_rest_kept_with_its_reason(
    hall: Hall,
) -> None:
    await until(lambda: hall.broken.consumer.settled == {hall.broken.topic: {0: 2 * len(DEFECTS)}})
    here, nowhere = await hall.till().letters(), await hall.till(NOWHERE).letters()
    assert sorted(letter["reason"] for letter in (*here, *nowhere)) == sorted(str(each.reason) for each in KEPT)
    assert {letter["reason"] for letter in nowhere} == {
        "unknown-type",
        "missing-header",
        "null-header",
        "header-not-utf8",
        "county-not-served",
        "foreign-source",
    }
    assert await hall.till().entries(an_id("nothing")) == ["+1", "+2"]
    assert await hall.till().entries(an_id("unheard-of type")) == ["+2"]
    for defect in KEPT:
        assert await hall.till().entries(defect.account) == []
        assert await hall.till().parked(defect.account) == [2]


async def test_each_kept_record_is_byte_for_byte_what_was_sent(hall: Hall) -> None:
    await until(lambda: len(hall.broken.values) >= 2 * len(DEFECTS))
    letters = [*await hall.till().letters(), *await hall.till(NOWHERE).letters()]
    kept = {(letter["record"]["value"], str(letter["record"]["headers"])) for letter in letters}
    sent = {(each.first().value, str([list(header) for header in each.first().headers])) for each in KEPT}
    assert kept == sent


async def test_a_replay_after_a_repair_applies_everything_in_order(hall: Hall) -> None:
    """Runs after the two above: it settles what they look at."""
    till = hall.till()
    for county in (COUNTY, NOWHERE):
        for letter in await hall.till(county).letters():
            sent = RawRecord.from_document(letter["record"])
            (defect,) = (
                each for each in KEPT if (each.first().value, each.first().headers) == (sent.value, sent.headers)
            )
            repaired = defect.as_it_should_be()
            resolution = Resolution(county, letter["_id"], "replayed", {"by": "operator"})
            (outcome,) = await till.settler.settle(till.store, [reader().read(repaired, resolution)])
            assert outcome.result is Result.APPLIED
    for defect in KEPT:
        assert await till.entries(defect.account) == ["+1", "+2"]
    assert [*await till.letters(), *await hall.till(NOWHERE).letters()] == []
    assert await till.store.count("parked", {}) == 0


async def test_a_log_that_cannot_be_read_stops_consumption_and_health_says_so(hall: Hall) -> None:
    await until(lambda: hall.unreadable.stopped)
    assert "cannot be read" in hall.unreadable.stopped[0]


# --- offsets ----------------------------------------------------------------------------------------------------------------


async def test_records_come_in_order_and_are_settled_as_far_as_they_came(hall: Hall) -> None:
    line = hall.plain
    values = [b"%d" % number for number in range(1200)]
    await line.put(*values)
    await until(lambda: len(line.values) == len(values))
    assert line.values == values
    assert max(len(batch) for batch in line.batches) <= 500
    await until(lambda: line.consumer.settled == {line.topic: {0: 1200}})
    await until(lambda: line.said[-1] is None)
    assert await line.consumer.lag() == {line.topic: {0: 0}}
    assert await line.consumer.positions() == {line.topic: {0: 1200}}
    assert line.consumer.assigned() == 1


async def test_where_nobody_waits_records_come_together_between_batches_that_are_not_full(hall: Hall) -> None:
    line = hall.unhurried
    await line.put(b"alone")
    await until(lambda: line.consumer.settled == {line.topic: {0: 1}})
    await line.put(b"second", b"third", b"fourth", b"fifth")
    assert line.values == [b"alone"]
    await until(lambda: len(line.values) == 5)
    assert [len(batch) for batch in line.batches] == [1, 3, 1]


async def test_an_idle_consumer_shows_progress(hall: Hall) -> None:
    line = hall.plain
    line.said.clear()
    await line.consumer.idle()
    assert line.said == [None]


# --- the world is away ------------------------------------------------------------------------------------------------------


async def test_while_the_world_is_away_a_batch_is_tried_again_in_place(hall: Hall) -> None:
    line = hall.patient
    attempts = 0

    async def away_twice(records: Sequence[RawRecord]) -> int:
        nonlocal attempts
        attempts += 1
        if attempts <= 2:
            raise Transient("database")
        return 0

    line.settle = away_twice
    await line.put(b"patient")
    await until(lambda: attempts == 3 and line.consumer.settled)
    assert line.said[-3:] == ["the database does not answer", "the database does not answer", None]
    assert line.values == [b"patient"] * 3
    assert line.stopped == []


async def test_after_the_limit_consumption_stops_and_what_was_not_settled_comes_again_to_the_next_process(
    hall: Hall,
) -> None:
    line = hall.impatient
    await line.put(b"held", b"behind it")
    await until(lambda: line.stopped)
    assert "gave up after" in line.stopped[0]
    assert line.consumer.settled == {}
    assert len(line.batches) > 1
    await line.consumer.idle()
    assert line.said[-1] == "the test does not answer", "a consumer that has stopped never says that it gets on"

    await line.consumer.stop()
    line.consumer = (successor := Line(line.kafka, line.topic)).consumer
    await successor.consumer.start()
    await until(lambda: len(successor.values) == 2)
    assert successor.values == [b"held", b"behind it"]


async def test_a_failure_that_nobody_foresaw_stops_consumption_instead_of_losing_the_batch(hall: Hall) -> None:
    line = hall.faulty

    async def fails(records: Sequence[RawRecord]) -> int:
        raise LookupError("about somebody")

    line.settle = fails
    await line.put(b"one")
    await until(lambda: line.stopped)
    assert line.stopped == ["a batch could not be settled (LookupError)"]
    await line.put(b"two")
    assert line.consumer.settled == {}
    assert b"two" not in line.values


async def test_a_database_that_is_killed_is_waited_for_and_nothing_is_lost(hall: Hall) -> None:
    line = hall.away
    database = Database(hall.own.database_url, "bank")
    await database.prepare(COLLECTIONS)
    till = Till(database.county(COUNTY))
    anna = an_id("anna")
    line.settle = settling(database)
    await line.put_records(record(COUNTY, anna, 1, Paid(amount=1)))
    await until(lambda: line.consumer.settled)

    await hall.own.kill("database")
    await line.put_records(*(record(COUNTY, anna, number, Paid(amount=number)) for number in (2, 3)))
    await until(lambda: "the database does not answer" in line.said)
    await hall.own.start("database")
    await until(lambda: line.consumer.settled == {line.topic: {0: 3}})
    assert await till.entries(anna) == ["+1", "+2", "+3"]
    assert len(await till.told(anna)) == 3
    assert line.said[-1] is None
    database.close()


# --- too many dead letters --------------------------------------------------------------------------------------------------


async def test_too_many_dead_letters_stop_consumption_and_acknowledge_nothing(hall: Hall) -> None:
    line = hall.limited

    async def all_dead(records: Sequence[RawRecord]) -> int:
        return len(records)

    line.settle = all_dead
    await until(lambda: line.stopped)
    assert "dead letters" in line.stopped[0]
    assert line.consumer.settled == {}
    assert (await line.consumer.positions()) == {line.topic: {0: 0}}
