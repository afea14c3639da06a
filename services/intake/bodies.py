"""What callers send, and how it is read: JSON for programs, with the values of the file format (docs/architecture/import-format.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.codes import Origin, Purpose, ResidenceGroup, Sex
from schemas.events import Uuid
from services.intake.columns import Entries
from services.intake.rows import RowReader, Wrong
from services.intake.sites import rules_of
from services.intake.values import EARLIEST_BIRTH, NO, YES
from services.runtime.problems import FieldProblem, Problem

LONGEST_TEXT: Final = 1_000
"""Characters; every value has a shorter limit of its own."""

MOST_CASES: Final = 200
"""As many as one transaction settles for people who wait."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=LONGEST_TEXT)


class ConsentBody(_Body):
    """The consent of the counter: whether it was given, in which language it was asked for, and with which text."""

    given: bool
    language: str = ""
    text_version: str = ""


class PersonBody(_Body):
    """Names and contact. At least one name; `birth_date` as far as it is known."""

    family_name: str = ""
    given_names: str = ""
    birth_date: str = ""
    phone: str = ""
    email: str = ""


class ArrivalBody(PersonBody):
    """One arrival."""

    municipality_key: str
    arrival_date: str
    consent: ConsentBody
    sex: Sex | None = None
    citizenships: tuple[str, ...] = ()
    origin: Origin = Origin.UNKNOWN
    in_germany_since: str = ""
    languages: tuple[str, ...] = ()
    welcome_package: bool = False
    residence_group: ResidenceGroup | None = None

    def entries(self, county: str, today: date) -> Entries:
        """Everything in its one form. Raises `Problem` that names each bad field, and no value."""
        texts = {
            "family_name": self.family_name,
            "given_names": self.given_names,
            "birth_date": self.birth_date,
            "phone": self.phone,
            "email": self.email,
            "municipality_key": self.municipality_key,
            "arrival_date": self.arrival_date,
            "in_germany_since": self.in_germany_since,
            "citizenships": " ".join(self.citizenships),
            "languages": " ".join(self.languages),
            "consent": YES if self.consent.given else NO,
            "consent_language": self.consent.language,
            "consent_text": self.consent.text_version,
        }
        read = RowReader(county, today, list(texts)).read(list(texts.values()))
        return _fit(read)._replace(
            sex=self.sex or "",
            origin=self.origin,
            welcome_package=YES if self.welcome_package else NO,
            residence_group=self.residence_group or "",
        )


class CorrectionBody(_Body):
    """What was wrong, as it is right; what is not sent stays. `person` is sent whole."""

    person: PersonBody | None = None
    municipality_key: str | None = None
    arrival_date: str | None = None
    origin: Origin | None = None
    in_germany_since: str | None = None
    citizenships: tuple[str, ...] | None = None
    sex: Sex | None = None
    languages: tuple[str, ...] | None = None
    residence_group: ResidenceGroup | None = None
    welcome_package: bool | None = None

    def entries(self, county: str, today: date) -> Entries:
        """The sent texts in their one form. Raises `Problem`."""
        texts: dict[str, str] = dict(self.person.model_dump()) if self.person is not None else {}
        for name in ("municipality_key", "arrival_date", "in_germany_since"):
            texts[name] = getattr(self, name) or ""
        texts["citizenships"] = " ".join(self.citizenships or ())
        texts["languages"] = " ".join(self.languages or ())
        read = _fit(RowReader(county, today, list(texts)).read_some(list(texts.values())), _OF_CORRECTION)
        missing = [
            name for name in ("municipality_key", "arrival_date") if self._sent(name) and not getattr(read, name)
        ]
        if self.person is not None and not (read.family_name or read.given_names):
            missing.append("person.family_name")
        if missing:
            raise _problem(FieldProblem(name, "missing") for name in missing)
        return read

    def _sent(self, name: str) -> bool:
        return name in self.model_fields_set


class ResidenceGroupBody(_Body):
    """The residence group, or null when it is not known any more."""

    residence_group: ResidenceGroup | None


class AppointmentBody(_Body):
    """From which day on. Without it as soon as possible."""

    not_before: date | None = None

    def wish(self, county: str, today: date) -> date | None:
        """The first day that is wished for. Raises `Problem` for one so far ahead that nobody plans for it."""
        if self.not_before is not None and (self.not_before - today).days > rules_of(county).furthest_days:
            raise _problem([FieldProblem("not_before", "too-far-ahead")])
        return self.not_before


class MoveBody(_Body):
    """Where to: a place key of this county, or null for somewhere else."""

    moved_on: date
    municipality_key: str | None

    def place(self, county: str, today: date) -> Entries:
        """The new place. Raises `Problem`."""
        if not EARLIEST_BIRTH <= self.moved_on.isoformat() <= today.isoformat():
            raise _problem([FieldProblem("moved_on", "date-out-of-order")])
        return _fit(RowReader(county, today, ["municipality_key"]).read_some([self.municipality_key or ""]))


class PurposesBody(_Body):
    purposes: tuple[Purpose, ...] = Field(min_length=1, max_length=len(Purpose))


class CasesBody(_Body):
    """Whose contacts are asked for at once: a course."""

    cases: list[Uuid] = Field(min_length=1, max_length=MOST_CASES)


class ConsentsBody(PurposesBody):
    """What the person agreed to, in which language it was asked for, and with which text."""

    language: str = ""
    text_version: str = ""

    def entries(self, county: str, today: date) -> Entries:
        """Language and text version in their one form. Raises `Problem`."""
        texts = {"consent_language": self.language, "consent_text": self.text_version}
        return _fit(RowReader(county, today, list(texts)).read_some(list(texts.values())), _OF_CONSENTS)


_OF_ARRIVAL: Final[Mapping[str, str]] = {
    "consent": "consent.given",
    "consent_language": "consent.language",
    "consent_text": "consent.text_version",
}
_OF_CORRECTION: Final[Mapping[str, str]] = {name: f"person.{name}" for name in PersonBody.model_fields}
_OF_CONSENTS: Final[Mapping[str, str]] = {"consent_language": "language", "consent_text": "text_version"}


def _fit(read: Entries | list[Wrong], fields: Mapping[str, str] = _OF_ARRIVAL) -> Entries:
    if isinstance(read, Entries):
        return read
    raise _problem(FieldProblem(fields.get(wrong.column, wrong.column), wrong.flaw.value) for wrong in read)


def _problem(fields: Iterable[FieldProblem]) -> Problem:
    return Problem("invalid-fields", 422, fields=list(fields))
