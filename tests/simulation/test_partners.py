"""Partners offer every kind of service, near enough to what is needed, and answer as they usually do."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import CEFR_ORDER, Daypart, Rhythm, ServiceKind
from schemas.ends import OUTCOMES
from simulation import assumptions, conduct
from simulation.conduct import PartnerReply, PersonReply
from simulation.county import County, generate
from simulation.naming import languages


def test_every_kind_of_service_is_offered(county: County) -> None:
    assert {offer.kind for offer in county.offers} == set(ServiceKind) == set(assumptions.PLANS)
    small = generate(people=5)
    assert {offer.kind for offer in small.offers} == set(ServiceKind)


def test_seats_follow_the_expected_need(county: County) -> None:
    """Those of courses also that of the first weeks of the next year, of which people hear in this one."""
    seats = seats_by_kind(county)
    for kind, plan in assumptions.PLANS.items():
        need = county.size * (1 - assumptions.CONSENT_REFUSED) * plan.needed
        share = assumptions.SEATS_PER_NEED_OF.get(kind, assumptions.SEATS_PER_NEED)
        period = (366 + assumptions.COURSE_PUBLISHED_BEFORE) / 366 if plan.dated else 1
        assert seats[kind] == pytest.approx(max(assumptions.OFFERS_AT_LEAST, need * share * period), abs=1)
        assert all(offer.seats <= plan.seats for offer in county.offers if offer.kind is kind)


def seats_by_kind(county: County) -> Counter[ServiceKind]:
    seats = Counter[ServiceKind]()
    for offer in county.offers:
        seats[offer.kind] += offer.seats
    return seats


def test_more_people_bring_more_offers_of_the_same_size(county: County) -> None:
    double = generate(people=county.size * 2)
    assert sum(offer.seats for offer in double.offers) > 1.7 * sum(offer.seats for offer in county.offers)


def test_for_few_people_there_are_small_offers_and_two_of_each_kind_to_choose_from() -> None:
    few = generate(people=60)
    assert set(Counter(offer.kind for offer in few.offers).values()) >= {assumptions.OFFERS_AT_LEAST}
    assert min(Counter(offer.kind for offer in few.offers).values()) == assumptions.OFFERS_AT_LEAST
    assert all(offer.seats >= 1 for offer in few.offers)
    assert sum(offer.seats for offer in few.offers) < 6 * 60


@pytest.mark.parametrize("people", [60, 1000])
def test_whoever_works_in_the_day_finds_every_standing_service_open_in_some_evening(people: int) -> None:
    standing = [offer for offer in generate(people=people).offers if offer.starts_on is None]
    late = {offer.kind for offer in standing if Daypart.WEEKDAY_EVENING in offer.dayparts}
    assert late == {kind for kind, plan in assumptions.PLANS.items() if not plan.dated}


def test_standing_services_are_open_as_often_as_is_assumed() -> None:
    standing = [offer for offer in generate(people=20_000).offers if offer.starts_on is None]
    for kind in {offer.kind for offer in standing}:
        of_kind = [offer for offer in standing if offer.kind is kind]
        shares = assumptions.STANDING_OPEN_OF.get(kind, assumptions.STANDING_OPEN)
        for part, share in shares.items():
            found = sum(part in offer.dayparts for offer in of_kind) / len(of_kind)
            assert found == pytest.approx(share, abs=0.02 + 2 / len(of_kind))
        assert all(offer.dayparts for offer in of_kind)


def test_an_offer_belongs_to_a_partner_who_has_this_kind(county: County) -> None:
    partners = {partner.code: partner for partner in county.partners}
    assert len(partners) == len(county.partners)
    districts = {district.ars for district in county.districts}
    for offer in county.offers:
        assert offer.kind in partners[offer.partner].kinds
        assert offer.district in districts
    assert {partner.seat for partner in county.partners} <= districts
    assert len({offer.key for offer in county.offers}) == len(county.offers)


def test_every_partner_offers_something(county: County) -> None:
    assert {offer.partner for offer in county.offers} == {partner.code for partner in county.partners}


def test_courses_start_on_mondays_over_the_whole_year_and_are_told_before(county: County) -> None:
    dated = [offer for offer in county.offers if offer.starts_on]
    assert {offer.kind for offer in dated} == {kind for kind, plan in assumptions.PLANS.items() if plan.dated}
    for offer in dated:
        assert offer.starts_on
        assert offer.starts_on.weekday() == 0
        assert date(2016, 1, 1) <= offer.published_on <= offer.starts_on <= date(2017, 3, 3)
        assert offer.published_on <= date(2016, 12, 31)
        assert offer.starts_on - offer.published_on <= timedelta(days=assumptions.COURSE_PUBLISHED_BEFORE + 6)
        assert len(offer.dayparts) == (2 if offer.asks.rhythm is Rhythm.ALTERNATING else 1)
    months = {(offer.starts_on.year, offer.starts_on.month) for offer in dated if offer.starts_on}
    assert months >= {*((2016, month) for month in range(1, 13)), (2017, 1), (2017, 2)}
    assert [offer.published_on for offer in county.offers] == sorted(offer.published_on for offer in county.offers)


def test_language_courses_lead_upwards(county: County) -> None:
    for offer in county.offers:
        if offer.kind in assumptions.COURSE_LEVELS:
            assert offer.german_from
            assert offer.german_to
            assert CEFR_ORDER[offer.german_from] < CEFR_ORDER[offer.german_to]
        else:
            assert offer.german_from is None
            assert offer.german_to is None


def test_lotsen_speak_one_language_and_interpreters_several(county: County) -> None:
    fewest, most = assumptions.INTERPRETED_LANGUAGES
    for offer in county.offers:
        assert set(offer.languages) <= languages().keys()
        if offer.kind is ServiceKind.INTERPRETER:
            assert fewest <= len(set(offer.languages)) <= most
        else:
            assert len(offer.languages) == (offer.kind is ServiceKind.LOTSE)
    assert len({offer.languages for offer in county.offers if offer.kind is ServiceKind.LOTSE}) > 5


@given(st.integers(), st.integers(0, 10**6), st.text(max_size=40))
def test_who_is_asked_twice_answers_the_same(seed: int, index: int, question: str) -> None:
    assert conduct.person_answer(seed, index, question) == conduct.person_answer(seed, index, question)
    assert conduct.partner_answer(seed, "vhs", question) == conduct.partner_answer(seed, "vhs", question)
    for kind in (ServiceKind.LOTSE, ServiceKind.VOCATIONAL_GERMAN):
        course = conduct.course_of_things(seed, index, question, kind, 26)
        assert course == conduct.course_of_things(seed, index, question, kind, 26)
    assert conduct.release_after(seed, question) == conduct.release_after(seed, question)


def test_people_answer_in_their_usual_shares() -> None:
    answers = [conduct.person_answer(1, index, "q") for index in range(4000)]
    found = Counter(answer.reply for answer in answers)
    for reply, share in assumptions.PERSON_ANSWERS.items():
        assert found[PersonReply(reply)] / 4000 == pytest.approx(share, abs=0.02)
    assert {answer.after_days for answer in answers} == set(range(6))


def test_partners_differ_but_answer_in_the_usual_shares_together(county: County) -> None:
    answers = {
        partner.code: [conduct.partner_answer(1, partner.code, str(n)) for n in range(300)]
        for partner in county.partners
    }
    for reply, share in assumptions.PARTNER_ANSWERS.items():
        together = sum(answer.reply == reply for each in answers.values() for answer in each) / (300 * len(answers))
        assert together == pytest.approx(share, abs=0.05)
    accepted = [sum(answer.reply is PartnerReply.ACCEPTS for answer in each) / 300 for each in answers.values()]
    assert max(accepted) - min(accepted) > 0.1


def test_only_a_decline_has_a_reason() -> None:
    for n in range(300):
        answer = conduct.partner_answer(1, "vhs", str(n))
        assert (answer.reason is not None) == (answer.reply is PartnerReply.DECLINES)


def test_who_does_not_stay_to_the_end_leaves_before_it_and_who_does_has_an_outcome_of_the_kind() -> None:
    kind = ServiceKind.INTEGRATION_COURSE_GENERAL
    courses = [conduct.course_of_things(1, index, "q", kind, 10) for index in range(2000)]
    ends = Counter(course[-1].step for course in courses)
    for step, name in (("completion", "completes"), ("failure", "fails"), ("cancellation", "called-off")):
        assert ends[step] / 2000 == pytest.approx(assumptions.COURSE_OF_THINGS[name], abs=0.025)
    for course in courses:
        assert [later.after_days for later in course] == sorted(later.after_days for later in course)
        match course[-1].step:
            case "completion":
                assert course[-1].after_days == 70
                assert course[-1].outcome in OUTCOMES[kind]
            case "failure":
                assert 0 < course[-1].after_days < 70
                assert course[-1].reason is not None
            case _:
                assert len(course) == 1


def test_who_misses_it_once_comes_again_unless_they_leave() -> None:
    courses = [conduct.course_of_things(1, index, "q", ServiceKind.LOTSE, 20) for index in range(2000)]
    missed = [course for course in courses if any(later.step == "absence" for later in course)]
    assert len(missed) / 2000 == pytest.approx(assumptions.DOES_NOT_COME, abs=0.025)
    assert all(course[0].step == "start" for course in missed)
    assert {len(course) for course in missed if course[-1].step == "failure"} == {3}
    assert any(len(course) == 4 for course in missed)
