"""Topics as they are to be, and the plan that leads there.

It creates topics, adds partitions and puts settings right. It never shrinks and never deletes: partitions that are too many stay, records
that are kept for too long are told and left to an operator, since a shorter time deletes what is older at once, and so is a wrong number
of copies, since moving them takes the broker's own tools and time.
"""

# aiokafka has no types; what comes from it is checked where it enters.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    BrokerResponseError,
    IncompatibleBrokerVersion,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)

from services.runtime.errors import Transient

HALF_A_DAY_MS: Final = 12 * 60 * 60 * 1000
_RETENTION: Final = "retention.ms"
_OF_THE_TOPIC: Final = 1
"""Kafka's mark of a setting that somebody gave to the topic itself."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is to be.

    A broker removes whole segments, each when its newest record is older than `retention_ms`; so a record lies there for at most
    `retention_ms` + `segment_ms`, and some minutes until the broker looks. All copies but one must have a record before it is acknowledged:
    one node may be lost without a word, with two lost nothing more is taken.
    """

    name: str
    partitions: int
    retention_ms: int
    replication: int = 1
    segment_ms: int = HALF_A_DAY_MS

    @property
    def settings(self) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "segment.ms": str(self.segment_ms),
            "min.insync.replicas": str(max(1, self.replication - 1)),
        }


@dataclass(frozen=True, slots=True)
class TopicChange:
    """One step of a plan, in words. One that neither creates, adds partitions nor gives settings is left to an operator."""

    topic: Topic
    words: str
    creates: bool = False
    partitions: int = 0
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_left(self) -> bool:
        """Whether an operator has to do it."""
        return not (self.creates or self.partitions or self.settings)

    def __str__(self) -> str:
        return self.words


class TopicRefused(RuntimeError):
    """The broker will not have a topic as it is to be. The message says which step it refused, and the broker's word for why."""


Agreed = Callable[[list[TopicChange]], bool]
"""Is shown a whole plan before its first step, and says whether to carry it out."""


async def apply_topics(
    bootstrap: str, topics: Iterable[Topic], *, dry_run: bool = False, agreed: Agreed = lambda plan: True
) -> list[TopicChange]:
    """Bring the broker's topics to what is wanted. Returns the plan: what was (or would be) done, and what is left to an operator.

    What is carried out is the plan that `agreed` was shown, and nothing of it where it says no; it may take its time.

    Raises `Transient` when the broker is away, `TopicRefused` when it does not take a step.
    """
    async with _admin(bootstrap) as admin:
        plan = await _plan(admin, list(topics))
        if not dry_run and await asyncio.to_thread(agreed, plan):
            for change in plan:
                await _carry_out(admin, change)
        return plan


async def nodes_that_answer(bootstrap: str) -> int:
    """How many nodes the broker has that can be given partitions. Raises `Transient`."""
    async with _admin(bootstrap) as admin:
        return len((await admin.describe_cluster())["brokers"])


async def missing_topics(bootstrap: str, names: Collection[str]) -> list[str]:
    """Which of these topics do not exist. Raises `Transient`.

    Asked for all topics: whoever asks for one by its name makes many a broker create it, with whatever partitions and copies it pleases.
    """
    async with _admin(bootstrap) as admin:
        return sorted({*names} - {*await admin.list_topics()})


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        yield admin
    except KafkaError as error:
        raise Transient("broker") from error
    finally:
        await admin.close()


# --- the plan -----------------------------------------------------------------------------------------------------------


async def _plan(admin: AIOKafkaAdminClient, wanted: list[Topic]) -> list[TopicChange]:
    existing = {*await admin.list_topics()}
    there = [topic for topic in wanted if topic.name in existing]
    copies = {entry["topic"]: _copies(entry) for entry in await admin.describe_topics([topic.name for topic in there])}
    settings = await _settings(admin, there)
    plan: list[TopicChange] = []
    for topic in wanted:
        if topic.name in existing:
            plan += differences(topic, copies[topic.name], settings.get(topic.name, {}))
        else:
            copies_of_each = f", {topic.replication} copies of each" if topic.replication > 1 else ""
            words = f"create {topic.name} with {topic.partitions} partitions{copies_of_each}"
            plan.append(TopicChange(topic, words, creates=True))
    return plan


