"""From what an office wrote to the command that registers or counts: the last place where a name is seen in the clear.

Here the person is sealed. Where the consent is refused nothing but district, month and way in goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.codes import Origin, ResidenceGroup, Sex, Way
from services.intake.bodies import CorrectionBody
from services.intake.columns import Entries
from services.intake.commands import (
    CorrectPerson,
    CountArrival,
    FileRow,
    RegisterArrival,
    RegisterChanges,
    StatementChanges,
)
from services.intake.model import Register, Statements, Teller, group_told_by
from services.intake.sealing import CountyKeys, Person
from services.intake.values import NO, YES


@dataclass(frozen=True, slots=True)
class Source:
    """Which way somebody came in, at which office, and who says so."""

    way: Way
    office: str
    teller: Teller
    today: date


def to_command(
    entries: Entries,
    source: Source,
    keys: CountyKeys,
    *,
    id: str,
    row: FileRow | None = None,
) -> RegisterArrival | CountArrival:
    """The command for one arrival; `id` becomes that of the case, or of the count."""
    if entries.consent == NO:
        return CountArrival(
            count=id,
            way=source.way,
            district=entries.municipality_key[:9],
            arrived_in=entries.arrival_date[:7],
            row=row,
        )
    person = person_of(entries)
    return RegisterArrival(
        case=id,
        way=source.way,
        office=source.office,
        register_facts=register_of(entries, source.teller),
        statements=statements_of(entries, source.teller),
        consent_language=entries.consent_language or None,
        consent_text=entries.consent_text or None,
        person=keys.seal(id, person),
        fingerprint=keys.fingerprint(person),
        row=row,
        today=source.today,
    )


def to_correction(
    body: CorrectionBody,
    entries: Entries,
    keys: CountyKeys,
    *,
    case: str,
    office: str | None,
    teller: Teller,
    today: date,
) -> CorrectPerson:
    """The command for a correction: of the coded facts those that were sent, and the person if it was sent."""
    district, municipality = places_of(entries)
    right: dict[str, object] = {
        "origin": body.origin or Origin.UNKNOWN,
        "sex": body.sex,
        "citizenships": tuple(entries.citizenships.split()),
        "in_germany_since": entries.in_germany_since or None,
        "arrived_on": entries.arrival_date,
    }
    changes = {name: right[name] for name in right if _SENT_AS.get(name, name) in body.model_fields_set}
    if "municipality_key" in body.model_fields_set:
        changes |= {"district": district, "municipality": municipality}
    person = person_of(entries) if body.person is not None else None
    if person is not None:
        changes["birth_year"] = birth_year_of(entries)
    stated: dict[str, object] = {
        "languages": tuple(entries.languages.split()),
        "residence_group": body.residence_group,
        "welcome_package": bool(body.welcome_package),
    }
    return CorrectPerson(
        case=case,
        office=office,
        today=today,
        told_by=teller,
        register_changes=RegisterChanges.model_validate(changes),
        statement_changes=StatementChanges.model_validate(
            {name: value for name, value in stated.items() if name in body.model_fields_set}
        ),
        person=keys.seal(case, person) if person is not None else None,
        fingerprint=keys.fingerprint(person) if person is not None else None,
    )


_SENT_AS: Final = {"arrived_on": "arrival_date"}


def person_of(entries: Entries) -> Person:
    return Person(
        family_name=entries.family_name,
        given_names=entries.given_names,
        birth_date=entries.birth_date,
        phone=entries.phone,
        email=entries.email,
    )


def register_of(entries: Entries, teller: Teller) -> Register:
    district, municipality = places_of(entries)
    return Register(
        told_by=teller,
        district=district,
        municipality=municipality,
        arrived_on=date.fromisoformat(entries.arrival_date),
        origin=Origin(entries.origin) if entries.origin else Origin.UNKNOWN,
        in_germany_since=date.fromisoformat(entries.in_germany_since) if entries.in_germany_since else None,
        citizenships=tuple(entries.citizenships.split()),
        birth_year=birth_year_of(entries),
        sex=Sex(entries.sex) if entries.sex else None,
    )


def statements_of(entries: Entries, teller: Teller) -> Statements:
    """The residence group comes from the foreigners authority where that is the office, else from the person."""
    group = ResidenceGroup(entries.residence_group) if entries.residence_group else None
    return Statements(
        languages=tuple(entries.languages.split()),
        residence_group=group,
        residence_group_told_by=group_told_by(teller) if group is not None else None,
        welcome_package=entries.welcome_package == YES,
    )


def places_of(entries: Entries) -> tuple[str, str | None]:
    """The district, and the municipality where the key says it."""
    key = entries.municipality_key
    return key[:9], key if len(key) == 12 else None


def birth_year_of(entries: Entries) -> int | None:
    return int(entries.birth_date[:4]) if entries.birth_date else None
