"""What a person agreed to in advance goes to the partner without another question, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import AgreementScope, CancelReason, Cefr, Daypart, Purpose
from schemas.events import (
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    GermanLevels,
    NeedConfirmed,
    PersonMoved,
    ProfileRecorded,
    ReferralAgreed,
    ReferralProposed,
)
from services.referral.commands import ProposeByHand
from services.referral.model import AGREED_IN_ADVANCE, NeedState, Scope
from services.referral.offers import Offer, OfferTerms
from services.referral.referrals import TAKEN, ReferralState
from services.referral.scope import covers
from services.runtime.calendar import berlin_instant
from services.runtime.errors import Refused
from tests.referral.network import (
    BRAMSCHE,
    COUNSELLOR,
    COURSE,
    GEORGSMARIENHUETTE,
    MELLE,
    NOW,
    TODAY,
    Network,
    id_of,
    need_of,
    terms,
)

LEVELS = GermanLevels(listening=Cefr.A1, reading=Cefr.A1, speaking=Cefr.A1, writing=Cefr.A1)
MORNINGS = (Daypart.WEEKDAY_MORNING,)


def scope(reach: AgreementScope = AgreementScope.SAME_KIND, **other: Any) -> Scope:
    told: dict[str, Any] = {"partner": "vhs", "dayparts": MORNINGS, "districts": (MELLE,), **other}
    return Scope(id="agreement", reach=reach, at=NOW, by="counsellor-1", **told)


@pytest.fixture
def network() -> Network:
    """A person for whom the course of the vhs was declined, and who waits."""
    world = Network()
    world.publishes("course", seats=1)
    world.person("amal")
    world.round()
    referral = world.live().id
    world.releases(referral)
    world.agrees(referral)
    return world


def declined(network: Network) -> Network:
    network.declines(network.live().id)
    return network


# --- what a scope covers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreed", "offered", "covered"),
    [
        (scope(), terms(), True),
        (scope(), terms(partner="another"), True),
        (scope(), terms(district=BRAMSCHE), False),
        (scope(districts=(MELLE, BRAMSCHE)), terms(district=BRAMSCHE), True),
        (scope(), terms(dayparts=["weekday-evening"]), False),
        (scope(), terms(dayparts=["weekday-morning", "weekday-evening"]), False),
        (scope(), terms(dayparts=[]), False),
        (scope(AgreementScope.SAME_PARTNER), terms(), True),
        (scope(AgreementScope.SAME_PARTNER), terms(partner="another"), False),
        (scope(AgreementScope.SAME_PARTNER), terms(district=BRAMSCHE), False),
        (scope(AgreementScope.SAME_PARTNER, dayparts=()), terms(dayparts=["weekend"]), True),
        (scope(AgreementScope.SAME_PARTNER, dayparts=()), terms(dayparts=[]), True),
    ],
)
def test_a_scope_covers_partner_district_and_time_as_they_were_named(agreed: Scope, offered: Any, covered: bool):
    assert covers(agreed, offered) is covered


# --- what follows from it -----------------------------------------------------------------------------------------------


def test_without_an_agreement_in_advance_the_person_is_asked_again(network: Network):
    declined(network)
    network.publishes("second course")
    network.round()
    assert network.live().state is ReferralState.PROPOSED


def test_within_what_was_agreed_the_partner_is_asked_at_once_and_the_step_names_the_agreement(network: Network):
    agreement = network.agrees_in_advance().answer
    declined(network)
    second = network.publishes("second course", partner="another")
    network.round()

    live = network.live()
    assert (live.offer, live.state, network.state()) == (second, ReferralState.AGREED, NeedState.AGREED)
    assert [(step.state, step.by, step.under) for step in live.steps] == [
        (ReferralState.PROPOSED, "", ""),
        (ReferralState.AGREED, "", getattr(agreement, "agreement", None)),
    ]
    assert [type(event) for event in network.told[-2:]] == [ReferralProposed, ReferralAgreed]
    assert network.told[-1] == ReferralAgreed(referral=live.id, need=need_of("amal"), kind=COURSE, in_advance=True)
    assert AGREED_IN_ADVANCE in network.case().agenda
    assert live.deadline == berlin_instant(date(2016, 6, 16)), "the time that partners have"


def test_outside_of_what_was_agreed_the_person_is_asked(network: Network):
    network.agrees_in_advance()
    declined(network)
    network.publishes("second course", district=GEORGSMARIENHUETTE)
    network.round()
    assert network.live().state is ReferralState.PROPOSED


def test_a_counsellors_own_choice_is_asked_about_even_within(network: Network):
    network.agrees_in_advance()
    declined(network)
    second = network.publishes("second course")
    command = ProposeByHand(case=id_of("amal", "case"), need=need_of("amal"), offer=second)
    network.asks(command, actor=COUNSELLOR)
    assert network.live().state is ReferralState.PROPOSED


def refuses(network: Network) -> None:
    network.refuses(network.live().id)


def wishes_it_called_off(network: Network) -> None:
    network.cancels(network.live().id, CancelReason.PERSON_WISH)


def withdraws_the_consent_and_gives_it_again(network: Network) -> None:
    network.hears(ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case"))
    network.hears(ConsentGiven(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case"))


def moves(network: Network) -> None:
    declined(network)
    network.hears(PersonMoved(moved_on=TODAY, district=BRAMSCHE), id_of("amal", "case"))
    network.hears(PersonMoved(moved_on=TODAY, district=MELLE), id_of("amal", "case"))


def has_the_need_confirmed_anew(network: Network) -> None:
    declined(network)
    network.hears(NeedConfirmed(need=need_of("amal"), kind=COURSE), id_of("amal", "case"))


def takes_it_back(network: Network) -> None:
    network.agrees_in_advance(scope=AgreementScope.ASK_AGAIN)
    declined(network)


@pytest.mark.parametrize(
    "event",
    [
        refuses,
        wishes_it_called_off,
        withdraws_the_consent_and_gives_it_again,
        moves,
        has_the_need_confirmed_anew,
        takes_it_back,
    ],
)
def test_it_ends_when_the_person_says_no_withdraws_or_moves_or_the_need_is_confirmed_anew(network: Network, event: Any):
    network.agrees_in_advance()
    event(network)
    network.publishes("second course")
    network.round()
    assert network.need().scope is None
    assert network.live().state is ReferralState.PROPOSED


def test_it_is_of_one_need_and_a_consent_for_others_leaves_it_as_it_is(network: Network):
    network.agrees_in_advance()
    network.hears(ConsentWithdrawn(purposes=(Purpose.VOLUNTEERS,)), id_of("amal", "case"))
    assert network.need().scope is not None


def test_the_persons_own_district_is_the_one_they_lived_in_when_they_agreed(network: Network):
    network.agrees_in_advance(districts=(BRAMSCHE, MELLE))
    agreed = network.need().scope
    assert agreed is not None
    assert agreed.districts == (MELLE, BRAMSCHE)


def test_nothing_is_agreed_in_advance_for_what_nobody_seeks(network: Network):
    with pytest.raises(Refused, match="need-not-found"):
        network.agrees_in_advance("nobody")
    referral = network.live().id
    network.accepts(referral)
    network.completes(referral)
    with pytest.raises(Refused, match="need-closed"):
        network.agrees_in_advance()


# --- always -------------------------------------------------------------------------------------------------------------

DAYPARTS = (
    (),
    (Daypart.WEEKDAY_MORNING,),
    (Daypart.WEEKDAY_EVENING,),
    (Daypart.WEEKDAY_MORNING, Daypart.WEEKDAY_EVENING),
)
PARTNERS = ("vhs", "another")
DISTRICTS = (MELLE, GEORGSMARIENHUETTE)

agreements = st.tuples(
    st.just("agrees"),
    st.sampled_from(AgreementScope),
    st.sampled_from(PARTNERS),
    st.sampled_from(DAYPARTS),
    st.sampled_from(DISTRICTS),
)
offers = st.tuples(st.just("offers"), st.sampled_from(PARTNERS), st.sampled_from(DAYPARTS), st.sampled_from(DISTRICTS))
others = st.sampled_from(["declines", "refuses", "lapses", "withdraws", "consents", "moves", "confirms", "accepts"])
happenings = st.lists(agreements | offers | offers | others.map(lambda what: (what,)), max_size=12)


class Person:
    """Somebody whose words are written down here once more, beside what the service makes of them."""

    def __init__(self) -> None:
        self.network = Network()
        self.network.person("amal")
        self.network.hears(
            ProfileRecorded(version=1, complete=True, german=LEVELS, available=tuple(Daypart)), id_of("amal", "case")
        )
        self.allows: Callable[[OfferTerms], bool] | None = None
        self.sent = 0

    def happens(self, what: tuple[Any, ...]) -> None:
        match what:
            case ("agrees", scope, partner, dayparts, district):
                self._agrees(scope, partner, dayparts, district)
            case ("offers", partner, dayparts, district):
                self.network.publishes(
                    f"offer {len(self.network.offers())}", partner=partner, dayparts=list(dayparts), district=district
                )
            case ("withdraws",):
                self._tells(ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)))
            case ("consents",):
                self.network.hears(ConsentGiven(purposes=(Purpose.LANGUAGE_COURSES,)), id_of("amal", "case"))
            case ("moves",):
                self._tells(PersonMoved(moved_on=TODAY, district=MELLE))
            case ("confirms",):
                self._tells(NeedConfirmed(need=need_of("amal"), kind=COURSE))
            case ("lapses",):
                self.network.later(days=16)
            case (step,):
                self._answers(step)
        self.network.round()

    def _tells(self, event: EventData) -> None:
        self.network.hears(event, id_of("amal", "case"))
        self.allows = None

    def _agrees(self, scope: AgreementScope, partner: str, dayparts: tuple[Daypart, ...], district: str) -> None:
        try:
            self.network.agrees_in_advance(
                scope=scope, partner=partner, dayparts=dayparts, districts=(district,), own_district=False
            )
        except Refused:
            return

        def at_these_times(offer: OfferTerms) -> bool:
            return not dayparts or (len(offer.dayparts) > 0 and all(part in dayparts for part in offer.dayparts))

        self.allows = {
            AgreementScope.ASK_AGAIN: None,
            AgreementScope.SAME_PARTNER: lambda offer: (
                offer.partner == partner and offer.district == district and at_these_times(offer)
            ),
            AgreementScope.SAME_KIND: lambda offer: offer.district == district and at_these_times(offer),
        }[scope]

    def _answers(self, step: str) -> None:
        live = self.network.need().live
        if live is None:
            return
        if live.state is ReferralState.PROPOSED:
            self.network.releases(live.id)
            if step != "refuses":
                self.network.agrees(live.id)
        try:
            match step:
                case "refuses":
                    self.network.refuses(live.id)
                    self.allows = None
                case "accepts":
                    self.network.accepts(live.id, live.partner)
                case _:
                    self.network.declines(live.id, live.partner)
        except Refused:
            return

    def check(self) -> None:
        """Whatever went to a partner since the last look: the person was asked about it, or it lies within their words of before."""
        referrals = [*self.network.need().past, *filter(None, [self.network.need().live])]
        for referral in referrals[self.sent :]:
            agreed = [step for step in referral.steps if step.state is ReferralState.AGREED]
            reached = {ReferralState.RECEIVED, ReferralState.DECLINED, *TAKEN} & {step.state for step in referral.steps}
            assert agreed or not reached
            if agreed and agreed[0].under:
                terms_of = self.network.get(Offer, referral.offer).terms
                assert terms_of is not None
                assert self.allows is not None
                assert self.allows(terms_of)
            elif agreed:
                assert agreed[0].by == COUNSELLOR
            elif self.allows is not None and referral.state is ReferralState.PROPOSED:
                terms_of = self.network.get(Offer, referral.offer).terms
                assert terms_of is not None
                assert not self.allows(terms_of), "they need not have been asked again"
        self.sent = len(referrals)


@settings(max_examples=120, deadline=None)
@given(happenings)
def test_nothing_reaches_a_partner_outside_of_what_the_person_agreed_to(whatever: list[tuple[Any, ...]]):
    person = Person()
    for what in whatever:
        person.happens(what)
        person.check()
