"""A workbook that a person can read: what this is, a sheet for each table, and the codes behind the words. One in each language.

A table has a line for each combination of values and a column for each period. What is not shown says so in words. Sheets are numbered as
the tables are declared, so that a table has the same number in each release.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime, time
from typing import Final, Literal, NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from schemas.labels import Label
from services.reporting.disclosure.sets import ALL
from services.reporting.releases.codes import code_list, words
from services.reporting.releases.content import Content, TableContent
from services.reporting.releases.formats.cubes import DIMENSION_TITLES
from services.reporting.releases.formats.described import LICENCE
from services.reporting.releases.wording import METHOD, NOT_SHOWN, VINTAGES, county_name, period_words, title
from services.reporting.tables import DECLARED

Language = Literal["de", "en"]

WORKBOOKS: Final[dict[Language, str]] = {"de": "figures.xlsx", "en": "figures.en.xlsx"}

_ABOUT: Final = Label(de="Was das ist", en="What this is")
_CODES: Final = Label(de="Schlüssel", en="Codes")
_SHEET: Final = Label(de="Tabelle", en="Table")
_PERIOD: Final = Label(de="Zeitraum", en="Period")
_VINTAGE: Final = Label(de="Stand", en="Vintage")
_PUBLISHED: Final = Label(de="Veröffentlicht am", en="Published on")
_COUNTY: Final = Label(de="Landkreis (Schlüssel)", en="County (key)")
_RELEASE: Final = Label(de="Name der Veröffentlichung", en="Name of the release")
_LICENCE: Final = Label(de="Lizenz", en="Licence")
_HOW: Final = Label(de="Wie die Zahlen zu lesen sind", en="How to read the figures")
_TABLES: Final = Label(de="Tabellen", en="Tables")
_DIMENSION: Final = Label(de="Merkmal", en="Dimension")
_CODE: Final = Label(de="Schlüssel", en="Code")
_GERMAN: Final = Label(de="Deutsch", en="German")
_ENGLISH: Final = Label(de="Englisch", en="English")

_HEADING: Final = 3
"""The line of a table's sheet in which its columns are named: below its title and what it is from."""

_TITLE: Final = Font(bold=True, size=14)
_BOLD: Final = Font(bold=True)
_LINK: Final = Font(color="0563C1", underline="single")
_QUIET: Final = Font(italic=True, color="595959")
_SHADE: Final = PatternFill("solid", fgColor="E7EEF5")
_LINE: Final = Border(bottom=Side(style="thin"))
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_RIGHT: Final = Alignment(horizontal="right")
_HEAD: Final = Alignment(wrap_text=True, vertical="bottom")
_HEAD_RIGHT: Final = Alignment(wrap_text=True, vertical="bottom", horizontal="right")
_NUMBER: Final = "#,##0"
_WIDEST: Final = 48
_FIGURE_WIDTH: Final = 15

