"""What becomes of capacity during the year: partners have fewer seats than they promised, and the county decides on courses that are too
empty when enrolment ends, mostly as the planner proposes.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from simulation import assumptions, conduct
from simulation.actors.partners import COORDINATOR
from simulation.agenda import Agenda
from simulation.doors import Refusal
from simulation.partners import Offer
from simulation.world import World, partner

TAKEN_BACK: Final = "seats taken back"
"""How many seats there were once and are no more, in `World.done`."""


class Capacity:
    """Partners and the coordinator together. Each acts on days that follow from the offers alone."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fewer: Agenda[tuple[Offer, int]] = Agenda()
        self._decisions: Agenda[None] = Agenda()
        for offer in world.offers:
            fewer = conduct.fewer_seats(world.county.seed, offer)
            if fewer is not None:
                self._fewer.put(offer.published_on + timedelta(days=fewer.after_days), offer.key, (offer, fewer.seats))
            if offer.minimum is not None and offer.starts_on is not None:
                decided = offer.starts_on - timedelta(days=assumptions.COURSE_DECIDED_BEFORE)
                self._decisions.put(max(offer.published_on, decided), "courses", None)

    @property
    def next_day(self) -> date | None:
        days = (self._fewer.next_day, self._decisions.next_day)
        return min((day for day in days if day is not None), default=None)

    async def act(self, today: date) -> int:
        acts = 0
        for _, (offer, seats) in self._fewer.due(today):
            acts += await self._has_fewer(offer, seats)
        if [*self._decisions.due(today)]:
            acts += await self._decide()
        return acts

    async def _has_fewer(self, offer: Offer, seats: int) -> int:
        world, id = self._world, self._world.offer_id(offer)
        body = {"seats": seats, "confirm_affected": True}
        try:
            await world.doors.put("referral", f"/v1/offers/{id}/seats", partner(offer.partner), body, key=f"fewer-{id}")
        except Refusal as refusal:
            world.note(refusal)
            return 0
        world.done[TAKEN_BACK] += offer.seats - seats
        return 1

    async def _decide(self) -> int:
        world, decided = self._world, 0
        path, within = "/v1/planning/courses", assumptions.COURSE_DECIDED_BEFORE
        listed = (await world.doors.get("referral", path, COORDINATOR, within_days=within))["courses"]
        for course in listed:
            against = conduct.runs_anyway(world.county.seed, course["offer"])
            takes_place = course["takes_place"] or against
            key, body = f"decision-{course['offer']}", {"takes_place": takes_place}
            try:
                await world.doors.post("referral", f"/v1/offers/{course['offer']}/decision", COORDINATOR, body, key=key)
            except Refusal as refusal:
                world.note(refusal)
                continue
            decided += 1
            world.done["courses that run" if takes_place else "courses cancelled"] += 1
            world.done[TAKEN_BACK] += 0 if takes_place else course["seats"]
        return decided
