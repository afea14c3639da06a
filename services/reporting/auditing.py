"""The books: what was counted, and beside it what the facts say when they are simply gone through.

The second figure is found without rows, keys and signs, so that a mistake in those shows as a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from schemas.codes import Way
from services.reporting.model import Count, Countable, Facts, Step
from services.reporting.sums import Sums
from services.reporting.tables import DECLARED


class Line(BaseModel):
    """One table: `counted` in its cells, which is to be what the `facts` say and what was `kept` of erased people."""

    table: str
    counted: int
    facts: int
    kept: int
    difference: int


class Audit(BaseModel):
    """`totals` are read from the cells. `incomplete` people do not count yet: something is known of them, but not their arrival."""

    balanced: bool
    lines: list[Line]
    totals: dict[str, int]
    incomplete: int


class Tally:
    """Goes through facts and counts the units in them, table after table in no way but one by one."""

    def __init__(self) -> None:
        self._units: Counter[str] = Counter()
        self.incomplete = 0

    def add(self, facts: Countable) -> None:
        if isinstance(facts, Facts):
            self._add_person(facts)
        elif isinstance(facts, Count):
            self._units["counter-answer"] += facts.way is not Way.CENTRE
        else:
            self._units["seat"] += facts.seats if facts.kind is not None else 0

    def _add_person(self, facts: Facts) -> None:
        if facts.arrival is None:
            self.incomplete += not facts.erased
            return
        self._units["arrival"] += 1
        self._units["counter-answer"] += facts.way in (Way.OFFICE_FORM, Way.OFFICE_API, Way.OFFICE_FILE)
        self._units["withdrawal"] += facts.withdrawn_on is not None
        # Somebody who leaves twice in one month is one departure of that month.
        self._units["departure"] += len({f"{move.on:%Y-%m}" for move in facts.moves if move.district is None})
        self._units["appointment"] += len(facts.appointments)
        self._units["profile"] += facts.profiled_on is not None
        self._units["need"] += len(facts.needs)
        self._units["wait"] += len(facts.waits)
        self._units["referral-step"] += sum(len(referral.steps) for referral in facts.referrals)

    def of(self, unit: str) -> int:
        return self._units[unit]


def audited(counted: Sums, kept: Sums, tally: Tally) -> Audit:
    """What stood in the cells and in the facts at the same instant."""
    in_cells, in_kept = _by_table(counted), _by_table(kept)
    lines = [
        Line(
            table=name,
            counted=in_cells[name],
            facts=tally.of(table.counts),
            kept=in_kept[name],
            difference=in_cells[name] - tally.of(table.counts) - in_kept[name],
        )
        for name, table in DECLARED.tables.items()
    ]
    return Audit(
        balanced=not any(line.difference for line in lines),
        lines=lines,
        totals=_totals(counted),
        incomplete=tally.incomplete,
    )


def _by_table(sums: Sums) -> Counter[str]:
    totals: Counter[str] = Counter()
    for cell, figure in sums:
        totals[cell.table] += figure.n
    return totals


_TOTALS: Final[Mapping[str, tuple[str, str | None]]] = {
    "persons": ("arrivals-by-residence", None),
    "without_consent": ("consent-at-the-counter", "refused"),
    "appointments": ("appointments", None),
    "profiled": ("profiles", None),
    "needs": ("needs", None),
    "waited": ("waits", None),
    **{step.value.replace("-", "_"): ("referral-steps", step.value) for step in Step},
    "seats": ("seats", None),
}
"""What the totals are called, the table that each is the sum of, and the last dimension's value where it is not the whole table."""


def _totals(counted: Sums) -> dict[str, int]:
    by_table = _by_table(counted)
    by_value: Counter[tuple[str, str]] = Counter()
    for cell, figure in counted:
        by_value[cell.table, cell.values[-1]] += figure.n
    return {
        name: by_table[table] if value is None else by_value[table, value] for name, (table, value) in _TOTALS.items()
    }
