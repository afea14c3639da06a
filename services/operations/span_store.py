"""The spans that the console keeps: one SQLite file, bounded and indexed.

Guarantees:

* At most `limit` spans, none older than `days`. What goes first are whole ways, the longest untouched first; those with an error or a slow
  step go only when nothing else is left.
* A span that comes twice is kept once.
* Every question about single spans carries the county: told are that county's and those that belong to none (a request before its
  sign-in was read). Times of kinds of steps are of the whole process, as its metrics are.
* Every question has an index, so that its cost follows from what it shows and not from what is kept.

Any thread may write and ask; one at a time does. (A question takes a few milliseconds.)
"""

from __future__ import annotations

import json
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
_OF_NONE: Final = ""
_A_SPAN: Final = "trace_id, span_id, parent, name, start_ns, end_ns, service, failed, subject, outcome"

_SCHEMA: Final = """
pragma journal_mode = wal;
pragma synchronous = normal;
pragma mmap_size = 268435456;
create table if not exists spans (
    span_id text primary key, trace_id text not null, parent text, name text not null, start_ns integer not null,
    end_ns integer not null, service text not null, instance text not null, failed integer not null, subject text not null,
    subject_id text not null, county text not null, outcome text not null, minute integer not null, took_ns integer not null
) without rowid;
create index if not exists of_trace on spans (trace_id, start_ns);
create index if not exists of_subject on spans (subject_id) where subject_id <> '';
create index if not exists slowest on spans (county, minute, took_ns);
create index if not exists wrong on spans (county, start_ns) where failed = 1;
create table if not exists referrals (
    referral text not null, trace_id text not null, subject text not null, county text not null, primary key (referral, trace_id, subject)
) without rowid;
create index if not exists referrals_of_trace on referrals (trace_id);
create table if not exists ways (
    trace_id text primary key, county text not null, first_ns integer not null, last_ns integer not null, spans integer not null,
    failed integer not null, worked_ns integer not null, slow integer not null, minute integer not null
) without rowid;
create index if not exists dropped_first on ways (failed > 0 or slow, last_ns);
create index if not exists slowest_ways on ways (county, minute, worked_ns);
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
    county: str
    referral: str = ""
    """Of the subject, if the message named one."""


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


@dataclass(frozen=True, slots=True)
class Hour:
    """What was slowest in the last hour, where its time went, and the latest failures."""

    ways: Sequence[SlowWay] = ()
    steps: Sequence[Seen] = ()
    wrong: Sequence[Seen] = ()
    kinds: Sequence[StepTimes] = ()


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
        found = {span.seen.span_id: span for span in spans}
        with self._lock:
            self._database.execute("begin immediate")
            try:
                known = self._known(list(found))
                new = [span for id, span in found.items() if id not in known]
                self._insert(new)
                dropped = self._drop_what_is_too_much(len(new))
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")
            self._kept += len(new) - dropped
        return len(new)

    def _known(self, ids: Sequence[str]) -> set[str]:
        asked = "select span_id from spans where span_id in (select value from json_each(?))"
        return {id for (id,) in self._database.execute(asked, (json.dumps(ids),))}

    def _insert(self, new: Sequence[KeptSpan]) -> None:
        ways: dict[str, list[int]] = {}
        counties: dict[str, str] = {}
        steps: dict[tuple[int, str, str], list[int]] = {}
        rows: list[tuple[object, ...]] = []
        for span in new:
            seen = span.seen
            took, minute, failed = seen.end_ns - seen.start_ns, seen.end_ns // _MINUTE_NS, int(seen.failed)
            rows.append(
                (
                    *(seen.span_id, seen.trace_id, seen.parent, seen.name, seen.start_ns, seen.end_ns, seen.service),
                    *(span.instance, failed, seen.subject, seen.subject.partition("/")[2]),
                    *(span.county, seen.outcome, minute, took),
                )
            )
            counties[seen.trace_id] = span.county or counties.get(seen.trace_id, "")
            way = ways.setdefault(seen.trace_id, [seen.start_ns, seen.end_ns, 0, 0, 0, 0, minute])
            way[:] = (
                *(min(way[0], seen.start_ns), max(way[1], seen.end_ns), way[2] + 1, way[3] + failed, way[4] + took),
                *(max(way[5], int(took >= SLOW_NS)), max(way[6], minute)),
            )
            step = steps.setdefault((minute, seen.service, seen.name), [0, 0, 0, 0])
            step[:] = step[0] + 1, step[1] + failed, step[2] + took, max(step[3], took)
        self._database.executemany("insert into spans values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._database.executemany(
            "insert or ignore into referrals values (?, ?, ?, ?)",
            [
                (one.referral, one.seen.trace_id, one.seen.subject, one.county)
                for one in new
                if one.referral and one.seen.subject
            ],
        )
        self._database.executemany(
            "insert into ways values (?1, ?9, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict do update set first_ns = min(first_ns, ?2), "
            "last_ns = max(last_ns, ?3), spans = spans + ?4, failed = failed + ?5, worked_ns = worked_ns + ?6, "
            "slow = max(slow, ?7), minute = max(minute, ?8), county = case when county = '' then ?9 else county end",
            [(trace, *way, counties[trace]) for trace, way in ways.items()],
        )
        self._database.executemany(
            "insert into steps values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do update set spans = spans + ?4, "
            "failed = failed + ?5, took_ns = took_ns + ?6, most_ns = max(most_ns, ?7)",
            [(*kind, *step) for kind, step in steps.items()],
        )

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
        self._database.executemany("delete from referrals where trace_id = ?", ids)
        self._database.executemany("delete from ways where trace_id = ?", ids)
        return sum(spans for _, spans in found)

    # --- questions ------------------------------------------------------------------------------------------------------

    def of_subject(self, subject: str, county: str, most: int) -> tuple[dict[str, Seen], bool]:
        """All spans of the traces that touch ``kind/id``, by id; True when there are more than `most`."""
        return self._of_traces(
            "select distinct trace_id from spans indexed by of_subject "
            "where subject_id = ? and subject_id <> '' and subject = ? and county = ?",
            (subject.partition("/")[2], subject, county),
            county,
            most,
        )

    def of_trace(self, trace_id: str, county: str, most: int) -> tuple[dict[str, Seen], bool]:
        return self._of_traces("select ?", (trace_id,), county, most)

    def subjects(self, id: str, county: str) -> list[str]:
        """The subjects of any kind with this id, else those that a referral with this id belongs to."""
        asked = "select distinct subject from spans indexed by of_subject where subject_id = ? and subject_id <> '' and county = ? limit 20"
        found = self._all(asked, (id, county)) or self._all(
            "select distinct subject from referrals where referral = ? and county = ? limit 20", (id, county)
        )
        return [subject for (subject,) in found]

    def hour(self, county: str) -> Hour:
        return Hour(self.slowest_ways(county), self.slowest_steps(county), self.wrong(county), self.step_times())

    def slowest_ways(self, county: str, most: int = 10) -> list[SlowWay]:
        """Of the last hour, by the sum of their steps."""
        asked = "select trace_id, spans, failed, worked_ns, last_ns - first_ns from ways where trace_id = ?"
        ids = self._slowest("ways", "trace_id", "worked_ns", county, most)
        return [SlowWay(*row) for id in ids for row in self._all(asked, (id,))]

    def slowest_steps(self, county: str, most: int = 10) -> list[Seen]:
        """Single steps of the last hour."""
        asked = f"select {_A_SPAN} from spans where span_id = ?"  # noqa: S608 - our own words
        ids = self._slowest("spans", "span_id", "took_ns", county, most)
        return [_seen(row) for id in ids for row in self._all(asked, (id,))]

    def wrong(self, county: str, most: int = 10) -> list[Seen]:
        """The latest steps that failed."""
        asked = f"select {_A_SPAN} from spans indexed by wrong where failed = 1 and county = ? order by start_ns desc limit ?"  # noqa: S608
        found = [_seen(row) for one in (county, _OF_NONE) for row in self._all(asked, (one, most))]
        return sorted(found, key=lambda seen: -seen.start_ns)[:most]

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

    def _slowest(self, table: str, id: str, by: str, county: str, most: int) -> list[str]:
        """Ids of the slowest, from the first of each minute of the last hour: short walks along an index, however many there are."""
        now = _this_minute()
        asked = f"select {by}, {id} from {table} where county = ? and minute = ? order by {by} desc limit ?"  # noqa: S608
        minutes = range(now - HOUR_MINUTES + 1, now + 1)
        found = [
            row for one in (county, _OF_NONE) for minute in minutes for row in self._all(asked, (one, minute, most))
        ]
        return [id for _, id in sorted(found, reverse=True)[:most]]

    def _of_traces(
        self, traces: str, parameters: Sequence[Any], county: str, most: int
    ) -> tuple[dict[str, Seen], bool]:
        asked = (
            f"select {_A_SPAN} from spans indexed by of_trace where trace_id in ({traces}) and county in (?, ?) limit ?"  # noqa: S608
        )
        rows = self._all(asked, (*parameters, county, _OF_NONE, most + 1))
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
