"""The state of one case, as profiling sees it: facts, consents, the talk, the profile, needs and the plan.

A case begins with whatever is heard of it first. It can be worked on when it has arrived, the person is still in the county and their
transfer consent stands; what came before that is kept until then. An erased case is a tombstone: its id, and nothing else ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, computed_field

from schemas.codes import Accessibility, Purpose
from services.profiling.needs import Need, NeedState, Step
from services.profiling.situation import Facts
from services.runtime.calendar import berlin_day, end_of_berlin_day
from services.runtime.deciding import State


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Place(_Part):
    """Where the person lives: district (9 digits) and, where known, municipality (12 digits)."""

    district: str
    municipality: str | None = None


class Appointment(_Part):
    """The first talk. `interpreter` is a language (ISO 639-3)."""

    id: str
    site: str
    starts_at: datetime
    interpreter: str | None = None


class Sheet(_Part):
    """A filled-in guideline that came before its case did. Answers are read already.

    A case whose number was mistyped never arrives, so a sheet waits `SHEET_WAITS_DAYS` and then loses its answers (`LostSheet`).
    """

    guideline: str
    answers: Mapping[str, Any]
    confirm_derived: bool
    by: str
    at: datetime

    @property
    def until(self) -> datetime:
        """The first instant at which it waits no more."""
        return _days_later(self.at, SHEET_WAITS_DAYS)


class LostSheet(_Part):
    """What is left of a sheet whose case did not arrive, so that whoever wrote it hears of it: who, when, and none of the answers."""

    guideline: str
    by: str
    at: datetime
    dropped_at: datetime

    @property
    def until(self) -> datetime:
        """The first instant at which nothing is told of it any more."""
        return _days_later(self.dropped_at, LOSS_SHOWS_DAYS)


SHEET_WAITS_DAYS: Final = 14
"""Far longer than the way from intake takes."""

LOSS_SHOWS_DAYS: Final = 30


def _days_later(instant: datetime, days: int) -> datetime:
    """The end of that day in Germany."""
    return end_of_berlin_day(berlin_day(instant) + timedelta(days=days))


class ProfileVersion(_Part):
    """One version of the profile: who recorded it, when, by which guideline, and the coded answers."""

    version: int
    guideline: str
    complete: bool
    answers: Mapping[str, Any]
    recorded_by: str
    recorded_at: datetime


class Stage(StrEnum):
    """Where a case stands in the counsellors' work."""

    NOT_ARRIVED = "not-arrived"
    TO_INVITE = "to-invite"
    TALK_DUE = "talk-due"
    TALK_BEGUN = "talk-begun"
    PROFILED = "profiled"
    """The profile is complete; needs wait for the counsellor's word."""
    PLANNED = "planned"
    """The profile is complete, and every need is decided upon."""
    ENDED = "ended"
    ERASED = "erased"


class Obstacle(StrEnum):
    """Why a case cannot be worked on. Each is the code of a sentence that says so."""

    ERASED = "case-erased"
    NOT_ARRIVED = "case-not-arrived"
    MOVED_AWAY = "case-moved-away"
    NO_CONSENT = "transfer-consent-missing"


_NEED_STATES: Final = tuple(state.value for state in NeedState)


class Case(State):
    """One person's way through the talk and the plan.

    `withdrawn` remembers purposes whose withdrawal was heard of, also before the case arrived. `profile` is the latest version; all
    versions lie in a collection of their own. `waiting` has the latest sheet of each guideline, the last one last. `steps` is by need, and
    may hold needs that are not known (any more). `access_needs_told` is what others know of the person's needs to take part.
    """

    KIND: ClassVar[str] = "case"

    erased: bool = False
    arrived: bool = False
    moved_away: bool = False
    facts: Facts | None = None
    place: Place | None = None
    consents: tuple[Purpose, ...] = ()
    withdrawn: tuple[Purpose, ...] = ()
    appointment: Appointment | None = None
    profile: ProfileVersion | None = None
    waiting: tuple[Sheet, ...] = ()
    lost: tuple[LostSheet, ...] = ()
    needs: tuple[Need, ...] = ()
    steps: Mapping[str, Step] = {}
    access_needs_told: tuple[Accessibility, ...] = ()

    @property
    def obstacle(self) -> Obstacle | None:
        if self.erased:
            return Obstacle.ERASED
        if Purpose.TRANSFER in self.withdrawn:
            return Obstacle.NO_CONSENT
        if not self.arrived:
            return Obstacle.NOT_ARRIVED
        if self.moved_away:
            return Obstacle.MOVED_AWAY
        return None if Purpose.TRANSFER in self.consents else Obstacle.NO_CONSENT

    @property
    def plan(self) -> tuple[Need, ...]:
        """The confirmed needs, in the order in which they are to be met."""
        confirmed = [need for need in self.needs if need.state is NeedState.CONFIRMED]
        return tuple(sorted(confirmed, key=lambda need: need.position or 0))

    def need(self, id: str) -> Need | None:
        return next((need for need in self.needs if need.id == id), None)

    def due_at(self) -> datetime | None:
        return min((sheet.until for sheet in (*self.waiting, *self.lost)), default=None)

    @computed_field
    @property
    def stage(self) -> Stage:
        """Stored with the state, so that worklists find it."""
        match self.obstacle:
            case Obstacle.ERASED:
                return Stage.ERASED
            case Obstacle.NOT_ARRIVED:
                return Stage.NOT_ARRIVED
            case Obstacle.MOVED_AWAY | Obstacle.NO_CONSENT:
                return Stage.ENDED
            case None:
                return self._stage_of_work()

    def _stage_of_work(self) -> Stage:
        if self.profile is None:
            return Stage.TALK_DUE if self.appointment else Stage.TO_INVITE
        if not self.profile.complete:
            return Stage.TALK_BEGUN
        undecided = any(need.is_undecided for need in self.needs)
        return Stage.PROFILED if undecided else Stage.PLANNED

    @computed_field
    @property
    def on_agenda(self) -> datetime | None:
        """The instant by which worklists are ordered: of the last version, else of the appointment, else of the arrival, else of the last
        sheet that came before it."""
        if self.profile is not None:
            return self.profile.recorded_at
        if self.appointment is not None:
            return self.appointment.starts_at
        if self.facts is not None:
            return self.facts.arrived_at
        return max((sheet.at for sheet in (*self.waiting, *self.lost)), default=None)

    @computed_field
    @property
    def tally(self) -> dict[str, int]:
        """What the books add up, stored with the state so that nothing has to be opened for it: needs by state, and three yes or no."""
        tally = dict.fromkeys(_NEED_STATES, 0)
        for need in self.needs:
            tally[need.state.value] += 1
        tally["arrived"] = int(self.arrived)
        tally["profiled"] = int(self.profile is not None)
        tally["complete"] = int(self.profile is not None and self.profile.complete)
        return tally
