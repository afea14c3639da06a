"""Records in: whole batches of raw records, with nothing interpreted by the library.

Offsets are committed explicitly, per partition, and only after the batch is settled. While the database is away the batch is tried again
with growing pauses; after `retry_limit` seconds, or when more records are wrong than a broken message can explain, consuming stops for good
and health says so.

What FastStream 0.7.8 would otherwise do, and why it is set as it is here: it acknowledges before handling; its own `ack` commits everything
fetched, past a failed record too; a null or non-UTF-8 header makes it skip a whole batch without a word (so it is shown no headers at
all); it carries on with the next batch after an error (so the handler never lets one out); it tries for ever, without a word, to
read a log that cannot be read or to stay in a group that will not have it (so fetching is watched); it creates a topic that is missing,
with one partition and one copy (so a consumer waits until its topics are there); its loop ends when something in it is cancelled (so that
it runs is looked at); and it takes a text with several addresses for one address
(so it is given a list).
"""

# aiokafka has no types; what comes from it is checked where it enters.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from services.runtime.bus.positions import Positions
from services.runtime.bus.topics import missing_topics
from services.runtime.errors import Transient
from services.runtime.logs import log
from services.runtime.records import RawRecord
from services.runtime.waiting import set_within

FETCH_WAIT_MS: Final = 150
"""How long the broker may hold back an empty answer. Kafka answers as soon as something comes, but the embedded broker only when this time
is over: with the library's 500 ms a record lies 210 ms before anybody sees it, with 50 ms 18 ms, with 20 ms 4 ms (medians). Each empty
answer costs both sides more than a millisecond of CPU: at 20 ms four idle consumers keep a quarter of two cores busy, at 50 ms a tenth.
With 150 ms the whole idle system takes a fifth of one core, with 50 ms a third. On the whole path a tenth more people get
through with 150 ms than with 50 ms, and no more with 300 ms."""
POLL_MS: Final = 250
"""How long a consumer waits for its own fetcher: it is woken at once when something has come."""
GATHER_SECONDS: Final = 0.5
"""How long a service for whose reading nobody waits lets records come together before it takes the next batch. What is read of one person
within that time is one state written instead of several (docs/decisions/gathered-batches.md)."""
ANSWER_SECONDS: Final = 5.0
"""A broker that takes longer counts as away."""
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 2.0
UNREADABLE: Final = "the group or the log cannot be read"


