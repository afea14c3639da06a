"""Files as offices send them, and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.intake.columns import COLUMNS, Entries
from services.intake.csv_rows import CsvRows, Headings
from services.intake.rows import RowReader, Wrong
from services.intake.spool import Spool
from tests.intake.office import COUNTY

HEADINGS = [column.heading for column in COLUMNS]
SHORT = "Familienname;Vornamen;Gemeindeschluessel;Einzugsdatum;Einwilligung"
GOOD = "Łączak;Żaneta;03459014;04.01.2016;ja"


@dataclass(frozen=True)
class FileRead:
    """Good rows and bad ones by the line on which they begin; None is a row whose cells do not match."""

    headings: Headings
    rows: dict[int, Entries | list[Wrong] | None]

    @property
    def good(self) -> list[Entries]:
        return [row for row in self.rows.values() if isinstance(row, Entries)]


def text(*lines: str, end: str = "\r\n") -> str:
    return end.join(lines) + end


def read(content: bytes | str, *, county: str = COUNTY, today: date = date(2016, 2, 1), step: int = 7) -> FileRead:
    """What is read from a file that comes in parts of `step` bytes."""
    content = content.encode() if isinstance(content, str) else content
    with Spool() as spool:
        for start in range(0, len(content), step):
            spool.write(content[start : start + step])
        rows = CsvRows(spool.text())
        reader = RowReader(county, today, rows.headings.order)
        found = {line: reader.read(cells) if cells is not None else None for line, cells in rows}
    return FileRead(rows.headings, found)


def full(separator: str = ";", headings: Sequence[str] = HEADINGS, **told: str) -> str:
    """A file with all columns and one row, of which `told` says some cells."""
    row = [told.get(column.name, "") for column in COLUMNS]
    return text(separator.join(headings), separator.join(row))
