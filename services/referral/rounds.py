"""The round of a county: every need that waits meets every open seat of its kind; what fits best is held.

What may be relied on: a round proposes only what the rules find right again at the moment of writing (`placing`), in transactions of
at most 200 proposals; after a crash at any point each need is held by exactly one seat or waits. A round may be left out, repeated, or run
in two processes at once.

A round reads little. Needs with news are on the agenda. Needs that it passed over are read again only when something became possible for
their kind: an offer opened or closed, a seat was freed. That is remembered in memory as the openings seen, and is no more than a saving:
whoever remembers nothing reads everybody.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import BaseModel

from schemas.codes import ServiceKind, WaitReason
from services.referral import store as kept
from services.referral.commands import PassOver, Placed, Propose
from services.referral.county import settings_of
from services.referral.eligibility import Circumstances, Seeker, seeker_of
from services.referral.matching import Matching, match
from services.referral.model import ROUND, Case, Need, waiting_for
from services.referral.offers import Offer
from services.runtime.clock import berlin_day
from services.runtime.deciding import Command
from services.runtime.service import Running
from services.runtime.store import CountyStore
from services.runtime.turns import Round

AT_ONCE: Final = 200
MOST_TRIES: Final = 5
"""A pair that lost its seat is tried again at once, this often; after that it waits for the next round."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The open offers of a kind with their openings, in a calendar year (people grow older by years here)."""

    year: int
    openings: Mapping[str, int]


@dataclass(slots=True)
class _Pool:
    """The needs that a round looks at: those with news, and those passed over whose kind has news. The others are only counted."""

    seekers: list[Seeker] = field(default_factory=list[Seeker])
    told: dict[str, WaitReason | None] = field(default_factory=dict[str, WaitReason | None])
    passed_over: set[str] = field(default_factory=set[str])
    revisions: dict[str, int] = field(default_factory=dict[str, int])
    without_consent: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def add(self, case: Case, stirred: frozenset[ServiceKind]) -> None:
        self.revisions[case.id] = case.revision
        for need in case.needs:
            if need.is_sought and (not need.passed_over or need.kind in stirred):
                self._add(case, need)

    def _add(self, case: Case, need: Need) -> None:
        self.told[need.id] = need.told
        if need.passed_over:
            self.passed_over.add(need.id)
        seeker = seeker_of(case, need)
        if not case.consents_to(need):
            self.without_consent.append((case.id, need.id))
        elif seeker is not None:
            self.seekers.append(seeker)

    def commands(self, matching: Matching) -> Iterator[BaseModel]:
        """What is to be decided: the pairs, and whoever waits and does not know it yet, or for another reason than they know."""
        for pair in matching.pairs:
            yield Propose(case=pair.case, need=pair.need, offer=pair.offer)
        waiting = [(one.case, one.need, one.reason) for one in matching.unplaced]
        waiting += [(case, need, WaitReason.CONSENT_MISSING) for case, need in self.without_consent]
        for case, need, reason in waiting:
            if need not in self.passed_over or self.told[need] is not reason:
                yield PassOver(case=case, need=need, reason=reason, revision=self.revisions[case])


class Rounds:
    """The rounds of one process."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._seen: dict[str, dict[ServiceKind, _Seen]] = {}

    async def run(self, county: str) -> None:
        """One round. Raises `Transient`; nothing is lost by running it again."""
        for _ in range(MOST_TRIES):
            if not await self._lost_some(county):
                return

    async def _lost_some(self, county: str) -> bool:
        store, today = self._running.store(county), berlin_day(self._running.clock.now())
        offers = await kept.open_offers(store, today)
        seen = _openings(offers, today)
        pool = await self._pool(store, _stirred(self._seen.get(county), seen, offers))
        where = Circumstances(settings_of(county, today), today)
        matching = await asyncio.to_thread(match, pool.seekers, offers, where, county)
        lost = await self._settle(county, list(pool.commands(matching)))
        self._seen[county] = seen
        return lost

    async def _pool(self, store: CountyStore, stirred: frozenset[ServiceKind]) -> _Pool:
        pool = _Pool()
        async for cases in kept.each_on_agenda(store, {ROUND, *map(waiting_for, stirred)}):
            for case in cases:
                pool.add(case, stirred)
        return pool

    async def _settle(self, county: str, wanted: Sequence[BaseModel]) -> bool:
        """Settle the commands in chunks, those of one case together. True when a pair lost its seat meanwhile."""
        lost = False
        commands = [Command(county, "", data) for data in sorted(wanted, key=_case)]
        for start in range(0, len(commands), AT_ONCE):
            chunk = commands[start : start + AT_ONCE]
            outcomes = await self._running.send_all(chunk)
            lost = lost or any(
                isinstance(command.data, Propose) and outcome.answer == _LOST
                for command, outcome in zip(chunk, outcomes, strict=True)
            )
        return lost


_LOST: Final = Placed(held=False).model_dump_json().encode()


def rounds(running: Running) -> Round:
    """The round that the runtime calls for each county."""
    return Rounds(running).run


def _case(data: BaseModel) -> str:
    return data.case if isinstance(data, Propose | PassOver) else ""


def _openings(offers: Sequence[Offer], today: date) -> dict[ServiceKind, _Seen]:
    boards: dict[ServiceKind, dict[str, int]] = defaultdict(dict)
    for offer in offers:
        if offer.terms is not None:
            boards[offer.terms.kind][offer.id] = offer.openings
    return {kind: _Seen(today.year, openings) for kind, openings in boards.items()}


def _stirred(
    before: Mapping[ServiceKind, _Seen] | None, now: Mapping[ServiceKind, _Seen], offers: Sequence[Offer]
) -> frozenset[ServiceKind]:
    """The kinds for which something became possible, or another reason to wait holds, since the openings were seen."""
    if before is None:
        return frozenset(ServiceKind)
    with_seat = {offer.terms.kind for offer in offers if offer.terms is not None and offer.free > 0}
    return frozenset(
        kind
        for kind in before.keys() | now.keys()
        if before.get(kind) != now.get(kind) and (kind in with_seat or _others(before.get(kind), now.get(kind)))
    )


def _others(before: _Seen | None, now: _Seen | None) -> bool:
    """Whether other offers are open than before."""
    return (before.openings.keys() if before else set()) != (now.openings.keys() if now else set())
