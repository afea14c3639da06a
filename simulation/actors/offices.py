"""The registry offices: files on their days, single arrivals through the interface, and walk-ins at the migration centre."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic_core import from_json

from schemas.codes import Way
from simulation import naming
from simulation.agenda import Agenda
from simulation.files import OfficeFile, office_files
from simulation.people import Person
from simulation.register import Register
from simulation.world import COUNSELLOR, World, clerk

CSV: Final = {"content-type": "text/csv"}
FIRST_ROW: Final = 2
"""The line of a file's first row, below the headings."""


class Offices:
    """Hands over what is due. One thing after the other, since the order of booking follows from it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._files = office_files(world.county)
        self._next_file = next(self._files, None)
        self._others = (person for person in world.county.people() if person.way is not Way.OFFICE_FILE)
        self._next_other = next(self._others, None)
        self._counter: Agenda[Person] = Agenda()

    @property
    def next_day(self) -> date | None:
        """The first day on which something may have to be handed over; None when the year is over."""
        days = (
            self._next_file.due_on if self._next_file else None,
            self._next_other.register.arrived_on if self._next_other else None,
            self._counter.next_day,
        )
        return min((day for day in days if day is not None), default=None)

    async def act(self, today: date) -> int:
        acts = 0
        while self._next_other is not None and self._next_other.register.arrived_on <= today:
            self._counter.put(self._next_other.registered_on, f"{self._next_other.index:09d}", self._next_other)
            self._next_other = next(self._others, None)
        for _, person in self._counter.due(today):
            await self.register(person)
            acts += 1
        while self._next_file is not None and self._next_file.due_on <= today:
            await self.hand_over(self._next_file)
            self._next_file = next(self._files, None)
            acts += 1
        return acts

    async def hand_over(self, file: OfficeFile) -> None:
        world, who = self._world, clerk(file.office.district)
        answer = await world.doors.ask("intake", "POST", "/v1/imports", who, file.encode(), headers=CSV)
        report: Mapping[str, Any] = from_json(answer.body)
        bad_lines: set[int] = set()
        if report["problems"]:
            problems = world.doors.each("intake", f"/v1/imports/{report['id']}/problems", who)
            bad_lines = {problem["line"] async for problem in problems}
        for line, row in enumerate(file.rows, FIRST_ROW):
            world.arrived.add(row.person)
            if line in bad_lines:
                world.refused.add(row.person)
                continue
            world.refused.discard(row.person)
            person = world.person(row.person)
            if person.consent.given:
                world.strangers.expect(row.person, person.register)

    async def register(self, person: Person) -> None:
        world = self._world
        who = clerk(person.register.district) if person.way is Way.OFFICE_API else COUNSELLOR
        key = f"arrival-{person.index}"
        answer = await world.doors.post("intake", "/v1/arrivals", who, arrival(person), key=key)
        world.arrived.add(person.index)
        if answer.get("case"):
            world.meet(answer["case"], person.index)


def arrival(person: Person) -> dict[str, Any]:
    """The body of one arrival; a refusal leaves the voluntary fields empty."""
    known, consent = person.register, person.consent
    body: dict[str, Any] = {
        **named(known, consented=consent.given),
        "municipality_key": known.municipality,
        "arrival_date": known.arrived_on.isoformat(),
        "origin": known.origin,
        "sex": known.sex,
        "welcome_package": known.welcome_package,
        "consent": {"given": consent.given, "language": consent.language, "text_version": consent.text},
    }
    if consent.given:
        body |= {
            "citizenships": [naming.country(key) or key for key in known.citizenships],
            "in_germany_since": known.in_germany_since.isoformat() if known.in_germany_since else "",
            "languages": list(known.languages),
            "residence_group": known.residence_group,
        }
    return body


def named(known: Register, *, consented: bool) -> dict[str, str]:
    """Names and contact, as intake takes them; without the consent the names alone."""
    return {
        "family_name": known.family_name,
        "given_names": known.given_names,
        "birth_date": str(known.birth_date) if known.birth_date else "",
        "phone": (known.phone or "") if consented else "",
        "email": (known.email or "") if consented else "",
    }
