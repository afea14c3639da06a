"""The dashboard: a release in pictures, each with a sentence and a table, and its files to be taken along.

An address of a picture names what it was made from and never means another one, so browsers keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from services.reporting.api_releases import FOR_EVER, Shelf
from services.reporting.dashboard.exhibits import EXHIBITS, TOPICS
from services.reporting.dashboard.published import Gallery, edition_of
from services.reporting.dashboard.telling import Teller
from services.reporting.disclosure.sets import Span
from services.reporting.indicators.declared import INDICATORS, words_of
from services.reporting.indicators.own import has_own, own_figures
from services.reporting.indicators.reading import PublishedFigures, report_terms
from services.reporting.pages.indicators import written
from services.reporting.pages.plan import words
from services.reporting.releases.model import Release
from services.reporting.steering.api import progress
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Catalogue, Language
from services.runtime.pages import PREFIX, Pages, Visitor, page_for
from services.runtime.problems import Problem
from services.runtime.running import Running

DASHBOARD: Final = f"{PREFIX}/dashboard"
RELEASE_FILES: Final = f"{PREFIX}/releases"
SHORT: Final = 8
"""A table of so many rows is open; a longer one opens when it is wanted."""

Reader = Annotated[Visitor, Depends(page_for(Role.COORDINATOR, Role.REPORTER))]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a visitor chose to see, among all that is published."""

    release: Release
    releases: Sequence[Release]
    span: Span
    edition: str


@dataclass(frozen=True, slots=True)
class OwnIndicator:
    """An indicator counted by ourselves: its figure as it is written, or why there is none."""

    id: str
    name: str
    value: str
    is_known: bool


def add_dashboard(
    router: APIRouter, running: Running, pages: Pages, published: PublishedFigures, gallery: Gallery
) -> None:
    shelf = Shelf(running)

    async def chosen(visitor: Visitor, release: str, steps: str) -> Choice | None:
        county = visitor.signed_in.county
        releases = await gallery.releases(county)
        found = next((one for one in releases if one.issue.name == release), None) or latest(releases)
        if found is None:
            return None
        span = Span(steps) if steps in list(Span) else _usual_span(found)
        return Choice(found, releases, span, edition_of(county, found, releases))

    @router.get(DASHBOARD)
    async def dashboard(visitor: Reader, release: str = "", steps: str = "") -> Response:
        choice = await chosen(visitor, release, steps)
        spoken, county = visitor.language, visitor.signed_in.county
        if choice is None:
            return pages.show(visitor, "dashboard.html", choice=None)
        known = await gallery.known(county, choice.release, choice.releases)
        teller = gallery.teller(known, spoken)
        topics = [(one, [teller.told(each, choice.span) for each in one.exhibits]) for one in TOPICS]
        plan = await progress(running, county, None)
        goals = [goal for field in plan.fields for goal in field.goals if goal.target is not None]
        own = await own_indicators(running, published, pages.catalogue, county, int(choice.release.issue.year), spoken)
        return pages.show(
            visitor,
            "dashboard.html",
            choice=choice,
            choices=[(one.issue.name, option(one, teller)) for one in _by_period(choice.releases)],
            older=bool(release) and release != choice.release.issue.name,
            spans=[(str(one), teller.say(f"dashboard.span.{one}")) for one in Span],
            topics=topics,
            teller=teller,
            period=teller.period(choice.release.period),
            day_of=berlin_day,
            short=SHORT,
            overview=plan.overview,
            goals=goals,
            own=own,
            own_known=sum(one.is_known for one in own),
            indicators=len(INDICATORS),
            **words(pages.catalogue, spoken),
        )

    @router.get(DASHBOARD + "/{release}/{steps}/{exhibit}.svg")
    async def picture(visitor: Reader, release: str, steps: str, exhibit: str, lang: str = "") -> Response:
        spoken = "de" if lang == "de" else visitor.language  # the yearly report is German for everybody
        choice = await chosen(visitor, release, steps)
        if choice is None or choice.release.issue.name != release or choice.span != steps or exhibit not in EXHIBITS:
            raise Problem("not-found", 404)
        known = await gallery.known(visitor.signed_in.county, choice.release, choice.releases)
        drawn = await gallery.picture(choice.edition, known, EXHIBITS[exhibit], choice.span, spoken)
        if drawn is None:
            raise Problem("not-found", 404)
        # Only where the address says what it was made from may it be kept.
        wanted = visitor.request.query_params.get("of") == f"{choice.edition}-{spoken}"
        return Response(drawn, headers=FOR_EVER if wanted else None, media_type="image/svg+xml")

    @router.get(RELEASE_FILES + "/{release}/{file}")
    async def release_file(visitor: Reader, release: str, file: str) -> Response:
        """A file of a release for whoever reads the pages; programs have `/v1/releases`."""
        county = visitor.signed_in.county
        found = await shelf.release(county, release)
        known = {one.name: one for one in found.files}.get(file) if found else None
        if found is None or known is None:
            raise Problem("release-not-found", 404)
        content = await shelf.file(county, found, known)
        disposition = f'attachment; filename="{release}-{known.name}"'
        return Response(content, headers={"Content-Disposition": disposition}, media_type=known.media_type)


async def own_indicators(
    running: Running, published: PublishedFigures, catalogue: Catalogue, county: str, year: int, spoken: Language
) -> list[OwnIndicator]:
    """What is computed from the releases of a year, of the county as a whole."""
    figures = await published(county, year)
    rule = (await report_terms(running.store(county))).year_of_entry
    told: list[OwnIndicator] = []
    for indicator in INDICATORS.values():
        if not has_own(indicator.id):
            continue
        unit = catalogue.text(spoken, f"reporting.unit-short.{indicator.unit}", {})
        name = words_of(indicator.name, spoken)
        for own in own_figures(indicator.id, year, figures, rule):
            if own.parts:
                continue
            if own.value is None:
                why = catalogue.text(spoken, f"indicators.gap.{own.gap}", {})
                told.append(OwnIndicator(indicator.id, name, why, is_known=False))
            else:
                value = written(format(own.value, "f"), spoken) + unit
                told.append(OwnIndicator(indicator.id, name, value, is_known=True))
    return told


def latest(releases: Sequence[Release]) -> Release | None:
    """The final release published last, or the last of all as long as none is."""
    finals = [one for one in releases if one.issue.kind != "monthly"]
    return (finals or list(releases) or [None])[0]


def option(release: Release, teller: Teller) -> str:
    """What a release is called in a list."""
    vintage = teller.say(f"dashboard.vintage.{release.vintage}")
    return teller.say("dashboard.option", period=teller.period(release.period), vintage=vintage)


def _by_period(releases: Sequence[Release]) -> list[Release]:
    """The latest year first; of a year the whole, then its quarters, then its months."""
    order = {"yearly": 0, "quarterly": 1, "monthly": 2}
    return sorted(releases, key=lambda one: (-int(one.issue.year), order.get(one.kind, 3), one.period))


def _usual_span(release: Release) -> Span:
    return Span.MONTH if release.kind == "monthly" else Span.QUARTER
