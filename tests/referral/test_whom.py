"""For whom an offer is can be read in one sentence, in German and in English."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import ServiceKind
from services.referral.eligibility import RULES
from services.referral.offers import OfferTerms
from services.referral.service import SERVICE
from services.referral.whom import UNSAID, Whom
from services.runtime.catalogue import Catalogue
from tests.referral.network import BRAMSCHE, MELLE, standing, terms

CATALOGUE = Catalogue(SERVICE.messages)
GERMAN, ENGLISH = Whom(CATALOGUE, "de"), Whom(CATALOGUE, "en")
BARE = {"cefr_from": None, "cefr_to": None, "dayparts": []}

EVERYTHING = terms(
    ages=(16, 26),
    sexes=["female"],
    residence_groups=["eu", "refugee"],
    benefit_regimes=["sgb-ii"],
    cefr_from="a1",
    cefr_to="b1",
    skills=[{"skill": "speaking", "cefr_from": "a2"}],
    literacy=["literate"],
    admission={"kinds": ["obliged"], "issuers": ["jobcenter"], "self_payers": True},
    places=[MELLE, BRAMSCHE],
    dayparts=["weekday-morning", "weekday-evening"],
    rhythm="alternating",
    child_care=True,
    child_care_ages=(3, 5),
)


def test_an_offer_that_asks_for_nothing_is_open_to_everybody():
    assert ENGLISH.sentence(standing()) == "The offer is open to everybody."
    assert GERMAN.sentence(standing()) == "Das Angebot steht allen offen."


def test_all_that_an_offer_asks_for_is_one_sentence():
    english, german = ENGLISH.sentence(EVERYTHING), GERMAN.sentence(EVERYTHING)
    assert english == f"The offer is for people who {', '.join(CLAUSES[:-1])}, and {CLAUSES[-1]}."
    assert german.startswith("Das Angebot ist für Menschen, die 16 bis 26 Jahre alt sind, im Register so eingetragen")
    assert (
        " in Melle oder Bramsche wohnen, werktags vormittags und werktags abends Zeit haben oder in wechselnden"
        in german
    )
    assert german.endswith(" und keine kleinen Kinder zu betreuen haben oder nur solche von 3 bis 5 Jahren.")
    assert german.count(".") == english.count(".") == 1


CLAUSES = (
    "are 16 to 26 years old",
    "are entered in the register as female",
    "belong to one of these groups: EU citizens or Refugees",
    "receive these benefits: Basic income support for jobseekers (SGB II)",
    "have reached level A1 (speaking: A2) of German and not yet level B1 in all skills",
    "are literate in Latin script",
    (
        "have a valid certificate for the integration course (obligation to take part, from: Jobcenter (MaßArbeit))"
        " or pay for it themselves"
    ),
    "live in Melle or Bramsche",
    "have time on weekday mornings and weekday evenings or work rotating shifts",
    "have no small children to look after, or none but from 3 to 5 years of age",
)


@pytest.mark.parametrize(
    ("offered", "sentence"),
    [
        (terms(**BARE | {"cefr_from": "a2"}), "The offer is for people who have reached level A2 of German."),
        (
            terms(**BARE | {"cefr_to": "b1"}),
            "The offer is for people who have not yet reached level B1 of German in all skills.",
        ),
        (
            terms(**BARE, admission={}),
            (
                "The offer is for people who have a valid certificate for the integration course"
                " (entitlement to take part, obligation to take part or admission to take part)."
            ),
        ),
        (terms(**BARE | {"dayparts": ["weekend"], "rhythm": "flexible"}), "The offer is open to everybody."),
        (
            standing(kind=ServiceKind.CHILD_CARE_PLACE, ages=(3, 5)),
            "The offer is for people who need a place for a child of 3 to 5 years.",
        ),
    ],
)
def test_what_is_not_asked_for_is_not_said(offered: OfferTerms, sentence: str):
    assert ENGLISH.sentence(offered) == sentence


def test_every_rule_about_whom_a_partner_wants_has_its_clause():
    many: list[Any] = [EVERYTHING, standing(kind=ServiceKind.CHILD_CARE_PLACE, ages=(3, 5))]
    many.append(standing(kind=ServiceKind.INTERPRETER, languages=["ara"]))
    beside = {"sort": "child-care", "accompanies": True}
    many.append(standing(kind=ServiceKind.CHILD_CARE_PLACE, ages=(0, 5), particulars=beside))
    bound = {rule.code for rule in RULES for offered in many if rule.binds(offered)}
    assert bound | UNSAID == {rule.code for rule in RULES}
    for offered in many:
        clauses = sum(rule.binds(offered) for rule in RULES if rule.code not in UNSAID)
        assert clauses > 0
        assert "{" not in GERMAN.sentence(offered) + ENGLISH.sentence(offered)


def test_what_the_place_has_is_said_beside_it():
    accessible = terms(accessibility=["sign-language", "step-free"])
    assert ENGLISH.accessibility(accessible) == "There is at the place: step-free access and sign language."
    assert GERMAN.accessibility(terms()) is None
