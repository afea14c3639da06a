"""The counsellors at the sites: the day's first talks, the consents of the talk, the sheets, new appointments for who did not come,
and what follows for who has completed something."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from simulation import assumptions, conduct
from simulation.agenda import Agenda
from simulation.doors import Refusal
from simulation.people import Person
from simulation.talk import GUIDELINE, Answers, talk
from simulation.world import COUNSELLOR, World

MOST_SHEETS: Final = 200
"""In one request."""


class Unrecognised(Exception):
    """Somebody came whom no office had registered."""

    def __init__(self, case: str) -> None:
        super().__init__(f"Nobody of the simulated county is behind the case {case}.")


class SheetFailed(Exception):
    """Profiling could not settle a sheet, for a reason that nobody foresaw."""

    def __init__(self, case: str, code: str) -> None:
        super().__init__(f"profiling did not record the sheet of the case {case} ({code})")


class Counsellors:
    """Holds the talks of the days since the last time. Their sheets are handed in together, as paper sheets are."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._missed: Counter[str] = Counter()
        self._held_to = date(world.county.year, 1, 1) - timedelta(days=1)
        self._second_sitting: Agenda[tuple[str, Answers]] = Agenda()

    @property
    def next_day(self) -> date | None:
        return self._second_sitting.next_day

    async def act(self, today: date) -> int:
        expected = await self._appointments(self._held_to + timedelta(days=1), today)
        self._held_to = today
        await self._meet([case for case in expected if case not in self._world.person_of])
        sheets = [sheet for _, sheet in self._second_sitting.due(today)]
        came: list[str] = []
        for case in expected:
            if self._missed[case] < self._world.person_in(case).missed_appointments:
                await self._book_again(case)
            else:
                came.append(case)
        await asyncio.gather(*(self.ask_consents(case, self._world.person_in(case)) for case in came))
        sheets += [(case, self._first_sheet(case, today)) for case in came]
        await self.hand_in(today.isoformat(), sheets)
        return len(expected) + len(sheets) + await self._talk_about_what_follows()

    async def expect_somebody(self, day: date) -> bool:
        """Whether a first talk is booked for the day."""
        return bool(await self._appointments(day, day))

    async def ask_consents(self, case: str, person: Person) -> None:
        """The consents of the first talk; who agrees to none says so too, and nothing is recorded."""
        world = self._world
        if not person.purposes:
            return
        body = {
            "purposes": list(person.purposes),
            "language": person.consent.language,
            "text_version": person.consent.text,
        }
        try:
            await world.doors.post("intake", f"/v1/cases/{case}/consents", COUNSELLOR, body, key=f"consents-{case}")
        except Refusal as refusal:
            world.note(refusal)

    async def hand_in(self, key: str, sheets: Sequence[tuple[str, Answers]]) -> None:
        """Record profiles, with the needs that follow from them confirmed."""
        world = self._world
        for first in range(0, len(sheets), MOST_SHEETS):
            part = [
                {"case": case, "guideline": GUIDELINE, "answers": answers}
                for case, answers in sheets[first : first + MOST_SHEETS]
            ]
            body = {"sheets": part, "confirm_derived": True}
            answer = await world.doors.post("profiling", "/v1/profiles", COUNSELLOR, body, key=f"sheets-{key}-{first}")
            for item in answer["items"]:
                if item["outcome"] == "failed":
                    raise SheetFailed(item["id"], item["problem"]["code"])
                if item["outcome"] == "refused":
                    world.refusals[f"profiling {item['problem']['code']}"] += 1

    async def _talk_about_what_follows(self) -> int:
        """With who has completed something: what is suggested then, they want or do not."""
        world, talked = self._world, 0
        for case in sorted(world.completed):
            world.completed.remove(case)
            try:
                needs = (await world.doors.get("profiling", f"/v1/cases/{case}", COUNSELLOR))["needs"]
                decisions = [
                    {"decision": self._word(case, need["need"]), "need": need["need"]}
                    for need in needs
                    if need["state"] == "suggested"
                ]
                if decisions:
                    key = f"next-steps-{decisions[0]['need']}"
                    path = f"/v1/cases/{case}/needs"
                    await world.doors.post("profiling", path, COUNSELLOR, {"decisions": decisions}, key=key)
                    talked += 1
            except Refusal as refusal:
                world.note(refusal)
        return talked

    def _word(self, case: str, need: str) -> str:
        wanted = conduct.wants_the_next_step(self._world.county.seed, self._world.person_of[case], need)
        return "confirm" if wanted else "drop"

    async def _appointments(self, first: date, last: date) -> list[str]:
        """Whoever is expected from the first day to the last, in the order of their appointments."""
        expected: list[str] = []
        while first <= last:
            entries = self._world.doors.each("intake", "/v1/appointments", COUNSELLOR, day=first.isoformat(), limit=200)
            expected += [entry["case"] async for entry in entries]
            first += timedelta(days=1)
        return expected

    async def _meet(self, cases: Sequence[str]) -> None:
        """Read who they are, and recognise them."""
        world = self._world
        people = await asyncio.gather(
            *(world.doors.get("intake", f"/v1/cases/{case}/person", COUNSELLOR) for case in cases)
        )
        for case, person in zip(cases, people, strict=True):
            index = world.strangers.recognise(person, world.case_of)
            if index is None:
                raise Unrecognised(case)
            world.meet(case, index)

    async def _book_again(self, case: str) -> None:
        """Who has missed too many is not booked again."""
        world = self._world
        self._missed[case] += 1
        if self._missed[case] >= assumptions.INVITED_AT_MOST:
            return
        key = f"appointment-{case}-{self._missed[case]}"
        try:
            await world.doors.post("intake", f"/v1/cases/{case}/appointment", COUNSELLOR, {}, key=key)
        except Refusal as refusal:
            world.note(refusal)

    def _first_sheet(self, case: str, today: date) -> Answers:
        """What is written down today; the rest of an interrupted talk goes on the agenda."""
        held = talk(self._world.county.seed, self._world.person_in(case))
        for sitting, sheet in enumerate(held.sheets[1:], 1):
            self._second_sitting.put(today + timedelta(days=sitting * held.resumed_after_days), case, (case, sheet))
        return held.sheets[0]
