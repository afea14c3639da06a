"""Seats that are not one like another: a course with child care beside it and a minimum, and appointments. Whatever partners, counsellors,
the county, people and time do, in any order, nobody loses a seat that they need not lose, and none is given twice.

`test_machine` is about everybody's way through the steps; here it is offers that change while people hold them.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.codes import CancelReason, Purpose
from schemas.events import ConsentWithdrawn, NeedConfirmed, NeedWithdrawn, PersonErased, ReferralCancelled
from services.referral.commands import (
    CloseOffer,
    ConfirmSeats,
    DecideCourse,
    PassOver,
    Propose,
    ProposeByHand,
    PublishOffer,
    SetSeats,
)
from services.referral.offers import Offer, OfferTerms
from services.referral.particulars import minimum_of
from services.referral.publishing import tag_of
from services.referral.referrals import LIVE, TAKEN, Referral
from services.runtime.calendar import berlin_day
from services.runtime.errors import Refused
from tests.referral.network import ADVICE, COUNSELLOR, COURSE, TODAY, Network, id_of, need_of, terms
from tests.referral.test_care import CARE, places
from tests.referral.test_slots import ROW, slot

CHILDREN = {"two": (2, 4), "one": (3,), "none": (), "late": (5,)}
"""Of those who seek the course."""
ADVISED = ("amal", "badr", "cem")
COURSE_ID, OTHER, NINE, TEN = (id_of(name, "offer") for name in ("course", "other", "nine", "ten"))
SLOTS = (NINE, TEN)
OFFERS = (CARE, COURSE_ID, OTHER, *SLOTS)
APPOINTMENT = TODAY + timedelta(days=6)

offers = st.sampled_from(OFFERS)
few = st.integers(0, 3)


def course(minimum: int) -> OfferTerms:
    said = {"sort": "course", "care": CARE, "minimum": minimum}
    return terms(child_care=True, particulars=said)


PUBLISHED = {
    CARE: places(),
    COURSE_ID: course(2),
    OTHER: terms(starts_on=TODAY + timedelta(days=4), particulars={"sort": "course", "minimum": 1}),
    NINE: slot("09:00", APPOINTMENT, ROW),
    TEN: slot("10:00", APPOINTMENT, ROW),
}


class Seats(RuleBasedStateMachine):
    """Four who seek a course, three of them with children, and three who seek advice, as one of the four does too."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Network()
        self.slow_matcher: list[Propose | PassOver] = []
        self.children: dict[str, int] = {}
        self.since = {}
        self.changes = Counter[str]()
        self.seen: dict[str, tuple[Offer, frozenset[str]]] = {}

    @initialize()
    def begin(self) -> None:
        for offer, seats in ((CARE, 4), (COURSE_ID, 3), (OTHER, 1), (NINE, 1), (TEN, 1)):
            self.network.asks(PublishOffer(offer=offer, terms=PUBLISHED[offer], seats=seats))
        for name, ages in CHILDREN.items():
            self.network.person(name)
            self.network.is_profiled(id_of(name, "case"), version=2, child_care_ages=ages)
        for name in ADVISED:
            self.network.person(name, needs=ADVICE)
        self.network.hears(NeedConfirmed(need=need_of("none", ADVICE), kind=ADVICE, urgent=True), id_of("none", "case"))
        self.since = {need.id: need.since for case in self.network.cases() for need in case.needs}
        self.network.round()

    # --- offers change while people hold them -----------------------------------------------------------------------

    @rule(
        offer=offers,
        seats=few,
        confirmed=st.booleans(),
        off=st.sampled_from([None, 0, 1]),
        tag=st.sampled_from(["none", "now", "old"]),
    )
    def a_partner_sets_seats(self, offer: str, seats: int, confirmed: bool, off: int | None, tag: str) -> None:
        """Nobody loses a seat unless the partner knows how many do, and knows the offer as it is; and nobody who need not."""
        before = self.network.get(Offer, offer)
        referrals = self.referrals_on(before)
        most = 1 if offer in SLOTS else 3
        affected = None if off is None else self.must_go(before, seats) + off
        if_match = {"none": (), "now": (tag_of(before),), "old": ("old",)}[tag]
        command = SetSeats(
            offer=offer, seats=seats, partner=None, confirm_affected=confirmed, affected=affected, if_match=if_match
        )
        loses = before.taken > seats
        allowed = not before.closed and seats <= most and tag != "old" and (not loses or (confirmed and off != 1))
        if self.is_carried_out(command, allowed=allowed):
            after = self.network.get(Offer, offer)
            assert (after.seats, after.confirmed_on) == (seats, berlin_day(self.network.now))
            self.only_who_had_to_go_went(before, after, referrals)

    def must_go(self, offer: Offer, seats: int) -> int:
        """How many lose their seat: as many as are promised least, until the others find room."""
        held = {holder.referral: holder.places for holder in offer.holders}
        gone = 0
        for one in sorted(self.referrals_on(offer).values(), key=self.promised):
            if sum(held.values()) <= seats:
                break
            del held[one.id]
            gone += 1
        return gone

    def promised(self, one: Referral) -> tuple[int, float, float, str]:
        """As the rule in docs/architecture/referral.md has it."""
        since = self.network.need_of(one.id).since
        return LIVE.index(one.state), -one.steps[0].at.timestamp(), -since.timestamp(), one.id

    def only_who_had_to_go_went(self, before: Offer, after: Offer, referrals: dict[str, Referral]) -> None:
        lost = [one for one in before.holders if one.referral not in {holder.referral for holder in after.holders}]
        by_promise = sorted(referrals.values(), key=self.promised)
        assert {one.referral for one in lost} == {one.id for one in by_promise[: len(lost)]}
        last = {one.referral: one.places for one in lost}.get(by_promise[len(lost) - 1].id if lost else "", 0)
        assert not lost or after.taken + last > after.seats, "one too many lost a seat"
        told = [one for one in self.network.told_of(ReferralCancelled) if one.reason is CancelReason.SEAT_LOST]
        assert {one.referral for one in lost} <= {one.referral for one in told}

    @rule(offer=offers)
    def a_partner_confirms_seats(self, offer: str) -> None:
        before = self.network.get(Offer, offer)
        if self.is_carried_out(ConfirmSeats(offer=offer, partner=None), allowed=not before.closed):
            assert self.network.get(Offer, offer) == before.but(confirmed_on=berlin_day(self.network.now))

    @rule(offer=offers, again=st.booleans())
    def a_partner_closes(self, offer: str, again: bool) -> None:
        """Once or twice: it is the same."""
        for _ in range(1 + again):
            self.network.asks(CloseOffer(offer=offer, partner=None))

    @rule(offer=st.sampled_from([COURSE_ID, OTHER]), minimum=st.integers(1, 3))
    def a_partner_sends_other_terms(self, offer: str, minimum: int) -> None:
        """People agreed to those that were: only where nobody holds a seat. And with child care that is offered."""
        before = self.network.get(Offer, offer)
        made = course(minimum)
        same = before.terms == made
        free = not before.holders and not self.network.get(Offer, CARE).closed
        allowed = not before.closed and not self.network.get(Offer, CARE).closed and (same or free)
        if self.is_carried_out(PublishOffer(offer=offer, terms=made, seats=before.seats), allowed=allowed) and not same:
            self.changes[offer] += 1

    @rule(number=st.integers(1, 3))
    def a_partner_offers_another_course(self, number: int) -> None:
        """So that there is something left when others were closed."""
        offer = id_of("another", number, "offer")
        if offer not in self.seen:
            made = terms(starts_on=berlin_day(self.network.now) + timedelta(days=20), ends_on=None)
            self.network.asks(PublishOffer(offer=offer, terms=made, seats=2))

    @rule(offer=st.sampled_from([COURSE_ID, OTHER]), runs=st.booleans())
    def the_county_decides_on_a_course(self, offer: str, runs: bool) -> None:
        """One that has its minimum is not called off; the day of a decision stays the first one's."""
        before = self.network.get(Offer, offer)
        assert before.terms is not None
        enough = before.taken >= (minimum_of(before.terms.particulars) or 0)
        allowed = not before.closed if runs else before.closed or not enough
        if self.is_carried_out(DecideCourse(offer=offer, takes_place=runs), allowed=allowed):
            after = self.network.get(Offer, offer)
            if runs:
                day = before.runs_anyway_since or berlin_day(self.network.now)
                assert after == before.but(runs_anyway_since=day)
            else:
                assert after.closed

    def is_carried_out(self, command: SetSeats | ConfirmSeats | PublishOffer | DecideCourse, *, allowed: bool) -> bool:
        if allowed:
            self.network.asks(command)
            return True
        before = dict(self.network.states)
        with pytest.raises(Refused):
            self.network.asks(command)
        assert self.network.states == before
        return False

    # --- people, counsellors and partners ---------------------------------------------------------------------------

    @rule(
        data=st.data(),
        step=st.sampled_from(
            [
                "releases",
                "agrees",
                "accepts",
                "opens",
                "rejects",
                "refuses",
                "declines",
                "cancels",
                "completes",
                "fails",
            ]
        ),
    )
    def somebody_takes_a_step(self, data: st.DataObject, step: str) -> None:
        alive = sorted(self.alive())
        if alive:
            self.takes(step, data.draw(st.sampled_from(alive)))

    @rule(data=st.data(), steps=st.integers(1, 5))
    def all_goes_well(self, data: st.DataObject, steps: int) -> None:
        alive = sorted(self.alive())
        if alive:
            referral = data.draw(st.sampled_from(alive))
            for step in ("releases", "agrees", "opens", "accepts", "completes")[:steps]:
                self.takes(step, referral)
                self.what_makes_an_offer_worth_another_try_is_counted()

    def takes(self, step: str, referral: str) -> None:
        """Whoever answers when the time is over is told so."""
        live = self.alive().get(referral)
        if live is None:
            return
        late = live.deadline is not None and live.deadline <= self.network.now
        partner = {"partner": live.partner} if step in ("opens", "accepts", "declines") else {}
        try:
            getattr(self.network, step)(referral, **partner)
        except Refused:
            return
        assert not late

    @rule(name=st.sampled_from(sorted(CHILDREN)), offer=st.sampled_from([COURSE_ID, OTHER]))
    def a_counsellor_chooses(self, name: str, offer: str) -> None:
        command = ProposeByHand(case=id_of(name, "case"), need=need_of(name, COURSE), offer=offer)
        try:
            self.network.asks(command, actor=COUNSELLOR)
        except Refused:
            return

    @rule(
        name=st.sampled_from([*CHILDREN, *ADVISED]),
        what=st.sampled_from(["needs it no more", "withdraws consent", "is forgotten"]),
    )
    def somebody_leaves(self, name: str, what: str) -> None:
        need = need_of(name, COURSE if name in CHILDREN else ADVICE)
        event = {
            "needs it no more": NeedWithdrawn(need=need),
            "withdraws consent": ConsentWithdrawn(purposes=(Purpose.TRANSFER,)),
            "is forgotten": PersonErased(),
        }[what]
        self.network.hears(event, id_of(name, "case"))

    # --- rounds and time --------------------------------------------------------------------------------------------

    @rule()
    def run_a_round(self) -> None:
        self.network.round()

    @rule()
    def begin_a_slow_round(self) -> None:
        self.slow_matcher = self.network.finds()

    @rule()
    def the_slow_round_goes_on(self) -> None:
        """What it found may not be there any more."""
        for data in self.slow_matcher:
            self.network.asks(data)
        self.slow_matcher, self.network.pool = [], None

    @rule(days=st.sampled_from([1, 3, 15]))
    def time_passes(self, days: int) -> None:
        """Whatever nobody answered in time has ended then."""
        self.network.later(days=days)
        assert all(one.deadline is None or one.deadline > self.network.now for one in self.alive().values())

    @rule(days=st.sampled_from([2, 16]))
    def time_passes_before_a_process_is_there_to_handle_deadlines(self, days: int) -> None:
        self.network.now += timedelta(days=days)

    # --- always -----------------------------------------------------------------------------------------------------

    def alive(self) -> dict[str, Referral]:
        needs = (need for case in self.network.cases() for need in case.needs)
        return {need.live.id: need.live for need in needs if need.live is not None}

    def referrals_on(self, offer: Offer) -> dict[str, Referral]:
        alive = self.alive()
        return {holder.referral: alive[holder.referral] for holder in offer.holders}

    @invariant()
    def no_offer_has_more_holders_than_seats_and_a_closed_one_has_none(self) -> None:
        for offer in self.network.offers():
            assert offer.taken <= offer.seats
            assert not offer.closed or (offer.holders, offer.seats) == ((), 0)
            was_closed = offer.id in self.seen and self.seen[offer.id][0].closed
            assert offer.closed or not was_closed

    @invariant()
    def each_live_referral_holds_its_seat_and_a_place_for_each_child_and_nobody_else_holds_any(self) -> None:
        held = [
            (holder.referral, offer.id, holder.places) for offer in self.network.offers() for holder in offer.holders
        ]
        alive = list[tuple[str, str, int]]()
        for case in self.network.cases():
            for live in (need.live for need in case.needs if need.live is not None):
                children, offer = len(case.profile.child_care_ages), self.network.get(Offer, live.offer)
                needs_care = offer.terms is not None and offer.terms.care is not None and children
                alive.append((live.id, live.offer, 1))
                alive += [(live.id, CARE, children)] if needs_care else []
        assert sorted(held) == sorted(alive)

    @invariant()
    def the_books_are_those_of_a_recount(self) -> None:
        self.network.has_books_in_order()

    @invariant()
    def nobody_is_proposed_after_enrolment_and_nobody_answers_after_the_appointment(self) -> None:
        for one in self.alive().values():
            offered = self.network.get(Offer, one.offer).terms
            assert offered is not None
            last: date | None = offered.last_day
            assert last is None or berlin_day(one.steps[0].at) <= last
            assert one.deadline is None or offered.slot_at is None or one.deadline <= offered.slot_at

    @invariant()
    def whoever_waits_again_has_waited_since_the_first_day(self) -> None:
        needs = (need for case in self.network.cases() for need in case.needs)
        assert all(need.since == self.since[need.id] for need in needs)

    @invariant()
    def what_makes_an_offer_worth_another_try_is_counted(self) -> None:
        """Published, seats added, somebody left who had been accepted; and nothing else."""
        alive = self.alive()
        for offer in self.network.offers():
            taken = frozenset(one.referral for one in offer.holders if alive[one.referral].state in TAKEN)
            if offer.id in self.seen:
                before, accepted = self.seen[offer.id]
                left = len(accepted - {one.referral for one in offer.holders})
                self.changes[offer.id] += int(offer.seats > before.seats) + left
            else:
                self.changes[offer.id] = 1
            assert offer.changes == self.changes[offer.id]
            self.seen[offer.id] = offer, taken


TestSeats = Seats.TestCase
TestSeats.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
