"""What an offer of one sort says beside what all offers say: one part of the terms, told apart by `sort`.

To matching every offer is the same: seats, for some people, somewhere, at some times. What a seat is differs by sort: a participant of a
course, a case of a volunteer guide, an hour of a week of interpreting, an appointment, a place for a child. A volunteer is a code of the
partner's and never a name.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import LANGUAGE_COURSES, Daypart, LotseTopic, MeetingWay, ServiceKind, Weekday
from schemas.events import Code, Month, Uuid
from services.runtime.calendar import berlin_instant
from services.runtime.deciding import Day

MOST_TIMES: Final = 21
"""Times a week of one offer: three a day."""

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="hours and minutes in Germany")]


MunicipalityKey = Annotated[str, Field(pattern=r"^[0-9]{12}$", description="ARS of a municipality")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WeeklyTime(_Part):
    """Each week on this day, from and to."""

    weekday: Weekday
    begins: Clock
    ends: Clock


class Course(_Part):
    """A course. A seat is a participant; with fewer than `minimum` it does not take place. `site` is one of the partner's entry. `care` is
    the offer of the child care places beside it: whoever needs them has a seat only together with as many of them as children (`care`)."""

    sort: Literal["course"] = "course"
    minimum: Annotated[int, Field(ge=1)] | None = None
    times: tuple[WeeklyTime, ...] = Field(default=(), max_length=MOST_TIMES)
    site: Code | None = None
    care: Uuid | None = None


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
    way: MeetingWay


SLOT: Final = "counselling-slot"


class CounsellingSlot(_Part):
    """One appointment for counselling, on the day on which its offer starts: the one seat is the appointment, so it belongs to one person.

    `begins` in Germany, for so many `minutes`; `site` is one of the partner's entry. The counsellor speaks the `languages` of the offer.
    `row` tells the slots of one row of appointments (`slots`) from all others: who said no to the one has said it to all of them.
    """

    sort: Literal["counselling-slot"] = SLOT
    begins: Clock
    minutes: Annotated[int, Field(ge=5, le=480)]
    way: MeetingWay
    site: Code | None = None
    row: Uuid | None = None

    @property
    def ends(self) -> str:
        """The time of day; past midnight more than 24:00, which is refused when it is published."""
        return clock_of(self._until)

    def dayparts_on(self, day: date) -> tuple[Daypart, ...]:
        """The parts of the day that it takes up."""
        found = _parts(WEEKDAYS[day.weekday()], minutes(self.begins), self._until)
        return tuple(part for part in Daypart if part in found)

    def instant_on(self, day: date) -> datetime:
        """When it begins on this day (UTC)."""
        return berlin_instant(day, *divmod(minutes(self.begins), 60))

    @property
    def _until(self) -> int:
        return minutes(self.begins) + self.minutes


class ChildCare(_Part):
    """Places where children are looked after. A seat is a place for one child, of the `ages` of the offer, from `starts_on` on, so many
    hours a week or in the `dayparts` of the offer; `municipality` (12 digits) lies in its district, `site` is one of the partner's entry.

    `accompanies`: they are for the children of those who take part in a course that names this offer, and for nobody else.
    """

    sort: Literal["child-care"] = "child-care"
    hours_a_week: Annotated[int, Field(ge=1, le=60)] | None = None
    municipality: MunicipalityKey | None = None
    site: Code | None = None
    accompanies: bool = False


AnyParticulars = Course | Lotse | InterpreterHours | CounsellingSlot | ChildCare
Particulars = Annotated[AnyParticulars, Field(discriminator="sort")]

COURSES: Final = LANGUAGE_COURSES | {
    ServiceKind.CHILD_LANGUAGE_SUPPORT,
    ServiceKind.ADAPTATION_TRAINING,
    ServiceKind.COMPETENCE_ASSESSMENT,
}


COUNSELLING: Final = frozenset(
    {
        ServiceKind.RECOGNITION_COUNSELLING,
        ServiceKind.MIGRATION_COUNSELLING,
        ServiceKind.YOUTH_MIGRATION_SERVICE,
        ServiceKind.UNACCOMPANIED_MINORS,
        ServiceKind.SCHOOL_COUNSELLING,
        ServiceKind.FURTHER_TRAINING_ADVICE,
        ServiceKind.COMPETENCE_ASSESSMENT,
        ServiceKind.JOB_PLACEMENT,
        ServiceKind.SKILLED_WORKER_OFFICE,
        ServiceKind.PSYCHOSOCIAL_CARE,
        ServiceKind.HEALTH_NAVIGATION,
        ServiceKind.HOUSING,
        ServiceKind.FAMILY_CENTRE,
        ServiceKind.NATURALISATION_ADVICE,
    }
)
"""The services for which people come to talk with somebody."""

WEEKDAYS: Final = tuple(Weekday)
"""In the order of `date.weekday`."""


def fits(particulars: AnyParticulars, kind: ServiceKind) -> bool:
    """Whether offers of this kind are of this sort."""
    match particulars:
        case Course():
            return kind in COURSES
        case Lotse():
            return kind is ServiceKind.LOTSE
        case InterpreterHours():
            return kind is ServiceKind.INTERPRETER
        case CounsellingSlot():
            return kind in COUNSELLING
        case ChildCare():
            return kind is ServiceKind.CHILD_CARE_PLACE


def minimum_of(particulars: AnyParticulars | None) -> int | None:
    """The participants that a course needs to take place."""
    return particulars.minimum if isinstance(particulars, Course) else None


def most_seats(particulars: AnyParticulars | None) -> int | None:
    """The most seats that an offer of this sort can have; None where nothing limits them."""
    return 1 if isinstance(particulars, CounsellingSlot) else None


def site_of(particulars: AnyParticulars | None) -> str | None:
    """The code of the partner's site at which it takes place, where it names one."""
    return particulars.site if isinstance(particulars, Course | CounsellingSlot | ChildCare) else None


def dayparts_of(times: tuple[WeeklyTime, ...]) -> tuple[Daypart, ...]:
    """The parts of the day that these times take up: all of the weekend, and on weekdays the parts of which they take more than half an
    hour, so that a morning's course may run a little into the afternoon."""
    found = {part for time in times for part in _dayparts(time)}
    return tuple(part for part in Daypart if part in found)


def minutes(clock: str) -> int:
    """Since midnight."""
    return int(clock[:2]) * 60 + int(clock[3:])


def clock_of(minutes: int) -> str:
    """The time of day after so many minutes since midnight."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _dayparts(time: WeeklyTime) -> set[Daypart]:
    return _parts(time.weekday, minutes(time.begins), minutes(time.ends))


def _parts(weekday: Weekday, begins: int, ends: int) -> set[Daypart]:
    if weekday in (Weekday.SATURDAY, Weekday.SUNDAY):
        return {Daypart.WEEKEND}
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
