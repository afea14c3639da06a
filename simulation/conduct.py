"""How made-up people and partners answer, each time they are asked.

Every answer is a pure function of seed, who is asked and a key of the question (the id of a referral, say): asking twice gives the same
answer, and no answer depends on how many others were asked before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.codes import DeclineReason, Outcome
from simulation import assumptions
from simulation.chance import Chance, Odds


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
    """What a partner says to a referral, and how many days later; a decline has its `reason`."""

    reply: PartnerReply
    after_days: int
    reason: DeclineReason | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How taking part ends, and how many days after it began."""

    outcome: Outcome
    after_days: int


def release_after(seed: int, question: str) -> int:
    """Days until the counsellor releases a proposed referral."""
    return Chance(seed, "release", question).between(*assumptions.COUNSELLOR_RELEASES_AFTER)


def person_answer(seed: int, index: int, question: str) -> PersonAnswer:
    """Person number `index` is asked whether partner, place and time suit."""
    chance = Chance(seed, "person-answer", index, question)
    return PersonAnswer(PersonReply(_PERSON.draw(chance)), chance.between(*assumptions.PERSON_ANSWERS_AFTER))


def partner_answer(seed: int, partner: str, question: str) -> PartnerAnswer:
    """The partner with this code is asked for a seat that it offered."""
    chance = Chance(seed, "partner-answer", partner, question)
    odds = _partner_odds(seed, partner)
    reply = odds.draw(chance)
    after_days = chance.between(*assumptions.PARTNER_ANSWERS_AFTER)
    return PartnerAnswer(reply, after_days, _REASONS.draw(chance) if reply is PartnerReply.DECLINES else None)


def ending(seed: int, index: int, question: str, weeks: int) -> Ending:
    """How it ends for a person who was accepted for `weeks` weeks."""
    chance = Chance(seed, "ending", index, question)
    days = weeks * 7
    if chance.happens(assumptions.DROPS_OUT):
        return Ending(Outcome.DROPPED_OUT, chance.between(1, max(1, days - 1)))
    return Ending(Outcome.COMPLETED, days)


_PERSON: Final = Odds(assumptions.PERSON_ANSWERS)
_REASONS: Final = Odds(assumptions.DECLINE_REASONS)


def _partner_odds(seed: int, partner: str) -> Odds[PartnerReply]:
    """The usual shares, with declines and silence multiplied by the partner's own factor."""
    low, high = assumptions.PARTNERS_DIFFER
    factor = low + (high - low) * Chance(seed, "partner-conduct", partner).unit()
    usual = assumptions.PARTNER_ANSWERS
    declines, silent = usual["declines"] * factor, usual["silent"] * factor
    return Odds(
        {PartnerReply.ACCEPTS: 1 - declines - silent, PartnerReply.DECLINES: declines, PartnerReply.SILENT: silent}
    )
