"""What becomes of capacity in a made-up year: appointments in rows, seats taken back, courses decided, certificates in part."""

from __future__ import annotations

from collections import Counter

import pytest

from schemas.codes import Outcome, ServiceKind
from services.referral.contradictions import contradictions
from services.referral.county import settings_of
from services.referral.offers import OfferTerms
from services.referral.slots import SlotRow
from simulation import assumptions, conduct
from simulation.actors.partners import slot_row, terms
from simulation.county import County

ROW = "9a3f2d0e-6b0c-4e3a-8a55-0f6a2c1b7d11"


def test_what_is_given_by_appointment_comes_as_a_row_that_can_be_published_and_has_the_seats_that_were_planned(
    county: County,
) -> None:
    rows = [offer for offer in county.offers if offer.slots is not None]
    assert {offer.kind for offer in rows} == set(assumptions.SLOT_KINDS)
    for offer in rows:
        body = slot_row(offer)
        row = SlotRow.model_validate(body.pop("row"))
        found = [one for _, one in row.slots(ROW, OfferTerms.model_validate(body))]
        assert offer.seats <= len(found) <= 200, "as many as are planned, and no more than are taken at once"
        for one in found:
            settings = settings_of(county.key, offer.published_on)
            assert not [*contradictions(one, 1, county.key, settings)]


@pytest.mark.parametrize("at_seat", [True, False])
def test_every_other_offer_can_be_published_with_its_site_or_without(county: County, at_seat: bool) -> None:
    settings = settings_of(county.key, county.offers[0].published_on)
    sorts = Counter[str]()
    for offer in county.offers:
        if offer.slots is None:
            told = OfferTerms.model_validate({k: v for k, v in terms(offer, at_seat).items() if k != "seats"})
            assert not [*contradictions(told, offer.seats, county.key, settings)]
            sorts[told.particulars.sort if told.particulars is not None else "none"] += 1
    assert sorts["child-care"] > 0
    assert sorts["course"] > 0


def test_a_partner_never_takes_back_so_many_seats_that_its_course_falls_below_its_minimum(county: County) -> None:
    fewer = [(offer, found) for offer in county.offers if (found := conduct.fewer_seats(county.seed, offer))]
    assert fewer
    assert len(fewer) < len(county.offers) * 0.1
    for offer, found in fewer:
        assert (offer.minimum or 1) <= found.seats < offer.seats


def test_proposals_are_rejected_and_levels_certified_in_part_as_often_as_is_assumed() -> None:
    asked = [str(number) for number in range(4000)]
    rejected = sum(conduct.rejects(1, one) is not None for one in asked) / len(asked)
    in_part = sum(bool(conduct.certified_skills(1, one, Outcome.LEVEL_B1)) for one in asked) / len(asked)
    assert rejected == pytest.approx(assumptions.PROPOSAL_REJECTED, abs=0.015)
    assert in_part == pytest.approx(assumptions.CERTIFIED_IN_PART, abs=0.02)
    assert not conduct.certified_skills(1, "0", Outcome.ATTENDED)


def test_a_place_for_a_child_says_for_which_ages_and_for_how_long(county: County) -> None:
    care = next(offer for offer in county.offers if offer.kind is ServiceKind.CHILD_CARE_PLACE)
    told = terms(care)
    assert told["ages"] == [0, 10]
    assert told["particulars"]["hours_a_week"] == assumptions.CHILD_CARE_HOURS
