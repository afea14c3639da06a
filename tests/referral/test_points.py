"""How well a place fits, in whole points, and what waiting is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codes import Cefr, ContactField, Daypart, LapseStage, ServiceKind
from services.referral.county import MOST_POINTS, Weights, settings_of
from services.referral.offers import Holder, Offer
from services.referral.points import points_at_most, points_of, waiting_gain
from services.referral.seekers import Home, Hours, Levels
from services.runtime.calendar import berlin_instant
from tests.referral.network import BRAMSCHE, COUNTY, MELLE, NOW, WHERE, id_of, offer, seeker, standing, terms
from tests.referral.test_matching import worlds


@given(worlds)
def test_points_are_whole_and_between_none_and_a_thousand(made):
    for one in made[0]:
        for place in made[1]:
            points = points_of(one, place, WHERE)
            assert all(isinstance(value, int) and value >= 0 for value in points.values())
            assert sum(points.values()) <= MOST_POINTS


@given(worlds)
def test_no_change_of_what_a_rule_looks_at_brings_more_points_than_are_reckoned_with(made):
    for one in made[0]:
        for place in made[1]:
            assert points_at_most(one, place, WHERE, ()) == sum(points_of(one, place, WHERE).values())
            changed = {
                "level": replace(one, german=Cefr.A2, levels=Levels.alike(Cefr.A2)),
                "time": replace(one, hours=Hours(frozenset(Daypart))),
                "place": replace(one, home=Home(MELLE, None)),
                "language": replace(one, languages=frozenset({"ara", "ron"})),
            }
            for rule, other in changed.items():
                assert sum(points_of(other, place, WHERE).values()) <= points_at_most(one, place, WHERE, {rule})


def test_the_perfect_place_has_all_points():
    today = offer(languages=["ara"], starts_on=NOW.date())
    assert sum(points_of(seeker(), today, WHERE).values()) == MOST_POINTS


@pytest.mark.parametrize(
    ("reason", "better", "worse"),
    [
        ("distance", {"district": MELLE}, {"district": BRAMSCHE}),
        ("level", {"cefr_from": "a1"}, {"cefr_from": "a0"}),
        ("start", {"starts_on": date(2016, 6, 20)}, {"starts_on": date(2016, 9, 1)}),
        ("time", {"dayparts": ["weekday-morning"]}, {"dayparts": ["weekday-morning", "weekend"]}),
        ("language", {"languages": ["ara"]}, {"languages": []}),
        ("language", {"languages": []}, {"languages": ["ron"]}),
    ],
)
def test_each_reason_gives_more_to_what_fits_better(reason: str, better: dict[str, Any], worse: dict[str, Any]):
    assert points_of(seeker(), offer(**better), WHERE)[reason] > points_of(seeker(), offer(**worse), WHERE)[reason]


@pytest.mark.parametrize("kind", [ServiceKind.CHILD_CARE_PLACE, ServiceKind.CHILD_LANGUAGE_SUPPORT])
def test_a_place_for_a_child_is_no_worse_for_a_parent_who_has_no_time_then(kind: ServiceKind):
    place = offer(kind=kind, dayparts=["weekday-morning"])
    evenings, mornings = frozenset({"weekday-evening"}), frozenset({"weekday-morning"})
    assert points_of(seeker(available=evenings), place, WHERE) == points_of(seeker(available=mornings), place, WHERE)


def test_an_offer_with_more_of_its_seats_free_has_more_points():
    holder = Holder(referral=id_of("referral"), case=id_of("case"))
    half_full = Offer(id=id_of("half"), terms=terms(), seats=2, holders=(holder,))
    assert points_of(seeker(), half_full, WHERE)["load"] < points_of(seeker(), offer(seats=2), WHERE)["load"]


def test_a_service_without_a_start_is_there_at_once():
    service = Offer(id=id_of("advice"), terms=standing(), seats=1)
    assert points_of(seeker(), service, WHERE)["start"] == WHERE.settings.points.start


@given(st.integers(0, 2000), st.integers(1, 2000), st.booleans())
def test_who_has_waited_longer_gains_more_and_urgent_needs_gain_more_than_others(days: int, more: int, urgent: bool):
    shorter = seeker(since=NOW - timedelta(days=days), urgent=urgent)
    longer = seeker(since=NOW - timedelta(days=days + more), urgent=urgent)
    assert waiting_gain(longer, WHERE) > waiting_gain(shorter, WHERE)
    assert waiting_gain(seeker(since=shorter.since, urgent=True), WHERE) >= waiting_gain(shorter, WHERE)


# --- the county's decisions ---------------------------------------------------------------------------------------------


def test_a_deadline_ends_with_its_day_in_germany_also_when_the_clocks_change():
    deadlines = settings_of(COUNTY, date(2016, 10, 24)).deadlines
    evening = berlin_instant(date(2016, 10, 24), 23, 30)
    assert deadlines.end(LapseStage.RELEASE, evening) == berlin_instant(date(2016, 11, 1))
    assert deadlines.end(LapseStage.RELEASE, evening) - evening == timedelta(days=7, hours=1, minutes=30)


def test_the_points_of_all_reasons_are_a_thousand_together():
    with pytest.raises(ValidationError, match="1000 together"):
        Weights(distance=1000, level=1, start=0, time=0, language=0, load=0)


def test_a_partner_may_read_until_some_time_after_the_end_and_which_fields_the_agreement_says():
    contact = settings_of(COUNTY, date(2016, 6, 1)).contact
    assert contact.until(date(2016, 6, 1), date(2016, 12, 15)) == date(2017, 1, 14)
    assert contact.until(date(2016, 6, 1), None) == date(2017, 6, 1)
    assert contact.until(date(2016, 6, 1), date.max) == date.max
    named = contact.model_copy(update={"partners": {"vhs": (ContactField.NAME,)}})
    assert named.fields_for("vhs") == (ContactField.NAME,)
    assert named.fields_for("others") == contact.fields
