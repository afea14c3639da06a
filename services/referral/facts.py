"""What happens to a case or an offer and is no event of another service: decisions make these facts, `evolve` applies them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from schemas.codes import ServiceKind, WaitReason
from services.referral.model import Scope, Settled
from services.referral.offers import Holder, OfferTerms
from services.referral.particulars import Effort
from services.referral.referrals import EndReason, FirstDay, ReferralState

# --- facts of a case ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NeedKnown:
    """A need was confirmed, for the first time or again."""

    need: str
    kind: ServiceKind
    urgent: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A round found no place for a need."""

    need: str
    reason: WaitReason


@dataclass(frozen=True, slots=True)
class ScopeAgreed:
    """The person agreed to this in advance for a need; None: to nothing."""

    need: str
    scope: Scope | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A seat is held for a need. `by` is the counsellor who chose it, empty for a round. `under` is the scope by which the person agreed
    to it in advance; then the deadline is the partner's."""

    need: str
    referral: str
    offer: str
    partner: str
    attempt: int
    deadline: datetime
    offer_changes: int
    by: str = ""
    under: str = ""
    row: str | None = None
    care: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A live referral went on to its next state. `deadline` is for the next answer, `first` the day on which it is to begin."""

    need: str
    to: ReferralState
    by: str
    deadline: datetime | None
    first: FirstDay | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A live referral ended; without `settled` its need waits again, unless it was withdrawn meanwhile."""

    need: str
    end: ReferralState
    by: str = ""
    reason: EndReason | None = None
    settled: Settled | None = None


# --- facts of an offer --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TermsSet:
    """Published, or published anew."""

    terms: OfferTerms
    seats: int
    on: date


@dataclass(frozen=True, slots=True)
class SeatsSet:
    """The partner said how many seats there are: another number, or the same."""

    seats: int
    on: date


@dataclass(frozen=True, slots=True)
class SeatHeld:
    """A seat went to a referral."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class SeatFreed:
    """A referral ended and left its seat. `taken`: the partner had accepted."""

    referral: str
    taken: bool


@dataclass(frozen=True, slots=True)
class EffortReported:
    """The partner said what a volunteer gave in a month, for the first time or anew."""

    effort: Effort


@dataclass(frozen=True, slots=True)
class RunsAnyway:
    """The coordinator decided that a course takes place with fewer participants than its minimum."""

    on: date


@dataclass(frozen=True, slots=True)
class OfferClosed:
    """Nobody is proposed any more; those who held a seat have left it."""
