"""What an entry of the directory says: a partner with its sites and contacts, its agreement with the county, and a service of it.

The words follow Open Referral's HSDS 3.0 where it has them (organization, location, contact, service), so that `hsds` only has to
arrange them. Texts for readers are in German, and in English where somebody wrote it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from schemas.codes import ContactField, ServiceKind
from schemas.events import Code, District, Language
from services.runtime.catalogue import Language as Spoken
from services.runtime.deciding import Day

MOST_PARTS: Final = 50
"""Sites or contacts of one partner."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Email = Annotated[str, Field(max_length=254, pattern=r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]
Phone = Annotated[str, Field(max_length=40, pattern=r"^\+?[0-9][0-9 ()/.-]{2,38}$")]
Website = Annotated[str, Field(max_length=500, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[!-~]*)?$")]


class Entry(BaseModel):
    """Base of what an entry is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(Entry):
    """A text in German, and in English if there is one."""

    de: Text
    en: Text | None = None

    def told_in(self, language: Spoken) -> str:
        return self.en if language == "en" and self.en is not None else self.de


class Address(Entry):
    """Where letters and visitors go, in Germany."""

    street: Name
    postal_code: Annotated[str, Field(pattern=r"^[0-9]{5}$")]
    city: Name


class Site(Entry):
    """A place at which the partner works. `code` is unique within the partner; the point (WGS84, degrees) is whole or not there."""

    code: Code
    name: Name
    district: District
    address: Address | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    accessibility: tuple[Text, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _a_point_or_none(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise PydanticCustomError("half-a-point", "latitude and longitude come together")
        return self


class Contact(Entry):
    """Whom to turn to at the organisation, by function (enrolment, direction, …). Never somebody who seeks help."""

    function: Name
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None


class PartnerEntry(Entry):
    """An organisation, as it wants to be known."""

    name: Name
    description: Wording
    email: Email | None = None
    phone: Phone | None = None
    website: Website | None = None
    legal_status: Name | None = None
    sites: tuple[Site, ...] = Field(default=(), max_length=MOST_PARTS)
    contacts: tuple[Contact, ...] = Field(default=(), max_length=MOST_PARTS)

    @field_validator("sites")
    @classmethod
    def _each_once(cls, sites: tuple[Site, ...]) -> tuple[Site, ...]:
        if len({site.code for site in sites}) != len(sites):
            raise PydanticCustomError("site-code-twice", "each site has a code of its own")
        return sites


class Agreement(Entry):
    """What county and partner agreed: which kinds of referral, and which fields of a person the partner may read after accepting.

    It holds from `valid_from` to `valid_until`, both included; without the latter, without end.
    """

    kinds: tuple[ServiceKind, ...] = Field(min_length=1)
    fields: tuple[ContactField, ...]
    signed_on: Day
    valid_from: Day
    valid_until: Day | None = None

    def covers(self, kind: ServiceKind, day: date) -> bool:
        """Whether somebody may be referred for this kind of service on this day."""
        return kind in self.kinds and self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    @field_validator("valid_until")
    @classmethod
    def _ends_after_start(cls, until: date | None, before: ValidationInfo) -> date | None:
        start: date | None = before.data.get("valid_from")
        if until is not None and start is not None and until < start:
            raise PydanticCustomError("ends-before-start", "an agreement ends on its first day or later")
        return until


class ServiceEntry(Entry):
    """What a partner offers in general; the dated offers with their seats point at it. `sites` are codes of the partner's sites."""

    kind: ServiceKind
    name: Wording
    description: Wording
    languages: tuple[Language, ...] = Field(default=(), max_length=MOST_PARTS)
    fees: Text | None = None
    application_process: Text | None = None
    sites: tuple[Code, ...] = Field(default=(), max_length=MOST_PARTS)

    @field_validator("languages")
    @classmethod
    def _each_once(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(codes))

    @field_validator("sites")
    @classmethod
    def _in_order(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(codes)))
