"""Why a need has its place, or waits: what must hold for every explanation, and how the sentences read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from schemas import codes
from schemas.codes import Cefr, Daypart, Purpose, Sex
from schemas.events import GermanLevels
from services.referral.matching import match
from services.referral.model import Case, Need, NeedState
from services.referral.offers import Holder, Offer
from services.referral.people import Certificate, Person, Profile
from services.referral.reasons import Obstacle, Reasons, reasons_for
from services.referral.referrals import Referral, ReferralState, Step
from services.referral.seekers import Hours, Levels, Seeker
from services.referral.service import SERVICE
from services.referral.views_reasons import ReasonsView, reasons_view
from services.referral.wording import Wording
from services.runtime.catalogue import LANGUAGES, RUNTIME_MESSAGES, Catalogue, Language
from tests.referral.network import NOW, TODAY, WHERE, id_of
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
        municipality=one.home.municipality,
        birth_year=one.birth_year,
        sex=one.sex,
        residence_group=one.residence_group,
        languages=tuple(sorted(one.languages)),
    )
    profile = Profile(
        levels=GermanLevels(**one.levels._asdict()),
        literacy=one.literacy,
        benefit_regime=one.benefit_regime,
        available=tuple(part for part in Daypart if part in one.hours.available),
        rotating_shifts=one.hours.rotating,
        child_care_ages=tuple(sorted(one.child_care_ages)),
        certificates=_certificates(one),
        self_payer=one.admission is not None and one.admission.self_payer,
        access_needs=tuple(one.access_needs),
    )
    told = {"id": one.case, "person": person, "profile": profile, "consents": tuple(Purpose), "needs": (need,), **other}
    return Case(**told), need


def _certificates(one: Seeker) -> tuple[Certificate, ...] | None:
    known = one.admission.certificates if one.admission is not None else None
    return None if known is None else tuple(known)


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
@example(Made(23721, 1, 4, holds=False, by=""))
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
        "level": {"german": (level := place.terms.cefr_from or Cefr.A0), "levels": Levels.alike(level)},
        "time": {"hours": Hours(one.hours.available | frozenset(place.terms.dayparts))},
        "child-care": {"child_care_ages": ()},
        "sex": {"sex": (*place.terms.sexes, Sex.FEMALE)[0]},
    }
    if not conditions or not changes.keys() >= set(conditions):
        return None
    return replace(one, **{name: value for code in conditions for name, value in changes[code].items()})
