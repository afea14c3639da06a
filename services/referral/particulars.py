"""What an offer of one sort says beside what all offers say: one part of the terms, told apart by `sort`.

To matching every offer is the same: seats, for some people, somewhere, at some times. What a seat is differs by sort: a participant of a
course, a case of a volunteer guide, an hour of a week of interpreting. A volunteer is a code of the partner's and never a name.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import LANGUAGE_COURSES, Daypart, InterpretingWay, LotseTopic, ServiceKind, Weekday
from schemas.events import Code, Month
from services.runtime.deciding import Day

MOST_TIMES: Final = 21
"""Times a week of one offer: three a day."""

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="hours and minutes in Germany")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WeeklyTime(_Part):
    """Each week on this day, from and to."""

    weekday: Weekday
    begins: Clock
    ends: Clock


class Course(_Part):
    """A course. A seat is a participant; with fewer than `minimum` it does not take place. `site` is one of the partner's entry."""

    sort: Literal["course"] = "course"
    minimum: Annotated[int, Field(ge=1)] | None = None
    times: tuple[WeeklyTime, ...] = Field(default=(), max_length=MOST_TIMES)
    site: Code | None = None


class Lotse(_Part):
    """A volunteer guide, by the partner's own code. A seat is a case that they accompany: the seats are the case limit.

    Where they go is in `places`, what they speak in `languages`, when they have time in `dayparts`. Of agreements and certificates there is
    the day alone: of the confidentiality agreement that they signed, and on which somebody inspected their certificate of conduct.
    """

    sort: Literal["lotse"] = "lotse"
    volunteer: Code
    topics: tuple[LotseTopic, ...] = ()
    confidentiality_signed_on: Day | None = None
    conduct_inspected_on: Day | None = None


class Effort(_Part):
    """What a volunteer gave in a month, for the reimbursement of their expenses: whole hours, and visits. Of whom they visited, nothing."""

    month: Month
    hours: Annotated[int, Field(ge=0, le=744)]
    visits: Annotated[int, Field(ge=0, le=1000)]


class InterpreterHours(_Part):
    """Interpreting in the languages of the offer, on site or by video. A seat is an hour of a week."""

    sort: Literal["interpreter-hours"] = "interpreter-hours"
    way: InterpretingWay


Particulars = Annotated[Course | Lotse | InterpreterHours, Field(discriminator="sort")]

COURSES: Final = LANGUAGE_COURSES | {
    ServiceKind.CHILD_LANGUAGE_SUPPORT,
    ServiceKind.ADAPTATION_TRAINING,
    ServiceKind.COMPETENCE_ASSESSMENT,
}


def fits(particulars: Course | Lotse | InterpreterHours, kind: ServiceKind) -> bool:
    """Whether offers of this kind are of this sort."""
    match particulars:
        case Course():
            return kind in COURSES
        case Lotse():
            return kind is ServiceKind.LOTSE
        case InterpreterHours():
            return kind is ServiceKind.INTERPRETER


def minimum_of(particulars: Course | Lotse | InterpreterHours | None) -> int | None:
    """The participants that a course needs to take place."""
    return particulars.minimum if isinstance(particulars, Course) else None


def dayparts_of(times: tuple[WeeklyTime, ...]) -> tuple[Daypart, ...]:
    """The parts of the day that these times take up: all of the weekend, and on weekdays the parts of which they take more than half an
    hour, so that a morning's course may run a little into the afternoon."""
    found = {part for time in times for part in _dayparts(time)}
    return tuple(part for part in Daypart if part in found)


def minutes(clock: str) -> int:
    """Since midnight."""
    return int(clock[:2]) * 60 + int(clock[3:])


def _dayparts(time: WeeklyTime) -> set[Daypart]:
    if time.weekday in (Weekday.SATURDAY, Weekday.SUNDAY):
        return {Daypart.WEEKEND}
    begins, ends = minutes(time.begins), minutes(time.ends)
    taken = {part: min(ends, to) - max(begins, start) for part, (start, to) in _PARTS_OF_A_DAY.items()}
    longest = max(taken, key=taken.__getitem__)
    return {longest, *(part for part, long in taken.items() if long > _A_LITTLE)}


_PARTS_OF_A_DAY: Final = {
    Daypart.WEEKDAY_MORNING: (0, 13 * 60),
    Daypart.WEEKDAY_AFTERNOON: (13 * 60, 17 * 60),
    Daypart.WEEKDAY_EVENING: (17 * 60, 24 * 60),
}
"""Minutes since midnight, from and to. Courses in the morning end when school does, in the evening they begin after work."""
_A_LITTLE: Final = 30
"""Minutes."""
