"""Child care beside a course: whoever needs it has a seat of the course only together with a place for each of their children.

The places are an offer of their own (`ChildCare.accompanies`), which the course names. Both are held by one referral: from the proposal on,
in one transaction, until it ends. So no parent holds a seat that they could not take, and no place for a child is given twice. A partner
that has fewer of these places than are held takes the seat of the course with them (`losing`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from schemas.envelope import Subject
from services.referral.model import Case
from services.referral.offers import Offer, OfferTerms
from services.referral.referrals import Referral
from services.runtime.deciding import States


def beside(offers: Iterable[Offer]) -> Mapping[str, Offer]:
    """Those of the offers that are places beside courses, by id."""
    return {offer.id: offer for offer in offers if offer.terms is not None and offer.terms.accompanies}


def room(ages: Collection[int], care: Offer | None) -> bool:
    """Whether there is a place for each of these children (whole years, on the day of the talk)."""
    if not ages:
        return True
    if care is None or care.terms is None or not care.terms.accompanies or care.free < len(ages):
        return False
    youngest, oldest = care.terms.ages or (0, 130)
    # As the rule about children's ages has it: a child may have had a birthday since.
    return all(youngest <= age + 1 and age <= oldest for age in ages)


def has_room(case: Case, terms: OfferTerms, care: Offer | None) -> bool:
    """Whether the children of this person can be looked after during the course; also where it has no places of its own."""
    return terms.care is None or room(case.profile.child_care_ages, care)


def care_of(offer: Offer, states: States) -> Offer | None:
    """The places beside this offer. They must have been named (`named`)."""
    id = offer.terms.care if offer.terms is not None else None
    return states.known(Offer, id) if id is not None else None


def named(offer: str, states: States) -> Iterator[Subject]:
    """The places beside an offer that is loaded already."""
    known = states.known(Offer, offer)
    if known is not None and known.terms is not None and known.terms.care is not None:
        yield Subject(Offer.KIND, known.terms.care)


def held_by(referral: Referral) -> Iterator[Subject]:
    """The offers on which a referral holds seats."""
    yield Subject(Offer.KIND, referral.offer)
    if referral.care is not None:
        yield Subject(Offer.KIND, referral.care)
