"""The console's look at all replicas, every few seconds, and what it remembers of the last hour.

The hour is in memory, where the pages read it, and in a small file, so that a new start knows what is normal. Both hold an hour and no
more. A replica that does not answer is shown as silent; the look at the others goes on.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from services.operations.pictures import COLUMNS, column_of
from services.operations.readings import Beside, Place, Reading, Sample, beside, reading, sample
from services.runtime.waiting import set_within

EVERY: Final = 5.0
"""Seconds between two looks; as often as a service looks at what waits (machine time)."""
REMEMBERED: Final = 3600.0
"""Seconds."""
FILE: Final = "readings.sqlite"
_ANSWER_SECONDS: Final = 3.0

_SCHEMA: Final = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists samples (at real not null, service text not null, address text not null, told text not null);
create index if not exists by_time on samples (at);
"""


@dataclass(slots=True)
class Replica:
    """One process of a service: where it is, the latest look at it, and the samples of the last hour."""

    service: str
    address: str
    latest: Reading = field(default_factory=lambda: Reading(0.0, "silent"))
    samples: deque[Sample] = field(default_factory=deque[Sample])
    numbers: Sequence[Beside] = ()
    """Now beside normal, worked out once for each look."""
    columns: dict[Place, dict[int, float]] = field(default_factory=dict[Place, dict[int, float]])
    """The lag of each place as its picture has it: the largest of each column."""

    def remember(self, one: Sample) -> None:
        self.recall(one)
        while self.samples[0].at < one.at - REMEMBERED:
            self.samples.popleft()
        self.numbers = beside(self.samples)

    def recall(self, one: Sample) -> None:
        self.samples.append(one)
        now = column_of(one.at)
        for place, records in one.lag.items():
            columns = self.columns.setdefault(place, {})
            columns[now] = max(records, columns.get(now, records))
            columns.pop(now - COLUMNS - 1, None)


class Watch:
    """All replicas. `looks` counts the looks; `looked` is set anew after each."""

    def __init__(self, watched: Mapping[str, Sequence[str]], folder: Path, client: httpx.AsyncClient) -> None:
        self.replicas: Final = [Replica(name, url.rstrip("/")) for name, urls in watched.items() for url in urls]
        self.looks = 0
        self._client = client
        self._waiting: list[asyncio.Event] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(folder / FILE, check_same_thread=False, isolation_level=None)
        self._file.executescript(_SCHEMA)
        self._recall(time.time())

    async def look(self) -> None:
        """One look at every replica."""
        now = time.time()
        for replica, latest in zip(
            self.replicas, await asyncio.gather(*(self._read(one, now) for one in self.replicas)), strict=True
        ):
            if latest.status != "silent":
                replica.remember(sample(replica.latest, latest))
            replica.latest = latest
        await asyncio.to_thread(self._keep, now)
        self.looks += 1
        for waiting in self._waiting:
            waiting.set()

    async def next_look(self, seconds: float) -> None:
        """Returns after the next look, or when `seconds` have passed."""
        event = asyncio.Event()
        self._waiting.append(event)
        try:
            await set_within(event, seconds)
        finally:
            self._waiting.remove(event)

    def lag(self) -> dict[str, dict[Place, dict[int, float]]]:
        """By service and place, in the columns of its picture: the records that waited. (Replicas read different partitions.)"""
        found: dict[str, dict[Place, dict[int, float]]] = {}
        for replica in self.replicas:
            places = found.setdefault(replica.service, {})
            for place, columns in sorted(replica.columns.items()):
                places[place] = {**places.get(place, {}), **columns}
        return found

    def close(self) -> None:
        self._file.close()

    async def _read(self, replica: Replica, now: float) -> Reading:
        try:
            health, metrics = await asyncio.gather(
                self._client.get(f"{replica.address}/health/live", timeout=_ANSWER_SECONDS),
                self._client.get(f"{replica.address}/metrics", timeout=_ANSWER_SECONDS),
            )
            return reading(now, health.json(), metrics.text)
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return Reading(now, "silent")

    def _keep(self, now: float) -> None:
        rows = [
            (one.samples[-1].at, one.service, one.address, _told(one.samples[-1]))
            for one in self.replicas
            if one.samples and one.samples[-1].at == now
        ]
        self._file.execute("begin")
        self._file.executemany("insert into samples values (?, ?, ?, ?)", rows)
        self._file.execute("delete from samples where at < ?", (now - REMEMBERED,))
        self._file.execute("commit")

    def _recall(self, now: float) -> None:
        known = {(one.service, one.address): one for one in self.replicas}
        asked = "select at, service, address, told from samples where at >= ? order by at"
        for at, service, address, told in self._file.execute(asked, (now - REMEMBERED,)):
            if (replica := known.get((service, address))) is not None:
                replica.recall(_sample(at, json.loads(told)))
        for replica in self.replicas:
            replica.numbers = beside(replica.samples) if replica.samples else ()


def _told(one: Sample) -> str:
    return json.dumps([dict(one.numbers), [[*place, records] for place, records in one.lag.items()]])


def _sample(at: float, told: Any) -> Sample:
    numbers, lag = told
    return Sample(at, numbers, {(topic, partition): records for topic, partition, records in lag})
