"""How many people are where, kept while it changes: counting all cases each time somebody looks would cost as much as registering them.

The changes are written in the transaction of what changed, so the books are always right. `STATUSES` are the four that a case may have
after its arrival; together they are everybody who was registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.intake.facts import Tally
from services.intake.model import Case, Status

APPOINTMENTS: Final = "appointments"
"""Those that stand or were held."""

WITHOUT_CONSENT: Final = "without_consent"
"""People who refused: one each."""

STATUSES: Final = (Status.ACTIVE, Status.WITHDRAWN, Status.MOVED, Status.ERASED)
ENTRIES: Final = (*(status.value for status in STATUSES), WITHOUT_CONSENT, APPOINTMENTS)

ONE_REGISTERED: Final = Tally({Status.ACTIVE.value: 1, APPOINTMENTS: 1})
ONE_REFUSED: Final = Tally({WITHOUT_CONSENT: 1})


def tally(before: Case, after: Case) -> Tally | None:
    """What a decision about one case changes in the books; None when nothing."""
    changes: dict[str, int] = {}
    if before.status is not after.status:
        changes[before.status.value] = -1
        changes[after.status.value] = 1
        changes.pop(Status.UNKNOWN.value, None)
    booked = len(after.appointments) - len(before.appointments)
    if booked:
        changes[APPOINTMENTS] = booked
    return Tally(changes) if changes else None


def total(changes: Mapping[str, int]) -> dict[str, int]:
    """Every entry of the books, zeros included."""
    return {entry: changes.get(entry, 0) for entry in ENTRIES}
