"""The doors for referrals: counsellors work on what was proposed, partners answer what was agreed. Both do so one by one or in lists.

Nobody learns from an answer here whether another partner's referral exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import DeclineReason, Outcome, RejectReason, Role
from schemas.events import Uuid
from services.referral import store as kept
from services.referral.api_offers import partner_of
from services.referral.commands import Accept, Agree, Close, Decline, Refuse, Reject, Release, TakeStep
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances
from services.referral.locations import Locations
from services.referral.model import AGREEMENT, RELEASE, Case, Need, Referral, answer_of, running_at
from services.referral.offers import Offer
from services.referral.store import Located
from services.referral.transitions import StepKind
from services.referral.views import inbox_line, referral_line
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue
from services.runtime.cursors import PageRequest, paging
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.items import ItemOutcomes, Settled, item_outcome, nothing_new
from services.runtime.problems import language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.web import IdempotencyKey, reply

MOST_STEPS: Final = 200

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]
Partner = Annotated[Actor, Depends(allow(Role.PARTNER))]
Either = Annotated[Actor, Depends(allow(Role.COUNSELLOR, Role.PARTNER))]

Row = tuple[Case, Need, Referral]
Step = Literal["release", "rejection", "agreement", "refusal", "acceptance", "decline", "closing"]

_OF_COUNSELLORS: Final = frozenset(
    {StepKind.RELEASE, StepKind.REJECTION, StepKind.AGREEMENT, StepKind.REFUSAL, StepKind.CLOSING}
)
_OF_PARTNERS: Final = frozenset({StepKind.ACCEPTANCE, StepKind.DECLINE, StepKind.CLOSING})


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rejection(_Body):
    """Why the counsellor does not release the proposal."""

    reason: RejectReason


class Refusal(_Body):
    """The person does not want this place; `another`: they would take another one."""

    another: bool = True


class Declining(_Body):
    """Why the partner does not take the person."""

    reason: DeclineReason


class Closing(_Body):
    """How it ended for the person."""

    outcome: Outcome


class StepItem(_Body):
    """One step of a list. Rejections and declines need a reason of theirs, a closing its outcome; `another` belongs to a refusal."""

    referral: Uuid
    step: Step
    reason: RejectReason | DeclineReason | None = None
    outcome: Outcome | None = None
    another: bool = True

    @model_validator(mode="after")
    def _complete(self) -> StepItem:
        if self.step == StepKind.REJECTION and not isinstance(self.reason, RejectReason):
            raise PydanticCustomError("rejection-without-reason", "a rejection needs its reason")
        if self.step == StepKind.DECLINE and not isinstance(self.reason, DeclineReason):
            raise PydanticCustomError("decline-without-reason", "a decline needs its reason")
        if self.step == StepKind.CLOSING and self.outcome is None:
            raise PydanticCustomError("closing-without-outcome", "a closing needs its outcome")
        return self


class Steps(_Body):
    """Steps taken at once, in this order."""

    steps: list[StepItem] = Field(min_length=1, max_length=MOST_STEPS)


def add_referrals(router: APIRouter, running: Running, catalogue: Catalogue, locations: Locations) -> None:
    _add_lists(router, running, locations)
    _add_steps(router, running, locations)

    @router.post("/referrals/steps")
    async def take_many(request: Request, actor: Either, key: IdempotencyKey, body: Steps) -> Response:
        located = await locations.find(running.store(actor.county), sorted({one.referral for one in body.steps}))
        settled: dict[int, Settled] = {}
        commands: dict[int, Command] = {}
        for position, one in enumerate(body.steps):
            try:
                data = _command(actor, one, located.get(one.referral))
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
    @router.get("/referrals")
    async def waiting(
        actor: Counsellor,
        page: Annotated[PageRequest, paging(str, str, largest=500)],
        state: Literal["proposed", "released"] = "proposed",
    ) -> Response:
        """What waits for the counsellors' release (proposed), or for the person's word (released)."""
        rows = await _rows(running, locations, actor, RELEASE if state == "proposed" else AGREEMENT, page)
        offers = await _offers_of(running, actor, rows)
        return reply(page.page(rows, lambda row: referral_line(*row, offers.get(row[2].offer)), _place_of))

    @router.get("/inbox")
    async def inbox(
        actor: Partner,
        page: Annotated[PageRequest, paging(str, str, largest=500)],
        state: Literal["agreed", "accepted"] = "agreed",
    ) -> Response:
        """The partner's own referrals: to be answered (agreed), or running (accepted)."""
        partner, today = partner_of(actor) or "", berlin_day(running.clock.now())
        rows = await _rows(
            running, locations, actor, answer_of(partner) if state == "agreed" else running_at(partner), page
        )
        offers = await _offers_of(running, actor, rows)
        where = Circumstances(settings_of(actor.county, today), today)
        return reply(page.page(rows, lambda row: inbox_line(*row, offers.get(row[2].offer), where), _place_of))


