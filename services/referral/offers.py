"""An offer: a partner's dated course, or a standing service, with its seats and who holds them.

An offer with more holders than seats, or with one referral holding two seats, cannot be built. A seat is held from the proposal on and
stays taken after the partner accepted, until the referral ends.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from schemas.codes import (
    CEFR_ORDER,
    Accessibility,
    BenefitRegime,
    Cefr,
    CertificateIssuer,
    CertificateKind,
    Daypart,
    Literacy,
    MeetingWay,
    ResidenceGroup,
    Rhythm,
    ServiceKind,
    Sex,
    Skill,
)
from schemas.events import Code, District, Language
from services.referral.particulars import (
    ChildCare,
    CounsellingSlot,
    Course,
    Effort,
    InterpreterHours,
    Particulars,
    minimum_of,
)
from services.runtime.deciding import Day, State

MOST_SEATS: Final = 10_000
MOST_PLACES: Final = 100
WITHOUT_END: Final = "9999-12-31"
LAST_DAY: Final = date(2200, 12, 31)
"""The latest day that an offer may name. Held at the door: what is stored already is to stay readable."""

Age = Annotated[int, Field(ge=0, le=130)]
Ages = tuple[Age, Age]
"""Years from and to, both included."""
PlaceKey = Annotated[str, Field(pattern=r"^[0-9]{9}([0-9]{3})?$", description="ARS of a district or a municipality")]


class _Terms(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SkillTerms(_Terms):
    """The level of one skill to begin with, and the one that is led to. It counts in the place of what the offer says for all skills."""

    skill: Skill
    cefr_from: Cefr | None = None
    cefr_to: Cefr | None = None


class AdmissionTerms(_Terms):
    """Whom a federal course admits: with a certificate of one of these kinds, from one of these issuers (empty: any); `self_payers` too."""

    kinds: tuple[CertificateKind, ...] = ()
    issuers: tuple[CertificateIssuer, ...] = ()
    self_payers: bool = False


class OfferTerms(_Terms):
    """What is offered, where, when and to whom. What is empty or null does not restrict.

    `service` is the code of the partner's service in the directory, if it is an offer of one. `cefr_from` and `cefr_to` are the level to
    begin with and the level that is led to, in all skills; `skills` has those for which it is another. `ages` (for a child care place the
    child's); `child_care_ages` are those of the children whom the child care beside the offer takes. `places` are districts and
    municipalities: it is for people who live there alone. `admission` is what a federal course asks for. `dayparts` are when it takes place
    and `rhythm` how these times repeat; `languages` are spoken there beside German; `accessibility` is what the place has. Without
    `starts_on` it is a standing service. `enrol_until` is the last day on which somebody may be proposed; without it that is the day of the
    start, or else of the end. `particulars` is what offers of its sort say besides.

    Whether all this fits together is asked when it is published (`contradictions`).
    """

    partner: Code
    service: Code | None = None
    kind: ServiceKind
    district: District
    dayparts: tuple[Daypart, ...] = ()
    rhythm: Rhythm = Rhythm.FIXED
    cefr_from: Cefr | None = None
    cefr_to: Cefr | None = None
    skills: tuple[SkillTerms, ...] = Field(default=(), max_length=len(Skill))
    literacy: tuple[Literacy, ...] = ()
    ages: Ages | None = None
    sexes: tuple[Sex, ...] = ()
    residence_groups: tuple[ResidenceGroup, ...] = ()
    benefit_regimes: tuple[BenefitRegime, ...] = ()
    admission: AdmissionTerms | None = None
    places: tuple[PlaceKey, ...] = Field(default=(), max_length=MOST_PLACES)
    languages: tuple[Language, ...] = ()
    child_care: bool = False
    child_care_ages: Ages | None = None
    accessibility: tuple[Accessibility, ...] = ()
    starts_on: Day | None = None
    ends_on: Day | None = None
    enrol_until: Day | None = None
    particulars: Particulars | None = None

    @property
    def takes_place_by_video(self) -> bool:
        part = self.particulars
        return isinstance(part, InterpreterHours | CounsellingSlot) and part.way is MeetingWay.VIDEO

    @property
    def last_day(self) -> date | None:
        """The last day on which somebody may be proposed; None is without end. For an appointment it is the eve at the latest."""
        if self.enrol_until is None and self.slot is not None and self.starts_on is not None:
            return self.starts_on - timedelta(days=1)
        return self.enrol_until or self.starts_on or self.ends_on

    @property
    def slot(self) -> CounsellingSlot | None:
        """The appointment that is offered, if it is one."""
        return self.particulars if isinstance(self.particulars, CounsellingSlot) else None

    @property
    def slot_at(self) -> datetime | None:
        """The instant (UTC) of the appointment; None for everything else."""
        return self.slot.instant_on(self.starts_on) if self.slot is not None and self.starts_on is not None else None

    @property
    def care(self) -> str | None:
        """The offer of the child care places beside a course, where it names one."""
        return self.particulars.care if isinstance(self.particulars, Course) else None

    @property
    def accompanies(self) -> bool:
        """Whether these are places for the children of those who take part in a course."""
        return isinstance(self.particulars, ChildCare) and self.particulars.accompanies

    @property
    def hours_a_week(self) -> int | None:
        """For how long a child is looked after, where it is said."""
        return self.particulars.hours_a_week if isinstance(self.particulars, ChildCare) else None

    @property
    def is_dated(self) -> bool:
        return self.starts_on is not None

    @property
    def begins_at(self) -> Cefr | None:
        """The lowest level that is needed to begin, of whatever skill."""
        named = (self.cefr_from, *(one.cefr_from for one in self.skills))
        return min((level for level in named if level is not None), key=CEFR_ORDER.__getitem__, default=None)


class Holder(BaseModel):
    """Who holds a seat: a referral, and the case it belongs to. Of places beside a course one for each child."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    referral: str
    case: str
    places: Annotated[int, Field(ge=1)] = 1


class Offer(State):
    """An offer with its seats. Without `terms` nobody has published it yet.

    `changes` counts what makes it worth while to propose it once more where it came to nothing: published (anew), seats added, somebody
    left who had been accepted. `confirmed_on` is the day on which the partner last said how many seats there are, `opened_on` that of
    the first publication. `efforts` are those of a volunteer guide, one for each month that was reported. `runs_anyway_since`:
    on that day the county decided that a course takes place below its minimum.
    """

    KIND: ClassVar[str] = "offer"

    terms: OfferTerms | None = None
    seats: Annotated[int, Field(ge=0)] = 0
    holders: tuple[Holder, ...] = ()
    closed: bool = False
    changes: int = 0
    confirmed_on: Day | None = None
    opened_on: Day | None = None
    efforts: tuple[Effort, ...] = ()
    runs_anyway_since: Day | None = None

    def but(self, **changes: object) -> Self:
        """This offer with some fields replaced; an overbooked one cannot come about."""
        changed = super().but(**changes)
        changed.check()
        return changed

    def check(self) -> None:
        """Raises ValueError for more holders than seats."""
        if self.taken > self.seats:
            raise ValueError("an offer never has more holders than seats")
        if len({holder.referral for holder in self.holders}) != len(self.holders):
            raise ValueError("a referral holds one seat")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check()
        return self

    @property
    def row(self) -> str | None:
        """The row of appointments that it belongs to, if it does."""
        return self.terms.slot.row if self.terms is not None and self.terms.slot is not None else None

    @property
    def taken(self) -> int:
        return sum([holder.places for holder in self.holders])

    @property
    def missing(self) -> int:
        """How many participants are missing to the minimum of a course."""
        minimum = minimum_of(self.terms.particulars) if self.terms is not None else None
        return max(0, (minimum or 0) - self.taken)

    @property
    def referrals(self) -> int:
        """Of how many referrals the seat is one. Places beside a course are held with the seat of the course, whose the referral is."""
        return 0 if self.terms is not None and self.terms.accompanies else len(self.holders)

    @property
    def free(self) -> int:
        return 0 if self.closed else self.seats - self.taken

    def is_open(self, day: date) -> bool:
        """Whether somebody may be proposed on this day, if there is a seat."""
        return self.open_until is not None and day.isoformat() <= self.open_until

    @computed_field
    @property
    def open_until(self) -> str | None:
        """The last day of proposals as ISO text, stored with the state so that rounds find it; None when there are none any more."""
        if self.terms is None or self.closed:
            return None
        return self.terms.last_day.isoformat() if self.terms.last_day else WITHOUT_END
