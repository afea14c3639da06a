"""The bare loop: one process that moves one service's records and makes its writes, with aiokafka, motor and nothing of ours.

    python -m tests.bench.bare FILE DATABASE_URL DATABASE KAFKA RECORDS

It reads what the service wrote (`tests.bench.written`), makes fresh collections with the same validators and indexes and with the states
that were there before, joins a group on the same topics, says ``ready`` and waits for a line. Then it does the same work again, as fast as
two libraries and two servers let it:

- each outbox document in one transaction with the states whose events are in it, and its mark; its events are sent, and the mark is
  deleted when they are acknowledged, while the next transactions run;
- each batch of records, of the size that the service's had on average, in one transaction with the states that they are about; then the
  offsets are committed;
- as many transactions are of both as the service's were, so that there are about as many in all;
- a state is inserted at first; afterwards it is taken out under its version and put in again, as often as the service wrote it;
- the documents of other collections are inserted, and written again as often as the service did, in even shares over all transactions.

It reads nothing from the database, decides nothing, and waits for no cause: what somebody's command brought about in the service is done
here as soon as the loop comes to it. At the end it prints what it did as one line of JSON.
"""

# aiokafka has no types
# pyright: reportMissingTypeStubs=false
from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DeleteMany, InsertOne, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from tests.bench.written import MARKS, OUTBOX, Document, Head, is_state, make, outbox_of, read, subject_of

REMOVED_AT_ONCE: Final = 25


@dataclass(slots=True)
class Transaction:
    """What is written together, by collection: states in their next form, and other operations."""

    states: defaultdict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    others: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def __bool__(self) -> bool:
        return any(self.states.values()) or any(self.others.values())


