"""Profiling's and referral's rules against each other, without a broker: what one tells, the other hears some time later.

The events of each topic about the person arrive in their order; between the topics, and between what is heard and what people do, anything
may come first. Whenever everything has been heard, both services say the same about each need.
"""

from __future__ import annotations

from collections import deque
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.codes import DeclineReason, FailReason, Outcome, Purpose, RejectReason, ServiceKind, WaitReason
from schemas.ends import OUTCOMES
from schemas.events import ConsentGiven, ConsentWithdrawn, EventData, PersonErased, PersonMoved
from schemas.topics import subscriptions
from services.profiling.commands import Add, Confirm, ConfirmNeeds, WithdrawNeed
from services.profiling.model import Case as CaseOfProfiling
from services.profiling.needs import NeedState, Step, StepState
from services.referral.commands import (
    Accept,
    Agree,
    CloseOffer,
    Complete,
    Decline,
    Fail,
    PublishOffer,
    Refuse,
    Reject,
    Release,
    SetSeats,
    Start,
    TakeStep,
)
from services.referral.model import Case as CaseOfReferral
from services.referral.model import NeedState as SearchState
from services.referral.referrals import TAKEN, Referral
from services.runtime.errors import Refused
from tests.profiling.talks import BRAMSCHE, CASE, TALK_PURPOSES, arrival, profiling, record, whole_talk
from tests.referral.network import COURSE, Network, id_of, terms

HOUSING = ServiceKind.HOUSING
PLACES = ("course", "second course", "housing advice")
MOVED_ON = date(2016, 6, 1)

WISHES = {
    "both": whole_talk(goals=["find-a-home"]),
    "course": whole_talk(goals=[]),
    "none": whole_talk(goals=[], german=dict.fromkeys(("listening", "reading", "speaking", "writing"), "c1")),
}

SAYS = {
    StepState.OPEN: SearchState.WAITING,
    StepState.WAITING: SearchState.WAITING,
    StepState.SEEKING: SearchState.WAITING,
    StepState.CANCELLED: SearchState.WAITING,
    StepState.PROPOSED: SearchState.HELD,
    StepState.RELEASED: SearchState.RELEASED,
    StepState.AGREED: SearchState.AGREED,
    StepState.ACCEPTED: SearchState.ACCEPTED,
    StepState.REFUSED: SearchState.REFUSED,
    StepState.COMPLETED: SearchState.CLOSED,
    StepState.STARTED: SearchState.ACCEPTED,
    StepState.FAILED: SearchState.CLOSED,
}
"""What the plan says of a confirmed need, and where the search for it stands then."""


REASONS = {Reject: RejectReason, Decline: DeclineReason, Fail: FailReason}


class Wire:
    """What one service told and another has not heard yet."""

    def __init__(self, reader: str) -> None:
        self._subscribed = {event for events in subscriptions(reader).values() for event in events}
        self._waiting: deque[EventData] = deque()
        self._taken = 0

    def add(self, *events: EventData) -> None:
        self._waiting += [event for event in events if type(event) in self._subscribed and event.SUBJECT == "case"]

    def add_new(self, told: list[EventData]) -> None:
        self.add(*told[self._taken :])
        self._taken = len(told)

    def next(self) -> EventData | None:
        return self._waiting.popleft() if self._waiting else None


