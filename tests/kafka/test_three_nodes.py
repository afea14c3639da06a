"""Apache Kafka with three nodes: topics as they are declared, three copies of each, and one node lost without a word."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.embedded.folder import Choices
from deploy.embedded.system import Embedded, Running
from deploy.topics import apply_topics, until_nodes_answer
from schemas.topics import topics
from services.runtime.bus import Producer, Topic
from services.runtime.bus import apply_topics as apply_to_broker
from tests.runtime.test_bus_sending import event, log_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("a folder")
    async with Embedded(folder, services=["intake"], choices=Choices(broker="kafka", nodes=3)) as running:
        yield running


async def copies_and_settings(kafka: str, names: list[str]) -> dict[str, tuple[list[int], dict[str, str]]]:
    """Of each topic how many copies its partitions have, and the value of each setting, as the broker itself tells."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        copies = {
            topic["topic"]: [len(partition["replicas"]) for partition in topic["partitions"]]
            for topic in await admin.describe_topics(names)
        }
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        told = [resource for answer in await admin.describe_configs(resources) for resource in answer.resources]  # pyright: ignore[reportAttributeAccessIssue]
        return {name: (copies[name], {entry[0]: entry[1] for entry in entries}) for _, _, _, name, entries in told}
    finally:
        await admin.close()


def environment(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


async def words(kafka: str, topic: Topic, *, dry_run: bool = False) -> list[str]:
    return [str(change) for change in await apply_to_broker(kafka, [topic], dry_run=dry_run)]


async def test_each_topic_has_the_partitions_copies_and_retention_that_are_declared(running: Running) -> None:
    declared = topics()
    found = await copies_and_settings(running.kafka, [*declared])
    for name, topic in declared.items():
        copies, settings = found[name]
        assert copies == [3] * topic.partitions
        assert settings["retention.ms"] == str(topic.retention_ms)
        assert settings["segment.ms"] == str(topic.segment_ms)
        assert settings["min.insync.replicas"] == "2"
    assert await apply_topics(running.kafka, profile="production", dry_run=True) == []


async def test_a_plan_is_told_and_changes_nothing_and_what_is_applied_is_there(running: Running) -> None:
    small = Topic("small.events.v1", 2, 3_600_000, replication=3)
    create = ["create small.events.v1 with 2 partitions, 3 copies of each"]
    assert await words(running.kafka, small, dry_run=True) == create
    assert await words(running.kafka, small, dry_run=True) == create
    assert await words(running.kafka, small) == create
    assert await words(running.kafka, small) == []

    other = replace(small, partitions=4, retention_ms=7_200_000)
    plan = [
        "add partitions to small.events.v1: 2 to 4",
        "change settings of small.events.v1: retention.ms 3600000 to 7200000",
    ]
    assert await words(running.kafka, other, dry_run=True) == plan
    assert await words(running.kafka, other) == plan
    copies, settings = (await copies_and_settings(running.kafka, [small.name]))[small.name]
    assert (copies, settings["retention.ms"], settings["min.insync.replicas"]) == ([3, 3, 3, 3], "7200000", "2")

    assert await words(running.kafka, replace(other, partitions=1)) == [], "a topic is never made narrower"
    (left,) = await words(running.kafka, replace(other, retention_ms=3_600_000))
    assert left.startswith("leave small.events.v1 keeping records for 7200000 ms instead of 3600000: ")
    copies, settings = (await copies_and_settings(running.kafka, [small.name]))[small.name]
    assert (copies, settings["retention.ms"]) == ([3, 3, 3, 3], "7200000")


async def test_fewer_copies_than_declared_are_told_and_left_to_an_operator(running: Running) -> None:
    single = Topic("single.events.v1", 1, 3_600_000)
    await apply_to_broker(running.kafka, [single])
    settings, left = await words(running.kafka, replace(single, replication=3))
    assert settings == "change settings of single.events.v1: min.insync.replicas 1 to 2"
    assert left.startswith("leave single.events.v1 with 1 copies of each partition instead of 3")


async def test_services_are_told_that_the_log_is_kept_and_to_send_each_event_once(running: Running) -> None:
    told = environment(running.pid("intake"))
    assert {b"WEGENETZ_KAFKA_IDEMPOTENT=true", b"WEGENETZ_LOG_IS_VOLATILE=false"} <= {*told}
    assert f"WEGENETZ_KAFKA={running.kafka}".encode() in told


async def test_whichever_node_is_killed_what_was_acknowledged_is_there_and_in_order(running: Running) -> None:
    """`kill -9` of each node in turn, in the middle of what is sent; the sender tries again as the relay does."""
    sent = Topic("sent.events.v1", 3, 3_600_000, replication=3)
    await apply_to_broker(running.kafka, [sent])
    producer = Producer(running.kafka, sent.name, idempotent=True, client="bank-0")
    await producer.start()
    try:
        number = 0
        for victim in ("broker-1", "broker-2", "broker-3"):
            for round_ in range(20):
                number += 1
                while not all(await producer.publish([event("Ada", number), event("Ben", number)], set())):
                    pass
                if round_ == 5:
                    running.kill(victim, signal.SIGKILL)
            await running.wait_ready(victim)
            await until_nodes_answer(running.kafka, 3)
    finally:
        await producer.stop()
    log = await log_of(running.kafka, sent.name)
    by_subject: dict[bytes, list[int]] = {}
    for records in log.values():
        for record in records:
            headers = dict(record.headers)
            by_subject.setdefault(record.key or b"", []).append(int(headers["ce_sequence"]))
    assert len(by_subject) == 2
    for numbers in by_subject.values():
        assert [*dict.fromkeys(numbers)] == [*range(1, 61)], "nothing is missing, and nothing overtook"
