"""Sending to the real broker: keyed by subject, in order, each event told whether it was taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy.embedded.engines import Engines
from schemas.envelope import Envelope, Subject
from services.runtime.bus import Producer, Topic, apply_topics
from services.runtime.changes import LARGEST_EVENT
from services.runtime.errors import Transient
from services.runtime.records import Outgoing
from tests.runtime.toy import START, Booked, an_id

PARTITIONS = 3


def event(name: str, sequence: int, size: int = 0) -> Outgoing:
    subject = Subject("account", an_id(name))
    envelope = Envelope(an_id(f"{name}/{sequence}"), "bank", Booked.TYPE, subject, "10000", sequence, START)
    return Outgoing(envelope, b'{"amount":1}'.ljust(size))


@pytest.fixture
async def topic(engines: Engines, own_prefix: str) -> str:
    name = f"{own_prefix}-bank.events.v1"
    await apply_topics(engines.kafka, [Topic(name, PARTITIONS, 3_600_000)])
    return name


@pytest.fixture
async def producer(engines: Engines, topic: str) -> AsyncIterator[Producer]:
    producer = Producer(engines.kafka, topic, idempotent=False, client="bank-0")
    await producer.start()
    yield producer
    await producer.stop()


async def log_of(kafka: str, topic: str, partitions: int = PARTITIONS) -> dict[int, list[ConsumerRecord[bytes, bytes]]]:
    """Everything that lies in a topic, by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        log: dict[int, list[ConsumerRecord[bytes, bytes]]] = {place.partition: [] for place in places}
        while any(len(log[place.partition]) < ends[place] for place in places):
            for place, records in (await consumer.getmany(timeout_ms=100)).items():
                log[place.partition] += records
        return log
    finally:
        await consumer.stop()


async def test_events_lie_in_the_log_as_their_envelopes_say_and_in_order(
    engines: Engines, producer: Producer, topic: str
) -> None:
    events = [event(f"account {number % 7}", number // 7 + 1) for number in range(70)]
    assert await producer.publish(events, set()) == [True] * 70
    log = await log_of(engines.kafka, topic)
    lying = [record for records in log.values() for record in records]
    assert len(lying) == 70
    for records in log.values():
        numbers: dict[Subject, list[int]] = {}
        for record in records:
            envelope = Envelope.from_headers(record.headers)
            assert record.key == str(envelope.subject).encode()
            numbers.setdefault(envelope.subject, []).append(envelope.sequence)
        assert all(sequence == list(range(1, 11)) for sequence in numbers.values())
    assert producer.published == {topic: {number: len(records) for number, records in log.items() if records}}


async def test_many_large_events_and_one_as_large_as_may_be_arrive_in_order(
    engines: Engines, producer: Producer, topic: str
) -> None:
    sizes = [100_000, 200, 200_000, LARGEST_EVENT, 300, 150_000] * 2
    events = [event("anna", number, size) for number, size in enumerate(sizes, 1)]
    assert await producer.publish(events, set()) == [True] * len(events)
    (records,) = (records for records in (await log_of(engines.kafka, topic)).values() if records)
    assert [Envelope.from_headers(record.headers).sequence for record in records] == list(range(1, len(sizes) + 1))
    assert [len(record.value or b"") for record in records] == sizes


async def test_nothing_is_sent_to_a_broken_partition(engines: Engines, producer: Producer, topic: str) -> None:
    events = [event(f"account {number}", 1) for number in range(30)]
    sent = await producer.publish(events, {0, 2})
    log = await log_of(engines.kafka, topic)
    assert (log[0], log[2]) == ([], [])
    assert sent.count(True) == len(log[1]) > 0


async def test_nothing_to_send_is_no_trouble(producer: Producer) -> None:
    assert await producer.publish([], set()) == []


async def test_a_broker_that_is_away_at_the_start_is_told_and_tried_again(tmp_path: Path, own_prefix: str) -> None:
    engines = Engines(tmp_path)
    topic = f"{own_prefix}-bank.events.v1"
    producer = Producer(engines.kafka, topic, idempotent=False, client="bank-0")
    with pytest.raises(Transient):
        await producer.start()
    with pytest.raises(Transient):
        await apply_topics(engines.kafka, [Topic(topic, 1, 3_600_000)])
    async with engines:
        await apply_topics(engines.kafka, [Topic(topic, 1, 3_600_000)])
        await producer.start()
        assert await producer.publish([event("anna", 1)], set()) == [True]
        await engines.kill("broker")
        lost = asyncio.create_task(producer.publish([event("anna", 2)], broken := set()))
        await engines.start("broker")
        await apply_topics(engines.kafka, [Topic(topic, 1, 3_600_000)])
        # Either the library brought it through in the end, or it is told as not taken, with its partition.
        assert (await lost, broken) in (([True], set()), ([False], {0}))
        await producer.stop()
