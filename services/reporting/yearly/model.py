"""The texts of a report, each with everything that was ever written there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.dashboard.exhibits import TOPICS
from services.runtime.deciding import State
from services.runtime.ids import child

_ROOT: Final = "5b1c7f0e-93a4-5d5c-8e0f-2c6a41d7b9f3"
"""The root of the ids of texts."""

FOREWORD, INDICATORS, OUTLOOK = "foreword", "indicators", "outlook"
SECTIONS: Final = (FOREWORD, *(topic.id for topic in TOPICS), INDICATORS, OUTLOOK)
"""Where the office writes something, in the order of the report."""

LONGEST: Final = 6000
Words = Annotated[str, Field(max_length=LONGEST)]
"""Plain text: an empty line parts paragraphs, lines that begin with a hyphen are a list."""


class Written(BaseModel):
    """What was written, when, and by whom (a sign-in's id)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: datetime
    by: str
    text: Words


class ReportText(State):
    """A section's text in the report of a year. `said` from the first to the latest, which holds."""

    KIND = "reporttext"
    year: int = 0
    section: str = ""
    said: tuple[Written, ...] = ()

    @property
    def revision(self) -> int:
        return len(self.said)

    @property
    def now(self) -> str:
        return self.said[-1].text if self.said else ""


def text_id(county: str, year: int, section: str) -> str:
    return child(_ROOT, f"{county}/{year}/{section}")
