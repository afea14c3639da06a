"""A counsellor proposes an offer by hand, instead of what matching proposed or before it did.

Allowed where matching could have proposed it too: no hard rule shuts the person out, the consent is there, and a seat is free. It may be
one that came to nothing before: the counsellor knows what has changed since. A proposal that nobody has released yet makes room in the
same transaction; what the person was asked about already stays. The referral keeps who chose it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from schemas.envelope import Subject
from services.referral.care import care_of, has_room, held_by
from services.referral.care import named as care_named
from services.referral.commands import ProposeByHand, ReferralStanding
from services.referral.county import settings_of
from services.referral.directory import agreements as agreed
from services.referral.directory.agreements import agreements_for
from services.referral.effects import Locate
from services.referral.eligibility import Circumstances, shut_out_by
from services.referral.evolve import case_after, evolve
from services.referral.facts import Ended, Proposed
from services.referral.model import Case, Need, NeedState, Settled
from services.referral.offers import Offer
from services.referral.referrals import ReferralState
from services.referral.seekers import seeker_of
from services.referral.steps import Fact, propose, replace
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision, States
from services.runtime.errors import Refused


def named(command: ProposeByHand, county: str, states: States) -> Iterator[Subject]:
    """The states that the decision needs: also the offer whose proposal makes room."""
    yield Subject(Case.KIND, command.case)
    yield Subject(Offer.KIND, command.offer)
    yield from agreed.named(county, command.offer, states)
    case = states.known(Case, command.case)
    need = case.need(command.need) if case is not None else None
    if need is not None and need.live is not None:
        yield from held_by(need.live)
    yield from care_named(command.offer, states)


def choose(command: ProposeByHand, county: str, states: States, now: datetime, by: str) -> Decision:
    """Hold a seat of the offer that the counsellor chose. Raises `Refused`."""
    case, offer = states.get(Case, command.case), states.get(Offer, command.offer)
    agreements = agreements_for(county, offer, states)
    where = Circumstances(settings_of(county, berlin_day(now)), berlin_day(now), agreements)
    need = _sought(command, case)
    _fits(case, need, offer, where)
    facts: list[Fact] = []
    if need.live is not None:
        if need.live.offer == offer.id and need.live.state is ReferralState.PROPOSED:
            raise Refused("offer-proposed-already")
        facts += replace(case, need, need.live, command.reason, now, by)
        case, need = _after(case, need, facts, now)
    care = _with_freed(care_of(offer, states), facts, now)
    if offer.free <= 0:
        raise Refused("no-seat-free")
    if offer.terms is not None and not has_room(case, offer.terms, care):
        raise Refused("no-care-place-free")
    held = list(propose(case, need, offer, where.settings, now, by=by, care=care))
    referral = next(fact.referral for _, fact in held if isinstance(fact, Proposed))
    standing = ReferralStanding.of(referral, ReferralState.PROPOSED, need.id, NeedState.HELD)
    return Decision([*facts, *held], effects=[Locate(referral, case.id, offer.id)], answer=standing)


def _sought(command: ProposeByHand, case: Case) -> Need:
    """The need, for which a place is sought or one has been proposed."""
    need = case.need(command.need)
    if need is None:
        raise Refused("need-not-found", 404)
    if not case.stands or need.withdrawn or need.settled is not None:
        raise Refused("need-not-sought" if need.settled is not Settled.CLOSED else "need-closed")
    if case.has_place_beside(need):
        raise Refused("place-of-this-kind-held")
    if not case.consents_to(need):
        raise Refused("consent-for-partner-missing")
    return need


def _fits(case: Case, need: Need, offer: Offer, where: Circumstances) -> None:
    seeker = seeker_of(case, need)
    if offer.terms is None:
        raise Refused("offer-not-found", 404)
    if offer.terms.kind is not need.kind:
        raise Refused("offer-of-another-kind")
    if not offer.is_open(where.today):
        raise Refused("offer-not-open")
    if seeker is None or shut_out_by(seeker, offer.terms, where):
        raise Refused("rule-shuts-out")


def _with_freed(care: Offer | None, facts: list[Fact], now: datetime) -> Offer | None:
    """The places beside the course when the proposal has made room, perhaps of the same ones."""
    for subject, fact in facts:
        if care is not None and subject == care.subject:
            after = evolve(care, fact, now)
            care = after if isinstance(after, Offer) else care
    return care


def _after(case: Case, need: Need, facts: list[Fact], now: datetime) -> tuple[Case, Need]:
    """The case and its need when the proposal has made room."""
    for _, fact in facts:
        if isinstance(fact, Ended):
            case = case_after(case, fact, now)
    again = case.need(need.id)
    return (case, again) if again is not None else (case, need)
