"""What is settled, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.runtime.deciding import Command, Due
from services.runtime.reading import Fetched

Work = Fetched | Command | Due


class Result(StrEnum):
    """What became of a message."""

    APPLIED = "applied"
    REPEATED = "repeated"
    SKIPPED = "skipped"
    PARKED = "parked"
    DEAD = "dead"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` (JSON) for a command that took effect now or earlier; `error` for one refused, failed, or a dead record.

    `dead` is how many dead letters the message led to: its own, or that of a record which had waited for it.
    """

    result: Result
    answer: bytes | None = None
    error: Exception | None = None
    dead: int = 0


def door_of(item: Work) -> str:
    """Through which door work came: the source of a record's events, "command" or "deadline". For metrics."""
    if isinstance(item, Command):
        return "command"
    if isinstance(item, Due):
        return "deadline"
    return item.envelope.source if item.envelope is not None else "unknown"
