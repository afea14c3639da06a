"""Where the referrals lie that somebody saw or asked for last, so that each step taken with them need not look it up again.

Nothing here can be out of date: where a need or referral belongs is written once and never changed. An erased person's referral may
still be found here; the case that it leads to knows of none any more, and says so.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from services.referral import store as kept
from services.referral.store import Located
from services.runtime.store import CountyStore

MOST: Final = 3000
"""Referrals of one process, some hundred bytes each."""


class Locations:
    """Of all counties together; the one not used for longest goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str], Located] = OrderedDict()

    def forget(self) -> None:
        """As if nobody had seen anything."""
        self._known.clear()

    async def find(self, store: CountyStore, ids: Sequence[str]) -> dict[str, Located]:
        """The known ones among these ids of needs and referrals."""
        found = {id: located for id in ids if (located := self._known.get((store.county, id)))}
        if missing := [id for id in ids if id not in found]:
            found |= await kept.locate(store, missing)
        self.learn(store.county, found.items())
        return found

    def learn(self, county: str, found: Iterable[tuple[str, Located]]) -> None:
        """Somebody has just seen that they lie there."""
        for id, located in found:
            self._known[county, id] = located
            self._known.move_to_end((county, id))
        while len(self._known) > self._most:
            self._known.popitem(last=False)
