"""A county's whole directory, and which offers belong to which service. A county has some hundreds of entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.referral.directory.states import Partner, Service
from services.referral.offers import Offer


class Directory:
    """All partners and services, and the open `offers`.

    An offer belongs to the service that its terms name. Of an offer that names none it is the partner's one service of that kind, if
    there is exactly one that is not retired.
    """

    def __init__(self, partners: Iterable[Partner], services: Iterable[Service], offers: Iterable[Offer] = ()) -> None:
        self.partners: Sequence[Partner] = sorted(
            (one for one in partners if one.entry is not None), key=lambda one: one.code
        )
        self.services: Sequence[Service] = sorted(
            (one for one in services if one.entry is not None), key=lambda one: (one.partner, one.code)
        )
        self._partner = {partner.code: partner for partner in self.partners}
        self._services: defaultdict[str, list[Service]] = defaultdict(list)
        for service in self.services:
            self._services[service.partner].append(service)
        self._offers: defaultdict[str, list[Offer]] = defaultdict(list)
        for offer in sorted(offers, key=lambda one: one.id):
            service = self.service_of(offer)
            if service is not None:
                self._offers[service.id].append(offer)

    def partner(self, code: str) -> Partner | None:
        """The partner with this code."""
        return self._partner.get(code)

    def services_of(self, partner: str) -> Sequence[Service]:
        """The services of the partner with this code."""
        return self._services.get(partner, ())

    def offers_of(self, service: Service) -> Sequence[Offer]:
        """The open offers of a service."""
        return self._offers.get(service.id, ())

    def service_of(self, offer: Offer) -> Service | None:
        """The service that an offer belongs to."""
        terms = offer.terms
        if terms is None:
            return None
        services = self.services_of(terms.partner)
        if terms.service is not None:
            return next((one for one in services if one.code == terms.service), None)
        alike = [one for one in services if one.entry and one.entry.kind is terms.kind and not one.retired]
        return alike[0] if len(alike) == 1 else None

    def is_active(self, service: Service) -> bool:
        """Whether the service is there, and its partner too."""
        partner = self.partner(service.partner)
        return not service.retired and partner is not None and not partner.retired
