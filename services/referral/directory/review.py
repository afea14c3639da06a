"""What a coordinator should look at: partners that are in the directory twice, and entries that nobody has confirmed for long. Pure.

Two partners are taken for one when they share a name within a district, an e-mail address, a telephone number or a website, however
these are written. Whether they are one is for people to say: nothing is ever put together by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.referral.directory.entries import PartnerEntry
from services.referral.directory.listing import Directory
from services.referral.directory.states import Partner


class Same(StrEnum):
    """What two partners have in common."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    WEBSITE = "website"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Partners, by code, that have all of this in common."""

    partners: tuple[str, ...]
    same: tuple[Same, ...]


def duplicates(partners: Iterable[Partner]) -> list[Duplicate]:
    """The partners that may be one, but for those that were retired."""
    sharing: defaultdict[tuple[Same, str], set[str]] = defaultdict(set)
    for partner in partners:
        if partner.entry is not None and not partner.retired:
            for mark in _marks(partner.entry):
                sharing[mark].add(partner.code)
    groups: defaultdict[tuple[str, ...], set[Same]] = defaultdict(set)
    for (same, _), codes in sharing.items():
        if len(codes) > 1:
            groups[tuple(sorted(codes))].add(same)
    return [Duplicate(partners, tuple(one for one in Same if one in groups[partners])) for partners in sorted(groups)]


class Part(StrEnum):
    """What of the directory was not confirmed."""

    PARTNER = "partner"
    SERVICE = "service"
    OFFER = "offer"


@dataclass(frozen=True, slots=True)
class Stale:
    """An entry that was last confirmed on this day; None: never. `code` is that of the service, or the id of the offer."""

    part: Part
    partner: str
    code: str
    confirmed_on: date | None

    @property
    def place(self) -> str:
        """Where it stands in the list: the longest without a word first."""
        day = self.confirmed_on.isoformat() if self.confirmed_on else ""
        return f"{day}/{self.part}/{self.partner}/{self.code}"


def stale(directory: Directory, today: date, days: int) -> list[Stale]:
    """Everything active that nobody has confirmed for more than so many days."""
    found = (one for one in _active(directory) if one.confirmed_on is None or (today - one.confirmed_on).days > days)
    return sorted(found, key=lambda one: one.place)


def _active(directory: Directory) -> Iterator[Stale]:
    for partner in directory.partners:
        if not partner.retired:
            yield Stale(Part.PARTNER, partner.code, "", partner.confirmed_on)
    for service in directory.services:
        if directory.is_active(service):
            yield Stale(Part.SERVICE, service.partner, service.code, service.confirmed_on)
            for offer in directory.offers_of(service):
                yield Stale(Part.OFFER, service.partner, offer.id, offer.confirmed_on)


def _marks(entry: PartnerEntry) -> Iterator[tuple[Same, str]]:
    name = plain_name(entry.name)
    if name:
        for place in {site.district for site in entry.sites} or {""}:
            yield Same.NAME, f"{name}/{place}"
    if entry.email:
        yield Same.EMAIL, entry.email.lower()
    if entry.phone:
        yield Same.PHONE, plain_phone(entry.phone)
    if entry.website:
        yield Same.WEBSITE, plain_website(entry.website)


def plain_name(name: str) -> str:
    """A name without what people write in one way or another: capitals, accents, umlauts, signs, legal form."""
    spelled = unicodedata.normalize("NFKC", name).casefold().translate(_UMLAUTS)
    bare = "".join(one for one in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(one)).casefold()
    words = re.findall(r"\w+", bare.replace("e. v.", "ev").replace(".", ""))
    return " ".join(word for word in words if word not in _LEGAL_FORMS)


def plain_phone(number: str) -> str:
    """The digits of a number, with the country's: 05422 0, +49 5422 0 and 0049 (0)5422-0 are one."""
    digits = re.sub(r"\D", "", number.replace("(0)", ""))
    if number.startswith("+"):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    return f"49{digits[1:]}" if digits.startswith("0") else f"49{digits}"


def plain_website(address: str) -> str:
    """An address without protocol, www, and the slash at its end."""
    return address.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LEGAL_FORMS: Final = frozenset({"ev", "gmbh", "ggmbh", "ug", "gug", "eg", "kg", "ag"})
