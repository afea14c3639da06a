"""What becomes of a delivered file, and of a doubt that somebody confirms. Pure: names, decide, evolve.

A file sent again changes nothing: what is kept already is left as it is. A corrected value takes the place of the one before, which stays
in the figure's history with its source, its day and who brought it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.reporting.indicators.checking import contradictions, doubts_of, faults_of
from services.reporting.indicators.model import (
    Delivery,
    Doubtful,
    Fault,
    Figure,
    Kept,
    Official,
    Row,
    delivery_id,
    official_id,
)
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command, Decision, State, States, Subject
from services.runtime.errors import Refused


class _Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TakeFile(_Wish):
    """Take in a file: its rows, and what is wrong with the lines that could not be read. `digest` is the file's."""

    digest: str
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


class Confirm(_Wish):
    """These lines of a delivery are right, however doubtful they look."""

    delivery: str
    lines: tuple[int, ...]


class Delivered(BaseModel):
    """The answer: what became of the file."""

    delivery: str
    new: int
    corrected: int
    unchanged: int
    doubtful: int
    wrong: int


class FiguresSaid(_Wish):
    """A fact: these rows are what the official figures of an indicator's year say from now on."""

    indicator: str
    year: int
    rows: tuple[Row, ...]
    by: str


class FileTaken(_Wish):
    """A fact: what became of a file."""

    by: str
    new: int
    corrected: int
    unchanged: int
    faults: tuple[Fault, ...]
    doubtful: tuple[Doubtful, ...]


class Confirmed(_Wish):
    """A fact: these lines were confirmed, and came to so many new and corrected figures."""

    lines: tuple[int, ...]
    new: int
    corrected: int


WISHES: Final = (TakeFile, Confirm)
FACTS: Final = (FiguresSaid, FileTaken, Confirmed)
STATES: Final[tuple[type[State], ...]] = (Official, Delivery)


def names(command: Command, states: States) -> Iterable[Subject]:
    """The delivery, and the figures of its rows' years and of the years before, with which they are compared."""
    data = command.data
    if isinstance(data, Confirm):
        yield Subject(Delivery.KIND, data.delivery)
        delivery = states.known(Delivery, data.delivery)
        rows: Sequence[Row] = [one.row for one in delivery.waiting] if delivery else ()
    elif isinstance(data, TakeFile):
        yield Subject(Delivery.KIND, delivery_id(command.county, data.digest))
        rows = data.rows
    else:
        raise TypeError(f"{type(data).__name__} is no command about indicators")
    for indicator, year in sorted(_years(rows)):
        yield Subject(Official.KIND, official_id(command.county, indicator, year))


def decide(command: Command, states: States, now: datetime) -> Decision:
    """Raises `Refused` for a delivery that does not exist."""
    if isinstance(command.data, TakeFile):
        return _take(command, command.data, states, now)
    if isinstance(command.data, Confirm):
        return _confirm(command, command.data, states)
    raise TypeError(f"{type(command.data).__name__} is no command about indicators")


def _take(command: Command, data: TakeFile, states: States, now: datetime) -> Decision:
    kept = _kept(command.county, data.rows, states)
    today = berlin_day(now)
    faults = list(data.faults)
    twice = contradictions(data.rows)
    sound: list[Row] = []
    for row in data.rows:
        wrong = [twice[row.line]] if row.line in twice else faults_of(row, command.county, today)
        faults += wrong
        if not wrong:
            sound.append(row)
    beside = {(row.indicator, row.year, row.place, row.parts): row.said for row in sound}
    unchanged, good, doubtful = 0, list[Row](), list[Doubtful]()
    seen: set[object] = set()
    for row in sound:
        figure = (row.indicator, row.year, row.place, row.parts)
        if figure in seen or _is_there(row, kept):
            unchanged += 1
        elif why := doubts_of(row, kept, beside):
            doubtful.append(Doubtful(row=row, why=tuple(why)))
        else:
            good.append(row)
        seen.add(figure)
    corrected = sum(1 for row in good if _figure(row, kept) is not None)
    id = delivery_id(command.county, data.digest)
    taken = FileTaken(
        by=command.actor,
        new=len(good) - corrected,
        corrected=corrected,
        unchanged=unchanged,
        faults=tuple(sorted(faults, key=lambda one: (one.line, one.column))),
        doubtful=tuple(doubtful),
    )
    answer = Delivered(
        delivery=id,
        new=taken.new,
        corrected=corrected,
        unchanged=unchanged,
        doubtful=len(doubtful),
        wrong=len(taken.faults),
    )
    return Decision([*_said(command, good), (Subject(Delivery.KIND, id), taken)], answer=answer)


