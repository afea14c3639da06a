"""What partners do with their offers: publish, change or confirm seats, close. And what the county decides on a course below its minimum.

Terms change only while nobody holds a seat, since people agreed to them. Fewer seats than are held or taken are possible when whoever says
so confirms that people lose theirs (`losing` says who); until then they are told how many and which referrals. Closing an offer cancels all
its referrals. Whoever lost a seat waits again. Whoever says how many seats there are confirms them as of today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from schemas.codes import CancelReason
from schemas.events import OfferCapacityChanged, OfferPublished
from services.referral.commands import (
    CloseOffer,
    ConfirmSeats,
    DecideCourse,
    EffortStanding,
    OfferStanding,
    PublishOffer,
    ReportEffort,
    SetSeats,
)
from services.referral.directory.states import Partner, Service
from services.referral.facts import EffortReported, OfferClosed, RunsAnyway, SeatsSet, TermsSet
from services.referral.losing import Held, all_held, lose, losers
from services.referral.offers import Offer, OfferTerms
from services.referral.particulars import Lotse, minimum_of, most_seats, site_of
from services.runtime.deciding import Decision, States
from services.runtime.errors import Refused


class Entries(NamedTuple):
    """The entries of the directory, and the offer of child care beside a course, that the terms of an offer name."""

    service: Service | None = None
    partner: Partner | None = None
    care: Offer | None = None


def tag_of(offer: Offer) -> str:
    """What an offer is like, for its partner: another tag as soon as terms, seats or holders are others."""
    shown = offer.model_dump_json(include={"terms", "seats", "holders", "closed", "confirmed_on"})
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


def publish(command: PublishOffer, offer: Offer, entries: Entries, states: States, today: date) -> Decision:
    """A new offer; the same again changes nothing but the day; new terms while nobody holds a seat. `entries` are those of the directory
    that the terms name. Raises `Refused`."""
    terms, seats = command.terms, command.seats
    _offers(entries.service, terms)
    _at_site(entries.partner, terms)
    _with_care(entries.care, terms)
    if offer.terms is None:
        return _publish(offer, terms, seats, today)
    if offer.terms.partner != terms.partner:
        raise Refused("offer-id-taken", 403)
    if offer.closed:
        raise Refused("offer-closed")
    if offer.terms == terms:
        return _set_seats(offer, seats, losers(offer, seats, states), today)
    if offer.holders:
        raise Refused("offer-in-use", held=offer.taken)
    return _publish(offer, terms, seats, today)


def set_seats(command: SetSeats, offer: Offer, states: States, today: date) -> Decision:
    """Another number of seats. Raises `Refused`."""
    _published(offer, command.partner)
    if command.if_match and tag_of(offer) not in command.if_match:
        raise Refused("offer-changed", 412)
    if offer.closed:
        raise Refused("offer-closed")
    most = most_seats(offer.terms.particulars) if offer.terms is not None else None
    if most is not None and command.seats > most:
        raise Refused("seats-above-sort", 422, most=most)
    affected = losers(offer, command.seats, states)
    confirmed = command.confirm_affected and command.affected in (None, len(affected))
    return _set_seats(offer, command.seats, affected, today, confirmed=confirmed)


def confirm(command: ConfirmSeats, offer: Offer, today: date) -> Decision:
    """As many seats as before. Raises `Refused`."""
    _published(offer, command.partner)
    if offer.closed:
        raise Refused("offer-closed")
    return _set_seats(offer, offer.seats, (), today)


def report(command: ReportEffort, offer: Offer, today: date) -> Decision:
    """What a volunteer gave in a month; of a month reported before, the new figures. Also after the offer was closed. Raises `Refused`."""
    terms, effort = _published(offer, command.partner), command.effort
    if not isinstance(terms.particulars, Lotse):
        raise Refused("offer-of-no-volunteer")
    if effort.month > today.isoformat()[:7]:
        raise Refused("month-to-come")
    answer = EffortStanding(offer=offer.id, effort=effort)
    return Decision(() if effort in offer.efforts else [(offer.subject, EffortReported(effort))], answer=answer)


def close(command: CloseOffer, offer: Offer, states: States) -> Decision:
    """Nobody is proposed any more, and who held a seat waits again. Closing twice is closing once. Raises `Refused`."""
    _published(offer, command.partner)
    return _close(offer, states, CancelReason.OFFER_CLOSED)


def _close(offer: Offer, states: States, reason: CancelReason) -> Decision:
    if offer.closed:
        return Decision(answer=_standing(offer))
    affected = all_held(offer, states)
    facts = [fact for held in affected for fact in lose(held, reason)]
    told = OfferCapacityChanged(seats=0)
    closed = offer.but(holders=(), seats=0, closed=True)
    return Decision([*facts, (offer.subject, OfferClosed()), (offer.subject, told)], answer=_standing(closed, affected))


def decide_course(command: DecideCourse, offer: Offer, states: States, today: date) -> Decision:
    """A course below its minimum takes place all the same, or is closed: whoever held a seat or was accepted waits again, from the day
    since when they have waited. The same decision again changes nothing. Raises `Refused`."""
    terms = _published(offer, None)
    if minimum_of(terms.particulars) is None:
        raise Refused("course-without-minimum")
    if command.takes_place:
        if offer.closed:
            raise Refused("offer-closed")
        facts = [] if offer.runs_anyway_since is not None else [(offer.subject, RunsAnyway(today))]
        return Decision(facts, answer=_standing(offer))
    if not offer.closed and not offer.missing:
        raise Refused("minimum-reached")
    return _close(offer, states, CancelReason.COURSE_CANCELLED)


def _published(offer: Offer, partner: str | None) -> OfferTerms:
    """Its terms. To another partner it does not exist."""
    if offer.terms is None or partner not in (None, offer.terms.partner):
        raise Refused("offer-not-found", 404)
    return offer.terms


def _offers(service: Service | None, terms: OfferTerms) -> None:
    """The service that the terms name is in the directory, and of the same kind."""
    if terms.service is None:
        return
    if service is None or service.entry is None or service.retired:
        raise Refused("service-not-in-directory")
    if service.entry.kind is not terms.kind:
        raise Refused("service-of-another-kind")


def _at_site(partner: Partner | None, terms: OfferTerms) -> None:
    """The site that an offer names is one of the partner's, and lies in the district of the offer."""
    if site_of(terms.particulars) is None:
        return
    sites = partner.entry.sites if partner is not None and partner.entry is not None else ()
    found = next((site for site in sites if site.code == site_of(terms.particulars)), None)
    if found is None:
        raise Refused("site-not-of-partner")
    if found.district != terms.district:
        raise Refused("site-in-another-district")


