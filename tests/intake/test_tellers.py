"""Whose word a fact is, and which office may say and know what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Purpose, ResidenceGroup, Role, Sex
from schemas.events import ConsentWithdrawn, PersonCorrected
from services.intake.commands import (
    CorrectPerson,
    ErasePerson,
    GiveConsent,
    MovePerson,
    NotedAnswer,
    RegisterChanges,
    StatementChanges,
    TellResidenceGroup,
    WithdrawConsent,
)
from services.intake.model import Teller
from services.runtime.errors import Refused
from tests.intake.office import ELSEWHERE, OFFICE, Intake, case_id

REFUGEE = StatementChanges(residence_group=ResidenceGroup.REFUGEE)
FIRST_TALK = tuple(purpose for purpose in Purpose if purpose is not Purpose.TRANSFER)


@pytest.fixture
def intake() -> Intake:
    """A case that the registry office registered, with all consents."""
    world = Intake()
    world.registers(1)
    world.command(GiveConsent, purposes=FIRST_TALK, given_at="site")
    world.told.clear()
    return world


# --- whose word it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corrects", "told_by"),
    [
        (Teller.REGISTRY_OFFICE, Teller.PERSON),
        (Teller.FOREIGNERS_AUTHORITY, Teller.FOREIGNERS_AUTHORITY),
        (Teller.CENTRE, Teller.PERSON),
        (Teller.PERSON, Teller.PERSON),
    ],
)
def test_a_corrected_residence_group_is_never_the_registry_offices_word(
    intake: Intake, corrects: Teller, told_by: Teller
) -> None:
    intake.command(CorrectPerson, told_by=corrects, statement_changes=REFUGEE)
    assert intake.case().statements.residence_group_told_by is told_by
    assert intake.case().register_facts.told_by is Teller.REGISTRY_OFFICE, "nothing of the register was touched"


def test_a_correction_is_the_word_of_who_corrects_and_the_rest_stays_the_registers() -> None:
    intake = Intake()
    intake.registers(1)
    intake.command(CorrectPerson, told_by=Teller.CENTRE, register_changes=RegisterChanges(sex=Sex.DIVERS))
    facts = intake.case().register_facts
    assert (facts.sex, facts.told_by, facts.changed_by) == (Sex.DIVERS, Teller.REGISTRY_OFFICE, {"sex": Teller.CENTRE})


def test_a_new_residence_is_the_word_of_who_told_of_the_move(intake: Intake) -> None:
    intake.command(MovePerson, moved_on=date(2016, 1, 5), district=ELSEWHERE, told_by=Teller.CENTRE)
    facts = intake.case().register_facts
    assert (facts.district, facts.municipality) == (ELSEWHERE, None)
    assert facts.changed_by == {"district": Teller.CENTRE, "municipality": Teller.CENTRE}


CORRECTIONS = st.lists(
    st.tuples(
        st.sampled_from(list(Teller)),
        st.fixed_dictionaries(
            {},
            optional={
                "sex": st.sampled_from([None, *Sex]),
                "birth_year": st.sampled_from([None, 1950, 1990]),
                "citizenships": st.sampled_from([(), ("SY",), ("PL", "DE")]),
                "arrived_on": st.just(date(2016, 1, 2)),
            },
        ),
    ),
    max_size=6,
)


@given(CORRECTIONS)
def test_each_fact_is_the_word_of_whoever_told_it_last(corrections: list[tuple[Teller, dict[str, object]]]) -> None:
    intake, last = Intake(), dict[str, Teller]()
    intake.registers(1)
    for teller, changes in corrections:
        intake.command(CorrectPerson, told_by=teller, register_changes=RegisterChanges.model_validate(changes))
        last |= dict.fromkeys(changes, teller)
    facts = intake.case().register_facts
    assert facts.told_by is Teller.REGISTRY_OFFICE
    assert {name: facts.changed_by.get(name, facts.told_by) for name in ("sex", "birth_year", "citizenships")} == {
        name: last.get(name, Teller.REGISTRY_OFFICE) for name in ("sex", "birth_year", "citizenships")
    }


# --- the foreigners authority and the residence group -----------------------------------------------------------------


def test_the_foreigners_authority_tells_the_residence_group_of_any_case_and_hears_nothing(intake: Intake) -> None:
    decision = intake.command(TellResidenceGroup, residence_group=ResidenceGroup.REFUGEE)
    assert decision.answer == NotedAnswer(case=case_id(1))
    statements = intake.case().statements
    assert statements.residence_group is ResidenceGroup.REFUGEE
    assert statements.residence_group_told_by is Teller.FOREIGNERS_AUTHORITY
    (told,) = intake.told_of(PersonCorrected)
    assert (told.residence_group, told.languages) == (ResidenceGroup.REFUGEE, ("pol", "eng")), "the rest stays"


@pytest.mark.parametrize("gone", [MovePerson, WithdrawConsent])
def test_what_became_of_the_case_the_foreigners_authority_does_not_hear(intake: Intake, gone: type) -> None:
    told: dict[str, Any] = {"moved_on": date(2016, 1, 5)} if gone is MovePerson else {"purposes": (Purpose.TRANSFER,)}
    intake.command(gone, **told)
    assert intake.command(TellResidenceGroup, residence_group=None).answer == NotedAnswer(case=case_id(1))


def test_an_erased_case_is_to_the_foreigners_authority_as_if_it_had_never_been(intake: Intake) -> None:
    intake.command(ErasePerson)
    for number in (1, 2):
        with pytest.raises(Refused, match="case-unknown") as refused:
            intake.command(TellResidenceGroup, number, residence_group=ResidenceGroup.EU)
        assert refused.value.status == 404


def test_an_office_does_not_hear_that_another_ones_case_was_erased(intake: Intake) -> None:
    intake.command(ErasePerson)
    with pytest.raises(Refused, match="case-unknown"):
        intake.command(WithdrawConsent, office="another", purposes=(Purpose.TRANSFER,))
    with pytest.raises(Refused, match="case-unknown"):
        intake.reads(role=Role.CLERK, office="another")


# --- consents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", FIRST_TALK)
def test_no_office_takes_back_what_was_agreed_to_in_the_first_talk(intake: Intake, purpose: Purpose) -> None:
    before = intake.case()
    for purposes in ((purpose,), (Purpose.TRANSFER, purpose)):
        with pytest.raises(Refused, match="purpose-not-yours") as refused:
            intake.command(WithdrawConsent, office=OFFICE, purposes=purposes)
        assert refused.value.status == 403
    assert (intake.case(), intake.told) == (before, [])


def test_the_office_that_asked_for_the_transfer_may_take_it_back(intake: Intake) -> None:
    intake.command(WithdrawConsent, office=OFFICE, purposes=(Purpose.TRANSFER,))
    assert intake.told_of(ConsentWithdrawn) == [ConsentWithdrawn(purposes=(Purpose.TRANSFER,))]


def test_of_another_offices_case_not_even_the_refusal_is_another(intake: Intake) -> None:
    with pytest.raises(Refused, match="case-unknown"):
        intake.command(WithdrawConsent, office="another", purposes=(Purpose.LABOUR,))
