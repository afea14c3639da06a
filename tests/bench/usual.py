"""The usual way of doing the same: a handler per message, a database call in each (`tests.bench.per_message`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from deploy.embedded.engines import Engines
from deploy.embedded.system import DATABASE_PREFIX
from deploy.topics import apply_topics
from services.runtime.bus import Topic
from services.runtime.bus import apply_topics as create_topics
from tests.bench.limit import Done, together
from tests.bench.written import OUTBOX, Entry, Head, is_state, outbox_of, read, subject_of, write

BEGINS: Final = "arrival-registered"
PARTITIONS: Final = 4
RETENTION_MS: Final = 3_600_000


async def usual(heads: Sequence[Head], files: Path, folder: Path, people: int) -> Done:
    """Handle the events of the first `people` who were registered, and of nobody else."""
    chosen = _first_registered(heads, files, people)
    selected = folder / "events"
    selected.mkdir(parents=True)
    few = [_select(head, files, selected, chosen) for head in heads]
    events = {head.topic: head.events for head in few}
    async with Engines(folder / "engines") as engines:
        await apply_topics(engines.kafka)
        commands = [Topic(f"commands.{head.service}", PARTITIONS, RETENTION_MS) for head in few]
        await create_topics(engines.kafka, commands)
        return await together(
            {
                head.service: (
                    *("tests.bench.per_message", str(selected / f"{head.service}.bson"), engines.database_url),
                    *(f"{DATABASE_PREFIX}_{head.service}", engines.kafka),
                    str(head.events + sum(events[topic] for topic in head.reads)),
                )
                for head in few
            },
            engines,
        )


def _first_registered(heads: Sequence[Head], files: Path, people: int) -> frozenset[str]:
    chosen: dict[str, None] = {}
    for head in heads:
        for document in outbox_of(files / f"{head.service}.bson"):
            for event in document["events"]:
                if len(chosen) < people and event["type"].split(".")[2] == BEGINS:
                    chosen[event["subject"]] = None
    return frozenset(chosen)


def _select(head: Head, files: Path, into: Path, chosen: frozenset[str]) -> Head:
    """A file with the chosen people's states and events alone."""
    path = files / f"{head.service}.bson"
    kept = [
        entry
        for entry in read(path)[1]
        if is_state(entry.document) and subject_of(entry.collection, entry.document) in chosen
    ]
    states = len(kept)
    for document in outbox_of(path):
        events = [event for event in document["events"] if event["subject"] in chosen]
        if events:
            kept.append(Entry(OUTBOX, {**document, "events": events}, 0))
    number = sum(len(entry.document["events"]) for entry in kept[states:])
    few = replace(head, events=number)
    write(into / f"{head.service}.bson", few, kept)
    return few
