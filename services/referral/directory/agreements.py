"""Which partners the county may refer people to, for what: the agreements of the directory, as rules and rounds look at them.

A partner without an agreement here is bound by none; one that was retired has an agreement that covers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Self

from schemas.codes import ServiceKind
from schemas.envelope import Subject
from services.referral.directory.entries import Agreement
from services.referral.directory.states import Partner, partner_id
from services.referral.offers import Offer
from services.runtime.deciding import States


@dataclass(frozen=True, slots=True)
class Agreements:
    """By the partner's code; None: it was retired."""

    by_partner: Mapping[str, Agreement | None] = field(default_factory=dict[str, Agreement | None], hash=False)

    @classmethod
    def of(cls, partners: Iterable[Partner]) -> Self:
        """Those of these partners."""
        return cls({one.code: _of(one) for one in partners if one.retired or one.agreement is not None})

    def cover(self, partner: str, kind: ServiceKind, day: date) -> bool:
        """Whether somebody may be referred to this partner for this kind of service on this day."""
        if partner not in self.by_partner:
            return True
        agreement = self.by_partner[partner]
        return agreement is not None and agreement.covers(kind, day)


NONE: Final = Agreements()


def named(county: str, offer: str, states: States) -> Iterator[Subject]:
    """The state of the partner of an offer, once the offer is loaded."""
    known = states.known(Offer, offer)
    if known is not None and known.terms is not None:
        yield Subject(Partner.KIND, partner_id(county, known.terms.partner))


def agreements_for(county: str, offer: Offer, states: States) -> Agreements:
    """The agreement with the partner of this offer, if there is one. It must have been named."""
    if offer.terms is None:
        return NONE
    return Agreements.of([states.get(Partner, partner_id(county, offer.terms.partner))])


def _of(partner: Partner) -> Agreement | None:
    return None if partner.retired else partner.agreement
