"""What a round found, decided again against the states as they are now: a seat is held, or the need waits and others hear why.

Where the person agreed to such a place in advance, the partner is asked at once; everything else goes to the counsellor first.

A round looks at states that may have changed since. So the hard rules and the free seats are checked here once more, and what does not
hold any more is not an error: nothing is written, and the round hears that it has to look again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from schemas.codes import WaitReason
from schemas.events import NeedWaiting
from services.referral.care import care_of, has_room
from services.referral.commands import PassOver, Propose, Taken
from services.referral.county import settings_of
from services.referral.directory.agreements import agreements_for
from services.referral.effects import Locate
from services.referral.eligibility import Circumstances, shut_out_by
from services.referral.facts import PassedOver, Proposed
from services.referral.model import Case, Need
from services.referral.offers import Offer
from services.referral.scope import agreed_in_advance
from services.referral.seekers import seeker_of
from services.referral.steps import Fact, propose
from services.referral.trying import is_barred
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision, States

_STALE: Final = Decision(answer=Taken(done=False))


def place(command: Propose, county: str, states: States, now: datetime) -> Decision:
    """Hold the seat if it is still there and still fits."""
    case, offer = states.get(Case, command.case), states.get(Offer, command.offer)
    agreements = agreements_for(county, offer, states)
    where = Circumstances(settings_of(county, berlin_day(now)), berlin_day(now), agreements)
    need = case.need(command.need)
    sought = need is not None and case.stands and need.is_sought and not case.has_place_beside(need)
    care = care_of(offer, states)
    if need is None or not sought or not _fits(case, need, offer, where, care):
        return _STALE
    under = agreed_in_advance(need, offer.terms) if offer.terms is not None else None
    facts = list(propose(case, need, offer, where.settings, now, under=under, care=care))
    located = [Locate(fact.referral, case.id, offer.id) for _, fact in facts if isinstance(fact, Proposed)]
    return Decision(facts, effects=located, answer=Taken(done=True))


def pass_over(command: PassOver, states: States) -> Decision:
    """The need waits on. Others hear of it when the reason is another one than they know."""
    case = states.get(Case, command.case)
    need = case.need(command.need)
    if need is None or case.revision != command.revision or not need.is_sought:
        return _STALE
    if case.has_place_beside(need) is not (command.reason is WaitReason.HELD_ALREADY):
        return _STALE  # a place was held since for the same kind
    facts: list[Fact] = [(case.subject, PassedOver(need.id, command.reason))]
    if need.told is not command.reason:
        facts.append((case.subject, NeedWaiting(need=need.id, kind=need.kind, reason=command.reason)))
    return Decision(facts, answer=Taken(done=True))


def _fits(case: Case, need: Need, offer: Offer, where: Circumstances, care: Offer | None) -> bool:
    seeker = seeker_of(case, need)
    if seeker is None or offer.terms is None or not case.consents_to(need) or not has_room(case, offer.terms, care):
        return False
    available = offer.is_open(where.today) and offer.free > 0 and not is_barred(need, offer)
    return available and offer.terms.kind is need.kind and not shut_out_by(seeker, offer.terms, where)
