"""A directory in the terms of HSDS 3, as one JSON file: an object with `services` and `organizations` as exported here, or only a list
of services.

What we exported comes back with its codes. Of anybody else's file the ids become the codes, so that sending it again means the same. A
location that nobody can place in a district, an organisation or a service that lacks something is left out and listed; services that are
not active are left out without a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError

from services.referral.directory import hsds
from services.referral.directory.entries import Address, Contact, ServiceEntry, Site, Wording
from services.referral.directory.importing import values
from services.referral.directory.importing.csv_file import BadFile
from services.referral.directory.importing.gathering import Gathered, Record
from services.referral.directory.taxonomies import Detail, kind_of, value_of

MOST_OBJECTS: Final = 5000

Known = TypeVar("Known", hsds.Organization, hsds.Service)


def read_hsds(content: bytes, county: str, today: date) -> Gathered:
    """Raises `BadFile` for what is no JSON of this form."""
    try:
        told: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise BadFile("import-no-json") from None
    parts = cast("dict[str, object]", told if isinstance(told, dict) else {"services": told})
    organizations, services = _list(parts, "organizations"), _list(parts, "services")
    if not organizations and not services:
        raise BadFile("import-no-hsds")
    if len(organizations) + len(services) > MOST_OBJECTS:
        raise BadFile("import-too-many-rows")
    reading = _Reading(county, today)
    for line, one in enumerate(organizations, 1):
        reading.organization(Record(line, "organizations."), one)
    for line, one in enumerate(services, 1):
        reading.service(Record(line, "services."), one)
    return reading.gathered


def _list(parts: dict[str, object], name: str) -> list[object]:
    found = parts.get(name)
    return cast("list[object]", found) if isinstance(found, list) else []


class _Reading:
    def __init__(self, county: str, today: date) -> None:
        self.gathered: Final = Gathered()
        self._district = values.district_in(county)
        self._day = values.day_until(today)
        self._code_of: dict[str, str] = {}
        """Of each organisation that was taken, by its id in the file."""
        self._seen: set[str] = set()

    def organization(self, record: Record, told: object) -> None:
        """An organisation of the list."""
        document = self._document(record, hsds.Organization, told)
        if document is not None:
            self._organization(record, document, "")

    def _organization(self, record: Record, document: hsds.Organization, where: str) -> None:
        self._seen.add(document.id)
        phones = [phone.number for phone in document.phones or ()]
        facts: dict[str, Any] = {
            "name": record.need(f"{where}name", document.name, values.name, "?"),
            "description": self._wording(record, f"{where}description", document.description, document.attributes),
            "email": record.read(f"{where}email", document.email, values.email),
            "phone": record.read(f"{where}phones", phones[0] if phones else None, values.phone),
            "website": record.read(f"{where}website", document.website, values.website),
            "legal_status": record.read(f"{where}legal_status", document.legal_status, values.name),
        }
        contacts = [self._contact(record, contact, f"{where}contacts") for contact in document.contacts or ()]
        code = self._code(record, f"{where}id", document.id, document.attributes)
        if not self.gathered.take(record):
            return
        self._code_of[document.id] = code
        self.gathered.partner(record.line, code, {name: fact for name, fact in facts.items() if fact is not None})
        for contact in contacts:
            self.gathered.contact(code, contact)
        for location in document.locations or ():
            self._site(Record(record.line, record.part), code, location, f"{where}locations")

    def service(self, record: Record, told: object) -> None:
        """A service of the list, and the organisation that lies in it if the file has no list of them."""
        document = self._document(record, hsds.Service, told)
        if document is None or document.status != "active":
            return
        inner = document.organization
        if inner is not None and inner.id not in self._seen:
            self._organization(Record(record.line, record.part), inner, "organization.")
        owner = document.organization_id or (inner.id if inner is not None else "")
        partner = self._code_of.get(owner)
        if partner is None:
            record.note("organization_id", "organization")
        kind = kind_of(document.attributes or ()) or self._kind_by_name(document)
        if kind is None:
            record.note("attributes", "kind" if document.attributes else "missing")
        name = record.need("name", document.name, values.name, "?")
        spoken = " ".join(one.code or one.name or "" for one in document.languages or ())
        fields: dict[str, Any] = {
            "languages": record.read("languages", spoken, values.languages) or (),
            "fees": record.read("fees_description", document.fees_description, values.text),
            "application_process": record.read("application_process", document.application_process, values.text),
        }
        description = self._wording(record, "description", document.description or name, document.attributes)
        as_of = record.read("assured_date", document.assured_date, self._day)
        code = self._code(record, "id", document.id, document.attributes)
        if not self.gathered.take(record) or partner is None or kind is None:
            return
        sites = [
            self._site(Record(record.line, record.part), partner, place.location, "service_at_locations.location")
            for place in document.service_at_locations or ()
            if place.location is not None
        ]
        english = value_of(document.attributes or (), Detail.NAME_EN)
        entry = ServiceEntry(
            kind=kind,
            name=Wording(de=name, en=english),
            description=description,
            sites=tuple(site for site in sites if site is not None),
            **fields,
        )
        self.gathered.service(record.line, partner, code, entry, as_of)

    def _site(self, record: Record, partner: str, location: hsds.Location, where: str) -> str | None:
        """The code of a site, which is added if it is new and good. It is a record of its own."""
        code = self._code(record, f"{where}.id", location.id, location.attributes)
        if self.gathered.has_site(partner, code):
            return code
        written = next(iter(location.addresses), None)
        key = location.external_identifier if location.external_identifier_type == "ARS" else None
        district = record.need(
            f"{where}.addresses.city", key or (written.city if written else None), self._district, ""
        )
        address = None
        if written is not None and re.fullmatch(r"[0-9]{5}", written.postal_code):
            street = record.need(f"{where}.addresses.address_1", written.address_1, values.name, "?")
            city = record.need(f"{where}.addresses.city", written.city, values.name, "?")
            address = Address.model_construct(street=street, postal_code=written.postal_code, city=city)
        point = (location.latitude, location.longitude)
        name = record.read(f"{where}.name", location.name, values.name)
        accessibility = [
            record.read(f"{where}.accessibility", one.description, values.text) for one in location.accessibility
        ]
        if None not in point and not (abs(point[0] or 0) <= 90 and abs(point[1] or 0) <= 180):
            record.note(f"{where}.latitude", "degrees")
        if not self.gathered.has_room(partner):
            record.note(where, "too-many-parts")
        if not self.gathered.take(record):
            return None
        whole = None not in point
        site = Site(
            code=code,
            name=name or district,
            district=district,
            address=address,
            latitude=point[0] if whole else None,
            longitude=point[1] if whole else None,
            accessibility=tuple(one for one in accessibility if one),
        )
        self.gathered.site(partner, site)
        return code

    def _contact(self, record: Record, contact: hsds.Contact, where: str) -> Contact:
        phone = contact.phones[0].number if contact.phones else None
        return Contact(
            function=record.read(f"{where}.title", contact.title, values.name) or "Kontakt",
            name=record.read(f"{where}.name", contact.name, values.name),
            email=record.read(f"{where}.email", contact.email, values.email),
            phone=record.read(f"{where}.phones", phone, values.phone),
        )

    def _wording(self, record: Record, column: str, text: str, attributes: Sequence[hsds.Attribute] | None) -> Wording:
        german = record.need(column, text, values.text, "?")
        return Wording(de=german, en=value_of(attributes or (), Detail.DESCRIPTION_EN) or None)

    def _code(self, record: Record, column: str, id: str, attributes: Sequence[hsds.Attribute] | None) -> str:
        own = value_of(attributes or (), Detail.CODE)
        return record.need(column, own or f"hsds-{id.lower()}", values.code, "none")

    def _kind_by_name(self, document: hsds.Service) -> Any:
        for attribute in document.attributes or ():
            term = attribute.taxonomy_term
            for word in (term.name, term.code) if term is not None else ():
                found = Record(0).read("", word, values.kind)
                if found is not None:
                    return found
        return None

    def _document(self, record: Record, model: type[Known], told: object) -> Known | None:
        try:
            return model.model_validate(told)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
                place = ".".join(str(part) for part in one["loc"])
                record.note(place, "missing" if one["type"] == "missing" else "form")
        self.gathered.take(record)
        return None
