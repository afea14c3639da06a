"""The hard rules, each as a sentence: who is let in, who is not, and what is not known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.codes import ServiceKind
from services.referral.eligibility import RULES, attributes_looked_at, shut_out_by
from services.referral.offers import OfferTerms
from services.referral.service import SERVICE
from services.referral.views import disclosed
from services.runtime.catalogue import LANGUAGES, Catalogue
from tests.referral.network import BRAMSCHE, MELLE, WHERE, seeker, standing, terms

NO_LEVEL = {"cefr_from": None, "cefr_to": None}


def shut_out(one: dict[str, Any], offered: OfferTerms) -> list[str]:
    return [rule.code for rule in shut_out_by(seeker(**one), offered, WHERE)]


def test_somebody_who_fits_in_everything_is_let_in():
    assert shut_out({}, terms()) == []


def test_an_offer_that_asks_for_nothing_lets_in_somebody_of_whom_nothing_is_known():
    unknown = {
        "birth_year": None,
        "sex": None,
        "residence_group": None,
        "benefit_regime": None,
        "german": None,
        "available": frozenset[str](),
        "languages": frozenset[str](),
    }
    assert shut_out(unknown, standing()) == []


@pytest.mark.parametrize(
    ("birth_year", "fits"), [(2000, True), (2001, False), (1989, True), (1988, False), (None, False)]
)
def test_whoever_may_have_the_right_age_on_the_first_day_is_let_in(birth_year: int | None, fits: bool):
    # Born in 2000 somebody is 15 or 16 during 2016, born in 1989 they are 26 or 27.
    assert shut_out({"birth_year": birth_year}, terms(ages=(16, 26))) == ([] if fits else ["age"])


def test_the_age_counts_on_the_first_day_and_not_today():
    assert shut_out({"birth_year": 2001}, terms(ages=(16, 26), starts_on=date(2017, 1, 9), ends_on=None)) == []


def test_a_group_for_women_takes_women():
    assert shut_out({"sex": "female"}, terms(sexes=["female"])) == []
    assert shut_out({"sex": "male"}, terms(sexes=["female"])) == ["sex"]
    assert shut_out({"sex": None}, terms(sexes=["female"])) == ["sex"]


def test_an_offer_for_a_residence_group_or_a_benefit_regime_is_for_those_alone():
    assert shut_out({"residence_group": "eu"}, terms(residence_groups=["refugee"])) == ["residence"]
    assert shut_out({"residence_group": "refugee"}, terms(residence_groups=["refugee"])) == []
    assert shut_out({"benefit_regime": "asylblg"}, terms(benefit_regimes=["sgb-ii"])) == ["benefit"]
    assert shut_out({"benefit_regime": None}, terms(benefit_regimes=["sgb-ii"])) == ["benefit"]


@pytest.mark.parametrize(("german", "fits"), [("a0", False), ("a1", True), ("a2", True), ("b1", False), (None, False)])
def test_a_course_takes_those_who_reached_its_start_and_have_something_to_learn(german: str | None, fits: bool):
    assert shut_out({"german": german}, terms(cefr_from="a1", cefr_to="b1")) == ([] if fits else ["level"])


def test_a_course_fits_who_is_free_at_all_of_its_times_and_a_service_who_is_free_at_one():
    shifts = {"available": frozenset({"weekday-evening", "weekend"})}
    both = ["weekday-evening", "weekend"]
    assert shut_out(shifts, terms(dayparts=both)) == []
    assert shut_out(shifts, terms(dayparts=["weekday-morning", "weekend"])) == ["time"]
    assert shut_out(shifts, standing(dayparts=["weekday-morning", "weekend"])) == []
    assert shut_out(shifts, standing(dayparts=["weekday-morning"])) == ["time"]


@pytest.mark.parametrize("kind", [ServiceKind.CHILD_CARE_PLACE, ServiceKind.CHILD_LANGUAGE_SUPPORT])
def test_a_parent_who_works_all_day_gets_a_place_for_the_child(kind: ServiceKind):
    working = {"kind": kind, "available": frozenset({"weekday-evening"}), "child_care_ages": frozenset({2})}
    mornings = ["weekday-morning", "weekday-afternoon"]
    for offered in (standing(kind=kind, dayparts=mornings), terms(kind=kind, dayparts=mornings, **NO_LEVEL)):
        assert shut_out(working, offered) == []
        assert "available" not in attributes_looked_at(offered), "so it is not shown to the partner either"


@pytest.mark.parametrize(("child", "fits"), [(1, False), (2, True), (5, True), (6, False), (None, False)])
def test_a_child_care_place_is_for_children_of_its_ages_whatever_age_their_parent_is(child: int | None, fits: bool):
    # A child of two on the day of the talk may be three by now.
    kita = standing(kind=ServiceKind.CHILD_CARE_PLACE, ages=(3, 5))
    parent = {"kind": kita.kind, "birth_year": 1982, "child_care_ages": frozenset(() if child is None else (child,))}
    assert shut_out(parent, kita) == ([] if fits else ["child-age"])
    assert set(disclosed(seeker(**parent), kita, WHERE)) == {"child_care_ages", "distance", "languages"}


def test_whoever_was_not_asked_for_their_times_yet_has_said_nothing_against_any():
    assert shut_out({"available": frozenset[str]()}, terms()) == []


def test_who_looks_after_children_takes_courses_with_child_care_only():
    parent = {"child_care_ages": frozenset({2})}
    assert shut_out(parent, terms()) == ["child-care"]
    assert shut_out(parent, terms(child_care=True)) == []
    assert shut_out(parent, standing()) == []
    assert shut_out({**parent, "kind": ServiceKind.CHILD_LANGUAGE_SUPPORT}, for_children()) == []


def for_children() -> OfferTerms:
    return terms(kind=ServiceKind.CHILD_LANGUAGE_SUPPORT, **NO_LEVEL)


def test_what_is_too_far_away_is_not_proposed():
    # Bramsche and Melle lie some 33 km apart: within reach of a course, not of a place for a child.
    assert shut_out({"district": BRAMSCHE}, terms(district=MELLE)) == []
    child = standing(kind=ServiceKind.CHILD_CARE_PLACE)
    assert shut_out({"district": BRAMSCHE, "kind": ServiceKind.CHILD_CARE_PLACE}, child) == ["place"]


def test_a_district_that_nobody_knows_is_near_to_nothing():
    assert shut_out({"district": "000000000"}, terms()) == ["place"]


def test_an_interpreter_shares_a_language_and_for_others_that_is_only_better():
    arabic = {"languages": frozenset({"ara"})}
    assert shut_out(arabic, standing(kind=ServiceKind.INTERPRETER, languages=["ron"])) == ["language"]
    assert shut_out(arabic, standing(kind=ServiceKind.INTERPRETER, languages=["ron", "ara"])) == []
    assert shut_out(arabic, standing(kind=ServiceKind.LOTSE, languages=["ron"])) == []


def test_every_rule_says_in_both_languages_why_it_shuts_somebody_out():
    sentences = Catalogue(SERVICE.messages)
    places = {"youngest": 16, "oldest": 26, "from": "A1", "to": "B1", "furthest": 50, "distance": 60}
    for rule in RULES:
        for language in LANGUAGES:
            assert sentences.text(language, f"rule.{rule.code}.shut-out", places).endswith(".")


# --- what a partner is shown before it accepts --------------------------------------------------------------------------


def test_a_partner_sees_the_attributes_on_which_its_offer_decides_and_no_other():
    youth = terms(ages=(16, 26), child_care=True, dayparts=[])
    assert set(disclosed(seeker(), youth, WHERE)) == {"age", "german", "distance", "languages"}
    assert disclosed(seeker(), youth, WHERE)["age"] == 34
    assert set(disclosed(seeker(), standing(), WHERE)) == {"distance", "languages"}


def test_nothing_that_says_where_somebody_lives_is_shown_before_acceptance():
    shown = disclosed(seeker(), terms(ages=(16, 26), sexes=["male"], residence_groups=["eu"]), WHERE)
    assert MELLE not in str(shown)
    assert "district" not in attributes_looked_at(terms())
