"""The lists of a partner's inbox, page by page.

A page begins after a place, not after a number of entries, and an entry keeps its place as long as it is in the list: so nothing is shown
twice or left out however the list changes while somebody goes through it. All places are found by a projection; full documents are read
for the page alone. A place travels in URLs: instants and ids.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from services.referral.model import answer_of, done_at, running_at
from services.referral.referrals import TAKEN, ReferralState
from services.referral.store import Glance, live_at_a_glance, past_at_a_glance
from services.runtime.cursors import Key, Kind, decode, encode
from services.runtime.store import CountyStore

PAGE: Final = 50
"""Entries of a page."""

TO_ANSWER: Final = (ReferralState.AGREED, ReferralState.RECEIVED)

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Standing(Protocol):
    """A referral, whole or at a glance."""

    @property
    def state(self) -> str: ...

    @property
    def was_told(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Order:
    """A list of a partner's inbox: `entry` finds its cases by their agenda, `holds` says whether a referral is in it, `place` where.
    `kinds` are the types of a place."""

    entry: Callable[[str], str]
    glances: Callable[[CountyStore, str], Awaitable[list[Glance]]]
    holds: Callable[[Standing], bool]
    place: Callable[[Glance], Key]
    kinds: Sequence[Kind]


def _by_urgency(one: Glance) -> Key:
    return one.at or _NEVER, one.referral


def _by_offer(one: Glance) -> Key:
    return one.offer, one.referral


def _latest_first(one: Glance) -> Key:
    return -round((one.at or _NEVER).timestamp() * 1000), one.referral


LISTS: Final[Mapping[str, Order]] = {
    "new": Order(answer_of, live_at_a_glance, lambda one: one.state in TO_ANSWER, _by_urgency, (datetime, str)),
    "running": Order(running_at, live_at_a_glance, lambda one: one.state in TAKEN, _by_offer, (str, str)),
    "done": Order(done_at, past_at_a_glance, lambda one: one.was_told, _latest_first, (int, str)),
}
"""To be answered, the most urgent first; accepted and not ended, by offer; ended, the latest first."""


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a list: `first` is the number of its first entry among the `total`, counted from 1, `next` where the following begins."""

    shown: Sequence[Glance]
    first: int
    total: int
    next: str | None


def part_of(which: Order, found: Iterable[Glance], partner: str, cursor: str | None) -> Part:
    """The page after the cursor; from the beginning without one. Raises `Problem` 400 for what is no cursor of this list."""
    mine = sorted((one for one in found if one.partner == partner and which.holds(one)), key=which.place)
    start = bisect_right(mine, decode(cursor, which.kinds), key=which.place) if cursor is not None else 0
    shown = mine[start : start + PAGE]
    more = len(mine) > start + PAGE
    return Part(shown, start + 1, len(mine), encode(which.place(shown[-1])) if more else None)
