"""Capacity of several sorts: to matching all are seats; what a sort says besides is checked, and decides where it has to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from schemas.codes import Daypart, ServiceKind, Weekday
from services.referral.commands import PublishOffer, ReportEffort
from services.referral.contradictions import contradictions
from services.referral.eligibility import shut_out_by
from services.referral.offers import OfferTerms
from services.referral.particulars import Course, Effort, WeeklyTime, dayparts_of
from services.referral.points import points_of
from services.referral.service import SERVICE
from services.referral.views import offer_view, referral_line
from services.referral.whom import Whom
from services.runtime.catalogue import LANGUAGES, Catalogue
from services.runtime.errors import Refused
from tests.referral.directory import listed
from tests.referral.network import BRAMSCHE, COUNTY, MELLE, WHERE, Network, id_of, offer, seeker, standing, terms

CATALOGUE = Catalogue(SERVICE.messages)


def time(weekday: str = "monday", begins: str = "08:30", ends: str = "12:45") -> dict[str, str]:
    return {"weekday": weekday, "begins": begins, "ends": ends}


def course(**other: Any) -> OfferTerms:
    """A course on two mornings a week."""
    times = other.pop("times", [time(), time("thursday")])
    return terms(particulars={"sort": "course", "times": times, **other.pop("particulars", {})}, **other)


def lotse(**other: Any) -> OfferTerms:
    """A volunteer guide whose certificate of conduct was inspected half a year ago."""
    said = {"volunteer": "l-17", "confidentiality_signed_on": "2015-11-01", "conduct_inspected_on": "2015-12-01"}
    return standing(kind=ServiceKind.LOTSE, particulars={"sort": "lotse", **said, **other})


def found(offered: OfferTerms, seats: int = 5) -> list[tuple[str, str]]:
    wrong = [*contradictions(offered, seats, COUNTY, WHERE.settings)]
    for one in wrong:
        assert all(CATALOGUE.text(language, f"field.{one.code}", one.params).endswith(".") for language in LANGUAGES)
    return [(one.field, one.code) for one in wrong]


# --- courses ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weekday", "begins", "ends", "parts"),
    [
        ("monday", "08:30", "12:45", ["weekday-morning"]),
        ("monday", "09:00", "13:30", ["weekday-morning"]),
        ("monday", "09:00", "13:31", ["weekday-morning", "weekday-afternoon"]),
        ("friday", "14:00", "17:00", ["weekday-afternoon"]),
        ("friday", "17:30", "17:45", ["weekday-evening"]),
        ("tuesday", "16:00", "19:00", ["weekday-afternoon", "weekday-evening"]),
        ("saturday", "09:00", "20:00", ["weekend"]),
    ],
)
def test_the_parts_of_the_day_follow_from_the_weekly_times(weekday: str, begins: str, ends: str, parts: list[str]):
    told = WeeklyTime(weekday=Weekday(weekday), begins=begins, ends=ends)
    assert dayparts_of((told,)) == tuple(Daypart(part) for part in parts)


@pytest.mark.parametrize(
    ("offered", "seats", "wrong"),
    [
        (course(), 5, []),
        (course(dayparts=["weekday-evening"]), 5, [("dayparts", "dayparts-against-times")]),
        (
            course(times=[time(begins="13:00", ends="12:00")]),
            5,
            [("particulars.times.0.ends", "time-ends-before-it-begins")],
        ),
        (course(times=[time(), time(begins="12:00", ends="12:30")]), 5, [("particulars.times.1", "times-overlap")]),
        (course(particulars={"minimum": 6}), 5, [("particulars.minimum", "minimum-above-seats")]),
        (course(particulars={"minimum": 5}), 5, []),
        (course(kind="lotse", cefr_from=None, cefr_to=None), 5, [("particulars.sort", "sort-of-another-kind")]),
    ],
)
def test_a_course_does_not_contradict_itself(offered: OfferTerms, seats: int, wrong: list[tuple[str, str]]):
    assert found(offered, seats) == wrong


def test_how_many_participants_are_missing_to_the_minimum_is_shown():
    network = Network()
    network.asks(PublishOffer(offer=id_of("course", "offer"), terms=course(particulars={"minimum": 3}), seats=5))
    network.person("amal")
    network.round()
    assert offer_view(network.offer(), Whom(CATALOGUE, "en")).below_minimum == 2


def test_the_person_is_asked_about_site_and_weekly_times_too():
    network = Network()
    network.asks(PublishOffer(offer=id_of("course", "offer"), terms=course(), seats=1))
    network.person("amal")
    network.round()
    line = referral_line(network.case(), network.need(), network.live(), network.offer())
    assert [(one.weekday, one.begins) for one in line.place.times] == [("monday", "08:30"), ("thursday", "08:30")]
    assert (line.place.site, line.place.dayparts) == (None, ("weekday-morning",))


def test_weekly_times_are_told_day_by_day():
    told = course(times=[time("thursday"), time("monday", "14:00", "16:00"), time()])
    assert Whom(CATALOGUE, "en").times(told) == "Monday 08:30–12:45, Monday 14:00–16:00, Thursday 08:30–12:45"
    assert Whom(CATALOGUE, "de").times(terms()) == "werktags vormittags"
    assert isinstance(told.particulars, Course)


@pytest.mark.parametrize(
    ("code", "district", "refused"),
    [
        ("melle", MELLE, None),
        ("nowhere", MELLE, "site-not-of-partner"),
        ("melle", BRAMSCHE, "site-in-another-district"),
    ],
)
def test_a_course_is_at_a_site_of_its_partner_and_in_its_district(code: str, district: str, refused: str | None):
    network = Network()
    listed(network)
    command = PublishOffer(offer=id_of("course"), terms=course(district=district, particulars={"site": code}), seats=2)
    if refused is None:
        assert network.asks(command).facts
    else:
        with pytest.raises(Refused, match=refused):
            network.asks(command)


# --- volunteer guides -------------------------------------------------------------------------------------------------------


def test_a_volunteer_signs_confidentiality_and_takes_no_more_cases_than_the_county_lets_them():
    assert found(lotse(), seats=8) == []
    assert found(lotse(confidentiality_signed_on=None)) == [
        ("particulars.confidentiality_signed_on", "confidentiality-not-signed")
    ]
    assert found(lotse(), seats=9) == [("seats", "too-many-cases")]


@pytest.mark.parametrize(
    ("birth_year", "inspected", "fits"),
    [
        (1982, None, True),
        (1997, None, True),
        (1998, None, False),
        (2001, None, False),
        (None, None, False),
        (2001, "2015-12-01", True),
        (None, "2015-12-01", True),
        (2001, "2010-12-01", False),
    ],
)
def test_whoever_may_be_under_age_meets_volunteers_alone_whose_certificate_of_conduct_was_inspected(
    birth_year: int | None, inspected: str | None, fits: bool
):
    # Born in 1998 somebody is 17 or 18 on 1 June 2016. An inspection counts for five years.
    one = seeker(kind=ServiceKind.LOTSE, birth_year=birth_year)
    rules = [rule.code for rule in shut_out_by(one, lotse(conduct_inspected_on=inspected), WHERE)]
    assert rules == ([] if fits else ["conduct"])


def test_an_inspection_counts_on_its_last_day_and_not_on_the_next():
    inspected = date(2015, 12, 1)
    last = inspected + timedelta(days=WHERE.settings.lotsen.conduct_counts_days)
    one, offered = seeker(kind=ServiceKind.LOTSE, birth_year=2008), lotse(conduct_inspected_on=inspected.isoformat())
    assert shut_out_by(one, offered, replace(WHERE, today=last)) == ()
    assert shut_out_by(one, offered, replace(WHERE, today=last + timedelta(days=1))) != ()


def test_of_a_volunteer_an_offer_tells_a_code_and_days_and_never_a_name():
    named = {"sort": "lotse", "volunteer": "Erika Mustermann"}
    with pytest.raises(ValueError, match="pattern"):
        standing(kind=ServiceKind.LOTSE, particulars=named)


def effort(month: str = "2016-05", hours: int = 6, visits: int = 4) -> Effort:
    return Effort(month=month, hours=hours, visits=visits)


def test_what_a_volunteer_gave_is_kept_by_month_and_the_last_word_on_a_month_counts():
    network = Network()
    guide = id_of("guide", "offer")
    network.asks(PublishOffer(offer=guide, terms=lotse(), seats=3))
    for one in (effort(), effort("2016-04", 3, 2), effort(hours=7)):
        network.asks(ReportEffort(offer=guide, effort=one, partner="advice-1"))
    assert network.offer("guide").efforts == (effort("2016-04", 3, 2), effort(hours=7))
    assert network.asks(ReportEffort(offer=guide, effort=effort(hours=7), partner="advice-1")).facts == ()


@pytest.mark.parametrize(
    ("named", "partner", "month", "refused"),
    [
        ("guide", "another", "2016-05", "offer-not-found"),
        ("guide", None, "2016-07", "month-to-come"),
        ("course", None, "2016-05", "offer-of-no-volunteer"),
    ],
)
def test_hours_are_reported_by_the_volunteers_own_partner_for_months_that_have_come(
    named: str, partner: str | None, month: str, refused: str
):
    network = Network()
    network.publishes("course")
    network.asks(PublishOffer(offer=id_of("guide", "offer"), terms=lotse(), seats=3))
    with pytest.raises(Refused, match=refused):
        network.asks(ReportEffort(offer=id_of(named, "offer"), effort=effort(month), partner=partner))


# --- interpreters -----------------------------------------------------------------------------------------------------------


def interpreting(way: str) -> OfferTerms:
    said = {"sort": "interpreter-hours", "way": way}
    return standing(kind=ServiceKind.INTERPRETER, languages=["ara"], district="031570006", particulars=said)


def test_by_video_an_interpreter_is_near_to_everybody():
    far = seeker(kind=ServiceKind.INTERPRETER, district="000000000")
    assert [rule.code for rule in shut_out_by(far, interpreting("on-site"), WHERE)] == ["place"]
    assert shut_out_by(far, interpreting("video"), WHERE) == ()
    by_video = offer("video").but(terms=interpreting("video"))
    assert points_of(far, by_video, WHERE)["distance"] == WHERE.settings.points.distance


def test_each_hour_of_an_interpreters_week_is_a_seat():
    network = Network()
    hours = interpreting("video")
    network.asks(PublishOffer(offer=id_of("hours", "offer"), terms=hours, seats=2))
    for name in ("amal", "badr", "cem"):
        network.person(name, needs=ServiceKind.INTERPRETER)
    network.round()
    assert network.offer("hours").free == 0
