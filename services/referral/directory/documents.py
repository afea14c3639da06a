"""The directory as HSDS documents. Pure: a directory, a language and the taxonomies in, documents out.

A service is at a location for each of its sites. An offer of the service belongs to the first of them that lies in its district, and to
the service alone where there is none. Its seats are told once for the offer, and together for the place and the service: never more taken
or free than there are, since an `Offer` with more cannot be built.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from schemas.codes import MeetingWay
from schemas.envelope import format_instant
from schemas.languages import name_of
from services.referral.directory import hsds
from services.referral.directory.entries import PartnerEntry, ServiceEntry, Site
from services.referral.directory.listing import Directory
from services.referral.directory.states import Partner, Service
from services.referral.directory.taxonomies import Capacity, Detail, Taxonomies
from services.referral.offers import Offer, OfferTerms
from services.referral.whom import Whom
from services.runtime.calendar import BERLIN
from services.runtime.catalogue import Language
from services.runtime.ids import child

COUNTRY: Final = "DE"
_STATES: Final = ("SH", "HH", "NI", "HB", "NW", "HE", "RP", "BW", "BY", "SL", "BE", "BB", "MV", "SN", "ST", "TH")
"""The federal states (ISO 3166-2:DE) in the order of their official keys, 01 to 16."""


class Publisher:
    """Writes the documents of one directory in one language."""

    def __init__(
        self, directory: Directory, taxonomies: Taxonomies, whom: Whom, language: Language, county: str
    ) -> None:
        self._directory = directory
        self._taxonomies = taxonomies
        self._whom = whom
        self._language: Language = language
        self._state = f"{COUNTRY}-{_STATES[int(county[:2]) - 1]}"

    # --- lists --------------------------------------------------------------------------------------------------------------

    def services(self) -> list[Service]:
        """What is published, by id: services whose partner is in the directory."""
        found = (one for one in self._directory.services if self._directory.partner(one.partner) is not None)
        return sorted(found, key=lambda one: one.id)

    def partners(self) -> list[Partner]:
        """The organisations that are published, by id."""
        return sorted(self._directory.partners, key=lambda one: one.id)

    def places(self) -> list[hsds.ServiceAtLocation]:
        """Every service at each of its sites, by id."""
        found = (place for service in self.services() for place in self._at_locations(service))
        return sorted(found, key=lambda one: one.id)

    def export(self) -> hsds.Export:
        """Everything that is active."""
        return hsds.Export(
            services=tuple(self.service(one) for one in self.services() if self._directory.is_active(one)),
            organizations=tuple(self.organization(one) for one in self.partners() if not one.retired),
            taxonomies=tuple(self._taxonomies.all),
            taxonomy_terms=tuple(self._taxonomies.terms),
        )

    # --- documents ------------------------------------------------------------------------------------------------------------

    def service(self, service: Service, *, full: bool = True) -> hsds.Service:
        """A service; `full` with all that belongs to it, otherwise with what there is one of."""
        entry, partner = _of(service), self._partner(service)
        other: Language = "de" if self._language == "en" else "en"
        name, alternate = entry.name.told_in(self._language), entry.name.told_in(other)
        document = hsds.Service(
            id=service.id,
            organization_id=partner.id,
            name=name,
            alternate_name=alternate if alternate != name else None,
            description=entry.description.told_in(self._language),
            status="active" if self._directory.is_active(service) else "inactive",
            application_process=entry.application_process,
            fees_description=entry.fees,
            assured_date=service.confirmed_on.isoformat() if service.confirmed_on else None,
            last_modified=_instant(service.changed_at),
            organization=self.organization(partner, full=False),
        )
        if not full:
            return document
        offers = self._directory.offers_of(service)
        elsewhere = self._by_site(service)[None]
        youngest, oldest = _ages_together(offers)
        return document.model_copy(
            update={
                "eligibility_description": self._eligibility(offers),
                "minimum_age": youngest,
                "maximum_age": oldest,
                "languages": tuple(self._languages(service, entry)),
                "service_at_locations": tuple(self._at_locations(service)),
                "schedules": tuple(self._schedule(offer, service_id=service.id) for offer in elsewhere),
                "attributes": (
                    self._taxonomies.attribute("service", service.id, entry.kind),
                    *self._details("service", service.id, service.code, entry.name.en, entry.description.en),
                    *self._capacity("service", service.id, offers),
                ),
            }
        )

    def organization(self, partner: Partner, *, full: bool = True) -> hsds.Organization:
        """A partner; `full` with its sites and whom to turn to."""
        if partner.entry is None:
            raise ValueError("a partner that nobody has put into the directory is not published")
        entry = partner.entry
        document = hsds.Organization(
            id=partner.id,
            name=entry.name,
            description=entry.description.told_in(self._language),
            email=entry.email,
            website=entry.website,
            legal_status=entry.legal_status,
        )
        if not full:
            return document
        phones = (
            [hsds.Phone(id=child(partner.id, "phone"), organization_id=partner.id, number=entry.phone)]
            if entry.phone
            else []
        )
        return document.model_copy(
            update={
                "phones": tuple(phones),
                "contacts": tuple(_contacts(partner.id, entry)),
                "locations": tuple(self._location(partner, site) for site in entry.sites),
                "attributes": tuple(
                    self._details("organization", partner.id, partner.code, None, entry.description.en)
                ),
            }
        )

    # --- parts ----------------------------------------------------------------------------------------------------------------

    def _at_locations(self, service: Service) -> Iterator[hsds.ServiceAtLocation]:
        partner, offers = self._partner(service), self._by_site(service)
        for site in self._sites(service):
            id = child(service.id, f"site/{site.code}")
            location = self._location(partner, site)
            yield hsds.ServiceAtLocation(
                id=id,
                service_id=service.id,
                location_id=location.id,
                location=location,
                schedules=tuple(self._schedule(offer, service_at_location_id=id) for offer in offers[site.code]),
                attributes=tuple(self._capacity("service_at_location", id, offers[site.code])),
            )

    def _by_site(self, service: Service) -> defaultdict[str | None, list[Offer]]:
        """The open offers by the site to which they belong; None: to none."""
        offers: defaultdict[str | None, list[Offer]] = defaultdict(list)
        sites = self._sites(service)
        for offer in self._directory.offers_of(service):
            district = offer.terms.district if offer.terms else None
            offers[next((site.code for site in sites if site.district == district), None)].append(offer)
        return offers

    def _sites(self, service: Service) -> list[Site]:
        entry = self._partner(service).entry
        return [site for site in entry.sites if site.code in _of(service).sites] if entry else []

    def _location(self, partner: Partner, site: Site) -> hsds.Location:
        id = child(partner.id, f"site/{site.code}")
        return hsds.Location(
            id=id,
            location_type="physical",
            organization_id=partner.id,
            name=site.name,
            latitude=site.latitude,
            longitude=site.longitude,
            external_identifier=site.district,
            external_identifier_type="ARS",
            addresses=tuple(self._addresses(id, site)),
            accessibility=tuple(
                hsds.Accessibility(id=child(id, f"accessibility/{place}"), location_id=id, description=text)
                for place, text in enumerate(site.accessibility)
            ),
            attributes=tuple(self._details("location", id, site.code, None, None)),
        )

    def _addresses(self, id: str, site: Site) -> Iterator[hsds.Address]:
        if site.address is not None:
            yield hsds.Address(
                id=child(id, "address"),
                location_id=id,
                address_1=site.address.street,
                city=site.address.city,
                state_province=self._state,
                postal_code=site.address.postal_code,
                country=COUNTRY,
                address_type="physical",
            )

    def _schedule(
        self, offer: Offer, *, service_id: str | None = None, service_at_location_id: str | None = None
    ) -> hsds.Schedule:
        if offer.terms is None:
            raise ValueError("an offer that nobody has published is not shown")
        terms = offer.terms
        return hsds.Schedule(
            id=offer.id,
            service_id=service_id,
            service_at_location_id=service_at_location_id,
            valid_from=terms.starts_on.isoformat() if terms.starts_on else None,
            valid_to=terms.ends_on.isoformat() if terms.ends_on else None,
            description=self._whom.times(terms),
            **_appointment(terms),
            attributes=(
                self._taxonomies.attribute("schedule", offer.id, Detail.ELIGIBILITY, self._whom.sentence(terms)),
                *self._capacity("schedule", offer.id, [offer]),
            ),
        )

    def _eligibility(self, offers: Sequence[Offer]) -> str | None:
        """For whom the open offers are: each sentence once, and what their places have for people who need it."""
        terms = [offer.terms for offer in offers if offer.terms is not None]
        said = (text for one in terms for text in (self._whom.sentence(one), self._whom.accessibility(one)) if text)
        return " ".join(dict.fromkeys(said)) or None

    def _capacity(self, entity: str, id: str, offers: Sequence[Offer]) -> Iterator[hsds.Attribute]:
        """The seats of these offers together; nothing where there is none."""
        if not offers:
            return
        numbers = {
            Capacity.MAXIMUM: sum(offer.seats for offer in offers),
            Capacity.TAKEN: sum(offer.taken for offer in offers),
            Capacity.FREE: sum(offer.free for offer in offers),
        }
        for term, number in numbers.items():
            yield self._taxonomies.attribute(entity, id, term, str(number))
        days = [offer.confirmed_on for offer in offers if offer.confirmed_on is not None]
        if len(days) == len(offers):
            yield self._taxonomies.attribute(entity, id, Capacity.CONFIRMED_ON, min(days).isoformat())

    def _details(
        self, entity: str, id: str, code: str, name: str | None, description: str | None
    ) -> Iterator[hsds.Attribute]:
        for term, value in ((Detail.CODE, code), (Detail.NAME_EN, name), (Detail.DESCRIPTION_EN, description)):
            if value is not None:
                yield self._taxonomies.attribute(entity, id, term, value)

    def _languages(self, service: Service, entry: ServiceEntry) -> Iterator[hsds.LanguageSpoken]:
        for code in entry.languages:
            id, name = child(service.id, f"language/{code}"), name_of(code)
            yield hsds.LanguageSpoken(id=id, service_id=service.id, name=name, code=code)

    def _partner(self, service: Service) -> Partner:
        partner = self._directory.partner(service.partner)
        if partner is None:
            raise ValueError("a service without a partner is not published")
        return partner


def _ages_together(offers: Sequence[Offer]) -> tuple[int | None, int | None]:
    """The youngest and the oldest whom one of these offers takes; None where one is open to any age, or there is none."""
    ages = [offer.terms.ages for offer in offers if offer.terms is not None]
    limits = [one for one in ages if one is not None]
    if not limits or len(limits) < len(ages):
        return None, None
    return min(one[0] for one in limits), max(one[1] for one in limits)


def _contacts(id: str, entry: PartnerEntry) -> Iterator[hsds.Contact]:
    for place, contact in enumerate(entry.contacts):
        own = child(id, f"contact/{place}")
        phones = [hsds.Phone(id=child(own, "phone"), contact_id=own, number=contact.phone)] if contact.phone else []
        yield hsds.Contact(
            id=own,
            organization_id=id,
            name=contact.name,
            title=contact.function,
            email=contact.email,
            phones=tuple(phones),
        )


def _appointment(terms: OfferTerms) -> dict[str, str]:
    """The fields of a schedule that only an appointment fills."""
    slot, at = terms.slot, terms.slot_at
    if slot is None or at is None:
        return {}
    offset = at.astimezone(BERLIN).isoformat()[-6:]
    way = "virtual" if slot.way is MeetingWay.VIDEO else "in_person"
    return {"opens_at": slot.begins + offset, "closes_at": slot.ends + offset, "attending_type": way}


def _of(service: Service) -> ServiceEntry:
    if service.entry is None:
        raise ValueError("a service that nobody has put into the directory is not published")
    return service.entry


def _instant(at: datetime | None) -> str | None:
    return format_instant(at.astimezone(UTC)) if at is not None else None