def _add_steps(router: APIRouter, running: Running, locations: Locations) -> None:
    async def step(actor: Actor, key: str, referral: str, step: Step, **more: Any) -> Response:
        located = await locations.find(running.store(actor.county), [referral])
        item = StepItem(referral=referral, step=step, **more)
        return await running.send(actor, key, _command(actor, item, located.get(referral)))

    @router.post("/referrals/{referral}/release")
    async def release(actor: Counsellor, key: IdempotencyKey, referral: Uuid) -> Response:
        """The proposal is right: the person is to be asked."""
        return await step(actor, key, referral, "release")

    @router.post("/referrals/{referral}/rejection")
    async def reject(actor: Counsellor, key: IdempotencyKey, referral: Uuid, body: Rejection) -> Response:
        """The proposal is wrong; the next best place is sought."""
        return await step(actor, key, referral, "rejection", reason=body.reason)

    @router.post("/referrals/{referral}/agreement")
    async def agree(actor: Counsellor, key: IdempotencyKey, referral: Uuid) -> Response:
        """The person agreed to partner, place and time."""
        return await step(actor, key, referral, "agreement")

    @router.post("/referrals/{referral}/refusal")
    async def refuse(actor: Counsellor, key: IdempotencyKey, referral: Uuid, body: Refusal) -> Response:
        """The person does not want this place."""
        return await step(actor, key, referral, "refusal", another=body.another)

    @router.post("/referrals/{referral}/acceptance")
    async def accept(actor: Partner, key: IdempotencyKey, referral: Uuid) -> Response:
        """The partner takes the person, and may read the agreed fields from now on."""
        return await step(actor, key, referral, "acceptance")

    @router.post("/referrals/{referral}/decline")
    async def decline(actor: Partner, key: IdempotencyKey, referral: Uuid, body: Declining) -> Response:
        """The partner does not take the person; the next best place is sought."""
        return await step(actor, key, referral, "decline", reason=body.reason)

    @router.post("/referrals/{referral}/closing")
    async def close(actor: Either, key: IdempotencyKey, referral: Uuid, body: Closing) -> Response:
        """The course or service ended for this person."""
        return await step(actor, key, referral, "closing", outcome=body.outcome)


def _command(actor: Actor, item: StepItem, located: Located | None) -> TakeStep:
    """The command of a step. Raises `Refused` for a step that is not this role's, and for a referral that nobody knows."""
    partner = partner_of(actor)
    kind = StepKind(item.step)
    if kind not in (_OF_COUNSELLORS if partner is None else _OF_PARTNERS):
        raise Refused("step-not-yours", 403)
    if located is None or located.offer is None:
        raise Refused("referral-not-found", 404)
    said = item.model_dump(include={"reason", "outcome", "another"})
    where = {"referral": item.referral, "case": located.case, "offer": located.offer, "partner": partner}
    return _COMMANDS[kind].model_validate({**where, **said})


_COMMANDS: Final[Mapping[StepKind, type[TakeStep]]] = {
    StepKind.RELEASE: Release,
    StepKind.REJECTION: Reject,
    StepKind.AGREEMENT: Agree,
    StepKind.REFUSAL: Refuse,
    StepKind.ACCEPTANCE: Accept,
    StepKind.DECLINE: Decline,
    StepKind.CLOSING: Close,
}
"""Each takes of what was said the part that is its own."""


async def _rows(running: Running, locations: Locations, actor: Actor, entry: str, page: PageRequest) -> list[Row]:
    """Referrals with this entry, by case and referral. Each case found has one at least, so one case more than is fetched is enough."""
    after_case, after_referral = (str(part) for part in page.after) if page.after else (None, "")
    cases = await kept.on_agenda(running.store(actor.county), entry, after_case, page.fetch + 1)
    rows = [
        (case, need, need.live)
        for case in cases
        for need in sorted(case.needs, key=lambda need: need.live.id if need.live else "")
        if need.live is not None
        and case.entry_of(need.live) == entry
        and (case.id != after_case or need.live.id > after_referral)
    ]
    locations.learn(actor.county, ((referral.id, Located(case.id, referral.offer)) for case, _, referral in rows))
    return rows[: page.fetch]


async def _offers_of(running: Running, actor: Actor, rows: Sequence[Row]) -> dict[str, Offer]:
    return await kept.offers(running.store(actor.county), {referral.offer for _, _, referral in rows})


def _place_of(row: Row) -> tuple[str, str]:
    return row[0].id, row[2].id
