"""The coordinator's door for courses with a minimum: which are below it when enrolment ends, what is proposed, and the decision."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date, timedelta
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import ServiceKind
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.commands import DecideCourse
from services.referral.directory.api import Coordinator
from services.referral.model import ROUND, waiting_for
from services.referral.offers import Offer
from services.referral.particulars import minimum_of
from services.referral.planner import Method
from services.referral.planning import LATELY, Proposal, held_in, holders_of, is_due, kind_of, proposals
from services.referral.pool import seekers_of
from services.referral.words import Words
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue
from services.runtime.problems import language
from services.runtime.running import Running
from services.runtime.store import CountyStore
from services.runtime.web import IdempotencyKey, reply


class CourseBody(BaseModel):
    """Whether a course below its minimum takes place all the same, or not at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    takes_place: bool


class PlannedCourse(BaseModel):
    """A course below its minimum, with the proposal. `held` have a seat now; `taking_part` would, if all is decided as proposed; for a
    course that is to be closed, at least `needed` more people would have to come (0: enough would, but they gain more elsewhere)."""

    offer: str
    partner: str
    kind: ServiceKind
    district: str
    starts_on: date | None
    enrol_until: date | None
    seats: int
    minimum: int
    held: int
    takes_place: bool
    taking_part: int
    needed: int
    method: Method
    says: str


class PlannedCourses(BaseModel):
    """In the order in which enrolment ends."""

    courses: list[PlannedCourse]


def add_planning(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.get("/planning/courses")
    async def planned(
        request: Request, actor: Coordinator, within_days: Annotated[int, Query(ge=0, le=90)] = 14
    ) -> Response:
        """Courses below their minimum whose enrolment ends within so many days, or has ended in the last four weeks, each with what is
        proposed. Once the coordinator has decided, a course is not listed any more."""
        store, today = running.store(actor.county), berlin_day(running.clock.now())
        found = await _proposals(store, today, timedelta(days=within_days))
        say = Words(catalogue, language(request))
        found.sort(key=lambda one: (_last(one.offer), one.offer.id))
        return reply(PlannedCourses(courses=[_view(one, say) for one in found]))

    @router.post("/offers/{offer}/decision")
    async def decide(actor: Coordinator, key: IdempotencyKey, offer: Uuid, body: CourseBody) -> Response:
        """Let a course below its minimum take place, or cancel it: then everybody who held a seat or was accepted there waits again, and
        the answer names their referrals."""
        return await running.send(actor, key, DecideCourse(offer=offer, takes_place=body.takes_place))


async def _proposals(store: CountyStore, today: date, within: timedelta) -> list[Proposal]:
    due: defaultdict[ServiceKind, list[Offer]] = defaultdict(list)
    for offer in await kept.ending_between(store, today - LATELY, today + within):
        if is_due(offer, today, within):
            due[kind_of(offer)].append(offer)
    if not due:
        return []
    where, offers = await kept.circumstances(store, today), await kept.open_offers(store, today)
    cases = await kept.cases(store, holders_of(chain.from_iterable(due.values())))
    found: list[Proposal] = []
    for kind, courses in due.items():
        entries = {ROUND, waiting_for(kind)}
        waiting = [one async for case in kept.each_on_agenda(store, entries) for one in seekers_of(case, kind)]
        held = held_in(cases, courses)
        # In a thread of its own: an exact plan may take some seconds, in which others are to be answered.
        found += await asyncio.to_thread(proposals, courses, offers, waiting, held, where, store.county)
    return found


def _last(offer: Offer) -> date:
    last = offer.terms.last_day if offer.terms is not None else None
    return last or date.max


def _view(one: Proposal, say: Words) -> PlannedCourse:
    terms = one.offer.terms
    if terms is None:
        raise ValueError("an offer that nobody has published is not planned")
    minimum = minimum_of(terms.particulars) or 0
    numbers = {"minimum": minimum, "held": one.offer.taken, "number": one.taking_part, "needed": one.needed}
    said = "run" if one.runs else "elsewhere" if not one.needed else "needed-one" if one.needed == 1 else "needed"
    return PlannedCourse(
        offer=one.offer.id,
        partner=terms.partner,
        kind=terms.kind,
        district=terms.district,
        starts_on=terms.starts_on,
        enrol_until=terms.last_day,
        seats=one.offer.seats,
        minimum=minimum,
        held=one.offer.taken,
        takes_place=one.runs,
        taking_part=one.taking_part,
        needed=one.needed,
        method=one.plan.method,
        says=" ".join((say.say(f"planner.{said}", **numbers), say.say(f"planner.{one.plan.method}"))),
    )
