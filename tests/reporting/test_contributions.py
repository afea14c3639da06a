"""What is counted, told as examples."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from schemas.codes import (
    CancelReason,
    DeclineReason,
    FailReason,
    LapseStage,
    Outcome,
    Purpose,
    RejectReason,
    ResidenceGroup,
    ServiceKind,
    Sex,
    WaitReason,
    Way,
)
from schemas.events import (
    AppointmentBooked,
    AppointmentReleased,
    ArrivalCounted,
    ConsentGiven,
    ConsentWithdrawn,
    GermanLevels,
    NeedWaiting,
    NeedWithdrawn,
    OfferCapacityChanged,
    OfferPublished,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
    ReferralAccepted,
    ReferralAgreed,
    ReferralCancelled,
    ReferralCompleted,
    ReferralDeclined,
    ReferralFailed,
    ReferralLapsed,
    ReferralProposed,
    ReferralRefused,
    ReferralRejected,
    ReferralReleased,
    ReferralStarted,
)
from services.reporting.counting import contributions
from services.reporting.decide import Kept
from services.reporting.model import Facts
from tests.reporting.county import (
    AMAL,
    ARTLAND,
    BOGDAN,
    BRAMSCHE,
    MELLE,
    Reporting,
    arrival,
    correction,
    id_of,
    need,
)

OFFER = id_of("a course")
SLOT = id_of("a slot")
APRIL_FIRST = datetime(2016, 4, 1, tzinfo=UTC)


def profile(*, complete: bool) -> ProfileRecorded:
    return ProfileRecorded(version=1, complete=complete, german=GermanLevels())


def booked(day: datetime) -> AppointmentBooked:
    return AppointmentBooked(appointment=SLOT, site="melle", starts_at=day)


def referral(name: str = "a referral") -> dict[str, object]:
    return {"referral": id_of(name), "need": id_of("a need"), "kind": ServiceKind.LOTSE}


def proposed(name: str = "a referral") -> ReferralProposed:
    return ReferralProposed.model_validate(referral(name) | {"partner": "caritas"})


def test_an_arrival_counts_in_its_month_once_in_each_table_of_arrivals():
    reporting = Reporting().tell(AMAL, arrival())

    assert reporting.table("arrivals-by-residence") == {("2016-03", MELLE, "refugee"): 1}
    assert reporting.table("arrivals-by-age") == {("2016-03", "25-34", "female"): 1}
    assert reporting.table("arrivals-by-citizenship") == {("2016-03", "third-country", "new"): 1}
    assert reporting.table("arrivals-by-way") == {("2016-03", "office-file"): 1}


def test_what_nobody_said_counts_as_unknown():
    reporting = Reporting().tell(AMAL, arrival(birth_year=None, sex=None, residence_group=None, citizenships=()))

    assert reporting.table("arrivals-by-residence") == {("2016-03", MELLE, "unknown"): 1}
    assert reporting.table("arrivals-by-age") == {("2016-03", "unknown", "unknown"): 1}
    assert reporting.table("arrivals-by-citizenship") == {("2016-03", "stateless-or-unclear", "unclear"): 1}


def test_an_entry_without_a_sex_is_an_answer_of_its_own():
    reporting = Reporting().tell(AMAL, arrival(sex=Sex.NONE))

    assert reporting.table("arrivals-by-age") == {("2016-03", "25-34", "none"): 1}


def test_whoever_refuses_the_consent_counts_at_the_counter_and_nowhere_else():
    reporting = (
        Reporting()
        .tell(AMAL, arrival())
        .tell(BOGDAN, ArrivalCounted(district=MELLE, arrived_in="2016-03", way=Way.OFFICE_FILE))
    )

    assert reporting.table("consent-at-the-counter") == {
        ("2016-03", MELLE, "given"): 1,
        ("2016-03", MELLE, "refused"): 1,
    }
    assert sum(reporting.table("arrivals-by-residence").values()) == 1


def test_a_case_that_the_centre_opened_was_not_asked_at_a_counter():
    reporting = Reporting().tell(AMAL, arrival(way=Way.CENTRE))

    assert reporting.table("consent-at-the-counter") == {}
    assert reporting.table("arrivals-by-way") == {("2016-03", "centre"): 1}


def test_a_refusal_at_the_centre_was_not_given_at_a_counter():
    refusal = ArrivalCounted(district=MELLE, arrived_in="2016-03", way=Way.CENTRE)
    reporting = Reporting().tell(AMAL, refusal)

    assert reporting.table("consent-at-the-counter") == {}
    assert reporting.counted == reporting.recounted


@pytest.mark.parametrize("way", [way for way in Way if way is not Way.CENTRE])
def test_a_refusal_counts_at_the_counter_whichever_way_the_office_told_of_it(way: Way):
    reporting = Reporting().tell(AMAL, ArrivalCounted(district=MELLE, arrived_in="2016-03", way=way))

    assert reporting.table("consent-at-the-counter") == {("2016-03", MELLE, "refused"): 1}


def test_a_correction_moves_the_person_from_one_cell_to_the_other():
    reporting = Reporting().tell(AMAL, arrival(), correction(arrived_on=date(2016, 2, 29), district=BRAMSCHE))

    assert reporting.table("arrivals-by-residence") == {("2016-02", BRAMSCHE, "refugee"): 1}
    assert reporting.table("arrivals-by-way") == {("2016-02", "office-file"): 1}
    assert reporting.counted == reporting.recounted


def test_a_residence_group_that_is_told_later_replaces_the_unknown_one():
    reporting = Reporting().tell(AMAL, arrival(residence_group=None), correction(residence_group=ResidenceGroup.EU))

    assert reporting.table("arrivals-by-residence") == {("2016-03", MELLE, "eu"): 1}


def test_a_move_within_the_county_changes_where_later_things_count_and_not_the_arrival():
    reporting = Reporting().tell(AMAL, arrival(), PersonMoved(moved_on=date(2016, 4, 10), district=BRAMSCHE))
    reporting.tell(AMAL, need("before"), at=datetime(2016, 4, 9, 12, tzinfo=UTC))
    reporting.tell(AMAL, need("after"), at=datetime(2016, 4, 10, 12, tzinfo=UTC))

    assert reporting.table("arrivals-by-residence") == {("2016-03", MELLE, "refugee"): 1}
    assert reporting.table("needs") == {("2016-04", "lotse", MELLE): 1, ("2016-04", "lotse", BRAMSCHE): 1}


def test_a_correction_after_a_move_corrects_the_district_moved_to():
    reporting = Reporting().tell(
        AMAL,
        arrival(),
        PersonMoved(moved_on=date(2016, 3, 10), district=BRAMSCHE),
        correction(district=ARTLAND),
        need("a"),
    )

    assert reporting.table("arrivals-by-residence") == {("2016-03", MELLE, "refugee"): 1}
    assert reporting.table("needs") == {("2016-03", "lotse", ARTLAND): 1}


def test_who_leaves_the_county_in_the_year_of_arrival_is_told_from_who_leaves_later():
    out = PersonMoved(moved_on=date(2016, 9, 1), district=None)
    reporting = Reporting().tell(AMAL, arrival(), out).tell(BOGDAN, arrival(arrived_on=date(2015, 12, 31)), out)

    assert reporting.table("departures") == {("2016-09", "new", "same-year"): 1, ("2016-09", "new", "earlier"): 1}


def test_an_appointment_counts_in_the_month_it_is_in_as_germany_has_it():
    last_evening_of_march_in_london = datetime(2016, 3, 31, 22, 30, tzinfo=UTC)
    reporting = Reporting().tell(AMAL, arrival(), booked(last_evening_of_march_in_london))

    assert reporting.table("appointments") == {("2016-04", MELLE): 1}


def test_a_slot_that_is_given_back_is_not_counted_and_another_one_is():
    other = AppointmentBooked(
        appointment=id_of("another slot"), site="melle", starts_at=datetime(2016, 5, 2, 8, tzinfo=UTC)
    )
    reporting = Reporting().tell(AMAL, arrival(), booked(APRIL_FIRST), AppointmentReleased(appointment=SLOT))

    assert reporting.table("appointments") == {}
    assert reporting.tell(AMAL, other).table("appointments") == {("2016-05", MELLE): 1}


def test_an_appointment_that_was_missed_stays_counted_beside_the_one_that_followed():
    other = AppointmentBooked(
        appointment=id_of("another slot"), site="melle", starts_at=datetime(2016, 4, 20, 8, tzinfo=UTC)
    )
    reporting = Reporting().tell(AMAL, arrival(), booked(APRIL_FIRST), other)

    assert reporting.table("appointments") == {("2016-04", MELLE): 2}


def test_a_talk_that_was_interrupted_counts_when_the_profile_is_complete_and_then_once():
    reporting = Reporting().tell(AMAL, arrival(), profile(complete=False))
    assert reporting.table("profiles") == {}

    reporting.tell(AMAL, profile(complete=True), at=datetime(2016, 4, 2, tzinfo=UTC))
    reporting.tell(AMAL, profile(complete=True), at=datetime(2016, 7, 2, tzinfo=UTC))
    assert reporting.table("profiles") == {("2016-04", "25-34"): 1}


def test_a_need_counts_in_the_month_of_its_confirmation_until_it_is_withdrawn():
    reporting = Reporting().tell(AMAL, arrival(), need("lotse"), need("course", ServiceKind.GERMAN_COURSE_OTHER))
    assert reporting.table("needs") == {("2016-03", "lotse", MELLE): 1, ("2016-03", "german-course-other", MELLE): 1}

    reporting.tell(AMAL, NeedWithdrawn(need=id_of("lotse")))
    assert reporting.table("needs") == {("2016-03", "german-course-other", MELLE): 1}


def test_a_need_that_is_confirmed_again_with_another_kind_keeps_its_month():
    reporting = Reporting().tell(AMAL, arrival(), need("one"))
    reporting.tell(AMAL, need("one", ServiceKind.INTERPRETER), at=datetime(2016, 6, 1, tzinfo=UTC))

    assert reporting.table("needs") == {("2016-03", "interpreter", MELLE): 1}


def test_two_needs_of_one_person_in_one_cell_are_two():
    reporting = Reporting().tell(AMAL, arrival(), need("one"), need("two"))

    assert reporting.table("needs") == {("2016-03", "lotse", MELLE): 2}


def test_a_need_that_waits_round_after_round_waited_once_for_the_first_reason():
    waits = [
        NeedWaiting(need=id_of("one"), kind=ServiceKind.LOTSE, reason=reason)
        for reason in (WaitReason.NO_FREE_SEAT, WaitReason.NOT_ELIGIBLE)
    ]
    reporting = Reporting().tell(AMAL, arrival(), *waits)

    assert reporting.table("waits") == {("2016-03", "lotse", "no-free-seat"): 1}


def test_each_step_of_a_referral_counts_in_its_own_month():
    reporting = Reporting().tell(AMAL, arrival(), proposed(), ReferralReleased.model_validate(referral()))
    reporting.tell(AMAL, ReferralAgreed.model_validate(referral()), at=datetime(2016, 4, 2, tzinfo=UTC))
    reporting.tell(
        AMAL,
        ReferralAccepted.model_validate(referral() | {"partner": "caritas", "fields": (), "until": date(2017, 1, 1)}),
    )
    reporting.tell(
        AMAL,
        ReferralStarted.model_validate(referral()),
        ReferralCompleted.model_validate(referral() | {"outcome": Outcome.SUPPORT_GIVEN}),
        at=datetime(2016, 11, 2, tzinfo=UTC),
    )

    assert reporting.table("referral-steps") == {
        ("2016-03", "lotse", "proposed"): 1,
        ("2016-03", "lotse", "released"): 1,
        ("2016-04", "lotse", "agreed"): 1,
        ("2016-04", "lotse", "accepted"): 1,
        ("2016-11", "lotse", "started"): 1,
        ("2016-11", "lotse", "completed"): 1,
    }
    assert reporting.table("outcomes") == {("2016-11", "lotse", "support-given"): 1}
    assert reporting.table("failures") == {}


def test_every_end_of_a_referral_is_counted_under_its_own_name():
    ends = {
        "rejected": ReferralRejected.model_validate(referral("f") | {"reason": RejectReason.TIME_UNSUITABLE}),
        "refused": ReferralRefused.model_validate(referral("a")),
        "declined": ReferralDeclined.model_validate(referral("b") | {"reason": DeclineReason.PROVIDER_FULL}),
        "lapsed": ReferralLapsed.model_validate(referral("c") | {"stage": LapseStage.ANSWER}),
        "cancelled": ReferralCancelled.model_validate(referral("d") | {"reason": CancelReason.OFFER_CLOSED}),
        "failed": ReferralFailed.model_validate(referral("e") | {"reason": FailReason.PERSON_ILL}),
    }
    reporting = Reporting().tell(AMAL, arrival(), *ends.values())

    assert reporting.table("referral-steps") == {("2016-03", "lotse", end): 1 for end in ends}
    assert reporting.table("failures") == {("2016-03", "lotse", "person-ill"): 1}


def test_the_seats_of_an_offer_are_as_many_as_it_has_now_in_the_month_of_its_publication():
    offer = OfferPublished(partner="vhs", kind=ServiceKind.LOTSE, district=MELLE, seats=16, starts_on=date(2016, 9, 1))
    reporting = Reporting().tell(OFFER, offer)
    assert reporting.table("seats") == {("2016-03", "lotse", MELLE): 16}

    reporting.tell(OFFER, OfferCapacityChanged(seats=14), at=datetime(2016, 5, 1, tzinfo=UTC))
    assert reporting.table("seats") == {("2016-03", "lotse", MELLE): 14}

    reporting.tell(OFFER, OfferCapacityChanged(seats=0))
    assert reporting.table("seats") == {}


def test_a_withdrawal_is_counted_and_the_person_stays_counted_because_statistics_rest_on_law():
    reporting = Reporting().tell(AMAL, arrival(), ConsentWithdrawn(purposes=(Purpose.TRANSFER,)))

    assert reporting.table("withdrawals") == {("2016-03", MELLE): 1}
    assert sum(reporting.table("arrivals-by-way").values()) == 1


def test_what_is_agreed_or_withdrawn_for_a_single_purpose_changes_no_count():
    reporting = Reporting().tell(AMAL, arrival())
    before = reporting.counted

    reporting.tell(AMAL, ConsentGiven(purposes=(Purpose.LABOUR,)), ConsentWithdrawn(purposes=(Purpose.LABOUR,)))
    assert reporting.counted == before


def test_a_need_before_its_arrival_waits_for_it():
    reporting = Reporting().tell(AMAL, need("early"), proposed())
    assert len(reporting.counted) == 0

    reporting.tell(AMAL, arrival())
    assert reporting.table("needs") == {("2016-03", "lotse", MELLE): 1}
    assert reporting.table("referral-steps") == {("2016-03", "lotse", "proposed"): 1}


def test_one_person_has_the_same_key_in_every_table_and_no_other_person_has_it():
    reporting = Reporting().tell(AMAL, arrival(), profile(complete=True)).tell(BOGDAN, arrival(), need("a"), need("b"))
    rows = contributions(reporting.facts(AMAL)), contributions(reporting.facts(BOGDAN))
    amal, bogdan = ({row.key for row in whose if row.table != "needs"} for whose in rows)

    assert len(amal) == len(bogdan) == 1
    assert amal != bogdan
    assert len({row.key for row in rows[1]}) == 3, "each need is a record of its own"


def test_erasing_a_person_leaves_closed_months_as_they_are_and_takes_open_ones_back():
    reporting = Reporting().tell(AMAL, arrival(), need("in march")).tell(BOGDAN, arrival())
    reporting.tell(AMAL, need("in may"), at=datetime(2016, 5, 3, tzinfo=UTC))
    march = {cell: figure for cell, figure in reporting.counted if cell.period == "2016-03"}

    reporting.tell(AMAL, PersonErased(), at=datetime(2016, 5, 10, tzinfo=UTC))

    assert dict(reporting.counted) == march
    assert reporting.table("needs") == {("2016-03", "lotse", MELLE): 1}


def test_a_month_is_open_for_erasure_until_the_days_for_late_reports_are_over():
    def arrivals_after_erasure_on(day: datetime) -> int:
        reporting = Reporting().tell(AMAL, arrival()).tell(AMAL, PersonErased(), at=day)
        return sum(reporting.table("arrivals-by-way").values())

    assert arrivals_after_erasure_on(datetime(2016, 4, 14, 21, 59, tzinfo=UTC)) == 0
    assert arrivals_after_erasure_on(datetime(2016, 4, 14, 22, 0, tzinfo=UTC)) == 1


def test_of_an_erased_person_nothing_is_kept_but_figures_that_lead_to_nobody():
    reporting = Reporting().tell(AMAL, arrival(), need("in march"))
    pseudonym = reporting.get(Facts, AMAL).pseudonym
    reporting.tell(AMAL, PersonErased(), at=datetime(2016, 6, 1, tzinfo=UTC))
    kept = [effect for effect in reporting.effects if isinstance(effect, Kept)]

    assert reporting.facts(AMAL) == Facts(id=AMAL, erased=True)
    assert len(kept) == 1
    assert not any(trace in repr(kept) for trace in (AMAL, pseudonym, id_of("in march")))


def test_what_is_told_of_an_erased_person_later_is_ignored():
    reporting = Reporting().tell(AMAL, arrival()).tell(AMAL, PersonErased())
    reporting.tell(AMAL, need("late"), proposed(), profile(complete=True))

    assert reporting.facts(AMAL) == Facts(id=AMAL, erased=True)
    assert len(reporting.counted) == 0


def test_an_erasure_before_the_first_word_keeps_the_person_out():
    reporting = Reporting().tell(AMAL, PersonErased()).tell(AMAL, need("late"))

    assert reporting.facts(AMAL) == Facts(id=AMAL, erased=True)
