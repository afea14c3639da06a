"""An offer: a partner's dated course, or a standing service, with its seats and who holds them.

An offer with more holders than seats, or with one referral holding two seats, cannot be built. A seat is held from the proposal on and
stays taken after the partner accepted, until the referral ends.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from schemas.codes import CEFR_ORDER, BenefitRegime, Cefr, Daypart, ResidenceGroup, ServiceKind, Sex
from schemas.events import Code, District, Language
from services.runtime.deciding import Day, State

MOST_SEATS: Final = 10_000
WITHOUT_END: Final = "9999-12-31"
LAST_DAY: Final = date(2200, 12, 31)
"""The latest day that an offer may name. Held at the door: what is stored already is to stay readable."""

Age = Annotated[int, Field(ge=0, le=130)]


class OfferTerms(BaseModel):
    """What is offered, where, when and to whom. What is empty or null does not restrict.

    `service` is the code of the partner's service in the directory, if it is an offer of one. `cefr_from` and `cefr_to` are the level to
    begin with and the level that is led to; `ages` are years from and to, both included (for a child care place the child's); `dayparts`
    are when it takes place; `languages` are spoken there beside German. Without `starts_on` it is a standing service. `enrol_until` is the
    last day on which somebody may be proposed; without it that is the day of the start, or else of the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    partner: Code
    service: Code | None = None
    kind: ServiceKind
    district: District
    dayparts: tuple[Daypart, ...] = ()
    cefr_from: Cefr | None = None
    cefr_to: Cefr | None = None
    ages: tuple[Age, Age] | None = None
    sexes: tuple[Sex, ...] = ()
    residence_groups: tuple[ResidenceGroup, ...] = ()
    benefit_regimes: tuple[BenefitRegime, ...] = ()
    languages: tuple[Language, ...] = ()
    child_care: bool = False
    starts_on: Day | None = None
    ends_on: Day | None = None
    enrol_until: Day | None = None

    @property
    def last_day(self) -> date | None:
        """The last day on which somebody may be proposed; None is without end."""
        return self.enrol_until or self.starts_on or self.ends_on

    @property
    def is_dated(self) -> bool:
        return self.starts_on is not None

    @field_validator("cefr_to")
    @classmethod
    def _rises(cls, level: Cefr | None, before: ValidationInfo) -> Cefr | None:
        start: Cefr | None = before.data.get("cefr_from")
        if level is not None and start is not None and CEFR_ORDER[level] <= CEFR_ORDER[start]:
            raise PydanticCustomError("level-not-above-start", "the level led to must be above the one to begin with")
        return level

    @field_validator("ages")
    @classmethod
    def _in_order(cls, ages: tuple[int, int] | None) -> tuple[int, int] | None:
        if ages is not None and ages[0] > ages[1]:
            raise PydanticCustomError("ages-not-in-order", "the youngest age comes first")
        return ages

    @field_validator("ends_on")
    @classmethod
    def _ends_after_start(cls, ends_on: date | None, before: ValidationInfo) -> date | None:
        starts_on: date | None = before.data.get("starts_on")
        if ends_on is not None and starts_on is not None and ends_on < starts_on:
            raise PydanticCustomError("ends-before-start", "an offer ends on the day it starts or later")
        return ends_on

    @field_validator("enrol_until")
    @classmethod
    def _enrols_before_end(cls, enrol_until: date | None, before: ValidationInfo) -> date | None:
        ends_on: date | None = before.data.get("ends_on")
        if enrol_until is not None and ends_on is not None and enrol_until > ends_on:
            raise PydanticCustomError("enrols-after-end", "enrolment closes when the offer ends, or earlier")
        return enrol_until


class Holder(BaseModel):
    """Who holds a seat: a referral, and the case it belongs to."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    referral: str
    case: str


class Offer(State):
    """An offer with its seats. Without `terms` nobody has published it yet.

    `changes` counts what makes it worth while to propose it once more where it came to nothing: published (anew), seats added, somebody
    left who had been accepted. `confirmed_on` is the day on which the partner last said how many seats there are, `opened_on` that of
    the first publication.
    """

    KIND: ClassVar[str] = "offer"

    terms: OfferTerms | None = None
    seats: Annotated[int, Field(ge=0)] = 0
    holders: tuple[Holder, ...] = ()
    closed: bool = False
    changes: int = 0
    confirmed_on: Day | None = None
    opened_on: Day | None = None

    def but(self, **changes: object) -> Self:
        """This offer with some fields replaced; an overbooked one cannot come about."""
        changed = super().but(**changes)
        changed.check()
        return changed

    def check(self) -> None:
        """Raises ValueError for more holders than seats."""
        if len(self.holders) > self.seats:
            raise ValueError("an offer never has more holders than seats")
        if len({holder.referral for holder in self.holders}) != len(self.holders):
            raise ValueError("a referral holds one seat")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check()
        return self

    @property
    def taken(self) -> int:
        return len(self.holders)

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
