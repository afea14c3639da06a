"""The state of one case, as referral sees it: the coded facts that eligibility needs, consents, and the search for a place for each need.

A need has at most one live referral; those that ended stay with it, so that nothing is proposed twice. A need that has none and is not
settled waits: nobody is dropped. It is looked at in rounds while the case stands: the person has arrived, lives in the county, and their
transfer consent holds. An erased case is a tombstone: its id, and nothing else ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Self

from pydantic import computed_field, model_validator

from schemas.codes import (
    AgreementScope,
    Daypart,
    Purpose,
    ServiceKind,
    WaitReason,
    purpose_of,
)
from schemas.events import GermanLevels
from services.referral.parts import Part
from services.referral.people import Person, Profile
from services.referral.referrals import LIVE, TAKEN, Referral, ReferralState
from services.runtime.deciding import State

Document = dict[str, Any]


class NeedState(StrEnum):
    """Where the search for a need stands."""

    WAITING = "waiting"
    HELD = "held"
    RELEASED = "released"
    AGREED = "agreed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Settled(StrEnum):
    """Why nothing is sought for a need, until it is confirmed again."""

    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Scope(Part):
    """What the person agreed to in advance (`scope.py`): places of this partner, or of any partner, in these districts at these dayparts
    (none named: at any). Recorded `by` a counsellor."""

    id: str
    reach: AgreementScope
    partner: str | None = None
    dayparts: tuple[Daypart, ...] = ()
    districts: tuple[str, ...]
    at: datetime
    by: str


class Need(Part):
    """What a place is sought for. `since` is when the search began, `scope` what may be asked for without asking the person again.

    `passed_over`: the last round that had news for this need found no place; `told` is the reason that others heard last. `withdrawn` is
    remembered also while somebody stays where they were accepted, so that nothing is sought when that ends. `afresh` is how many of
    the past referrals there were when the need was confirmed last.
    """

    id: str
    kind: ServiceKind
    urgent: bool
    since: datetime
    live: Referral | None = None
    past: tuple[Referral, ...] = ()
    settled: Settled | None = None
    withdrawn: bool = False
    afresh: int = 0
    scope: Scope | None = None
    passed_over: bool = False
    told: WaitReason | None = None

    def check(self) -> None:
        if self.live is not None and (self.settled is not None or self.live.state not in LIVE):
            raise ValueError("a live referral is alive, and its need is not settled")
        if any(referral.state in LIVE for referral in self.past):
            raise ValueError("a past referral has ended")
        if self.withdrawn and self.is_sought:
            raise ValueError("what was withdrawn is not sought")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self.check()
        return self

    @property
    def is_sought(self) -> bool:
        """Nothing is held for it, and nothing says that nothing should be."""
        return self.live is None and self.settled is None

    @property
    def purpose(self) -> Purpose:
        return purpose_of(self.kind)


_HELD_AS: Final = {
    ReferralState.PROPOSED: NeedState.HELD,
    ReferralState.RELEASED: NeedState.RELEASED,
    ReferralState.AGREED: NeedState.AGREED,
    ReferralState.RECEIVED: NeedState.AGREED,
    **dict.fromkeys(TAKEN, NeedState.ACCEPTED),
}


def _levels_of_each_skill(body: Document) -> Document:
    """Before, a profile had one level: that of the weakest skill."""
    profile = {**body.get("profile", {})}
    level = profile.pop("german", None)
    return {**body, "profile": {**profile, "levels": dict.fromkeys(GermanLevels.model_fields, level)}}


class Case(State):
    """One person's search for the places they need.

    `revision` counts what would be news to a round, so that what it found in an older state is not taken for an answer about this one.
    `arrived_at` is when the arrival was heard of.
    """

    KIND: ClassVar[str] = "case"
    SHAPE: ClassVar[int] = 2
    UPGRADES: ClassVar[Mapping[int, Callable[[Document], Document]]] = {1: _levels_of_each_skill}

    erased: bool = False
    moved_away: bool = False
    person: Person | None = None
    arrived_at: datetime | None = None
    profile: Profile = Profile()
    consents: tuple[Purpose, ...] = ()
    needs: tuple[Need, ...] = ()
    revision: int = 0

    @property
    def stands(self) -> bool:
        """Whether places may be sought: arrived, in the county, with the transfer consent."""
        return self.person is not None and not self.moved_away and Purpose.TRANSFER in self.consents

    def need(self, id: str) -> Need | None:
        return next((need for need in self.needs if need.id == id), None)

    def need_of(self, referral: str) -> tuple[Need, Referral] | None:
        """The need and the referral, alive or past."""
        for need in self.needs:
            for known in (need.live, *need.past):
                if known is not None and known.id == referral:
                    return need, known
        return None

    def state_of(self, need: Need) -> NeedState:
        if need.live is not None:
            return _HELD_AS[need.live.state]
        if need.settled is not None:
            return NeedState(need.settled)
        return NeedState.WAITING if self.stands or self.person is None else NeedState.WITHDRAWN

    def state_by_id(self, id: str) -> NeedState:
        """Raises LookupError for a need that is not known."""
        need = self.need(id)
        if need is None:
            raise LookupError("this case has no such need")
        return self.state_of(need)

    def consents_to(self, need: Need) -> bool:
        return need.purpose in self.consents

    def has_place_beside(self, need: Need) -> bool:
        """Whether a place of this kind is held for another need: one person is never given two."""
        return any(other.live is not None and other.kind is need.kind and other.id != need.id for other in self.needs)

    def due_at(self) -> datetime | None:
        return min(
            (need.live.deadline for need in self.needs if need.live is not None and need.live.deadline is not None),
            default=None,
        )

    @computed_field
    @property
    def agenda(self) -> tuple[str, ...]:
        """What is to be done here and by whom, stored with the state so that rounds and lists find it."""
        return tuple(dict.fromkeys(self._agenda()))

    def _agenda(self) -> Iterator[str]:
        for need in self.needs:
            yield from (done_at(referral.partner) for referral in need.past if referral.was_told)
            if need.live is not None:
                yield from self.entries_of(need.live)
            elif self.stands and need.is_sought:
                if not need.passed_over:
                    yield ROUND
                elif self.consents_to(need):
                    yield waiting_for(need.kind)

    @staticmethod
    def entries_of(live: Referral) -> Iterator[str]:
        """The entries of the agenda for a live referral: who is to answer, where it runs, and whom somebody should ask after."""
        match live.state:
            case ReferralState.PROPOSED:
                yield RELEASE
            case ReferralState.RELEASED:
                yield AGREEMENT
            case ReferralState.AGREED | ReferralState.RECEIVED:
                yield answer_of(live.partner)
                if live.agreed_in_advance:
                    yield AGREED_IN_ADVANCE
            case _:
                yield running_at(live.partner)
                if live.state is ReferralState.UNATTENDED:
                    yield UNATTENDED


ROUND: Final = "round"
RELEASE: Final = "release"
AGREEMENT: Final = "agreement"
UNATTENDED: Final = "unattended"
AGREED_IN_ADVANCE: Final = "agreed-in-advance"


def waiting_for(kind: ServiceKind) -> str:
    """The entry of the agenda for a need of this kind that a round passed over."""
    return f"waiting/{kind}"


def answer_of(partner: str) -> str:
    """The entry for a referral that this partner is to answer."""
    return f"answer/{partner}"


def running_at(partner: str) -> str:
    """The entry for a referral that this partner accepted."""
    return f"running/{partner}"


def done_at(partner: str) -> str:
    """The entry for a referral that has ended and of which this partner had heard."""
    return f"done/{partner}"
