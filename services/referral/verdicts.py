"""What the hard rules say of the open offers of one kind. A rule's verdict on a value is one whole number with a bit for each offer, made
once for each value that occurs, so that the offers that fit a person are found by a handful of ANDs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final

from services.referral.eligibility import RULES, Circumstances, Rule
from services.referral.offers import Offer, OfferTerms
from services.referral.seekers import Seeker


class Verdicts:
    """`places` are the offers by id with their terms; a set of them is a whole number with their bits."""

    def __init__(self, offers: Iterable[Offer], where: Circumstances) -> None:
        self.places: Final = terms_by_id(offers)
        self.where: Final = where
        self._all = (1 << len(self.places)) - 1
        self._known: dict[tuple[str, Hashable], int] = {}
        bound = ((rule, [place for place, (_, terms) in enumerate(self.places) if rule.binds(terms)]) for rule in RULES)
        self._bound = [(rule, places) for rule, places in bound if places]
        """The rules that bind somewhere, each with the offers on which it does."""

    def fitting(self, seeker: Seeker) -> int:
        """The offers that no hard rule shuts this person out of, whether or not they have a seat."""
        fitting = self._all
        for rule, bound in self._bound:
            fitting &= self._verdict(rule, bound, rule.looks_at(seeker))
        return fitting

    def hold_for(self, offers: Iterable[Offer], where: Circumstances) -> bool:
        """Whether other verdicts on these offers would be the same."""
        return where == self.where and terms_by_id(offers) == self.places

    def _verdict(self, rule: Rule, bound: Iterable[int], value: Hashable) -> int:
        known = self._known.get((rule.code, value))
        if known is None:
            places, where = self.places, self.where
            shut = sum(1 << place for place in bound if not rule.lets_in(value, places[place][1], where))
            known = self._known[rule.code, value] = self._all & ~shut
        return known


def terms_by_id(offers: Iterable[Offer]) -> list[tuple[str, OfferTerms]]:
    """The published ones, in the order of their ids."""
    return sorted(((offer.id, offer.terms) for offer in offers if offer.terms is not None), key=lambda one: one[0])
