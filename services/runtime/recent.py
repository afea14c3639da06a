"""States as this process wrote them last, so that what comes next about them need not load them again.

A saving and never a truth. Only the state that a record or a command is about is assumed to be as it is here: what follows writes that
state under the version that it has here, so one that somebody else has changed meanwhile is a conflict, is dropped, and is loaded then.
Whatever would end without such a write (a repetition, a refusal, a rule that fails, a look at another subject) is looked up first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from schemas.envelope import Subject
from services.runtime.records import Stored

MOST: Final = 500
"""States of one process, 13 to 20 kB each: as many people as have something going on within some seconds."""


class Recent:
    """The states written last, of all counties together; the one not used for longest goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._states: OrderedDict[tuple[str, Subject], Stored] = OrderedDict()

    def find(self, county: str, subject: Subject) -> Stored | None:
        """A copy, as if it had been loaded. None also for one behind which records are parked: they would have to be loaded too."""
        stored = self._states.get((county, subject))
        if stored is None or any(stored.parked.values()):
            return None
        self._states.move_to_end((county, subject))
        return stored.copy(changed=False)

    def keep(self, county: str, committed: Iterable[Stored]) -> None:
        """What a commit has written. `committed` still have the versions under which they were written."""
        for stored in committed:
            place = (county, stored.state.subject)
            known = self._states.get(place)
            if known is None or known.version <= stored.version:
                kept = self._states[place] = stored.copy(changed=False)
                kept.version += 1
                self._states.move_to_end(place)
        while len(self._states) > self._most:
            self._states.popitem(last=False)

    def drop(self, county: str, subjects: Iterable[Subject]) -> None:
        """Somebody else may have changed these."""
        for subject in subjects:
            self._states.pop((county, subject), None)
