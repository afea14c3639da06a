"""A case, a day and a counsellor for the tests of profiling, and sheets as a counsellor would fill them in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.codes import Purpose, ResidenceGroup, Way
from schemas.events import AppointmentBooked, ArrivalRegistered
from services.profiling.answers import Answers
from services.profiling.commands import RecordProfile
from services.profiling.guideline import guideline
from services.profiling.needs import DerivedNeed, derive
from services.profiling.service import SERVICE
from services.profiling.situation import Facts
from tests.given import World

COUNTY = "03459"
MELLE = "034590024"
MELLE_TOWN = "034590024024"
BRAMSCHE = "034590014"
CASE = "6f1c2a0e-8d5b-4c7e-9a31-0b2d4f6a8c10"
OTHER_CASE = "0b2d4f6a-8c10-4c7e-9a31-6f1c2a0e8d5b"
APPOINTMENT = "06961bde-4e22-4bc6-9577-52110ed2539c"
FIRST_GUIDELINE = "guideline-2016.1"
GUIDELINE = "guideline-2016.2"
NOW = datetime(2016, 6, 1, 9, 30, tzinfo=UTC)
TALK_AT = datetime(2016, 6, 1, 8, 0, tzinfo=UTC)

TALK_PURPOSES = tuple(purpose for purpose in Purpose if purpose is not Purpose.TRANSFER)


def profiling() -> World:
    """A county in which nothing has happened yet."""
    return World(SERVICE.logic, county=COUNTY, now=NOW)


def arrival(**other: Any) -> ArrivalRegistered:
    """Somebody of 34 years who came from abroad three months ago, speaks Arabic and consented at the counter."""
    told: dict[str, Any] = {
        "district": MELLE,
        "municipality": MELLE_TOWN,
        "arrived_on": date(2016, 3, 1),
        "birth_year": 1982,
        "languages": ("ara",),
        "way": Way.OFFICE_FILE,
        "consents": (Purpose.TRANSFER,),
    }
    return ArrivalRegistered(**{**told, **other})


def booking(appointment: str = APPOINTMENT, starts_at: datetime = TALK_AT, site: str = "melle") -> AppointmentBooked:
    return AppointmentBooked(appointment=appointment, site=site, starts_at=starts_at)


def whole_talk(**other: Any) -> dict[str, Any]:
    """Every required question answered: a literate beginner of German without children, work or wishes."""
    answers: dict[str, Any] = {
        "languages": ["ara"],
        "german": levels("a1"),
        "literacy": "literate",
        "children_ages": [],
        "school_years": 9,
        "working": False,
        "qualification": "none",
        "benefit_regime": "none",
        "certificates": [],
        "goals": [],
        "available": ["weekday-morning"],
    }
    return {**answers, **other}


def certificate(until: str | None = "2017-12-31", **other: Any) -> dict[str, Any]:
    """An admission to integration courses by the federal office, as it is written on a sheet."""
    told = {"scheme": "integration-course", "kind": "admitted", "issuer": "bamf", "valid_until": until}
    return {**told, **other}


def levels(level: str) -> dict[str, str]:
    """The same level in each skill."""
    return dict.fromkeys(("listening", "reading", "speaking", "writing"), level)


def record(case: str = CASE, **other: Any) -> RecordProfile:
    """The command of a whole talk; `answers` replaces what was answered, anything else the command's own fields."""
    answers = guideline(GUIDELINE).read(other.pop("answers", whole_talk()))
    return RecordProfile(case=case, guideline=GUIDELINE, answers=answers, **other)


def conclusions(
    *, age: int | None = 34, months_here: int = 3, residence: ResidenceGroup | None = None, **answers: Any
) -> tuple[DerivedNeed, ...]:
    """What the rules conclude of somebody of this age with these answers; `german` may be one level for all skills."""
    if isinstance(answers.get("german"), str):
        answers["german"] = levels(answers["german"])
    facts = Facts(
        arrived_on=(NOW - timedelta(days=31 * months_here)).date(),
        birth_year=None if age is None else NOW.year - age,
        residence_group=residence,
    )
    return derive(Answers.of(guideline(GUIDELINE).read(answers)), facts, NOW)


def rules(**situation: Any) -> set[str]:
    """The ids of the rules that hold."""
    return {one.rule for one in conclusions(**situation)}
