"""From published figures to what is shown of them: rows of a table and a sentence. Pure.

A figure that is not there is a `Gap` with its reason, never 0. A sentence claims a difference only where it is larger than what both
figures may be off by; of public figures (seats) every one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.labels import Label
from services.reporting.dashboard.exhibits import Exhibit, Series, Shape
from services.reporting.dashboard.maps import OFF_BY
from services.reporting.disclosure.sets import LENGTH, Span, span_of
from services.reporting.indicators.own import NOT_SHOWN, NotShown
from services.reporting.releases.calendar import Issue, months_of, periods_of
from services.reporting.releases.codes import code_list
from services.reporting.sums import Cell
from services.reporting.tables import DECLARED
from services.runtime.catalogue import Catalogue, Language

MOST_LEADERS: Final = 3
"""More than so many values in front are no leaders."""
FIRM: Final = 50
"""From this figure on a share of it is told in per cent; of a smaller one that is off by seven it would say nothing."""
BACK: Final = {Span.MONTH: 24, Span.QUARTER: 12, Span.YEAR: 10}
"""So many periods a course goes back."""


class Gap(StrEnum):
    """Why there is no figure."""

    NOT_SHOWN = "not-shown"
    NOT_IN_RELEASE = "not-in-release"
    NOT_PUBLISHED = "not-published"


Figure = int | Gap


@dataclass(frozen=True, slots=True)
class Known:
    """What is published: the figures of the chosen release, and of all releases of the years that are asked for."""

    county: str
    issue: Issue
    chosen: Mapping[Cell, int | None]
    others: Mapping[Cell, int | NotShown]

    def figure(self, cell: Cell) -> Figure:
        if cell.period == self.issue.period:
            if cell not in self.chosen:
                return Gap.NOT_IN_RELEASE
            own = self.chosen[cell]
            return Gap.NOT_SHOWN if own is None else own
        found = self.others.get(cell, Gap.NOT_PUBLISHED)
        return Gap.NOT_SHOWN if found == NOT_SHOWN else found


@dataclass(frozen=True, slots=True)
class Row:
    """A value or a period, with a figure for each series."""

    code: str
    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """An exhibit with its figures. `gap`: why there is nothing to draw; then there are no rows."""

    exhibit: Exhibit
    title: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sentence: str
    gap: Gap | None

    @property
    def is_public(self) -> bool:
        return all(one.is_public for one in self.exhibit.series)


def course_periods(last: str, span: Span) -> tuple[str, ...]:
    """The periods of a course that ends with `last`, whose own span may be longer."""
    if LENGTH[span] > LENGTH[span_of(last)]:
        last = periods_of(months_of(last)[-1], Span.MONTH)[0]
        end = last[:4] if span is Span.YEAR else f"{last[:4]}-Q{(int(last[5:]) + 2) // 3}"
    else:
        end = periods_of(last, span)[-1]
    year = int(end[:4])
    every = [one for y in range(year - BACK[span], year + 1) for one in periods_of(str(y), span) if one <= end]
    return tuple(every[-BACK[span] :])


class Teller:
    """Says what is published, in one language."""

    def __init__(self, known: Known, catalogue: Catalogue, language: Language) -> None:
        self._known = known
        self._catalogue = catalogue
        self._language: Language = language

    def told(self, exhibit: Exhibit, span: Span) -> Shown:
        """The exhibit for the chosen release; a course by periods of this span."""
        columns = tuple(self.say(f"dashboard.series.{one.name}") for one in exhibit.series)
        rows = self._course(exhibit, span) if exhibit.shape is Shape.COURSE else self._values(exhibit)
        gaps = [one for row in rows for one in row.figures if isinstance(one, Gap)]
        gap = None
        if len(gaps) == sum(len(row.figures) for row in rows):
            gap = next((one for one in (Gap.NOT_IN_RELEASE, Gap.NOT_SHOWN) if one in gaps), Gap.NOT_PUBLISHED)
        sentence = self._gap_sentence(exhibit, gap) if gap else self._sentence(exhibit, rows, columns)
        heading = self.say("dashboard.period")
        if exhibit.by:
            heading = self._label(DECLARED.dimensions[exhibit.by].title)
        title = self.say(f"dashboard.exhibit.{exhibit.id}")
        return Shown(exhibit, title, heading, columns, () if gap else rows, sentence, gap)

    def say(self, key: str, **values: object) -> str:
        return self._catalogue.text(self._language, key, values)

    def period(self, named: str) -> str:
        """`2016`, `1. Quartal 2016`, `März 2016`."""
        span = span_of(named)
        if span is Span.YEAR:
            return named
        if span is Span.QUARTER:
            return self.say("dashboard.quarter", number=named[6], year=named[:4])
        return self.say("dashboard.month-of", month=self.say(f"dashboard.month.m{named[5:]}"), year=named[:4])

    def number(self, figure: int) -> str:
        text = f"{figure:,}"
        return text.translate(str.maketrans(",", ".")) if self._language == "de" else text

    def cell(self, figure: Figure) -> str:
        """A figure as a table has it; a gap in words."""
        return self.say(f"dashboard.gap.{figure}") if isinstance(figure, Gap) else self.number(figure)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _values(self, exhibit: Exhibit) -> tuple[Row, ...]:
        codes = code_list(exhibit.by, self._known.county)
        period = self._known.issue.period
        rows = [
            Row(
                code,
                self._label(label),
                tuple(self._known.figure(s.cell(period, exhibit.by, code)) for s in exhibit.series),
            )
            for code, label in codes.items()
            if not exhibit.only or code in exhibit.only
        ]
        if exhibit.ranked or exhibit.shape is Shape.MAP:
            rows.sort(key=lambda row: (-_height(row.figures[0]), row.label))
        return tuple(rows)

    def _course(self, exhibit: Exhibit, span: Span) -> tuple[Row, ...]:
        rows = [
            Row(one, self.period(one), tuple(self._known.figure(series.cell(one)) for series in exhibit.series))
            for one in course_periods(self._known.issue.period, span)
        ]
        while len(rows) > 1 and all(one is Gap.NOT_PUBLISHED for one in rows[0].figures):
            del rows[0]  # before the first release
        return tuple(rows)

    def _label(self, label: Label) -> str:
        return label.de if self._language == "de" else label.en

    # --- sentences ----------------------------------------------------------------------------------------------------

    def _gap_sentence(self, exhibit: Exhibit, gap: Gap) -> str:
        period = self.period(self._known.issue.period)
        said = self.say(f"dashboard.nothing.{gap}", period=period)
        totals = [self._total(series) for series in exhibit.series if exhibit.shape is not Shape.COURSE]
        return " ".join([*(one for one in totals if one), said])

    def _total(self, series: Series) -> str:
        figure = self._known.figure(series.cell(self._known.issue.period))
        if isinstance(figure, Gap):
            return ""
        return self.say(f"dashboard.total.{series.name}", when=self._when(), figure=self.number(figure)) + "."

    def _when(self) -> str:
        named = self._known.issue.period
        return self.say(f"dashboard.when.{span_of(named)}", period=self.period(named))

    def _sentence(self, exhibit: Exhibit, rows: Sequence[Row], columns: Sequence[str]) -> str:
        if exhibit.shape is Shape.COURSE:
            return " ".join(self._way(series, columns[at], rows, at) for at, series in enumerate(exhibit.series))
        told: list[str] = []
        for at, series in enumerate(exhibit.series):
            parts = [self._whole(exhibit, series), self._leaders(series, rows, at), self._change(exhibit, series)]
            told.append("; ".join(part for part in parts if part) + ".")
        gaps = sum(isinstance(one, Gap) for row in rows for one in row.figures)
        if gaps:
            told.append(self.say("dashboard.some-missing", number=gaps))
        return " ".join(told)

    def _whole(self, exhibit: Exhibit, series: Series) -> str:
        figure = self._known.figure(series.cell(self._known.issue.period))
        if exhibit.only or isinstance(figure, Gap):
            return self.say(f"dashboard.series.{series.name}")
        return self.say(f"dashboard.total.{series.name}", when=self._when(), figure=self.number(figure))

    def _leaders(self, series: Series, rows: Sequence[Row], at: int) -> str:
        known = [(one, row.label) for row in rows if isinstance(one := row.figures[at], int) and one > 0]
        if not known:
            return ""
        noise = 0 if series.is_public else 2 * OFF_BY
        most = max(figure for figure, _ in known)
        leaders = [f"{label} ({self.number(figure)})" for figure, label in sorted(known, reverse=True)]
        near = sum(figure >= most - noise for figure, _ in known)
        if near > MOST_LEADERS or near == len(rows) > 1:
            return self.say("dashboard.no-leader")
        return self.say("dashboard.leaders", names=", ".join(leaders[:near]))

    def _change(self, exhibit: Exhibit, series: Series) -> str:
        period = self._known.issue.period
        now = self._known.figure(series.cell(period))
        if isinstance(now, Gap) or exhibit.only:
            return ""
        earlier = f"{int(period[:4]) - 1}{period[4:]}"
        before = self._known.figure(series.cell(earlier))
        if isinstance(before, Gap):
            first = series == exhibit.series[0]
            return self.say("dashboard.change.none", period=self.period(earlier)) if first else ""
        return self._compared(series, now, before, self.period(earlier))

    def _compared(self, series: Series, now: int, before: int, period: str) -> str:
        values: dict[str, object] = {"before": self.number(before), "period": period}
        if abs(now - before) <= (0 if series.is_public else 2 * OFF_BY):
            return self.say(f"dashboard.change.{'equal' if series.is_public else 'same'}", **values)
        way = "more" if now > before else "less"
        if before < FIRM:
            return self.say(f"dashboard.change.{way}", **values)
        percent = round(100 * abs(now - before) / before)
        return self.say(f"dashboard.change.{way}-percent", percent=percent, **values)

    def _way(self, series: Series, name: str, rows: Sequence[Row], at: int) -> str:
        known = [(row.label, one) for row in rows if isinstance(one := row.figures[at], int)]
        if not known:
            return self.say("dashboard.way.none", name=name)
        label, figure = known[-1]
        values: dict[str, object] = {"name": name, "period": label, "figure": self.number(figure)}
        if len(known) == 1:
            return self.say("dashboard.way.one", **values)
        before_label, before = known[-2]
        return self.say("dashboard.way.two", change=self._compared(series, figure, before, before_label), **values)


def _height(figure: Figure) -> int:
    return figure if isinstance(figure, int) else -1
