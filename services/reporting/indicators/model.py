"""What suppliers delivered: the figures of an indicator's year, each with where it comes from and what stood there before.

A value is text (a decimal number as in ``1234`` or ``12.5``), because a figure is shown as it was delivered and never rounded by the way
it is kept. A figure without a value is one that the supplier does not show; its `mark` is what the supplier wrote there. It is never zero.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.reporting.indicators.declared import Unit
from services.runtime.deciding import Day, State
from services.runtime.ids import child

_ROOT = "8d3f7ad0-49c1-5b0e-9d0f-2f6c1a6e7b11"
"""The root of the ids of states here."""

Parts = tuple[tuple[str, str], ...]
"""Dimension and value, by dimension; empty for the whole."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Part):
    """What a supplier says in one place: a value, or the mark with which it shows none. `stand` is the date of the source."""

    value: str | None
    mark: str = ""
    unit: Unit
    source: str
    stand: Day


class Kept(_Part):
    """What was said, when it was taken in and by whom (a sign-in's id)."""

    said: Said
    at: datetime
    by: str


class Figure(_Part):
    """One figure: a place, a breakdown, what is said now, and what was said before, the latest last. Nothing is overwritten."""

    place: str
    parts: Parts
    now: Kept
    before: tuple[Kept, ...] = ()


class Official(State):
    """The official figures of one indicator for one year."""

    KIND = "official"
    indicator: str = ""
    year: int = 0
    figures: tuple[Figure, ...] = ()

    def figure(self, place: str, parts: Parts) -> Figure | None:
        return next((one for one in self.figures if (one.place, one.parts) == (place, parts)), None)


class Row(_Part):
    """A row of a file that could be read."""

    line: int
    indicator: str
    year: int
    place: str
    parts: Parts
    said: Said


class Fault(_Part):
    """Why a row, or one of its columns, is bad or doubtful: a code of the catalogue. `column` is empty when the row as a whole is."""

    line: int
    column: str
    code: str


class Doubtful(_Part):
    """A row that waits for somebody to say that it is right."""

    row: Row
    why: tuple[Fault, ...]
    confirmed: bool = False


class Delivery(State):
    """A file that was taken in: how many figures were new, corrected, or there already; what was bad; what is doubtful."""

    KIND = "delivery"
    at: datetime | None = None
    by: str = ""
    new: int = 0
    corrected: int = 0
    unchanged: int = 0
    faults: tuple[Fault, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()

    @property
    def waiting(self) -> tuple[Doubtful, ...]:
        return tuple(one for one in self.doubtful if not one.confirmed)


def official_id(county: str, indicator: str, year: int) -> str:
    return child(_ROOT, f"{county}/{indicator}/{year}")


def delivery_id(county: str, digest: str) -> str:
    """The same file is the same delivery."""
    return child(_ROOT, f"{county}/delivery/{digest}")
