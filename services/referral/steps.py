"""The steps of a referral: from the proposal over agreement, acceptance and start to what was reached; or to one of the other ends.

Each step is a fact of the case, the event that tells others, and, where a referral ends, the seat that its offer gets back. A seat is
freed in the same transaction in which the referral ends, so that a need is held by exactly one seat or none. What only marks a referral
(opened, scheduled, missed, paused) is kept with it and told to nobody: no other service acts on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from schemas.codes import CancelReason, ContactField, LapseStage, RejectReason, ServiceKind
from schemas.ends import OUTCOMES, level_of
from schemas.envelope import Subject
from schemas.events import (
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralFailed,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralRejected,
    ReferralReleased,
    ReferralStarted,
    ReferralStep,
)
from services.referral.care import held_by
from services.referral.commands import (
    Accept,
    Agree,
    Attend,
    Cancel,
    Complete,
    Decline,
    Fail,
    Miss,
    Pause,
    Receive,
    ReferralStanding,
    Refuse,
    Reject,
    Release,
    Resume,
    Schedule,
    Start,
    TakeStep,
)
from services.referral.county import CountySettings
from services.referral.directory.agreements import Agreements
from services.referral.evolve import case_after
from services.referral.facts import Ended, Moved, Proposed, SeatFreed, SeatHeld
from services.referral.model import Case, Need, Scope, Settled
from services.referral.offers import LAST_DAY, Holder, Offer
from services.referral.referrals import LIVE, TAKEN, EndReason, FirstDay, Referral, ReferralState
from services.referral.transitions import By, StepKind, after
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision
from services.runtime.errors import Refused
from services.runtime.ids import child

Fact = tuple[Subject, object]

AWAITED: Final = {
    ReferralState.PROPOSED: LapseStage.RELEASE,
    ReferralState.RELEASED: LapseStage.AGREEMENT,
    ReferralState.AGREED: LapseStage.ANSWER,
    ReferralState.RECEIVED: LapseStage.ANSWER,
}
"""Whose answer a referral waits for, by its state."""


def propose(
    case: Case,
    need: Need,
    offer: Offer,
    settings: CountySettings,
    now: datetime,
    *,
    by: str = "",
    under: Scope | None = None,
    care: Offer | None = None,
) -> Iterator[Fact]:
    """Hold a seat. That it fits and is free was checked before, and that there is room in the `care` beside it, where the person needs
    that. `by` is the counsellor who chose it. `under` is what the person agreed to
    in advance, if the offer lies within it: then the partner is asked at once."""
    if offer.terms is None:
        raise ValueError("an offer that nobody has published cannot be proposed")
    attempt = len(need.past) + 1
    stage = LapseStage.RELEASE if under is None else LapseStage.ANSWER
    deadline = _in_time(settings.deadlines.end(stage, now), offer)
    referral = child(need.id, f"referral/{attempt}")
    agreement = under.id if under is not None else ""
    children = len(case.profile.child_care_ages) if care is not None else 0
    with_care = care.id if care is not None and children else None
    fact = Proposed(
        need.id,
        referral,
        offer.id,
        offer.terms.partner,
        attempt,
        deadline,
        offer.changes,
        by,
        agreement,
        offer.row,
        with_care,
    )
    yield case.subject, fact
    yield offer.subject, SeatHeld(Holder(referral=fact.referral, case=case.id))
    if with_care is not None:
        yield Subject(Offer.KIND, with_care), SeatHeld(Holder(referral=fact.referral, case=case.id, places=children))
    told = ReferralProposed(
        referral=fact.referral, need=need.id, kind=need.kind, partner=fact.partner, by_hand=bool(by)
    )
    yield case.subject, told
    if under is not None:
        yield case.subject, ReferralAgreed(referral=referral, need=need.id, kind=need.kind, in_advance=True)


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
    to = after(MEANINGS[type(command)].step, referral.state, By.COUNSELLOR if command.partner is None else By.PARTNER)
    if referral.deadline is not None and referral.deadline <= now:
        raise Refused("referral-deadline-passed")
    told = list(_announcements(command, need, referral, offer, agreed, now))
    if isinstance(command, Schedule) and _appointment(offer) is not None:
        raise Refused("slot-has-its-time")
    if to in LIVE:
        fact = Moved(need.id, to, by, _deadline(to, referral, offer, agreed.settings, now), _first_day(command, now))
        facts: list[Fact] = [(case.subject, fact)]
        if to is ReferralState.ACCEPTED and (first := _appointment(offer)) is not None:
            # The person agreed to this very time: there is nothing left to schedule.
            case, to = case_after(case, fact, now), after(StepKind.SCHEDULING, to, By.PARTNER)
            fact = Moved(need.id, to, by, None, first)
            facts.append((case.subject, fact))
    else:
        fact = Ended(need.id, to, by, reason=_reason(command), settled=_settled(command))
        facts = list(_ended(case, referral, fact))
    then = case_after(case, fact, now)
    standing = ReferralStanding.of(referral.id, to, need.id, then.state_by_id(need.id))
    return Decision([*facts, *((case.subject, event) for event in told)], answer=standing)


def _deadline(
    to: ReferralState, referral: Referral, offer: Offer, settings: CountySettings, now: datetime
) -> datetime | None:
    """A partner who has opened a referral has no more time to answer than before."""
    if to is ReferralState.RECEIVED:
        return referral.deadline
    return _in_time(settings.deadlines.end(AWAITED[to], now), offer) if to in AWAITED else None


def _in_time(deadline: datetime, offer: Offer) -> datetime:
    """Nobody answers after the appointment."""
    at = offer.terms.slot_at if offer.terms is not None else None
    return deadline if at is None else min(deadline, at)


def _appointment(offer: Offer) -> FirstDay | None:
    """The day and time of an offer that is one appointment."""
    terms = offer.terms
    if terms is None or terms.slot is None or terms.starts_on is None:
        return None
    return FirstDay(on=terms.starts_on, daypart=terms.slot.dayparts_on(terms.starts_on)[0], begins=terms.slot.begins)


def _first_day(command: TakeStep, now: datetime) -> FirstDay | None:
    match command:
        case Schedule(on=on, daypart=daypart):
            if not berlin_day(now) <= on <= LAST_DAY:
                raise Refused("first-day-not-ahead", 422)
            return FirstDay(on=on, daypart=daypart)
        case _:
            return None


def lapse(case: Case, now: datetime) -> Iterator[Fact]:
    """Every referral whose deadline has come."""
    for need in case.needs:
        referral = need.live
        if referral is not None and referral.deadline is not None and referral.deadline <= now:
            stage = AWAITED[referral.state]
            to = after(StepKind.LAPSE, referral.state, By.TIME)
            yield from _ended(case, referral, Ended(need.id, to, reason=stage))
            yield case.subject, _told(ReferralLapsed, need, referral, stage=stage)


def cancel(case: Case, need: Need, referral: Referral, reason: CancelReason, by: str = "") -> Iterator[Fact]:
    """The referral ends without anybody having refused it."""
    to = after(StepKind.CANCELLATION, referral.state, By.EVENT)
    yield from _ended(case, referral, Ended(need.id, to, by, reason=reason))
    yield case.subject, _told(ReferralCancelled, need, referral, reason=reason)


def replace(
    case: Case, need: Need, referral: Referral, reason: RejectReason | None, now: datetime, by: str
) -> Iterator[Fact]:
    """A proposal makes room for another one: it is wrong for this reason, or without one just not what is chosen. Raises `Refused`."""
    to = after(StepKind.REJECTION, referral.state, By.COUNSELLOR)
    if referral.deadline is not None and referral.deadline <= now:
        raise Refused("referral-deadline-passed")
    if reason is not None:
        yield from _ended(case, referral, Ended(need.id, to, by, reason=reason))
        yield case.subject, _told(ReferralRejected, need, referral, reason=reason)
    else:
        yield from cancel(case, need, referral, CancelReason.ANOTHER_CHOSEN, by)


def leave(case: Case, need: Need, referral: Referral) -> Iterator[Fact]:
    """The seat is free, and nobody is told why: of somebody who is erased no event says anything any more."""
    yield from _ended(case, referral, Ended(need.id, after(StepKind.CANCELLATION, referral.state, By.EVENT)))


def _find(command: TakeStep, case: Case) -> tuple[Need, Referral]:
    """The need and its referral. To another partner it does not exist."""
    found = case.need_of(command.referral)
    if found is None or command.partner not in (None, found[1].partner):
        raise Refused("referral-not-found", 404)
    return found


class Meaning(NamedTuple):
    """What a command is: its step, and the event that tells others, where somebody acts on it."""

    step: StepKind
    event: type[ReferralStep] | None = None


MEANINGS: Final[Mapping[type[TakeStep], Meaning]] = {
    Release: Meaning(StepKind.RELEASE, ReferralReleased),
    Reject: Meaning(StepKind.REJECTION, ReferralRejected),
    Agree: Meaning(StepKind.AGREEMENT, ReferralAgreed),
    Refuse: Meaning(StepKind.REFUSAL, ReferralRefused),
    Receive: Meaning(StepKind.RECEIPT),
    Accept: Meaning(StepKind.ACCEPTANCE, ReferralAccepted),
    Decline: Meaning(StepKind.DECLINE, ReferralDeclined),
    Schedule: Meaning(StepKind.SCHEDULING),
    Start: Meaning(StepKind.START, ReferralStarted),
    Miss: Meaning(StepKind.ABSENCE),
    Attend: Meaning(StepKind.ATTENDANCE, ReferralStarted),
    Pause: Meaning(StepKind.PAUSE),
    Resume: Meaning(StepKind.RESUMPTION, ReferralStarted),
    Complete: Meaning(StepKind.COMPLETION, ReferralCompleted),
    Fail: Meaning(StepKind.FAILURE, ReferralFailed),
    Cancel: Meaning(StepKind.CANCELLATION, ReferralCancelled),
}
"""Each command is one step."""


def _announcements(
    command: TakeStep, need: Need, referral: Referral, offer: Offer, agreed: Agreed, now: datetime
) -> Iterator[ReferralStep]:
    """The event that tells others of a person's step, if one does. That it began is told once."""
    event = MEANINGS[type(command)].event
    if event is None or (event is ReferralStarted and referral.has_started):
        return
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
        case Reject(reason=reason) | Decline(reason=reason) | Fail(reason=reason):
            more = {"reason": reason}
        case Cancel(reason=reason):
            more = {"reason": reason, "another": _settled(command) is None}
        case Complete(outcome=outcome, skills=skills):
            if outcome not in OUTCOMES[need.kind]:
                raise Refused("outcome-of-another-kind", 422)
            if skills and level_of(outcome) is None:
                raise Refused("skills-without-level", 422)
            more = {"outcome": outcome, "skills": skills}
        case _:
            pass
    yield _told(event, need, referral, **more)


def _reason(command: TakeStep) -> EndReason | None:
    match command:
        case Reject(reason=reason) | Decline(reason=reason) | Fail(reason=reason) | Cancel(reason=reason):
            return reason
        case Complete(outcome=outcome):
            return outcome
        case _:
            return None


def _settled(command: TakeStep) -> Settled | None:
    """What becomes of the need when a referral ends: the next best is tried, or nothing more is sought."""
    match command:
        case Refuse(another=False) | Cancel(another=False, reason=CancelReason.PERSON_WISH):
            return Settled.REFUSED
        case Complete() | Fail():
            return Settled.CLOSED
        case _:
            return None


def _ended(case: Case, referral: Referral, fact: Ended) -> Iterator[Fact]:
    yield case.subject, fact
    freed = SeatFreed(referral.id, taken=referral.state in TAKEN)
    for subject in held_by(referral):
        yield subject, freed


def _told(event: type[ReferralStep], need: Need, referral: Referral, **more: object) -> ReferralStep:
    common = {"referral": referral.id, "need": need.id, "kind": need.kind}
    return event.model_validate({**common, **more})
