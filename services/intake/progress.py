"""How an import stands, and how it went. Holds numbers, lines and codes, and nothing of any row.

The numbers are one small document. What is wrong with the rows is a list of its own, as long as it has to be, kept in pages; of those only
the last one, which is not full yet, is held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel

from services.intake.columns import Kind
from services.intake.values import Flaw

PAGE: Final = 500
"""Bad values of one stored page: some ten kilobytes."""

SILENT_SECONDS: Final = 60
"""Machine time without a sign of life after which an import counts as interrupted."""


class ImportState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """The process ended, or the database was away for too long. Sending the file again takes the rest; nothing is taken twice."""


class BadValue(BaseModel):
    """What is wrong, and where: the line, the heading (null: the whole row), the kind of value, a code. Never the value."""

    line: int
    column: str | None
    kind: Kind | None
    flaw: Flaw


class Import(BaseModel):
    """One file on its way in. `rows` were looked at so far, and `problems` found in them."""

    id: str
    office: str
    began: datetime
    seen_alive: datetime
    state: ImportState = ImportState.RUNNING
    rows: int = 0
    registered: int = 0
    without_consent: int = 0
    repeated: int = 0
    refused: int = 0
    problems: int = 0

    def state_at(self, machine_time: datetime) -> ImportState:
        """The state, as far as a reader can know it."""
        silent = (machine_time - self.seen_alive).total_seconds() > SILENT_SECONDS
        return ImportState.INTERRUPTED if silent and self.state is ImportState.RUNNING else self.state


class ProblemPage(NamedTuple):
    """The bad values from place `number` * `PAGE` on, in the order of the file; only the last page has fewer than `PAGE`."""

    number: int
    listed: Sequence[BadValue]


class ProblemPages:
    """Lays bad values into pages as they are found."""

    def __init__(self) -> None:
        self._last: list[BadValue] = []
        self._number = 0

    def add(self, found: Sequence[BadValue]) -> list[ProblemPage]:
        """The pages that are to be kept now. The last one is given again when more comes, unless it is full."""
        if not found:
            return []
        self._last += found
        pages: list[ProblemPage] = []
        while len(self._last) >= PAGE:
            pages.append(ProblemPage(self._number, self._last[:PAGE]))
            self._last = self._last[PAGE:]
            self._number += 1
        if self._last:
            pages.append(ProblemPage(self._number, tuple(self._last)))
        return pages
