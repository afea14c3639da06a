"""The doors for referrals: counsellors work on what was proposed, partners answer what was agreed. Both do so one by one or in lists.

Nobody learns from an answer here whether another partner's referral exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, LiteralString

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import CancelReason, Daypart, DeclineReason, FailReason, Outcome, RejectReason, Role, Skill
from schemas.ends import CALLED_OFF
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.api_offers import partner_of
from services.referral.commands import ReferralStanding, TakeStep
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances
from services.referral.locations import Locations
from services.referral.model import AGREED_IN_ADVANCE, AGREEMENT, RELEASE, UNATTENDED, Case, Need, answer_of, running_at
from services.referral.offers import Offer
from services.referral.referrals import Referral
from services.referral.steps import MEANINGS
from services.referral.store import Located
from services.referral.transitions import STEPS_OF, By, StepKind
from services.referral.views import InboxLine, ReferralLine, inbox_line, referral_line
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.deciding import Command, Day
from services.runtime.errors import Refused
from services.runtime.items import ItemOutcomes, Settled, item_outcome, nothing_new
from services.runtime.problems import FieldProblem, Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

MOST_STEPS: Final = 200

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]
Partner = Annotated[Actor, Depends(allow(Role.PARTNER))]
Either = Annotated[Actor, Depends(allow(Role.COUNSELLOR, Role.PARTNER))]

Row = tuple[Case, Need, Referral]
Step = Literal[
    StepKind.RELEASE,
    StepKind.REJECTION,
    StepKind.AGREEMENT,
    StepKind.REFUSAL,
    StepKind.RECEIPT,
    StepKind.ACCEPTANCE,
    StepKind.DECLINE,
    StepKind.SCHEDULING,
    StepKind.START,
    StepKind.ABSENCE,
    StepKind.ATTENDANCE,
    StepKind.PAUSE,
    StepKind.RESUMPTION,
    StepKind.COMPLETION,
    StepKind.FAILURE,
    StepKind.CANCELLATION,
]

_REASONS: Final[Mapping[StepKind, frozenset[str]]] = {
    StepKind.REJECTION: frozenset(RejectReason),
    StepKind.DECLINE: frozenset(DeclineReason),
    StepKind.FAILURE: frozenset(FailReason),
    StepKind.CANCELLATION: frozenset(CALLED_OFF),
}
"""The steps that need a reason, and theirs."""

_LACKING: Final[Mapping[StepKind, LiteralString]] = {
    StepKind.REJECTION: "rejection-without-reason",
    StepKind.DECLINE: "decline-without-reason",
    StepKind.FAILURE: "failure-without-reason",
    StepKind.CANCELLATION: "cancellation-without-reason",
    StepKind.COMPLETION: "completion-without-outcome",
    StepKind.SCHEDULING: "scheduling-without-day",
}
"""The sentences for what a step needs and was not said."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Body):
    """What belongs to a step: its `reason` (rejection, decline, failure, cancellation), the `outcome` (completion; of a
    certified level also the `skills`, where it is not of all of them), whether the person
    would take `another` place (refusal, cancellation at their wish), the first day and its daypart (scheduling)."""

    reason: RejectReason | DeclineReason | FailReason | CancelReason | None = None
    outcome: Outcome | None = None
    skills: tuple[Skill, ...] = ()
    another: bool = True
    on: Day | None = None
    daypart: Daypart | None = None

    def lacks(self, step: StepKind) -> str | None:
        """The field that the step needs and that was not said."""
        if step in _REASONS and self.reason not in _REASONS[step]:
            return "reason"
        if step is StepKind.COMPLETION and self.outcome is None:
            return "outcome"
        if step is StepKind.SCHEDULING and (self.on is None or self.daypart is None):
            return "on" if self.on is None else "daypart"
        return None


class StepItem(Said):
    """One step of a list."""

    referral: Uuid
    step: Step

    @model_validator(mode="after")
    def _complete(self) -> StepItem:
        if self.lacks(self.step) is not None:
            raise PydanticCustomError(_LACKING[self.step], "something that belongs to this step is missing")
        return self


class Steps(_Body):
    """Steps taken at once, in this order."""

    steps: list[StepItem] = Field(min_length=1, max_length=MOST_STEPS)


def add_referrals(router: APIRouter, running: Running, catalogue: Catalogue, locations: Locations) -> None:
    _add_lists(router, running, locations)
    _add_steps(router, running, locations)

    @router.post("/referrals/steps", response_model=ItemOutcomes)
    async def take_many(request: Request, actor: Either, key: IdempotencyKey, body: Steps) -> Response:
        located = await locations.find(running.store(actor.county), sorted({one.referral for one in body.steps}))
        settled: dict[int, Settled] = {}
        commands: dict[int, Command] = {}
        for position, one in enumerate(body.steps):
            try:
                data = command_of(actor, one.referral, one.step, one, located.get(one.referral))
            except Refused as refused:
                settled[position] = refused
                continue
            commands[position] = Command(actor.county, key, data, actor.subject, place=position)
        settled |= zip(commands, await running.send_all(list(commands.values())), strict=True)
        spoken = language(request)
        items = [
            item_outcome(one.referral, settled[position], catalogue, spoken) for position, one in enumerate(body.steps)
        ]
        return reply(ItemOutcomes(items=items), replayed=nothing_new(settled.values()))


