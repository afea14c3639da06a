"""An offer that cannot be is refused where it is published: the field is named, and what to change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.codes import ServiceKind
from services.referral.contradictions import contradictions
from services.referral.offers import OfferTerms
from services.referral.service import SERVICE
from services.runtime.catalogue import LANGUAGES, Catalogue
from tests.referral.network import BRAMSCHE, COUNTY, MELLE, WHERE, standing, terms

CATALOGUE = Catalogue(SERVICE.messages)
LITERACY = ServiceKind.INTEGRATION_COURSE_LITERACY
PARENTS = ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE
NO_LEVEL = {"cefr_from": None, "cefr_to": None}


def found(offered: OfferTerms, seats: int = 5) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in contradictions(offered, seats, COUNTY, WHERE.settings)]


def test_what_an_offer_usually_says_is_no_contradiction():
    assert found(terms()) == []
    assert found(standing()) == []
    assert found(terms(kind=LITERACY, literacy=["not-literate"], cefr_from="a0", cefr_to="b1")) == []
    assert found(terms(admission={"kinds": ["obliged"], "issuers": ["jobcenter"], "self_payers": True})) == []
    assert found(terms(places=[MELLE, BRAMSCHE], sexes=["female"], ages=(16, 120))) == []
    assert found(terms(kind=PARENTS, child_care=True, child_care_ages=(0, 3), sexes=["female"])) == []
    assert found(terms(rhythm="alternating", dayparts=["weekday-morning", "weekday-evening"])) == []


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"district": "034000000"}, "district", "district-of-this-county"),
        ({"places": [MELLE, "031570006006"]}, "places.1", "place-of-this-county"),
        ({"kind": "child-care-place", **NO_LEVEL, "places": [BRAMSCHE]}, "places", "places-out-of-reach"),
        ({"starts_on": date(2201, 1, 1), "ends_on": None}, "starts_on", "date-too-late"),
        ({"ends_on": date(2016, 6, 1)}, "ends_on", "ends-before-start"),
        ({"enrol_until": date(2016, 12, 16)}, "enrol_until", "enrols-after-end"),
        ({"cefr_from": "b1", "cefr_to": "b1"}, "cefr_to", "level-not-above-start"),
        ({"skills": [{"skill": "writing", "cefr_from": "b2"}]}, "skills.0.cefr_to", "level-not-above-start"),
        ({"skills": [{"skill": "writing"}]}, "skills.0", "skill-without-level"),
        (
            {"skills": [{"skill": "writing", "cefr_from": "a1"}, {"skill": "writing", "cefr_from": "a2"}]},
            "skills.1.skill",
            "skill-twice",
        ),
        ({"kind": LITERACY, "cefr_from": "c1", "cefr_to": "c2"}, "cefr_from", "letters-at-this-level"),
        ({"kind": LITERACY, "literacy": ["literate"], **NO_LEVEL}, "literacy", "literacy-against-kind"),
        ({"literacy": ["not-literate"], "cefr_from": "a2"}, "literacy", "level-without-letters"),
        ({"ages": (27, 26)}, "ages", "ages-not-in-order"),
        ({"ages": (3, 6)}, "ages", "ages-outside-kind"),
        ({"kind": "integration-course-youth", "ages": (40, 60)}, "ages", "ages-outside-kind"),
        ({"kind": "integration-course-parents", "sexes": ["male"]}, "sexes", "mothers-course-for-men"),
        (
            {"residence_groups": ["eu"], "benefit_regimes": ["asylblg"]},
            "benefit_regimes",
            "benefit-against-residence",
        ),
        ({"kind": "german-course-other", "admission": {}}, "admission", "admission-of-no-federal-course"),
        (
            {"admission": {"kinds": ["admitted"], "issuers": ["jobcenter"]}},
            "admission.issuers",
            "issuer-of-no-such-certificate",
        ),
        ({"kind": PARENTS}, "child_care", "child-care-missing"),
        ({"child_care_ages": (0, 3)}, "child_care_ages", "care-ages-without-care"),
        ({"child_care": True, "child_care_ages": (4, 3)}, "child_care_ages", "ages-not-in-order"),
        ({"rhythm": "alternating"}, "rhythm", "nothing-to-alternate"),
    ],
)
def test_what_cannot_be_names_its_field_and_says_what_to_do(said: dict[str, Any], field: str, code: str):
    assert found(terms(**said)) == [(field, code)]
    (one,) = contradictions(terms(**said), 5, COUNTY, WHERE.settings)
    for language in LANGUAGES:
        assert CATALOGUE.text(language, f"field.{code}", one.params).endswith(".")


def test_everything_that_is_wrong_is_told_at_once():
    wrong = terms(ages=(30, 20), cefr_to="a0", child_care_ages=(0, 3))
    assert {field for field, _ in found(wrong)} == {"ages", "cefr_to", "child_care_ages"}


def test_what_is_stored_already_stays_readable():
    contradicting = terms(ages=(30, 20))
    assert OfferTerms.model_validate_json(contradicting.model_dump_json()) == contradicting
