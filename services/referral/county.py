"""What a county decides about referrals: deadlines, distances, points, the directory. Read once from `county.yaml`, which explains all.

Settings are versions with a first day; `settings_of` gives the one that counts on a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from schemas.codes import ContactField, LapseStage, ServiceKind
from schemas.plain_yaml import read_yaml
from services.runtime.calendar import berlin_day, end_of_berlin_day

MOST_POINTS: Final = 1000

_SOURCE: Final = Path(__file__).with_name("county.yaml")
_DEFAULT: Final = "default"

Days = Annotated[int, Field(ge=0, le=3660)]
Points = Annotated[int, Field(ge=0, le=MOST_POINTS)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deadlines(_Part):
    """Days for each answer. A deadline ends with the last moment of its day in Germany."""

    release: Days
    agreement: Days
    answer: Days

    def end(self, stage: LapseStage, now: datetime) -> datetime:
        """The first instant at which the answer is too late."""
        days = {LapseStage.RELEASE: self.release, LapseStage.AGREEMENT: self.agreement, LapseStage.ANSWER: self.answer}
        return _end_of(berlin_day(now) + timedelta(days=days[stage]))


_end_of: Final = lru_cache(maxsize=1024)(end_of_berlin_day)
"""Asked for the same few days by every step of a round."""


class Reach(_Part):
    """How far is too far, in kilometres."""

    usual: Annotated[int, Field(ge=1)]
    kinds: Mapping[ServiceKind, Annotated[int, Field(ge=1)]] = {}

    def of(self, kind: ServiceKind) -> int:
        return self.kinds.get(kind, self.usual)


class Weights(_Part):
    """The most that each reason may add. Whole numbers, together 1000."""

    distance: Points
    level: Points
    start: Points
    time: Points
    language: Points
    load: Points

    @model_validator(mode="after")
    def _together(self) -> Self:
        if sum(weight for _, weight in self) != MOST_POINTS:
            raise ValueError(f"the points of all reasons must be {MOST_POINTS} together")
        return self

    def of(self, reason: str) -> int:
        return getattr(self, reason)


class Waiting(_Part):
    """What waiting is worth."""

    points_a_day: Annotated[int, Field(ge=0)]
    urgent_points_a_day: Annotated[int, Field(ge=0)]
    scale_days: Annotated[int, Field(ge=1)]


class Contact(_Part):
    """What a partner may read of a person it accepted, and until when."""

    fields: tuple[ContactField, ...]
    partners: Mapping[str, tuple[ContactField, ...]] = {}
    days_after_end: Days
    days_without_end: Days

    def fields_for(self, partner: str) -> tuple[ContactField, ...]:
        return self.partners.get(partner, self.fields)

    def until(self, accepted_on: date, ends_on: date | None) -> date:
        """The last day of reading."""
        if ends_on is None:
            return _days_after(accepted_on, self.days_without_end)
        return _days_after(max(accepted_on, ends_on), self.days_after_end)


def _days_after(day: date, days: int) -> date:
    """At the end of the calendar, its last day: terms from before there was a bound may lie there."""
    return day + timedelta(days=min(days, (date.max - day).days))


class LookAhead(_Part):
    """For how many days at most a need waits although a seat is free, because the seat is worth more to those who are still to come."""

    kept_back_days: Days


class DirectorySettings(_Part):
    """How long an entry of the directory counts as confirmed."""

    stale_after_days: Days


class LotseSettings(_Part):
    """What the county asks of its volunteer guides. `conduct_counts_days`: so long the certificate of conduct that was inspected counts."""

    conduct_counts_days: Days
    most_cases: Annotated[int, Field(ge=1)]


class CountySettings(_Part):
    """One version of a county's decisions."""

    valid_from: date
    deadlines: Deadlines
    furthest_km: Reach
    points: Weights
    waiting: Waiting
    look_ahead: LookAhead
    contact: Contact
    directory: DirectorySettings
    lotsen: LotseSettings


def settings_of(county: str, day: date) -> CountySettings:
    """The settings that count in this county on this day. Raises LookupError for a day before the first version."""
    versions = _versions()
    for version in versions.get(county, versions[_DEFAULT]):
        if version.valid_from <= day:
            return version
    raise LookupError(f"no settings for referrals are valid before {versions[_DEFAULT][-1].valid_from}")


def parse(text: str) -> dict[str, tuple[CountySettings, ...]]:
    """The versions by county, the latest first. Raises pydantic's `ValidationError`."""
    described = TypeAdapter(dict[str, tuple[CountySettings, ...]]).validate_python(read_yaml(text))
    return {
        county: tuple(sorted(versions, key=lambda version: version.valid_from, reverse=True))
        for county, versions in described.items()
    }


@cache
def _versions() -> dict[str, tuple[CountySettings, ...]]:
    return parse(_SOURCE.read_text(encoding="utf-8"))
