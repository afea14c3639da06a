"""What partners do with their offers: publish, change seats, close.

Terms change only while nobody holds a seat, since people agreed to them; seats never fall below those held or taken. Closing an offer
cancels its referrals, and everybody waits again.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.codes import CancelReason
from schemas.events import OfferCapacityChanged, OfferPublished
from services.referral.commands import CloseOffer, OfferStanding, PublishOffer, SetSeats
from services.referral.evolve import OfferClosed, SeatsSet, TermsSet
from services.referral.model import Case
from services.referral.offers import Offer, OfferTerms
from services.referral.steps import Fact, cancel
from services.runtime.deciding import Decision, States
from services.runtime.errors import Refused


def publish(command: PublishOffer, offer: Offer) -> Decision:
    """A new offer; the same again changes nothing; new terms while nobody holds a seat. Raises `Refused`."""
    terms, seats = command.terms, command.seats
    if offer.terms is None:
        return _publish(offer, terms, seats)
    if offer.terms.partner != terms.partner:
        raise Refused("offer-id-taken")
    if offer.closed:
        raise Refused("offer-closed")
    if offer.terms == terms:
        return _set_seats(offer, seats)
    if offer.holders:
        raise Refused("offer-in-use", held=offer.taken)
    return _publish(offer, terms, seats)


def set_seats(command: SetSeats, offer: Offer) -> Decision:
    """Another number of seats. Raises `Refused`."""
    _published(offer, command.partner)
    if offer.closed:
        raise Refused("offer-closed")
    return _set_seats(offer, command.seats)


def close(command: CloseOffer, offer: Offer, states: States) -> Decision:
    """Nobody is proposed any more, and who held a seat waits again. Closing twice is closing once. Raises `Refused`."""
    _published(offer, command.partner)
    if offer.closed:
        return Decision(answer=_standing(offer))
    facts: list[Fact] = []
    for holder in offer.holders:
        facts += _cancel(states.get(Case, holder.case), holder.referral)
    told = OfferCapacityChanged(seats=0)
    closed = offer.but(holders=(), seats=0, closed=True)
    return Decision([*facts, (offer.subject, OfferClosed()), (offer.subject, told)], answer=_standing(closed))


def _cancel(case: Case, referral: str) -> Iterator[Fact]:
    found = case.need_of(referral)
    if found is not None:
        yield from cancel(case, *found, CancelReason.OFFER_CLOSED)


def _published(offer: Offer, partner: str | None) -> OfferTerms:
    """Its terms. To another partner it does not exist."""
    if offer.terms is None or partner not in (None, offer.terms.partner):
        raise Refused("offer-not-found", 404)
    return offer.terms


def _publish(offer: Offer, terms: OfferTerms, seats: int) -> Decision:
    told = OfferPublished(
        partner=terms.partner,
        kind=terms.kind,
        district=terms.district,
        seats=seats,
        starts_on=terms.starts_on,
    )
    facts = [(offer.subject, TermsSet(terms, seats)), (offer.subject, told)]
    return Decision(facts, answer=_standing(offer.but(terms=terms, seats=seats)))


def _set_seats(offer: Offer, seats: int) -> Decision:
    if seats == offer.seats:
        return Decision(answer=_standing(offer))
    if seats < offer.taken:
        raise Refused("capacity-below-held", held=offer.taken)
    facts = [(offer.subject, SeatsSet(seats)), (offer.subject, OfferCapacityChanged(seats=seats))]
    return Decision(facts, answer=_standing(offer.but(seats=seats)))


def _standing(offer: Offer) -> OfferStanding:
    return OfferStanding(offer=offer.id, seats=offer.seats, held=offer.taken, free=offer.free, closed=offer.closed)
