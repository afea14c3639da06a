"""What people do with a referral: the counsellor releases it, the person answers, the partner opens and answers it, the person takes part,
and one day it ends.

Counsellor and partner send the steps of a day in lists. A step that has become impossible meanwhile (somebody moved, a course was closed)
is refused by the service, and that is that.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from schemas.codes import (
    AgreementScope,
    CancelReason,
    Daypart,
    DeclineReason,
    FailReason,
    Outcome,
    RejectReason,
    ServiceKind,
    Skill,
)
from simulation import assumptions, conduct
from simulation.agenda import Agenda
from simulation.conduct import PartnerReply, PersonReply
from simulation.doors import Refusal, Who
from simulation.world import COUNSELLOR, World, partner

MOST_STEPS: Final = 200
"""In one request."""

PROPOSAL: Final = "proposal"
"""The step that the service takes itself, as the simulation records it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A referral on its way: whose it is, of which kind, at which partner, when, and for how long."""

    referral: str
    case: str
    need: str
    kind: ServiceKind
    partner: str
    starts_on: date | None
    dayparts: tuple[Daypart, ...]
    has_its_time: bool
    district: str
    weeks: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a referral, as it is sent."""

    question: Question
    step: str
    reason: RejectReason | DeclineReason | FailReason | CancelReason | None = None
    outcome: Outcome | None = None
    skills: tuple[Skill, ...] = ()
    on: date | None = None
    daypart: Daypart | None = None

    def body(self) -> dict[str, Any]:
        on = self.on.isoformat() if self.on is not None else None
        more = {
            "reason": self.reason,
            "outcome": self.outcome,
            "skills": list(self.skills),
            "on": on,
            "daypart": self.daypart,
        }
        told = {name: value for name, value in more.items() if value not in (None, [])}
        return {"referral": self.question.referral, "step": self.step, **told}


