"""What people may ask of profiling, checked and read: the commands, and what each is answered.

Answers carry ids and states only. They are kept for repetitions longer than an erasure takes, so nothing about a person may be in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import ServiceKind
from schemas.events import Code, Uuid
from services.profiling.model import Case, Place, Stage
from services.profiling.needs import NeedState

MOST_DECISIONS = 100


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reach(_Frozen):
    """Whose cases somebody may work on: of one municipality, of one district, or (both null) of the whole county."""

    district: str | None = None
    municipality: str | None = None

    def covers(self, place: Place | None) -> bool:
        if self.municipality is not None:
            return place is not None and place.municipality == self.municipality
        return self.district is None or (place is not None and place.district == self.district)


class RecordProfile(_Frozen):
    """A new version of the profile: everything that is known now. `answers` are as `Guideline.read` gives them.

    `based_on` is the version that was open while these answers were given; null where there was none to look at (a paper sheet).
    """

    case: Uuid
    guideline: Code
    answers: Mapping[str, Any]
    confirm_derived: bool = False
    based_on: int | None = None
    reach: Reach = Reach()


class Confirm(_Frozen):
    """The need is to be met. `urgent` null leaves it as the rule has it."""

    decision: Literal["confirm"]
    need: Uuid
    urgent: bool | None = None


class Drop(_Frozen):
    """The rule is right and yet there is no need."""

    decision: Literal["drop"]
    need: Uuid


class Add(_Frozen):
    """A need that no rule saw."""

    decision: Literal["add"]
    kind: ServiceKind
    urgent: bool = False


NeedDecision = Annotated[Confirm | Drop | Add, Field(discriminator="decision")]


class ConfirmNeeds(_Frozen):
    """What the counsellor decided upon, all of it or nothing. The order is that of the plan."""

    case: Uuid
    decisions: tuple[NeedDecision, ...] = Field(min_length=1, max_length=MOST_DECISIONS)
    reach: Reach = Reach()


class WithdrawNeed(_Frozen):
    """A confirmed need is no longer there, or was a mistake."""

    case: Uuid
    need: Uuid
    reach: Reach = Reach()


ProfilingCommand = RecordProfile | ConfirmNeeds | WithdrawNeed


class NeedStanding(_Frozen):
    """A need after a command."""

    need: str
    state: NeedState


class Standing(_Frozen):
    """A case after a command. `version` is null while a sheet waits for its case to arrive, which it does to the instant `kept_until`."""

    case: str
    stage: Stage
    version: int | None
    kept_until: datetime | None = None
    needs: tuple[NeedStanding, ...]

    @classmethod
    def of(cls, case: Case) -> Standing:
        return cls(
            case=case.id,
            stage=case.stage,
            version=case.profile.version if case.profile else None,
            kept_until=case.waiting[-1].until if case.waiting else None,
            needs=tuple(NeedStanding(need=need.id, state=need.state) for need in case.needs),
        )