def _with_care(care: Offer | None, terms: OfferTerms) -> None:
    """The child care that a course names is an offer of places beside courses."""
    if terms.care is not None and (care is None or care.closed or care.terms is None or not care.terms.accompanies):
        raise Refused("care-not-found")


def _publish(offer: Offer, terms: OfferTerms, seats: int, today: date) -> Decision:
    told = OfferPublished(
        partner=terms.partner,
        kind=terms.kind,
        district=terms.district,
        seats=seats,
        starts_on=terms.starts_on,
    )
    facts = [(offer.subject, TermsSet(terms, seats, today)), (offer.subject, told)]
    return Decision(facts, answer=_standing(offer.but(terms=terms, seats=seats, confirmed_on=today)))


def _set_seats(offer: Offer, seats: int, affected: Sequence[Held], today: date, *, confirmed: bool = False) -> Decision:
    if seats == offer.seats and offer.confirmed_on == today:
        return Decision(answer=_standing(offer))
    if affected and not confirmed:
        members = {"affected": _referrals(affected)}
        raise Refused("capacity-below-held", members=members, held=offer.taken, affected=len(affected))
    facts = [fact for held in affected for fact in lose(held, CancelReason.SEAT_LOST)]
    facts.append((offer.subject, SeatsSet(seats, today)))
    if seats != offer.seats:
        facts.append((offer.subject, OfferCapacityChanged(seats=seats)))
    gone = set(_referrals(affected))
    left = tuple(holder for holder in offer.holders if holder.referral not in gone)
    return Decision(facts, answer=_standing(offer.but(holders=left, seats=seats, confirmed_on=today), affected))


def _referrals(affected: Iterable[Held]) -> tuple[str, ...]:
    return tuple(referral.id for _, _, referral in affected)


def _standing(offer: Offer, affected: Iterable[Held] = ()) -> OfferStanding:
    return OfferStanding(
        offer=offer.id,
        seats=offer.seats,
        held=offer.taken,
        free=offer.free,
        closed=offer.closed,
        confirmed_on=offer.confirmed_on,
        affected=_referrals(affected),
    )
