"""The spans that the console keeps: one SQLite file, bounded and indexed.

Guarantees:

* At most `limit` spans, none older than `days`. What goes first are whole ways, the longest untouched first; those with an error or a slow
  step go only when nothing else is left.
* A span that comes twice is kept once.
* Every question has an index, so that its cost follows from what it shows and not from what is kept.

Any thread may write and ask; one at a time does. (A question takes a few milliseconds.)
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.runtime.spans import SLOW_NS
from services.runtime.ways import Seen

FILE: Final = "spans.sqlite"
HOUR_MINUTES: Final = 60
_MINUTE_NS: Final = 60_000_000_000
_DAY_NS: Final = 24 * 3600 * 1_000_000_000
_DROPPED_AT_ONCE: Final = 200
_A_SPAN: Final = "trace_id, span_id, parent, name, start_ns, end_ns, service, failed, subject, outcome"

_SCHEMA: Final = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists spans (
    span_id text primary key, trace_id text not null, parent text, name text not null, start_ns integer not null,
    end_ns integer not null, service text not null, instance text not null, failed integer not null, subject text not null,
    subject_id text not null, outcome text not null, minute integer not null, took_ns integer not null
) without rowid;
create index if not exists of_trace on spans (trace_id, start_ns);
create index if not exists of_subject on spans (subject_id) where subject_id <> '';
create index if not exists slowest on spans (minute, took_ns);
create index if not exists wrong on spans (start_ns) where failed = 1;
create table if not exists ways (
    trace_id text primary key, first_ns integer not null, last_ns integer not null, spans integer not null,
    failed integer not null, worked_ns integer not null, slow integer not null, minute integer not null
) without rowid;
create index if not exists dropped_first on ways (failed > 0 or slow, last_ns);
create index if not exists slowest_ways on ways (minute, worked_ns);
create table if not exists steps (
    minute integer not null, service text not null, name text not null, spans integer not null, failed integer not null,
    took_ns integer not null, most_ns integer not null, primary key (minute, service, name)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class KeptSpan:
    """A span as it is kept: no field but these, each in its declared shape."""

    seen: Seen
    instance: str


@dataclass(frozen=True, slots=True)
class SlowWay:
    """A way that was worked on in the last hour. `worked_ns` is the sum of its steps."""

    trace_id: str
    spans: int
    failed: int
    worked_ns: int
    whole_ns: int


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long a kind of step took: now (the last five minutes) beside the last hour. None where there was none."""

    service: str
    name: str
    spans: int
    failed: int
    usual_ns: float
    now_ns: float | None
    most_ns: int


