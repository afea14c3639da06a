"""How made-up people and partners answer, each time they are asked.

Every answer is a pure function of seed, who is asked and a key of the question (the id of a referral, say): asking twice gives the same
answer, and no answer depends on how many others were asked before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.codes import (
    AgreementScope,
    CancelReason,
    DeclineReason,
    FailReason,
    Outcome,
    RejectReason,
    ServiceKind,
    Skill,
)
from schemas.ends import OUTCOMES, level_of
from simulation import assumptions
from simulation.chance import Chance, Odds
from simulation.partners import Offer


class PersonReply(StrEnum):
    AGREES = "agrees"
    REFUSES = "refuses"
    SILENT = "silent"


class PartnerReply(StrEnum):
    ACCEPTS = "accepts"
    DECLINES = "declines"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """What a person says to a referral, and how many days later."""

    reply: PersonReply
    after_days: int


@dataclass(frozen=True, slots=True)
class PartnerAnswer:
    """What a partner says to a referral, and how many days later; a decline has its `reason`. `opens_after_days` where it is opened on
    an earlier day than answered."""

    reply: PartnerReply
    after_days: int
    reason: DeclineReason | None = None
    opens_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """A step of somebody who was accepted, and how many days after the beginning; an end has its `reason` or `outcome`."""

    step: str
    after_days: int
    reason: FailReason | CancelReason | None = None
    outcome: Outcome | None = None


def release_after(seed: int, question: str) -> int:
    """Days until the counsellor releases a proposed referral."""
    return Chance(seed, "release", question).between(*assumptions.COUNSELLOR_RELEASES_AFTER)


def rejects(seed: int, question: str) -> RejectReason | None:
    """Why the counsellor finds what was proposed wrong; None where it is right."""
    chance = Chance(seed, "rejects", question)
    return _REJECTIONS.draw(chance) if chance.happens(assumptions.PROPOSAL_REJECTED) else None


@dataclass(frozen=True, slots=True)
class Fewer:
    """A partner has only so many seats, so many days after it published them."""

    seats: int
    after_days: int


def fewer_seats(seed: int, offer: Offer) -> Fewer | None:
    """What a partner takes back of what it promised. What is one appointment stays; and some seats are left, at least the minimum."""
    chance = Chance(seed, "fewer-seats", offer.key)
    least = offer.minimum or 1
    gone = chance.between(*assumptions.SEATS_TAKEN_BACK)
    if offer.slots is not None or offer.seats - gone < least or not chance.happens(assumptions.OFFER_LOSES_SEATS):
        return None
    return Fewer(offer.seats - gone, chance.between(*assumptions.SEATS_LOST_AFTER))


def runs_anyway(seed: int, course: str) -> bool:
    """Whether the county lets a course take place that the planner would close."""
    return Chance(seed, "runs-anyway", course).happens(assumptions.COURSE_RUNS_ANYWAY)


def certified_skills(seed: int, question: str, outcome: Outcome) -> tuple[Skill, ...]:
    """The skills in which a level was certified, where it was not the whole level."""
    chance = Chance(seed, "certified", question)
    if level_of(outcome) is None or not chance.happens(assumptions.CERTIFIED_IN_PART):
        return ()
    return (chance.one_of(list(Skill)),)


def person_answer(seed: int, index: int, question: str) -> PersonAnswer:
    """Person number `index` is asked whether partner, place and time suit."""
    chance = Chance(seed, "person-answer", index, question)
    return PersonAnswer(PersonReply(_PERSON.draw(chance)), chance.between(*assumptions.PERSON_ANSWERS_AFTER))


def agreed_in_advance(seed: int, index: int, question: str) -> AgreementScope:
    """What a person who agrees also agrees to, without being asked again."""
    return AgreementScope(_IN_ADVANCE.draw(Chance(seed, "agreed-in-advance", index, question)))


def partner_answer(seed: int, partner: str, question: str) -> PartnerAnswer:
    """The partner with this code is asked for a seat that it offered."""
    chance = Chance(seed, "partner-answer", partner, question)
    odds = _partner_odds(seed, partner)
    reply = odds.draw(chance)
    after_days = chance.between(*assumptions.PARTNER_ANSWERS_AFTER)
    reason = _REASONS.draw(chance) if reply is PartnerReply.DECLINES else None
    opens = reply is not PartnerReply.SILENT and after_days > 0 and chance.happens(assumptions.PARTNER_OPENS_FIRST)
    return PartnerAnswer(reply, after_days, reason, chance.between(0, after_days - 1) if opens else None)


def wants_the_next_step(seed: int, index: int, need: str) -> bool:
    """Whether a person wants what is suggested to them after something was completed."""
    return Chance(seed, "next-step", index, need).happens(assumptions.NEXT_STEP_WANTED)


def first_appointment_after(seed: int, question: str) -> tuple[int, bool]:
    """Days from the acceptance to the first appointment of a standing service, and whether the partner tells the first day at all."""
    chance = Chance(seed, "first-appointment", question)
    return chance.between(*assumptions.FIRST_APPOINTMENT_AFTER), chance.happens(assumptions.FIRST_DAY_AGREED)


def course_of_things(seed: int, index: int, question: str, kind: ServiceKind, weeks: int) -> tuple[Later, ...]:
    """What happens to a person who was accepted for `weeks` weeks, from the beginning to the end, in this order."""
    chance = Chance(seed, "course-of-things", index, question)
    end = _end(chance, kind, weeks * 7)
    if end.step == "cancellation":
        return (end,)
    began = Later("start", 0)
    if not chance.happens(assumptions.DOES_NOT_COME) or end.after_days < 2:
        return (began, end)
    missed = Later("absence", chance.between(1, end.after_days - 1))
    again = missed.after_days + chance.between(*assumptions.COMES_AGAIN_AFTER)
    if end.step == "failure" or again >= end.after_days:
        return (began, missed, end)
    return (began, missed, Later("attendance", again), end)


def _end(chance: Chance, kind: ServiceKind, days: int) -> Later:
    match _COURSE.draw(chance):
        case "completes":
            return Later("completion", days, outcome=_OUTCOMES[kind].draw(chance))
        case "fails":
            return Later("failure", chance.between(1, max(1, days - 1)), reason=_FAILURES.draw(chance))
        case _:
            return Later("cancellation", 0, reason=CancelReason.PROVIDER_CANCELLED)


_IN_ADVANCE: Final = Odds(assumptions.AGREED_IN_ADVANCE)
_REJECTIONS: Final = Odds(assumptions.REJECT_REASONS)
_PERSON: Final = Odds(assumptions.PERSON_ANSWERS)
_REASONS: Final = Odds(assumptions.DECLINE_REASONS)
_COURSE: Final = Odds(assumptions.COURSE_OF_THINGS)
_FAILURES: Final = Odds(assumptions.FAIL_REASONS)
_OUTCOMES: Final = {
    kind: Odds({outcome: assumptions.OUTCOME_WEIGHTS[outcome] for outcome in outcomes})
    for kind, outcomes in OUTCOMES.items()
}


def _partner_odds(seed: int, partner: str) -> Odds[PartnerReply]:
    """The usual shares, with declines and silence multiplied by the partner's own factor."""
    low, high = assumptions.PARTNERS_DIFFER
    factor = low + (high - low) * Chance(seed, "partner-conduct", partner).unit()
    usual = assumptions.PARTNER_ANSWERS
    declines, silent = usual["declines"] * factor, usual["silent"] * factor
    return Odds(
        {PartnerReply.ACCEPTS: 1 - declines - silent, PartnerReply.DECLINES: declines, PartnerReply.SILENT: silent}
    )
