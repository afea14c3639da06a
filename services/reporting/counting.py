"""From facts to rows: what each unit of `tables.yaml` is, and where it counts. Pure, and the same whenever it is asked again.

`contributions` is the only way into the tables. What a change of facts does to them is the new contributions without the old ones and
the old ones without the new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from schemas.codes import Way
from services.reporting.coarsening import (
    UNKNOWN,
    age_group,
    citizenship_group,
    district_on,
    first_day,
    month_of,
    new_arrival,
)
from services.reporting.model import Appointment, Arrival, Count, Countable, Facts, Need, Referral, Step, Wait
from services.reporting.records import record_key
from services.reporting.sums import Row
from services.reporting.tables import DECLARED

Part = Appointment | Need | Wait | Referral


class Record(NamedTuple):
    """One thing of a unit, with what its dimensions are read from. `code` is the record's own: a step, a reason, an answer."""

    unit: str
    on: date
    key: int
    district: str = ""
    kind: str = ""
    code: str = ""
    arrival: Arrival | None = None
    units: int = 1


def contributions(facts: Countable) -> frozenset[Row]:
    """The rows that these facts add to the tables. Nothing for an erased person, and for one whose arrival is not known yet."""
    return _rows(_records(facts))


def difference(before: Countable, after: Countable) -> tuple[frozenset[Row], frozenset[Row]]:
    """What a change adds to the tables, and what it takes off: the contributions after it without those before, and the reverse.

    What the change left alone is not looked at, so that an event costs the same however much is known of the person; unless it concerns
    what everything else is counted by.
    """
    if isinstance(before, Facts) and isinstance(after, Facts) and _same_ground(before, after):
        old, new = _rows(_records_beside(before, after)), _rows(_records_beside(after, before))
    else:
        old, new = contributions(before), contributions(after)
    return new - old, old - new


def _rows(records: Iterable[Record]) -> frozenset[Row]:
    return frozenset(
        [
            Row(name, month_of(record.on), tuple([read(record) for read in dimensions]), record.key, record.units)
            for record in records
            for name, dimensions in _COUNTED[record.unit]
        ]
    )


# --- units ------------------------------------------------------------------------------------------------------------


def _records(facts: Countable) -> Iterator[Record]:
    if isinstance(facts, Facts):
        if facts.arrival is not None:
            yield from _of_way(facts, facts.arrival)
            for part in _parts(facts):
                yield from _of_part(facts, facts.arrival, part)
    elif isinstance(facts, Count):
        if facts.arrived_in and facts.way is not Way.CENTRE:
            key = record_key(facts.id, "person")
            yield Record("counter-answer", first_day(facts.arrived_in), key, facts.district, "", "refused")
    elif facts.published_on is not None and facts.kind is not None and facts.seats:
        key = record_key(facts.id, "offer")
        yield Record("seat", facts.published_on, key, facts.district, facts.kind, units=facts.seats)


def _records_beside(facts: Facts, other: Facts) -> Iterator[Record]:
    """The records of these facts, but for those that the other facts on the same ground have for the same reason."""
    if facts.arrival is None:
        return
    if not _same_way(facts, other):
        yield from _of_way(facts, facts.arrival)
    theirs = {id(part) for part in _parts(other)}
    for part in _parts(facts):
        if id(part) not in theirs:
            yield from _of_part(facts, facts.arrival, part)


def _same_ground(one: Facts, other: Facts) -> bool:
    """Whether they agree on what every record of a person is counted by."""
    return one.pseudonym == other.pseudonym and one.arrival is other.arrival and one.moves is other.moves


def _same_way(one: Facts, other: Facts) -> bool:
    """Whether they agree on what `_of_way` looks at, on the same ground."""
    return (one.way, one.withdrawn_on, one.profiled_on) == (other.way, other.withdrawn_on, other.profiled_on)


