"""The documents of Open Referral's Human Services Data Specification (HSDS 3.0), as far as this directory fills them.

Names and types are those of https://docs.openreferral.org/en/3.0/; fields that HSDS knows and nobody here could fill are left out, and
what is not known is left out of the answer. Reading takes any HSDS document: what is not named here is ignored.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

VERSION: Final = "3.0"
PROFILE: Final = "https://docs.openreferral.org/en/3.0/"


class Document(BaseModel):
    """Base of all of them. `id` is a UUID."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str


class Taxonomy(Document):
    name: str
    description: str
    uri: str | None = None
    version: str | None = None


class TaxonomyTerm(Document):
    name: str
    description: str
    code: str | None = None
    taxonomy_id: str | None = None
    language: str | None = None


class Attribute(Document):
    """A term of a taxonomy that is true of something, with a value for what HSDS has no field for."""

    link_id: str | None = None
    link_entity: str | None = None
    taxonomy_term_id: str | None = None
    value: str | None = None
    taxonomy_term: TaxonomyTerm | None = None


class Phone(Document):
    number: str
    organization_id: str | None = None
    contact_id: str | None = None


class Contact(Document):
    """`title` is the function."""

    organization_id: str | None = None
    name: str | None = None
    title: str | None = None
    email: str | None = None
    phones: tuple[Phone, ...] = ()


class LanguageSpoken(Document):
    """`code` is one of ISO 639."""

    service_id: str | None = None
    name: str | None = None
    code: str | None = None


class Address(Document):
    address_1: str
    city: str
    state_province: str
    postal_code: str
    country: str
    address_type: Literal["physical", "postal", "virtual"]
    location_id: str | None = None


class Accessibility(Document):
    location_id: str | None = None
    description: str | None = None


class Location(Document):
    """`external_identifier` is the key of the district (ARS, nine digits)."""

    location_type: Literal["physical", "postal", "virtual"]
    organization_id: str | None = None
    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    external_identifier: str | None = None
    external_identifier_type: str | None = None
    addresses: tuple[Address, ...] = ()
    accessibility: tuple[Accessibility, ...] = ()
    attributes: tuple[Attribute, ...] = ()


class Schedule(Document):
    """A dated offer, or a standing one (without days). Of an appointment also from when to when (with the offset from UTC), and in which
    way."""

    service_id: str | None = None
    service_at_location_id: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    description: str | None = None
    opens_at: str | None = None
    closes_at: str | None = None
    attending_type: str | None = None
    attributes: tuple[Attribute, ...] = ()


class ServiceAtLocation(Document):
    service_id: str | None = None
    location_id: str | None = None
    location: Location | None = None
    schedules: tuple[Schedule, ...] | None = None
    attributes: tuple[Attribute, ...] | None = None


class Organization(Document):
    name: str
    description: str
    email: str | None = None
    website: str | None = None
    legal_status: str | None = None
    contacts: tuple[Contact, ...] | None = None
    phones: tuple[Phone, ...] | None = None
    locations: tuple[Location, ...] | None = None
    attributes: tuple[Attribute, ...] | None = None


class Service(Document):
    name: str
    status: Literal["active", "inactive", "defunct", "temporarily closed"]
    organization_id: str | None = None
    alternate_name: str | None = None
    description: str | None = None
    application_process: str | None = None
    eligibility_description: str | None = None
    minimum_age: int | None = None
    maximum_age: int | None = None
    fees_description: str | None = None
    assured_date: str | None = None
    last_modified: str | None = None
    organization: Organization | None = None
    languages: tuple[LanguageSpoken, ...] | None = None
    service_at_locations: tuple[ServiceAtLocation, ...] | None = None
    schedules: tuple[Schedule, ...] | None = None
    attributes: tuple[Attribute, ...] | None = None


class Export(BaseModel):
    """The whole directory in one file."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    services: tuple[Service, ...] = ()
    organizations: tuple[Organization, ...] = ()
    taxonomies: tuple[Taxonomy, ...] = ()
    taxonomy_terms: tuple[TaxonomyTerm, ...] = ()
