"""How an import stands, and how it went. Kept as one small document; holds numbers, lines and codes, and nothing of any row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from services.intake.columns import Kind
from services.intake.values import Flaw

MOST_PROBLEMS: Final = 1_000
"""Bad values that are listed one by one; more are only counted."""

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
    """One file on its way in. `file` is a digest of its bytes: the same for the same file. `rows` were looked at so far."""

    id: str
    file: str
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
    listed: list[BadValue] = []

    def add_problem(self, problem: BadValue) -> None:
        self.problems += 1
        if len(self.listed) < MOST_PROBLEMS:
            self.listed.append(problem)

    def state_at(self, machine_time: datetime) -> ImportState:
        """The state, as far as a reader can know it."""
        silent = (machine_time - self.seen_alive).total_seconds() > SILENT_SECONDS
        return ImportState.INTERRUPTED if silent and self.state is ImportState.RUNNING else self.state
