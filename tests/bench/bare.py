"""The bare loop: one process that moves one service's records and makes its writes, with aiokafka, motor and nothing of ours.

    python -m tests.bench.bare FILE DATABASE_URL DATABASE KAFKA RECORDS

It reads what the service wrote (`tests.bench.written`), makes fresh collections with the same validators and indexes, joins a group on the
same topics, says ``ready`` and waits for a line. Then it does the same work again, as fast as two libraries and two servers let it:

- each outbox document in a transaction of its own, with the states whose events are in it, and its mark; its events are sent, and the
  mark is deleted when they are acknowledged, while the next transactions run;
- each batch of records (at most 500) in one transaction with the states that they are about; then the offsets are committed;
- a state is inserted at first and replaced under its version afterwards, as often as the service wrote it; the documents of the other
  collections are inserted, and written again as often as the service did, in even shares over all transactions.

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
from pathlib import Path
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import InsertOne, ReplaceOne, UpdateOne

from tests.bench.written import MARKS, OUTBOX, Document, Head, is_state, read

BATCH: Final = 500


class Work:
    """One service's documents, and which of them the next transaction writes."""

    def __init__(self, path: Path, records: int) -> None:
        self.head, documents = read(path)
        self.records = records
        self.outbox: deque[Document] = deque()
        self._states: dict[str, tuple[str, Document]] = {}
        self._others: dict[str, list[Document]] = defaultdict(list)
        for name, document in documents:
            if name == OUTBOX:
                self.outbox.append(document)
            elif is_state(document):
                self._states[f"{name.removesuffix('s')}/{document['_id']}"] = (name, document)
            else:
                self._others[name].append(document)
        self.outbox = deque(sorted(self.outbox, key=lambda one: (one["order"], one["_id"])))
        self._versions = dict.fromkeys(self._states, 0)
        self._kept_for_events = Counter(subject for document in self.outbox for subject in _subjects(document))
        self._unasked = [
            subject
            for subject, (_, state) in self._states.items()
            if not state["applied"]
            for _ in range(state["version"] - self._kept_for_events[subject])
        ]
        self._again = {name: _written_again(self.head, name, len(some)) for name, some in self._others.items()}
        self._steps = max(1, len(self.outbox) + records)
        self._done = 0
        self._placed: Counter[str] = Counter()

    def of_document(self, document: Document) -> dict[str, list[Any]]:
        """The operations of an outbox document's transaction, by collection."""
        subjects = _subjects(document)
        self._kept_for_events.subtract(subjects)
        self._done += 1
        operations = self._operations(subjects)
        operations[OUTBOX] = [InsertOne(document)]
        operations[MARKS] = [InsertOne({"_id": document["_id"], "order": document["order"]})]
        return operations

    def of_records(self, keys: Sequence[bytes | None]) -> dict[str, list[Any]]:
        """The operations of a batch's transaction. Writes that belong to events still to come are left for them."""
        subjects = {key.decode() for key in keys if key is not None}
        self._done += len(keys)
        return self._operations(
            [subject for subject in subjects if self._left(subject) > self._kept_for_events[subject]]
        )

    def of_rest(self) -> dict[str, list[Any]]:
        """What is left at the end, because batches here were larger than the service's; nothing when all is done."""
        return self._operations([subject for subject in self._states if self._left(subject)][:BATCH])

    def _left(self, subject: str) -> int:
        return self._states[subject][1]["version"] - self._versions[subject] if subject in self._states else 0

    def _operations(self, subjects: Iterable[str]) -> dict[str, list[Any]]:
        operations: dict[str, list[Any]] = defaultdict(list)
        for subject in {*subjects, *self._share("states", self._unasked)}:
            if self._left(subject):
                operations[self._states[subject][0]].append(self._state_operation(subject))
        for name, documents in self._others.items():
            operations[name] += [InsertOne(document) for document in self._share(name, documents)]
            inserted = self._placed[name]
            for number in self._share(f"{name} again", self._again[name]):
                known = documents[number % inserted]["_id"]
                operations[name].append(UpdateOne({"_id": known}, {"$set": {"again": number}}))
        return {name: some for name, some in operations.items() if some}

    def _state_operation(self, subject: str) -> InsertOne[Document] | ReplaceOne[Document]:
        _, state = self._states[subject]
        version = self._versions[subject]
        self._versions[subject] = version + 1
        document = {**state, "version": version + 1}
        if version == 0:
            return InsertOne(document)
        # The guard in the form that is cheapest for the embedded database (docs/architecture/speed.md).
        guard = {"_id": state["_id"], "county": {"$all": [state["county"]]}, "version": {"$all": [version]}}
        return ReplaceOne(guard, document)

    def _share(self, name: str, everything: Sequence[Any]) -> Sequence[Any]:
        """As much of `everything` as belongs to the steps done by now, without what was given before."""
        begin, end = self._placed[name], -(-len(everything) * min(self._done, self._steps) // self._steps)
        self._placed[name] = end
        return everything[begin:end]


class Loop:
    """Does the work. `did` counts what was done."""

    def __init__(self, work: Work, url: str, database: str, kafka: str) -> None:
        self.did: Counter[str] = Counter()
        self._work = work
        self._kafka = kafka
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(url, w="majority")
        self._raw = self._client[database]
        self._to_send: asyncio.Queue[Document | None] = asyncio.Queue(8)

    async def prepare(self) -> None:
        head = self._work.head
        for kept in head.collections:
            validator = {"validator": kept.validator} if kept.validator else {}
            await self._raw.command({"create": kept.name, **validator})
            if kept.indexes:
                await self._raw.command({"createIndexes": kept.name, "indexes": kept.indexes})
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
        outbox = self._work.outbox
        while outbox or self.did["records"] < self._work.records:
            if self.did["records"] < self._work.records:
                await self._take(wait_ms=0 if outbox else 20)
            if outbox:
                document = outbox.popleft()
                await self._commit(self._work.of_document(document))
                await self._to_send.put(document)
        while rest := self._work.of_rest():
            await self._commit(rest)
        await self._to_send.put(None)
        await sending

    async def close(self) -> None:
        if self._work.head.reads:
            await self._consumer.stop()
        await self._producer.stop()
        self._client.close()

    async def _take(self, wait_ms: int) -> None:
        batch = await self._consumer.getmany(timeout_ms=wait_ms, max_records=BATCH)
        records = [record for part in batch.values() for record in part]
        if not records:
            return
        self.did["records"] += len(records)
        self.did["batches"] += 1
        await self._commit(self._work.of_records([record.key for record in records]))
        await self._consumer.commit({partition: part[-1].offset + 1 for partition, part in batch.items()})

    async def _commit(self, operations: dict[str, list[Any]]) -> None:
        if not operations:
            return
        async with await self._client.start_session() as session:
            session.start_transaction()
            for name, some in operations.items():
                result = await self._raw[name].bulk_write(some, ordered=False, session=session)
                replaced = sum(isinstance(operation, ReplaceOne) for operation in some)
                inserted = sum(isinstance(operation, InsertOne) for operation in some)
                if result.matched_count != len(some) - inserted or result.inserted_count != inserted:
                    raise RuntimeError(f"{name}: a write found nothing to write")
                self.did["inserts"] += inserted
                self.did["replaces"] += replaced
                self.did["updates"] += len(some) - inserted - replaced
            await session.commit_transaction()
        self.did["transactions"] += 1

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
    began = time.monotonic()
    await loop.run()
    print(json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time(), **loop.did}), flush=True)
    await loop.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
