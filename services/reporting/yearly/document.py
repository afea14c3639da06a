"""A report put together: sections with the office's text and the exhibits of the release. Pure, and German throughout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.reporting.dashboard.exhibits import TOPICS
from services.reporting.dashboard.telling import Row, Shown, Teller
from services.reporting.disclosure.sets import Span
from services.reporting.yearly.model import FOREWORD, INDICATORS, OUTLOOK

SPAN: Final = Span.QUARTER
"""Courses of a report go by quarters."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of one text, or a list of several."""

    kind: Literal["text", "list"]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SmallTable:
    """A table that has no picture of its own."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    paragraphs: tuple[Paragraph, ...]
    note: str = ""
    exhibits: tuple[Shown, ...] = ()
    tables: tuple[SmallTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """`stand`: from which release of which day it was made."""

    title: str
    subject: str
    county: str
    year: int
    stand: str
    sections: tuple[Section, ...]


def paragraphs(text: str) -> tuple[Paragraph, ...]:
    """Plain text as it is set."""
    found: list[Paragraph] = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if lines and all(line.startswith("- ") for line in lines):
            found.append(Paragraph("list", tuple(line[2:].strip() for line in lines)))
        elif lines:
            found.append(Paragraph("text", (" ".join(lines),)))
    return tuple(found)


def report(teller: Teller, county: str, year: int, stand: str, texts: Mapping[str, str], indicators: Section) -> Report:
    """The report of a year. A section of text alone is left out as long as nothing is written; `indicators` come from outside."""

    def written(section: str) -> tuple[Paragraph, ...]:
        return paragraphs(texts.get(section, ""))

    sections: list[Section] = []
    if foreword := written(FOREWORD):
        sections.append(Section(FOREWORD, teller.say(f"yearly.section.{FOREWORD}"), foreword))
    for topic in TOPICS:
        note = teller.say(f"dashboard.unknown.{topic.unknown}") if topic.unknown else ""
        shown = tuple(teller.told(one, SPAN) for one in topic.exhibits)
        title = teller.say(f"dashboard.topic.{topic.id}")
        sections.append(Section(topic.id, title, written(topic.id), note, shown))
    about = (*written(INDICATORS), *indicators.paragraphs)
    sections.append(Section(INDICATORS, indicators.title, about, tables=indicators.tables))
    if outlook := written(OUTLOOK):
        sections.append(Section(OUTLOOK, teller.say(f"yearly.section.{OUTLOOK}"), outlook))
    method = [teller.say("yearly.method"), teller.say("dashboard.districts"), teller.say("dashboard.source") + "."]
    about_figures = tuple(Paragraph("text", (one,)) for one in method)
    sections.append(Section("method", teller.say("yearly.section.method"), about_figures))
    title = teller.say("yearly.of-year", year=year)
    subject = teller.say("yearly.subject", year=year)
    return Report(title, subject, county, year, stand, tuple(sections))


def rows_told(shown: Shown) -> Sequence[Row]:
    """The rows that say something: all but those with nothing but 0, as long as there are others."""
    told = [row for row in shown.rows if any(one != 0 for one in row.figures)]
    return told or shown.rows
