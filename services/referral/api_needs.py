"""The doors for needs: why one has its place or waits, and the counsellor's own choice, and what the person agreed to in advance."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from schemas.codes import AgreementScope, Daypart, RejectReason, Role, ServiceKind
from schemas.events import Code, District, Uuid
from services.referral import store as kept
from services.referral.care import beside
from services.referral.commands import AgreeScope, NeedScope, ProposeByHand, ReferralStanding
from services.referral.eligibility import Circumstances
from services.referral.model import ROUND, Case, Need, waiting_for
from services.referral.offers import Offer
from services.referral.outlook import Waiting, waiting_list
from services.referral.pool import seekers_of
from services.referral.reasons import reasons_for
from services.referral.seekers import Seeker
from services.referral.views_reasons import ReasonsView, WaitingView, reasons_view, waiting_view
from services.referral.wording import Wording
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue
from services.runtime.cursors import Page, PageRequest, paging
from services.runtime.problems import Problem, language
from services.runtime.running import Running
from services.runtime.security import Actor, allow
from services.runtime.store import CountyStore
from services.runtime.web import REPLAYED, IdempotencyKey, reply

Counsellor = Annotated[Actor, Depends(allow(Role.COUNSELLOR))]


class Choice(BaseModel):
    """The offer that is to be proposed. `reason`: why the present proposal is wrong; that offer is not proposed to this need again then,
    but for one that came too early. Without it, it just makes room."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    offer: Uuid
    reason: RejectReason | None = None


class Scope(BaseModel):
    """What the person agreed to in advance: nothing else (`ask-again`), other dates of this `partner`, or other partners of the kind within
    these dayparts; in these districts, or where the person lives. Dates of the same partner may be at any daypart if none is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    scope: AgreementScope
    partner: Code | None = None
    dayparts: tuple[Daypart, ...] = ()
    districts: tuple[District, ...] = Field((), max_length=100)
    own_district: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.scope is AgreementScope.ASK_AGAIN:
            return self
        if self.scope is AgreementScope.SAME_PARTNER and self.partner is None:
            raise PydanticCustomError("scope-without-partner", "other dates of the same partner need the partner")
        if self.scope is AgreementScope.SAME_KIND and not self.dayparts:
            raise PydanticCustomError("scope-without-dayparts", "other partners need the dayparts")
        if not self.districts and not self.own_district:
            raise PydanticCustomError("scope-without-districts", "a scope needs its districts")
        return self


def add_needs(router: APIRouter, running: Running, catalogue: Catalogue) -> None:
    @router.get("/needs/{need}/reasons", response_model=ReasonsView)
    async def reasons(
        request: Request,
        actor: Counsellor,
        need: Uuid,
        exact: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Response:
        """Why this place or none: the rules that shut out, the points of what fits, and what would change it."""
        store, today = running.store(actor.county), berlin_day(running.clock.now())
        case, sought = await _need(store, need)
        where = await kept.circumstances(store, today)
        offers = await _offers(store, sought, where)
        others = await _seeking(store, sought.kind) if offers else ()
        pace = await kept.flow(store, today)
        say = Wording(catalogue, language(request))

        def explained() -> ReasonsView:
            told = reasons_for(
                case,
                sought,
                offers,
                others,
                where,
                actor.county,
                exact=exact,
                given_a_day=pace.given_a_day(sought.kind),
            )
            return reasons_view(told, say)

        # In a thread of its own, like a round: others are to be answered meanwhile.
        return reply(await asyncio.to_thread(explained))

    @router.get("/waiting/{kind}", response_model=Page[WaitingView])
    async def waiting(
        request: Request, actor: Counsellor, kind: ServiceKind, page: Annotated[PageRequest, paging(datetime, str)]
    ) -> Response:
        """The waiting list of a kind, the longest wait first: who comes first for the next seat, and when a place can be expected."""
        store, today = running.store(actor.county), berlin_day(running.clock.now())
        where = await kept.circumstances(store, today)
        open_now = await kept.open_offers(store, today)
        offers = [one for one in open_now if one.terms and one.terms.kind is kind]
        seekers, pace = await _seeking(store, kind), (await kept.flow(store, today)).given_a_day(kind)
        listed = await asyncio.to_thread(waiting_list, seekers, offers, where, actor.county, pace, beside(open_now))
        rows = [one for one in listed if page.after is None or _in_line(one) > page.after]
        say = Wording(catalogue, language(request))
        return reply(page.page(rows[: page.fetch], lambda one: waiting_view(one, say), _in_line))

    by_hand = running.metrics.counter("proposals_by_hand", "Proposals that counsellors chose by hand")

    @router.post("/needs/{need}/proposal", response_model=ReferralStanding)
    async def propose(actor: Counsellor, key: IdempotencyKey, need: Uuid, body: Choice) -> Response:
        """Propose this offer, instead of what matching proposed."""
        located = (await kept.locate(running.store(actor.county), [need])).get(need)
        if located is None:
            raise Problem("need-not-found", 404)
        data = ProposeByHand(case=located.case, need=need, offer=body.offer, reason=body.reason)
        answer = await running.send(actor, key, data)
        if REPLAYED not in answer.headers:
            by_hand.inc()
        return answer

    @router.post("/needs/{need}/scope", response_model=NeedScope)
    async def agree(actor: Counsellor, key: IdempotencyKey, need: Uuid, body: Scope) -> Response:
        """The person agrees, and the counsellor records it, what may be asked for from now on without asking them again."""
        located = (await kept.locate(running.store(actor.county), [need])).get(need)
        if located is None:
            raise Problem("need-not-found", 404)
        return await running.send(actor, key, AgreeScope(case=located.case, need=need, **body.model_dump()))


def _in_line(one: Waiting) -> tuple[datetime, str]:
    return one.seeker.since, one.seeker.need


async def _need(store: CountyStore, id: str) -> tuple[Case, Need]:
    located = (await kept.locate(store, [id])).get(id)
    case = await kept.case(store, located.case) if located is not None else None
    if case is not None and case.erased:
        raise Problem("case-erased", 410)
    need = case.need(id) if case is not None else None
    if case is None or need is None:
        raise Problem("need-not-found", 404)
    return case, need


async def _offers(store: CountyStore, need: Need, where: Circumstances) -> Sequence[Offer]:
    """The open offers of this kind and the child care beside them, and the one that the need holds."""
    found = {offer.id: offer for offer in await kept.open_offers(store, where.today)}
    if need.live is not None and need.live.offer not in found:
        found |= await kept.offers(store, {need.live.offer})
    care = beside(found.values())
    return [one for one in found.values() if one.terms and (one.terms.kind is need.kind or one.id in care)]


async def _seeking(store: CountyStore, kind: ServiceKind) -> Sequence[Seeker]:
    """All who seek a place of this kind now."""
    entries = {ROUND, waiting_for(kind)}
    return [one async for case in kept.each_on_agenda(store, entries) for one in seekers_of(case, kind)]