def _confirm(command: Command, data: Confirm, states: States) -> Decision:
    delivery = states.known(Delivery, data.delivery)
    if delivery is None:
        raise Refused("delivery-not-found", 404)
    chosen = [one.row for one in delivery.waiting if one.row.line in data.lines]
    kept = _kept(command.county, chosen, states)
    rows = [row for row in chosen if not _is_there(row, kept)]
    corrected = sum(1 for row in rows if _figure(row, kept) is not None)
    confirmed = Confirmed(lines=tuple(row.line for row in chosen), new=len(rows) - corrected, corrected=corrected)
    answer = Delivered(
        delivery=data.delivery,
        new=delivery.new + confirmed.new,
        corrected=delivery.corrected + corrected,
        unchanged=delivery.unchanged,
        doubtful=len(delivery.waiting) - len(chosen),
        wrong=len(delivery.faults),
    )
    if not chosen:
        return Decision(answer=answer)
    return Decision([*_said(command, rows), (Subject(Delivery.KIND, data.delivery), confirmed)], answer=answer)


def evolve(state: State, fact: object, at: datetime) -> State:
    if isinstance(state, Official) and isinstance(fact, FiguresSaid):
        return state.but(indicator=fact.indicator, year=fact.year, figures=_told(state.figures, fact, at))
    if isinstance(state, Delivery) and isinstance(fact, FileTaken):
        return state.but(at=at, **{name: getattr(fact, name) for name in FileTaken.model_fields})
    if isinstance(state, Delivery) and isinstance(fact, Confirmed):
        doubtful = tuple(
            one.model_copy(update={"confirmed": True}) if one.row.line in fact.lines else one for one in state.doubtful
        )
        return state.but(doubtful=doubtful, new=state.new + fact.new, corrected=state.corrected + fact.corrected)
    raise TypeError(f"{type(fact).__name__} is no fact of a {type(state).__name__}")


def _told(figures: Sequence[Figure], fact: FiguresSaid, at: datetime) -> tuple[Figure, ...]:
    told = {(one.place, one.parts): one for one in figures}
    for row in fact.rows:
        now = Kept(said=row.said, at=at, by=fact.by)
        old = told.get((row.place, row.parts))
        before = (*old.before, old.now) if old else ()
        told[row.place, row.parts] = Figure(place=row.place, parts=row.parts, now=now, before=before)
    return tuple(told[key] for key in sorted(told))


def _said(command: Command, rows: Sequence[Row]) -> Iterable[tuple[Subject, FiguresSaid]]:
    of: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        of.setdefault((row.indicator, row.year), []).append(row)
    for (indicator, year), some in sorted(of.items()):
        subject = Subject(Official.KIND, official_id(command.county, indicator, year))
        yield subject, FiguresSaid(indicator=indicator, year=year, rows=tuple(some), by=command.actor)


def _years(rows: Iterable[Row]) -> set[tuple[str, int]]:
    return {(row.indicator, year) for row in rows for year in (row.year, row.year - 1)}


def _kept(county: str, rows: Iterable[Row], states: States) -> Mapping[tuple[str, int], Official]:
    found = {(one, year): states.known(Official, official_id(county, one, year)) for one, year in _years(rows)}
    return {key: official for key, official in found.items() if official is not None}


def _figure(row: Row, kept: Mapping[tuple[str, int], Official]) -> Figure | None:
    official = kept.get((row.indicator, row.year))
    return official.figure(row.place, row.parts) if official else None


def _is_there(row: Row, kept: Mapping[tuple[str, int], Official]) -> bool:
    figure = _figure(row, kept)
    return figure is not None and figure.now.said == row.said
