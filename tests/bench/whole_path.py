"""People on their whole way through a running copy, as fast as it lets them: nobody waits for a day to come, the clock is the world's.

Everybody consented, comes by an office's file, is asked for the consents of the talk, and has a sheet that is complete at once, with its
needs confirmed. Whatever place is proposed is released, agreed to and accepted, and ends well some time later, so that its seat is free for
the next. The people, their files, sheets and offers are the simulation's.

All of this goes on at the same time, each as fast as the doors answer: offices hand over files, counsellors hold talks, referrals take
each of their steps. A stretch of people has come through when nothing moves in any service any more.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from schemas.codes import ServiceKind
from schemas.ends import OUTCOMES
from schemas.places import district
from services.runtime.calendar import berlin_day
from services.runtime.ids import Ids
from simulation.actors.offices import CSV
from simulation.actors.partners import Publishers
from simulation.county import STANDARD_SEED, generate
from simulation.doors import OPERATOR, Doors, Who
from simulation.files import OfficeFile, Row
from simulation.people import Person
from simulation.rest import read, until_at_rest
from simulation.rows import cells, office
from simulation.talk import GUIDELINE, Answers, answers
from simulation.world import COUNSELLOR, World, clerk, partner

SEED: Final = "bench"
"""Of the services' ids: a file's rows have case ids that the driver knows without asking."""
WAVE: Final = 100
"""People whose files are handed over together."""
AHEAD: Final = 2
"""Waves that may lie between two desks."""
AT_ONCE: Final = 200
"""Entries of one request."""
TALKS_AT_ONCE: Final = 50
LOOKS_EVERY: Final = 0.25
"""Seconds after which somebody who found nothing to do looks again."""
FIRST_LINE: Final = 2
TODAY: Final = berlin_day(datetime.now(UTC))
MANY: Final = 10_000_000
"""More people than anybody measures: a county of this size is made on the way, person by person."""


@dataclass(slots=True)
class Newcomer:
    """A person with what is sent for them. `case` is known once the file is made."""

    person: Person
    answers: Answers
    case: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A referral on its way."""

    case: str
    referral: str
    partner: str
    kind: ServiceKind

    def step(self, step: str) -> dict[str, str]:
        """The step of a list; a completion says what is reached by most."""
        outcome = {"outcome": OUTCOMES[self.kind][-1]} if step == "completion" else {}
        return {"referral": self.referral, "step": step, **outcome}