def _of_way(facts: Facts, arrival: Arrival) -> Iterator[Record]:
    """The person's own records have one key, so that the same people in two tables are seen to be the same."""
    moves = facts.moves
    key = record_key(facts.pseudonym, "person")
    way = facts.way if facts.way is not None else UNKNOWN
    yield Record("arrival", arrival.arrived_on, key, arrival.district, "", way, arrival)
    if facts.way is not None and facts.way != Way.CENTRE:
        yield Record("counter-answer", arrival.arrived_on, key, arrival.district, "", "given")
    for move in moves:
        if move.district is None:
            yield Record("departure", move.on, key, "", "", "", arrival)
    if facts.withdrawn_on is not None:
        yield Record("withdrawal", facts.withdrawn_on, key, district_on(arrival, moves, facts.withdrawn_on))
    if facts.profiled_on is not None:
        yield Record("profile", facts.profiled_on, key, "", "", "", arrival)


def _parts(facts: Facts) -> tuple[Part, ...]:
    """What is known of a person one by one. Each is counted by itself, on the ground of arrival and moves."""
    return (*facts.appointments, *facts.needs, *facts.waits, *facts.referrals)


def _of_part(facts: Facts, arrival: Arrival, part: Part) -> Iterator[Record]:
    match part:
        case Appointment(on=day):
            key = record_key(facts.pseudonym, part.id)
            yield Record("appointment", day, key, district_on(arrival, facts.moves, day))
        case Need(confirmed_on=day):
            key = record_key(facts.pseudonym, part.id)
            yield Record("need", day, key, district_on(arrival, facts.moves, day), part.kind)
        case Wait():
            yield Record("wait", part.on, record_key(facts.pseudonym, part.need), "", part.kind, part.reason)
        case Referral():
            key = record_key(facts.pseudonym, part.id)
            for step, day in part.steps:
                yield Record("referral-step", day, key, "", part.kind, step)
                if (unit := ENDINGS.get(step)) is not None:
                    yield Record(unit, day, key, "", part.kind, part.came_of_it)


ENDINGS: Final = {Step.COMPLETED: "outcome", Step.FAILED: "failure"}
"""The steps with which taking part ends, and the unit in which what came of it is counted."""


# --- dimensions -----------------------------------------------------------------------------------------------------------


def _arrival_of(record: Record) -> Arrival:
    if record.arrival is None:
        raise TypeError(f"a {record.unit} has no person, by whose arrival it could be broken down")
    return record.arrival


def _age_group(record: Record) -> str:
    return age_group(_arrival_of(record).birth_year, record.on.year, _FIRST_AGES)


def _citizenship_group(record: Record) -> str:
    arrival = _arrival_of(record)
    return citizenship_group(arrival.citizenships, arrival.arrived_on)


def _arrived(record: Record) -> str:
    return "same-year" if _arrival_of(record).arrived_on.year == record.on.year else "earlier"


_FIRST_AGES: Final = DECLARED.dimensions["age-group"].first

DIMENSIONS: Final[Mapping[str, Callable[[Record], str]]] = {
    "district": lambda record: record.district,
    "residence-group": lambda record: _arrival_of(record).residence_group or UNKNOWN,
    "age-group": _age_group,
    "sex": lambda record: _arrival_of(record).sex or UNKNOWN,
    "citizenship-group": _citizenship_group,
    "new-arrival": lambda record: new_arrival(_arrival_of(record)),
    "way": lambda record: record.code,
    "consent": lambda record: record.code,
    "arrived": _arrived,
    "kind": lambda record: record.kind,
    "wait-reason": lambda record: record.code,
    "step": lambda record: record.code,
    "outcome": lambda record: record.code,
    "fail-reason": lambda record: record.code,
}
"""How each declared dimension is read from a record."""

_COUNTED: Final = {
    unit: [
        (name, [DIMENSIONS[dimension] for dimension in table.dimensions])
        for name, table in DECLARED.tables.items()
        if table.counts == unit
    ]
    for unit in DECLARED.units
}
