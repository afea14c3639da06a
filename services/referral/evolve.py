"""How each fact changes a case or an offer. Facts are events of intake and profiling, and those of
`facts`. (Those of the directory lie in
`directory.states`.)

Referral's own events announce what the facts beside them did: they change nothing themselves. An erased case stays a tombstone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from schemas.codes import CancelReason, Purpose, ServiceKind
from schemas.events import (
    AccessNeedsTold,
    ArrivalRegistered,
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    NeedWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
    RegisterFacts,
)
from services.referral.directory.states import Partner, Service, listed_after
from services.referral.facts import (
    EffortReported,
    Ended,
    Moved,
    NeedKnown,
    OfferClosed,
    PassedOver,
    Proposed,
    RunsAnyway,
    ScopeAgreed,
    SeatFreed,
    SeatHeld,
    SeatsSet,
    TermsSet,
)
from services.referral.model import Case, Need, Settled
from services.referral.offers import Offer
from services.referral.people import Certificate, Person, Profile
from services.referral.referrals import Referral, ReferralState, Step
from services.runtime.deciding import State, remembered


@remembered
def evolve(state: State, fact: Any, at: datetime) -> State:
    """The state after a fact at this instant of business time."""
    if isinstance(state, Offer):
        return _offer_after(state, fact)
    if isinstance(state, Case):
        return case_after(state, fact, at)
    if isinstance(state, Partner | Service):
        return listed_after(state, fact, at)
    raise TypeError(f"{type(state).__name__} is no state of referral")


def case_after(case: Case, fact: Any, at: datetime) -> Case:
    """The case after a fact."""
    if case.erased:
        return case
    kind = cast("type[object]", type(fact))
    change = _CASE.get(kind)
    if change is None:
        if isinstance(fact, EventData):
            return case
        raise TypeError(f"{kind.__name__} is no fact of a case")
    after = change(case, fact, at)
    return after if kind in _NO_NEWS else after.but(revision=case.revision + 1)


# --- the person ---------------------------------------------------------------------------------------------------------


def _arrived(case: Case, fact: ArrivalRegistered, at: datetime) -> Case:
    consents = _in_order({*case.consents, *fact.consents})
    return _with_news(case.but(person=_person(fact), arrived_at=case.arrived_at or at, consents=consents))


def _corrected(case: Case, fact: PersonCorrected, _: datetime) -> Case:
    return _with_news(case.but(person=_person(fact)))


def _moved(case: Case, fact: PersonMoved, _: datetime) -> Case:
    case = _asked_again(case)
    if fact.district is None:
        return case.but(moved_away=True)
    person = case.person
    if person is not None:
        person = person.but(district=fact.district, municipality=fact.municipality)
    return _with_news(case.but(moved_away=False, person=person))


def _consented(case: Case, fact: ConsentGiven, _: datetime) -> Case:
    return _with_news(case.but(consents=_in_order({*case.consents, *fact.purposes})))


def _consent_withdrawn(case: Case, fact: ConsentWithdrawn, _: datetime) -> Case:
    left, profile = _in_order({*case.consents} - {*fact.purposes}), case.profile
    if Purpose.ACCESSIBILITY in fact.purposes:
        profile = profile.but(access_needs=())
    return _with_news(_asked_again(case.but(consents=left, profile=profile), fact.purposes))


def _profiled(case: Case, fact: ProfileRecorded, _: datetime) -> Case:
    certificates = fact.certificates
    if certificates is not None:
        certificates = tuple(Certificate.model_validate(one, from_attributes=True) for one in certificates)
    profile = Profile(
        levels=fact.german,
        literacy=fact.literacy,
        benefit_regime=fact.benefit_regime,
        available=fact.available,
        rotating_shifts=fact.rotating_shifts,
        child_care_ages=fact.child_care_ages,
        certificates=certificates,
        self_payer=fact.self_payer,
        access_needs=case.profile.access_needs,
    )
    return _with_news(case.but(profile=profile))


def _access_needs_told(case: Case, fact: AccessNeedsTold, _: datetime) -> Case:
    return _with_news(case.but(profile=case.profile.but(access_needs=fact.needs)))


def _person(told: RegisterFacts) -> Person:
    return Person(
        district=told.district,
        municipality=told.municipality,
        birth_year=told.birth_year,
        sex=told.sex,
        residence_group=told.residence_group,
        languages=told.languages,
    )


def _in_order(purposes: Iterable[Purpose]) -> tuple[Purpose, ...]:
    named = set(purposes)
    return tuple(purpose for purpose in Purpose if purpose in named)


def _asked_again(case: Case, purposes: Collection[Purpose] = (Purpose.TRANSFER,)) -> Case:
    """Nothing is agreed in advance any more for the needs that rest on these purposes; on the transfer rest all."""
    if all(need.scope is None for need in case.needs):
        return case
    every = Purpose.TRANSFER in purposes
    needs = (need.but(scope=None) if every or need.purpose in purposes else need for need in case.needs)
    return case.but(needs=tuple(needs))


def _with_news(case: Case, of: ServiceKind | None = None) -> Case:
    """What was passed over (of one kind, or all of it) is looked at again: the answer may be another one now."""
    if not any(need.passed_over for need in case.needs):
        return case
    kinds = frozenset(need.kind for need in case.needs) if of is None else frozenset((of,))
    needs = (need.but(passed_over=False) if need.passed_over and need.kind in kinds else need for need in case.needs)
    return case.but(needs=tuple(needs))


# --- the needs and their referrals --------------------------------------------------------------------------------------


def _need_known(case: Case, fact: NeedKnown, _: datetime) -> Case:
    known = case.need(fact.need)
    if known is None:
        need = Need(id=fact.need, kind=fact.kind, urgent=fact.urgent, since=fact.since)
        return case.but(needs=(*case.needs, need))
    if known.settled is Settled.CLOSED:
        # The counsellor had not heard of the end yet. For another place after it there is another need.
        return _with(case, known.but(withdrawn=False))
    since = known.since if known.settled is None else fact.since
    again = {
        "scope": None,
        "settled": None,
        "withdrawn": False,
        "afresh": len(known.past),
        "passed_over": False,
        "told": None,
    }
    return _with(case, known.but(urgent=fact.urgent, since=since, **again))


def _need_withdrawn(case: Case, fact: NeedWithdrawn, _: datetime) -> Case:
    need = case.need(fact.need)
    if need is None:
        return case
    stays = need.live is not None or need.settled is Settled.CLOSED
    return _with(case, need.but(withdrawn=True, scope=None, settled=need.settled if stays else Settled.WITHDRAWN))


def _passed_over(case: Case, fact: PassedOver, _: datetime) -> Case:
    return _with(case, _sought(case, fact.need).but(passed_over=True, told=fact.reason))


def _scope_agreed(case: Case, fact: ScopeAgreed, _: datetime) -> Case:
    need = case.need(fact.need)
    return case if need is None else _with(case, need.but(scope=fact.scope))


def _proposed(case: Case, fact: Proposed, at: datetime) -> Case:
    steps = [Step(state=ReferralState.PROPOSED, at=at, by=fact.by)]
    if fact.under:
        steps.append(Step(state=ReferralState.AGREED, at=at, under=fact.under))
    referral = Referral(
        id=fact.referral,
        offer=fact.offer,
        partner=fact.partner,
        attempt=fact.attempt,
        state=steps[-1].state,
        deadline=fact.deadline,
        offer_changes=fact.offer_changes,
        row=fact.row,
        care=fact.care,
        steps=tuple(steps),
    )
    need = _sought(case, fact.need).but(live=referral, passed_over=False, told=None)
    return _with_news(_with(case, need), need.kind)


def _went_on(case: Case, fact: Moved, at: datetime) -> Case:
    need, referral = _live(case, fact.need)
    step = Step(state=fact.to, at=at, by=fact.by)
    first = fact.first or referral.first
    moved = referral.but(state=fact.to, deadline=fact.deadline, first=first, steps=(*referral.steps, step))
    return _with(case, need.but(live=moved))


def _ended(case: Case, fact: Ended, at: datetime) -> Case:
    need, referral = _live(case, fact.need)
    step = Step(state=fact.end, at=at, by=fact.by)
    end = referral.but(state=fact.end, deadline=None, reason=fact.reason, steps=(*referral.steps, step))
    settled = fact.settled or (Settled.WITHDRAWN if need.withdrawn else None)
    said_no = fact.end is ReferralState.REFUSED or fact.reason is CancelReason.PERSON_WISH
    scope = None if said_no or settled is not None else need.scope
    ended = need.but(live=None, past=(*need.past, end), settled=settled, scope=scope)
    return _with_news(_with(case, ended), need.kind)


def _sought(case: Case, id: str) -> Need:
    need = case.need(id)
    if need is None or not need.is_sought:
        raise ValueError("nothing is sought for this need")
    return need


def _live(case: Case, id: str) -> tuple[Need, Referral]:
    need = case.need(id)
    if need is None or need.live is None:
        raise ValueError("this need has no live referral")
    return need, need.live


def _with(case: Case, need: Need) -> Case:
    return case.but(needs=tuple(need if other.id == need.id else other for other in case.needs))


_CASE: Final[Mapping[type, Callable[[Case, Any, datetime], Case]]] = {
    ArrivalRegistered: _arrived,
    PersonCorrected: _corrected,
    PersonMoved: _moved,
    ConsentGiven: _consented,
    ConsentWithdrawn: _consent_withdrawn,
    PersonErased: lambda case, fact, at: Case(id=case.id, erased=True),
    ProfileRecorded: _profiled,
    AccessNeedsTold: _access_needs_told,
    NeedKnown: _need_known,
    NeedWithdrawn: _need_withdrawn,
    PassedOver: _passed_over,
    ScopeAgreed: _scope_agreed,
    Proposed: _proposed,
    Moved: _went_on,
    Ended: _ended,
}


_NO_NEWS: Final[frozenset[type]] = frozenset({Proposed, Moved, PassedOver, ScopeAgreed})
"""What a round and the steps after it do to one need says nothing about the other needs of the case."""

# --- the offer ----------------------------------------------------------------------------------------------------------


def _offer_after(offer: Offer, fact: Any) -> Offer:
    kind = cast("type[object]", type(fact))
    change = _OFFER.get(kind)
    if change is None:
        if isinstance(fact, EventData):
            return offer
        raise TypeError(f"{kind.__name__} is no fact of an offer")
    return change(offer, fact)


def _terms_set(offer: Offer, fact: TermsSet) -> Offer:
    changes, opened_on = offer.changes + 1, offer.opened_on or fact.on
    return offer.but(
        terms=fact.terms,
        seats=fact.seats,
        changes=changes,
        confirmed_on=fact.on,
        opened_on=opened_on,
        runs_anyway_since=None,
    )


def _seats_set(offer: Offer, fact: SeatsSet) -> Offer:
    added = int(fact.seats > offer.seats)
    return offer.but(seats=fact.seats, changes=offer.changes + added, confirmed_on=fact.on)


def _seat_freed(offer: Offer, fact: SeatFreed) -> Offer:
    rest = tuple(holder for holder in offer.holders if holder.referral != fact.referral)
    return offer.but(holders=rest, changes=offer.changes + int(fact.taken))


def _effort_reported(offer: Offer, fact: EffortReported) -> Offer:
    others = (one for one in offer.efforts if one.month != fact.effort.month)
    return offer.but(efforts=tuple(sorted((*others, fact.effort), key=lambda one: one.month)))


_OFFER: Final[Mapping[type, Callable[[Offer, Any], Offer]]] = {
    TermsSet: _terms_set,
    SeatsSet: _seats_set,
    SeatHeld: lambda offer, fact: offer.but(holders=(*offer.holders, fact.holder)),
    SeatFreed: _seat_freed,
    EffortReported: _effort_reported,
    RunsAnyway: lambda offer, fact: offer.but(runs_anyway_since=fact.on),
    OfferClosed: lambda offer, fact: offer.but(closed=True, seats=0),
}