class Pile:
    """Referrals that wait for the same step. `busy` until the last that was taken from it has gone on."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._any = asyncio.Event()
        self._under_way = False

    @property
    def busy(self) -> bool:
        return self._under_way or bool(self._lines)

    def put(self, lines: Sequence[Line]) -> None:
        self._lines += lines
        if lines:
            self._any.set()

    async def go_through(self, step: Callable[[Sequence[Line]], Awaitable[list[Line]]], following: Pile | None) -> None:
        """Take the step with everything that lies here, again and again; whoever took it lies on the `following` pile."""
        while True:
            await self._any.wait()
            self._any.clear()
            lines, self._lines, self._under_way = self._lines, [], True
            taken = await step(lines)
            if following is not None:
                following.put(taken)
            self._under_way = False


Waves = asyncio.Queue[list[Newcomer] | None]
"""Who comes from one desk to the next; None after the last."""


@dataclass(slots=True)
class Driver:
    """Sends one stretch of people after the other. `offers_for`: for how many people there are places at a time."""

    doors: Doors
    key: str
    offers_for: int
    counted: Counter[str] = field(default_factory=Counter[str])
    first_accepted: float | None = None
    _people: Iterator[Person] = field(init=False)
    _moved: float = 0.0

    def __post_init__(self) -> None:
        self._people = (person for person in people_of(self.key) if person.consent.given)

    async def publish_offers(self) -> None:
        """Everything that partners offer next year."""
        world = World(generate(self.key, self.offers_for, TODAY.year + 1), self.doors)
        await Publishers(world).act(date.max)
        self.counted["offers"] += world.done["offers"]

    async def pass_through(self, people: int) -> float:
        """Seconds from the first file until the last time that anything moved. What is to be sent is made before the time begins."""
        waves = list(self._waves(people))
        registered, asked, fed = Waves(AHEAD), Waves(AHEAD), asyncio.Event()
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hand_over(waves, registered))
            group.create_task(self._ask_consents(registered, asked))
            group.create_task(self._hand_in_sheets(asked, fed))
            group.create_task(self._take_steps(fed))
        return self._moved - began

    def _waves(self, people: int) -> Iterator[list[tuple[Who, bytes, list[Newcomer]]]]:
        """For each wave the files of the offices."""
        for first in range(0, people, WAVE):
            yield list(files_of(list(islice(self._people, min(WAVE, people - first)))))

    # --- offices ----------------------------------------------------------------------------------------------------

    async def _hand_over(self, waves: Sequence[list[tuple[Who, bytes, list[Newcomer]]]], following: Waves) -> None:
        for files in waves:
            uploads = [
                self.doors.ask("intake", "POST", "/v1/imports", who, content, headers=CSV) for who, content, _ in files
            ]
            await asyncio.gather(*uploads)
            registered = [newcomer for _, _, newcomers in files for newcomer in newcomers]
            self.counted["people"] += len(registered)
            await following.put(registered)
        await following.put(None)

    # --- counsellors ------------------------------------------------------------------------------------------------

    async def _ask_consents(self, registered: Waves, following: Waves) -> None:
        turns = asyncio.Semaphore(TALKS_AT_ONCE)
        while (newcomers := await registered.get()) is not None:
            await asyncio.gather(*(self._ask_consent(newcomer, turns) for newcomer in newcomers))
            await following.put(newcomers)
        await following.put(None)

    async def _hand_in_sheets(self, asked: Waves, fed: asyncio.Event) -> None:
        while (newcomers := await asked.get()) is not None:
            for first in range(0, len(newcomers), AT_ONCE):
                await self._hand_in(newcomers[first : first + AT_ONCE])
        fed.set()

    async def _ask_consent(self, newcomer: Newcomer, turns: asyncio.Semaphore) -> None:
        if newcomer.person.purposes:
            body = {"purposes": newcomer.person.purposes, "text_version": newcomer.person.consent.text}
            async with turns:
                await self.doors.post(
                    "intake", f"/v1/cases/{newcomer.case}/consents", COUNSELLOR, body, key=f"consents-{newcomer.case}"
                )

    async def _hand_in(self, newcomers: Sequence[Newcomer]) -> None:
        sheets = [{"case": one.case, "guideline": GUIDELINE, "answers": one.answers} for one in newcomers]
        body = {"sheets": sheets, "confirm_derived": True}
        answer = await self.doors.post("profiling", "/v1/profiles", COUNSELLOR, body, key=f"sheets-{newcomers[0].case}")
        self.counted.update(f"sheet {item['outcome']}" for item in answer["items"])

    # --- referrals --------------------------------------------------------------------------------------------------

    async def _take_steps(self, fed: asyncio.Event) -> None:
        """Each step as soon as there is somebody to take it, whatever the other steps are doing."""
        to_agree, to_accept, to_end = piles = Pile(), Pile(), Pile()
        known: set[str] = set()
        async with asyncio.TaskGroup() as group:
            going = [
                group.create_task(to_agree.go_through(partial(self._as_counsellor, "agreement"), to_accept)),
                group.create_task(to_accept.go_through(self._as_partners, to_end)),
                group.create_task(to_end.go_through(partial(self._as_counsellor, "completion"), None)),
            ]
            while True:
                # The whole list is released before anybody looks at it again.
                if proposed := [line for line in await self._proposed() if line.referral not in known]:
                    known.update(line.referral for line in proposed)
                    to_agree.put(await self._as_counsellor("release", proposed))
                elif not fed.is_set() or any(pile.busy for pile in piles):
                    await asyncio.sleep(LOOKS_EVERY)
                else:
                    await self._until_nothing_moves()
                    if not await self._proposed():
                        break
            for each in going:
                each.cancel()

    async def _until_nothing_moves(self) -> None:
        """To be sure of it takes seconds in which nothing moves. They do not count: when something moved last is kept."""
        resting = asyncio.create_task(until_at_rest(self.doors, real_time=True))
        seen: Sequence[object] = ()
        while not resting.done():
            readings = await read(self.doors)
            if (now := [reading.counters for reading in readings.values()]) != seen:
                self._moved, seen = time.monotonic(), now
            await asyncio.wait((resting,), timeout=LOOKS_EVERY)
        resting.result()

    async def _proposed(self) -> list[Line]:
        page = await self.doors.get("referral", "/v1/referrals", COUNSELLOR, state="proposed", limit=500)
        return [
            Line(item["case"], item["referral"], item["place"]["partner"], ServiceKind(item["kind"]))
            for item in page["items"]
        ]

    async def _as_counsellor(self, step: str, lines: Sequence[Line]) -> list[Line]:
        """Person by person, as one goes through a list."""
        lines = sorted(lines, key=lambda line: line.case)
        parts = [lines[first : first + AT_ONCE] for first in range(0, len(lines), AT_ONCE)]
        taken = await asyncio.gather(*(self._take(COUNSELLOR, step, part) for part in parts))
        return [line for part in taken for line in part]

    async def _as_partners(self, lines: Sequence[Line]) -> list[Line]:
        by_partner: defaultdict[str, list[Line]] = defaultdict(list)
        for line in lines:
            by_partner[line.partner].append(line)
        taken = await asyncio.gather(
            *(
                self._take(partner(code), "acceptance", some[first : first + AT_ONCE])
                for code, some in by_partner.items()
                for first in range(0, len(some), AT_ONCE)
            )
        )
        if self.first_accepted is None and any(taken):
            self.first_accepted = time.monotonic()
        return [line for part in taken for line in part]

    async def _take(self, who: Who, step: str, lines: Sequence[Line]) -> list[Line]:
        body = {"steps": [line.step(step) for line in lines]}
        answer = await self.doors.post("referral", "/v1/referrals/steps", who, body, key=f"{step}-{lines[0].referral}")
        taken = [line for line, item in zip(lines, answer["items"], strict=True) if item["outcome"] == "applied"]
        self.counted[step] += len(taken)
        self.counted[f"{step} refused"] += len(lines) - len(taken)
        return taken

    # --- what came of it --------------------------------------------------------------------------------------------

    async def books(self) -> dict[str, Any]:
        """The books of each service."""
        return {service: await self.doors.get(service, "/v1/books", OPERATOR) for service in self.doors.services}


def people_of(key: str) -> Iterator[Person]:
    """As many as are asked for, in the order in which they arrive; all of them arrived last year."""
    return generate(key, MANY, TODAY.year - 1).people()


def files_of(people: Sequence[Person]) -> Iterator[tuple[Who, bytes, list[Newcomer]]]:
    """One file an office, with the case ids that its rows will have."""
    ids = Ids(SEED)
    by_district: defaultdict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_district[person.register.district].append(person)
    for ars, own in by_district.items():
        style = office(STANDARD_SEED, district(ars))
        rows = tuple(Row(person.index, cells(person, style)) for person in own)
        content = OfficeFile("", style, TODAY, rows).encode()
        digest = hashlib.sha256(content).hexdigest()
        yield (
            clerk(style.district),
            content,
            [
                Newcomer(person, answers(STANDARD_SEED, person), ids.root("arrival", digest, str(line)))
                for line, person in enumerate(own, FIRST_LINE)
            ],
        )