class TwoServices(RuleBasedStateMachine):
    """One person, whom the counsellor and everybody else leads through plan and referrals."""

    def __init__(self) -> None:
        super().__init__()
        self.profiling, self.referral = profiling(), Network()
        self.wires = {
            ("intake", "profiling"): Wire("profiling"),
            ("intake", "referral"): Wire("referral"),
            ("profiling", "referral"): Wire("referral"),
            ("referral", "profiling"): Wire("profiling"),
        }

    @initialize()
    def begin(self) -> None:
        self.referral.publishes("course", seats=2)
        self.referral.publishes(
            "housing advice", kind=HOUSING, starts_on=None, ends_on=None, cefr_from=None, cefr_to=None
        )
        self.intake_tells(arrival())
        self.intake_tells(ConsentGiven(purposes=TALK_PURPOSES))
        self.everything_is_heard()
        self.ask_profiling(record(answers=WISHES["both"], confirm_derived=True))
        self.everything_is_heard()

    # --- what people do ---------------------------------------------------------------------------------------------

    @rule(
        event=st.sampled_from(
            [
                ConsentWithdrawn(purposes=(Purpose.TRANSFER,)),
                ConsentGiven(purposes=(Purpose.TRANSFER,)),
                ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)),
                ConsentGiven(purposes=TALK_PURPOSES),
                PersonMoved(moved_on=MOVED_ON, district=BRAMSCHE),
                PersonMoved(moved_on=MOVED_ON, district=None),
            ]
        )
    )
    def something_happens_to_the_person(self, event: EventData) -> None:
        self.intake_tells(event)

    @rule(wish=st.sampled_from(sorted(WISHES)), confirm=st.booleans())
    def the_counsellor_talks_to_the_person(self, wish: str, confirm: bool) -> None:
        self.ask_profiling(record(answers=WISHES[wish], confirm_derived=confirm))

    @rule(kind=st.sampled_from([COURSE, HOUSING]))
    def the_counsellor_adds_a_need(self, kind: ServiceKind) -> None:
        self.ask_profiling(ConfirmNeeds(case=CASE, decisions=(Add(decision="add", kind=kind),)))

    @precondition(lambda self: self.plan.needs)
    @rule(data=st.data(), withdraw=st.booleans())
    def the_counsellor_decides_upon_a_need(self, data: st.DataObject, withdraw: bool) -> None:
        need = data.draw(st.sampled_from([need.id for need in self.plan.needs]))
        confirm = ConfirmNeeds(case=CASE, decisions=(Confirm(decision="confirm", need=need),))
        self.ask_profiling(WithdrawNeed(case=CASE, need=need) if withdraw else confirm)

    @rule(
        data=st.data(),
        step=st.sampled_from(
            [Release, Release, Agree, Agree, Reject, Refuse, Accept, Accept, Decline, Start, Complete, Fail]
        ),
    )
    def somebody_takes_a_step(self, data: st.DataObject, step: type[Any]) -> None:
        live = [need.live for need in self.search.needs if need.live is not None]
        if live:
            self.take(
                step,
                data.draw(st.sampled_from(live)),
                another=data.draw(st.booleans()),
                outcome=data.draw(st.sampled_from(OUTCOMES[COURSE])),
                reason=data.draw(st.sampled_from(REASONS.get(step, DeclineReason))),
            )

    @rule(
        steps=st.sampled_from(
            [(Release, Agree), (Release, Agree, Accept), (Release, Agree, Accept, Complete), (Release, Refuse)]
        )
    )
    def all_referrals_go_on(self, steps: tuple[type[Any], ...]) -> None:
        for referral in [need.live for need in self.search.needs if need.live is not None]:
            for step in steps:
                self.take(step, referral, another=False, outcome=self.reached(referral))

    @rule(place=st.sampled_from(PLACES), what=st.sampled_from(["publish", "close", "seats"]))
    def a_partner_changes_an_offer(self, place: str, what: str) -> None:
        offer = id_of(place, "offer")
        if what == "publish" and place == "second course":
            self.ask_referral(PublishOffer(offer=offer, terms=terms(), seats=2))
        elif what == "close":
            self.ask_referral(CloseOffer(offer=offer, partner=None))
        else:
            self.ask_referral(SetSeats(offer=offer, seats=3, partner=None))

    @rule()
    def a_round_is_held(self) -> None:
        self.referral.round()

    @rule(days=st.sampled_from([1, 8, 15]))
    def time_passes(self, days: int) -> None:
        self.profiling.now += timedelta(days=days)
        self.referral.later(days=days)

    # --- what is heard ----------------------------------------------------------------------------------------------

    @rule(wire=st.sampled_from(["intake profiling", "intake referral", "profiling referral", "referral profiling"]))
    def one_event_is_heard(self, wire: str) -> None:
        teller, reader = wire.split()
        self.hear(teller, reader)

    @rule()
    def everything_is_heard(self) -> None:
        """Until nobody has anything left to say; then both say the same."""
        while any(self.hear(teller, reader) for teller, reader in self.wires) or self.referral.round():
            pass
        self.agree()

    def teardown(self) -> None:
        """However it went, both agree in the end; and when the person is erased, nothing of it is left in either."""
        self.everything_is_heard()
        self.intake_tells(PersonErased())
        while any(self.hear(teller, reader) for teller, reader in self.wires):
            pass
        assert (self.plan.erased, self.plan.needs, self.search.erased, self.search.needs) == (True, (), True, ())
        assert not any(offer.holders for offer in self.referral.offers())

    def hear(self, teller: str, reader: str) -> bool:
        self.wires["profiling", "referral"].add_new(self.profiling.told)
        self.wires["referral", "profiling"].add_new(self.referral.told)
        event = self.wires[teller, reader].next()
        if event is not None:
            (self.profiling if reader == "profiling" else self.referral).hears(event, CASE)
        return event is not None

    # --- how both see it --------------------------------------------------------------------------------------------

    @property
    def plan(self) -> CaseOfProfiling:
        return self.profiling.get(CaseOfProfiling, CASE)

    @property
    def search(self) -> CaseOfReferral:
        return self.referral.get(CaseOfReferral, CASE)

    def agree(self) -> None:
        assert (self.plan.obstacle is None) == self.search.stands
        sought = {need.id: self.search.state_of(need) for need in self.search.needs}
        for need in self.plan.needs:
            if need.state is NeedState.CONFIRMED:
                assert sought[need.id] == SAYS[self.plan.steps.get(need.id, Step()).state]
            elif need.state is NeedState.WITHDRAWN and need.position is not None:
                # Whoever was accepted stays where they are, as long as they may be referred at all.
                assert sought[need.id] in {SearchState.WITHDRAWN, SearchState.CLOSED, SearchState.ACCEPTED}
                assert sought[need.id] is not SearchState.ACCEPTED or self.search.stands
            else:
                assert need.id not in sought
        assert sought.keys() <= {need.id for need in self.plan.needs}

    @invariant()
    def one_wish_never_holds_two_seats(self) -> None:
        held = [need.kind for need in self.search.needs if need.live is not None]
        assert len(set(held)) == len(held)

    @invariant()
    def what_referral_heard_to_be_withdrawn_is_held_only_where_somebody_was_accepted(self) -> None:
        for need in self.search.needs:
            if need.withdrawn and need.live is not None:
                assert need.live.state in TAKEN

    def reached(self, referral: Referral) -> Outcome:
        found = self.search.need_of(referral.id)
        assert found is not None
        return OUTCOMES[found[0].kind][0]

    # --- words ------------------------------------------------------------------------------------------------------

    def intake_tells(self, event: EventData) -> None:
        for reader in ("profiling", "referral"):
            self.wires["intake", reader].add(event)

    def ask_profiling(self, command: Any) -> None:
        try:
            self.profiling.asks(command)
        except Refused:
            return

    def take(self, step: type[TakeStep], referral: Referral, **said: object) -> None:
        """A step of a referral, with that part of what was said which belongs to it."""
        about = {
            "referral": referral.id,
            "case": CASE,
            "offer": referral.offer,
            "partner": referral.partner if step in (Accept, Decline) else None,
        }
        self.ask_referral(step.model_validate({**about, **said}))

    def ask_referral(self, command: Any) -> None:
        try:
            self.referral.asks(command)
        except Refused:
            return


