"""Who is told who a person is: only with a live grant and current consent, only the agreed fields, and never without a record."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import CancelReason, ContactField, FailReason, Outcome, Purpose, Role, ServiceKind
from schemas.events import ReferralAccepted, ReferralCancelled, ReferralCompleted, ReferralFailed
from services.intake.audit import FIRST, Check, Link, next_link
from services.intake.commands import GiveConsent, MovePerson, WithdrawConsent
from services.intake.facts import KeepRead
from services.intake.model import AuditDay, audit_id
from services.intake.sealing import Person
from services.intake.views import PersonView
from services.runtime.errors import Refused
from tests.intake.office import COUNTY, OFFICE, Intake, case_id

STEP = {
    "referral": case_id(50),
    "need": case_id(51),
    "kind": ServiceKind.INTEGRATION_COURSE_GENERAL,
    "offer": case_id(52),
}
FIELDS = (ContactField.NAME, ContactField.PHONE)


def accepted(**told: object) -> ReferralAccepted:
    return ReferralAccepted.model_validate(
        STEP | {"partner": "vhs", "fields": FIELDS, "until": date(2016, 6, 30)} | told
    )


def asks(intake: Intake, partner: str = "vhs") -> tuple[ContactField, ...]:
    return intake.reads(role=Role.PARTNER, organisation=partner).answer.fields


@pytest.fixture
def intake() -> Intake:
    """A person whom a language school has accepted."""
    world = Intake()
    world.registers(1)
    world.command(GiveConsent, purposes=(Purpose.LANGUAGE_COURSES,), given_at="site")
    world.hears(accepted(), case_id(1))
    return world


def test_a_partner_may_read_the_fields_of_its_agreement(intake: Intake) -> None:
    assert asks(intake) == FIELDS


def test_what_was_not_agreed_stays_unsaid() -> None:
    person = Person(family_name="Łączak", given_names="Żaneta", birth_date="1990", phone="0541", email="z@example.org")
    intake = Intake()
    intake.registers(1)
    intake.command(GiveConsent, purposes=(Purpose.LANGUAGE_COURSES,), given_at="site")
    intake.hears(accepted(), case_id(1))
    allowed = intake.reads(role=Role.PARTNER, organisation="vhs").answer
    assert PersonView.of(case_id(1), person, allowed).model_dump(exclude={"case"}) == {
        "family_name": "Łączak",
        "given_names": "Żaneta",
        "phone": "0541",
        "birth_date": None,
        "email": None,
        "languages": None,
    }


def no_other_partner(intake: Intake) -> None:
    asks(intake, "another-school")


def after_the_agreed_day(intake: Intake) -> None:
    intake.now = intake.now.replace(month=7, day=1)
    asks(intake)


def after_the_completion(intake: Intake) -> None:
    intake.hears(ReferralCompleted(**STEP, outcome=Outcome.ATTENDED), case_id(1))
    asks(intake)


def after_leaving_early(intake: Intake) -> None:
    intake.hears(ReferralFailed(**STEP, reason=FailReason.PERSON_STOPPED), case_id(1))
    asks(intake)


def after_cancelling(intake: Intake) -> None:
    intake.hears(ReferralCancelled(**STEP, reason=CancelReason.OFFER_CLOSED), case_id(1))
    asks(intake)


def after_withdrawing_the_transfer(intake: Intake) -> None:
    intake.command(WithdrawConsent, purposes=(Purpose.TRANSFER,))
    asks(intake)


def after_withdrawing_the_purpose(intake: Intake) -> None:
    intake.command(WithdrawConsent, purposes=(Purpose.LANGUAGE_COURSES,))
    asks(intake)


def after_moving_away(intake: Intake) -> None:
    intake.command(MovePerson, moved_on=date(2016, 1, 5))
    asks(intake)


@pytest.mark.parametrize(
    "reading",
    [
        no_other_partner,
        after_the_agreed_day,
        after_the_completion,
        after_leaving_early,
        after_cancelling,
        after_withdrawing_the_transfer,
        after_withdrawing_the_purpose,
        after_moving_away,
    ],
)
def test_a_grant_ends_at_once_whatever_referral_knows_of_it(intake: Intake, reading) -> None:
    with pytest.raises(Refused, match="no-grant"):
        reading(intake)
    assert not [effect for effect in intake.effects if isinstance(effect, KeepRead)]


def test_the_last_agreed_day_is_whole(intake: Intake) -> None:
    intake.now = intake.now.replace(month=6, day=30, hour=21)  # 23 h in Germany
    assert asks(intake) == FIELDS


def test_an_acceptance_before_its_arrival_waits_for_it() -> None:
    intake = Intake()
    intake.hears(accepted(), case_id(1))
    with pytest.raises(Refused, match="case-unknown"):
        asks(intake)
    intake.registers(1)
    intake.command(GiveConsent, purposes=(Purpose.LANGUAGE_COURSES,), given_at="site")
    assert asks(intake) == FIELDS


def test_of_two_grants_the_one_that_shows_more_counts(intake: Intake) -> None:
    intake.hears(accepted(referral=case_id(60), fields=tuple(ContactField)), case_id(1))
    assert asks(intake) == tuple(ContactField)


def test_counsellors_read_their_own_way_and_not_without_consent(intake: Intake) -> None:
    assert intake.reads(role=Role.COUNSELLOR).answer.fields == tuple(ContactField)
    intake.command(WithdrawConsent, purposes=(Purpose.TRANSFER,))
    with pytest.raises(Refused, match="consent-missing"):
        intake.reads(role=Role.COUNSELLOR)


def test_a_clerk_reads_the_people_of_the_own_office_alone(intake: Intake) -> None:
    assert intake.reads(role=Role.CLERK, office=OFFICE).answer.fields == tuple(ContactField)
    with pytest.raises(Refused, match="case-unknown"):
        intake.reads(role=Role.CLERK, office="another")


# --- the record of reads ----------------------------------------------------------------------------------------------


def test_every_read_is_recorded_with_who_what_and_why(intake: Intake) -> None:
    asks(intake)
    asks(intake)
    first, second = (effect for effect in intake.effects if isinstance(effect, KeepRead))
    assert first.record == {
        "at": "2016-01-05T08:00:00.000Z",
        "reader": "somebody",
        "role": "partner",
        "office": None,
        "organisation": "vhs",
        "case": case_id(1),
        "referral": case_id(50),
        "fields": ["name", "phone"],
    }
    assert (first.number, second.number) == (1, 2)
    end = intake.get(AuditDay, audit_id(COUNTY, intake.today))
    assert checked([first, second]).ends_at(end.records, end.head)


def test_each_day_has_a_chain_of_its_own(intake: Intake) -> None:
    asks(intake)
    intake.now = intake.now.replace(day=6)
    asks(intake)
    first, second = (effect for effect in intake.effects if isinstance(effect, KeepRead))
    assert (first.chain != second.chain, second.number) == (True, 1)


def checked(kept: list[KeepRead]) -> Check:
    check = Check()
    check.follow(Link(read.number, read.record, read.link) for read in kept)
    return check


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    for number in range(1, length + 1):
        record = {"case": case_id(number), "reader": "somebody"}
        links.append(Link(number, record, next_link(links[-1].link if links else FIRST, record)))
    return links


@given(st.integers(1, 12), st.data())
def test_a_record_that_was_removed_changed_or_put_in_breaks_the_chain(length: int, data: st.DataObject) -> None:
    links = chain(length)
    records, head = length, links[-1].link

    def holds(part: list[Link]) -> bool:
        check = Check()
        check.follow(part)
        return check.ends_at(records, head)

    assert holds(links)
    at = data.draw(st.integers(0, length - 1))
    assert not holds([*links[:at], *links[at + 1 :]])
    changed = links[at]._replace(record={"case": case_id(999), "reader": "somebody"})
    assert not holds([*links[:at], changed, *links[at + 1 :]])
    assert not holds([*links[:at], links[at], *links[at:]])
    relinked = changed._replace(link=next_link(links[at - 1].link if at else FIRST, changed.record))
    assert not holds([*links[:at], relinked, *links[at + 1 :]])
