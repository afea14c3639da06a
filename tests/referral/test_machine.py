"""Whatever partners, counsellors, people, time, other services and two matchers at once do, in any order: the books balance."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.codes import (
    AgreementScope,
    CancelReason,
    Cefr,
    DeclineReason,
    FailReason,
    Purpose,
    RejectReason,
    ServiceKind,
    Sex,
)
from schemas.ends import CALLED_OFF
from schemas.events import (
    ConsentGiven,
    ConsentWithdrawn,
    EventData,
    GermanLevels,
    NeedConfirmed,
    NeedWithdrawn,
    PersonCorrected,
    PersonErased,
    PersonMoved,
    ProfileRecorded,
)
from services.referral.commands import CloseOffer, PassOver, Propose, ProposeByHand, PublishOffer, SetSeats
from services.referral.county import settings_of
from services.referral.effects import Unlocate
from services.referral.eligibility import Circumstances, shut_out_by
from services.referral.model import Case, Need, NeedState
from services.referral.offers import Offer
from services.referral.referrals import LIVE, ReferralState
from services.referral.seekers import Seeker, seeker_of
from services.referral.trying import is_barred
from services.runtime.calendar import berlin_day
from services.runtime.errors import Refused
from tests.referral.hearing import MARKED, follow
from tests.referral.network import (
    ADVICE,
    BRAMSCHE,
    COUNSELLOR,
    COUNTY,
    COURSE,
    MELLE,
    Network,
    id_of,
    need_of,
    standing,
    terms,
)

PEOPLE = ("amal", "badr", "cem", "dana")
PLACES = ("course one", "course two", "advice one", "advice two")
KINDS = (COURSE, ADVICE)

REASONS: dict[str, list[StrEnum]] = {
    "rejects": list(RejectReason),
    "declines": list(DeclineReason),
    "fails": list(FailReason),
    "cancels": sorted(CALLED_OFF),
}
MARKS = ["schedules", "starts", "misses", "attends", "pauses", "resumes"]

people = st.sampled_from(PEOPLE)
places = st.sampled_from(PLACES)
kinds = st.sampled_from(KINDS)


class Life(RuleBasedStateMachine):
    """A small county, in which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Network()
        self.slow_matcher: list[Propose | PassOver] = []
        self.versions = 1
        self.last_word: dict[str, NeedConfirmed | NeedWithdrawn] = {}

    @initialize()
    def begin(self) -> None:
        """Two of three people hold a seat; the fourth comes, if at all, piece by piece."""
        self.network.publishes("course one", seats=1)
        self.network.publishes("course two", seats=1)
        for name in PEOPLE[:3]:
            self.network.person(name)
        self.network.round()

    # --- partners and people ----------------------------------------------------------------------------------------

    @rule(
        place=places,
        what=st.sampled_from(["publish", "publish", "seats", "seats lost", "close"]),
        seats=st.integers(0, 3),
        data=st.data(),
    )
    def a_partner_acts(self, place: str, what: str, seats: int, data: st.DataObject) -> None:
        offer = id_of(place, "offer")
        sexes = data.draw(st.sampled_from([[], [], ["female"]]))
        made = terms(sexes=sexes) if place.startswith("course") else standing(sexes=sexes)
        command = {
            "publish": PublishOffer(offer=offer, terms=made, seats=seats),
            "seats": SetSeats(offer=offer, seats=seats, partner=None),
            "seats lost": SetSeats(offer=offer, seats=seats, partner=None, confirm_affected=True),
            "close": CloseOffer(offer=offer, partner=None),
        }[what]
        before = {id: self.network.need_of(id) for id in self.network.holders_of(offer)}
        try:
            self.network.asks(command)
        except Refused:
            return
        self.whoever_lost_a_seat_waits_on(offer, before)

    def whoever_lost_a_seat_waits_on(self, offer: str, before: dict[str, Need]) -> None:
        """As long as before, for the next round, or not at all because they had withdrawn; and nobody who was accepted lost theirs to
        somebody who was not."""
        kept = [before[id].live for id in self.network.holders_of(offer)]
        for id in before.keys() - self.network.holders_of(offer):
            need, was = self.network.need_of(id), before[id]
            assert (need.since, need.live) == (was.since, None)
            assert need.withdrawn or not need.passed_over
            assert was.live is not None
            assert all(LIVE.index(one.state) >= LIVE.index(was.live.state) for one in kept if one is not None)

    @rule(name=people, kind=kinds)
    def somebody_comes(self, name: str, kind: ServiceKind) -> None:
        if self.network.case(name).person is None:
            self.network.person(name, needs=kind)
            self.last_word.pop(need_of(name, kind), None)

    @rule(name=people, kind=kinds, data=st.data())
    def another_service_tells(self, name: str, kind: ServiceKind, data: st.DataObject) -> None:
        case, told = id_of(name, "case"), date(2016, 6, 1)
        need = data.draw(st.sampled_from([need_of(name, kind), id_of(name, kind, "another")]))
        self.versions += 1
        german = GermanLevels(writing=data.draw(st.sampled_from([Cefr.A1, Cefr.C1])))
        events: dict[str, EventData] = {
            "needs": NeedConfirmed(need=need, kind=kind),
            "needs no more": NeedWithdrawn(need=need),
            "consents": ConsentGiven(purposes=tuple(Purpose)),
            "withdraws all": ConsentWithdrawn(purposes=(Purpose.TRANSFER,)),
            "withdraws one": ConsentWithdrawn(purposes=(Purpose.LANGUAGE_COURSES,)),
            "moves": PersonMoved(moved_on=told, district=BRAMSCHE),
            "moves away": PersonMoved(moved_on=told, district=None),
            "corrects": PersonCorrected(district=MELLE, arrived_on=told, sex=data.draw(st.sampled_from(Sex))),
            "talks": ProfileRecorded(version=self.versions, complete=True, german=german),
            "is forgotten": PersonErased(),
        }
        event = events[data.draw(st.sampled_from(sorted(events)))]
        self.network.hears(event, case)
        if isinstance(event, NeedConfirmed | NeedWithdrawn):
            self.last_word[event.need] = event

    @rule(
        name=people,
        kind=kinds,
        scope=st.sampled_from(AgreementScope),
        partner=st.sampled_from(["vhs", "advice-1"]),
        dayparts=st.sampled_from([(), ("weekday-morning",), ("weekday-evening",)]),
        district=st.sampled_from([MELLE, BRAMSCHE]),
    )
    def the_person_agrees_in_advance(
        self,
        name: str,
        kind: ServiceKind,
        scope: AgreementScope,
        partner: str,
        dayparts: tuple[str, ...],
        district: str,
    ) -> None:
        """What may go on without the person is in `test_scope.py`; here it is one more thing that happens."""
        within: dict[str, object] = {"districts": (district,), "own_district": False, "dayparts": dayparts}
        try:
            self.network.agrees_in_advance(name, kind, scope, partner=partner, **within)
        except Refused:
            return

    # --- rounds, of two matchers at once ----------------------------------------------------------------------------

    @rule()
    def run_a_round(self) -> None:
        self.network.round()

    @rule()
    def run_rounds_until_nothing_is_left_to_do(self) -> None:
        """Whoever remembers from round to round overlooks nobody: a process that remembers nothing finds no more."""
        assert any(not self.network.round() for _ in range(10))
        assert self.network.finds() == []

    @rule()
    def two_rounds_leave_nobody_beside_a_place_that_fits(self) -> None:
        """The round after a need came, or after a place did, and the next where somebody else was faster."""
        self.network.round()
        self.network.round()
        where = Circumstances(settings_of(COUNTY, berlin_day(self.network.now)), berlin_day(self.network.now))
        for case in self.network.cases():
            for need in case.needs if case.stands else ():
                seeker = seeker_of(case, need)
                if seeker is not None and need.is_sought and case.consents_to(need) and not _has_another(case, need):
                    assert not [one.id for one in self.network.offers() if _could_have(seeker, need, one, where)]

    @rule(
        what=st.sampled_from(
            ["another matcher", "it and a no", "the counsellor", "a partner", "consents", "the person"]
        ),
        place=places,
        free=st.integers(1, 2),
        name=people,
        data=st.data(),
    )
    def something_happens_during_a_round(
        self, what: str, place: str, free: int, name: str, data: st.DataObject
    ) -> None:
        """The round has looked: somebody waits, and there are places. Before it decides, others act. Afterwards the rounds come to
        rest, and nobody was overlooked."""
        offer, kind = id_of(place, "offer"), COURSE if place.startswith("course") else ADVICE
        free = 2 if what == "the counsellor" else free
        seats = len(self.network.holders_of(offer)) + free
        soon = {"starts_on": berlin_day(self.network.now) + timedelta(days=20), "ends_on": None}
        made = terms(**soon) if kind is COURSE else standing()
        # Where somebody has a place, the terms stay as they are.
        if not self.asks_what_may_be_refused(PublishOffer(offer=offer, terms=made, seats=seats)):
            self.asks_what_may_be_refused(SetSeats(offer=offer, seats=seats, partner=None))
        self.somebody_needs(name, kind)
        if what == "consents":
            self.network.hears(ConsentWithdrawn(purposes=tuple(Purpose)[1:]), id_of(name, "case"))

        def meanwhile() -> None:
            match what:
                case "another matcher":
                    self.another_process_runs_a_round()
                case "it and a no":
                    self.another_process_runs_a_round()
                    self.everybody_says_no()
                case "the counsellor":
                    another = self.needs_another(name, kind)
                    self.asks_what_may_be_refused(
                        ProposeByHand(case=id_of(name, "case"), need=another, offer=offer, reason=None)
                    )
                case "a partner":
                    less = SetSeats(offer=offer, seats=seats - free, partner=None, confirm_affected=True)
                    self.asks_what_may_be_refused(less)
                case "consents":
                    self.network.hears(ConsentGiven(purposes=tuple(Purpose)), id_of(name, "case"))
                case _:
                    self.another_service_tells(name, kind, data)

        self.network.round(meanwhile)
        self.two_rounds_leave_nobody_beside_a_place_that_fits()
        self.run_rounds_until_nothing_is_left_to_do()

    def somebody_needs(self, name: str, kind: ServiceKind) -> None:
        """They come if they have not, and need it if they do not already."""
        self.somebody_comes(name, kind)
        if self.network.case(name).stands:
            self.confirms(name, need_of(name, kind), kind)

    def needs_another(self, name: str, kind: ServiceKind) -> str:
        another = id_of(name, kind, "another")
        self.confirms(name, another, kind)
        return another

    def confirms(self, name: str, need: str, kind: ServiceKind) -> None:
        event = NeedConfirmed(need=need, kind=kind)
        self.network.hears(event, id_of(name, "case"))
        self.last_word[need] = event

    def another_process_runs_a_round(self) -> None:
        """One that remembers nothing."""
        for data in self.network.finds():
            self.network.asks(data)

    def everybody_says_no(self) -> None:
        """Whoever was proposed for a place does not want it, and looks for another."""
        for need in [need for case in self.network.cases() for need in case.needs]:
            if need.live is not None and need.live.state is ReferralState.PROPOSED:
                try:
                    self.network.releases(need.live.id)
                    self.network.refuses(need.live.id)
                except Refused:
                    continue

    def asks_what_may_be_refused(self, command: PublishOffer | SetSeats | ProposeByHand) -> bool:
        """Whether it was carried out."""
        try:
            self.network.asks(command, actor=COUNSELLOR)
        except Refused:
            return False
        return True

    @rule()
    def begin_a_slow_round(self) -> None:
        self.slow_matcher = self.network.finds()

    @precondition(lambda self: self.slow_matcher)
    @rule(some=st.integers(1, 4))
    def the_slow_round_goes_on(self, some: int) -> None:
        """Some of what it found, then others act, then the rest; or never, if its process ends in between."""
        for data in self.slow_matcher[:some]:
            self.network.asks(data)
        del self.slow_matcher[:some]
        # Whom it passed over, the other one does not know of: it reads everybody when it takes over.
        self.network.pool = None

    @rule(after=st.integers(0, 4))
    def a_process_ends_in_the_middle_of_its_round(self, after: int) -> None:
        """What is written stays; what was found and what was remembered is gone."""
        for data in self.network.finds()[:after]:
            self.network.asks(data)
        self.slow_matcher, self.network.pool = [], None

    # --- the steps of referrals -------------------------------------------------------------------------------------

    @rule(
        data=st.data(),
        step=st.sampled_from(
            [
                "releases",
                "rejects",
                "agrees",
                "refuses",
                "opens",
                "declines",
                "accepts",
                *MARKS,
                "completes",
                "fails",
                "cancels",
            ]
        ),
    )
    def somebody_takes_a_step(self, data: st.DataObject, step: str) -> None:
        known = {event.referral: event.partner for event in self.network.proposals() if self.is_known(event.referral)}
        if known:
            referral = data.draw(st.sampled_from(sorted(known)))
            more: dict[str, object] = {"partner": known[referral]} if step in ("declines", "accepts", "opens") else {}
            if step in REASONS:
                more["reason"] = data.draw(st.sampled_from(REASONS[step]))
            if step in ("refuses", "cancels"):
                more["another"] = data.draw(st.booleans())
            try:
                getattr(self.network, step)(referral, **more)
            except Refused:
                return

    @rule(name=people, kind=kinds, place=places, reason=st.sampled_from([None, *RejectReason]))
    def a_counsellor_chooses(self, name: str, kind: ServiceKind, place: str, reason: RejectReason | None) -> None:
        need, offer = need_of(name, kind), id_of(place, "offer")
        try:
            self.network.asks(
                ProposeByHand(case=id_of(name, "case"), need=need, offer=offer, reason=reason), actor=COUNSELLOR
            )
        except Refused:
            return
        live = self.network.live(name, kind)
        assert (live.offer, live.chosen_by) == (offer, COUNSELLOR)

    @rule(names=st.sets(people, min_size=1), steps=st.integers(1, 5))
    def all_goes_well(self, names: set[str], steps: int) -> None:
        for live, _ in [(need.live, name) for name in sorted(names) for need in self.network.case(name).needs]:
            for step in ("releases", "agrees", "accepts", "starts", "completes")[:steps] if live else ():
                assert live is not None
                try:
                    getattr(self.network, step)(live.id, *((live.partner,) if step == "accepts" else ()))
                except Refused:
                    continue

    @rule(days=st.integers(1, 8))
    def time_passes(self, days: int) -> None:
        self.network.later(days=days)

    @rule(days=st.integers(1, 8), handled=st.integers(0, 3))
    def a_process_ends_while_deadlines_are_handled(self, days: int, handled: int) -> None:
        """Some of those that have come are handled, the others when a process is there again."""
        self.network.now += timedelta(days=days)
        for case in self.network.overdue()[:handled]:
            self.network.is_due(case.subject)

    def is_known(self, referral: str) -> bool:
        return any(case.need_of(referral) for case in self.network.cases())

    # --- always -----------------------------------------------------------------------------------------------------

    @invariant()
    def never_more_people_than_seats(self) -> None:
        assert all(offer.taken <= offer.seats and offer.free >= 0 for offer in self.network.offers())

    @invariant()
    def each_seat_is_held_by_one_live_referral_and_each_live_referral_holds_one_seat(self) -> None:
        held = [(holder.referral, holder.case, offer.id) for offer in self.network.offers() for holder in offer.holders]
        alive = [
            (need.live.id, case.id, need.live.offer)
            for case in self.network.cases()
            for need in case.needs
            if need.live is not None
        ]
        assert sorted(held) == sorted(alive)

    @invariant()
    def the_books_that_are_kept_are_those_that_a_recount_finds(self) -> None:
        self.network.has_books_in_order()

    @invariant()
    def nobody_vanishes(self) -> None:
        for case in self.network.cases():
            for need in case.needs:
                state = case.state_of(need)
                waits_in_a_round = "round" in case.agenda or f"waiting/{need.kind}" in case.agenda
                told_why = need.passed_over and not case.consents_to(need)
                if state is NeedState.WAITING and case.stands:
                    assert waits_in_a_round or told_why
                assert (need.live is not None) == (state in _HELD)

    @invariant()
    def nothing_is_proposed_without_consent(self) -> None:
        for case in self.network.cases():
            for need in case.needs:
                if need.live is not None:
                    assert case.stands
                    assert case.consents_to(need)

    @invariant()
    def what_others_heard_is_a_way_that_the_table_allows_and_leads_to_where_things_stand(self) -> None:
        heard: dict[str, ReferralState] = {}
        for event in self.network.told:
            follow(heard, event)
        stored = {
            referral.id: referral.state
            for case in self.network.cases()
            for need in case.needs
            for referral in (need.live, *need.past)
            if referral is not None
        }
        # Whoever was erased is forgotten by readers too, on the word of intake.
        forgotten = {id for effect in self.network.effects if isinstance(effect, Unlocate) for id in effect.ids}
        assert all(heard[id] in MARKED.get(state, {state}) for id, state in stored.items())
        assert heard.keys() <= stored.keys() | forgotten

    @invariant()
    def an_offer_to_which_somebody_said_no_is_not_proposed_to_them_again(self) -> None:
        for case in self.network.cases():
            for need in case.needs:
                refused: set[str] = set()
                for referral in (*need.past, *filter(None, [need.live])):
                    assert referral.offer not in refused or referral.by_hand
                    if referral.state is ReferralState.REFUSED or referral.reason in _NO:
                        refused.add(referral.offer)

    @invariant()
    def an_offer_that_came_to_nothing_is_proposed_once_more_and_only_after_it_changed(self) -> None:
        for case in self.network.cases():
            for need in case.needs:
                before: dict[str, list[int]] = {}
                for referral in (*need.past[need.afresh :], *filter(None, [need.live])):
                    changes = before.setdefault(referral.offer, [])
                    assert referral.by_hand or len(changes) < 2
                    assert referral.by_hand or not changes or referral.offer_changes > changes[-1]
                    if referral.state in _NOTHING:
                        changes.append(referral.offer_changes)

    @invariant()
    def nobody_holds_two_places_of_one_kind(self) -> None:
        for case in self.network.cases():
            kinds = [need.kind for need in case.needs if need.live is not None]
            assert len(set(kinds)) == len(kinds)

    @invariant()
    def what_was_withdrawn_is_neither_sought_nor_held_but_where_somebody_was_accepted_before(self) -> None:
        for case in self.network.cases():
            for need in case.needs:
                withdrawn = isinstance(self.last_word.get(need.id), NeedWithdrawn)
                assert need.withdrawn == withdrawn
                if withdrawn:
                    settled = {NeedState.WITHDRAWN, NeedState.CLOSED}
                    assert case.state_of(need) in settled | {NeedState.ACCEPTED}


_HELD = {NeedState.HELD, NeedState.RELEASED, NeedState.AGREED, NeedState.ACCEPTED}
_NOTHING = {ReferralState.REJECTED, ReferralState.DECLINED, ReferralState.LAPSED}
_NO = {*RejectReason, *DeclineReason, *CALLED_OFF} - {
    RejectReason.PERSON_NOT_READY,
    DeclineReason.PROVIDER_FULL,
    DeclineReason.PROVIDER_CANCELLED,
    CancelReason.PROVIDER_CANCELLED,
}


def _has_another(case: Case, need: Need) -> bool:
    """Whether this need waits for another one of the person and the kind, which has a place or is looked at first."""
    beside = (one for one in case.needs if one is not need and one.kind is need.kind)
    return case.has_place_beside(need) or any(one.is_sought for one in beside)


def _could_have(seeker: Seeker, need: Need, offer: Offer, where: Circumstances) -> bool:
    """Whether a place of this offer is free and fits. Asked rule by rule, not as rounds ask."""
    if offer.terms is None or offer.terms.kind is not need.kind or not offer.is_open(where.today) or offer.free == 0:
        return False
    return not is_barred(need, offer) and not shut_out_by(seeker, offer.terms, where)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
