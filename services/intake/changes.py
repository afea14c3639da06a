"""What may happen to a case after its arrival: appointments, corrections, moves, consents, erasure.

Each function decides one command about an existing case. A case that the asker may not know of, or that was erased, is refused before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch

from schemas.codes import Purpose
from schemas.envelope import Subject
from schemas.events import (
    AppointmentReleased,
    ConsentGiven,
    ConsentWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
)
from services.intake.arrivals import book, coded, in_words, spoken_by
from services.intake.booking import Diary, Fact, Wish, names_to_book, names_to_release
from services.intake.books import tally
from services.intake.cases import after
from services.intake.commands import (
    BookAppointment,
    CaseAnswer,
    CorrectPerson,
    ErasePerson,
    GiveConsent,
    MovePerson,
    NotedAnswer,
    OfCase,
    SettleAlike,
    TellResidenceGroup,
    WithdrawConsent,
)
from services.intake.facts import ConsentRecorded, Corrected, DestroyPerson, DropAlike, KeepPerson, MovedWithin
from services.intake.model import COUNTER_PURPOSES, Case, Consent, Register, Statements, Status, Teller, group_told_by
from services.intake.sites import CountyRules
from services.runtime.deciding import Decision, Forget, States
from services.runtime.errors import Refused


def case_of(command: OfCase, states: States) -> Case:
    """The case that a command is about. Raises `Refused`; what other offices have, or had, is no office's business."""
    case = states.get(Case, command.case)
    if case.erased and command.office is None and not isinstance(command, TellResidenceGroup):
        raise Refused("case-erased", 410)
    if case.register_facts is None or (command.office is not None and command.office != case.office):
        raise Refused("case-unknown", 404)
    return case


def names_of_change(command: OfCase, states: States, rules: CountyRules) -> Iterator[Subject]:
    """The case, the daybooks that it may give up, and for a booking those with room."""
    yield Subject(Case.KIND, command.case)
    case = states.known(Case, command.case)
    if case is None:
        return
    yield from names_to_release(rules.county, case.appointments)
    if isinstance(command, BookAppointment) and case.register_facts is not None:
        yield from names_to_book(_wish(command, case.register_facts, rules), states)


@dataclass(frozen=True, slots=True)
class Around:
    """What a decision rests on beside the command and its case."""

    states: States
    rules: CountyRules
    now: datetime


@singledispatch
def change(command: OfCase, case: Case, around: Around) -> Decision:  # noqa: ARG001 - the signature of all that follow
    """What follows from a command for its case. Raises `Refused` where a rule forbids it."""
    raise TypeError(type(command).__name__)


@change.register
def _book_appointment(command: BookAppointment, case: Case, around: Around) -> Decision:
    """The earliest free slot; an appointment still to come is given up for it."""
    if case.status is Status.MOVED:
        raise Refused("case-moved")
    if case.status is not Status.ACTIVE:
        raise Refused("consent-missing", 403)
    diary = Diary(around.states, around.rules.county)
    facts: list[Fact] = []
    event = book(diary, _wish(command, _register_of(case), around.rules), case, spoken_by(case))
    upcoming = case.upcoming(around.now)
    if upcoming is not None:
        diary.release(upcoming, command.today)
        facts.append((case.subject, AppointmentReleased(appointment=upcoming.id)))
    facts.append((case.subject, event))
    return _decision(case, [*facts, *diary.facts], around)


@change.register
def _correct(command: CorrectPerson, case: Case, around: Around) -> Decision:
    """Put facts right, at any time and whatever the consent: a person has the right to it (GDPR, article 16)."""
    register, statements = _register_of(case), case.statements
    right = command.register_changes.model_dump(exclude_unset=True)
    if right:
        register = register.with_changes(right, command.told_by)
    stated = command.statement_changes.model_dump(exclude_unset=True)
    if "residence_group" in stated:
        stated["residence_group_told_by"] = group_told_by(command.told_by)
    facts = _corrected(case, register, statements.model_copy(update=stated))
    return _decision(case, facts, around, [KeepPerson(case.id, command.person)] if command.person is not None else ())


@change.register
def _tell_residence_group(command: TellResidenceGroup, case: Case, around: Around) -> Decision:  # noqa: ARG001
    """The authority's word about somebody of whom it sees nothing: so the answer says nothing either."""
    told = {
        "residence_group": command.residence_group,
        "residence_group_told_by": group_told_by(Teller.FOREIGNERS_AUTHORITY),
    }
    facts = _corrected(case, _register_of(case), case.statements.model_copy(update=told))
    return Decision(facts, answer=NotedAnswer(case=case.id))


