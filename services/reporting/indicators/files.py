"""From a supplier's file (CSV or Excel) to rows: what can be told from the file alone. Pure but for reading the bytes given.

One figure a row, with a heading in German or English (`COLUMNS`). Numbers as Germans or others write them. The marks with which official
statistics show no value (Federal Statistical Office, signs in tables; Federal Employment Agency: the asterisk) are kept as marks.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Final

from services.reporting.indicators.declared import INDICATORS, Unit
from services.reporting.indicators.model import Fault, Parts, Row, Said
from services.runtime.workbook import BadWorkbook, HugeWorkbook, is_workbook, sheet_rows

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 5000

COLUMNS: Final = {
    "kennzahl": "indicator",
    "jahr": "year",
    "ort": "place",
    "gliederung": "breakdown",
    "wert": "value",
    "einheit": "unit",
    "quelle": "source",
    "stand": "stand",
    "date": "stand",
}
"""The German heading of each column; the English one is its own name."""

_NEEDED: Final = ("indicator", "year", "place", "value", "unit", "source", "stand")
_NAMES: Final = {*COLUMNS.values()}

NOT_SHOWN: Final = frozenset({".", "*", "x", "X", "/", "...", "…", "**"})
"""What suppliers write where they show no value: secret, unknown, too uncertain, not yet there."""
NOTHING_THERE: Final = frozenset({"-", "–", "—"})
"""What official statistics write for exactly nothing: a zero, which somebody has to confirm."""

_UNITS: Final[dict[str, Unit]] = {
    **dict.fromkeys(("number", "anzahl", "zahl", "personen", "persons", "people", "fälle", "cases"), "number"),
    **dict.fromkeys(("percent", "prozent", "%"), "percent"),
}

Cells = dict[str, str]


class BadFile(Exception):
    """The file as a whole cannot be read. `code` is a message of the catalogue."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(content: bytes) -> tuple[list[Row], list[Fault]]:
    """The rows that can be read, and what is wrong with the others. Raises `BadFile`."""
    if len(content) > MOST_BYTES:
        raise BadFile("figures-file-too-large")
    lines = _excel(content) if is_workbook(content) else _csv(content)
    heading = _heading(next(lines, (0, list[str]()))[1])
    rows: list[Row] = []
    faults: list[Fault] = []
    for line, values in islice(lines, MOST_ROWS + 1):
        if not any(values):
            continue
        if len(rows) + len(faults) >= MOST_ROWS:
            raise BadFile("figures-too-many-rows")
        cells = {name: values[at].strip() for name, at in heading.items() if at < len(values)}
        found = _row(line, cells)
        if isinstance(found, Row):
            rows.append(found)
        else:
            faults += found
    return rows, faults


# --- lines --------------------------------------------------------------------------------------------------------------


def _csv(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    first = text.partition("\n")[0]
    mark = max(";\t,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        for values in reader:
            yield reader.line_num, values
    except csv.Error:
        raise BadFile("figures-file-unreadable") from None


def _excel(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        yield from sheet_rows(content)
    except HugeWorkbook:
        raise BadFile("figures-file-too-large") from None
    except BadWorkbook:
        raise BadFile("figures-file-unreadable") from None


def _heading(values: Sequence[str]) -> dict[str, int]:
    """Where each column stands. Raises `BadFile`."""
    found: dict[str, int] = {}
    for at, value in enumerate(values):
        name = value.strip().casefold()
        known = COLUMNS.get(name, name if name in _NAMES else "")
        if known:
            found.setdefault(known, at)
    if not all(name in found for name in _NEEDED):
        raise BadFile("figures-heading-missing")
    return found


# --- one row ------------------------------------------------------------------------------------------------------------


def _row(line: int, cells: Cells) -> Row | list[Fault]:
    faults = [Fault(line=line, column=name, code="missing") for name in _NEEDED if not cells.get(name)]
    if faults:
        return faults

    def wrong(column: str, code: str) -> None:
        faults.append(Fault(line=line, column=column, code=code))

    if cells["indicator"] not in INDICATORS:
        wrong("indicator", "indicator-unknown")
    if re.fullmatch(r"(19|20)[0-9]{2}", cells["year"]) is None:
        wrong("year", "year-unreadable")
    unit = _UNITS.get(cells["unit"].casefold())
    if unit is None:
        wrong("unit", "unit-unknown")
    stand = _day(cells["stand"])
    if stand is None:
        wrong("stand", "date-unreadable")
    parts = _parts(cells.get("breakdown", ""))
    if parts is None:
        wrong("breakdown", "breakdown-unreadable")
    written = cells["value"]
    value, mark = (None, written) if written in NOT_SHOWN else (_number(written), "")
    if written in NOTHING_THERE:
        value, mark = "0", written
    if value is None and not mark:
        wrong("value", "value-unreadable")
    if len(cells["source"]) > 200:
        wrong("source", "source-too-long")
    if faults or unit is None or stand is None or parts is None:
        return faults
    said = Said(value=value, mark=mark, unit=unit, source=cells["source"], stand=stand)
    return Row(
        line=line,
        indicator=cells["indicator"],
        year=int(cells["year"]),
        place=cells["place"],
        parts=parts,
        said=said,
    )


def _number(text: str) -> str | None:
    """A decimal number in one form: 1.234,5 and 1,234.5 and 1 234,5 are 1234.5. One that could be either is none (1.234 is 1234)."""
    plain = re.sub(r"[\s\u00a0\u202f']", "", text).removesuffix("%")
    if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?", plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"-?[0-9]+(,[0-9]+)?", plain):
        plain = plain.replace(",", ".")
    if re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", plain) is None:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    return format(number.normalize(), "f") if number else "0"


def _day(text: str) -> date | None:
    for shape in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    return None


def _parts(text: str) -> Parts | None:
    """``sex=female|age_group=0-15`` by dimension; empty for the whole; None where it cannot be read."""
    parts: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split("|"))):
        name, is_there, value = (side.strip() for side in part.partition("="))
        if not (name and is_there and value) or name in parts:
            return None
        parts[name] = value
    return tuple(sorted(parts.items()))
