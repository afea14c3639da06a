"""An arrival: a case with its first appointment, or one anonymous count.

Without the consent to transfer nothing is decided about a person: the command that comes here has only district, month and way in. With it,
the appointment is booked in the same decision, while the person stands at the counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from schemas.codes import Purpose
from schemas.envelope import Subject
from schemas.events import AppointmentBooked, ArrivalCounted, ArrivalRegistered
from services.intake.booking import Diary, Fact, Wish, names_to_book
from services.intake.books import ONE_REFUSED, ONE_REGISTERED
from services.intake.commands import AppointmentAnswer, ArrivalAnswer, CountArrival, FileRow, Outcome, RegisterArrival
from services.intake.facts import KeepAlike, KeepPerson, Registered, RowTaken
from services.intake.model import Appointment, Case, Consent, Count, Register, Row, Statements
from services.intake.sites import CountyRules
from services.runtime.deciding import Decision, States
from services.runtime.ids import child

MOST_ALIKE: Final = 10
"""People to whom one is held who is written like them. Of some names and days there are many, and nobody looks through all of them."""


def names_to_register(command: RegisterArrival, states: States, rules: CountyRules) -> Iterator[Subject]:
    yield Subject(Case.KIND, command.case)
    if command.row is not None:
        yield Subject(Row.KIND, command.row.digest)
        if _is_known(command.row, states):
            return
    for above in command.alike_above:
        yield Subject(Case.KIND, above)
    yield from names_to_book(_wish(command, rules), states)


def register(command: RegisterArrival, states: States, rules: CountyRules, now: datetime) -> Decision:
    """A case begins. A row that was taken before changes nothing."""
    case = states.get(Case, command.case)
    if _is_known(command.row, states) or case.register_facts is not None or case.erased:
        return Decision(answer=ArrivalAnswer(outcome=Outcome.REPEATED))
    diary = Diary(states, rules.county)
    spoken = command.statements.languages or _languages(command.consent_language)
    event = book(diary, _wish(command, rules), case, spoken)
    consent = Consent(
        language=command.consent_language,
        text_version=command.consent_text,
        office=command.office,
        given_on=command.today,
    )
    begun = Registered(command.way, command.office, command.today, command.register_facts, command.statements, consent)
    told = ArrivalRegistered(
        way=command.way, consents=(Purpose.TRANSFER,), **coded(command.register_facts, command.statements)
    )
    return Decision(
        facts=[
            (case.subject, begun),
            (case.subject, told),
            (case.subject, event),
            *diary.facts,
            *_row_taken(command.row),
        ],
        effects=[KeepPerson(case.id, command.person, is_new=True), *_alike(command, states, now), ONE_REGISTERED],
        answer=ArrivalAnswer(
            outcome=Outcome.REGISTERED,
            case=case.id,
            appointment=in_words(event),
            possible_duplicates=command.possible_duplicates,
        ),
    )


def _alike(command: RegisterArrival, states: States, now: datetime) -> Iterator[KeepAlike]:
    """Whoever stands above may have been taken before, or not at all: then that id is nobody's."""
    above = [id for id in command.alike_above if states.get(Case, id).register_facts is not None]
    for other in (*command.alike, *above)[:MOST_ALIKE]:
        yield KeepAlike(command.case, other, now)


def names_to_count(command: CountArrival) -> Iterator[Subject]:
    yield Subject(Count.KIND, command.count)
    if command.row is not None:
        yield Subject(Row.KIND, command.row.digest)


def count(command: CountArrival, states: States) -> Decision:
    """One more arrival in a district and month, under an id that leads nowhere."""
    if _is_known(command.row, states):
        return Decision(answer=ArrivalAnswer(outcome=Outcome.REPEATED))
    counted = ArrivalCounted(district=command.district, arrived_in=command.arrived_in, way=command.way)
    return Decision(
        facts=[(Subject(Count.KIND, command.count), counted), *_row_taken(command.row)],
        effects=[ONE_REFUSED],
        answer=ArrivalAnswer(outcome=Outcome.COUNTED),
    )


def book(diary: Diary, wish: Wish, case: Case, spoken: tuple[str, ...]) -> AppointmentBooked:
    """Take the earliest free slot for a case, with an interpreter when no language is shared."""
    booked = diary.book(
        wish, case.id, child(case.id, f"appointment/{case.booked + 1}"), wish.site.interpreter_for(spoken)
    )
    return AppointmentBooked(
        appointment=booked.id, site=booked.site, starts_at=booked.starts_at, interpreter=booked.interpreter
    )


def coded(register_facts: Register, statements: Statements) -> dict[str, Any]:
    """The fields of `schemas.events.RegisterFacts`: what others may know of register and statements."""
    return {
        "district": register_facts.district,
        "municipality": register_facts.municipality,
        "arrived_on": register_facts.arrived_on,
        "origin": register_facts.origin,
        "in_germany_since": register_facts.in_germany_since,
        "citizenships": register_facts.citizenships,
        "birth_year": register_facts.birth_year,
        "sex": register_facts.sex,
        "residence_group": statements.residence_group,
        "languages": statements.languages,
    }


def spoken_by(case: Case) -> tuple[str, ...]:
    """The languages that a person told, or else the one in which the consent was asked for."""
    consent = case.consents.get(Purpose.TRANSFER)
    return case.statements.languages or _languages(consent.language if consent else None)


def in_words(event: AppointmentBooked | Appointment) -> AppointmentAnswer:
    """An appointment as it is answered."""
    id = event.appointment if isinstance(event, AppointmentBooked) else event.id
    return AppointmentAnswer(appointment=id, site=event.site, starts_at=event.starts_at, interpreter=event.interpreter)


def _wish(command: RegisterArrival, rules: CountyRules) -> Wish:
    return Wish.of(rules, rules.site_of(command.register_facts.district), command.today)


def _languages(language: str | None) -> tuple[str, ...]:
    return (language,) if language else ()


def _is_known(row: FileRow | None, states: States) -> bool:
    return row is not None and states.known(Row, row.digest) is not None


def _row_taken(row: FileRow | None) -> Iterator[Fact]:
    if row is not None:
        yield Subject(Row.KIND, row.digest), RowTaken(row.destroy_at)