class SpanStore:
    """The spans in `file`. `limit`: how many are kept; `days`: how long."""

    def __init__(self, file: Path, *, limit: int = 1_000_000, days: float = 7.0) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._limit, self._days = limit, days
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._kept: int = self._one("select coalesce(sum(spans), 0) from ways")

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @property
    def kept(self) -> int:
        """How many spans are kept."""
        return self._kept

    # --- taking in ------------------------------------------------------------------------------------------------------

    def take(self, spans: Iterable[KeptSpan]) -> int:
        """Keep these, in one transaction. How many were new."""
        taken = 0
        with self._lock:
            self._database.execute("begin immediate")
            try:
                for span in spans:
                    taken += self._take(span)
                dropped = self._drop_what_is_too_much(taken)
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")
            self._kept += taken - dropped
        return taken

    def _take(self, span: KeptSpan) -> int:
        seen = span.seen
        took, minute = seen.end_ns - seen.start_ns, seen.end_ns // _MINUTE_NS
        subject_id = seen.subject.partition("/")[2]
        row = (
            *(seen.span_id, seen.trace_id, seen.parent, seen.name, seen.start_ns, seen.end_ns, seen.service),
            *(span.instance, int(seen.failed), seen.subject, subject_id, seen.outcome, minute, took),
        )
        done = self._database.execute(f"insert or ignore into spans values ({','.join('?' * len(row))})", row)  # noqa: S608
        if not done.rowcount:
            return 0
        failed, slow = int(seen.failed), int(took >= SLOW_NS)
        self._database.execute(
            "insert into ways values (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7) on conflict do update set first_ns = min(first_ns, ?2), "
            "last_ns = max(last_ns, ?3), spans = spans + 1, failed = failed + ?4, worked_ns = worked_ns + ?5, "
            "slow = max(slow, ?6), minute = max(minute, ?7)",
            (seen.trace_id, seen.start_ns, seen.end_ns, failed, took, slow, minute),
        )
        self._database.execute(
            "insert into steps values (?1, ?2, ?3, 1, ?4, ?5, ?5) on conflict do update set spans = spans + 1, "
            "failed = failed + ?4, took_ns = took_ns + ?5, most_ns = max(most_ns, ?5)",
            (minute, seen.service, seen.name, failed, took),
        )
        return 1

    def _drop_what_is_too_much(self, taken: int) -> int:
        oldest = time.time_ns() - int(self._days * _DAY_NS)
        dropped = self._drop("where (failed > 0 or slow) in (0, 1) and last_ns < ? order by last_ns", (oldest,))
        self._database.execute("delete from steps where minute < ?", (oldest // _MINUTE_NS,))
        while self._kept + taken - dropped > self._limit:
            found = self._drop("order by (failed > 0 or slow), last_ns", ())
            if not found:
                break
            dropped += found
        return dropped

    def _drop(self, which: str, parameters: Sequence[Any]) -> int:
        """At most so many ways at once, with their spans. How many spans that was."""
        chosen = f"select trace_id, spans from ways {which} limit {_DROPPED_AT_ONCE}"  # noqa: S608 - our own words
        found = self._database.execute(chosen, parameters).fetchall()
        ids = [(trace,) for trace, _ in found]
        self._database.executemany("delete from spans where trace_id = ?", ids)
        self._database.executemany("delete from ways where trace_id = ?", ids)
        return sum(spans for _, spans in found)

    # --- questions ------------------------------------------------------------------------------------------------------

    def of_subject(self, subject: str, most: int) -> tuple[dict[str, Seen], bool]:
        """All spans of the traces that touch ``kind/id``, by id; True when there are more than `most`."""
        return self._of_traces(
            "select distinct trace_id from spans where subject_id = ? and subject_id <> '' and subject = ?",
            (subject.partition("/")[2], subject),
            most,
        )

    def of_trace(self, trace_id: str, most: int) -> tuple[dict[str, Seen], bool]:
        return self._of_traces("select ?", (trace_id,), most)

    def subjects(self, id: str) -> list[str]:
        """The subjects of any kind with this id."""
        asked = "select distinct subject from spans where subject_id = ? and subject_id <> '' limit 20"
        return [subject for (subject,) in self._all(asked, (id,))]

    def slowest_ways(self, most: int = 10) -> list[SlowWay]:
        """Of the last hour, by the sum of their steps."""
        rows = self._slowest(
            "ways", "minute, trace_id, spans, failed, worked_ns, last_ns - first_ns", "worked_ns", most
        )
        rows.sort(key=lambda row: -row[4])
        return [SlowWay(*row[1:]) for row in rows[:most]]

    def slowest_steps(self, most: int = 10) -> list[Seen]:
        """Single steps of the last hour."""
        rows = self._slowest("spans", _A_SPAN, "took_ns", most)
        found = [_seen(row) for row in rows]
        found.sort(key=lambda seen: seen.start_ns - seen.end_ns)
        return found[:most]

    def wrong(self, most: int = 10) -> list[Seen]:
        """The latest steps that failed."""
        asked = f"select {_A_SPAN} from spans where failed = 1 order by start_ns desc limit ?"  # noqa: S608
        return [_seen(row) for row in self._all(asked, (most,))]

    def step_times(self, most: int = 20) -> list[StepTimes]:
        """Kinds of steps of the last hour, the one that took most time in all first."""
        now = _this_minute()
        rows = self._all(
            "select service, name, sum(spans), sum(failed), sum(took_ns) * 1.0 / sum(spans), "
            "sum(case when minute > ?2 - 5 then took_ns end) * 1.0 / sum(case when minute > ?2 - 5 then spans end), "
            "max(most_ns) from steps where minute > ?1 group by service, name order by sum(took_ns) desc limit ?3",
            (now - HOUR_MINUTES, now, most),
        )
        return [StepTimes(*row) for row in rows]

    def _slowest(self, table: str, columns: str, by: str, most: int) -> list[Any]:
        """The first of each minute of the last hour: sixty short walks along an index, however many there are."""
        now = _this_minute()
        asked = f"select {columns} from {table} where minute = ? order by {by} desc limit ?"  # noqa: S608 - our own words
        return [row for minute in range(now - HOUR_MINUTES + 1, now + 1) for row in self._all(asked, (minute, most))]

    def _of_traces(self, traces: str, parameters: Sequence[Any], most: int) -> tuple[dict[str, Seen], bool]:
        asked = f"select {_A_SPAN} from spans where trace_id in ({traces}) limit ?"  # noqa: S608 - our own words
        rows = self._all(asked, (*parameters, most + 1))
        return {row[1]: _seen(row) for row in rows[:most]}, len(rows) > most

    def _all(self, asked: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(asked, parameters).fetchall()

    def _one(self, asked: str) -> Any:
        return self._all(asked)[0][0]


def _seen(row: Sequence[Any]) -> Seen:
    trace_id, span_id, parent, name, start_ns, end_ns, service, failed, subject, outcome = row
    return Seen(trace_id, span_id, parent, name, start_ns, end_ns, service, bool(failed), subject, outcome)


def _this_minute() -> int:
    return time.time_ns() // _MINUTE_NS
