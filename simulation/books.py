"""The books of a run: what the services say about themselves, laid beside what was done and beside each other.

`draw` asks all services while they are at rest. `Books.summary` gives the numbers.

Everybody of the generated county is in exactly one of these states:

- *refused*: the row in the office's file was wrong, and nobody put it right;
- *without consent*: counted once, and nothing else is known;
- *erased*, *moved away*, *withdrawn*: the way ended;
- *invited*: the first talk is still to come about;
- *talk begun*: it was interrupted;
- *profiled*: needs wait for the counsellor's word;
- *planned*: every need is decided upon and stands in the plan.

And every need that was confirmed is in exactly one of these: waiting, held, released, agreed, accepted, refused, withdrawn, closed.

Whether all of it fits together is found in `simulation.balance`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from simulation.doors import OPERATOR, Doors
from simulation.latencies import percentile
from simulation.world import World

IN_WORK: Final = {
    "invited": ("to-invite", "talk-due"),
    "talk begun": ("talk-begun",),
    "profiled": ("profiled",),
    "planned": ("planned",),
}
"""The states of whoever is still on the way, with profiling's stages that they are made of."""


class Summary(BaseModel):
    """The numbers of a run. `build/demo/summary.json` is this, as JSON."""

    model_config = ConfigDict(frozen=True)

    people: int = Field(description="Newcomers of the generated county whom an office handed over.")
    registered: int = Field(description="Of them: agreed at the counter and became a case.")
    refused: int = Field(description="Of them: the row was wrong, and no right one came later.")
    without_consent: int = Field(description="Of them: refused the consent, and are one anonymous count each.")
    appointments: int = Field(description="First talks booked that took place, were missed, or are still to come.")
    profiled: int = Field(description="People with a profile, those erased since not counted.")
    needs: int = Field(description="Needs that a counsellor confirmed, of people not erased since.")
    offered: int = Field(description="Times that a seat was held for a need.")
    accepted: int = Field(description="Times that a partner accepted.")
    declined: int = Field(description="Times that a partner declined.")
    lapsed: int = Field(description="Times that somebody's answer did not come in time.")
    waiting: int = Field(description="Needs for which there is no seat at the end.")
    waiting_by_reason: dict[str, int] = Field(
        description="The same by why they wait; `unknown` where no round has looked yet."
    )
    parked: int = Field(description="Events that wait for a missing one, in all services; 0 in a run without losses.")
    dead_letters: int = Field(description="Records that could not be applied, in all services.")
    counted: int = Field(description="People in reporting's counts: cases, and those who refused at a counter.")
    seats: int = Field(description="Seats of all offers together.")
    seats_taken_max: int = Field(description="The most seats that were held or taken at one time, seen once a step.")
    seconds: float = Field(description="Machine time from the first step to rest after the last.")
    people_per_second: float = Field(description="people / seconds.")
    p50_ms_arrival_to_first_offer: float | None = Field(
        description="Machine time along the chain of causes from arrival to first offer, median (simulation/latencies.py): "
        "waiting for days, people and rounds is not in it."
    )
    p99_ms_arrival_to_first_offer: float | None = Field(description="The same, 99th percentile.")


@dataclass(frozen=True, slots=True)
class Books:
    """What the services answered, each by its own name, and what the simulation knows itself."""

    world: World
    intake: Mapping[str, Any]
    profiling: Mapping[str, Any]
    referral: Mapping[str, Any]
    reporting: Mapping[str, Any]
    statuses: Mapping[str, Mapping[str, Any]]
    numbers: Mapping[str, Mapping[str, Any]]
    seats_taken_max: int

    @property
    def states(self) -> dict[str, int]:
        """How many people are in each state. Each is taken from the one service that knows it."""
        stages = self.profiling["cases"]
        return {
            "refused": len(self.world.refused),
            "without consent": self.intake["without_consent"],
            "erased": self.intake["erased"],
            "moved away": self.intake["moved"],
            "withdrawn": self.intake["withdrawn"],
            **{state: sum(stages[stage] for stage in of) for state, of in IN_WORK.items()},
        }

    def summary(self, seconds: float, first_offer_ms: list[float]) -> Summary:
        """`first_offer_ms` ascending, one for each person who was made an offer."""
        people, totals = len(self.world.arrived), self.reporting["totals"]
        p50, p99 = (percentile(first_offer_ms, share) for share in (0.5, 0.99))
        return Summary(
            people=people,
            registered=self.intake["registered"],
            refused=len(self.world.refused),
            without_consent=self.intake["without_consent"],
            appointments=self.intake["appointments"],
            profiled=self.profiling["profiled"],
            needs=sum(self.referral["needs"].values()),
            offered=totals["proposed"],
            accepted=totals["accepted"],
            declined=totals["declined"],
            lapsed=totals["lapsed"],
            waiting=self.referral["needs"]["waiting"],
            waiting_by_reason=self.referral["waiting_because"],
            parked=self._everywhere("parked"),
            dead_letters=self._everywhere("dead_letters"),
            counted=totals["persons"] + self.reporting["anonymous"],
            seats=self.referral["seats"],
            seats_taken_max=self.seats_taken_max,
            seconds=round(seconds, 3),
            people_per_second=round(people / seconds, 2) if seconds else 0.0,
            p50_ms_arrival_to_first_offer=round(p50, 1) if p50 is not None else None,
            p99_ms_arrival_to_first_offer=round(p99, 1) if p99 is not None else None,
        )

    def _everywhere(self, number: str) -> int:
        return sum(status[number] for status in self.statuses.values())


async def draw(doors: Doors, world: World, seats_taken_max: int = 0) -> Books:
    """Ask all services. They are to be at rest."""
    names = ("intake", "profiling", "referral", "reporting")
    intake, profiling, referral, reporting = await asyncio.gather(
        *(
            doors.get(service, "/v1/books", OPERATOR, recount="true" if service == "referral" else None)
            for service in names
        )
    )
    statuses = await asyncio.gather(*(doors.get(service, "/runtime/status", OPERATOR) for service in names))
    numbers = await asyncio.gather(*(doors.get(service, "/runtime/numbers", OPERATOR) for service in names))
    return Books(
        world=world,
        intake=intake,
        profiling=profiling,
        referral=referral,
        reporting=reporting,
        statuses=dict(zip(names, statuses, strict=True)),
        numbers=dict(zip(names, numbers, strict=True)),
        seats_taken_max=max(seats_taken_max, referral["held"]),
    )
