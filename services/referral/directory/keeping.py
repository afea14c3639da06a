"""What coordinators and partners do with their entries: put, confirm, retire; and the agreement, which is the coordinator's alone.

The same again changes nothing. An entry that was retired comes back when the coordinator puts it again. `asker` is the organisation that
asks; None is somebody who may ask for every partner.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict

from schemas.envelope import Subject
from schemas.events import Code
from services.referral.directory.entries import Agreement, PartnerEntry, ServiceEntry
from services.referral.directory.states import (
    AgreementSet,
    Confirmed,
    Listed,
    Partner,
    PartnerPut,
    Retired,
    Service,
    ServicePut,
    partner_id,
    service_id,
)
from services.runtime.deciding import Decision, States
from services.runtime.errors import Refused


class OfPartner(BaseModel):
    """A command about the partner with this code."""

    model_config = ConfigDict(frozen=True)

    partner: Code
    asker: str | None = None


class _Put(BaseModel):
    """Whoever puts an entry confirms it; one that is read in from a file (not `confirms`) is right as of what the file says, if it does."""

    confirms: bool = True
    as_of: date | None = None

    def confirmed_on(self, today: date) -> date | None:
        return today if self.confirms else self.as_of


class PutPartner(OfPartner, _Put):
    """The entry is to be this one."""

    entry: PartnerEntry


class SetAgreement(OfPartner):
    """County and partner agreed on this."""

    agreement: Agreement


class ConfirmPartner(OfPartner):
    """The entry is right as of today."""


class RetirePartner(OfPartner):
    """The organisation is no partner any more."""


class OfService(OfPartner):
    """A command about a service of the partner."""

    service: Code


class PutService(OfService, _Put):
    """The entry is to be this one."""

    entry: ServiceEntry


class ConfirmService(OfService):
    """The entry is right as of today."""


class RetireService(OfService):
    """The partner does not offer it any more."""


class EntryStanding(BaseModel):
    """An entry after a command."""

    id: str
    confirmed_on: date | None
    retired: bool


def names(command: OfPartner, county: str) -> Iterable[Subject]:
    """The states that a command needs, the one it is about first."""
    partner = Subject(Partner.KIND, partner_id(county, command.partner))
    if isinstance(command, OfService):
        yield Subject(Service.KIND, service_id(county, command.partner, command.service))
    yield partner


def decide(command: OfPartner, county: str, states: States, today: date) -> Decision:
    """What follows from a command. Raises `Refused`."""
    partner = states.get(Partner, partner_id(county, command.partner))
    match command:
        case PutPartner():
            return _put_partner(command, partner, today)
        case SetAgreement(agreement=agreement):
            _known(partner)
            return _unless(partner.agreement == agreement, partner, AgreementSet(agreement))
        case ConfirmPartner():
            return _confirm(partner, today)
        case RetirePartner():
            return _retire(partner)
        case OfService(service=code):
            service = states.get(Service, service_id(county, command.partner, code))
            return _of_service(command, service, partner, today)
        case _:
            raise TypeError("the directory knows no such command")


def _put_partner(command: PutPartner, partner: Partner, today: date) -> Decision:
    _may_come_back(partner, command.asker)
    day = command.confirmed_on(today)
    put = PartnerPut(command.partner, command.entry, day)
    same = partner.entry == command.entry and not partner.retired
    return _unless(same, partner, put, confirmed_on=day, retired=False)


def _of_service(command: OfService, service: Service, partner: Partner, today: date) -> Decision:
    match command:
        case PutService():
            return _put_service(command, service, partner, today)
        case ConfirmService():
            return _confirm(service, today)
        case RetireService():
            return _retire(service)
        case _:
            raise TypeError("the directory knows no such command")


def _put_service(command: PutService, service: Service, partner: Partner, today: date) -> Decision:
    entry, sites = command.entry, {site.code for site in _known(partner).sites}
    _may_come_back(partner, command.asker)
    _may_come_back(service, command.asker)
    if not sites.issuperset(entry.sites):
        raise Refused("site-not-of-partner")
    day = command.confirmed_on(today)
    put = ServicePut(command.partner, command.service, entry, day)
    same = service.entry == entry and not service.retired
    return _unless(same, service, put, confirmed_on=day, retired=False)


def _known(partner: Partner) -> PartnerEntry:
    if partner.entry is None:
        raise Refused("entry-not-found", 404)
    return partner.entry


def _may_come_back(listed: Listed, asker: str | None) -> None:
    if listed.retired and asker is not None:
        raise Refused("entry-retired")


def _confirm(listed: Listed, today: date) -> Decision:
    if listed.entry is None:
        raise Refused("entry-not-found", 404)
    if listed.retired:
        raise Refused("entry-retired")
    return _unless(listed.confirmed_on == today, listed, Confirmed(today), confirmed_on=today)


def _retire(listed: Listed) -> Decision:
    if listed.entry is None:
        raise Refused("entry-not-found", 404)
    return _unless(listed.retired, listed, Retired(), retired=True)


def _unless(same: bool, listed: Listed, fact: object, **changes: object) -> Decision:  # noqa: FBT001 - reads as a sentence
    """The fact, unless it is so already."""
    if same:
        return Decision(answer=_standing(listed))
    return Decision([(listed.subject, fact)], answer=_standing(listed.but(**changes)))


def _standing(listed: Listed) -> EntryStanding:
    return EntryStanding(id=listed.id, confirmed_on=listed.confirmed_on, retired=listed.retired)
