"""A county's network for the tests of referral: people with needs, partners with offers, rounds, and everybody's steps.

Decisions see only the states that `names` named, as in a running service.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.codes import (
    AgreementScope,
    CancelReason,
    Daypart,
    DeclineReason,
    FailReason,
    Outcome,
    Purpose,
    RejectReason,
    ServiceKind,
    Way,
)
from schemas.ends import OUTCOMES
from schemas.envelope import Subject
from schemas.events import (
    ArrivalRegistered,
    ConsentGiven,
    GermanLevels,
    NeedConfirmed,
    ProfileRecorded,
    ReferralProposed,
)
from services.referral.books import Tally, entries_of
from services.referral.commands import (
    Accept,
    Agree,
    AgreeScope,
    Attend,
    Cancel,
    Complete,
    Decline,
    Fail,
    Miss,
    PassOver,
    Pause,
    Propose,
    PublishOffer,
    Receive,
    Refuse,
    Reject,
    Release,
    Resume,
    Schedule,
    Start,
    Taken,
)
from services.referral.county import settings_of
from services.referral.directory.agreements import Agreements
from services.referral.directory.states import Partner
from services.referral.eligibility import Circumstances
from services.referral.model import ROUND, Case, Need, NeedState
from services.referral.offers import Offer, OfferTerms
from services.referral.pool import Pool
from services.referral.referrals import Referral, ReferralState
from services.referral.seekers import Admission, Home, Hours, Levels, Seeker
from services.referral.service import SERVICE
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Decision, Message, S
from tests.given import World

COUNTY = "03459"
MELLE = "034590024"
BRAMSCHE = "034590014"
GEORGSMARIENHUETTE = "034590019"
NOW = datetime(2016, 6, 1, 9, 30, tzinfo=UTC)
TODAY = date(2016, 6, 1)
COURSE = ServiceKind.INTEGRATION_COURSE_GENERAL
ADVICE = ServiceKind.MIGRATION_COUNSELLING
WHERE = Circumstances(settings_of(COUNTY, TODAY), TODAY)
COUNSELLOR = "counsellor-1"


def id_of(*names: object) -> str:
    """The same id for the same names."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, names))))


def terms(**other: Any) -> OfferTerms:
    """A general integration course in Melle from A1 to B1 on weekday mornings, beginning in two weeks."""
    told: dict[str, Any] = {
        "partner": "vhs",
        "kind": COURSE,
        "district": MELLE,
        "dayparts": ["weekday-morning"],
        "cefr_from": "a1",
        "cefr_to": "b1",
        "starts_on": date(2016, 6, 15),
        "ends_on": date(2016, 12, 15),
    }
    return OfferTerms.model_validate({**told, **other})


def standing(**other: Any) -> OfferTerms:
    """A standing service: advice in Melle, without an end."""
    told: dict[str, Any] = {"partner": "advice-1", "kind": ADVICE, "district": MELLE}
    return OfferTerms.model_validate({**told, **other})


def offer(name: str = "offer", seats: int = 1, **other: Any) -> Offer:
    """An offer as it stands in the database, for the tests of matching."""
    return Offer(id=id_of(name), terms=terms(**other), seats=seats)


def seeker(name: str = "seeker", **other: Any) -> Seeker:
    """A man of 34 in Melle who speaks Arabic, reached A1, has his mornings free, and has waited since today."""
    told: dict[str, Any] = {
        "case": id_of(name, "case"),
        "need": id_of(name, "need"),
        "kind": COURSE,
        "urgent": False,
        "since": NOW,
        "tried": frozenset(),
        "birth_year": 1982,
        "sex": "male",
        "residence_group": "refugee",
        "benefit_regime": "sgb-ii",
        "german": "a1",
        "literacy": "literate",
        "admission": Admission(None, self_payer=False),
        "languages": frozenset({"ara"}),
        "child_care_ages": (),
        "access_needs": frozenset(),
    }
    told["home"] = Home(other.pop("district", MELLE), other.pop("municipality", None))
    told["hours"] = Hours(other.pop("available", frozenset({"weekday-morning"})), other.pop("rotating", False))
    told["levels"] = Levels.alike(other.get("german", "a1"))
    return Seeker(**{**told, **other})