def _add_lists(router: APIRouter, running: Running, locations: Locations) -> None:
    @router.get("/referrals", response_model=Page[ReferralLine])
    async def waiting(
        actor: Counsellor,
        page: Annotated[PageRequest, paging(str, str, largest=500)],
        state: Literal["proposed", "released", "agreed-in-advance", "unattended"] = "proposed",
    ) -> Response:
        """What waits for the counsellors' release (proposed) or for the person's word (released); what went to a partner within what the
        person had agreed to (agreed-in-advance); who did not come (unattended)."""
        rows = await rows_on(running, locations, actor, _ENTRIES[state], page)
        offers = await offers_of(running, actor, rows)
        return reply(page.page(rows, lambda row: referral_line(*row, offers.get(row[2].offer)), place_of))

    @router.get("/inbox", response_model=Page[InboxLine])
    async def inbox(
        actor: Partner,
        page: Annotated[PageRequest, paging(str, str, largest=500)],
        state: Literal["agreed", "accepted"] = "agreed",
    ) -> Response:
        """The partner's own referrals: to be answered (agreed, opened or not), or accepted and not ended yet (accepted)."""
        partner, today = partner_of(actor) or "", berlin_day(running.clock.now())
        rows = await rows_on(
            running, locations, actor, answer_of(partner) if state == "agreed" else running_at(partner), page
        )
        offers = await offers_of(running, actor, rows)
        where = Circumstances(settings_of(actor.county, today), today)
        return reply(page.page(rows, lambda row: inbox_line(*row, offers.get(row[2].offer), where), place_of))


_ENTRIES: Final = {
    "proposed": RELEASE,
    "released": AGREEMENT,
    "unattended": UNATTENDED,
    "agreed-in-advance": AGREED_IN_ADVANCE,
}


def _add_steps(router: APIRouter, running: Running, locations: Locations) -> None:
    @router.post("/referrals/{referral}/{step}", response_model=ReferralStanding)
    async def take(
        actor: Either, key: IdempotencyKey, referral: Uuid, step: Step, body: Said | None = None
    ) -> Response:
        """One step. Which there are, from where to where and whose they are, is the table in docs/architecture/referral.md."""
        said = body or Said()
        if (lacking := said.lacks(step)) is not None:
            raise Problem("invalid-fields", 422, fields=[FieldProblem(lacking, _LACKING[step])])
        located = await locations.find(running.store(actor.county), [referral])
        return await running.send(actor, key, command_of(actor, referral, step, said, located.get(referral)))


def command_of(actor: Actor, referral: str, step: StepKind, said: Said, located: Located | None) -> TakeStep:
    """The command of a step. Raises `Refused` for a step that is not this role's, and for a referral that nobody knows."""
    partner = partner_of(actor)
    if step not in STEPS_OF[By.COUNSELLOR if partner is None else By.PARTNER]:
        raise Refused("step-not-yours", 403)
    if located is None or located.offer is None:
        raise Refused("referral-not-found", 404)
    where = {"referral": referral, "case": located.case, "offer": located.offer, "partner": partner}
    told = said.model_dump(mode="json", include=set(Said.model_fields))
    return COMMANDS[step].model_validate({**where, **told})


COMMANDS: Final[Mapping[StepKind, type[TakeStep]]] = {meaning.step: command for command, meaning in MEANINGS.items()}
"""Each takes of what was said the part that is its own."""


async def rows_on(running: Running, locations: Locations, actor: Actor, entry: str, page: PageRequest) -> list[Row]:
    """Referrals with this entry, by case and referral. Each case found has one at least, so one case more than is fetched is enough."""
    after_case, after_referral = (str(part) for part in page.after) if page.after else (None, "")
    cases = await kept.on_agenda(running.store(actor.county), entry, after_case, page.fetch + 1)
    rows = [
        (case, need, need.live)
        for case in cases
        for need in sorted(case.needs, key=lambda need: need.live.id if need.live else "")
        if need.live is not None
        and entry in case.entries_of(need.live)
        and (case.id != after_case or need.live.id > after_referral)
    ]
    locations.learn(actor.county, ((referral.id, Located(case.id, referral.offer)) for case, _, referral in rows))
    return rows[: page.fetch]


async def offers_of(running: Running, actor: Actor, rows: Sequence[Row]) -> dict[str, Offer]:
    return await kept.offers(running.store(actor.county), {referral.offer for _, _, referral in rows})


def place_of(row: Row) -> tuple[str, str]:
    return row[0].id, row[2].id
