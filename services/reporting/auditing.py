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
    """The books. `totals` are read from the cells, `facts` from the facts, `kept` of erased people from the cells; by the same names.

    `facts` are of living cases, and so is what the other services have: there the two must be equal. `anonymous` is how many refused the
    consent, wherever they were asked. `erased` people are known to be so and nothing else. `incomplete` people do not count yet:
    something is known of them, but not their arrival.
    """

    balanced: bool
    lines: list[Line]
    totals: dict[str, int]
    facts: dict[str, int]
    kept: dict[str, int]
    anonymous: int
    erased: int
    incomplete: int


class Tally:
    """Goes through facts and counts the units in them, table after table in no way but one by one."""

    def __init__(self) -> None:
        self._units: Counter[tuple[str, str]] = Counter()
        self.anonymous = 0
        self.erased = 0
        self.incomplete = 0

    def add(self, facts: Countable) -> None:
        if isinstance(facts, Facts):
            self._add_person(facts)
        elif isinstance(facts, Count):
            self.anonymous += 1
            self._add("counter-answer", facts.way is not Way.CENTRE, "refused")
        else:
            self._add("seat", facts.seats if facts.kind is not None else 0)

    def _add_person(self, facts: Facts) -> None:
        if facts.arrival is None:
            self.erased += facts.erased
            self.incomplete += not facts.erased
            return
        self._add("arrival", 1)
        self._add("counter-answer", facts.way in (Way.OFFICE_FORM, Way.OFFICE_API, Way.OFFICE_FILE), "given")
        self._add("withdrawal", facts.withdrawn_on is not None)
        # Somebody who leaves twice in one month is one departure of that month.
        self._add("departure", len({f"{move.on:%Y-%m}" for move in facts.moves if move.district is None}))
        self._add("appointment", len(facts.appointments))
        self._add("profile", facts.profiled_on is not None)
        self._add("need", len(facts.needs))
        self._add("wait", len(facts.waits))
        for referral in facts.referrals:
            for step, _ in referral.steps:
                self._add("referral-step", 1, step)
                self._add("outcome", step is Step.COMPLETED)
                self._add("failure", step is Step.FAILED)

    def _add(self, unit: str, number: int, value: str = "") -> None:
        self._units[unit, value] += number

    def of(self, unit: str, value: str | None = None) -> int:
        """How many of a unit; of those with this value alone where one is given."""
        if value is not None:
            return self._units[unit, value]
        return sum(number for (counted, _), number in self._units.items() if counted == unit)


def audited(counted: Sums, kept: Sums, tally: Tally) -> Audit:
    """What stood in the cells and in the facts at the same instant."""
    in_cells, in_kept = _Totals(counted), _Totals(kept)
    lines = [
        Line(
            table=name,
            counted=in_cells.of(name),
            facts=tally.of(table.counts),
            kept=in_kept.of(name),
            difference=in_cells.of(name) - tally.of(table.counts) - in_kept.of(name),
        )
        for name, table in DECLARED.tables.items()
    ]
    totals, kept_by_name = in_cells.by_name(), in_kept.by_name()
    facts = {name: tally.of(DECLARED.tables[table].counts, value) for name, (table, value) in _TOTALS.items()}
    return Audit(
        balanced=not any(line.difference for line in lines)
        and all(totals[name] == facts[name] + kept_by_name[name] for name in _TOTALS),
        lines=lines,
        totals=totals,
        facts=facts,
        kept=kept_by_name,
        anonymous=tally.anonymous,
        erased=tally.erased,
        incomplete=tally.incomplete,
    )


_TOTALS: Final[Mapping[str, tuple[str, str | None]]] = {
    "persons": ("arrivals-by-residence", None),
    "at_the_counter": ("consent-at-the-counter", "given"),
    "without_consent": ("consent-at-the-counter", "refused"),
    "withdrawn": ("withdrawals", None),
    "departed": ("departures", None),
    "appointments": ("appointments", None),
    "profiled": ("profiles", None),
    "needs": ("needs", None),
    "waited": ("waits", None),
    **{step.value.replace("-", "_"): ("referral-steps", step.value) for step in Step},
    "outcomes": ("outcomes", None),
    "failures": ("failures", None),
    "seats": ("seats", None),
}
"""What the totals are called, the table that each is the sum of, and the last dimension's value where it is not the whole table."""


class _Totals:
    """Sums added up by table, and by the value of its last dimension."""

    def __init__(self, sums: Sums) -> None:
        self._of: Counter[tuple[str, str | None]] = Counter()
        for cell, figure in sums:
            self._of[cell.table, None] += figure.n
            self._of[cell.table, cell.values[-1]] += figure.n

    def of(self, table: str, value: str | None = None) -> int:
        return self._of[table, value]

    def by_name(self) -> dict[str, int]:
        return {name: self.of(table, value) for name, (table, value) in _TOTALS.items()}
