"""Fields of action, goals, measures and the terms of reporting, each with everything that was ever said of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.reporting.indicators.own import YearRule
from services.runtime.deciding import State
from services.runtime.ids import child

_ROOT: Final = "3e0a0d52-6f0b-5f57-8a54-94c5e9a7c3d4"
"""The root of the ids of states here."""

Text = Annotated[str, Field(min_length=1, max_length=600)]
Note = Annotated[str, Field(max_length=1000)]
Body = Annotated[str, Field(min_length=1, max_length=120)]
Quarter = Annotated[str, Field(pattern=r"^20[0-9]{2}(-Q[1-4])?$")]
"""A quarter (``2018-Q3``), or a year where a document names no quarter (``2015``)."""
Number = Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
Year = Annotated[int, Field(ge=2000, le=2100)]


class Standing(StrEnum):
    """How a measure stands."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class Light(StrEnum):
    """Whether it goes as planned. `none`: nobody has judged it."""

    NONE = "none"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class _Terms(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldTerms(_Terms):
    """A field of action. `source` is where the document says so; empty for the county's own. `place` orders the fields."""

    name: Text
    source: Note = ""
    place: Annotated[int, Field(ge=0, le=999)] = 0


class Target(_Terms):
    """What the indicator's figure for the county as a whole shall be in a year."""

    indicator: str
    direction: Literal["at-least", "at-most"]
    value: Number
    year: Year


class GoalTerms(_Terms):
    """A goal of a field. `number` as the document counts it; `challenge` the heading under which it stands there."""

    field: str
    text: Text
    number: Annotated[str, Field(max_length=20)] = ""
    challenge: Note = ""
    bodies: Annotated[tuple[Body, ...], Field(max_length=10)] = ()
    target: Target | None = None
    source: Note = ""
    place: Annotated[int, Field(ge=0, le=999)] = 0


class MeasureTerms(_Terms):
    """A measure of a goal: the responsible bodies, when it begins and ends, how it stands, and a light that explains itself."""

    goal: str
    text: Text
    bodies: Annotated[tuple[Body, ...], Field(max_length=10)] = ()
    begins: Quarter | None = None
    ends: Quarter | None = None
    standing: Standing = Standing.PLANNED
    light: Light = Light.NONE
    explanation: Note = ""
    source: Note = ""
    place: Annotated[int, Field(ge=0, le=999)] = 0


class ReportTerms(_Terms):
    """How often the progress report is due, in months, and who gets it: bodies, not persons. Nothing is set until the county sets it.

    `year_of_entry`: which year counts for indicators 5.2 and 5.3 when entry to Germany and move to the county fall into different ones.
    """

    every_months: Annotated[int, Field(ge=1, le=36)] | None = None
    recipients: Annotated[tuple[Body, ...], Field(max_length=20)] = ()
    year_of_entry: YearRule = "of-the-move"

    @model_validator(mode="after")
    def _no_persons(self) -> Self:
        if any("@" in one for one in self.recipients):
            raise ValueError("name a body, not an address")
        return self


Terms = FieldTerms | GoalTerms | MeasureTerms | ReportTerms
T = TypeVar("T", bound=_Terms)


class Said(BaseModel):
    """What was said, when, and by whom (a sign-in's id)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: datetime
    by: str
    terms: Terms = Field(union_mode="left_to_right")


class _Steered(State):
    """`said` from the first to the latest, which holds now."""

    said: tuple[Said, ...] = ()

    @property
    def revision(self) -> int:
        """How often something was said; whoever changes something names the one they have seen."""
        return len(self.said)


class ActionField(_Steered):
    KIND = "actionfield"

    @property
    def now(self) -> FieldTerms:
        return _as(FieldTerms, self.said)


class Goal(_Steered):
    KIND = "goal"

    @property
    def now(self) -> GoalTerms:
        return _as(GoalTerms, self.said)


class Measure(_Steered):
    KIND = "measure"

    @property
    def now(self) -> MeasureTerms:
        return _as(MeasureTerms, self.said)


class Reporting(_Steered):
    """One for each county."""

    KIND = "progressreport"

    @property
    def now(self) -> ReportTerms:
        return _as(ReportTerms, self.said) if self.said else ReportTerms()


def _as(kind: type[T], said: tuple[Said, ...]) -> T:
    terms = said[-1].terms
    if not isinstance(terms, kind):
        raise TypeError(f"a {type(terms).__name__} stands where a {kind.__name__} belongs")
    return terms


def reporting_id(county: str) -> str:
    return child(_ROOT, f"{county}/report")


def plan_id(county: str, plan: str, place: str) -> str:
    """The id of what a plan names: taken over twice, it is the same."""
    return child(_ROOT, f"{county}/{plan}/{place}")
