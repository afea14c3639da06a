"""A consumer on a topic of its own, told by the test what becomes of a batch; and whoever puts records into that topic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import (
    _DefaultRecordBatchBuilderPy,  # pyright: ignore[reportPrivateUsage]
)

from services.runtime.bus import Consumer, Topic, apply_topics
from services.runtime.records import RawRecord

Settle = Callable[[Sequence[RawRecord]], Awaitable[int]]

ENOUGH_SECONDS = 60.0


class Line:
    """`settle` may be changed at any time; what it was given lies in `batches`, what health was told in `said` and `stopped`."""

    def __init__(self, kafka: str, topic: str, group: str = "", instance: str = "0", **limits: Any) -> None:
        self.topic = topic
        self.batches: list[list[RawRecord]] = []
        self.said: list[str | None] = []
        self.stopped: list[str] = []
        self.settle: Settle = self.everything_applied
        self.kafka = kafka
        self.consumer = Consumer(
            kafka,
            [topic],
            group or f"readers-of-{topic}",
            instance,
            self._settle,
            waiting=self.said.append,
            stopped=self.stopped.append,
            **limits,
        )

    @staticmethod
    async def everything_applied(records: Sequence[RawRecord]) -> int:
        return 0

    async def _settle(self, records: Sequence[RawRecord]) -> int:
        self.batches.append([*records])
        return await self.settle(records)

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for batch in self.batches for record in batch]

    async def open(self, partitions: int = 1) -> None:
        await apply_topics(self.kafka, [Topic(self.topic, partitions, 3_600_000)])

    async def put(self, *values: bytes | None) -> None:
        """One after the other, each acknowledged, all in the first partition."""
        await self.put_records(*(RawRecord(self.topic, 0, 0, None, value, ()) for value in values))

    async def put_records(self, *records: RawRecord) -> None:
        producer = await self._producer()
        try:
            sent = [
                await producer.send(
                    self.topic, record.value, key=record.key, headers=[*record.headers], partition=record.partition
                )
                for record in records
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def put_unreadable(self) -> None:
        """A record of which a header's *name* is not UTF-8: no client library that we know can take it apart."""

        class NotText(str):
            __slots__ = ()

            def encode(self, *_: Any) -> bytes:  # pyright: ignore[reportIncompatibleMethodOverride]
                return b"\xff"

        producer = await self._producer()
        try:
            batch = producer.create_batch()
            batch._builder = _DefaultRecordBatchBuilderPy(
                magic=2,
                compression_type=0,
                is_transactional=0,
                producer_id=-1,
                producer_epoch=-1,
                base_sequence=-1,
                batch_size=1000,
            )
            batch.append(timestamp=None, key=None, value=b"?", headers=[(NotText("x"), b"1")])
            await (await producer.send_batch(batch, self.topic, partition=0))
        finally:
            await producer.stop()

    async def _producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, enable_idempotence=False, max_request_size=3_000_000)
        await producer.start()
        return producer


async def until(condition: Callable[[], object]) -> None:
    """Waits for a condition; the test fails if it does not come about."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
