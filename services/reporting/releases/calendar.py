"""When which release is due. Pure: everything follows from the kinds of releases in `tables.yaml` and the date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from services.reporting.coarsening import first_day_after, month_of
from services.reporting.disclosure.sets import LENGTH, Span, period, span_of
from services.reporting.tables import DECLARED, Vintage
from services.runtime.calendar import berlin_instant


class Issue(NamedTuple):
    """One release that there is or will be: of a kind (`monthly`), for a period."""

    kind: str
    period: str

    @property
    def name(self) -> str:
        """What it is called in addresses: ``2016-03-provisional``, ``2016-Q1-final``, ``2016-final``."""
        return f"{self.period}-{self.vintage}"

    @property
    def vintage(self) -> Vintage:
        return DECLARED.releases[self.kind].vintage

    @property
    def year(self) -> str:
        """The reference year: all releases of a year and vintage share a secret."""
        return self.period[:4]

    @property
    def due_on(self) -> date:
        """The day on which it is published."""
        return first_day_after(months_of(self.period)[-1]) + timedelta(days=DECLARED.releases[self.kind].days - 1)

    @property
    def due_at(self) -> datetime:
        """The instant (UTC): midnight in Germany, when that day begins."""
        return berlin_instant(self.due_on)


def issue_named(name: str) -> Issue | None:
    """The release that is called so, if one may be: ``2016-Q1-final``."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    of = span_of(match["period"])
    for kind, release in DECLARED.releases.items():
        if release.of is of and release.vintage == match["vintage"]:
            return Issue(kind, match["period"])
    return None


_NAME: Final = re.compile(r"(?P<period>\d{4}(-(0[1-9]|1[0-2])|-Q[1-4])?)-(?P<vintage>[a-z]+)")


def months_of(named: str) -> tuple[str, ...]:
    """The months of a period, in order."""
    span = span_of(named)
    first = int(named[5:7]) if span is Span.MONTH else 3 * int(named[6]) - 2 if span is Span.QUARTER else 1
    return tuple(f"{named[:4]}-{month:02d}" for month in range(first, first + LENGTH[span]))


def periods_of(named: str, span: Span) -> tuple[str, ...]:
    """The periods of a span that lie in a longer one, or are it, in order."""
    return tuple(dict.fromkeys(period(month, span) for month in months_of(named)))


def issues(first_month: str, until: date) -> Iterator[Issue]:
    """The releases of all periods that begin in `first_month` or later and end before `until`, in the order in which they are due.

    Of a quarter or a year that had begun before the first month there is one too: it holds what there was of it.
    """
    found: set[Issue] = set()
    month = first_month
    while (after := first_day_after(month)) <= until:
        for kind, release in DECLARED.releases.items():
            issue = Issue(kind, period(month, release.of))
            if first_day_after(months_of(issue.period)[-1]) <= until:
                found.add(issue)
        month = month_of(after)
    return iter(sorted(found, key=lambda issue: (issue.due_on, issue)))


def next_due(first_month: str, today: date) -> date:
    """The next day after `today` on which something is due."""
    latest = max(release.days for release in DECLARED.releases.values()) + 366
    return min(one.due_on for one in issues(first_month, today + timedelta(days=latest)) if one.due_on > today)


def due(first_month: str, today: date) -> Iterator[Issue]:
    """The releases that should have been published by now, the earliest first."""
    return (issue for issue in issues(first_month, today) if issue.due_on <= today)
