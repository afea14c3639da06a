"""What happens to people later: corrections, moves, withdrawals and erasures, on the days on which `simulation.lives` put them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from schemas.codes import Purpose, Way
from simulation import naming
from simulation.actors.offices import named
from simulation.agenda import Agenda
from simulation.doors import Refusal, Who
from simulation.people import Person
from simulation.world import COUNSELLOR, PROTECTION_OFFICER, World, clerk

Happening = Callable[[str, Person], Awaitable[None]]


class Lives:
    """Acts for people whose case is known; what should have happened before happens as soon as it is."""

    def __init__(self, world: World, *, at_once: bool = False) -> None:
        """`at_once`: everything happens to people as soon as they are known."""
        self._world = world
        self._at_once = at_once
        self._today = date.min
        self._agenda: Agenda[tuple[str, Happening]] = Agenda()

    @property
    def next_day(self) -> date | None:
        return self._agenda.next_day

    async def act(self, today: date) -> int:
        acts, self._today = 0, today
        for case in self._world.newly_met:
            self._plan(case, self._world.person_in(case))
        self._world.newly_met.clear()
        for _, (case, happening) in self._agenda.due(today):
            try:
                await happening(case, self._world.person_in(case))
            except Refusal as refusal:
                self._world.note(refusal)
            acts += 1
        return acts

    def _plan(self, case: str, person: Person) -> None:
        happenings: tuple[tuple[Any, str, Happening], ...] = (
            (person.correction, "1 correction", self._correct),
            (person.move, "2 move", self._move),
            (person.withdrawal, "3 withdrawal", self._withdraw),
            (person.erasure, "4 erasure", self._erase),
        )
        for planned, name, happening in happenings:
            if planned is not None:
                self._agenda.put(
                    date.min if self._at_once else planned.on, f"{person.index:09d} {name} {case}", (case, happening)
                )

    async def _correct(self, case: str, person: Person) -> None:
        if person.correction is not None:
            body = correction(person)
            await self._tell(_office(person), case, "corrections", body, key=f"correction-{case}")

    async def _move(self, case: str, person: Person) -> None:
        if person.move is not None:
            body = {
                "moved_on": min(person.move.on, self._today).isoformat(),
                "municipality_key": person.move.municipality,
            }
            await self._tell(_office(person), case, "moves", body, key=f"move-{case}")
            if person.move.municipality is None:
                self._world.moved_away.add(case)

    async def _withdraw(self, case: str, person: Person) -> None:
        if person.withdrawal is not None:
            body = {"purposes": list(person.withdrawal.purposes)}
            await self._tell(COUNSELLOR, case, "consents/withdrawals", body, key=f"withdrawal-{case}")
            if Purpose.TRANSFER in person.withdrawal.purposes:
                self._world.withdrawn.add(case)

    async def _erase(self, case: str, person: Person) -> None:
        await self._tell(PROTECTION_OFFICER, case, "erasure", {}, key=f"erasure-{case}")
        # Where everything happens at once, nobody has looked who it is: somebody who arrived by the end of the year.
        arrived_by = date(self._world.county.year, 12, 31) if self._at_once else person.register.arrived_on
        self._world.erased_after[case] = self._today - arrived_by

    async def _tell(self, who: Who, case: str, what: str, body: dict[str, Any], *, key: str) -> None:
        await self._world.doors.post("intake", f"/v1/cases/{case}/{what}", who, body, key=key)
        self._world.done[what] += 1


def correction(person: Person) -> dict[str, Any]:
    """What differs between what was written and what is right."""
    if person.correction is None:
        return {}
    wrong, right = person.register, person.correction.register
    body: dict[str, Any] = {}
    if (wrong.family_name, wrong.given_names, wrong.birth_date) != (
        right.family_name,
        right.given_names,
        right.birth_date,
    ):
        body["person"] = named(right, consented=True)
    if wrong.citizenships != right.citizenships:
        body["citizenships"] = [naming.country(key) or key for key in right.citizenships]
    if wrong.languages != right.languages:
        body["languages"] = list(right.languages)
    for name in ("sex", "residence_group"):
        if getattr(wrong, name) != getattr(right, name):
            body[name] = getattr(right, name)
    return body


def _office(person: Person) -> Who:
    return COUNSELLOR if person.way is Way.CENTRE else clerk(person.register.district)
