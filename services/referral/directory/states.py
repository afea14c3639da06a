"""A partner and a service as they stand in the directory, and how each fact changes them. Nothing here is announced to other services.

Ids follow from county and codes, so that whoever names an entry by its codes, at a door or in a file, means the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from schemas.codes import ServiceKind
from services.referral.directory.entries import Agreement, PartnerEntry, ServiceEntry
from services.runtime.deciding import Day, State
from services.runtime.ids import child

_DIRECTORY: Final = "6f1c1a56-6f0e-5c5b-9d0b-6f3c2c1d7a11"
"""The root of all ids of the directory."""


def partner_id(county: str, code: str) -> str:
    """The id of the partner with this code."""
    return child(_DIRECTORY, f"partner/{county}/{code}")


def service_id(county: str, partner: str, code: str) -> str:
    """The id of the service with this code, of the partner with this code."""
    return child(_DIRECTORY, f"service/{county}/{partner}/{code}")


def term_id(taxonomy: str, term: str = "") -> str:
    """The id of a taxonomy, or of a term in it: the same in every county."""
    return child(_DIRECTORY, f"taxonomy/{taxonomy}/{term}")


class Partner(State):
    """A partner. Without `entry` nobody has put it into the directory; without `agreement` the county's defaults hold for it.

    `confirmed_on`: the day on which somebody last said that the entry is right. `changed_at`: the last change of any kind.
    """

    KIND: ClassVar[str] = "partner"

    code: str = ""
    entry: PartnerEntry | None = None
    agreement: Agreement | None = None
    confirmed_on: Day | None = None
    changed_at: datetime | None = None
    retired: bool = False

    def covers(self, kind: ServiceKind, day: date) -> bool:
        """Whether somebody may be referred to it for this kind of service on this day."""
        return not self.retired and (self.agreement is None or self.agreement.covers(kind, day))


class Service(State):
    """A service of a partner. Without `entry` nobody has put it into the directory."""

    KIND: ClassVar[str] = "service"

    partner: str = ""
    code: str = ""
    entry: ServiceEntry | None = None
    confirmed_on: Day | None = None
    changed_at: datetime | None = None
    retired: bool = False


Listed = Partner | Service


@dataclass(frozen=True, slots=True)
class PartnerPut:
    """The entry of a partner is this one now. `on`: the day as of which somebody said that it is right, if anybody did."""

    code: str
    entry: PartnerEntry
    on: date | None


@dataclass(frozen=True, slots=True)
class AgreementSet:
    """County and partner agreed on this."""

    agreement: Agreement


@dataclass(frozen=True, slots=True)
class ServicePut:
    """The entry of a service is this one now."""

    partner: str
    code: str
    entry: ServiceEntry
    on: date | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Somebody said that it is right as it stands."""

    on: date


@dataclass(frozen=True, slots=True)
class Retired:
    """It is there no more."""


def listed_after(listed: Listed, fact: Any, at: datetime) -> Listed:
    """The entry after a fact."""
    return _after(listed, fact).but(changed_at=at)


def _after(listed: Listed, fact: Any) -> Listed:
    match listed, fact:
        case Partner(), PartnerPut(code=code, entry=entry, on=on):
            return listed.but(code=code, entry=entry, confirmed_on=on, retired=False)
        case Partner(), AgreementSet(agreement=agreement):
            return listed.but(agreement=agreement)
        case Service(), ServicePut(partner=partner, code=code, entry=entry, on=on):
            return listed.but(partner=partner, code=code, entry=entry, confirmed_on=on, retired=False)
        case _, Confirmed(on=on):
            return listed.but(confirmed_on=on)
        case _, Retired():
            return listed.but(retired=True)
        case _:
            raise TypeError(f"{type(fact).__name__} is no fact of the directory")
