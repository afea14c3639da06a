"""Why a need has its place, or waits: what must hold for every explanation, and how the sentences read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codes
from schemas.codes import Cefr, Daypart, Purpose, ServiceKind, Sex, WaitReason
from services.referral.eligibility import RULES, Seeker
from services.referral.matching import match
from services.referral.model import Case, Need, NeedState, Person, Profile, Referral, ReferralState, Step
from services.referral.offers import Holder, Offer
from services.referral.points import REASONS
from services.referral.reasons import Compared, Obstacle, Reasons, reasons_for
from services.referral.service import SERVICE
from services.referral.views_reasons import ReasonsView, reasons_view
from services.referral.wording import Wording
from services.runtime.catalogue import LANGUAGES, RUNTIME_MESSAGES, Catalogue, Language
from tests.referral.network import BRAMSCHE, COURSE, MELLE, NOW, TODAY, WHERE, id_of, offer, seeker, terms
from tests.referral.test_matching import world

CATALOGUE = Catalogue(RUNTIME_MESSAGES, SERVICE.messages)
SEED = "seed"


def case_of(one: Seeker, holding: Offer | None = None, by: str = "", **other: Any) -> tuple[Case, Need]:
    """The case that matching sees so, with a need that waits, or holds a seat of this offer (chosen by somebody)."""
    live = None
    if holding is not None:
        step = Step(state=ReferralState.PROPOSED, at=NOW, by=by)
        common = {"id": referral_of(one), "offer": holding.id, "partner": "vhs", "attempt": 1}
        live = Referral(**common, state=ReferralState.PROPOSED, deadline=NOW, steps=(step,))
    need = Need(id=one.need, kind=one.kind, urgent=one.urgent, since=one.since, live=live)
    person = Person(
        district=one.district,
        birth_year=one.birth_year,
        sex=one.sex,
        residence_group=one.residence_group,
        languages=tuple(sorted(one.languages)),
    )
    profile = Profile(
        german=one.german,
        benefit_regime=one.benefit_regime,
        available=tuple(part for part in Daypart if part in one.available),
        child_care_ages=tuple(sorted(one.child_care_ages)),
    )
    told = {"id": one.case, "person": person, "profile": profile, "consents": tuple(Purpose), "needs": (need,), **other}
    return Case(**told), need


def referral_of(one: Seeker) -> str:
    return id_of(one.need, "referral")


def why(one: Seeker, others: Sequence[Seeker], offers: Sequence[Offer], *, exact: bool = False, **case: Any) -> Reasons:
    return reasons_for(*case_of(one, **case), offers, others, WHERE, SEED, exact=exact)


def said(told: Reasons, language: Language = "en") -> ReasonsView:
    return reasons_view(told, Wording(CATALOGUE, language))


def sentences(view: ReasonsView) -> list[str]:
    """Everything in an answer that is there to be read."""
    found: list[str] = []

    def look(part: Any) -> None:
        if isinstance(part, dict):
            for name, below in part.items():
                found.extend([below] if name == "sentence" and below else below if name == "sentences" else [])
                look(below)
        elif isinstance(part, list):
            for below in part:
                look(below)

    look(json.loads(view.model_dump_json()))
    return found


class Made:
    """A county as it happens to be, and one of its people, who may hold a seat."""

    def __init__(self, seed: int, people: int, places: int, *, holds: bool, by: str) -> None:
        seekers, offers = world(seed, people, places)
        self.one = replace(seekers[0], tried=frozenset())
        self.others = [other for other in seekers[1:] if other.kind is self.one.kind]
        # What nobody else is like, so that it would be found again.
        self.others = [replace(other, languages=other.languages | {"qqq"}) for other in self.others]
        self.offers = [one for one in offers if one.terms and one.terms.kind is self.one.kind and one.is_open(TODAY)]
        self.holding: Offer | None = None
        self.by = by
        if holds and self.offers and self.offers[0].free:
            holders = (*self.offers[0].holders, Holder(referral=referral_of(self.one), case=self.one.case))
            self.offers[0] = self.holding = self.offers[0].but(holders=holders)

    def told(self) -> Reasons:
        case = {"holding": self.holding, "by": self.by if self.holding else ""}
        return why(self.one, self.others, self.offers, exact=True, **case)


made = st.builds(
    Made,
    st.integers(0, 10**9),
    st.integers(1, 16),
    st.integers(0, 8),
    holds=st.booleans(),
    by=st.sampled_from(["", "counsellor-1"]),
)

NAMES_OF_CODES = re.compile(
    "|".join(
        rf"(?<![\w-]){re.escape(code)}(?![\w-])"
        for code in sorted(
            {
                str(code)
                for kind in (codes.Daypart, codes.ServiceKind, codes.WaitReason, codes.BenefitRegime)
                for code in kind
            }
            | {str(one) for one in (*Obstacle, *NeedState)}
        )
        if "-" in code
    )
)


# --- always -------------------------------------------------------------------------------------------------------------


@given(made)
def test_what_matching_would_propose_is_what_a_round_proposes(one: Made):
    freed = [place.but(holders=tuple(h for h in place.holders if h.case != one.one.case)) for place in one.offers]
    offers = freed if one.holding else one.offers
    pairs = {pair.need: pair.offer for pair in match([one.one, *one.others], offers, WHERE, SEED).pairs}
    today = one.told().today
    assert (today.offer.id if today else None) == pairs.get(one.one.need)


@given(made)
def test_no_id_and_no_attribute_of_anybody_else_is_in_an_answer(one: Made):
    for language in LANGUAGES:
        answer = said(one.told(), language).model_dump_json()
        assert "qqq" not in answer
        assert not any(other.case in answer or other.need in answer for other in one.others)
        holders = [holder for place in one.offers for holder in place.holders]
        assert not any(holder.referral in answer or holder.case in answer for holder in holders)
        assert one.one.case not in answer


@given(made)
def test_every_explanation_is_in_whole_sentences_in_both_languages(one: Made):
    told = one.told()
    in_english, in_german = (sentences(said(told, language)) for language in LANGUAGES[::-1])
    assert len(in_english) == len(in_german)
    for sentence in (*in_english, *in_german):
        assert re.fullmatch(r"[A-ZÄÖÜ].*\.", sentence), sentence
        assert not NAMES_OF_CODES.search(sentence), sentence
        assert "{" not in sentence


@given(made)
def test_what_is_really_missing_is_never_less_than_what_is_told(one: Made):
    told = one.told()
    for other in (*told.others, *told.paths):
        assert other.exact is None or other.exact >= other.missing
    for path in told.paths:
        assert path.next or path.conditions or path.missing >= 1


@given(made)
def test_the_closest_places_are_those_with_the_fewest_conditions(one: Made):
    told = one.told()
    if told.held is not None or not told.offers:
        return
    fewest = min(len(place.rules) + place.tried + (place.offer.free == 0) for place in told.offers)
    assert len(told.paths[0].conditions) == (0 if told.paths[0].next else fewest)
    counts = [len(path.conditions) for path in told.paths if not path.next]
    assert counts == sorted(counts)


@given(made)
def test_with_fewer_points_than_are_missing_even_then_the_need_is_not_served_there(one: Made):
    told = one.told()
    for path in told.paths:
        changed = _as_the_rule_asks(
            one.one, path.weighed.offer, [str(getattr(rule, "code", rule)) for rule in path.conditions]
        )
        if changed is not None and path.missing:
            pairs = match([changed, *one.others], one.offers, WHERE, SEED).pairs
            assert (changed.need, path.weighed.offer.id) not in {(pair.need, pair.offer) for pair in pairs}


def _as_the_rule_asks(one: Seeker, place: Offer, conditions: Sequence[str]) -> Seeker | None:
    """The person if what stands in the way were otherwise, where that is a matter of the person alone."""
    assert place.terms is not None
    changes: dict[str, Any] = {
        "level": {"german": place.terms.cefr_from or Cefr.A0},
        "time": {"available": one.available | frozenset(place.terms.dayparts)},
        "child-care": {"child_care_ages": frozenset()},
        "sex": {"sex": (*place.terms.sexes, Sex.FEMALE)[0]},
    }
    if not conditions or not changes.keys() >= set(conditions):
        return None
    return replace(one, **{name: value for code in conditions for name, value in changes[code].items()})


# --- every case has its sentence ----------------------------------------------------------------------------------------


def test_every_rule_and_obstacle_has_its_sentence_and_its_condition():
    unknown = {"age", "child-age", "sex", "residence", "benefit", "level", "language"}
    level = {"level-too-low", "level-too-high"}
    conditions = (
        {rule.code for rule in RULES} - {"level"} | level | {f"{code}-unknown" for code in unknown} | {*Obstacle}
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
        f"Worked out exactly, the gap is {contested.exact} points.",
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
    load = 0  # half of the seats and all of them are free alike, before anybody has one
    assert opening.adds == total - before - load
    assert opening.sentence == f"One more seat here would bring all who wait {opening.adds} points more together."


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
    held = holding(district=BRAMSCHE, kind=COURSE)
    contested, near = offer("contested", languages=("ara",)), seeker("near", urgent=True)
    view = said(why(replace(seeker(), district=MELLE), [near], [held, contested], holding=held, by="counsellor-1"))
    (other,) = view.others
    assert other.compared in ("others", "better")
    assert view.held is not None
    assert view.held.by_hand


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
