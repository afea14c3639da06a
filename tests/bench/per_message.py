"""The usual way: one service as FastStream's own documentation shows it, with a handler per message and one database call in each.

    python -m tests.bench.per_message FILE DATABASE_URL DATABASE KAFKA MESSAGES

FILE is what the service wrote (`tests.bench.written`), of the people that are to be handled this way. Each of its events is a message of a
topic of commands: its handler upserts the subject's document and publishes the event. Each event of the topics that it reads is a message
too: its handler upserts the subject's document. The documents are the service's own, in their last form, and lie under its validators and
indexes, as in the bare loop. Handlers are typed, and everything else is as the library has it by default.

There is no door, no rule, no transaction, no outbox, no number to tell a repetition by, and nothing is lost or done twice only as long as
nothing fails.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import uvloop
from faststream.kafka import KafkaBroker
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel

from tests.bench.written import Document, is_state, make, outbox_of, read, subject_of


class Event(BaseModel):
    """An event with its payload."""

    id: str
    type: str
    subject: str
    sequence: int
    time: datetime
    data: Document


def events_of(path: Path) -> list[Event]:
    """The service's events, in the order in which it sent them."""
    return [
        Event(**{**event, "data": json.loads(event["value"])})
        for document in outbox_of(path)
        for event in document["events"]
    ]


def _assigned(subscriber: Any) -> bool:
    return bool(subscriber.consumer.assignment())


async def main(file: str, url: str, database: str, kafka: str, messages: str) -> None:
    path, expected = Path(file), int(messages)
    head, entries = read(path)
    states = {subject_of(name, document): (name, document) for name, document, _ in entries if is_state(document)}
    versions: Counter[str] = Counter()
    events = events_of(path)
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(url)
    raw = client[database]
    await make(raw, head.collections)
    broker = KafkaBroker(kafka, logger=None)
    handled = 0
    all_handled = asyncio.Event()

    async def upsert(event: Event) -> None:
        nonlocal handled
        name, document = states[event.subject]
        versions[event.subject] += 1
        changed = {**document, "version": versions[event.subject]}
        await raw[name].replace_one({"_id": document["_id"]}, changed, upsert=True)
        handled += 1
        if handled == expected:
            all_handled.set()

    @broker.subscriber(f"commands.{head.service}", group_id=f"usual-{head.service}", auto_offset_reset="earliest")
    async def on_command(event: Event) -> None:
        await upsert(event)
        await broker.publish(event, head.topic, key=event.subject.encode())

    if head.reads:

        @broker.subscriber(*head.reads, group_id=f"usual-{head.service}-events", auto_offset_reset="earliest")
        async def on_event(event: Event) -> None:
            await upsert(event)

    await broker.start()
    while not all(_assigned(subscriber) for subscriber in broker.subscribers):
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began, cpu = time.monotonic(), time.process_time()
    for event in events:
        await broker.publish(event, f"commands.{head.service}", key=event.subject.encode(), no_confirm=True)
    if expected:
        await all_handled.wait()
    used = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**used, "messages": handled}), flush=True)
    await broker.stop()
    client.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
