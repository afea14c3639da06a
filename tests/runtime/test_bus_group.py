"""A consumer among others on the real broker: what its group does to it, and which of its topics are there.

Groups take seconds to form, so the consumers of this module are started together, each on a topic of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from deploy.embedded.engines import Engines
from services.runtime.bus import Producer, Topic, apply_topics
from services.runtime.bus.consuming import UNREADABLE
from services.runtime.errors import Transient
from services.runtime.records import RawRecord
from tests.runtime.lines import Line, until
from tests.runtime.test_bus_sending import event

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Hall:
    """The consumers of this module; `shared` is the first member of a group whose second comes later, and settles when it may."""

    refused: Line
    hindered: Line
    unkept: Line
    unread: Line
    shared: Line
    may_settle: asyncio.Event = field(default_factory=asyncio.Event)
    lines: list[Line] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = [self.refused, self.hindered, self.unkept, self.unread, self.shared]
        self.shared.settle = self.slowly

    async def slowly(self, records: Sequence[RawRecord]) -> int:
        await self.may_settle.wait()
        return 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(engines: Engines) -> AsyncIterator[Hall]:
    prefix = f"t{secrets.token_hex(3)}"

    def line(name: str, **limits: Any) -> Line:
        return Line(engines.kafka, f"{prefix}-{name}-shop.events.v1", **limits)

    hall = Hall(
        refused=line("refused", retry_limit=1.0),
        hindered=line("hindered"),
        unkept=line("unkept"),
        unread=line("unread"),
        shared=line("shared"),
    )
    await asyncio.gather(*(each.open(partitions=2) for each in hall.lines))
    # What lies there before anybody reads comes as one batch.
    await hall.shared.put_records(
        *(RawRecord(hall.shared.topic, number, 0, None, b"%d" % number, ()) for number in (0, 1))
    )
    await asyncio.gather(*(each.consumer.start() for each in hall.lines))
    yield hall
    await asyncio.gather(*(each.consumer.stop() for each in hall.lines))


def library(line: Line) -> AIOKafkaConsumer:
    consumer = line.consumer._kafka()
    assert consumer is not None
    return consumer


# --- the group ----------------------------------------------------------------------------------------------------------


async def test_a_group_that_will_not_have_a_consumer_any_more_is_told_and_after_the_limit_it_stops(hall: Hall) -> None:
    line = hall.refused
    await line.put(b"read")
    await until(lambda: line.consumer.settled)

    async def fenced() -> bool:
        """What the library makes of a broker's code that it does not know: another process goes by the same name, say."""
        raise KafkaError("Unexpected exception in heartbeat task")

    coordinator: Any = library(line)._coordinator
    coordinator._do_heartbeat = fenced
    await until(lambda: UNREADABLE in line.said)
    await line.put(b"not read")
    said = len(line.said)
    await line.consumer.idle()
    assert line.said[said:] == [], "that the broker answers is no sign that records can be read"
    await until(lambda: line.stopped)
    assert line.stopped[0].endswith(f"s in which {UNREADABLE}")
    assert line.values == [b"read"]


async def test_whoever_could_not_read_for_a_while_says_when_it_can_again(hall: Hall) -> None:
    line = hall.hindered
    coordinator: Any = library(line)._coordinator
    coordinator._pending_exception = KafkaError("for once")
    await until(lambda: UNREADABLE in line.said)
    await until(lambda: line.said[-1] is None)
    await line.put(b"read")
    await until(lambda: line.values == [b"read"])
    assert line.stopped == []


async def test_what_nobody_foresaw_behind_a_batch_stops_consumption_instead_of_passing_over_it(hall: Hall) -> None:
    line = hall.unkept

    async def fails(*_: object) -> None:
        raise LookupError

    setattr(library(line), "commit", fails)  # noqa: B010
    await line.put(b"settled")
    await until(lambda: line.stopped)
    assert line.stopped == ["a batch could not be brought to its end (LookupError)"]
    await line.put(b"not read")
    assert line.values == [b"settled"]


async def test_a_reader_whose_loop_was_cancelled_somewhere_in_the_library_is_noticed(hall: Hall) -> None:
    line = hall.unread
    await line.consumer.idle()
    loops: list[asyncio.Task[Any]] = line.consumer._subscriber.tasks
    for loop in loops:
        loop.cancel()
    await asyncio.wait(loops)
    with pytest.raises(RuntimeError, match="has ended"):
        await line.consumer.idle()


async def test_of_a_batch_during_which_another_came_into_the_group_what_is_still_ones_own_is_committed(
    hall: Hall, engines: Engines
) -> None:
    line = hall.shared
    await until(lambda: line.batches)
    assert sorted(record.partition for record in line.batches[0]) == [0, 1]
    other = Line(engines.kafka, line.topic, f"readers-of-{line.topic}", "1")
    await other.consumer.start()
    await until(lambda: line.consumer.assigned() == 1 and other.consumer.assigned() == 1)

    hall.may_settle.set()
    await until(lambda: line.consumer.batches)
    (own,), (others,) = library(line).assignment(), library(other).assignment()
    assert own != others
    assert {*line.said} == {None}, "the broker took the offsets that it was given"
    assert await library(line).committed(own) == 1
    await until(lambda: other.consumer.settled == {line.topic: {others.partition: 1}})
    assert other.values == [b"%d" % others.partition], "what was settled in vain is settled again by whoever has it now"
    await other.consumer.stop()


# --- topics that are missing --------------------------------------------------------------------------------------------


async def test_of_several_brokers_that_are_asked_first_one_may_be_away(engines: Engines, own_prefix: str) -> None:
    line = Line(f"127.0.0.1:1,{engines.kafka}", f"{own_prefix}-several-shop.events.v1")
    await line.open()
    await line.put(b"1")
    await line.consumer.start()
    await until(lambda: line.values == [b"1"])
    await line.consumer.stop()


async def test_a_consumer_waits_for_a_topic_that_is_missing_and_does_not_create_it(
    engines: Engines, own_prefix: str
) -> None:
    line = Line(engines.kafka, f"{own_prefix}-shop.events.v1")
    with pytest.raises(Transient, match=f"the topic {line.topic} does not exist"):
        await line.consumer.start()
    assert await is_missing(engines, line.topic)

    await line.open()
    await line.consumer.start()
    await line.put(b"read")
    await until(lambda: line.values == [b"read"])
    await line.consumer.stop()


async def test_events_wait_for_a_topic_that_is_missing_and_sending_does_not_create_it(
    engines: Engines, own_prefix: str
) -> None:
    topic = f"{own_prefix}-bank.events.v1"
    producer = Producer(engines.kafka, topic, idempotent=False, client="bank-0")
    await producer.start()
    with pytest.raises(Transient, match=f"the topic {topic} does not exist"):
        await producer.publish([event("anna", 1)], set())
    assert await is_missing(engines, topic)

    await apply_topics(engines.kafka, [Topic(topic, 1, 3_600_000)])
    assert await producer.publish([event("anna", 1)], set()) == [True]
    await producer.stop()


async def is_missing(engines: Engines, topic: str) -> bool:
    plan = await apply_topics(engines.kafka, [Topic(topic, 1, 3_600_000)], dry_run=True)
    return [str(change) for change in plan] == [f"create {topic} with 1 partitions"]