def _corrected(case: Case, register: Register, statements: Statements) -> list[Fact]:
    return [
        (case.subject, Corrected(register, statements)),
        (case.subject, PersonCorrected(**coded(register, statements))),
    ]


@change.register
def _move(command: MovePerson, case: Case, around: Around) -> Decision:
    """Within the county the appointment stays; out of it the slot is free for somebody else."""
    if case.status is Status.MOVED:
        raise Refused("case-moved")
    moved = PersonMoved(moved_on=command.moved_on, district=command.district, municipality=command.municipality)
    facts: list[Fact] = [(case.subject, moved)]
    if command.district is None:
        facts += _released(command, case, around)
    else:
        facts.append((case.subject, MovedWithin(command.district, command.municipality, command.told_by)))
    return _decision(case, facts, around)


@change.register
def _give_consent(command: GiveConsent, case: Case, around: Around) -> Decision:
    """Every act is recorded; others hear of those purposes that were not agreed to before."""
    if case.status is Status.MOVED:
        raise Refused("case-moved")
    consent = Consent(
        language=command.language,
        text_version=command.text_version,
        office=command.given_at,
        given_on=command.today,
    )
    purposes = tuple(dict.fromkeys(command.purposes))
    facts: list[Fact] = [(case.subject, ConsentRecorded(purposes, consent))]
    news = tuple(purpose for purpose in purposes if not case.consents_to(purpose))
    if news:
        facts.append((case.subject, ConsentGiven(purposes=news)))
    return _decision(case, facts, around)


@change.register
def _withdraw_consent(command: WithdrawConsent, case: Case, around: Around) -> Decision:
    """Acts from now on. Without the consent to transfer there is no first talk, so the slot is free for somebody else.

    An office takes back what it asked for and nothing else: what was agreed to in the first talk it does not know.
    """
    if command.office is not None and not COUNTER_PURPOSES.issuperset(command.purposes):
        raise Refused("purpose-not-yours", 403)
    purposes = tuple(purpose for purpose in dict.fromkeys(command.purposes) if case.consents_to(purpose))
    facts: list[Fact] = [(case.subject, ConsentWithdrawn(purposes=purposes))] if purposes else []
    if Purpose.TRANSFER in purposes:
        facts += _released(command, case, around)
    return _decision(case, facts, around)


@change.register
def _settle_alike(command: SettleAlike, case: Case, around: Around) -> Decision:
    """Whether it was one person or two is not kept: if it was one, the case that is too many is erased."""
    return _decision(case, (), around, [DropAlike(case.id, command.other)])


@change.register
def _erase(command: ErasePerson, case: Case, around: Around) -> Decision:
    """Nothing is left but the tombstone: document and key go, the history is emptied, every slot ever held forgets the case."""
    facts: list[Fact] = []
    diary = Diary(around.states, around.rules.county)
    for appointment in case.appointments:
        diary.release(appointment, command.today)
    upcoming = case.upcoming(around.now)
    if upcoming is not None:
        facts.append((case.subject, AppointmentReleased(appointment=upcoming.id)))
    facts += [(case.subject, PersonErased()), *diary.facts]
    return _decision(case, facts, around, (DestroyPerson(case.id), Forget(case.subject)))


def _released(command: OfCase, case: Case, around: Around) -> Iterator[Fact]:
    """The slot of an appointment that is still to come."""
    upcoming = case.upcoming(around.now)
    if upcoming is None:
        return
    diary = Diary(around.states, around.rules.county)
    diary.release(upcoming, command.today)
    yield case.subject, AppointmentReleased(appointment=upcoming.id)
    yield from diary.facts


def _decision(case: Case, facts: Sequence[Fact], around: Around, effects: Sequence[object] = ()) -> Decision:
    """The facts, and the case as it stands after them as the answer."""
    then = case
    for subject, fact in facts:
        if subject == case.subject:
            then = after(fact, then, around.now)
    current = then.appointments[-1] if then.appointments else None
    answer = CaseAnswer(case=then.id, status=then.status, appointment=in_words(current) if current else None)
    tallied = tally(case, then)
    return Decision(facts, effects if tallied is None else (*effects, tallied), answer)


def _wish(command: BookAppointment, register: Register, rules: CountyRules) -> Wish:
    return Wish.of(rules, rules.site_of(register.district), command.today, command.not_before)


def _register_of(case: Case) -> Register:
    if case.register_facts is None:
        raise Refused("case-unknown", 404)
    return case.register_facts
