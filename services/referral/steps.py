"""The steps of a referral: proposed, released, agreed, accepted, closed; or rejected, refused, declined, lapsed, cancelled.

Each step is a fact of the case, the event that tells others, and, where a referral ends, the seat that its offer gets back. A seat is
freed in the same transaction in which the referral ends, so that a need is held by exactly one seat or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.codes import CancelReason, ContactField, LapseStage, RejectReason, ServiceKind
from schemas.envelope import Subject
from schemas.events import (
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralClosed,
    ReferralDeclined,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralRejected,
    ReferralReleased,
    ReferralStep,
)
from services.referral.commands import (
    Accept,
    Agree,
    Close,
    Decline,
    ReferralStanding,
    Refuse,
    Reject,
    Release,
    TakeStep,
)
from services.referral.county import CountySettings
from services.referral.directory.agreements import Agreements
from services.referral.evolve import Ended, Moved, Proposed, SeatFreed, SeatHeld, case_after
from services.referral.model import LIVE, Case, EndReason, Need, Referral, ReferralState, Settled
from services.referral.offers import Holder, Offer
from services.referral.transitions import StepKind, after
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision
from services.runtime.errors import Refused
from services.runtime.ids import child

Fact = tuple[Subject, object]

AWAITED: Final = {
    ReferralState.PROPOSED: LapseStage.RELEASE,
    ReferralState.RELEASED: LapseStage.AGREEMENT,
    ReferralState.AGREED: LapseStage.ANSWER,
}
"""Whose answer a referral waits for, by its state."""


def propose(
    case: Case, need: Need, offer: Offer, settings: CountySettings, now: datetime, by: str = ""
) -> Iterator[Fact]:
    """Hold a seat. That it fits and is free was checked before. `by` is the counsellor who chose it."""
    if offer.terms is None:
        raise ValueError("an offer that nobody has published cannot be proposed")
    attempt = len(need.past) + 1
    deadline = settings.deadlines.end(LapseStage.RELEASE, now)
    referral = child(need.id, f"referral/{attempt}")
    fact = Proposed(need.id, referral, offer.id, offer.terms.partner, attempt, deadline, offer.changes, by)
    yield case.subject, fact
    yield offer.subject, SeatHeld(Holder(referral=fact.referral, case=case.id))
    told = ReferralProposed(
        referral=fact.referral, need=need.id, kind=need.kind, partner=fact.partner, by_hand=bool(by)
    )
    yield case.subject, told


@dataclass(frozen=True, slots=True)
class Agreed:
    """What county and partners agreed: the settings for all of them, and the partner's own agreement where there is one."""

    settings: CountySettings
    agreements: Agreements

    def fields_for(self, partner: str, kind: ServiceKind, day: date) -> tuple[ContactField, ...]:
        """What a partner may read of somebody it accepts on this day. Raises `Refused` when no agreement of today covers it."""
        if not self.agreements.cover(partner, kind, day):
            raise Refused("agreement-missing")
        agreement = self.agreements.by_partner.get(partner)
        return self.settings.contact.fields_for(partner) if agreement is None else agreement.fields


def take(command: TakeStep, case: Case, offer: Offer, agreed: Agreed, now: datetime, by: str) -> Decision:
    """What follows from a person's step. Raises `Refused`."""
    need, referral = _find(command, case)
    to = after(_STEPS[type(command)], referral.state)
    if referral.deadline is not None and referral.deadline <= now:
        raise Refused("referral-deadline-passed")
    told = _announcement(command, need, referral, offer, agreed, now)
    if to in LIVE:
        deadline = agreed.settings.deadlines.end(AWAITED[to], now) if to in AWAITED else None
        fact = Moved(need.id, to, by, deadline)
        facts: list[Fact] = [(case.subject, fact)]
    else:
        fact = Ended(need.id, to, by, reason=_reason(command), settled=_settled(command))
        facts = list(_ended(case, referral, fact))
    then = case_after(case, fact, now)
    standing = ReferralStanding(referral=referral.id, state=to, need=need.id, need_state=then.state_by_id(need.id))
    return Decision([*facts, (case.subject, told)], answer=standing)


def lapse(case: Case, now: datetime) -> Iterator[Fact]:
    """Every referral whose deadline has come."""
    for need in case.needs:
        referral = need.live
        if referral is not None and referral.deadline is not None and referral.deadline <= now:
            stage = AWAITED[referral.state]
            to = after(StepKind.LAPSE, referral.state)
            yield from _ended(case, referral, Ended(need.id, to, reason=stage))
            yield case.subject, _told(ReferralLapsed, need, referral, stage=stage)


