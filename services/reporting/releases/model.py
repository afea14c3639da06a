"""What reporting remembers of a release, and how it comes to be one. Pure."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from schemas.envelope import Subject
from schemas.events import ReleasePublished
from services.reporting.releases.calendar import Issue
from services.reporting.tables import Vintage
from services.runtime.deciding import Decision, State, States

_NAMES: Final = uuid.uuid5(uuid.NAMESPACE_URL, "wegenetz/releases")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class File(_Part):
    """A file of a release. `sha256` is the checksum of its bytes, in hexadecimal digits."""

    name: str
    media_type: str
    size: int
    sha256: str


class Release(State):
    """A release that was published; before that nothing is kept of it. `batch` are the files' bytes, written before it was published."""

    KIND = "release"
    kind: str = ""
    period: str = ""
    published_at: datetime | None = None
    batch: str = ""
    files: tuple[File, ...] = ()
    changes: int = 0

    @property
    def issue(self) -> Issue:
        return Issue(self.kind, self.period)

    @property
    def vintage(self) -> Vintage:
        return self.issue.vintage


class Publish(BaseModel):
    """The files of this release lie ready as `batch`: from now on they are the release."""

    model_config = ConfigDict(frozen=True)
    release: str
    kind: str
    period: str
    batch: str
    files: tuple[File, ...]
    changes: int


class Published(BaseModel):
    """The answer. `batch` is the one that counts: another one, if somebody else was faster."""

    batch: str


class LaidOut(BaseModel):
    """Fact: what the release consists of."""

    model_config = ConfigDict(frozen=True)
    command: Publish


def release_id(county: str, issue: Issue) -> str:
    """The id of a county's release: the same whoever publishes it, so that there is one."""
    return str(uuid.uuid5(_NAMES, f"{county}/{issue.name}"))


def decide_publish(command: Publish, states: States) -> Decision:
    """A release is published once and never changed: what is ready later than another is not published."""
    subject = Subject(Release.KIND, command.release)
    known = states.known(Release, command.release)
    if known is not None and known.published_at is not None:
        return Decision(answer=Published(batch=known.batch))
    event = ReleasePublished(period=command.period, vintage=Issue(command.kind, command.period).vintage)
    return Decision([(subject, LaidOut(command=command)), (subject, event)], answer=Published(batch=command.batch))


def evolve_release(state: Release, fact: Any, at: datetime) -> Release:
    if isinstance(fact, LaidOut):
        told = fact.command
        return state.but(kind=told.kind, period=told.period, batch=told.batch, files=told.files, changes=told.changes)
    return state.but(published_at=at)
