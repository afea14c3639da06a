"""What may happen to a case: corrections, moves, consents, erasure; and who may bring it about."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.codes import ContactField, Origin, Purpose, ResidenceGroup, ServiceKind, Sex
from schemas.events import (
    AppointmentReleased,
    ConsentGiven,
    ConsentWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ReferralAccepted,
)
from services.intake.commands import (
    BookAppointment,
    CorrectPerson,
    ErasePerson,
    GiveConsent,
    MovePerson,
    RegisterChanges,
    StatementChanges,
    WithdrawConsent,
)
from services.intake.facts import DestroyPerson, KeepPerson
from services.intake.model import Case, Daybook, Status, Teller
from services.intake.sealing import Person
from services.intake.store import writes
from services.runtime.deciding import Forget
from services.runtime.errors import Refused
from tests.intake.office import COUNTY, ELSEWHERE, OFFICE, Intake, arrival, case_id, keys

FIRST_TALK = (Purpose.LANGUAGE_COURSES, Purpose.ADVICE)


@pytest.fixture
def intake() -> Intake:
    world = Intake()
    world.registers(1)
    world.told.clear()
    world.effects.clear()
    return world


def slots_held(intake: Intake) -> int:
    return sum(len(state.taken) for state in intake.states.values() if isinstance(state, Daybook))


# --- consents ---------------------------------------------------------------------------------------------------------


def test_consents_of_the_first_talk_are_recorded_with_language_text_office_and_day(intake: Intake) -> None:
    intake.command(GiveConsent, purposes=FIRST_TALK, language="pol", text_version="t-1", given_at="site")
    assert intake.told == [ConsentGiven(purposes=FIRST_TALK)]
    consent = intake.case().consents[Purpose.ADVICE]
    assert (consent.language, consent.text_version, consent.office, consent.given_on) == (
        "pol",
        "t-1",
        "site",
        intake.today,
    )


def test_agreeing_again_is_recorded_and_told_to_nobody(intake: Intake) -> None:
    intake.command(GiveConsent, purposes=FIRST_TALK, given_at="site")
    intake.command(GiveConsent, purposes=(Purpose.ADVICE,), text_version="t-2", given_at="site")
    assert len(intake.told) == 1
    assert intake.case().consents[Purpose.ADVICE].text_version == "t-2"


def test_a_withdrawal_tells_only_of_what_was_agreed_to(intake: Intake) -> None:
    intake.command(GiveConsent, purposes=FIRST_TALK, given_at="site")
    intake.command(WithdrawConsent, purposes=(Purpose.ADVICE, Purpose.FAMILY))
    assert intake.told[-1] == ConsentWithdrawn(purposes=(Purpose.ADVICE,))
    assert intake.case().status is Status.ACTIVE
    assert not intake.case().consents_to(Purpose.ADVICE)


def test_withdrawing_the_transfer_frees_the_slot_and_ends_the_way(intake: Intake) -> None:
    (booked,) = intake.case().appointments
    intake.command(WithdrawConsent, purposes=(Purpose.TRANSFER,))
    assert intake.told == [
        ConsentWithdrawn(purposes=(Purpose.TRANSFER,)),
        AppointmentReleased(appointment=booked.id),
    ]
    assert intake.case().status is Status.WITHDRAWN
    assert slots_held(intake) == 0
    with pytest.raises(Refused, match="consent-missing"):
        intake.command(BookAppointment)


def test_who_agrees_again_after_a_withdrawal_may_come_again(intake: Intake) -> None:
    intake.command(WithdrawConsent, purposes=(Purpose.TRANSFER,))
    intake.command(GiveConsent, purposes=(Purpose.TRANSFER,), given_at="site")
    assert intake.case().status is Status.ACTIVE
    assert intake.command(BookAppointment).answer.appointment is not None


def test_a_talk_that_was_held_stays_held(intake: Intake) -> None:
    intake.now += timedelta(days=30)
    intake.command(WithdrawConsent, purposes=(Purpose.TRANSFER,))
    assert intake.told == [ConsentWithdrawn(purposes=(Purpose.TRANSFER,))]
    assert slots_held(intake) == 1


# --- moves ------------------------------------------------------------------------------------------------------------


def test_a_move_within_the_county_keeps_the_appointment(intake: Intake) -> None:
    intake.command(MovePerson, moved_on=date(2016, 1, 5), district=ELSEWHERE)
    assert intake.told == [PersonMoved(moved_on=date(2016, 1, 5), district=ELSEWHERE)]
    assert intake.case().register_facts.district == ELSEWHERE
    assert slots_held(intake) == 1


def test_a_move_out_of_the_county_frees_the_slot(intake: Intake) -> None:
    intake.command(MovePerson, moved_on=date(2016, 1, 5))
    assert [type(event) for event in intake.told] == [PersonMoved, AppointmentReleased]
    assert intake.told_of(PersonMoved)[0].district is None
    assert intake.case().status is Status.MOVED
    assert slots_held(intake) == 0


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (BookAppointment, {}),
        (MovePerson, {"moved_on": date(2016, 2, 1), "district": ELSEWHERE}),
        (GiveConsent, {"purposes": FIRST_TALK, "given_at": "site"}),
    ],
)
def test_a_case_that_moved_away_goes_no_further(intake: Intake, message: type, told: dict[str, Any]) -> None:
    intake.command(MovePerson, moved_on=date(2016, 1, 5))
    with pytest.raises(Refused, match="case-moved"):
        intake.command(message, **told)


# --- corrections ------------------------------------------------------------------------------------------------------


def test_a_correction_tells_the_full_facts_as_they_are_now(intake: Intake) -> None:
    changes = RegisterChanges(sex=Sex.MALE, citizenships=("SY",), birth_year=1988)
    intake.command(CorrectPerson, told_by=Teller.REGISTRY_OFFICE, register_changes=changes)
    (told,) = intake.told
    assert isinstance(told, PersonCorrected)
    assert (told.sex, told.citizenships, told.birth_year) == (Sex.MALE, ("SY",), 1988)
    assert (told.origin, told.languages) == (Origin.ABROAD, ("pol", "eng")), "what was right stays"


def test_a_correction_may_say_that_something_is_not_known(intake: Intake) -> None:
    intake.command(CorrectPerson, told_by=Teller.CENTRE, register_changes=RegisterChanges(sex=None))
    assert intake.case().register_facts.sex is None


def test_a_correction_remembers_whose_word_it_is(intake: Intake) -> None:
    stated = StatementChanges(residence_group=ResidenceGroup.REFUGEE)
    intake.command(CorrectPerson, told_by=Teller.FOREIGNERS_AUTHORITY, statement_changes=stated)
    assert intake.case().statements.residence_group_told_by is Teller.FOREIGNERS_AUTHORITY
    assert intake.case().register_facts.told_by is Teller.REGISTRY_OFFICE, "nothing of the register was touched"


def test_a_corrected_name_replaces_the_document_and_is_told_to_nobody(intake: Intake) -> None:
    sealed = keys().seal(case_id(1), Person(family_name="Nowak"))
    intake.command(CorrectPerson, told_by=Teller.REGISTRY_OFFICE, person=sealed, fingerprint="f")
    assert intake.effects == [KeepPerson(case_id(1), sealed)]
    assert "Nowak" not in repr(intake.told) + repr(intake.states)


def test_the_right_to_correction_does_not_end_with_the_consent(intake: Intake) -> None:
    intake.command(WithdrawConsent, purposes=(Purpose.TRANSFER,))
    intake.command(CorrectPerson, told_by=Teller.PERSON, register_changes=RegisterChanges(sex=Sex.DIVERS))
    assert intake.case().register_facts.sex is Sex.DIVERS


# --- erasure ----------------------------------------------------------------------------------------------------------


def test_erasure_leaves_a_tombstone_and_nothing_else(intake: Intake) -> None:
    intake.command(GiveConsent, purposes=FIRST_TALK, given_at="site")
    intake.told.clear()
    intake.command(ErasePerson)
    assert [type(event) for event in intake.told] == [AppointmentReleased, PersonErased]
    assert intake.effects[-3:-1] == [DestroyPerson(case_id(1)), Forget(intake.case().subject)]
    assert intake.case() == Case(id=case_id(1), erased=True)
    assert slots_held(intake) == 0


def test_past_appointments_forget_an_erased_person_too(intake: Intake) -> None:
    intake.now += timedelta(days=60)
    intake.command(BookAppointment)
    intake.command(ErasePerson)
    assert not any(case_id(1) in repr(state) for state in intake.states.values() if isinstance(state, Daybook))


def test_an_erased_person_does_not_come_back(intake: Intake) -> None:
    intake.command(ErasePerson)
    tombstone = intake.case()
    intake.asks(arrival(1))
    intake.hears(
        ReferralAccepted(
            referral=case_id(50),
            need=case_id(51),
            kind=ServiceKind.INTEGRATION_COURSE_GENERAL,
            partner="vhs",
            fields=(ContactField.NAME,),
            until=date(2017, 1, 1),
        ),
        case_id(1),
    )
    assert intake.case() == tombstone
    with pytest.raises(Refused, match="case-erased") as refused:
        intake.command(WithdrawConsent, purposes=FIRST_TALK)
    assert refused.value.status == 410


def test_a_person_corrected_and_erased_in_one_slice_is_deleted_last() -> None:
    sealed = keys().seal(case_id(1), Person(family_name="Nowak"))
    written = list(writes(COUNTY, [KeepPerson(case_id(1), sealed), DestroyPerson(case_id(1))]))
    for collection in ("people", "person_keys"):
        operations = [type(write.operation).__name__ for write in written if write.collection == collection]
        assert operations == ["ReplaceOne", "DeleteOne"]


# --- whose cases ------------------------------------------------------------------------------------------------------


CHANGES = [
    (BookAppointment, {}),
    (CorrectPerson, {"told_by": Teller.REGISTRY_OFFICE}),
    (MovePerson, {"moved_on": date(2016, 1, 5)}),
    (WithdrawConsent, {"purposes": (Purpose.TRANSFER,)}),
    (ErasePerson, {}),
]


@pytest.mark.parametrize(("message", "told"), CHANGES)
def test_a_clerk_of_another_office_does_not_even_learn_that_there_is_a_case(
    intake: Intake, message: type, told: dict[str, Any]
) -> None:
    before = dict(intake.states)
    with pytest.raises(Refused, match="case-unknown") as refused:
        intake.command(message, office="another", **told)
    assert refused.value.status == 404
    assert intake.states == before


@pytest.mark.parametrize(("message", "told"), CHANGES)
def test_a_clerk_of_the_registering_office_may(intake: Intake, message: type, told: dict[str, Any]) -> None:
    assert intake.command(message, office=OFFICE, **told).answer.case == case_id(1)


def test_nobody_changes_a_case_that_has_not_arrived() -> None:
    intake = Intake()
    with pytest.raises(Refused, match="case-unknown"):
        intake.command(ErasePerson)
