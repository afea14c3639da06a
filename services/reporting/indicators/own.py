"""What our own counts say of an indicator: a pure function of published figures.

Published figures are perturbed by disclosure control; rates are computed from those and from nothing else, so nothing can be learnt here
that was not published. What has not been published, is not shown, or cannot be told from the declared tables is a gap with its reason, and
never zero.

Sources of the definitions: `indicators.yaml` (5.1 to 5.3, 13.1, 13.2) and services/reporting/tables.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from schemas.codes import LANGUAGE_COURSES, ServiceKind
from services.reporting.model import Step
from services.reporting.sums import Cell

NotShown = Literal["not shown"]
NOT_SHOWN: Final[NotShown] = "not shown"
"""What stands in a cell that was withheld."""

Published = Mapping[Cell, "int | NotShown"]
"""Published figures. ``*`` among a cell's values: summed over that dimension. The period is a year, a quarter or a month."""

YearRule = Literal["of-the-move", "of-the-entry"]
"""The setting of 5.2: which is the year of entry when entry to Germany and move to the county fall into different years."""

ALL: Final = "*"
FOREIGN: Final = ("eu", "third-country", "stateless-or-unclear")
INTEGRATION_COURSES: Final = tuple(sorted(kind for kind in ServiceKind if kind.value.startswith("integration-course-")))
OTHER_GERMAN_COURSES: Final = tuple(sorted(LANGUAGE_COURSES - {*INTEGRATION_COURSES, ServiceKind.MOTHER_TONGUE_COURSE}))

Gap = Literal["not-published", "withheld", "no-arrivals", "too-few-for-a-share", "not-in-the-tables"]


@dataclass(frozen=True, slots=True)
class Own:
    """One figure of our own, or the `gap` that stands in its place. `parts` as in official figures; `unit` as the indicator's."""

    parts: tuple[tuple[str, str], ...]
    value: Decimal | None
    gap: Gap | None = None


Computed = Callable[[Published, str, YearRule], list[Own]]


def own_figures(indicator: str, year: int, published: Published, rule: YearRule = "of-the-move") -> list[Own]:
    """What our own counts say; empty for an indicator that rests on official figures alone."""
    compute = _OWN.get(indicator)
    return compute(published, str(year), rule) if compute else []


def has_own(indicator: str) -> bool:
    return indicator in _OWN


# --- the definitions ----------------------------------------------------------------------------------------------------


def _moves_in(published: Published, year: str, _: YearRule) -> list[Own]:
    """4.1: people without German citizenship who arrived; where from is in no table."""
    cells = [Cell("arrivals-by-citizenship", year, (group, ALL)) for group in FOREIGN]
    return [_sum((), cells, published), Own((("origin_abroad_or_germany", "abroad"),), None, "not-in-the-tables")]


def _moves_out(_published: Published, _year: str, _rule: YearRule) -> list[Own]:
    """4.2: departures are counted without citizenship, so Germans cannot be told from others."""
    return [Own((), None, "not-in-the-tables")]


def _new_arrivals(published: Published, year: str, _: YearRule) -> list[Own]:
    """5.1: whoever cannot be told to be a new arrival is not counted as one."""
    whole = _one((), _arrived(year), published)
    groups = [
        _one((("citizenship", group),), Cell("arrivals-by-citizenship", year, (group, "new")), published)
        for group in FOREIGN
    ]
    return [whole, *groups]


def _new_arrivals_gone(published: Published, year: str, rule: YearRule) -> list[Own]:
    """5.2: new arrivals who left the county in the year of entry. The tables know the year of the move to the county alone."""
    if rule == "of-the-entry":
        return [Own((), None, "not-in-the-tables")]
    return [_one((), _left(year), published)]


def _new_arrivals_stayed(published: Published, year: str, rule: YearRule) -> list[Own]:
    """5.3: (5.1 less 5.2) / 5.1, in percent to one place. Both were perturbed apart from one another: where more seem to have left than
    had come, the numbers are too small for a share."""
    (gone,) = _new_arrivals_gone(published, year, rule)
    came = _one((), _arrived(year), published)
    if came.value is None or gone.value is None:
        return [Own((), None, came.gap or gone.gap)]
    if came.value == 0:
        return [Own((), None, "no-arrivals")]
    if gone.value > came.value:
        return [Own((), None, "too-few-for-a-share")]
    share = 100 * (came.value - gone.value) / came.value
    return [Own((), share.quantize(Decimal("0.1"), ROUND_HALF_UP))]


def _participants(kinds: tuple[ServiceKind, ...]) -> Computed:
    """13.1, 13.2: people who began a course to which the system referred them. Courses themselves are in no table."""

    def compute(published: Published, year: str, _: YearRule) -> list[Own]:
        cells = [Cell("referral-steps", year, (kind.value, Step.STARTED.value)) for kind in kinds]
        return [_sum((), cells, published)]

    return compute


_OWN: Final[Mapping[str, Computed]] = {
    "4.1": _moves_in,
    "4.2": _moves_out,
    "5.1": _new_arrivals,
    "5.2": _new_arrivals_gone,
    "5.3": _new_arrivals_stayed,
    "13.1": _participants(INTEGRATION_COURSES),
    "13.2": _participants(OTHER_GERMAN_COURSES),
}


# --- cells --------------------------------------------------------------------------------------------------------------


def _arrived(year: str) -> Cell:
    return Cell("arrivals-by-citizenship", year, (ALL, "new"))


def _left(year: str) -> Cell:
    return Cell("departures", year, ("new", "same-year"))


def _one(parts: tuple[tuple[str, str], ...], cell: Cell, published: Published) -> Own:
    return _sum(parts, [cell], published)


def _sum(parts: tuple[tuple[str, str], ...], cells: list[Cell], published: Published) -> Own:
    """What the cells come to; a gap as soon as one of them is missing or withheld."""
    found = [published.get(cell) for cell in cells]
    if any(value is None for value in found):
        return Own(parts, None, "not-published")
    if any(value == NOT_SHOWN for value in found):
        return Own(parts, None, "withheld")
    return Own(parts, Decimal(sum(value for value in found if isinstance(value, int))))
