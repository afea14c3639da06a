"""A small directory for the tests: a school of adult education with one site, its agreement, and its course."""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.codes import ContactField
from services.referral.directory.entries import Agreement, PartnerEntry, ServiceEntry
from services.referral.directory.keeping import PutPartner, PutService, SetAgreement
from tests.referral.network import COURSE, MELLE, Network

VHS: dict[str, Any] = {
    "name": "Volkshochschule Musterland",
    "description": {"de": "Kurse für alle", "en": "Courses for everybody"},
    "email": "info@vhs.example",
    "phone": "+49 5422 0000",
    "website": "https://vhs.example/",
    "legal_status": "kommunal",
    "sites": [
        {
            "code": "melle",
            "name": "Haus Melle",
            "district": MELLE,
            "address": {"street": "Markt 1", "postal_code": "49324", "city": "Melle"},
            "latitude": 52.2,
            "longitude": 8.3,
            "accessibility": ["stufenloser Zugang"],
        }
    ],
    "contacts": [{"function": "Anmeldung", "name": "Erika Beispiel", "email": "anmeldung@vhs.example"}],
}
A_COURSE: dict[str, Any] = {
    "kind": COURSE,
    "name": {"de": "Integrationskurs", "en": "Integration course"},
    "description": {"de": "600 Stunden Deutsch"},
    "languages": ["deu", "ara"],
    "fees": "2,29 € je Stunde, Befreiung möglich",
    "application_process": "Mit Berechtigungsschein beim Träger",
    "sites": ["melle"],
}
AGREED: dict[str, Any] = {
    "kinds": [COURSE],
    "fields": ["name", "email"],
    "signed_on": "2016-01-01",
    "valid_from": "2016-01-01",
    "valid_until": "2016-12-31",
}


def entry(**other: Any) -> PartnerEntry:
    """The school's entry."""
    return PartnerEntry.model_validate({**VHS, **other})


def course(**other: Any) -> ServiceEntry:
    """The school's course, as a service."""
    return ServiceEntry.model_validate({**A_COURSE, **other})


def agreement(**other: Any) -> Agreement:
    """Integration courses, with name and e-mail, throughout the year."""
    return Agreement.model_validate({**AGREED, **other})


def listed(network: Network, partner: str = "vhs", agreed: Agreement | None = None) -> None:
    """The partner is in the directory, with its course and its agreement, if there is one."""
    network.asks(PutPartner(partner=partner, entry=entry()))
    network.asks(PutService(partner=partner, service="course", entry=course()))
    if agreed is not None:
        network.asks(SetAgreement(partner=partner, agreement=agreed))


FIELDS = (ContactField.NAME, ContactField.EMAIL)
NEXT_DAY = date(2016, 6, 2)