class Referrals:
    """Counsellors look through what was proposed since the last round; everything else is a matter of days that were agreed on."""

    def __init__(self, world: World, *, at_once: bool = False) -> None:
        """`at_once`: nobody takes any time to answer."""
        self._world = world
        self._at_once = at_once
        self._weeks = {world.offer_id(offer): offer.weeks for offer in world.offers}
        self._known: set[str] = set()
        self._scopes = 0
        self.accepted: list[str] = []
        self._releases: Agenda[Step] = Agenda()
        self._answers: Agenda[Step] = Agenda()
        self._partners: Agenda[Step] = Agenda()
        self._taking_part: Agenda[Step] = Agenda()

    @property
    def next_day(self) -> date | None:
        """What those who were accepted do does not count: it is waited for by nobody."""
        days = (self._releases.next_day, self._answers.next_day, self._partners.next_day)
        return min((day for day in days if day is not None), default=None)

    async def act(self, today: date) -> int:
        acts = await self._look_through(today)
        for question in await self._take(COUNSELLOR, f"release-{today}", self._due(self._releases, today), "release"):
            self._ask_person(question, today)
        for question in await self._take(COUNSELLOR, f"answer-{today}", self._due(self._answers, today), "agreement"):
            await self._record_scope(question)
            self._ask_partner(question, today)
        if self._scopes:
            acts += await self._look_at_what_was_agreed_in_advance(today)
        acts += await self._partners_act(today)
        return acts

    async def _look_through(self, today: date) -> int:
        """New proposals go on the pile of the counsellor who releases them in a few days."""
        found = 0
        async for question in self._new("proposed"):
            found += 1
            seed = self._world.county.seed
            why, after = conduct.rejects(seed, question.referral), conduct.release_after(seed, question.referral)
            right = why is None or self._at_once
            step = Step(question, "release") if right else Step(question, "rejection", reason=why)
            self._put(self._releases, today, after, step)
        return found

    async def _look_at_what_was_agreed_in_advance(self, today: date) -> int:
        """What lies within an agreement is with the partner already."""
        found = 0
        async for question in self._new("agreed-in-advance"):
            found += 1
            self._ask_partner(question, today)
        return found

    async def _new(self, state: str) -> AsyncIterator[Question]:
        """The referrals on this list of the counsellors that have not been seen yet."""
        world = self._world
        async for line in world.doors.each("referral", "/v1/referrals", COUNSELLOR, state=state, limit=500):
            if line["referral"] in self._known:
                continue
            self._known.add(line["referral"])
            world.record(PROPOSAL, line["case"])
            place = line["place"]
            yield Question(
                referral=line["referral"],
                case=line["case"],
                need=line["need"],
                kind=ServiceKind(line["kind"]),
                partner=place["partner"],
                starts_on=date.fromisoformat(place["starts_on"]) if place["starts_on"] else None,
                dayparts=tuple(map(Daypart, place["dayparts"])),
                has_its_time=place["begins"] is not None,
                district=place["district"],
                weeks=self._weeks.get(place["offer"], assumptions.PLANS[ServiceKind(line["kind"])].weeks),
            )

    async def _record_scope(self, question: Question) -> None:
        """Who agrees may agree to more: other dates of this partner there, or others who are there or near, at these times."""
        world = self._world
        scope = conduct.agreed_in_advance(world.county.seed, world.person_of[question.case], question.referral)
        if self._at_once or scope is AgreementScope.ASK_AGAIN or not question.dayparts:
            return
        body = {
            "scope": scope,
            "partner": question.partner,
            "dayparts": question.dayparts,
            "districts": [question.district],
            "own_district": True,
        }
        path, key = f"/v1/needs/{question.need}/scope", f"scope-{question.referral}"
        try:
            await world.doors.post("referral", path, COUNSELLOR, body, key=key)
        except Refusal as refusal:
            world.note(refusal)
        else:
            self._scopes += 1

    def _ask_person(self, question: Question, today: date) -> None:
        world = self._world
        answer = conduct.person_answer(world.county.seed, world.person_of[question.case], question.referral)
        if answer.reply is not PersonReply.SILENT:
            step = "agreement" if answer.reply is PersonReply.AGREES else "refusal"
            self._put(self._answers, today, answer.after_days, Step(question, step))

    def _ask_partner(self, question: Question, today: date) -> None:
        answer = conduct.partner_answer(self._world.county.seed, question.partner, question.referral)
        if answer.opens_after_days is not None and not self._at_once:
            self._put(self._partners, today, answer.opens_after_days, Step(question, "receipt"))
        if answer.reply is PartnerReply.ACCEPTS:
            self._put(self._partners, today, answer.after_days, Step(question, "acceptance"))
        elif answer.reply is PartnerReply.DECLINES:
            self._put(self._partners, today, answer.after_days, Step(question, "decline", reason=answer.reason))

    async def _partners_act(self, today: date) -> int:
        by_partner: defaultdict[str, list[Step]] = defaultdict(list)
        for step in (*self._due(self._partners, today), *self._due(self._taking_part, today)):
            if step.on is None or step.on >= today:  # nobody tells a first day that has passed
                by_partner[step.question.partner].append(step)
        accepted = await asyncio.gather(
            *(
                self._take(partner(code), f"partner-{today}", steps, "acceptance")
                for code, steps in sorted(by_partner.items())
            )
        )
        for questions in accepted:
            for question in questions:
                self._plan_taking_part(question, today)
        return sum(map(len, by_partner.values()))

    def _plan_taking_part(self, question: Question, today: date) -> None:
        """From the first day to the end. Steps of one day are taken in this order."""
        self.accepted.append(question.case)
        if self._at_once:
            return
        seed, index = self._world.county.seed, self._world.person_of[question.case]
        after_days, told = conduct.first_appointment_after(seed, question.referral)
        begins = max(today, question.starts_on or today + timedelta(days=after_days))
        steps = [
            (
                begins + timedelta(days=later.after_days),
                Step(question, later.step, later.reason, later.outcome, _skills(seed, question, later)),
            )
            for later in conduct.course_of_things(seed, index, question.referral, question.kind, question.weeks)
        ]
        if told and question.dayparts and not question.has_its_time:
            steps.insert(0, (today, Step(question, "scheduling", on=begins, daypart=question.dayparts[0])))
        for number, (day, step) in enumerate(steps):
            self._taking_part.put(day, f"{question.referral}/{number}", step)

    async def _take(self, who: Who, key: str, steps: Sequence[Step], of: str | None = None) -> list[Question]:
        """Send the steps; the questions of those that were taken, or only those `of` one kind."""
        taken: list[Question] = []
        for first in range(0, len(steps), MOST_STEPS):
            part = steps[first : first + MOST_STEPS]
            body = {"steps": [step.body() for step in part]}
            answer = await self._world.doors.post(
                "referral", "/v1/referrals/steps", who, body, key=f"{key}-{who.subject}-{part[0].question.referral}"
            )
            for step, item in zip(part, answer["items"], strict=True):
                if self._was_taken(step, item) and of in (None, step.step):
                    taken.append(step.question)
        return taken

    def _was_taken(self, step: Step, item: Mapping[str, Any]) -> bool:
        if item["outcome"] == "applied":
            self._world.record(step.step, step.question.case)
            if step.step == "completion":
                self._world.completed.add(step.question.case)
            return True
        problem = item["problem"]
        self._world.note(Refusal("referral", problem["status"], problem["code"], problem["detail"]))
        return False

    def _put(self, agenda: Agenda[Step], today: date, after_days: int, step: Step) -> None:
        day = today if self._at_once else today + timedelta(days=after_days)
        agenda.put(day, f"{step.question.referral}/{step.step}", step)

    def _due(self, agenda: Agenda[Step], today: date) -> list[Step]:
        return [step for _, step in agenda.due(today)]


def _skills(seed: int, question: Question, later: conduct.Later) -> tuple[Skill, ...]:
    """In which skills a level was certified, where it was not the whole of it."""
    return conduct.certified_skills(seed, question.referral, later.outcome) if later.outcome is not None else ()
