"""What was read from a file, put together: partners with their sites and contacts, their services, and what was wrong.

A record (a row, an object) is taken as a whole or not at all. Several rows may speak of one partner; they must not contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from services.referral.directory.entries import MOST_PARTS, Contact, PartnerEntry, ServiceEntry, Site, Wording
from services.referral.directory.importing.values import BadValue, Reader
from services.referral.directory.keeping import OfPartner, PutPartner, PutService

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Wrong:
    """`line` counts from 1 (in JSON: the number of the object in its list); `column` is the heading, or the field."""

    line: int
    column: str
    code: str


@dataclass(slots=True)
class Record:
    """One record while it is read; `part` begins the names of its columns. `read` gives None for an empty value, and for a bad one,
    which it notes."""

    line: int
    part: str = ""
    wrong: list[Wrong] = field(default_factory=list[Wrong])

    def read(self, column: str, text: str | None, reader: Reader[Value]) -> Value | None:
        text = (text or "").strip()
        if not text:
            return None
        try:
            return reader(text)
        except BadValue as bad:
            self.note(column, bad.code)
            return None

    def need(self, column: str, text: str | None, reader: Reader[Value], otherwise: Value) -> Value:
        """The same for what must be there; `otherwise` goes on in its place, and the record is not taken."""
        found = self.read(column, text, reader)
        if found is None and not self.wrong_at(column):
            self.note(column, "missing")
        return otherwise if found is None else found

    def note(self, column: str, code: str) -> None:
        self.wrong.append(Wrong(self.line, f"{self.part}{column}", code))

    def wrong_at(self, column: str) -> bool:
        return any(one.column == f"{self.part}{column}" for one in self.wrong)


@dataclass(slots=True)
class _Partner:
    line: int
    facts: dict[str, Any]
    as_of: date | None
    sites: dict[str, Site] = field(default_factory=dict[str, Site])
    contacts: list[Contact] = field(default_factory=list[Contact])
    services: dict[str, tuple[int, ServiceEntry, date | None]] = field(
        default_factory=dict[str, tuple[int, ServiceEntry, date | None]]
    )


class Gathered:
    """Everything good of a file, and everything `wrong`."""

    def __init__(self) -> None:
        self.wrong: Final[list[Wrong]] = []
        self._partners: dict[str, _Partner] = {}

    def knows(self, partner: str) -> bool:
        return partner in self._partners

    def clash(self, code: str, facts: Mapping[str, Any]) -> str | None:
        """The first of these facts that says something else than an earlier record did of the same partner."""
        known = self._partners.get(code)
        if known is None:
            return None
        return next((name for name, fact in facts.items() if known.facts.get(name, fact) != fact), None)

    def partner(self, line: int, code: str, facts: Mapping[str, Any], as_of: date | None = None) -> None:
        """Something is known of a partner: its name, its description, how to reach it."""
        known = self._partners.setdefault(code, _Partner(line, {}, as_of))
        known.facts |= facts

    def has_room(self, partner: str) -> bool:
        """Whether another site and another contact may be added."""
        known = self._partners.get(partner)
        return known is None or max(len(known.sites), len(known.contacts)) < MOST_PARTS

    def site(self, partner: str, site: Site) -> None:
        self._partners[partner].sites[site.code] = site

    def has_site(self, partner: str, code: str) -> bool:
        return partner in self._partners and code in self._partners[partner].sites

    def contact(self, partner: str, contact: Contact) -> None:
        contacts = self._partners[partner].contacts
        if contact not in contacts:
            contacts.append(contact)

    def service(self, line: int, partner: str, code: str, entry: ServiceEntry, as_of: date | None) -> None:
        """A service; one that was there already is at all of its sites."""
        services = self._partners[partner].services
        if code in services:
            first, known, day = services[code]
            sites = tuple(sorted({*known.sites, *entry.sites}))
            services[code] = (first, known.model_copy(update={"sites": sites}), day)
        else:
            services[code] = (line, entry, as_of)

    def take(self, record: Record) -> bool:
        """Whether a record is good; if not, what is wrong with it is noted."""
        self.wrong.extend(record.wrong)
        return not record.wrong

    def commands(self) -> Iterator[tuple[int, OfPartner]]:
        """What is to be done, with the line that it comes from: each partner before its services."""
        for code, one in sorted(self._partners.items()):
            facts: dict[str, Any] = {"description": Wording(de=one.facts["name"]), **one.facts}
            entry = PartnerEntry(**facts, sites=tuple(one.sites.values()), contacts=tuple(one.contacts))
            yield one.line, PutPartner(partner=code, entry=entry, confirms=False, as_of=one.as_of)
            for name, (line, service, as_of) in sorted(one.services.items()):
                yield line, PutService(partner=code, service=name, entry=service, confirms=False, as_of=as_of)
