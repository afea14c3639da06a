"""What the coordinator's pages show: the directory with its offers, what should be looked at, who waits, and what was overruled.

Everybody who waits is counted, by kind; nobody is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from schemas.codes import ServiceKind, WaitReason
from services.referral import store as kept
from services.referral.county import settings_of
from services.referral.directory.entries import Wording
from services.referral.directory.listing import Directory
from services.referral.directory.review import Duplicate, Stale, duplicates, stale
from services.referral.directory.states import Partner
from services.referral.directory.views import PartnerView, partner_view
from services.referral.model import ROUND, NeedState, waiting_for
from services.referral.offers import Offer
from services.runtime.calendar import berlin_day
from services.runtime.problems import Problem
from services.runtime.running import Running
from services.runtime.tokens import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """A partner in the list: with how many open offers, and how many of their seats are free. `stale`: entries that nobody confirmed for
    long, its own included."""

    partner: Partner
    services: int
    offers: int
    free: int
    stale: int


@dataclass(frozen=True, slots=True)
class Network:
    """The directory on a day. `apart`: open offers that belong to none of its services."""

    lines: Sequence[Line]
    stale: Sequence[Stale]
    duplicates: Sequence[Duplicate]
    apart: Sequence[Offer]
    names: Mapping[str, str]
    offers: Mapping[str, Offer]
    directory: Directory
    stale_after: int

    def of(self, code: str) -> PartnerView:
        """One partner with everything. Raises `Problem` 404."""
        partner = self.directory.partner(code)
        if partner is None:
            raise Problem("entry-not-found", 404)
        return partner_view(partner, self.directory, with_agreement=True)

    def service(self, partner: str, code: str) -> Wording:
        """The name of a service that is in the directory."""
        entries = (one.entry for one in self.directory.services_of(partner) if one.code == code)
        return next(entry.name for entry in entries if entry is not None)

    def is_stale(self, part: str, partner: str, code: str = "") -> bool:
        """Whether nobody has confirmed it for long."""
        return any((one.part, one.partner, one.code) == (part, partner, code) for one in self.stale)


@dataclass(slots=True)
class Waits:
    """Who waits for a place of one kind: how many, since how many days the longest, and why."""

    kind: ServiceKind
    people: int = 0
    urgent: int = 0
    longest: int = 0
    why: Counter[WaitReason | None] = field(default_factory=Counter[WaitReason | None])


class Looking:
    """Reads for the coordinator of one county at a time."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @property
    def today(self) -> date:
        return berlin_day(self._running.clock.now())

    async def network(self, actor: Actor) -> Network:
        store, today = self._running.store(actor.county), self.today
        directory = await kept.directory(store, today)
        offers = await kept.open_offers(store, today)
        days = settings_of(actor.county, today).directory.stale_after_days
        old = stale(directory, today, days)
        apart = [one for one in offers if directory.service_of(one) is None]
        return Network(
            lines=[_line(partner, directory, old) for partner in directory.partners],
            stale=old,
            duplicates=duplicates(directory.partners),
            apart=sorted(apart, key=lambda one: one.id),
            names={one.code: one.entry.name for one in directory.partners if one.entry is not None},
            offers={one.id: one for one in offers},
            directory=directory,
            stale_after=days,
        )

    async def waits(self, actor: Actor) -> list[Waits]:
        """By kind, the most people first. Goes through everybody who waits."""
        found: dict[ServiceKind, Waits] = {}
        entries = {ROUND, *map(waiting_for, ServiceKind)}
        async for case in kept.each_on_agenda(self._running.store(actor.county), entries):
            for need in case.needs if case.stands else ():
                if case.state_of(need) is NeedState.WAITING:
                    one = found.setdefault(need.kind, Waits(need.kind))
                    one.people += 1
                    one.urgent += need.urgent
                    one.longest = max(one.longest, (self.today - berlin_day(need.since)).days)
                    one.why[need.told if need.passed_over else None] += 1
        return sorted(found.values(), key=lambda one: (-one.people, one.kind))

    async def overridden(self, actor: Actor) -> list[tuple[StrEnum, int]]:
        """How often counsellors overruled a proposal of matching in the last weeks, by reason, the most frequent first."""
        counted = (await kept.flow(self._running.store(actor.county), self.today)).overridden()
        return sorted(((reason, number) for reason, number in counted.items() if number), key=lambda one: -one[1])


def _line(partner: Partner, directory: Directory, old: Sequence[Stale]) -> Line:
    services = [one for one in directory.services_of(partner.code) if not one.retired]
    offers = [offer for service in services for offer in directory.offers_of(service)]
    return Line(
        partner=partner,
        services=len(services),
        offers=len(offers),
        free=sum(offer.free for offer in offers),
        stale=sum(one.partner == partner.code for one in old),
    )