class Consumer:
    """Hands batches of raw records to `settle`, in order, one batch at a time.

    `settle` returns how many of the records became dead letters; it raises `Transient` when the world is away. `gather`: seconds to wait
    between batches that are not full, so that records come together.
    """

    def __init__(
        self,
        bootstrap: str,
        topics: Sequence[str],
        group: str,
        instance: str,
        settle: Callable[[Sequence[RawRecord]], Awaitable[int]],
        *,
        batch_records: int = 500,
        gather: float = 0.0,
        retry_limit: float = 300.0,
        dead_letter_limit: int = 100,
        dead_letter_window: int = 1000,
        waiting: Callable[[str | None], None] = lambda why: None,
        stopped: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._bootstrap, self._topics = bootstrap, topics
        self._settle = settle
        self._full, self._gather = batch_records, gather
        self._retry_limit = retry_limit
        self._limit = _DeadLetterLimit(dead_letter_limit, dead_letter_window)
        self._waiting = waiting
        self._stopped = stopped
        self._halted: str | None = None
        self._trying = False
        self._unread_since: float | None = None
        self._leaving = asyncio.Event()
        self.settled: Positions = {}
        self._looked_up: frozenset[TopicPartition] = frozenset()
        self.batches = 0
        self._broker = KafkaBroker(
            bootstrap.split(","),
            logger=None,
            apply_types=False,
            graceful_timeout=20.0,
            client_id=f"{group}-{instance}",
            allow_auto_create_topics=False,
        )
        self._subscriber = self._broker.subscriber(
            *topics,
            group_id=group,
            group_instance_id=f"{group}-{instance}",
            batch=True,
            max_records=batch_records,
            batch_timeout_ms=POLL_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_000,
            max_poll_interval_ms=int(retry_limit * 1000) + 60_000,
            parser=_show_no_headers,
            decoder=_raw_records,
        )
        self._subscriber(self._handle)

    async def start(self) -> None:
        """Join the group. Raises `Transient` when the broker is away, or a topic is missing that nobody but an operator creates."""
        missing = await missing_topics(self._bootstrap, self._topics)
        if missing:
            raise Transient(f"topic {missing[0]}", "does not exist")
        try:
            await self._broker.start()
        except KafkaError as error:
            raise Transient("broker") from error
        self._watch_fetching()

    async def stop(self) -> None:
        """Finish the running batch, then go. A batch that waits for the world is given up; it comes again.

        A static member (one with an instance name) takes no leave of its group: its partitions wait for the next process of that name, and
        go to others when the session has ended.
        """
        self._leaving.set()
        await self._broker.stop()

    async def positions(self) -> Positions:
        """`settled`, also of the partitions that have brought nothing yet since they were assigned: there, where the group left off.
        Raises `Transient` when the broker is away."""
        consumer = self._kafka()
        assigned = consumer.assignment() if consumer else frozenset[TopicPartition]()
        for partition in assigned - self._looked_up:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    left_off = await consumer.committed(partition) if consumer else None
            except (TimeoutError, KafkaError) as error:
                raise Transient("broker") from error
            places = self.settled.setdefault(partition.topic, {})
            places[partition.partition] = max(places.get(partition.partition, 0), left_off or 0)
        self._looked_up = frozenset(assigned)
        return self.settled

    async def lag(self) -> Positions:
        """For each assigned partition how many records are still to be settled, as far as the broker has told. Raises `Transient`."""
        settled = await self.positions()
        consumer = self._kafka()
        lag: Positions = {}
        for partition in consumer.assignment() if consumer else ():
            end = consumer.highwater(partition) if consumer else None
            done = settled.get(partition.topic, {}).get(partition.partition, 0)
            if end is not None:
                lag.setdefault(partition.topic, {})[partition.partition] = max(0, end - done)
        return lag

    async def idle(self) -> None:
        """Called now and then: having nothing to do is progress if the broker answers. (aiokafka itself tries again without a word.)

        Raises `RuntimeError` when nobody reads any more: the library's loop ends without a word if something in it is cancelled.
        """
        consumer = self._kafka()
        if consumer is not None and all(task.done() for task in self._subscriber.tasks):
            raise RuntimeError("The loop that reads has ended.")
        if self._halted is not None or self._trying or self._unread_since is not None or consumer is None:
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                partitions = [*consumer.assignment()]
                await (consumer.end_offsets(partitions) if partitions else consumer.topics())
        except (TimeoutError, KafkaError):
            self._waiting("the broker does not answer")
        else:
            self._waiting(None)

    def assigned(self) -> int:
        consumer = self._kafka()
        return len(consumer.assignment()) if consumer else 0

    async def _handle(self, records: tuple[ConsumerRecord[Any, Any], ...]) -> None:
        try:
            if self._halted is None and await self._settle_patiently([_raw(record) for record in records]):
                await self._commit(records)
                self.batches += 1
                if self._gather and len(records) < self._full:
                    await set_within(self._leaving, self._gather)
                return
        except Exception as error:  # noqa: BLE001 - the library would pass over it without a word, and take the next batch
            log.error("task.failed", exception=error)
            self._halt(f"a batch could not be brought to its end ({type(error).__name__})")
        # Returning would let the library go on with the next batch; the group must see that nobody works here.
        await self._leaving.wait()

    async def _settle_patiently(self, records: Sequence[RawRecord]) -> bool:
        """Whether the batch is done with. If not, it comes again after the next start."""
        began = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                dead = await self._settle(records)
            except Transient as error:
                waited = time.monotonic() - began
                if waited > self._retry_limit:
                    log.error("bus.stopped", exception=error)
                    self._halt(f"gave up after {waited:.0f} s in which {error}")
                    return False
                if not self._trying:
                    log.warning("bus.waiting", exception=error)
                self._trying = True
                self._waiting(str(error))
                if await set_within(self._leaving, pause):
                    return False
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - nobody foresaw it: the batch must neither be lost nor tried for ever
                log.error("task.failed", exception=error)
                self._halt(f"a batch could not be settled ({type(error).__name__})")
                return False
            else:
                if self._trying:
                    log.info("bus.resumed")
                self._trying = False
                self._waiting(None)
                if self._limit.exceeded(len(records), dead):
                    log.error("dead-letters.limit")
                    self._halt("too many records could not be applied; look at the dead letters")
                    return False
                return True

    def _halt(self, why: str) -> None:
        self._halted = why
        self._stopped(why)

    def _watch_fetching(self) -> None:
        consumer = self._kafka()
        if consumer is None:
            return
        fetch = consumer.getmany

        async def watched(**wanted: Any) -> Any:
            try:
                fetched = await fetch(**wanted)
            except ConsumerStoppedError:
                raise
            except (CorruptRecordException, ValueError) as error:
                # What the library cannot take apart (a checksum, a header's name that is not UTF-8) would be fetched for ever.
                log.error("task.failed", exception=error)
                self._halt(f"the log holds a record that cannot be read ({type(error).__name__})")
            except KafkaError as error:
                self._not_fetched(error)
                if self._halted is None:
                    raise
            else:
                self._fetched()
                return fetched
            await self._leaving.wait()
            raise ConsumerStoppedError

        setattr(consumer, "getmany", watched)  # noqa: B010

    def _not_fetched(self, error: KafkaError) -> None:
        """The library tries again after some seconds. What has failed in its membership of the group it raises each time."""
        now = time.monotonic()
        if self._unread_since is None:
            self._unread_since = now
            log.warning("bus.waiting", exception=error)
        waited = now - self._unread_since
        if waited > self._retry_limit:
            log.error("bus.stopped", exception=error)
            self._halt(f"gave up after {waited:.0f} s in which {UNREADABLE}")
        else:
            self._waiting(UNREADABLE)

    def _fetched(self) -> None:
        if self._unread_since is not None:
            self._unread_since = None
            log.info("bus.resumed")
            self._waiting(None)

    async def _commit(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        done: dict[TopicPartition, int] = {}
        for record in records:
            done[TopicPartition(record.topic, record.partition)] = record.offset + 1
        consumer = self._kafka()
        # What another instance has by now is settled again there, and skipped; the library would refuse the others together with it.
        own = {
            partition: offset for partition, offset in done.items() if consumer and partition in consumer.assignment()
        }
        if consumer is not None and own:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await consumer.commit(own)
            except (TimeoutError, KafkaError):
                # The group is just forming anew, or the broker is away: the records come again and are skipped.
                self._waiting("the broker did not take the offsets")
        for partition, offset in done.items():
            self.settled.setdefault(partition.topic, {})[partition.partition] = offset

    def _kafka(self) -> AIOKafkaConsumer | None:
        return getattr(self._subscriber, "consumer", None)


class _DeadLetterLimit:
    """More than `limit` dead letters among the last `window` records mean a bug, not a broken message."""

    def __init__(self, limit: int, window: int) -> None:
        self._limit, self._window = limit, window
        self._batches: list[tuple[int, int]] = []

    def exceeded(self, records: int, dead: int) -> bool:
        self._batches.append((records, dead))
        while len(self._batches) > 1 and sum(size for size, _ in self._batches[1:]) >= self._window:
            self._batches.pop(0)
        return sum(dead for _, dead in self._batches) > self._limit


async def _show_no_headers(
    records: tuple[ConsumerRecord[Any, Any], ...], original: Callable[[Any], Awaitable[Any]]
) -> Any:
    message = await original(tuple(replace(record, headers=()) for record in records))
    message.raw_message = records
    return message


async def _raw_records(message: Any) -> Any:
    return message.raw_message


def _raw(record: ConsumerRecord[Any, Any]) -> RawRecord:
    return RawRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers),
    )