class Network(World):
    """The county, and short words for what people do in it."""

    def __init__(self, now: datetime = NOW) -> None:
        super().__init__(SERVICE.logic, county=COUNTY, now=now)
        self.pool: Pool | None = None
        self._named: set[Subject] | None = None

    def has_books_in_order(self) -> None:
        """Those that are kept are those that a recount finds, and nothing in them is less than none."""
        kept, counted = Counter[str](), Counter[str]()
        for effect in self.effects:
            if isinstance(effect, Tally):
                kept.update(effect.changes)
        for state in self.states.values():
            counted.update(entries_of(state))
        assert +kept == +counted
        assert min(kept.values(), default=0) >= 0

    # --- only what was named ----------------------------------------------------------------------------------------

    def get(self, model: type[S], id: str) -> S:
        assert self._named is None or Subject(model.KIND, id) in self._named, (
            "decide() read a state that names() left out"
        )
        return super().get(model, id)

    def known(self, model: type[S], id: str) -> S | None:
        return super().known(model, id)

    def decides(self, message: Message) -> Decision:
        named: set[Subject] = set()
        while more := set(self.logic.names(message, self)) - named:
            named |= more
        self._named = named
        try:
            return super().decides(message)
        finally:
            self._named = None

    # --- people -----------------------------------------------------------------------------------------------------

    def person(self, name: str = "amal", *, needs: ServiceKind | None = COURSE, **other: Any) -> str:
        """Somebody like `seeker`, who consented to everything, with one confirmed need."""
        case = id_of(name, "case")
        self.arrives(case, **other)
        self.hears(ConsentGiven(purposes=tuple(Purpose)), case)
        self.is_profiled(case)
        if needs is not None:
            self.hears(NeedConfirmed(need=need_of(name, needs), kind=needs), case)
        return case

    def arrives(self, case: str, **other: Any) -> None:
        told: dict[str, Any] = {
            "district": MELLE,
            "arrived_on": date(2016, 3, 1),
            "birth_year": 1982,
            "sex": "male",
            "residence_group": "refugee",
            "languages": ("ara",),
            "way": Way.OFFICE_FILE,
            "consents": (Purpose.TRANSFER,),
        }
        self.hears(ArrivalRegistered(**{**told, **other}), case)

    def is_profiled(self, case: str, german: str | None = "a1", version: int = 1, **other: Any) -> None:
        told: dict[str, Any] = {
            "version": version,
            "complete": True,
            "german": GermanLevels.model_validate({"listening": german, "writing": german}),
            "benefit_regime": "sgb-ii",
            "available": ("weekday-morning",),
        }
        self.hears(ProfileRecorded(**{**told, **other}), case)

    # --- partners and rounds ----------------------------------------------------------------------------------------

    def publishes(self, name: str = "course", seats: int = 1, **other: Any) -> str:
        id = id_of(name, "offer")
        published = standing(**other) if other.get("kind", COURSE) is ADVICE else terms(**other)
        self.asks(PublishOffer(offer=id, terms=published, seats=seats), actor="partner")
        return id

    def round(self, meanwhile: Callable[[], None] = lambda: None) -> list[Propose | PassOver]:
        """A round as the service runs it, on what is stored now and what it remembers. Returns what it wanted decided. `meanwhile`
        happens after it looked and before anything is decided."""
        everybody, self.pool = self.pool is None, self.pool or Pool()
        for case in self.cases():
            if everybody or ROUND in case.agenda or case.id in self.pool.unsure:
                self.pool.learn(case)
        wanted = self.looks(self.pool)
        meanwhile()
        for data in wanted:
            self.pool.settled(data, taken=self.asks(data, actor="").answer == Taken(done=True))
        return wanted

    def finds(self) -> list[Propose | PassOver]:
        """What the round of a process that remembers nothing wants decided, before anything is."""
        pool = Pool()
        for case in self.cases():
            pool.learn(case)
        return self.looks(pool)

    def looks(self, pool: Pool) -> list[Propose | PassOver]:
        """What somebody with this memory wants decided."""
        today = berlin_day(self.now)
        agreements = Agreements.of(state for state in self.states.values() if isinstance(state, Partner))
        return pool.look(self.offers(), Circumstances(settings_of(COUNTY, today), today, agreements), COUNTY)

    def agrees_in_advance(
        self,
        name: str = "amal",
        kind: ServiceKind = COURSE,
        scope: AgreementScope = AgreementScope.SAME_KIND,
        **within: Any,
    ) -> Decision:
        """The person agrees to mornings in their own district, unless told otherwise."""
        told: dict[str, Any] = {"dayparts": ("weekday-morning",), "own_district": True, **within}
        need = need_of(name, kind)
        command = AgreeScope.model_validate({"case": id_of(name, "case"), "need": need, "scope": scope, **told})
        return self.asks(command, actor=COUNSELLOR)

    def later(self, **time: int) -> None:
        """Time passes, and what is due happens."""
        self.now += timedelta(**time)
        for case in self.overdue():
            self.is_due(case.subject)

    def overdue(self) -> list[Case]:
        """The cases for which something is due."""
        return [case for case in self.cases() if (due := case.due_at()) is not None and due <= self.now]

    # --- steps ------------------------------------------------------------------------------------------------------

    def releases(self, referral: str) -> Decision:
        return self.asks(Release(**self._of(referral)), actor=COUNSELLOR)

    def rejects(self, referral: str, reason: RejectReason = RejectReason.OFFER_UNSUITABLE) -> Decision:
        return self.asks(Reject(**self._of(referral), reason=reason), actor=COUNSELLOR)

    def agrees(self, referral: str) -> Decision:
        return self.asks(Agree(**self._of(referral)), actor=COUNSELLOR)

    def refuses(self, referral: str, *, another: bool = True) -> Decision:
        return self.asks(Refuse(**self._of(referral), another=another), actor=COUNSELLOR)

    def accepts(self, referral: str, partner: str = "vhs") -> Decision:
        return self.asks(Accept(**self._of(referral), partner=partner), actor="partner")

    def declines(
        self, referral: str, partner: str = "vhs", reason: DeclineReason = DeclineReason.PROVIDER_FULL
    ) -> Decision:
        return self.asks(Decline(**self._of(referral), partner=partner, reason=reason))

    def opens(self, referral: str, partner: str = "vhs") -> Decision:
        return self.asks(Receive(**self._of(referral), partner=partner), actor="partner")

    def schedules(self, referral: str, on: date = TODAY, daypart: Daypart = Daypart.WEEKDAY_MORNING) -> Decision:
        return self.asks(Schedule(**self._of(referral), on=on, daypart=daypart))

    def starts(self, referral: str) -> Decision:
        return self.asks(Start(**self._of(referral)))

    def misses(self, referral: str) -> Decision:
        return self.asks(Miss(**self._of(referral)))

    def attends(self, referral: str) -> Decision:
        return self.asks(Attend(**self._of(referral)))

    def pauses(self, referral: str) -> Decision:
        return self.asks(Pause(**self._of(referral)))

    def resumes(self, referral: str) -> Decision:
        return self.asks(Resume(**self._of(referral)))

    def completes(self, referral: str, outcome: Outcome | None = None) -> Decision:
        """With what is reached most easily, unless told otherwise."""
        kind = next(need.kind for case in self.cases() for need, _ in filter(None, [case.need_of(referral)]))
        return self.asks(Complete(**self._of(referral), outcome=outcome or OUTCOMES[kind][0]))

    def fails(self, referral: str, reason: FailReason = FailReason.PERSON_STOPPED) -> Decision:
        return self.asks(Fail(**self._of(referral), reason=reason))

    def cancels(
        self, referral: str, reason: CancelReason = CancelReason.PROVIDER_CANCELLED, *, another: bool = True
    ) -> Decision:
        return self.asks(Cancel(**self._of(referral), reason=reason, another=another))

    def accepted(self, name: str = "amal", kind: ServiceKind = COURSE) -> str:
        """From a proposal to the partner's acceptance."""
        referral = self.live(name, kind)
        self.releases(referral.id)
        self.agrees(referral.id)
        self.accepts(referral.id, referral.partner)
        return referral.id

    def _of(self, referral: str) -> dict[str, Any]:
        for case in self.cases():
            found = case.need_of(referral)
            if found is not None:
                return {"referral": referral, "case": case.id, "offer": found[1].offer}
        raise AssertionError("no such referral")

    # --- how things stand -------------------------------------------------------------------------------------------

    def cases(self) -> list[Case]:
        return [state for state in self.states.values() if isinstance(state, Case)]

    def offers(self) -> list[Offer]:
        return [state for state in self.states.values() if isinstance(state, Offer)]

    def case(self, name: str = "amal") -> Case:
        return self.get(Case, id_of(name, "case"))

    def need(self, name: str = "amal", kind: ServiceKind = COURSE) -> Need:
        found = self.case(name).need(need_of(name, kind))
        assert found is not None
        return found

    def state(self, name: str = "amal", kind: ServiceKind = COURSE) -> NeedState:
        return self.case(name).state_of(self.need(name, kind))

    def live(self, name: str = "amal", kind: ServiceKind = COURSE) -> Referral:
        live = self.need(name, kind).live
        assert live is not None, "nothing is proposed"
        return live

    def ends(self, name: str = "amal", kind: ServiceKind = COURSE) -> list[ReferralState]:
        return [referral.state for referral in self.need(name, kind).past]

    def offer(self, name: str = "course") -> Offer:
        return self.get(Offer, id_of(name, "offer"))

    def holders_of(self, offer: str) -> set[str]:
        """The referrals that hold a seat of it."""
        return {holder.referral for holder in self.get(Offer, offer).holders}

    def need_of(self, referral: str) -> Need:
        """The need for which it holds, or held, a seat."""
        found = next(filter(None, (case.need_of(referral) for case in self.cases())))
        return found[0]

    def proposals(self) -> list[ReferralProposed]:
        return [event for event in self.told if isinstance(event, ReferralProposed)]


def need_of(name: str, kind: ServiceKind = COURSE) -> str:
    """The id of somebody's need."""
    return id_of(name, kind)
