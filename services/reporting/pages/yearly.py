"""The pages of the yearly report: which there are, one to be read and as PDF, and the office's texts with preview and history.

Coordinators and the reporting office write; nothing typed is lost: with an error, a preview or a change by somebody else it comes back.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from schemas.codes import Role
from schemas.places import UnknownPlace
from schemas.places import county as county_of
from services.reporting.dashboard.published import Gallery, edition_of
from services.reporting.dashboard.telling import Known, Teller
from services.reporting.indicators.declared import INDICATORS
from services.reporting.indicators.reading import PublishedFigures
from services.reporting.pages.dashboard import own_indicators
from services.reporting.pages.plan import words
from services.reporting.releases.model import Release
from services.reporting.steering.api import progress
from services.reporting.yearly import reading
from services.reporting.yearly.document import (
    SPAN,
    Paragraph,
    Report,
    Section,
    SmallTable,
    paragraphs,
    report,
    rows_told,
)
from services.reporting.yearly.keeping import PutText
from services.reporting.yearly.model import INDICATORS as INDICATORS_SECTION
from services.reporting.yearly.model import LONGEST, SECTIONS, ReportText
from services.reporting.yearly.pdf import pdf
from services.runtime.calendar import berlin_day
from services.runtime.catalogue import Language
from services.runtime.deciding import Command
from services.runtime.errors import Refused
from services.runtime.pages import PREFIX, Form, Pages, Visitor, page_for
from services.runtime.pages.rendering import written_day
from services.runtime.problems import Problem
from services.runtime.running import Running

YEARLY: Final = f"{PREFIX}/yearly"
GERMAN: Final[Language] = "de"
MOST_PDFS: Final = 8

Reader = Annotated[Visitor, Depends(page_for(Role.COORDINATOR, Role.REPORTER))]
Year = Annotated[int, Path(ge=2000, le=2100)]


@dataclass(frozen=True, slots=True)
class Made:
    """A report with what it was made from. `edition` names the figures, `texts` the texts."""

    report: Report
    known: Known
    teller: Teller
    release: Release
    edition: str
    at: datetime
    texts: tuple[tuple[str, int], ...]


class Reports:
    """Makes reports of published years. A PDF is made once for the same figures and texts."""

    def __init__(self, running: Running, pages: Pages, published: PublishedFigures, gallery: Gallery) -> None:
        self._running = running
        self._pages = pages
        self._published = published
        self._gallery = gallery
        self._pdfs: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    async def years(self, county: str) -> list[Release]:
        """The final releases of years, the latest first."""
        found = [one for one in await self._gallery.releases(county) if one.kind == "yearly"]
        return sorted(found, key=lambda one: one.period, reverse=True)

    async def release(self, county: str, year: int) -> tuple[Release, datetime]:
        """The release that the report of a year is made from, and when it was published. Raises `Problem` 404."""
        found = next((one for one in await self.years(county) if one.period == str(year)), None)
        if found is None or found.published_at is None:
            raise Problem("report-not-there", 404)
        return found, found.published_at

    async def made(self, county: str, year: int) -> Made:
        release, at = await self.release(county, year)
        releases = await self._gallery.releases(county)
        known = await self._gallery.known(county, release, releases)
        teller = self._gallery.teller(known, GERMAN)
        kept = await reading.texts(self._running.store(county), year)
        stand = teller.say("yearly.stand", release=release.issue.name, day=written_day(berlin_day(at), GERMAN))
        texts = {section: one.now for section, one in kept.items()}
        indicators = await self._indicators(county, year, teller)
        told = report(teller, _county_name(county), year, stand, texts, indicators)
        revisions = tuple(sorted((one.section, one.revision) for one in kept.values()))
        edition = edition_of(county, release, releases)
        return Made(told, known, teller, release, edition, at, revisions)

    async def pdf(self, made: Made) -> bytes:
        indicators = next(one for one in made.report.sections if one.id == INDICATORS_SECTION)
        key = (made.edition, made.texts, indicators)  # the plan and its official figures may change
        if (kept := self._pdfs.get(key)) is not None:
            return kept
        shown = [one for section in made.report.sections for one in section.exhibits if not one.gap]
        pictures: dict[str, bytes] = {}
        for one in shown:
            drawn = await self._gallery.picture(made.edition, made.known, one.exhibit, SPAN, GERMAN)
            pictures[one.exhibit.id] = drawn or b""
        done = await asyncio.to_thread(pdf, made.report, pictures, made.teller, made.at)
        self._pdfs[key] = done
        while len(self._pdfs) > MOST_PDFS:
            self._pdfs.popitem(last=False)
        return done

    async def _indicators(self, county: str, year: int, teller: Teller) -> Section:
        """Goals with their targets as they stand, and what our own releases say of the indicators."""
        plan = await progress(self._running, county, None)
        goals = [goal for field in plan.fields for goal in field.goals if goal.target is not None]
        said = words(self._pages.catalogue, GERMAN)
        tables: list[SmallTable] = []
        if goals:
            columns = tuple(teller.say(f"dashboard.{one}") for one in ("goal", "target", "stand"))
            rows = tuple((goal.text, said["target"](goal), said["stands"](goal.attainment)) for goal in goals)
            tables.append(SmallTable(teller.say("dashboard.goals"), columns, rows))
        own = await own_indicators(self._running, self._published, self._pages.catalogue, county, year, GERMAN)
        columns = (teller.say("reporting.column.indicator"), str(year))
        rows = tuple((f"{one.id} {one.name}", one.value) for one in own)
        tables.append(SmallTable(teller.say("dashboard.own-caption"), columns, rows))
        view = plan.overview
        goals_said = {"goals": view.goals, "with_target": view.with_target, "reached": view.reached}
        known = sum(one.is_known for one in own)
        about = (
            teller.say("dashboard.goals-sentence", **goals_said),
            teller.say("dashboard.own-sentence", year=year, number=known, all=len(INDICATORS)),
        )
        title = teller.say(f"dashboard.topic.{INDICATORS_SECTION}")
        sentences = tuple(Paragraph("text", (one,)) for one in about)
        return Section(INDICATORS_SECTION, title, sentences, tables=tuple(tables))


def add_yearly(
    router: APIRouter, running: Running, pages: Pages, published: PublishedFigures, gallery: Gallery
) -> None:
    reports = Reports(running, pages, published, gallery)

    @router.get(YEARLY)
    async def listed(visitor: Reader) -> Response:
        return pages.show(visitor, "yearly.html", releases=await reports.years(visitor.signed_in.county))

    @router.get(YEARLY + "/{year}")
    async def one_report(visitor: Reader, year: Year) -> Response:
        made = await reports.made(visitor.signed_in.county, year)
        return pages.show(
            visitor,
            "yearly_report.html",
            report=made.report,
            made=made,
            span=SPAN,
            rows_told=rows_told,
            teller=made.teller,
        )

    @router.get(YEARLY + "/{year}/report.pdf")
    async def report_pdf(visitor: Reader, year: Year) -> Response:
        content = await reports.pdf(await reports.made(visitor.signed_in.county, year))
        disposition = f'inline; filename="Jahresbericht-{year}.pdf"'
        return Response(content, headers={"Content-Disposition": disposition}, media_type="application/pdf")

    _add_texts(router, running, pages, reports)


def _add_texts(router: APIRouter, running: Running, pages: Pages, reports: Reports) -> None:
    @router.get(YEARLY + "/{year}/texts")
    async def texts(visitor: Reader, year: Year) -> Response:
        county = visitor.signed_in.county
        await reports.release(county, year)
        kept = await reading.texts(running.store(county), year)
        return pages.show(visitor, "yearly_texts.html", year=year, sections=[(one, kept.get(one)) for one in SECTIONS])

    @router.get(YEARLY + "/{year}/texts/{section}")
    async def text(visitor: Reader, year: Year, section: str) -> Response:
        return page(visitor, await kept_text(visitor, year, section))

    @router.post(YEARLY + "/{year}/texts/{section}")
    async def put_text(visitor: Reader, year: Year, section: str) -> Response:
        kept = await kept_text(visitor, year, section)
        form = await visitor.form()
        typed = form.one("text").replace("\r\n", "\n")
        if len(typed) > LONGEST:
            return page(visitor, kept, form, pages.catalogue.text(visitor.language, "yearly.too-long", {}))
        if form.one("do") == "preview":
            return page(visitor, kept, form)
        actor = visitor.signed_in
        wish = PutText(year=year, section=section, seen=_seen(form), text=typed)
        try:
            await running.desk.send(Command(actor.county, form.key, wish, actor.subject))
        except Refused as refused:
            if refused.code != "report-text-changed-meanwhile":
                raise
            return page(visitor, await kept_text(visitor, year, section), form, meanwhile=True)
        path = f"{YEARLY}/{year}/texts/{section}"
        return pages.go(visitor, path, visitor.session.saying("yearly.saved"))

    async def kept_text(visitor: Visitor, year: int, section: str) -> ReportText:
        county = visitor.signed_in.county
        await reports.release(county, year)
        if section not in SECTIONS:
            raise Problem("not-found", 404)
        return await reading.text(running.store(county), year, section)

    def page(
        visitor: Visitor, kept: ReportText, form: Form | None = None, wrong: str = "", *, meanwhile: bool = False
    ) -> Response:
        typed = form.one("text").replace("\r\n", "\n") if form else kept.now
        return pages.show(
            visitor,
            "yearly_text.html",
            status=409 if meanwhile else 422 if wrong else 200,
            kept=kept,
            typed=typed,
            # After a change by somebody else the form goes on from what is shown now.
            seen=kept.revision if form is None or meanwhile else _seen(form),
            preview=paragraphs(typed) if form and not wrong else None,
            wrong=wrong,
            meanwhile=meanwhile,
            longest=LONGEST,
            paragraphs=paragraphs,
        )


def _seen(form: Form) -> int:
    typed = form.one("seen")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0


def _county_name(key: str) -> str:
    try:
        return f"Landkreis {county_of(key).name}" if "kreis" not in county_of(key).name else county_of(key).name
    except UnknownPlace:
        return key