def cancel(case: Case, need: Need, referral: Referral, reason: CancelReason, by: str = "") -> Iterator[Fact]:
    """The referral ends without anybody having refused it."""
    to = after(StepKind.CANCELLATION, referral.state)
    yield from _ended(case, referral, Ended(need.id, to, by, reason=reason))
    yield case.subject, _told(ReferralCancelled, need, referral, reason=reason)


def replace(
    case: Case, need: Need, referral: Referral, reason: RejectReason | None, now: datetime, by: str
) -> Iterator[Fact]:
    """A proposal makes room for another one: it is wrong for this reason, or without one just not what is chosen. Raises `Refused`."""
    to = after(StepKind.REJECTION, referral.state)
    if referral.deadline is not None and referral.deadline <= now:
        raise Refused("referral-deadline-passed")
    if reason is not None:
        yield from _ended(case, referral, Ended(need.id, to, by, reason=reason))
        yield case.subject, _told(ReferralRejected, need, referral, reason=reason)
    else:
        yield from cancel(case, need, referral, CancelReason.ANOTHER_CHOSEN, by)


def leave(case: Case, need: Need, referral: Referral) -> Iterator[Fact]:
    """The seat is free, and nobody is told why: of somebody who is erased no event says anything any more."""
    yield from _ended(case, referral, Ended(need.id, after(StepKind.CANCELLATION, referral.state)))


def _find(command: TakeStep, case: Case) -> tuple[Need, Referral]:
    """The need and its referral. To another partner it does not exist."""
    found = case.need_of(command.referral)
    partner = command.partner if isinstance(command, Accept | Decline | Close) else None
    if found is None or (partner is not None and found[1].partner != partner):
        raise Refused("referral-not-found", 404)
    return found


_STEPS: Final[Mapping[type[TakeStep], StepKind]] = {
    Release: StepKind.RELEASE,
    Reject: StepKind.REJECTION,
    Agree: StepKind.AGREEMENT,
    Refuse: StepKind.REFUSAL,
    Accept: StepKind.ACCEPTANCE,
    Decline: StepKind.DECLINE,
    Close: StepKind.CLOSING,
}


def _announcement(
    command: TakeStep, need: Need, referral: Referral, offer: Offer, agreed: Agreed, now: datetime
) -> ReferralStep:
    """The event that tells others of a person's step."""
    more: dict[str, object] = {}
    match command:
        case Refuse(another=another):
            more = {"another": another}
        case Accept():
            ends_on, today = offer.terms.ends_on if offer.terms is not None else None, berlin_day(now)
            more = {
                "partner": referral.partner,
                "fields": agreed.fields_for(referral.partner, need.kind, today),
                "until": agreed.settings.contact.until(today, ends_on),
            }
        case Reject(reason=reason) | Decline(reason=reason):
            more = {"reason": reason}
        case Close(outcome=outcome):
            more = {"outcome": outcome}
        case _:
            pass
    return _told(_TOLD[type(command)], need, referral, **more)


_TOLD: Final[Mapping[type[TakeStep], type[ReferralStep]]] = {
    Release: ReferralReleased,
    Reject: ReferralRejected,
    Agree: ReferralAgreed,
    Refuse: ReferralRefused,
    Accept: ReferralAccepted,
    Decline: ReferralDeclined,
    Close: ReferralClosed,
}


def _reason(command: TakeStep) -> EndReason | None:
    match command:
        case Reject(reason=reason) | Decline(reason=reason):
            return reason
        case Close(outcome=outcome):
            return outcome
        case _:
            return None


def _settled(command: TakeStep) -> Settled | None:
    """What becomes of the need when a referral ends: the next best is tried, or nothing more is sought."""
    match command:
        case Refuse(another=False):
            return Settled.REFUSED
        case Close():
            return Settled.CLOSED
        case _:
            return None


def _ended(case: Case, referral: Referral, fact: Ended) -> Iterator[Fact]:
    yield case.subject, fact
    freed = SeatFreed(referral.id, taken=referral.state is ReferralState.ACCEPTED)
    yield Subject(Offer.KIND, referral.offer), freed


def _told(event: type[ReferralStep], need: Need, referral: Referral, **more: object) -> ReferralStep:
    common = {"referral": referral.id, "need": need.id, "kind": need.kind}
    return event.model_validate({**common, **more})
