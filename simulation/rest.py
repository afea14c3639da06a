"""Rest: nothing moves in any service, so that what happens next follows from what is stored and not from who was faster.

The services are at rest when, in two readings of all of them, the second begun after the first and equal to it,

- nothing waits in an outbox, and no command is being settled;
- deadlines and rounds have been done up to the present business time;
- everything published on a topic has been settled (applied, parked, or set aside) by each service that reads the topic.

One reading would not do: what one service has not sent yet may be counted, in another, as not there. Two equal ones do (F. Mattern,
Algorithms for distributed termination detection, 1987: the four-counter method).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from schemas.envelope import format_instant
from schemas.topics import topics
from simulation.doors import OPERATOR, Doors

FIRST_PAUSE: Final = 0.005
LONGEST_PAUSE: Final = 0.05
BOUND_SECONDS: Final = 120.0
"""Without any change in any service for this long, they will not come to rest by themselves."""

EVERYBODY_AFTER: Final = 1.0
"""Seconds without any change after which the calm are asked again too."""

MOVES_LAST: Final = "referral"
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
    def counters(self) -> tuple[object, ...]:
        """What differs between two readings when something moved in between."""
        return self.unpublished, self.unfinished_commands, self.published, self.settled


Readings = dict[str, Reading]


async def until_at_rest(doors: Doors, *, real_time: bool = False, bound: float = BOUND_SECONDS) -> Readings:
    """Returns the readings of a moment of rest. Raises `NoRest` when nothing changes for `bound` seconds and there is none.

    With real time, a turn counts as done when it began after the services came to stand still.
    """
    first = await read(doors)
    watch = _Watch(first, bound, real_time=real_time)
    while True:
        await _until_calm(doors, first, watch)
        second = await read(doors)
        if not watch.saw(first, second) and not watch.reasons(second):
            return second
        first = second


async def move_clocks(doors: Doors, instant: datetime, rest: Readings | None = None) -> None:
    """Move business time in every service, and wait until its deadlines and rounds are done.

    Referral moves last and when everything has arrived that the others sent: its round places everybody known by then. `rest` are the
    readings of the rest before; where a service has published nothing since, nothing of it can be on its way. What referral
    itself sends may still be: whoever needs more than referral waits for rest.
    """
    before = rest or await until_at_rest(doors)
    first = [service for service in doors.services if service != MOVES_LAST]
    if not await _move(doors, first, instant, before) and MOVES_LAST in doors.services:
        before = await until_at_rest(doors)
    await _move(doors, [service for service in doors.services if service == MOVES_LAST], instant, before)


async def read(doors: Doors, services: Iterable[str] | None = None) -> Readings:
    """One reading of all services, or of these."""
    asked = tuple(doors.services if services is None else services)
    answers = await asyncio.gather(*(doors.get(service, "/runtime/rest", OPERATOR) for service in asked))
    return {service: Reading.model_validate(answer) for service, answer in zip(asked, answers, strict=True)}


def reasons(readings: Mapping[str, Reading], due: Mapping[str, datetime] | None = None) -> dict[str, list[str]]:
    """Why this is no rest, by service, in sentences; empty if it may be one. `due`: up to when deadlines must be done, if not up to now."""
    found: dict[str, list[str]] = {}
    for service, reading in readings.items():
        busy = [*_busy(service, reading, (due or {}).get(service, reading.now)), *_unsettled(service, readings)]
        if busy:
            found[service] = busy
    return found


class _Watch:
    """Notices when the services stand still, and for how long."""

    def __init__(self, readings: Readings, bound: float, *, real_time: bool) -> None:
        self._bound = bound
        self._real_time = real_time
        self._since = time.monotonic()
        self._due = _times(readings)

    def reasons(self, readings: Readings) -> dict[str, list[str]]:
        return reasons(readings, self._due if self._real_time else None)

    def saw(self, earlier: Readings, later: Readings) -> bool:
        """Whether something moved between two readings. With real time the clock moves by itself."""
        moved = any(earlier[service].counters != reading.counters for service, reading in later.items())
        if moved or (not self._real_time and any(earlier[service].now != one.now for service, one in later.items())):
            self._since = time.monotonic()
            self._due.update(_times(later))
            return True
        return False

    def stands(self) -> bool:
        return time.monotonic() - self._since > EVERYBODY_AFTER

    def check(self, restless: Mapping[str, list[str]]) -> None:
        """Raises `NoRest` when nothing has changed for too long."""
        if time.monotonic() - self._since > self._bound:
            raise NoRest(self._bound, [sentence for sentences in restless.values() for sentence in sentences])


async def _until_calm(doors: Doors, readings: Readings, watch: _Watch) -> None:
    """Asks those who are restless until nobody is; `readings` are kept up to date.

    While nothing moves everybody is asked: what a reader waits for may be what its owner said before a broker without a memory was
    started anew, and with it all positions.
    """
    pause = FIRST_PAUSE
    while restless := watch.reasons(readings):
        watch.check(restless)
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)
        again = await read(doors, None if watch.stands() else restless)
        watch.saw({service: readings[service] for service in again}, again)
        readings.update(again)


async def _move(doors: Doors, services: Collection[str], instant: datetime, before: Readings) -> bool:
    """Move these clocks and wait until their deadlines and rounds are done and sent. Whether they sent nothing."""
    body = {"now": format_instant(instant)}
    await asyncio.gather(*(doors.put(service, "/runtime/clock", OPERATOR, body) for service in services))
    pause, began = FIRST_PAUSE, time.monotonic()
    moved: Readings = {}
    waiting = list(services)
    while waiting:
        moved |= await read(doors, waiting)
        busy = {service: list(_busy(service, moved[service], instant)) for service in waiting}
        waiting = [service for service, what in busy.items() if what]
        if waiting:
            if time.monotonic() - began > BOUND_SECONDS:
                raise NoRest(BOUND_SECONDS, [sentence for what in busy.values() for sentence in what])
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LONGEST_PAUSE)
    return all(reading.published == before[service].published for service, reading in moved.items())


def _busy(service: str, reading: Reading, due: datetime) -> Iterator[str]:
    if reading.unpublished:
        yield f"{service} has {reading.unpublished} outbox documents to publish."
    if reading.unfinished_commands:
        yield f"{service} is settling {reading.unfinished_commands} commands."
    if reading.done_to is None or reading.done_to < due:
        yield f"{service} has not done its deadlines and rounds up to {format_instant(due)}."


def _unsettled(service: str, readings: Mapping[str, Reading]) -> Iterator[str]:
    for name, topic in topics().items():
        if service in topic.readers and topic.owner in readings:
            settled = readings[service].settled.get(name, {})
            for partition, end in readings[topic.owner].published.get(name, {}).items():
                done = settled.get(partition, 0)
                if done < end:
                    yield f"{service} has settled {done} of {end} records of {name} in partition {partition}."


def _times(readings: Readings) -> dict[str, datetime]:
    return {service: reading.now for service, reading in readings.items()}
