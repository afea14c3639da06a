"""What the partners' pages show: the partner's own referrals and offers, and nothing of anybody else's.

A partner hears of a referral when the person has agreed to it. Before that, and to every other partner, it does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.referral import store as kept
from services.referral.api_offers import partner_of
from services.referral.api_referrals import Row, offers_of
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances
from services.referral.locations import Locations
from services.referral.model import Case, Need, running_at
from services.referral.offers import Offer
from services.referral.pages.listing import LISTS, part_of
from services.referral.referrals import LIVE, Referral, ReferralState
from services.referral.store import Located
from services.referral.views import InboxLine, inbox_line
from services.runtime.calendar import berlin_day
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.tokens import Actor

MOST_OFFERS: Final = 200
"""Offers on their page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A referral for its partner. `line` is what the API says of it; `ended` is when it ended, `reason` why, as a code."""

    line: InboxLine
    offer: Offer | None
    steps: tuple[tuple[ReferralState, datetime], ...]
    ended: datetime | None
    reason: str | None

    @property
    def is_live(self) -> bool:
        return self.line.state in LIVE

    @property
    def answer_until(self) -> date | None:
        """The last day for the answer."""
        by = self.line.answer_by
        return berlin_day(by - timedelta(milliseconds=1)) if by is not None else None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list; see `listing.Part`."""

    lines: list[Shown]
    first: int
    total: int
    next: str | None

    @property
    def last(self) -> int:
        """The number of its last entry."""
        return self.first + len(self.lines) - 1


class Reading:
    """Reads for one partner at a time."""

    def __init__(self, running: Running, locations: Locations) -> None:
        self._running = running
        self._locations = locations

    async def listed(self, actor: Actor, name: str, cursor: str | None) -> Listed:
        """A page of the list of this name (`LISTS`). Of the people who ended nothing is shown any more. Raises `Problem` 400."""
        which, partner, store = LISTS[name], self._partner(actor), self._running.store(actor.county)
        part = part_of(which, await which.glances(store, which.entry(partner)), partner, cursor)
        cases = {case.id: case for case in await kept.cases(store, {one.case for one in part.shown})}
        rows = [
            (cases[one.case], *found)
            for one in part.shown
            if one.case in cases and (found := cases[one.case].need_of(one.referral)) is not None
            if which.holds(found[1])  # what was answered a moment ago is not in the list any more
        ]
        self._locations.learn(actor.county, ((one.id, Located(case.id, one.offer)) for case, _, one in rows))
        return Listed(await self._shown(actor, rows), part.first, part.total, part.next)

    async def one(self, actor: Actor, referral: str) -> Shown:
        """One referral, alive or ended. Raises `Problem` 404."""
        located = (await self._locations.find(self._running.store(actor.county), [referral])).get(referral)
        case = await kept.case(self._running.store(actor.county), located.case) if located is not None else None
        found = case.need_of(referral) if case is not None else None
        if case is None or found is None or found[1].partner != self._partner(actor) or not found[1].was_told:
            raise Problem("referral-not-found", 404)
        return (await self._shown(actor, [(case, *found)]))[0]

    async def offers(self, actor: Actor) -> list[Offer]:
        """The partner's own: what is open first, then by start. Of its appointments those that are still to come."""
        store, today = self._running.store(actor.county), berlin_day(self._running.clock.now())
        found = await kept.list_offers(store, self._partner(actor), None, MOST_OFFERS, ahead=today)
        return sorted(
            (one for one in found if one.terms is not None),
            key=lambda one: (one.closed, one.terms.starts_on or date.max if one.terms else date.max, one.id),
        )

    async def offer(self, actor: Actor, id: str) -> Offer:
        """One offer of the partner. Raises `Problem` 404."""
        found = (await kept.offers(self._running.store(actor.county), [id])).get(id)
        if found is None or found.terms is None or found.terms.partner != self._partner(actor):
            raise Problem("offer-not-found", 404)
        return found

    async def participants(self, actor: Actor, offer: Offer) -> list[Shown]:
        """Who was accepted for this offer and has not left it."""
        cases = await kept.cases(self._running.store(actor.county), {holder.case for holder in offer.holders})
        entry = running_at(self._partner(actor))
        rows = [
            (case, need, need.live)
            for case in cases
            for need in case.needs
            if need.live is not None and need.live.offer == offer.id and entry in case.agenda and _runs(need.live)
        ]
        self._locations.learn(actor.county, ((one.id, Located(case.id, one.offer)) for case, _, one in rows))
        return sorted(await self._shown(actor, rows), key=lambda one: one.line.referral)

    async def _shown(self, actor: Actor, rows: Sequence[Row]) -> list[Shown]:
        today = berlin_day(self._running.clock.now())
        where = Circumstances(settings_of(actor.county, today), today)
        offers = await offers_of(self._running, actor, rows)
        return [_one(case, need, referral, offers.get(referral.offer), where) for case, need, referral in rows]

    @staticmethod
    def _partner(actor: Actor) -> str:
        return partner_of(actor) or ""


def _runs(referral: Referral) -> bool:
    return any(step.state is ReferralState.ACCEPTED for step in referral.steps)


def _one(case: Case, need: Need, referral: Referral, offer: Offer | None, where: Circumstances) -> Shown:
    line = inbox_line(case, need, referral, offer, where)
    live = referral.state in LIVE
    heard = next((n for n, step in enumerate(referral.steps) if step.state is ReferralState.AGREED), 0)
    return Shown(
        line=line if live else line.model_copy(update={"person": {}, "case": None, "contact": None}),
        offer=offer,
        steps=tuple((step.state, step.at) for step in referral.steps[heard:]),
        ended=None if live else referral.steps[-1].at,
        reason=str(referral.reason) if referral.reason is not None else None,
    )
