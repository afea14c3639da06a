"""What the dashboard and the yearly report show, by topic: which figures of which table, as what. Whatever is declared is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.codes import ServiceKind
from services.reporting.disclosure.sets import ALL
from services.reporting.sums import Cell
from services.reporting.tables import DECLARED

DISTRICT: Final = "district"

Fixed = tuple[tuple[str, str], ...]

COURSES: Final = tuple(str(kind) for kind in ServiceKind if "course" in kind or kind is ServiceKind.VOCATIONAL_GERMAN)


class Shape(StrEnum):
    """How figures are drawn: districts on a map, the values of a dimension as bars, periods as lines."""

    MAP = "map"
    BARS = "bars"
    COURSE = "course"


@dataclass(frozen=True, slots=True)
class Series:
    """Figures of one table. `fixed` are values of dimensions that all of them have; `name` is the key of their words."""

    table: str
    name: str
    fixed: Fixed = ()

    def cell(self, period: str, by: str = "", value: str = ALL) -> Cell:
        """The figure of a period, for one value of a dimension."""
        values = {**dict(self.fixed), by: value}
        return Cell(self.table, period, tuple(values.get(one, ALL) for one in DECLARED.tables[self.table].dimensions))

    @property
    def is_public(self) -> bool:
        return DECLARED.is_public(self.table)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One picture. `by`: the dimension whose values are shown, none for a course. `only`: those that are shown, all if empty.

    `ranked`: the largest first; else in the order of the code list."""

    id: str
    shape: Shape
    series: tuple[Series, ...]
    by: str = ""
    only: tuple[str, ...] = ()
    ranked: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A section. `unknown`: the key of a sentence on what no release tells."""

    id: str
    exhibits: tuple[Exhibit, ...]
    unknown: str = ""


def _map(id: str, table: str, name: str, fixed: Fixed = ()) -> Exhibit:
    return Exhibit(id, Shape.MAP, (Series(table, name, fixed),), DISTRICT)


def _bars(id: str, table: str, by: str, name: str, *, ranked: bool = False) -> Exhibit:
    return Exhibit(id, Shape.BARS, (Series(table, name),), by, ranked=ranked)


_LOTSE: Final = (("kind", str(ServiceKind.LOTSE)),)
_GIVEN: Final = (("consent", "given"),)
_STARTED: Final = (("step", "started"),)

TOPICS: Final = (
    Topic(
        "arrivals",
        (
            Exhibit("arrivals-over-time", Shape.COURSE, (Series("arrivals-by-residence", "arrivals"),)),
            _map("arrivals-by-district", "arrivals-by-residence", "arrivals"),
            _bars("arrivals-by-residence-group", "arrivals-by-residence", "residence-group", "arrivals"),
            _bars("arrivals-by-age", "arrivals-by-age", "age-group", "arrivals"),
            _bars("arrivals-by-citizenship", "arrivals-by-citizenship", "citizenship-group", "arrivals"),
            _bars("arrivals-by-way", "arrivals-by-way", "way", "arrivals"),
        ),
    ),
    Topic(
        "consents",
        (
            _bars("consents", "consent-at-the-counter", "consent", "answers"),
            _map("consents-by-district", "consent-at-the-counter", "given", _GIVEN),
            Exhibit("withdrawals-over-time", Shape.COURSE, (Series("withdrawals", "withdrawals"),)),
        ),
    ),
    Topic(
        "appointments",
        (
            Exhibit(
                "appointments-over-time",
                Shape.COURSE,
                (Series("appointments", "appointments"), Series("profiles", "profiles")),
            ),
            _map("appointments-by-district", "appointments", "appointments"),
        ),
        unknown="appointments",
    ),
    Topic(
        "needs",
        (
            Exhibit(
                "needs-by-kind",
                Shape.BARS,
                (Series("needs", "needs"), Series("outcomes", "met"), Series("waits", "waits")),
                "kind",
                ranked=True,
            ),
            _map("needs-by-district", "needs", "needs"),
        ),
        unknown="needs",
    ),
    Topic(
        "waiting",
        (
            _bars("waits-by-reason", "waits", "wait-reason", "waits", ranked=True),
            Exhibit("waits-over-time", Shape.COURSE, (Series("waits", "waits"),)),
        ),
        unknown="waiting",
    ),
    Topic(
        "seats",
        (
            Exhibit(
                "seats-by-course",
                Shape.BARS,
                (Series("seats", "seats"), Series("referral-steps", "started", _STARTED)),
                "kind",
                only=COURSES,
            ),
            _map("seats-by-district", "seats", "seats"),
        ),
        unknown="seats",
    ),
    Topic(
        "referrals",
        (
            _bars("referrals-by-outcome", "outcomes", "outcome", "completed", ranked=True),
            _bars("referrals-by-failure", "failures", "fail-reason", "failed", ranked=True),
            _bars("referrals-by-step", "referral-steps", "step", "steps"),
        ),
    ),
    Topic(
        "lotsen",
        (
            Exhibit(
                "lotsen-over-time",
                Shape.COURSE,
                (
                    Series("needs", "lotse-needs", _LOTSE),
                    Series("waits", "lotse-waits", _LOTSE),
                    Series("seats", "lotse-seats", _LOTSE),
                ),
            ),
            _map("lotsen-by-district", "needs", "lotse-needs", _LOTSE),
        ),
    ),
)
EXHIBITS: Final = {exhibit.id: exhibit for topic in TOPICS for exhibit in topic.exhibits}
