"""What people ask of intake, and what they are answered.

A command carries coded facts. A person comes with it sealed already (`services.intake.sealing`), so no rule ever sees a name; `fingerprint`
stands for the person where a repeated request is compared with the first one. Fields that the door adds by itself (new ids, today) are
left out of that comparison: they differ each time.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import ContactField, Origin, Purpose, ResidenceGroup, Role, Sex, Way
from schemas.events import District, Month, Municipality
from services.intake.model import Register, Statements, Status, Teller
from services.intake.sealing import Sealed


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileRow(_Command):
    """What is kept of a file's row: its digest, until `destroy_at` (machine time)."""

    digest: str
    destroy_at: datetime


class RegisterArrival(_Command):
    """Somebody arrived and agreed at the counter. `row` is that of the file which brought it, if one did.

    `alike` are cases of people who are written the same way; `alike_above` are ids that arrivals before this one will have, if they become
    cases. Of `alike`, `possible_duplicates` are those of which whoever asks may know.
    """

    case: str = Field(exclude=True)
    way: Way
    office: str
    register_facts: Register
    statements: Statements
    consent_language: str | None = None
    consent_text: str | None = None
    person: Sealed = Field(exclude=True, repr=False)
    fingerprint: str
    row: FileRow | None = None
    alike: tuple[str, ...] = Field(default=(), exclude=True)
    alike_above: tuple[str, ...] = Field(default=(), exclude=True)
    possible_duplicates: tuple[str, ...] = Field(default=(), exclude=True)
    today: date = Field(exclude=True)


class CountArrival(_Command):
    """Somebody arrived and refused: all that is left of it. `count` is a fresh random id, `way` says who had asked."""

    count: str = Field(exclude=True)
    way: Way
    district: District
    arrived_in: Month
    row: FileRow | None = None


class OfCase(_Command):
    """About one case. `office` limits a clerk to the cases of that office; None: the whole county."""

    case: str
    office: str | None = None
    today: date = Field(exclude=True)


class BookAppointment(OfCase):
    """Book the first free slot, from `not_before` on; an appointment still to come is given up for it."""

    not_before: date | None = None


class RegisterChanges(BaseModel):
    """The facts to be put right; what is not set stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    district: District | None = None
    municipality: Municipality | None = None
    arrived_on: date | None = None
    origin: Origin | None = None
    in_germany_since: date | None = None
    citizenships: tuple[str, ...] | None = None
    birth_year: int | None = None
    sex: Sex | None = None


class StatementChanges(BaseModel):
    """The statements to be put right; what is not set stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    languages: tuple[str, ...] | None = None
    residence_group: ResidenceGroup | None = None
    welcome_package: bool | None = None


class CorrectPerson(OfCase):
    """Something was wrong, `told_by` somebody who knows. `person`, if given, replaces the whole document."""

    told_by: Teller
    register_changes: RegisterChanges = RegisterChanges()
    statement_changes: StatementChanges = StatementChanges()
    person: Sealed | None = Field(None, exclude=True, repr=False)
    fingerprint: str | None = None


class TellResidenceGroup(OfCase):
    """The foreigners authority says what it knows, of any case of the county. None: it does not know any more."""

    residence_group: ResidenceGroup | None


class MovePerson(OfCase):
    """The person moved, as `told_by` says; out of the county when there is no `district`."""

    told_by: Teller
    moved_on: date
    district: District | None = None
    municipality: Municipality | None = None


class GiveConsent(OfCase):
    purposes: tuple[Purpose, ...] = Field(min_length=1)
    language: str | None = None
    text_version: str | None = None
    given_at: str


class WithdrawConsent(OfCase):
    purposes: tuple[Purpose, ...] = Field(min_length=1)


class SettleAlike(OfCase):
    """Somebody has looked at two people who are written alike, and has done what there was to do."""

    other: str


class ErasePerson(OfCase):
    """Everything about the person is to be forgotten."""


class ReadPerson(OfCase):
    """Somebody is about to be told who the person is. `organisation` is set for partners and names the one that asks."""

    reader: str
    role: Role
    organisation: str | None = None


class Outcome(StrEnum):
    """What became of an arrival."""

    REGISTERED = "registered"
    COUNTED = "counted"
    REPEATED = "repeated"


class AppointmentAnswer(BaseModel):
    """Where and when. `interpreter` is the language that will be interpreted."""

    appointment: str
    site: str
    starts_at: datetime
    interpreter: str | None


class ArrivalAnswer(BaseModel):
    """`possible_duplicates` are cases, known to whoever asked, of people who are written the same way and were born on the same day."""

    outcome: Outcome
    case: str | None = None
    appointment: AppointmentAnswer | None = None
    possible_duplicates: tuple[str, ...] = ()


class CaseAnswer(BaseModel):
    """The case as it stands after the command."""

    case: str
    status: Status
    appointment: AppointmentAnswer | None = None


class NotedAnswer(BaseModel):
    """It was heard. Nothing of the case is told."""

    case: str


class ReadAnswer(BaseModel):
    """What of the person may be shown. The read is already in the audit."""

    fields: tuple[ContactField, ...]
    languages: tuple[str, ...]


ALL_FIELDS: Final = tuple(ContactField)
