"""What people read of the directory's entries under ``/v1/directory``."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from services.referral.directory.entries import Agreement, PartnerEntry, ServiceEntry
from services.referral.directory.listing import Directory
from services.referral.directory.states import Partner, Service
from services.referral.offers import Offer


class OfferLine(BaseModel):
    """The seats of an open offer, and the day on which the partner last said so."""

    offer: str
    seats: int
    held: int
    free: int
    open_until: str | None
    confirmed_on: date | None


class ServiceView(BaseModel):
    """A service with its open offers."""

    id: str
    code: str
    entry: ServiceEntry
    confirmed_on: date | None
    changed_at: datetime | None
    retired: bool
    offers: list[OfferLine]


class PartnerView(BaseModel):
    """A partner with its services. `agreement` is null for readers whom it does not concern, and where there is none."""

    id: str
    code: str
    entry: PartnerEntry
    agreement: Agreement | None
    confirmed_on: date | None
    changed_at: datetime | None
    retired: bool
    services: list[ServiceView]


def partner_view(partner: Partner, directory: Directory, *, with_agreement: bool) -> PartnerView:
    """A partner that somebody has put into the directory."""
    if partner.entry is None:
        raise ValueError("a partner that nobody has put into the directory is not shown")
    return PartnerView(
        id=partner.id,
        code=partner.code,
        entry=partner.entry,
        agreement=partner.agreement if with_agreement else None,
        confirmed_on=partner.confirmed_on,
        changed_at=partner.changed_at,
        retired=partner.retired,
        services=[
            _service_view(service, service.entry, directory)
            for service in directory.services_of(partner.code)
            if service.entry is not None
        ],
    )


def _service_view(service: Service, entry: ServiceEntry, directory: Directory) -> ServiceView:
    return ServiceView(
        id=service.id,
        code=service.code,
        entry=entry,
        confirmed_on=service.confirmed_on,
        changed_at=service.changed_at,
        retired=service.retired,
        offers=[_offer_line(offer) for offer in directory.offers_of(service)],
    )


def _offer_line(offer: Offer) -> OfferLine:
    return OfferLine(
        offer=offer.id,
        seats=offer.seats,
        held=offer.taken,
        free=offer.free,
        open_until=offer.open_until,
        confirmed_on=offer.confirmed_on,
    )
