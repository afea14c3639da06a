"""What callers are answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from pydantic import BaseModel

from schemas.codes import ContactField, Purpose, Way
from services.intake.arrivals import in_words
from services.intake.booking import starts_at
from services.intake.books import STATUSES
from services.intake.commands import AppointmentAnswer, ReadAnswer
from services.intake.model import Case, Consent, Register, Statements, Status
from services.intake.progress import BadValue, Import, ImportState
from services.intake.sealing import Person
from services.intake.store import Entry, Pair
from services.runtime.catalogue import Catalogue, Language


class CaseView(BaseModel):
    """A case without the person: coded facts, consents, the current appointment."""

    case: str
    status: Status
    way: Way | None
    office: str | None
    registered_on: date | None
    register_facts: Register | None
    statements: Statements
    consents: Mapping[Purpose, Consent]
    appointment: AppointmentAnswer | None
    moved_out_on: date | None

    @classmethod
    def of(cls, case: Case, purposes: Collection[Purpose]) -> CaseView:
        """The case for somebody who may know of the consents to these purposes."""
        current = case.appointments[-1] if case.appointments else None
        return cls(
            case=case.id,
            status=case.status,
            way=case.way,
            office=case.office,
            registered_on=case.registered_on,
            register_facts=case.register_facts,
            statements=case.statements,
            consents={purpose: consent for purpose, consent in case.consents.items() if purpose in purposes},
            appointment=in_words(current) if current else None,
            moved_out_on=case.moved_out_on,
        )


class PersonView(BaseModel):
    """Who somebody is, as far as the asker may know. What may not be known is null; what was never told is empty."""

    case: str
    family_name: str | None = None
    given_names: str | None = None
    birth_date: str | None = None
    phone: str | None = None
    email: str | None = None
    languages: tuple[str, ...] | None = None

    @classmethod
    def of(cls, case: str, person: Person, allowed: ReadAnswer) -> PersonView:
        may = allowed.fields
        return cls(
            case=case,
            family_name=person.family_name if ContactField.NAME in may else None,
            given_names=person.given_names if ContactField.NAME in may else None,
            birth_date=person.birth_date if ContactField.BIRTH_DATE in may else None,
            phone=person.phone if ContactField.PHONE in may else None,
            email=person.email if ContactField.EMAIL in may else None,
            languages=allowed.languages if ContactField.LANGUAGES in may else None,
        )


class AppointmentView(BaseModel):
    """One line of the counsellors' day."""

    case: str
    appointment: str
    site: str
    starts_at: datetime
    interpreter: str | None

    @classmethod
    def of(cls, entry: Entry, day: date) -> AppointmentView:
        return cls(
            case=entry.booking.case,
            appointment=entry.booking.appointment,
            site=entry.site,
            starts_at=starts_at(day, entry.slot),
            interpreter=entry.booking.interpreter,
        )


class DuplicateView(BaseModel):
    """Two people who are written the same way and were born on the same day; `case` came later."""

    case: str
    other: str
    noticed_at: datetime

    @classmethod
    def of(cls, pair: Pair) -> DuplicateView:
        return cls(case=pair.case, other=pair.other, noticed_at=pair.noticed_at)


class ProblemView(BaseModel):
    """A bad value: line, heading and kind say where, `code` what, `remedy` what to do about it."""

    line: int
    column: str | None
    kind: str | None
    code: str
    remedy: str

    @classmethod
    def of(cls, bad: BadValue, catalogue: Catalogue, language: Language) -> ProblemView:
        remedy = catalogue.text(language, f"field.{bad.flaw.value}")
        return cls(line=bad.line, column=bad.column, kind=bad.kind, code=bad.flaw.value, remedy=remedy)


class ImportView(BaseModel):
    """How an import stands. Every row is registered, without consent, repeated or refused; `problems` counts the bad values."""

    id: str
    state: ImportState
    began: datetime
    rows: int
    registered: int
    without_consent: int
    repeated: int
    refused: int
    problems: int

    @classmethod
    def of(cls, state: Import, machine_time: datetime) -> ImportView:
        told = state.model_dump(include=set(cls.model_fields))
        return cls.model_validate(told | {"state": state.state_at(machine_time)})


class BooksView(BaseModel):
    """Where everybody is. `active + withdrawn + moved + erased = registered`; whoever refused is only in `without_consent`.

    `appointments` are those that stand or were held.
    """

    registered: int
    active: int
    withdrawn: int
    moved: int
    erased: int
    without_consent: int
    appointments: int

    @classmethod
    def of(cls, entries: Mapping[str, int]) -> BooksView:
        return cls(registered=sum(entries[status.value] for status in STATUSES), **entries)


class AuditView(BaseModel):
    """How many reads of persons a day had, and whether the record of them is whole."""

    day: date
    reads: int
    whole: bool
