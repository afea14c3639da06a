"""Events out: to their owner's topic, keyed by subject, in order within a partition, and counted when the broker has acknowledged them."""

# aiokafka has no types; what comes from it is checked where it enters.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from schemas.envelope import Subject
from services.runtime.bus.positions import Positions
from services.runtime.errors import Transient
from services.runtime.records import Outgoing

_PARTITIONER: Final = DefaultPartitioner()


class Producer:
    """Publishes events to their owner's topic, keyed by subject, and remembers where they came to lie."""

    def __init__(self, bootstrap: str, topic: str, *, idempotent: bool, client: str) -> None:
        self._topic = topic
        self._kafka = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=client,
            acks="all",
            enable_idempotence=idempotent,
            linger_ms=2,
            max_batch_size=256 * 1024,
            request_timeout_ms=15_000,
        )
        self._exists = False
        self.published: Positions = {}

    async def start(self) -> None:
        """Raises `Transient` when the broker is away."""
        try:
            await self._kafka.start()
        except KafkaError as error:
            raise Transient("broker") from error

    async def stop(self) -> None:
        await self._kafka.stop()

    async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
        """See `services.runtime.outbox.Publisher`. Batches are filled here: a call of the library for each event costs as much again."""
        partitions = await self._partitions()
        acknowledged = [False] * len(events)
        sent: list[tuple[int, Sequence[int], asyncio.Future[Any]]] = []
        for partition, positions in _by_partition(events, partitions).items():
            for batch, filled in self._batches(events, positions) if partition not in broken else ():
                try:
                    future = await self._kafka.send_batch(batch, self._topic, partition=partition)
                except KafkaError:
                    broken.add(partition)
                    break
                sent.append((partition, filled, future))
        places = self.published.setdefault(self._topic, {})
        failed: set[int] = set()
        for partition, filled, future in sent:
            try:
                first = await future
            except KafkaError:
                failed.add(partition)
                continue
            if partition in failed:
                # Also what came through behind a failure counts as not sent: it is sent again, behind its predecessors.
                continue
            for position in filled:
                acknowledged[position] = True
            places[partition] = max(places.get(partition, 0), first.offset + len(filled))
        broken |= failed
        return acknowledged

    async def _partitions(self) -> list[int]:
        """Of the topic, once it exists. Raises `Transient`.

        The library asks for a topic by its name, and many a broker then creates it; so all topics are looked at first.
        """
        try:
            if not self._exists:
                self._exists = self._topic in (await self._kafka.client.fetch_all_metadata()).topics()
            if self._exists:
                return sorted(await self._kafka.partitions_for(self._topic))
        except KafkaError as error:
            raise Transient("broker") from error
        raise Transient(f"topic {self._topic}", "does not exist")

    def _batches(self, events: Sequence[Outgoing], positions: Sequence[int]) -> Iterable[tuple[Any, Sequence[int]]]:
        """Full batches, each with the positions of its events."""
        batch, filled = self._kafka.create_batch(), list[int]()
        for position in positions:
            event = events[position]
            key, headers = str(event.envelope.subject).encode(), event.envelope.to_headers()
            if batch.append(timestamp=None, key=key, value=event.value, headers=headers) is None:
                yield batch, filled
                batch, filled = self._kafka.create_batch(), []
                batch.append(timestamp=None, key=key, value=event.value, headers=headers)
            filled.append(position)
        batch.close()
        yield batch, filled


def _by_partition(events: Sequence[Outgoing], partitions: Sequence[int]) -> dict[int, list[int]]:
    """The positions of the events that go to each partition, in order."""
    of_subject: dict[Subject, list[int]] = {}
    for position, event in enumerate(events):
        of_subject.setdefault(event.envelope.subject, []).append(position)
    found: dict[int, list[int]] = {}
    for subject, positions in of_subject.items():
        found.setdefault(_PARTITIONER(str(subject).encode(), partitions, partitions), []).extend(positions)
    return {partition: sorted(positions) for partition, positions in found.items()}