_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The time of all parts of the file: that of making it would be other bytes each time."""


_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


class _Page(NamedTuple):
    """A table with the sheet that it is on."""

    table: TableContent
    sheet: str


def workbook(content: Content, language: Language) -> bytes:
    """The workbook of a release (`.xlsx`), the same bytes for the same content."""
    book = Workbook()
    numbers = {name: number for number, name in enumerate(DECLARED.tables, 1)}
    pages = [_Page(one, f"{_in(_SHEET, language)} {numbers[one.name]}") for one in content.tables]
    first = book.active
    if not isinstance(first, Worksheet):
        raise TypeError("a new workbook begins with a sheet")
    _about(first, content, pages, language)
    for page in pages:
        _table(book.create_sheet(page.sheet), content, page.table, language)
    _codes(book.create_sheet(_in(_CODES, language)), content, language)
    day = datetime.combine(content.issue.due_on, time())
    book.properties.creator = "Wegenetz"
    book.properties.title = _in(title(content.county, content.issue), language)
    book.properties.language = language
    book.properties.created = day
    raw = io.BytesIO()
    book.save(raw)
    return _without_times(raw, day)


def _in(label: Label, language: Language) -> str:
    return label.de if language == "de" else label.en


def _about(sheet: Worksheet, content: Content, pages: Sequence[_Page], language: Language) -> None:
    sheet.title = _in(_ABOUT, language)
    sheet.sheet_view.showGridLines = False
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 90
    sheet.append([_in(title(content.county, content.issue), language)])
    sheet["A1"].font = _TITLE
    sheet.append([])
    for label, value in (
        (_COUNTY, f"{county_name(content.county)} ({content.county})"),
        (_PERIOD, _in(period_words(content.period), language)),
        (_VINTAGE, _in(VINTAGES[content.vintage], language)),
        (_PUBLISHED, f"{content.issue.due_on:%d.%m.%Y}" if language == "de" else content.issue.due_on.isoformat()),
        (_RELEASE, content.name),
        (_LICENCE, LICENCE["title"]),
    ):
        sheet.append([_in(label, language), value])
        sheet.cell(sheet.max_row, 1).font = _BOLD
    _link(sheet, f"B{sheet.max_row}", LICENCE["path"])
    sheet.append([])
    sheet.append([_in(_HOW, language)])
    sheet.cell(sheet.max_row, 1).font = _BOLD
    for paragraph in METHOD:
        sheet.append([None, _in(paragraph, language)])
        sheet.cell(sheet.max_row, 2).alignment = _WRAPPED
        sheet.row_dimensions[sheet.max_row].height = 15 * (1 + len(_in(paragraph, language)) // 95)
    sheet.append([])
    sheet.append([_in(_TABLES, language)])
    sheet.cell(sheet.max_row, 1).font = _BOLD
    for page in pages:
        sheet.append([page.sheet, _in(DECLARED.tables[page.table.name].title, language)])
        _link(sheet, f"A{sheet.max_row}", f"#'{page.sheet}'!A1")
    _for_paper(sheet)


def _table(sheet: Worksheet, content: Content, table: TableContent, language: Language) -> None:
    declared = DECLARED.tables[table.name]
    periods = list(dict.fromkeys(one.period for one in table.observations))
    figures: dict[tuple[str, ...], dict[str, int | None]] = {}
    for one in table.observations:
        figures.setdefault(one.values, {})[one.period] = one.figure
    sheet.append([_in(declared.title, language)])
    sheet["A1"].font = _TITLE
    sheet.append([_in(title(content.county, content.issue), language)])
    sheet["A2"].font = _QUIET
    by = [_capital(_in(DIMENSION_TITLES[name], language)) for name in declared.dimensions]
    _heading(sheet, [*by, *(_capital(_in(period_words(one), language)) for one in periods)], numbers_from=len(by) + 1)
    not_shown = _in(NOT_SHOWN, language)
    widths = list(map(len, by))
    for values, of_period in figures.items():
        named = [
            _in(words(dimension, value, content.county), language)
            for dimension, value in zip(declared.dimensions, values, strict=True)
        ]
        widths = [max(width, len(word)) for width, word in zip(widths, named, strict=True)]
        sheet.append([*named, *(_shown(of_period, period, not_shown) for period in periods)])
        line = sheet.max_row
        is_total = all(value == ALL for value in values)
        for column in range(1, len(by) + len(periods) + 1):
            cell = sheet.cell(line, column)
            if column > len(by):
                cell.number_format, cell.alignment = _NUMBER, _RIGHT
            if is_total:
                cell.font = _BOLD
            elif cell.value == not_shown:
                cell.font = _QUIET
    for place, width in enumerate([*widths, *[_FIGURE_WIDTH - 3] * len(periods)], 1):
        sheet.column_dimensions[get_column_letter(place)].width = min(width + 3, _WIDEST)
    sheet.freeze_panes = f"{get_column_letter(len(by) + 1)}{_HEADING + 1}"
    sheet.auto_filter.ref = f"A{_HEADING}:{get_column_letter(len(by) + len(periods))}{sheet.max_row}"
    sheet.print_title_rows = f"{_HEADING}:{_HEADING}"
    _for_paper(sheet)


def _shown(of_period: dict[str, int | None], period: str, not_shown: str) -> int | str | None:
    """The figure, or the words in its place; nothing at all where the period is published less finely."""
    if period not in of_period:
        return None
    figure = of_period[period]
    return not_shown if figure is None else figure


def _codes(sheet: Worksheet, content: Content, language: Language) -> None:
    """What the codes of the other files stand for."""
    _heading(sheet, [_in(one, language) for one in (_DIMENSION, _CODE, _GERMAN, _ENGLISH)])
    used = dict.fromkeys(name for table in content.tables for name in DECLARED.tables[table.name].dimensions)
    for dimension in used:
        for code in (ALL, *code_list(dimension, content.county)):
            label = words(dimension, code, content.county)
            sheet.append([dimension, code, label.de, label.en])
    for column, width in zip("ABCD", (22, 26, 46, 46), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    _for_paper(sheet)


def _heading(sheet: Worksheet, names: Sequence[str], numbers_from: int | None = None) -> None:
    sheet.append(list(names))
    for column in range(1, len(names) + 1):
        cell = sheet.cell(sheet.max_row, column)
        cell.font, cell.fill, cell.border = _BOLD, _SHADE, _LINE
        cell.alignment = _HEAD if numbers_from is None or column < numbers_from else _HEAD_RIGHT


def _link(sheet: Worksheet, place: str, target: str) -> None:
    sheet[place].hyperlink = target
    sheet[place].font = _LINK


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _for_paper(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _without_times(raw: io.BytesIO, day: datetime) -> bytes:
    """The same archive with nothing in it of when it was made."""
    clean = io.BytesIO()
    with zipfile.ZipFile(raw) as made, zipfile.ZipFile(clean, "w", zipfile.ZIP_DEFLATED) as kept:
        for part in made.namelist():
            content = made.read(part)
            if part == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + f"{day:%Y-%m-%dT%H:%M:%SZ}".encode() + rb"\g<2>", content)
            kept.writestr(zipfile.ZipInfo(part, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return clean.getvalue()