def search_for(kind: ServiceKind, county: TwoServices) -> SearchState:
    """Where the search for the latest need of a kind stands."""
    return county.search.state_of([need for need in county.search.needs if need.kind is kind][-1])


@pytest.fixture
def county() -> TwoServices:
    """A person who needs a course and a home; for both a place is proposed, and everybody knows it."""
    made = TwoServices()
    made.begin()
    return made


def test_who_wanted_nothing_of_the_kind_is_sought_for_again_when_the_counsellor_confirms_the_need_again(
    county: TwoServices,
) -> None:
    county.all_referrals_go_on(steps=(Release, Refuse))
    county.everything_is_heard()
    assert search_for(COURSE, county) is SearchState.REFUSED
    assert county.referral.round() == []

    county.ask_referral(PublishOffer(offer=id_of("second course", "offer"), terms=terms(), seats=1))
    (need,) = (need.id for need in county.plan.plan if need.kind is COURSE)
    county.ask_profiling(ConfirmNeeds(case=CASE, decisions=(Confirm(decision="confirm", need=need),)))
    county.everything_is_heard()
    assert search_for(COURSE, county) is SearchState.HELD


def test_a_need_that_was_met_before_the_counsellor_had_it_sought_again_stays_met(county: TwoServices) -> None:
    for referral in [need.live for need in county.search.needs if need.live is not None]:
        county.take(Reject, referral, reason=RejectReason.PERSON_NOT_READY)
    county.everything_is_heard()
    (need,) = (need.id for need in county.plan.plan if need.kind is COURSE)
    assert county.plan.steps[need].reason == WaitReason.ALL_TRIED

    county.ask_referral(SetSeats(offer=id_of("course", "offer"), seats=5, partner=None))
    county.a_round_is_held()
    county.all_referrals_go_on(steps=(Release, Agree, Accept, Complete))
    county.the_counsellor_adds_a_need(COURSE)  # not knowing of it yet
    county.everything_is_heard()
    assert search_for(COURSE, county) is SearchState.CLOSED


def test_a_need_that_was_withdrawn_by_mistake_and_added_again_holds_no_second_seat(county: TwoServices) -> None:
    county.all_referrals_go_on(steps=(Release, Agree, Accept))
    county.everything_is_heard()
    (need,) = (need.id for need in county.plan.plan if need.kind is COURSE)
    county.ask_profiling(WithdrawNeed(case=CASE, need=need))
    county.the_counsellor_adds_a_need(COURSE)
    county.everything_is_heard()
    assert [held.id for held in county.search.needs if held.live is not None and held.kind is COURSE] == [need]
    assert search_for(COURSE, county) is SearchState.WAITING


@pytest.mark.parametrize("first", ["intake referral", "profiling referral"])
@pytest.mark.parametrize("steps", [(), (Release, Agree, Accept)])
def test_whichever_withdrawal_is_heard_first_the_person_has_one_place_when_the_consent_is_back(
    county: TwoServices, first: str, steps: tuple[type[TakeStep], ...]
) -> None:
    county.all_referrals_go_on(steps=steps)
    county.intake_tells(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)))
    county.one_event_is_heard("intake profiling")
    for _ in range(3):
        county.one_event_is_heard(first)
    county.everything_is_heard()
    assert search_for(COURSE, county) is SearchState.WITHDRAWN

    county.intake_tells(ConsentGiven(purposes=(Purpose.TRANSFER,)))
    county.everything_is_heard()
    county.the_counsellor_talks_to_the_person("both", confirm=True)
    county.everything_is_heard()
    held = [need.kind for need in county.search.needs if need.live is not None]
    assert sorted(held) == sorted([COURSE, HOUSING])


TestTwoServices = TwoServices.TestCase
TestTwoServices.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