class Work:
    """One service's documents, and which of them the next transaction writes."""

    def __init__(self, path: Path, records: int) -> None:
        self.head, entries = read(path)
        self.records = records
        self.records_at_once = -(-records // max(1, self.head.batches))
        self.outbox: deque[Document] = deque()
        self._states: dict[str, tuple[str, Document]] = {}
        self._others: dict[str, list[Document]] = defaultdict(list)
        self._versions: dict[str, int] = {}
        for name, document, had in entries:
            if is_state(document):
                subject = subject_of(name, document)
                self._states[subject], self._versions[subject] = (name, document), had
            elif name != OUTBOX:
                self._others[name].append(document)
        self.outbox = deque(outbox_of(path))
        self.of_both = max(0, self.head.batches + len(self.outbox) - self.head.transactions)
        self._kept_for_events = Counter(subject for document in self.outbox for subject in _subjects(document))
        self._unasked = [
            subject
            for subject, (_, state) in self._states.items()
            if not state["applied"]
            for _ in range(self._left(subject) - self._kept_for_events[subject])
        ]
        self._again = {name: _written_again(self.head, name, len(some)) for name, some in self._others.items()}
        self._steps = max(1, len(self.outbox) + records)
        self._done = 0
        self._placed: Counter[str] = Counter()

    def begun(self) -> dict[str, list[Document]]:
        """By collection the states that were there before the measured time, as they are to be there again."""
        states: dict[str, list[Document]] = defaultdict(list)
        for subject, (name, state) in self._states.items():
            if self._versions[subject]:
                states[name].append({**state, "version": self._versions[subject]})
        return states

    def of(self, records: Sequence[Any], document: Document | None) -> Transaction:
        """The transaction of a batch, of an outbox document, or of both together.

        Writes of a batch that belong to events still to come are left for them.
        """
        subjects = _subjects(document) if document else set[str]()
        self._kept_for_events.subtract(subjects)
        about = {record.key.decode() for record in records if record.key is not None}
        subjects |= {subject for subject in about if self._left(subject) > self._kept_for_events[subject]}
        self._done += len(records) + (document is not None)
        transaction = self._transaction(subjects)
        if document:
            transaction.others[OUTBOX].append(InsertOne(document))
            transaction.others[MARKS].append(InsertOne({"_id": document["_id"], "order": document["order"]}))
        return transaction

    def of_rest(self) -> Transaction:
        """What is left at the end, because a subject came more often in one batch than in the service; nothing when all is done."""
        return self._transaction([subject for subject in self._states if self._left(subject)])

    def _left(self, subject: str) -> int:
        return self._states[subject][1]["version"] - self._versions[subject] if subject in self._states else 0

    def _transaction(self, subjects: Iterable[str]) -> Transaction:
        transaction = Transaction()
        for subject in {*subjects, *self._share("states", self._unasked)}:
            if self._left(subject):
                transaction.states[self._states[subject][0]].append(self._next_form(subject))
        for name, documents in self._others.items():
            operations = transaction.others[name]
            operations += map(InsertOne, self._share(name, documents))
            for number in self._share(f"{name} again", self._again[name]):
                known = documents[number % self._placed[name]]["_id"]
                operations.append(UpdateOne({"_id": known}, {"$set": {"again": number}}))
        return transaction

    def _next_form(self, subject: str) -> Document:
        """The state as it is to be written next: the document of the run, under the next version."""
        _, state = self._states[subject]
        self._versions[subject] += 1
        return {**state, "version": self._versions[subject]}

    def _share(self, name: str, everything: Sequence[Any]) -> Sequence[Any]:
        """As much of `everything` as belongs to the steps done by now, without what was given before."""
        begin, end = self._placed[name], -(-len(everything) * min(self._done, self._steps) // self._steps)
        self._placed[name] = end
        return everything[begin:end]


class Loop:
    """Does the work. `did` counts what was done."""

    def __init__(self, work: Work, url: str, database: str, kafka: str) -> None:
        self.did: Counter[str] = Counter()
        self._came: list[Any] = []
        self._work = work
        self._kafka = kafka
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(url, w="majority")
        self._raw = self._client[database]
        self._to_send: asyncio.Queue[Document | None] = asyncio.Queue(8)

    async def prepare(self) -> None:
        head = self._work.head
        await make(self._raw, head.collections)
        for name, states in self._work.begun().items():
            await self._raw[name].insert_many(states)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka, acks="all", enable_idempotence=False, linger_ms=2, max_batch_size=256 * 1024
        )
        await self._producer.start()
        self._consumer = AIOKafkaConsumer(
            *head.reads,
            bootstrap_servers=self._kafka,
            group_id=f"bare-{head.service}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        if head.reads:
            await self._consumer.start()
            while not self._consumer.assignment():
                await asyncio.sleep(0.05)

    async def run(self) -> None:
        sending = asyncio.create_task(self._send())
        outbox, both = self._work.outbox, self._work.of_both
        while outbox or self.did["records"] < self._work.records:
            records = await self._batch(wait_ms=0 if outbox else 20)
            if records and outbox and both:
                both -= 1
                await self._settle(records, outbox.popleft())
            else:
                if records:
                    await self._settle(records, None)
                if outbox:
                    await self._settle([], outbox.popleft())
        while rest := self._work.of_rest():
            await self._commit(rest)
        await self._to_send.put(None)
        await sending

    async def close(self) -> None:
        if self._work.head.reads:
            await self._consumer.stop()
        await self._producer.stop()
        self._client.close()

    async def _batch(self, wait_ms: int) -> Sequence[Any]:
        """The next records if a whole batch of them has come, or the last; otherwise none."""
        missing = min(self._work.records_at_once, self._work.records - self.did["records"]) - len(self._came)
        if missing:
            found = await self._consumer.getmany(timeout_ms=wait_ms, max_records=missing)
            self._came += (record for part in found.values() for record in part)
            missing -= sum(map(len, found.values()))
        if missing:
            return []
        records, self._came = self._came, []
        return records

    async def _settle(self, records: Sequence[Any], document: Document | None) -> None:
        await self._commit(self._work.of(records, document))
        if document:
            await self._to_send.put(document)
        if records:
            self.did["records"] += len(records)
            self.did["batches"] += 1
            await self._consumer.commit(
                {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
            )

    async def _commit(self, transaction: Transaction) -> None:
        if not transaction:
            return
        async with await self._client.start_session() as session:
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority"))
            for name, documents in transaction.states.items():
                await self._put(name, documents, session)
            for name, operations in transaction.others.items():
                if operations:
                    result = await self._raw[name].bulk_write(operations, ordered=False, session=session)
                    inserted = sum(isinstance(operation, InsertOne) for operation in operations)
                    _expect(result.inserted_count == inserted and result.matched_count == len(operations) - inserted)
                    self.did["inserts"] += inserted
                    self.did["updates"] += len(operations) - inserted
            await session.commit_transaction()
        self.did["transactions"] += 1

    async def _put(self, name: str, documents: Sequence[Document], session: Any) -> None:
        """States in their next form, each guarded by its version, in the way that is cheapest for the embedded database."""
        removals = list(_removals(documents))
        replaced = sum(document["version"] > 1 for document in documents)
        if removals:
            result = await self._raw[name].bulk_write(removals, ordered=False, session=session)
            _expect(result.deleted_count == replaced)
        await self._raw[name].insert_many(documents, ordered=False, session=session)
        self.did["replaces"] += replaced
        self.did["inserts"] += len(documents) - replaced

    async def _send(self) -> None:
        last = False
        while not last:
            documents = [await self._to_send.get()]
            while not self._to_send.empty():
                documents.append(self._to_send.get_nowait())
            last = documents[-1] is None
            await self._publish([document for document in documents if document is not None])

    async def _publish(self, documents: Sequence[Document]) -> None:
        topic = self._work.head.topic
        sent = [
            await self._producer.send(topic, event["value"], key=event["subject"].encode(), headers=_headers(event))
            for document in documents
            for event in document["events"]
        ]
        await asyncio.gather(*sent)
        self.did["events"] += len(sent)
        if documents:
            await self._raw[MARKS].delete_many({"_id": {"$in": [document["_id"] for document in documents]}})
            self.did["marks"] += len(documents)


def _removals(documents: Iterable[Document]) -> Iterable[DeleteMany]:
    by_version: dict[int, list[Document]] = defaultdict(list)
    for document in documents:
        by_version[document["version"] - 1].append(document)
    for version, some in by_version.items():
        for start in range(0, len(some) if version else 0, REMOVED_AT_ONCE):
            ids = [document["_id"] for document in some[start : start + REMOVED_AT_ONCE]]
            yield DeleteMany({"_id": {"$in": ids}, "county": some[0]["county"], "version": version})


def _expect(found: bool) -> None:
    if not found:
        raise RuntimeError("a write found nothing to write")


def _subjects(document: Document) -> set[str]:
    return {event["subject"] for event in document["events"]}


def _written_again(head: Head, name: str, documents: int) -> Sequence[int]:
    """One number for each write beyond the first of each document."""
    writes = head.writes.get(name, {})
    return range(max(0, sum(writes.get(one, 0) for one in ("insert", "replace", "update")) - documents))


def _headers(event: Document) -> list[tuple[str, bytes]]:
    """As many headers of the same size as the service sends."""
    headers = [(f"ce_{name}", str(event[name]).encode()) for name in ("id", "type", "subject", "sequence", "time")]
    fixed = [("ce_specversion", b"1.0"), ("ce_source", b"service"), ("ce_county", b"00000")]
    return [*headers, *fixed, ("content-type", b"application/json"), ("traceparent", str(event["trace"]).encode())]


async def main(file: str, url: str, database: str, kafka: str, records: str) -> None:
    loop = Loop(Work(Path(file), int(records)), url, database, kafka)
    await loop.prepare()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began, cpu = time.monotonic(), time.process_time()
    await loop.run()
    used = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**used, **loop.did}), flush=True)
    await loop.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
