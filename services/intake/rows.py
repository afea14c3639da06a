"""A row as it came, read into `Entries`, or a list of what is wrong with it.

A row is taken whole or not at all. Where the consent is refused, only what the one count needs is checked (place, day, a name); the rest is
looked at for the row's digest alone. Values that come again and again are read once; what is remembered for that is bounded,
and never a name or a contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from services.intake.columns import COLUMNS, NAMES, POSITION, Entries, Kind, Reader, readers
from services.intake.values import EARLIEST_BIRTH, NO, Flaw, Unfit, clean

REMEMBERED: Final = 20_000
"""Forms of one column that are kept, at most."""

_OF_ONE_PERSON: Final = (Kind.NAME, Kind.CONTACT)


class Wrong(NamedTuple):
    """What is wrong with one value: the column's name (empty: the whole row), and a code. Never the value."""

    column: str
    flaw: Flaw


class _Place(NamedTuple):
    """Where a column's cell stands in the row. `known` are the forms read already, None for a column of which none is remembered."""

    cell: int
    position: int
    name: str
    read: Reader
    known: dict[str, str | Flaw] | None


class RowReader:
    """Reads the rows of one county as of one day (Europe/Berlin)."""

    def __init__(self, county: str, today: date, order: Sequence[str | None] | None = None) -> None:
        """`order` names the column of each cell, None for one that is dropped unread; by default all columns in their own order."""
        names = order if order is not None else [column.name for column in COLUMNS]
        reading = readers(county)
        self._today = today.isoformat()
        self._places = [
            _Place(
                cell,
                POSITION[name],
                name,
                reading[name],
                None if COLUMNS[POSITION[name]].kind in _OF_ONE_PERSON else {},
            )
            for cell, name in enumerate(names)
            if name is not None
        ]

    def read(self, cells: Sequence[str]) -> Entries | list[Wrong]:
        """The entries of a row, or everything that is wrong with it."""
        entries, wrong = self._values(cells)
        if entries.consent == NO:
            wrong = [one for one in wrong if one.column in _COUNTED]
        wrong += _missing(entries)
        wrong += _out_of_order(entries, self._today, {one.column for one in wrong})
        return wrong or entries

    def read_some(self, cells: Sequence[str]) -> Entries | list[Wrong]:
        """The same for a part of an arrival: what is not there is not missed."""
        entries, wrong = self._values(cells)
        wrong += _out_of_order(entries, self._today, {one.column for one in wrong})
        return wrong or entries

    def _values(self, cells: Sequence[str]) -> tuple[Entries, list[Wrong]]:
        found = [""] * len(COLUMNS)
        wrong: list[Wrong] = []
        for cell, position, name, read, known in self._places:
            text = cells[cell]
            if not text:
                continue
            value = known.get(text) if known is not None else None
            if value is None:
                value = _value(read, text)
                if known is not None:
                    _remember(known, text, value)
            if value.__class__ is Flaw:
                wrong.append(Wrong(name, Flaw(value)))
                value = clean(text)
            found[position] = value
        return Entries(*found), wrong


_COUNTED: Final = frozenset({"municipality_key", "arrival_date"})
"""The only columns that matter about somebody who refused."""


def _value(read: Reader, text: str) -> str | Flaw:
    text = clean(text)
    if not text:
        return ""
    try:
        # Plain text, not the member of an enumeration: it is joined, compared and digested a million times.
        return str(read(text))
    except Unfit as unfit:
        return unfit.flaw


def _remember(known: dict[str, str | Flaw], text: str, value: str | Flaw) -> None:
    if len(known) >= REMEMBERED:
        known.clear()
    known[text] = value


def _missing(entries: Entries) -> Iterable[Wrong]:
    for name in _REQUIRED:
        if not entries[POSITION[name]]:
            yield Wrong(name, Flaw.MISSING_VALUE)
    if not entries.family_name and not entries.given_names:
        yield Wrong(NAMES[0], Flaw.MISSING_VALUE)


_REQUIRED: Final = tuple(column.name for column in COLUMNS if column.required)


def _out_of_order(entries: Entries, today: str, unreadable: set[str]) -> Iterable[Wrong]:
    """Dates are ISO text, so the order of texts is that of days; a partial one is compared as far as it goes."""
    arrival, birth, since = entries.arrival_date, entries.birth_date, entries.in_germany_since
    if "arrival_date" in unreadable:
        return
    latest = arrival or today
    if arrival and not EARLIEST_BIRTH <= arrival <= today:
        yield Wrong("arrival_date", Flaw.DATE_OUT_OF_ORDER)
        latest = today
    if entries.consent == NO:
        return
    if birth and "birth_date" not in unreadable and not EARLIEST_BIRTH <= birth <= latest[: len(birth)]:
        yield Wrong("birth_date", Flaw.DATE_OUT_OF_ORDER)
    if since and "in_germany_since" not in unreadable and not EARLIEST_BIRTH <= since <= latest:
        yield Wrong("in_germany_since", Flaw.DATE_OUT_OF_ORDER)
