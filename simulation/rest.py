"""Rest: nothing moves in any service, so that what happens next follows from what is stored and not from who was faster.

The services are at rest when, in two consecutive and identical readings of all of them,

- nothing waits in an outbox, and no command is being settled;
- deadlines and rounds have been done up to the present business time;
- everything published on a topic has been settled (applied, parked, or set aside) by each service that reads the topic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from schemas.envelope import format_instant
from schemas.topics import Topic, topics
from simulation.doors import OPERATOR, Doors

FIRST_PAUSE: Final = 0.005
LONGEST_PAUSE: Final = 0.05
BOUND_SECONDS: Final = 120.0
"""Without any change in any service for this long, they will not come to rest by themselves."""

LEAVES_LAST: Final = "referral"
"""Its round at the new time must see everything that the others send when their time moves."""

Positions = Mapping[str, Mapping[str, int]]


class NoRest(Exception):
    """The services do not come to rest. The message says what each of them still waits for."""

    def __init__(self, seconds: float, reasons: Collection[str]) -> None:
        super().__init__(f"Nothing has changed for {seconds:.0f} s, but there is no rest: " + " ".join(reasons))
        self.reasons = tuple(reasons)


class Reading(BaseModel):
    """What one service answers to ``GET /runtime/rest``. Positions are the offset after the last one, by topic and partition."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    now: datetime
    done_to: datetime | None
    unpublished: int
    unfinished_commands: int
    published: Positions
    settled: Positions

    @property
    def moves(self) -> tuple[object, ...]:
        """What differs between two readings when something moved in between; with real time the clock always does."""
        return self.unpublished, self.unfinished_commands, self.published, self.settled


Readings = Mapping[str, Reading]


async def until_at_rest(doors: Doors, *, real_time: bool = False, bound: float = BOUND_SECONDS) -> Readings:
    """Returns the readings of a moment of rest. Raises `NoRest` when nothing changes for `bound` seconds and there is none.

    With real time, a turn counts as done when it began after the services came to stand still.
    """
    pause, before, still_since = FIRST_PAUSE, await read(doors), time.monotonic()
    stood_at = _times(before)
    while True:
        restless = list(reasons(before, real_time=real_time, since=stood_at))
        if restless:
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LONGEST_PAUSE)
        after = await read(doors)
        if _moves(after) != _moves(before):
            still_since, stood_at = time.monotonic(), _times(after)
        elif not restless and (real_time or _times(after) == _times(before)):
            return after
        elif time.monotonic() - still_since > bound:
            raise NoRest(bound, restless)
        before = after


async def move_clocks(doors: Doors, instant: datetime) -> None:
    """Move business time in every service, and wait until all that follows from it is done.

    Referral comes last, and at rest: its round places everything that is known by then. The others may move together, since none
    of them acts on another's deadlines within the same step.
    """
    first = [service for service in doors.services if service != LEAVES_LAST]
    for some in (first, [service for service in doors.services if service == LEAVES_LAST]):
        if some:
            body = {"now": format_instant(instant)}
            await asyncio.gather(*(doors.put(service, "/runtime/clock", OPERATOR, body) for service in some))
            await until_at_rest(doors)


async def read(doors: Doors) -> Readings:
    """One reading of all services."""
    answers = await asyncio.gather(*(doors.get(service, "/runtime/rest", OPERATOR) for service in doors.services))
    return {service: Reading.model_validate(answer) for service, answer in zip(doors.services, answers, strict=True)}


def reasons(
    readings: Readings,
    *,
    real_time: bool = False,
    since: Mapping[str, datetime] | None = None,
    read_by: Mapping[str, Topic] | None = None,
) -> Iterator[str]:
    """Why this is no rest, in sentences; none if it may be one. `since`: with real time, when each service came to stand still."""
    for service, reading in readings.items():
        if reading.unpublished:
            yield f"{service} has {reading.unpublished} outbox documents to publish."
        if reading.unfinished_commands:
            yield f"{service} is settling {reading.unfinished_commands} commands."
        due = (since or {}).get(service, reading.now) if real_time else reading.now
        if reading.done_to is None or reading.done_to < due:
            yield f"{service} has not done its deadlines and rounds up to {format_instant(due)}."
    for name, topic in (read_by or topics()).items():
        yield from _unsettled(name, topic, readings)


def _unsettled(name: str, topic: Topic, readings: Readings) -> Iterator[str]:
    if topic.owner not in readings:
        return
    for partition, end in readings[topic.owner].published.get(name, {}).items():
        for reader in topic.readers:
            done = readings[reader].settled.get(name, {}).get(partition, 0) if reader in readings else end
            if done < end:
                yield f"{reader} has settled {done} of {end} records of {name} in partition {partition}."


def _moves(readings: Readings) -> dict[str, Any]:
    return {service: reading.moves for service, reading in readings.items()}


def _times(readings: Readings) -> dict[str, datetime]:
    return {service: reading.now for service, reading in readings.items()}
