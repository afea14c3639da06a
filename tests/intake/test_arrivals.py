"""Somebody stands at the counter: a case with an appointment, or one count that leads nowhere."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.codes import Origin, Purpose, ResidenceGroup, Sex, Way
from schemas.envelope import Subject
from schemas.events import AppointmentBooked, ArrivalCounted, ArrivalRegistered
from services.intake.arrivals import MOST_ALIKE
from services.intake.books import ONE_REFUSED
from services.intake.commands import CountArrival, Outcome
from services.intake.facts import KeepAlike, KeepPerson
from services.intake.model import Count, Daybook, Row, Status, Teller
from tests.intake.office import BRAMSCHE, DESTROYED, MUNICIPALITY, OFFICE, TUESDAY, Intake, arrival, case_id, keys


def test_who_consents_becomes_a_case_and_leaves_with_an_appointment() -> None:
    intake = Intake()
    decision = intake.asks(arrival())
    registered, booked = intake.told
    assert registered == ArrivalRegistered(
        district=BRAMSCHE,
        municipality=MUNICIPALITY,
        arrived_on=date(2016, 1, 4),
        origin=Origin.ABROAD,
        citizenships=("PL",),
        birth_year=1990,
        sex=Sex.FEMALE,
        languages=("pol", "eng"),
        way=Way.OFFICE_API,
        consents=(Purpose.TRANSFER,),
    )
    assert isinstance(booked, AppointmentBooked)
    assert decision.answer.appointment.starts_at == booked.starts_at
    assert intake.case().status is Status.ACTIVE
    assert intake.case().consents[Purpose.TRANSFER].text_version == "2016-1"


def test_names_and_contact_are_in_no_state_and_no_event() -> None:
    intake = Intake()
    intake.asks(arrival())
    everything = repr(intake.states) + repr(intake.told) + repr(intake.effects)
    for known in ("Łączak", "aneta", "0541 000000", "1990-05", "example.org"):
        assert known not in everything


def test_the_person_is_kept_sealed_and_opens_with_the_countys_keys() -> None:
    intake = Intake()
    intake.asks(arrival())
    (kept,) = (effect for effect in intake.effects if isinstance(effect, KeepPerson))
    person = keys().open(case_id(1), kept.sealed.wrapped_key, kept.sealed.document)
    assert (person.family_name, person.given_names, person.birth_date) == ("Łączak", "Żaneta", "1990-05-17")


def test_of_who_refuses_only_one_count_leaves_the_office() -> None:
    intake = Intake()
    intake.asks(arrival(consent="nein"))
    assert intake.told == [ArrivalCounted(district=BRAMSCHE, arrived_in="2016-01", way=Way.OFFICE_API)]
    assert intake.effects == [ONE_REFUSED]
    assert list(intake.states) == [Subject("count", case_id(1))]
    assert intake.get(Count, case_id(1)).model_dump() == {"id": case_id(1)}


def test_nothing_about_who_refuses_reaches_the_rules() -> None:
    command = arrival(consent="nein")
    assert command == CountArrival(count=case_id(1), way=Way.OFFICE_API, district=BRAMSCHE, arrived_in="2016-01")


def test_a_refusal_takes_nobodys_slot() -> None:
    intake = Intake()
    intake.asks(arrival(consent="nein"))
    assert not any(subject.kind == Daybook.KIND for subject in intake.states)


@pytest.mark.parametrize("consent", ["ja", "nein"])
def test_a_row_that_was_taken_before_changes_nothing(consent: str) -> None:
    intake = Intake()
    intake.asks(arrival(1, row=True, consent=consent))
    before, told = dict(intake.states), list(intake.told)
    decision = intake.asks(arrival(2, row=True, consent=consent))
    assert decision.answer.outcome is Outcome.REPEATED
    assert (intake.states, intake.told) == (before, told)


def test_the_digest_of_a_row_says_when_it_is_destroyed() -> None:
    intake = Intake()
    command = arrival(row=True, consent="nein")
    intake.asks(command)
    assert intake.get(Row, command.row.digest).destroy_at == DESTROYED


def test_what_is_left_of_a_refusal_is_a_digest_and_a_day_and_nothing_joins_them_to_the_count() -> None:
    intake = Intake()
    command = arrival(row=True, consent="nein")
    intake.asks(command)
    row, count = intake.get(Row, command.row.digest), intake.get(Count, command.count)
    assert set(row.model_dump()) == {"id", "destroy_at"}
    assert command.row.digest not in repr(count)
    assert command.count not in repr(row)


def test_two_people_with_the_same_words_in_other_cells_are_two_rows() -> None:
    one, other = (
        arrival(row=True, family_name="Ali", given_names=""),
        arrival(row=True, family_name="", given_names="Ali"),
    )
    assert one.row.digest != other.row.digest


@pytest.mark.parametrize(
    ("languages", "consent_language", "interpreted"),
    [
        ("prs pus", "prs", "prs"),
        ("prs eng", "prs", None),
        ("de", "", None),
        ("", "ara", "ara"),
        ("", "de", None),
        ("", "", None),
    ],
)
def test_an_interpreter_is_requested_when_no_language_is_shared(
    languages: str, consent_language: str, interpreted: str | None
) -> None:
    intake = Intake()
    assert intake.registers(languages=languages, consent_language=consent_language).interpreter == interpreted


@pytest.mark.parametrize(
    ("office", "told_by"),
    [
        (Teller.REGISTRY_OFFICE, Teller.PERSON),
        (Teller.FOREIGNERS_AUTHORITY, Teller.FOREIGNERS_AUTHORITY),
        (Teller.CENTRE, Teller.PERSON),
    ],
)
def test_the_residence_group_is_never_the_registry_offices_word(office: Teller, told_by: Teller) -> None:
    intake = Intake()
    intake.asks(arrival(teller=office, residence_group="refugee"))
    statements = intake.case().statements
    assert (statements.residence_group, statements.residence_group_told_by) == (ResidenceGroup.REFUGEE, told_by)
    assert intake.case().register_facts.told_by is office


def test_the_answer_hints_at_people_who_are_written_alike_by_case_alone() -> None:
    intake = Intake()
    command = arrival().model_copy(update={"alike": (case_id(7), case_id(8)), "possible_duplicates": (case_id(7),)})
    decision = intake.asks(command)
    assert decision.answer.possible_duplicates == (case_id(7),)
    assert [effect for effect in decision.effects if isinstance(effect, KeepAlike)] == [
        KeepAlike(case_id(1), case_id(7), TUESDAY),
        KeepAlike(case_id(1), case_id(8), TUESDAY),
    ]


def test_of_many_who_are_written_alike_one_is_held_to_ten() -> None:
    command = arrival().model_copy(update={"alike": tuple(case_id(number) for number in range(2, 40))})
    kept = [effect for effect in Intake().asks(command).effects if isinstance(effect, KeepAlike)]
    assert len(kept) == MOST_ALIKE == 10


def test_somebody_above_in_the_file_who_did_not_become_a_case_is_nobody_to_be_held_to() -> None:
    intake = Intake()
    intake.registers(2)
    command = arrival().model_copy(update={"alike_above": (case_id(2), case_id(3))})
    kept = [effect for effect in intake.asks(command).effects if isinstance(effect, KeepAlike)]
    assert kept == [KeepAlike(case_id(1), case_id(2), TUESDAY)]


def test_a_command_that_is_sent_again_is_the_same_command_and_another_person_is_not() -> None:
    first, again = arrival(1), arrival(2)
    assert first.model_dump_json() == again.model_dump_json(), "ids and seals are new each time and do not count"
    assert first.model_dump_json() != arrival(1, family_name="Nowak").model_dump_json()
    assert "aczak" not in first.model_dump_json()


def test_an_office_is_remembered_with_the_case() -> None:
    intake = Intake()
    intake.asks(arrival())
    assert intake.case().office == OFFICE
