"""What follows from each message: `names` says which states it needs, `decide` which facts it makes. Both are pure.

Commands about referrals and offers lie in `steps` and `publishing`, what a round found in `placing`, what a counsellor chose by hand in
`choosing`, events of others in `consume`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from schemas.envelope import Subject
from services.referral import care
from services.referral.books import tallied
from services.referral.choosing import choose, named
from services.referral.commands import (
    Accept,
    AgreeScope,
    CloseOffer,
    ConfirmSeats,
    DecideCourse,
    PassOver,
    Propose,
    ProposeByHand,
    PublishOffer,
    ReportEffort,
    SetSeats,
    TakeStep,
)
from services.referral.consume import MAY_CANCEL, hear, offers_of
from services.referral.county import settings_of
from services.referral.directory import agreements as agreed
from services.referral.directory import keeping
from services.referral.directory.agreements import NONE, agreements_for
from services.referral.directory.keeping import OfPartner
from services.referral.directory.states import Partner, Service, partner_id, service_id
from services.referral.evolve import evolve
from services.referral.flow import flowing
from services.referral.model import Case
from services.referral.offers import Offer, OfferTerms
from services.referral.particulars import site_of
from services.referral.placing import pass_over, place
from services.referral.publishing import Entries, close, confirm, decide_course, publish, report, set_seats
from services.referral.scope import agree
from services.referral.steps import Agreed, lapse, take
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command, Decision, Due, Message, Received, States

__all__ = ["decide", "evolve", "names"]

_OfAnOffer = PublishOffer | SetSeats | ConfirmSeats | CloseOffer | ReportEffort | DecideCourse


def names(message: Message, states: States) -> Iterable[Subject]:
    """The states that a decision needs, the one it is about first."""
    match message:
        case Received(envelope=envelope, data=data):
            yield envelope.subject
            if isinstance(data, MAY_CANCEL):
                yield from _held_by(envelope.subject.id, states)
        case Due(subject=subject):
            yield subject
            yield from _held_by(subject.id, states)
        case Command(county=county, data=OfPartner() as command):
            yield from keeping.names(command, county)
        case Command(
            data=PublishOffer()
            | SetSeats()
            | ConfirmSeats()
            | CloseOffer()
            | ReportEffort()
            | DecideCourse() as command
        ):
            yield from _for_an_offer(command, message.county, states)
        case Command():
            yield from _for_a_case(message, states)


def _for_an_offer(command: _OfAnOffer, county: str, states: States) -> Iterator[Subject]:
    yield Subject(Offer.KIND, command.offer)
    if isinstance(command, PublishOffer) and command.terms.service is not None:
        yield Subject(Service.KIND, service_id(county, command.terms.partner, command.terms.service))
    if isinstance(command, PublishOffer) and site_of(command.terms.particulars) is not None:
        yield Subject(Partner.KIND, partner_id(county, command.terms.partner))
    known = states.known(Offer, command.offer)
    if known is not None and _seats_after(command, known) < known.taken:
        for holder in known.holders:
            yield Subject(Case.KIND, holder.case)
            yield from _held_with(holder.case, holder.referral, states)
    if isinstance(command, PublishOffer) and command.terms.care is not None:
        yield Subject(Offer.KIND, command.terms.care)


def _seats_after(command: _OfAnOffer, offer: Offer) -> int:
    match command:
        case PublishOffer(seats=seats) | SetSeats(seats=seats):
            return seats
        case ConfirmSeats() | ReportEffort():
            return offer.seats
        case DecideCourse(takes_place=True):
            return offer.seats
        case CloseOffer() | DecideCourse():
            return 0


def _for_a_case(message: Command, states: States) -> Iterator[Subject]:
    match message.data:
        case Propose(case=case, offer=offer) | Accept(case=case, offer=offer):
            yield Subject(Case.KIND, case)
            yield Subject(Offer.KIND, offer)
            yield from agreed.named(message.county, offer, states)
            if isinstance(message.data, TakeStep):
                yield from _held_with(case, message.data.referral, states)
            else:
                yield from care.named(offer, states)
        case TakeStep(case=case, offer=offer, referral=referral):
            yield Subject(Case.KIND, case)
            yield Subject(Offer.KIND, offer)
            yield from _held_with(case, referral, states)
        case ProposeByHand() as command:
            yield from named(command, message.county, states)
        case PassOver(case=case) | AgreeScope(case=case):
            yield Subject(Case.KIND, case)
        case _:
            raise TypeError("referral knows no such command")


def _held_with(case: str, referral: str, states: States) -> Iterator[Subject]:
    """The offers on which this one referral holds seats."""
    known = states.known(Case, case)
    found = known.need_of(referral) if known is not None else None
    if found is not None:
        yield from care.held_by(found[1])


def _held_by(case: str, states: States) -> Iterator[Subject]:
    known = states.known(Case, case)
    if known is not None:
        yield from offers_of(known)


def decide(message: Message, states: States, now: datetime) -> Decision:
    """What follows from a message. Raises `Refused` for a command that a rule forbids."""
    return flowing(tallied(_decide(message, states, now), states, now), states, now)


def _decide(message: Message, states: States, now: datetime) -> Decision:
    match message:
        case Received(envelope=envelope, data=data):
            return hear(envelope, data, states, now)
        case Due(subject=subject):
            return Decision(list(lapse(states.get(Case, subject.id), now)))
        case Command(
            data=PublishOffer()
            | SetSeats()
            | ConfirmSeats()
            | CloseOffer()
            | ReportEffort()
            | DecideCourse() as command
        ):
            return _of_an_offer(command, message.county, states, berlin_day(now))
        case Command(data=OfPartner() as command):
            return keeping.decide(command, message.county, states, berlin_day(now))
        case Command():
            return _of_a_case(message, states, now)


def _of_an_offer(command: _OfAnOffer, county: str, states: States, today: date) -> Decision:
    offer = states.get(Offer, command.offer)
    match command:
        case PublishOffer(terms=terms):
            return publish(command, offer, _entries(terms, county, states), states, today)
        case SetSeats():
            return set_seats(command, offer, states, today)
        case ConfirmSeats():
            return confirm(command, offer, today)
        case ReportEffort():
            return report(command, offer, today)
        case DecideCourse():
            return decide_course(command, offer, states, today)
        case CloseOffer():
            return close(command, offer, states)


def _entries(terms: OfferTerms, county: str, states: States) -> Entries:
    service = partner = None
    if terms.service is not None:
        service = states.get(Service, service_id(county, terms.partner, terms.service))
    if site_of(terms.particulars) is not None:
        partner = states.get(Partner, partner_id(county, terms.partner))
    beside = states.known(Offer, terms.care) if terms.care is not None else None
    return Entries(service, partner, beside)


def _of_a_case(message: Command, states: States, now: datetime) -> Decision:
    match message.data:
        case Propose() as command:
            return place(command, message.county, states, now)
        case ProposeByHand() as command:
            return choose(command, message.county, states, now, message.actor)
        case PassOver() as command:
            return pass_over(command, states)
        case AgreeScope() as command:
            return agree(command, states, now, message.actor)
        case TakeStep() as command:
            case, offer = states.get(Case, command.case), states.get(Offer, command.offer)
            settings = settings_of(message.county, berlin_day(now))
            agreements = agreements_for(message.county, offer, states) if isinstance(command, Accept) else NONE
            return take(command, case, offer, Agreed(settings, agreements), now, message.actor)
        case _:
            raise TypeError("referral knows no such command")
