"""What is news for which channel. It follows from the referrals as they stand, so it does not matter when, or how often, one looks.

A channel is told of each step that its partner may hear of: from the person's agreement on. Mails tell of those that wait for an answer;
webhooks of every step. A channel that is new hears of what waits or runs as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from schemas.envelope import format_instant
from services.referral import store as kept
from services.referral.locations import Locations
from services.referral.model import Case, answer_of, running_at
from services.referral.notices import keeping
from services.referral.notices.keeping import Channel, Link, Notice
from services.referral.notices.links import digest_of, new_token
from services.referral.referrals import LIVE, Referral, ReferralState, Step
from services.runtime.clock import machine_ms
from services.runtime.deciding import Write
from services.runtime.seals import Seal
from services.runtime.store import CountyStore

WAITS: Final = "referral.waiting-for-answer"
MOST: Final = 1000
"""Referrals of one partner that are followed at a time."""


@dataclass(frozen=True, slots=True)
class News:
    """A step that a channel has not been told of: the `number`-th that the partner may hear of."""

    referral: Referral
    number: int

    @property
    def state(self) -> ReferralState:
        return heard(self.referral)[self.number - 1].state

    @property
    def type(self) -> str:
        return WAITS if self.state is ReferralState.AGREED else f"referral.{self.state}"


def heard(referral: Referral) -> Sequence[Step]:
    """The steps that the partner may hear of."""
    first = next(
        (n for n, step in enumerate(referral.steps) if step.state is ReferralState.AGREED), len(referral.steps)
    )
    return referral.steps[first:]


def news(channel: Channel, known: Mapping[str, int], referrals: Sequence[Referral]) -> Iterator[News]:
    """What this channel is to be told now: of what it has not followed yet the present step alone."""
    for referral in referrals:
        steps = len(heard(referral))
        told = known.get(referral.id, max(0, steps - 1))
        for number in range(told + 1, steps + 1):
            one = News(referral, number)
            if channel.kind == "webhook" or (one.type == WAITS and referral.deadline is not None):
                yield one


def body_of(county: str, one: News) -> str:
    """What a webhook says: ids and codes. Whoever wants more asks the API under its own right."""
    step = heard(one.referral)[one.number - 1]
    data: dict[str, object] = {
        "county": county,
        "referral": one.referral.id,
        "offer": one.referral.offer,
        "state": step.state,
    }
    if one.referral.deadline is not None:
        data["answer_by"] = format_instant(one.referral.deadline)
    return json.dumps({"type": one.type, "timestamp": format_instant(step.at), "data": data}, separators=(",", ":"))


class Watching:
    """Makes the notices of one county after another."""

    def __init__(self, locations: Locations, seal: Seal) -> None:
        self._locations = locations
        self._seal = seal

    async def look(self, store: CountyStore) -> int:
        """One look at one county; the number of new notices."""
        made = 0
        for channel in await keeping.channels(store):
            if not channel.disabled:
                made += await self._look(store, channel)
        return made

    async def _look(self, store: CountyStore, channel: Channel) -> int:
        known = await keeping.followed(store, channel.id)
        alive = await _alive(store, channel)
        gone = [id for id in known if id not in alive]
        ended = await self._ended(store, channel, gone)
        found = list(news(channel, known, [*alive.values(), *ended]))
        steps = {one.id: len(heard(one)) for one in alive.values()}
        writes: list[Write] = []
        for one in found:
            writes += self._writes(store.county, channel, one)
        writes += [keeping.follow(store.county, channel.id, id, n) for id, n in steps.items() if known.get(id) != n]
        writes += [keeping.leave(store.county, channel.id, id) for id in gone]
        writes += await keeping.drop_links(store, gone) if channel.kind == "mail" else ()
        if writes:
            await keeping.write(store, *writes)
            if not await keeping.is_there(
                store, channel.id
            ):  # removed during this look, which must not bring a link back
                await keeping.forget(store, channel.id)
        return len(found)

    async def _ended(self, store: CountyStore, channel: Channel, gone: Sequence[str]) -> list[Referral]:
        """What was followed and is alive no more. Of somebody who was erased nothing is said any more."""
        located = await self._locations.find(store, gone) if gone else {}
        cases = {one.id: one for one in await kept.cases(store, {at.case for at in located.values()})}
        found = (cases[at.case].need_of(id) for id, at in located.items() if at.case in cases)
        return [one[1] for one in found if one is not None and one[1].partner == channel.partner]

    def _writes(self, county: str, channel: Channel, one: News) -> Iterator[Write]:
        notice = Notice(
            id=f"{channel.id}/{one.referral.id}/{one.number}",
            channel=channel.id,
            partner=channel.partner,
            kind=channel.kind,
            type=one.type,
            referral=one.referral.id,
            body=body_of(county, one),
            made=machine_ms(),
        )
        if channel.kind == "mail":
            token = new_token()
            yield keeping.add_link(county, digest_of(token), Link(channel.partner, one.referral.id, channel.id))
            notice = replace(notice, token=self._seal.close(token.encode(), notice.id))
        yield keeping.add_notice(county, notice)


async def _alive(store: CountyStore, channel: Channel) -> dict[str, Referral]:
    """What waits for the partner's answer; for a webhook also what runs there."""
    found: dict[str, Referral] = {}
    partner = channel.partner
    for entry in (answer_of(partner), running_at(partner))[: 1 if channel.kind == "mail" else 2]:
        for case in await kept.on_agenda(store, entry, None, MOST):
            found.update((one.id, one) for one in _of(case, partner))
    return found


def _of(case: Case, partner: str) -> Iterator[Referral]:
    for need in case.needs:
        if need.live is not None and need.live.partner == partner and need.live.was_told and need.live.state in LIVE:
            yield need.live
