"""Topics as they are to be, and the plan that leads there: it creates and adds, and never shrinks or deletes."""

# aiokafka has no types; what comes from it is checked where it enters.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from services.runtime.errors import Transient


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is to be: `retention_ms` at most 30 days."""

    name: str
    partitions: int
    retention_ms: int
    replication: int = 1


@dataclass(frozen=True, slots=True)
class TopicChange:
    """One step of a plan: a topic to create, or partitions to add."""

    topic: Topic
    existing: int

    def __str__(self) -> str:
        if self.existing == 0:
            return f"create {self.topic.name} with {self.topic.partitions} partitions"
        return f"add partitions to {self.topic.name}: {self.existing} to {self.topic.partitions}"


async def apply_topics(bootstrap: str, topics: Iterable[Topic], *, dry_run: bool = False) -> list[TopicChange]:
    """Create what is missing and add partitions; never shrinks or deletes. Returns what was (or would be) done."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        try:
            wanted = list(topics)
            present = set(await admin.list_topics())
            described = await admin.describe_topics([topic.name for topic in wanted if topic.name in present])
            partitions = {entry["topic"]: len(entry["partitions"]) for entry in described}
            plan = [
                TopicChange(topic, partitions.get(topic.name, 0))
                for topic in wanted
                if partitions.get(topic.name, 0) < topic.partitions
            ]
            if not dry_run:
                for change in plan:
                    await _apply(admin, change)
            return plan
        finally:
            await admin.close()
    except KafkaError as error:
        raise Transient("broker") from error


async def _apply(admin: AIOKafkaAdminClient, change: TopicChange) -> None:
    topic = change.topic
    if change.existing:
        await admin.create_partitions({topic.name: NewPartitions(total_count=topic.partitions)})
        return
    try:
        await admin.create_topics(
            [
                NewTopic(
                    name=topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=topic.replication,
                    topic_configs={"retention.ms": str(topic.retention_ms)},
                )
            ]
        )
    except TopicAlreadyExistsError:
        return
