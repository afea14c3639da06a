"""A directory as a table, in CSV or Excel: each row a service at a site, or a partner alone. Headings in German or English, in any order.

Only `name` and `kind` (for a service) have to be there. A code that is missing is made of the name.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any, Final

from schemas.labels import label
from services.referral.directory.entries import Address, Contact, ServiceEntry, Site, Wording
from services.referral.directory.importing import values
from services.referral.directory.importing.gathering import Gathered, Record
from services.referral.directory.importing.values import BadValue, Reader
from services.referral.directory.review import plain_name
from services.runtime.workbook import BadWorkbook, sheet_rows

SEPARATORS: Final = (";", ",", "\t")
MOST_ROWS: Final = 5000
MOST_LINES: Final = 20
"""Of one row: quoted cells may hold line breaks."""

COLUMNS: Final = {
    "code": "Kürzel",
    "name": "Träger",
    "description": "Beschreibung Träger",
    "email": "E-Mail",
    "phone": "Telefon",
    "website": "Internet",
    "legal_status": "Rechtsform",
    "site_code": "Standortkürzel",
    "site": "Standort",
    "district": "Meldebezirk",
    "street": "Straße",
    "postal_code": "PLZ",
    "city": "Ort",
    "latitude": "Breite",
    "longitude": "Länge",
    "accessibility": "Barrierefreiheit",
    "contact_function": "Ansprechstelle",
    "contact_name": "Ansprechperson",
    "contact_email": "Ansprechperson E-Mail",
    "contact_phone": "Ansprechperson Telefon",
    "service_code": "Leistungskürzel",
    "kind": "Art",
    "service": "Leistung",
    "service_en": "Leistung englisch",
    "service_description": "Beschreibung Leistung",
    "languages": "Sprachen",
    "fees": "Kosten",
    "application_process": "Anmeldung",
    "as_of": "Stand",
}
"""Our columns with their German heading."""

_COLUMN_OF: Final = {
    plain_name(text.replace("_", " ")): name for name, heading in COLUMNS.items() for text in (name, heading)
}


class BadFile(ValueError):
    """Nothing of the file can be taken. `code` names the problem."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_csv(content: bytes, county: str, today: date) -> Gathered:
    """Raises `BadFile` when the headings do not do."""
    return _read(_rows(_decoded(content)), county, today)


def read_workbook(content: bytes, county: str, today: date) -> Gathered:
    """The first sheet of an Excel file, read like a CSV file. Raises `BadFile`."""
    try:
        return _read(_sheet(content), county, today)
    except BadWorkbook:
        raise BadFile("import-no-workbook") from None


def _read(rows: Iterator[tuple[int, list[str] | None]], county: str, today: date) -> Gathered:
    headings = next((cells for _, cells in rows), None) or []
    order = [_COLUMN_OF.get(plain_name(cell.replace("_", " ").replace("-", " "))) for cell in headings]
    order = [name or _COLUMN_OF.get(plain_name(cell)) for name, cell in zip(order, headings, strict=True)]
    known = [name for name in order if name is not None]
    if "name" not in known or len(set(known)) != len(known):
        raise BadFile("import-headings")
    heading_of = {name: heading.strip() for name, heading in zip(order, headings, strict=True) if name is not None}
    gathered = Gathered()
    for number, (line, cells) in enumerate(rows):
        if number >= MOST_ROWS:
            raise BadFile("import-too-many-rows")
        record = Record(line)
        if cells is None or len(cells) != len(order):
            record.note("", "cells")
            gathered.take(record)
        elif any(cell.strip() for cell in cells):
            row = {name: cell for name, cell in zip(order, cells, strict=True) if name is not None}
            _Row(record, row, heading_of, county, today).gather(gathered)
    return gathered