def differences(topic: Topic, copies: list[int], settings: Mapping[str, tuple[str, bool]]) -> Iterator[TopicChange]:
    """The steps from a topic that exists to the one that is wanted.

    `copies` has the number of copies of each partition, `settings` the value of each setting that the broker told, and whether somebody
    gave it to the topic itself: such a one has to be sent along, or it would be lost when another is changed.
    """
    if len(copies) < topic.partitions:
        words = f"add partitions to {topic.name}: {len(copies)} to {topic.partitions}"
        yield TopicChange(topic, words, partitions=topic.partitions)
    # What a broker does not tell cannot be compared.
    wrong = {name: value for name, value in topic.settings.items() if settings.get(name, (value, False))[0] != value}
    kept = settings.get(_RETENTION, ("", False))[0]
    if _RETENTION in wrong and _is_longer(kept, topic.retention_ms):
        del wrong[_RETENTION]
        yield TopicChange(
            topic,
            f"leave {topic.name} keeping records for {kept} ms instead of {topic.retention_ms}: a shorter time deletes what is older at "
            "once and is for an operator, with Kafka's tool kafka-configs",
        )
    if wrong:
        changes = ", ".join(f"{name} {settings[name][0]} to {value}" for name, value in wrong.items())
        given = {name: value for name, (value, is_given) in settings.items() if is_given}
        yield TopicChange(topic, f"change settings of {topic.name}: {changes}", settings=given | wrong)
    if any(number != topic.replication for number in copies):
        yield TopicChange(
            topic,
            f"leave {topic.name} with {_range(copies)} copies of each partition instead of {topic.replication}: "
            "to move them is for an operator, with Kafka's tool kafka-reassign-partitions",
        )


async def _settings(admin: AIOKafkaAdminClient, topics: list[Topic]) -> dict[str, dict[str, tuple[str, bool]]]:
    """For each topic its settings, and whether each was given to the topic itself."""
    if not topics:
        return {}
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    answers: list[Any] = [*await admin.describe_configs(resources)]
    for answer in answers:
        for code, _, _, name, entries in answer.resources:
            _check(code)
            found[name] = {entry[0]: (entry[1], entry[3] == _OF_THE_TOPIC) for entry in entries}
    return found


def _is_longer(kept_ms: str, wanted_ms: int) -> bool:
    """For ever is -1."""
    return int(kept_ms) < 0 or int(kept_ms) > wanted_ms


def _copies(entry: Any) -> list[int]:
    return [len(partition["replicas"]) for partition in entry["partitions"]]


def _range(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


# --- carrying it out ----------------------------------------------------------------------------------------------------


async def _carry_out(admin: AIOKafkaAdminClient, change: TopicChange) -> None:
    topic = change.topic
    try:
        if change.creates:
            await _create(admin, change)
        elif change.partitions:
            await admin.create_partitions({topic.name: NewPartitions(total_count=change.partitions)})
        elif change.settings:
            altered = ConfigResource(ConfigResourceType.TOPIC, topic.name, dict(change.settings))
            answers: list[Any] = [*await admin.alter_configs([altered])]
            for answer in answers:
                for code, *_ in answer.resources:
                    _check(code)
    except IncompatibleBrokerVersion as error:
        raise TopicRefused(f"The broker has no command to {change}.") from error
    except BrokerResponseError as error:
        if error.retriable:
            raise
        raise TopicRefused(f"The broker refuses to {change}: {error.message}.") from error


async def _create(admin: AIOKafkaAdminClient, change: TopicChange) -> None:
    topic = change.topic
    wanted = NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication,
        topic_configs=topic.settings,
    )
    answer: Any = await admin.create_topics([wanted])
    for _, code, *_ in answer.topic_errors:
        # Somebody else may have been faster; whatever differs then is the next plan's.
        if code != TopicAlreadyExistsError.errno:
            _check(code)


def _check(code: int) -> None:
    """Raise what a broker answered, unless it is that all is well."""
    error = for_code(code)
    if error is not NoError:
        raise error
