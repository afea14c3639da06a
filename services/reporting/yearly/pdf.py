"""A report as a tagged PDF (PDF/UA-1), set by typst from values alone: no file of the machine, no font of it and no network is used.

What keeps a PDF from being accessible (a picture without words, a heading left out) is an error of typst, so none is ever made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from services.reporting.dashboard.exhibits import Shape
from services.reporting.dashboard.telling import Shown, Teller
from services.reporting.yearly.document import Report, Section, rows_told

if TYPE_CHECKING:
    import typst

HERE: Final = Path(__file__).parent
STANDARD: Final = "ua-1"
WIDEST: Final = 440.0
"""Points that a picture may be wide on an A4 page."""
SCALE: Final = 0.72
"""Points for a pixel of a picture, so that letters are of one size in all of them."""
SCALE_OF_MAPS: Final = 0.56
"""Smaller, so that a map and its table stand on one page."""


def pdf(report: Report, pictures: Mapping[str, bytes], teller: Teller, at: datetime) -> bytes:
    """The report with its `pictures` (SVG) by exhibit. Never on the event loop. The same bytes for the same report."""
    import typst  # noqa: PLC0415 - a large library that few processes of this service ever need

    told = json.dumps(values(report, pictures, teller), ensure_ascii=False)
    compiler = typst.Compiler(
        input=_template(), root=str(HERE), font_paths=_fonts(), ignore_system_fonts=True, sys_inputs={"report": told}
    )
    made = compiler.compile(format="pdf", pdf_standards=STANDARD, timestamp=at)
    if not isinstance(made, bytes):
        raise TypeError("typst made no file")
    return made


def values(report: Report, pictures: Mapping[str, bytes], teller: Teller) -> dict[str, Any]:
    """What the template reads."""
    names = ("page", "contents", "figure", "table", "left-out")
    words = {name: teller.say(f"yearly.{name}", **_places(name)) for name in names}
    return {
        "title": report.title,
        "subject": report.subject,
        "county": report.county,
        "stand": report.stand,
        "words": words,
        "sections": [_section(one, pictures, teller) for one in report.sections],
    }


def _places(name: str) -> dict[str, str]:
    return {"page": "{page}", "pages": "{pages}"} if name == "page" else {}


def _section(section: Section, pictures: Mapping[str, bytes], teller: Teller) -> dict[str, Any]:
    return {
        "title": section.title,
        "note": section.note,
        "paragraphs": [{"kind": one.kind, "texts": one.texts} for one in section.paragraphs],
        "exhibits": [_exhibit(one, pictures.get(one.exhibit.id, b"").decode(), teller) for one in section.exhibits],
        "tables": [{"caption": one.caption, "columns": one.columns, "rows": one.rows} for one in section.tables],
    }


def _exhibit(shown: Shown, svg: str, teller: Teller) -> dict[str, Any]:
    rows = rows_told(shown)
    scale = SCALE_OF_MAPS if shown.exhibit.shape is Shape.MAP else SCALE
    kind = teller.say(f"dashboard.shape.{shown.exhibit.shape}")
    return {
        "title": shown.title,
        "sentence": shown.sentence,
        "svg": svg,
        "alt": teller.say("dashboard.picture", kind=kind, sentence=shown.sentence),
        "width": min(WIDEST, _width(svg) * scale),
        "columns": [shown.heading, *shown.columns],
        "rows": [[row.label, *(teller.cell(one) for one in row.figures)] for row in rows],
        "short": len(rows) < len(shown.rows),
    }


def _width(svg: str) -> float:
    found = re.search(r'<svg[^>]*? width="([0-9.]+)"', svg)
    return float(found[1]) if found else WIDEST


@cache
def _template() -> bytes:
    return (HERE / "report.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    import typst  # noqa: PLC0415 - as above

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])
