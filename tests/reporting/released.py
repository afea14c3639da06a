"""A small made-up county with releases of a year and of its quarters, published as the service would, with two of their files."""

from __future__ import annotations

from collections.abc import Iterator

from services.reporting.disclosure.sets import Span, period
from services.reporting.releases import keeping
from services.reporting.releases.calendar import Issue, months_of
from services.reporting.releases.content import Content, content_of, figures_of
from services.reporting.releases.formats import Written
from services.reporting.releases.formats.plain import CONTENT_FILE, FIGURES_FILE, content_json, tidy_csv
from services.reporting.releases.publishing import Publisher
from services.reporting.sums import Row, Sums
from tests.reporting.county import ARTLAND, BRAMSCHE, COUNTY, MELLE
from tests.reporting.office import Office

YEAR, SUMMER = Issue("yearly", "2016"), Issue("quarterly", "2016-Q3")
SPRING, MARCH_ALONE = Issue("quarterly", "2016-Q2"), Issue("monthly", "2016-03")


def rows() -> Iterator[Row]:
    """Artland gets most, Bramsche fewer, Melle few; the later in the year, the more. Courses have seats; two waited for a guide's help."""
    for number, month in enumerate(("2016-02", "2016-05", "2016-08", "2016-11"), 1):
        for weight, district in ((9, ARTLAND), (4, BRAMSCHE), (1, MELLE)):
            for place in range(weight * number * 4):
                key = hash((number, weight, place)) % 2**40
                group = "eu" if place % 3 else "refugee"
                yield Row("arrivals-by-residence", month, (district, group), key)
                yield Row("arrivals-by-age", month, ("25-34" if place % 2 else "0-15", "female"), key)
                yield Row("consent-at-the-counter", month, (district, "given" if place % 5 else "refused"), key)
                yield Row("appointments", month, (district,), key)
                yield Row("profiles", month, ("25-34" if place % 2 else "0-15",), key)
                kind = "integration-course-general" if place % 4 else "lotse"
                yield Row("needs", month, (kind, district), key)
                yield Row("waits", month, (kind, "no-offer" if place % 2 else "full"), key)
                yield Row("referral-steps", month, (kind, "started" if place % 2 else "proposed"), key)
                yield Row("outcomes", month, (kind, "level-a1" if place % 3 else "level-a2"), key)
            yield Row("seats", month, ("integration-course-general", district), 0, 15 * weight)


def content(issue: Issue) -> Content:
    months = set(months_of(issue.period))
    sums = Sums()
    sums.count(row for row in rows() if row.period in months)
    return content_of(COUNTY, issue, figures_of(issue, sums, b"secret"))


async def release(office: Office, *issues: Issue) -> None:
    """Publish them, with the figures above."""
    for issue in issues:
        made = content(issue)
        files = [
            Written(CONTENT_FILE, "application/json", content_json(made)),
            Written(FIGURES_FILE, "text/csv; charset=utf-8; header=present", tidy_csv(made)),
        ]
        batch = f"batch-{issue.name}"
        kept = [(one.name, one.content) for one in files]
        await keeping.keep_files(office.running.store(COUNTY), issue, batch, kept)
        await Publisher(office.running)._tell(COUNTY, issue, batch, files, made)


QUARTERS = tuple(
    Issue("quarterly", period(month, Span.QUARTER)) for month in ("2016-02", "2016-05", "2016-08", "2016-11")
)
