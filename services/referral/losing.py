"""Who loses a seat when a partner has fewer of them than are held.

The rule: as far as seats are missing, first those lose theirs to whom the least has been promised. A proposal that nobody has released
goes before one that the person was asked about, that before one to which they agreed, and last of all go those whom the partner accepted.
Among equals it is the one proposed last, then the one who has waited for the shortest time; only between two proposed in the same instant
who have waited since the same instant the ids decide.

A family with several places in the child care beside a course loses all of them, and with them the seat of the course.

Nobody vanishes: each of these referrals is cancelled for a reason of its own, and its need waits on from the day since when it has waited
and is looked at in the next round.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from schemas.codes import CancelReason
from services.referral.model import Case, Need
from services.referral.offers import Offer
from services.referral.referrals import LIVE, Referral
from services.referral.steps import Fact, cancel
from services.runtime.deciding import States

Held = tuple[Case, Need, Referral]
"""A held seat: whose it is, what for, and the referral that holds it."""


def losers(offer: Offer, seats: int, states: States) -> list[Held]:
    """Those who lose their seat when there are only so many, the first to lose it first."""
    gone = offer.taken - seats
    places = {holder.referral: holder.places for holder in offer.holders}
    lost: list[Held] = []
    for held in sorted(_held(offer, states), key=_firmness) if gone > 0 else ():
        if gone <= 0:
            break
        lost.append(held)
        gone -= places[held[2].id]
    return lost


def all_held(offer: Offer, states: States) -> list[Held]:
    """Everybody with a seat, in the order in which they would lose it."""
    return losers(offer, 0, states)


def lose(held: Held, reason: CancelReason) -> Iterator[Fact]:
    """The referral is cancelled and leaves its seat, and the places for children beside it."""
    yield from cancel(*held, reason)


def _held(offer: Offer, states: States) -> Iterator[Held]:
    for holder in offer.holders:
        case = states.get(Case, holder.case)
        found = case.need_of(holder.referral)
        if found is None:
            raise ValueError("a seat is held by a referral of its case")
        yield case, *found


def _firmness(held: Held) -> tuple[int, float, float, str]:
    _, need, referral = held
    proposed: datetime = referral.steps[0].at
    return LIVE.index(referral.state), -proposed.timestamp(), -need.since.timestamp(), referral.id