def _sheet(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, as wide as the first one: where a sheet ends on the right means nothing."""
    width = 0
    for line, cells in sheet_rows(content):
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            width = width or len(cells)
            yield line, cells + [""] * (width - len(cells))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each row that is not empty with the line on which it begins; None for one that cannot be taken apart.

    A quotation mark left open spoils its own line and not the rest of the file.
    """
    lines = list(StringIO(text))
    separator = max(SEPARATORS, key=lines[0].count) if lines else SEPARATORS[0]
    at = 0
    while at < len(lines):
        begun, cells = at, None
        piece = ""
        for line in lines[begun : begun + MOST_LINES]:
            piece += line
            at += 1
            if piece.count('"') % 2 == 0:
                cells = _cells(piece, separator)
                break
        if cells is None:
            at = begun + 1
        if piece.strip():
            yield begun + 1, cells


def _cells(row: str, separator: str) -> list[str] | None:
    try:
        return next(csv.reader([row], delimiter=separator, strict=True))
    except csv.Error:
        return None


@dataclass(slots=True)
class _Row:
    record: Record
    cells: dict[str, str]
    heading_of: dict[str, str]
    county: str
    today: date

    def gather(self, gathered: Gathered) -> None:
        """Add the row to what was gathered, if it is good."""
        name = self.record.need(self._heading("name"), self.cells.get("name"), values.name, "?")
        code = self._read("code", values.code) or self._made("name", name)
        facts = self._facts(name)
        as_of = self._read("as_of", values.day_until(self.today))
        site, contact, service = self._site(name), self._contact(), self._service()
        clash = gathered.clash(code, facts)
        if clash is not None:
            self.record.note(self._heading(clash), "contradiction")
        if not gathered.has_room(code):
            self.record.note(self._heading("name"), "too-many-parts")
        if not gathered.take(self.record):
            return
        gathered.partner(self.record.line, code, facts, as_of)
        if site is not None:
            gathered.site(code, site)
        if contact is not None:
            gathered.contact(code, contact)
        if service is not None:
            own, entry = service
            sites = (site.code,) if site is not None else ()
            gathered.service(self.record.line, code, own, entry.model_copy(update={"sites": sites}), as_of)

    def _facts(self, name: str) -> dict[str, Any]:
        readers: dict[str, Callable[[str], Any]] = {
            "description": lambda text: Wording(de=values.text(text)),
            "email": values.email,
            "phone": values.phone,
            "website": values.website,
            "legal_status": values.name,
        }
        found = {column: self._read(column, reader) for column, reader in readers.items()}
        return {"name": name, **{column: fact for column, fact in found.items() if fact is not None}}

    def _site(self, name: str) -> Site | None:
        district = self._read("district", values.district_in(self.county))
        street, postal_code = self._read("street", values.name), self._read("postal_code", values.postal_code)
        city = self._read("city", values.name)
        if district is None and city and not self.record.wrong_at(self._heading("district")):
            district = self.record.read(self._heading("city"), city, values.district_in(self.county))
        latitude = self._read("latitude", values.degrees(90))
        longitude = self._read("longitude", values.degrees(180))
        if (latitude is None) != (longitude is None):
            self.record.note(self._heading("latitude"), "half-a-point")
            latitude = longitude = None
        accessibility = self._read("accessibility", values.text)
        own, title = self._read("site_code", values.code), self._read("site", values.name)
        if district is None:
            placed = self.record.wrong_at(self._heading("district")) or self.record.wrong_at(self._heading("city"))
            if (own or title or street) and not placed:
                self.record.note(self._heading("district"), "missing")
            return None
        address = None
        if street and postal_code and city:
            address = Address(street=street, postal_code=postal_code, city=city)
        return Site(
            code=own or self._made("site", title or street or district),
            name=title or name,
            district=district,
            address=address,
            latitude=latitude,
            longitude=longitude,
            accessibility=(accessibility,) if accessibility else (),
        )

    def _contact(self) -> Contact | None:
        found = {
            "name": self._read("contact_name", values.name),
            "email": self._read("contact_email", values.email),
            "phone": self._read("contact_phone", values.phone),
        }
        function = self._read("contact_function", values.name)
        if function is None and not any(found.values()):
            return None
        return Contact(function=function or "Kontakt", **found)

    def _service(self) -> tuple[str, ServiceEntry] | None:
        kind, title = self._read("kind", values.kind), self._read("service", values.name)
        own = self._read("service_code", values.code)
        description, in_english = self._read("service_description", values.text), self._read("service_en", values.name)
        languages = self._read("languages", values.languages) or ()
        fees, process = self._read("fees", values.text), self._read("application_process", values.text)
        if kind is None:
            if title and not self.record.wrong_at(self._heading("kind")):
                self.record.note(self._heading("kind"), "missing")
            return None
        title = title or label(kind, "de")
        entry = ServiceEntry(
            kind=kind,
            name=Wording(de=title, en=in_english),
            description=Wording(de=description or title),
            languages=languages,
            fees=fees,
            application_process=process,
        )
        return own or self._made("service", title), entry

    def _read(self, column: str, reader: Reader[Any]) -> Any:
        return self.record.read(self._heading(column), self.cells.get(column), reader)

    def _made(self, column: str, name: str) -> str:
        try:
            return values.code_from(name)
        except BadValue as bad:
            if not self.record.wrong_at(self._heading(column)):
                self.record.note(self._heading(column), bad.code)
            return "none"

    def _heading(self, column: str) -> str:
        """As this file writes it."""
        return self.heading_of.get(column, COLUMNS[column])
