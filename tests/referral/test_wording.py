"""How the reasons for a need read: every case has its sentence, and the sentences say what is so."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.codes import Cefr, Purpose, ServiceKind, WaitReason
from services.referral.eligibility import RULES
from services.referral.matching import match
from services.referral.model import NeedState
from services.referral.offers import Holder, Offer
from services.referral.people import Certificate
from services.referral.points import REASONS
from services.referral.reasons import Compared, Obstacle, reasons_for
from services.referral.seekers import Admission
from services.referral.wording import Wording
from tests.referral.network import BRAMSCHE, WHERE, id_of, offer, seeker, terms
from tests.referral.test_reasons import CATALOGUE, SEED, case_of, referral_of, said, why

# --- every case has its sentence ----------------------------------------------------------------------------------------


def test_every_rule_and_obstacle_has_its_sentence_and_its_condition():
    unknown = {
        *("age", "child-age", "sex", "residence", "benefit", "level"),
        *("literacy", "certificate", "residents", "language", "conduct"),
    }
    cases = {"level-too-low", "level-too-high", "certificate-none", "certificate-expired", "certificate-other"}
    conditions = (
        {rule.code for rule in RULES} - {"level", "certificate"}
        | cases
        | {f"{code}-unknown" for code in unknown}
        | {*Obstacle}
    )
    assert {rule.code for rule in RULES} >= unknown
    assert all(CATALOGUE.has(f"condition.{code}") for code in conditions)
    assert all(CATALOGUE.has(f"other.{code}") for code in Compared)
    assert all(CATALOGUE.has(f"reason.{code}") for code in (*(reason.code for reason in REASONS), "load"))
    assert all(CATALOGUE.has(f"waiting.{code}") for code in WaitReason)
    assert all(CATALOGUE.has(f"settled.{code}") for code in (NeedState.REFUSED, NeedState.WITHDRAWN, NeedState.CLOSED))


# --- a need that waits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "english", "german"),
    [
        (
            {"cefr_from": Cefr.A2},
            "This place would come into question if the person's German had reached level A2 already.",
            "Dieser Platz käme infrage, wenn das Deutsch der Person schon die Stufe A2 erreicht hätte.",
        ),
        (
            {"cefr_from": None, "cefr_to": Cefr.A1},
            "This place would come into question if the person's German were still below level A1.",
            "Dieser Platz käme infrage, wenn das Deutsch der Person noch unter der Stufe A1 läge.",
        ),
        (
            {"dayparts": ("weekday-evening",)},
            "This place would come into question if the person had time on weekday evenings.",
            "Dieser Platz käme infrage, wenn die Person werktags abends Zeit hätte.",
        ),
        (
            {"sexes": ("female",), "dayparts": ("weekday-evening", "weekend")},
            (
                "This place would come into question if the offer were open to people of this sex too and if the person had time on"
                " weekday evenings and weekends."
            ),
            (
                "Dieser Platz käme infrage, wenn das Angebot auch diesem Geschlecht offenstünde und wenn die Person werktags abends und"
                " am Wochenende Zeit hätte."
            ),
        ),
        (
            {"ages": (16, 26)},
            (
                "This place would come into question if the offer were open at this age too (it is for people from 16 to 26 years of"
                " age)."
            ),
            (
                "Dieser Platz käme infrage, wenn das Angebot auch in diesem Alter offenstünde (es ist für Menschen von 16 bis 26"
                " Jahren)."
            ),
        ),
    ],
)
def test_whoever_waits_reads_what_would_have_to_be_otherwise(wanted: dict[str, Any], english: str, german: str):
    told = why(seeker(), [], [offer("course", **wanted)])
    assert [said(told, language).closest[0].sentences for language in ("en", "de")] == [[english], [german]]


def test_several_conditions_are_listed_as_people_list_them():
    place = offer("course", seats=0, sexes=("female",), dayparts=("weekday-afternoon", "weekday-evening", "weekend"))
    english, german = (said(why(seeker(), [], [place]), language).closest[0].sentences[0] for language in ("en", "de"))
    assert english == (
        "This place would come into question if the offer were open to people of this sex too, if the person had time on"
        " weekday afternoons, weekday evenings and weekends and if a seat were free."
    )
    assert german == (
        "Dieser Platz käme infrage, wenn das Angebot auch diesem Geschlecht offenstünde, wenn die Person werktags"
        " nachmittags, werktags abends und am Wochenende Zeit hätte und wenn ein Platz frei wäre."
    )


def test_a_full_place_would_do_if_a_seat_were_free():
    (path,) = said(why(seeker(), [], [offer("course", seats=0)])).closest
    assert (path.conditions, path.missing) == (["seat"], 0)
    assert path.sentences == ["This place would come into question if a seat were free."]


def test_one_rule_away_is_closer_than_two_and_points_are_closer_than_any_rule():
    far = seeker("far", district=BRAMSCHE)
    offers = [
        offer("two", sexes=("female",), dayparts=("weekend",)),
        offer("one", sexes=("female",)),
        offer("contested"),
    ]
    told = why(far, [seeker("near")], offers, exact=True)
    assert [path.weighed.offer.id for path in told.paths] == [id_of(name) for name in ("contested", "one", "two")]
    contested = said(told).closest[0]
    assert contested.exact is not None
    assert contested.sentences == [
        f"This place fits, but it goes to people who gain more by it. The gap is at least {contested.missing} points.",
        f"To get a place here, the person would need exactly {contested.exact} points more.",
    ]


def test_without_the_consent_the_consent_is_what_is_missing():
    told = why(seeker(), [], [offer("course")], consents=(Purpose.TRANSFER,))
    assert [path.conditions for path in said(told).closest] == [["consent"]]


def test_what_no_round_has_looked_at_yet_is_expected_to_be_proposed_in_the_next():
    view = said(why(seeker(), [], [offer("course")]))
    assert view.sentence == "No round has looked for a place since the last change. The next one does so by itself."
    assert view.closest[0].next
    assert view.closest[0].sentences[0].endswith("The next round is expected to propose this place.")


def test_nothing_can_be_said_of_somebody_who_has_not_arrived():
    view = said(why(seeker(), [], [offer("course")], person=None))
    assert (view.closest, view.offers) == ([], [])
    assert view.sentence == "The person's arrival is not known here yet. As soon as it is, the search begins by itself."


def test_one_more_seat_is_told_with_what_it_brings_to_everybody():
    near, far = seeker("near"), seeker("far", district=BRAMSCHE)
    (opening,) = said(why(far, [near], [offer("course")])).openings
    total = sum(match([near, far], [offer("course", seats=2)], WHERE).pairs[at].gain for at in (0, 1))
    before = sum(pair.gain for pair in match([near, far], [offer("course")], WHERE).pairs)
    assert opening.adds == total - before
    assert opening.sentence == (
        "With one more seat here one more person would have a place."
        f" All who wait would gain {opening.adds} points together."
    )


def test_one_more_seat_that_only_lets_people_move_nearer_says_so():
    near, other = offer("near"), offer("far", district=BRAMSCHE, seats=2)
    view = said(why(seeker("amal"), [seeker("badr")], [near, other]))
    assert [(one.offer, one.serves) for one in view.openings] == [(near.id, False)]
    assert view.openings[0].sentence.startswith("With one more seat here nobody more would have a place")


# --- a need that holds a seat -------------------------------------------------------------------------------------------


def holding(name: str = "course", **other: Any) -> Offer:
    """A course whose one seat the seeker holds."""
    return offer(name, **other).but(holders=(Holder(referral=referral_of(seeker()), case=seeker().case),))


def test_the_place_that_is_held_is_told_with_its_points_and_the_next_ones_with_their_distance():
    held, further = holding(), offer("further", district=BRAMSCHE)
    view = said(why(seeker(), [], [held, further], holding=held))
    assert view.held is not None
    assert view.held.today == held.id
    assert view.held.points is not None
    assert sum(line.points for line in view.held.points) == view.held.total
    assert view.held.sentences[0] == "This place was proposed because all who wait gain most together in this way."
    (other,) = view.others
    assert (other.compared, other.total + other.fewer) == ("less", view.held.total)
    assert other.sentences == [f"A seat is free here, but it fits less well. The difference is {other.fewer} points."]


def test_a_place_whose_seats_go_to_others_says_so_and_how_far_it_is():
    held, contested, urgent = holding(district=BRAMSCHE), offer("contested"), seeker("urgent", urgent=True)
    far = seeker(district=BRAMSCHE)
    (other,) = said(why(far, [urgent], [held, contested], holding=held, exact=True)).others
    assert other.compared == "others"
    assert other.exact is not None
    assert other.exact >= other.missing > 1
    assert other.sentences == [
        f"Seats are free here, but they go to people who gain more by them. The gap is at least {other.missing} points.",
        f"To get a place here, the person would need exactly {other.exact} points more.",
    ]


CERTIFICATE = Certificate.model_validate(
    {"scheme": "integration-course", "kind": "entitled", "issuer": "foreigners-authority", "valid_until": "2016-05-31"}
)


@pytest.mark.parametrize(
    ("certificates", "code", "english", "german"),
    [
        (
            frozenset[Certificate](),
            "certificate",
            "the person applied for admission to the integration course (Federal Office for Migration and Refugees)",
            "die Person die Zulassung zum Integrationskurs beantragte (Bundesamt für Migration und Flüchtlinge)",
        ),
        (
            frozenset([CERTIFICATE]),
            "certificate",
            "the person applied for a new certificate for the integration course",
            "die Person einen neuen Nachweis für den Integrationskurs beantragte",
        ),
        (
            None,
            "certificate",
            "it were known that the person has a certificate for the integration course",
            "bekannt wäre, dass die Person einen Nachweis für den Integrationskurs hat",
        ),
        (
            frozenset([CERTIFICATE.model_copy(update={"valid_until": None})]),
            "certificate",
            "the person had another certificate for the integration course (obligation to take part)",
            "die Person einen anderen Nachweis für den Integrationskurs hätte (Verpflichtung zur Teilnahme)",
        ),
    ],
)
def test_whoever_lacks_a_certificate_is_told_the_step_that_leads_there(
    certificates: frozenset[Certificate] | None, code: str, english: str, german: str
):
    one = seeker(admission=Admission(certificates, self_payer=False))
    told = why(one, [], [offer(admission={"kinds": ["obliged"]})])
    (path,) = said(told).closest
    assert path.conditions == [code]
    assert english in path.sentences[0]
    assert german in said(told, "de").closest[0].sentences[0]
    (weighed,) = said(told).offers
    assert weighed.shut_out_by[0].sentence.endswith(".")


def test_a_full_place_beside_the_one_that_is_held_is_full():
    held = holding()
    (other,) = said(why(seeker(), [], [held, offer("full", seats=0)], holding=held)).others
    assert other.compared == "full"
    assert other.sentences[0].startswith("All seats here are held or taken.")


def test_what_a_counsellor_chose_says_so_and_what_matching_would_propose():
    held, near = holding(district=BRAMSCHE), offer("near")
    english = said(why(seeker(), [], [held, near], holding=held, by="counsellor-1"))
    german = said(why(seeker(), [], [held, near], holding=held, by="counsellor-1"), "de")
    assert english.held is not None
    assert german.held is not None
    assert english.held.by_hand
    assert english.held.today == near.id
    assert english.held.sentences[0] == "A counsellor chose this place by hand."
    assert english.held.sentences[2] == (
        "Matching would propose another place today, the offer in Melle that starts on 15 June 2016."
    )
    assert german.held.sentences[2] == (
        "Das Verfahren würde heute einen anderen Platz vorschlagen, nämlich das Angebot in Melle mit Beginn am 15. Juni 2016."
    )
    assert "counsellor-1" not in english.model_dump_json()


def test_what_would_not_be_proposed_any_more_stays_and_says_why():
    held = holding(sexes=("female",))
    view = said(why(seeker(), [], [held, offer("other")], holding=held))
    assert view.held is not None
    assert (view.held.points, view.held.total) == (None, None)
    assert view.held.sentences[1].startswith("As things stand today it would not be proposed any more")
    assert view.offers[-1].shut_out_by[0].sentence == "The offer is for people of another sex."


def test_a_closed_need_seeks_nothing():
    case, need = case_of(seeker())
    closed = need.but(settled="closed")
    told = reasons_for(case.but(needs=(closed,)), closed, [offer("course")], [], WHERE, SEED)
    view = said(told)
    assert (view.closest, view.others, view.held) == ([], [], None)
    assert view.sentence == "The referral for this need is closed. Another place takes a new need."


def test_a_day_reads_as_people_write_it():
    say = Wording(CATALOGUE, "de")
    assert say._place(terms(starts_on=date(2017, 3, 1), enrol_until=date(2017, 3, 1), ends_on=None)) == (
        "das Angebot in Melle mit Beginn am 1. März 2017"
    )
    assert say._place(terms(starts_on=None, ends_on=None, kind=ServiceKind.LOTSE)) == "das laufende Angebot in Melle"
