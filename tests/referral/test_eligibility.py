"""The hard rules, each as a sentence: who is let in, who is not, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Accessibility, Cefr, Literacy, Rhythm, ServiceKind, Skill
from services.referral.eligibility import RULES, attributes_looked_at, shut_out_by
from services.referral.model import Need
from services.referral.offers import OfferTerms
from services.referral.people import Certificate
from services.referral.seekers import Admission, Home, Hours, Levels, Seeker, seeker_of
from services.referral.service import SERVICE
from services.referral.verdicts import Verdicts
from services.referral.views import disclosed
from services.runtime.catalogue import LANGUAGES, Catalogue
from tests.referral.network import (
    BRAMSCHE,
    COURSE,
    MELLE,
    NOW,
    TODAY,
    WHERE,
    Network,
    id_of,
    seeker,
    standing,
    terms,
)
from tests.referral.test_matching import worlds

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
    working = {"kind": kind, "available": frozenset({"weekday-evening"}), "child_care_ages": (2,)}
    mornings = ["weekday-morning", "weekday-afternoon"]
    for offered in (standing(kind=kind, dayparts=mornings), terms(kind=kind, dayparts=mornings, **NO_LEVEL)):
        assert shut_out(working, offered) == []
        assert "available" not in attributes_looked_at(offered), "so it is not shown to the partner either"


@pytest.mark.parametrize(("child", "fits"), [(1, False), (2, True), (5, True), (6, False), (None, False)])
def test_a_child_care_place_is_for_children_of_its_ages_whatever_age_their_parent_is(child: int | None, fits: bool):
    # A child of two on the day of the talk may be three by now.
    kita = standing(kind=ServiceKind.CHILD_CARE_PLACE, ages=(3, 5))
    parent = {"kind": kita.kind, "birth_year": 1982, "child_care_ages": () if child is None else (child,)}
    assert shut_out(parent, kita) == ([] if fits else ["child-age"])
    assert set(disclosed(seeker(**parent), kita, WHERE)) == {"child_care_ages", "distance", "languages"}


# --- levels per skill, letters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "fits"),
    [
        (Levels(speaking=Cefr.B1, writing=Cefr.A1, listening=Cefr.B1, reading=Cefr.A1), True),
        (Levels(speaking=Cefr.A2, writing=Cefr.A1, listening=Cefr.B1, reading=Cefr.A1), False),
        (Levels(writing=Cefr.A1), False),
        (Levels(speaking=Cefr.B1), True),
        (Levels(speaking=Cefr.B1, writing=Cefr.A0), False),
    ],
)
def test_an_offer_may_ask_for_more_in_one_skill_than_in_the_others(levels: Any, fits: bool):
    # A1 in everything, but B1 in speaking; the skill that the offer names has to be known.
    talk = terms(cefr_from="a1", cefr_to="c1", skills=[{"skill": "speaking", "cefr_from": "b1"}])
    assert bool(shut_out_by(replace(seeker(), levels=levels), talk, WHERE)) is not fits


def test_as_long_as_one_skill_is_below_the_end_there_is_something_to_learn():
    writing = terms(cefr_from=None, cefr_to=None, skills=[{"skill": "writing", "cefr_to": "b1"}])
    for levels, fits in (
        (Levels(speaking=Cefr.C1, writing=Cefr.A2), True),
        (Levels(speaking=Cefr.A1, writing=Cefr.B1), False),
    ):
        assert bool(shut_out_by(replace(seeker(), levels=levels), writing, WHERE)) is not fits


def test_a_course_that_teaches_letters_is_for_those_who_do_not_know_them():
    letters = terms(kind=ServiceKind.INTEGRATION_COURSE_LITERACY, literacy=["not-literate"], **NO_LEVEL)
    kind = {"kind": letters.kind}
    assert shut_out({**kind, "literacy": "not-literate"}, letters) == []
    assert shut_out({**kind, "literacy": "literate"}, letters) == ["literacy"]
    assert shut_out({**kind, "literacy": None}, letters) == ["literacy"]


# --- certificates for federal courses --------------------------------------------------------------------------------------

ADMITTED = Certificate.model_validate(
    {"scheme": "integration-course", "kind": "admitted", "issuer": "bamf", "valid_until": TODAY}
)
OBLIGED = ADMITTED.model_copy(update={"kind": "obliged", "issuer": "jobcenter", "valid_until": None})


def admission(*certificates: Certificate, self_payer: bool = False) -> dict[str, Any]:
    return {"admission": Admission(frozenset(certificates), self_payer)}


def test_a_federal_course_takes_whoever_has_a_valid_certificate():
    federal = terms(admission={})
    assert shut_out(admission(ADMITTED), federal) == []
    assert shut_out(admission(OBLIGED), federal) == []
    assert shut_out(admission(), federal) == ["certificate"]
    assert shut_out({"admission": Admission(None, self_payer=False)}, federal) == ["certificate"], "nobody asked"


def test_an_expired_certificate_counts_as_none_from_the_day_after_its_last_on():
    tomorrow = replace(WHERE, today=TODAY + timedelta(days=1))
    one, federal = seeker(**admission(ADMITTED)), terms(admission={})
    assert shut_out_by(one, federal, WHERE) == ()
    assert [rule.code for rule in shut_out_by(one, federal, tomorrow)] == ["certificate"]


def test_a_course_may_ask_for_the_kind_and_the_issuer_of_the_certificate():
    obliged = terms(admission={"kinds": ["obliged"], "issuers": ["jobcenter"]})
    assert shut_out(admission(OBLIGED), obliged) == []
    assert shut_out(admission(OBLIGED.model_copy(update={"issuer": "foreigners-authority"})), obliged) == [
        "certificate"
    ]
    assert shut_out(admission(ADMITTED), obliged) == ["certificate"]


def test_who_pays_takes_part_without_a_certificate_where_the_provider_says_so():
    assert shut_out(admission(self_payer=True), terms(admission={"self_payers": True})) == []
    assert shut_out(admission(self_payer=True), terms(admission={})) == ["certificate"]


def test_a_certificate_for_another_scheme_is_none():
    network = Network()
    network.person("amal", needs=None)
    told = {**ADMITTED.model_dump(), "scheme": "vocational-german-course"}
    network.is_profiled(id_of("amal", "case"), certificates=[told])
    for kind, known in ((COURSE, False), (ServiceKind.VOCATIONAL_GERMAN, True)):
        one = seeker_of(network.case(), Need(id=id_of(kind), kind=kind, urgent=False, since=NOW))
        assert one is not None
        assert one.admission is not None
        assert bool(one.admission.certificates) is known


# --- where somebody lives ---------------------------------------------------------------------------------------------------

ARTLAND, BADBERGEN = "034595401", "034595401007"


def test_an_offer_for_some_places_is_for_people_who_live_there_alone():
    # Melle is one municipality, so who lives in the district lives in it; a Samtgemeinde has several.
    town = f"{MELLE}024"
    assert shut_out({"municipality": town}, terms(places=[MELLE])) == []
    assert shut_out({"municipality": town}, terms(places=[town, BRAMSCHE])) == []
    assert shut_out({}, terms(places=[BRAMSCHE])) == ["residents"]
    assert shut_out({"district": ARTLAND}, near(places=[BADBERGEN])) == ["residents"], "where exactly is not known"
    assert shut_out({"district": ARTLAND, "municipality": BADBERGEN}, near(places=[BADBERGEN])) == []


def near(**other: Any) -> OfferTerms:
    return terms(district=ARTLAND, **other)


def test_of_a_district_with_one_municipality_that_one_is_known():
    network = Network()
    network.person("amal")
    one = seeker_of(network.case(), network.need())
    assert one is not None
    assert one.home == Home(MELLE, f"{MELLE}024")


# --- shifts, children beside a course, what somebody needs ------------------------------------------------------------------

ROTATING = {"available": frozenset({"weekend"}), "rotating": True}


def test_times_in_turn_fit_rotating_shifts_and_times_as_agreed_fit_anybody():
    in_turn = {"dayparts": ["weekday-morning", "weekday-evening"], "rhythm": "alternating"}
    assert shut_out(ROTATING, terms(**in_turn)) == []
    assert shut_out({**ROTATING, "rotating": False}, terms(**in_turn)) == ["time"]
    assert shut_out(ROTATING, terms(**in_turn | {"rhythm": "fixed"})) == ["time"]
    assert shut_out({**ROTATING, "rotating": False}, terms(**in_turn | {"rhythm": "flexible"})) == []
    assert "available" not in attributes_looked_at(terms(**in_turn | {"rhythm": "flexible"}))


@pytest.mark.parametrize(("ages", "fits"), [((), True), ((3,), True), ((2, 5), True), ((1,), False), ((3, 6), False)])
def test_child_care_beside_a_course_takes_children_of_its_ages_and_each_child_needs_it(
    ages: tuple[int, ...], fits: bool
):
    # A child of two on the day of the talk may be three by now.
    minded = terms(child_care=True, child_care_ages=(3, 5))
    assert shut_out({"child_care_ages": tuple(ages)}, minded) == ([] if fits else ["care-ages"])


def test_a_place_has_what_the_person_needs_to_take_part():
    needs = {"access_needs": frozenset({Accessibility.STEP_FREE, Accessibility.HEARING_LOOP})}
    assert shut_out(needs, terms()) == ["access"]
    assert shut_out(needs, terms(accessibility=["step-free"])) == ["access"]
    assert shut_out(needs, terms(accessibility=["hearing-loop", "step-free", "large-print"])) == []
    assert shut_out({}, terms()) == []


def test_whoever_comes_to_people_needs_no_step_free_house():
    visit = standing(kind=ServiceKind.HOME_VISIT)
    for need, fits in ((Accessibility.STEP_FREE, True), (Accessibility.SIGN_LANGUAGE, False)):
        assert bool(shut_out({"kind": visit.kind, "access_needs": frozenset({need})}, visit)) is not fits


# --- the quick way to the same verdicts --------------------------------------------------------------------------------------


@given(worlds, st.data())
def test_a_verdict_in_bits_says_what_the_rules_say_one_by_one(made: Any, data: st.DataObject):
    people, places = made
    offers = [place.but(terms=data.draw(asking_more(place.terms))) for place in places]
    verdicts = Verdicts(offers, WHERE)
    for person in people:
        one = data.draw(known_more(person))
        told = verdicts.fitting(one)
        for place, (_, offered) in enumerate(verdicts.places):
            assert bool(told >> place & 1) is not bool(shut_out_by(one, offered, WHERE))


def asking_more(offered: Any) -> st.SearchStrategy[OfferTerms]:
    """These terms with what else an offer may ask for."""
    skill = st.fixed_dictionaries({"skill": st.sampled_from(Skill), "cefr_from": st.sampled_from([None, *Cefr])})
    more = st.fixed_dictionaries(
        {},
        optional={
            "rhythm": st.sampled_from(Rhythm),
            "skills": st.lists(skill, max_size=2),
            "literacy": st.lists(st.sampled_from(Literacy), max_size=2),
            "places": st.lists(st.sampled_from([MELLE, BRAMSCHE, f"{MELLE}024"]), max_size=2),
            "admission": st.sampled_from([{}, {"kinds": ["obliged"]}, {"self_payers": True}]),
            "child_care_ages": st.just((2, 4)),
            "accessibility": st.lists(st.sampled_from(Accessibility), max_size=3),
        },
    )
    return more.map(lambda other: OfferTerms.model_validate({**offered.model_dump(), **other}))


def known_more(one: Seeker) -> st.SearchStrategy[Seeker]:
    """Somebody of whom more is known."""
    level = st.none() | st.sampled_from(Cefr)
    return st.builds(
        lambda levels, rotating, **other: replace(
            one, levels=levels, hours=Hours(one.hours.available, rotating), **other
        ),
        st.builds(Levels, level, level, level, level),
        st.booleans(),
        literacy=st.none() | st.sampled_from(Literacy),
        admission=st.builds(Admission, st.none() | st.frozensets(st.sampled_from([ADMITTED, OBLIGED])), st.booleans()),
        access_needs=st.frozensets(st.sampled_from(Accessibility), max_size=2),
    )


def test_whoever_was_not_asked_for_their_times_yet_has_said_nothing_against_any():
    assert shut_out({"available": frozenset[str]()}, terms()) == []


def test_who_looks_after_children_takes_courses_with_child_care_only():
    parent = {"child_care_ages": (2,)}
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
    numbers = {"youngest": 16, "oldest": 26, "care_from": 3, "care_to": 5, "furthest": 50, "distance": 60}
    words = dict.fromkeys(("from", "to", "literacy", "scheme", "certificate", "authority", "places", "needs"), "…")
    for rule in RULES:
        for case in ("unknown", "none", "expired", "other") if rule.code == "certificate" else ("shut-out",):
            for language in LANGUAGES:
                assert sentences.text(language, f"rule.{rule.code}.{case}", {**numbers, **words}).endswith(".")


@pytest.mark.parametrize(
    "code", ["age", "child-age", "sex", "residence", "benefit", "level", "literacy", "residents", "language", "conduct"]
)
def test_of_what_may_be_unknown_the_sentence_says_to_ask(code: str):
    sentences, words = Catalogue(SERVICE.messages), {"youngest": 3, "oldest": 5, "from": "A1", "to": "B1"}
    for language in LANGUAGES:
        said = sentences.text(language, f"rule.{code}.unknown", {**words, "literacy": "…", "places": "…"})
        assert ("Please" if language == "en" else "Bitte") in said


# --- what a partner is shown before it accepts --------------------------------------------------------------------------


def test_a_partner_sees_the_attributes_on_which_its_offer_decides_and_no_other():
    youth = terms(ages=(16, 26), child_care=True, dayparts=[])
    assert set(disclosed(seeker(), youth, WHERE)) == {"age", "german", "distance", "languages"}
    assert disclosed(seeker(), youth, WHERE)["age"] == 34
    assert set(disclosed(seeker(), standing(), WHERE)) == {"distance", "languages"}


def test_a_partner_sees_what_a_federal_course_reckons_by_and_nothing_of_anybodys_health():
    federal = terms(admission={}, places=[MELLE], rhythm="alternating", skills=[{"skill": "speaking", "cefr_to": "b2"}])
    one = seeker(**admission(ADMITTED), access_needs=frozenset({Accessibility.STEP_FREE}))
    shown = disclosed(one, federal, WHERE)
    assert {"certificates", "self_payer", "lives_there", "rotating_shifts", "levels"} <= shown.keys()
    assert (shown["certificates"][0]["kind"], shown["certificates"][0]["fee_exempt"]) == ("admitted", False)
    assert "step-free" not in str(shown)


def test_nothing_that_says_where_somebody_lives_is_shown_before_acceptance():
    shown = disclosed(seeker(), terms(ages=(16, 26), sexes=["male"], residence_groups=["eu"]), WHERE)
    assert MELLE not in str(shown)
    assert "district" not in attributes_looked_at(terms())
