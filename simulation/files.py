"""The offices' files: what each registry office hands over, week by week or month by month.

`office_files` yields them in the order in which they are handed over, made on the way from the queue of arrivals: never more than a few
weeks of people are in memory. Each person who comes by file has one row that counts: a good one, or a bad one that nobody repairs.
Whatever else stands there is a repetition, and says so. `write_files` puts the files into a folder.
"""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from schemas.codes import Way
from simulation import assumptions
from simulation.chance import Chance
from simulation.county import County
from simulation.lives import office_day
from simulation.people import Person
from simulation.rows import Flaw, Office, Rhythm, cells, course_of, headings, office, spoil


@dataclass(frozen=True, slots=True)
class Row:
    """One row as handed over. `person` is the index; `repeats`: the same row stood in this or an earlier file already."""

    person: int
    cells: tuple[str, ...]
    flaw: Flaw | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class OfficeFile:
    """One file, handed over on `due_on`. `repeats` names the file whose bytes it sends a second time."""

    name: str
    office: Office
    due_on: date
    rows: tuple[Row, ...]
    repeats: str | None = None

    def encode(self) -> bytes:
        """The bytes as the office sends them; an office that cannot write a name in Windows-1252 sends UTF-8 with a byte order mark."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.office.separator, lineterminator="\r\n")
        writer.writerow(headings(self.office))
        writer.writerows(row.cells for row in self.rows)
        try:
            return text.getvalue().encode(self.office.encoding)
        except UnicodeEncodeError:
            return text.getvalue().encode("utf-8-sig")


def office_files(county: County) -> Iterator[OfficeFile]:
    """All files of the year in the order of `due_on`; the last ones are due in the next year."""
    desk = _Desk(county)
    for person in county.people():
        yield from desk.handed_over_by(person.register.arrived_on)
        if person.way is Way.OFFICE_FILE:
            desk.take(person)
    yield from desk.handed_over_by(date.max)


def write_files(county: County, folder: Path) -> Iterator[Path]:
    """Writes each file into `folder`, which must exist, and yields its path."""
    for file in office_files(county):
        path = folder / file.name
        path.write_bytes(file.encode())
        yield path


@dataclass
class _Desk:
    """Rows lie here until the period of their file is over.

    A period may be closed as soon as somebody has arrived after its end: nobody registers before arriving.
    """

    county: County
    rows: dict[tuple[date, str], list[Row]] = field(default_factory=dict[tuple[date, str], list[Row]])
    open: list[tuple[date, str]] = field(default_factory=list[tuple[date, str]])
    ready: list[tuple[date, str, OfficeFile]] = field(default_factory=list[tuple[date, str, OfficeFile]])

    def __post_init__(self) -> None:
        self.offices = {district.ars: office(self.county.seed, district) for district in self.county.districts}

    def take(self, person: Person) -> None:
        """Puts the person's row into the file of the period in which the person stood at the counter."""
        style = self.offices[person.register.district]
        good = cells(person, style)
        course = course_of(self.county.seed, person)
        end = _period_end(style, person.registered_on)
        if course.flaw:
            chance = Chance(self.county.seed, "flaw", person.index)
            bad = spoil(good, course.flaw, style, chance, consented=person.consent.given)
            self._put(end, style, Row(person.index, bad, course.flaw))
        else:
            self._put(end, style, Row(person.index, good))
        if course.repaired:
            self._put(_next_period_end(style, end), style, Row(person.index, good))
        if course.repeated:
            self._put(end, style, Row(person.index, good, repeats=True))
        if course.sent_again and style.rhythm is Rhythm.WEEK:  # a month later nobody knows the row any more
            self._put(_next_period_end(style, end), style, Row(person.index, good, repeats=True))

    def handed_over_by(self, today: date) -> Iterator[OfficeFile]:
        """Closes every period that ended before `today` and yields the files that are due by then."""
        while self.open and self.open[0][0] < today:
            end, district = key = heapq.heappop(self.open)
            self._close(end, self.offices[district], tuple(self.rows.pop(key)))
        while self.ready and self.ready[0][0] <= today:
            yield heapq.heappop(self.ready)[2]

    def _put(self, end: date, style: Office, row: Row) -> None:
        key = (end, style.district)
        if key not in self.rows:
            self.rows[key] = []
            heapq.heappush(self.open, key)
        self.rows[key].append(row)

    def _close(self, end: date, style: Office, rows: tuple[Row, ...]) -> None:
        period = f"{end:%G-W%V}" if style.rhythm is Rhythm.WEEK else f"{end:%Y-%m}"
        name = f"{style.district}-{period}.csv"
        due_on = office_day(end + timedelta(days=1))
        heapq.heappush(self.ready, (due_on, name, OfficeFile(name, style, due_on, rows)))
        if Chance(self.county.seed, "file", name).happens(assumptions.FILE_SENT_AGAIN):
            again, later = f"{style.district}-{period}-nochmals.csv", office_day(due_on + timedelta(days=1))
            heapq.heappush(self.ready, (later, again, OfficeFile(again, style, later, rows, repeats=name)))


def _period_end(style: Office, day: date) -> date:
    """The Sunday of the week, or the last day of the month."""
    if style.rhythm is Rhythm.WEEK:
        return day + timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _next_period_end(style: Office, end: date) -> date:
    return _period_end(style, end + timedelta(days=1))
