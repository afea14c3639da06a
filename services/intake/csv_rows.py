"""A file's text taken apart: which separator, which column in which cell, and row after row with its line.

RFC 4180 with the tolerance that real files need. A quotation mark left open spoils its own line and not the rest of the file: the row is
reported, and reading goes on with the next line. Memory is bounded by `LONGEST_ROW`, whatever the file holds.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOBase
from typing import Final

from services.intake.columns import COLUMNS, NAMES

SEPARATORS: Final = (";", ",", "\t")
"""In the order in which they are preferred when the first line has as many of two of them."""

LONGEST_ROW: Final = 64 * 1024
"""Characters. A row of full columns has less than 2,000."""

MOST_LINES: Final = 20
"""Lines of one row: quoted cells may hold line breaks, but no column has long texts."""


class BadFile(ValueError):
    """The whole file is refused. `code` says why, `columns` name the headings that are missing or there twice."""

    def __init__(self, code: str, columns: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.columns = columns


@dataclass(frozen=True, slots=True)
class Headings:
    """The first line: the column of each cell (None: not ours, dropped unread), and the columns' names as this file writes them."""

    order: tuple[str | None, ...]
    english: bool

    def heading(self, column: str) -> str:
        """The heading of a column in this file's language, as the format writes it."""
        return column if self.english else HEADING_OF[column]


HEADING_OF: Final = {column.name: column.heading for column in COLUMNS}


class CsvRows:
    """The rows of a file. Raises `BadFile` when its first line does not do."""

    def __init__(self, text: TextIOBase) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._line = 0
        self._width = 0
        first = self._next_line()
        self._separator = _separator(first)
        self.headings = _headings(self._cells(first) or [])
        self._width = len(self.headings.order)
        self._blank = f'{self._separator}" \t\r\n'

    def __iter__(self) -> Iterator[tuple[int, list[str] | None]]:
        """Each row with the line on which it begins; None for one whose cells do not match the headings. Empty rows are left out."""
        while line := self._next_line():
            if not line.strip(self._blank):
                continue
            begun = self._line
            cells = self._cells(line)
            yield begun, cells if cells is not None and len(cells) == self._width else None

    def _cells(self, line: str) -> list[str] | None:
        """The cells of the row that begins with this line; None for one that is too long, or never ends."""
        if len(line) > LONGEST_ROW:
            return None
        if '"' not in line:
            return line.rstrip("\r\n").split(self._separator)
        row, more = line, list[str]()
        while row.count('"') % 2:
            following = self._next_line()
            more.append(following)
            row += following
            if not following or len(more) >= MOST_LINES or len(row) > LONGEST_ROW:
                return self._give_back(more)
        try:
            # Over several lines only what RFC 4180 allows, or a mark left open would swallow good rows up to the next one.
            cells = next(csv.reader([row], delimiter=self._separator, strict=bool(more)))
        except csv.Error:
            return self._give_back(more)
        return self._give_back(more) if more and len(cells) != self._width else cells

    def _give_back(self, lines: list[str]) -> None:
        """These lines are rows of their own after all."""
        kept = [line for line in lines if line]
        self._again.extendleft(reversed(kept))
        self._line -= len(kept)

    def _next_line(self) -> str:
        """The next line with its end, "" after the last. Of a line longer than any row only the beginning is kept."""
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_ROW + 1)
        if len(line) > LONGEST_ROW and not line.endswith("\n"):
            while rest := self._text.readline(LONGEST_ROW):
                if rest.endswith("\n"):
                    break
        if line:
            self._line += 1
        return line


def _separator(first: str) -> str:
    outside = "".join(first.split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def _headings(cells: list[str]) -> Headings:
    order = tuple(_COLUMN_OF.get(_plain(cell)) for cell in cells)
    known = [name for name in order if name is not None]
    plain = [_plain(cell) for cell in cells]
    english = sum(cell in _ENGLISH for cell in plain) > sum(cell in _GERMAN for cell in plain)
    twice = tuple(dict.fromkeys(name for name in known if known.count(name) > 1))
    found = Headings(order, english)
    if twice:
        raise BadFile("repeated-column", tuple(map(found.heading, twice)))
    missing = [column.name for column in COLUMNS if column.required and column.name not in known]
    if not any(name in known for name in NAMES):
        missing.insert(0, NAMES[0])
    if missing:
        raise BadFile("missing-column", tuple(map(found.heading, missing)))
    return found


def _plain(heading: str) -> str:
    plain = "".join(letter for letter in heading.casefold() if letter not in " \t\r\n-_")
    return plain.translate(_UMLAUTS)


_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_COLUMN_OF: Final = {_plain(text): column.name for column in COLUMNS for text in (column.heading, column.name)}
_GERMAN: Final = frozenset(_plain(column.heading) for column in COLUMNS)
_ENGLISH: Final = frozenset(_plain(column.name) for column in COLUMNS) - _GERMAN
