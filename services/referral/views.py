"""What people read of offers, cases and referrals over HTTP.

A partner sees of a person what the decision on its own offer needs, as coded attributes, and who it is only after accepting. Why a
need has its place, or waits, is in `views_reasons`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel

from schemas.codes import (
    Accessibility,
    BusinessStatus,
    Daypart,
    LapseStage,
    MeetingWay,
    Outcome,
    ReasonGroup,
    Rhythm,
    ServiceKind,
    TaskStatus,
    WaitReason,
)
from schemas.ends import OUTCOMES, group_of
from services.referral.books import CASES, HELD, OFFERS, SEATS, Books
from services.referral.distance import distance_km
from services.referral.eligibility import Circumstances, attributes_looked_at
from services.referral.model import Case, Need, NeedState, Scope
from services.referral.offers import Offer, OfferTerms
from services.referral.particulars import Course, Effort, WeeklyTime, site_of
from services.referral.referrals import TAKEN, FirstDay, Referral, ReferralState
from services.referral.seekers import Seeker, seeker_of
from services.referral.task_status import TOLD
from services.referral.whom import Whom


class OfferView(OfferTerms):
    """An offer with its seats. `held` counts those held or taken, `open_until` is the last day of proposals (null: none any more).
    `eligibility` says in a sentence for whom it is; to the minimum of a course `below_minimum` participants are missing."""

    offer: str
    eligibility: str
    seats: int
    held: int
    free: int
    below_minimum: int
    closed: bool
    open_until: str | None
    confirmed_on: date | None
    efforts: tuple[Effort, ...]
    runs_anyway_since: date | None


class Place(BaseModel):
    """What a person is asked about: partner, place and time. Also the site, the weekly times of a course, and of an appointment
    when it begins, how long it takes and whether it is by video, where the offer says so."""

    offer: str
    partner: str
    district: str | None
    site: str | None
    dayparts: tuple[Daypart, ...]
    times: tuple[WeeklyTime, ...]
    starts_on: date | None
    begins: str | None
    minutes: int | None
    way: MeetingWay | None


class ReferralLine(BaseModel):
    """A referral that waits for the counsellor or the person. `answer_by`: from this instant on it is too late; `by_hand`: a counsellor
    chose it."""

    referral: str
    case: str
    need: str
    kind: ServiceKind
    urgent: bool
    since: datetime
    state: ReferralState
    task_status: TaskStatus
    business_status: BusinessStatus
    attempt: int
    by_hand: bool
    answer_by: datetime | None
    place: Place


class InboxLine(BaseModel):
    """A referral for a partner. `person`: the coded attributes on which its offer decides. Who it is shows after accepting: `case`,
    and the address at the intake service under which the agreed fields are read; and `outcomes`, what can be reported as reached."""

    referral: str
    kind: ServiceKind
    offer: str
    state: ReferralState
    task_status: TaskStatus
    business_status: BusinessStatus
    answer_by: datetime | None
    first: FirstDay | None
    person: Mapping[str, Any]
    case: str | None = None
    contact: str | None = None
    outcomes: tuple[Outcome, ...] = ()


class StepView(BaseModel):
    """A step: where it led, when, and who took it (empty: time, or another service). `under`: the agreement given in advance."""

    state: ReferralState
    at: datetime
    by: str
    under: str


class ReferralView(BaseModel):
    """A referral with its steps. `chosen_by` is the counsellor who chose it by hand, empty when matching proposed it. How it ended is
    either its `outcome`, or the `reason` and in whom or what that lies."""

    referral: str
    offer: str
    partner: str
    attempt: int
    chosen_by: str
    state: ReferralState
    task_status: TaskStatus
    business_status: BusinessStatus
    answer_by: datetime | None
    first: FirstDay | None
    reason: str | None
    reason_group: ReasonGroup | None
    outcome: Outcome | None
    steps: list[StepView]


class NeedView(BaseModel):
    """A need and all its referrals, the latest last. `waits_because` is what others heard last, `scope` what was agreed in advance."""

    need: str
    kind: ServiceKind
    urgent: bool
    since: datetime
    state: NeedState
    waits_because: WaitReason | None
    scope: Scope | None
    referrals: list[ReferralView]


class CaseView(BaseModel):
    """A case: whether places may be sought, and the needs."""

    case: str
    stands: bool
    needs: list[NeedView]


class BooksView(BaseModel):
    """How much of what there is. `balanced`: as many seats are held as there are live referrals.

    After a recount `overbooked` names the offers with more holders than seats, `waiting_because` says why how many needs wait (`unknown`:
    no round has looked at them yet), and `balanced` also says that nothing is overbooked and that the books say what was counted. Without
    one the two are null.
    """

    cases: int
    needs: dict[str, int]
    referrals: dict[str, int]
    offers: int
    seats: int
    held: int
    accepted: int
    overbooked: list[str] | None = None
    waiting_because: dict[str, int] | None = None
    balanced: bool


def offer_view(offer: Offer, say: Whom) -> OfferView:
    """An offer that was published."""
    if offer.terms is None:
        raise ValueError("an offer that nobody has published is not shown")
    return OfferView(
        **offer.terms.model_dump(),
        offer=offer.id,
        eligibility=say.sentence(offer.terms),
        seats=offer.seats,
        held=offer.taken,
        free=offer.free,
        below_minimum=offer.missing,
        closed=offer.closed,
        open_until=offer.open_until,
        confirmed_on=offer.confirmed_on,
        efforts=offer.efforts,
        runs_anyway_since=offer.runs_anyway_since,
    )


def referral_line(case: Case, need: Need, referral: Referral, offer: Offer | None) -> ReferralLine:
    """A line of the counsellors' list."""
    terms = offer.terms if offer is not None else None
    return ReferralLine(
        referral=referral.id,
        case=case.id,
        need=need.id,
        kind=need.kind,
        urgent=need.urgent,
        since=need.since,
        state=referral.state,
        **_status(referral),
        attempt=referral.attempt,
        by_hand=referral.by_hand,
        answer_by=referral.deadline,
        place=_place(referral, terms),
    )


def _place(referral: Referral, terms: OfferTerms | None) -> Place:
    particulars, slot = (terms.particulars, terms.slot) if terms is not None else (None, None)
    return Place(
        offer=referral.offer,
        partner=referral.partner,
        district=terms.district if terms else None,
        site=site_of(particulars),
        dayparts=terms.dayparts if terms else (),
        times=particulars.times if isinstance(particulars, Course) else (),
        starts_on=terms.starts_on if terms else None,
        begins=slot.begins if slot else None,
        minutes=slot.minutes if slot else None,
        way=slot.way if slot else None,
    )


def inbox_line(case: Case, need: Need, referral: Referral, offer: Offer | None, where: Circumstances) -> InboxLine:
    """A line of a partner's inbox."""
    seeker = seeker_of(case, need)
    terms = offer.terms if offer is not None else None
    accepted = referral.state in TAKEN
    return InboxLine(
        referral=referral.id,
        kind=need.kind,
        offer=referral.offer,
        state=referral.state,
        **_status(referral),
        answer_by=referral.deadline,
        first=referral.first,
        person=_told(seeker, terms, where, accepted=accepted) if seeker is not None and terms is not None else {},
        case=case.id if accepted else None,
        contact=f"/v1/cases/{case.id}/contact" if accepted else None,
        outcomes=OUTCOMES[need.kind] if accepted else (),
    )


def _told(seeker: Seeker, terms: OfferTerms, where: Circumstances, *, accepted: bool) -> dict[str, Any]:
    """What the person needs to take part is for the partner that has accepted and prepares for it: it says something of their health."""
    needs = {"access_needs": [need for need in Accessibility if need in seeker.access_needs]} if accepted else {}
    return {**disclosed(seeker, terms, where), **needs}


def disclosed(seeker: Seeker, terms: OfferTerms, where: Circumstances) -> dict[str, Any]:
    """What of a person a partner sees before it accepts: the attributes on which this offer decides, and the languages."""
    day = terms.starts_on or where.today
    values: dict[str, Any] = {
        "age": day.year - seeker.birth_year if seeker.birth_year is not None else None,
        "sex": seeker.sex,
        "residence_group": seeker.residence_group,
        "benefit_regime": seeker.benefit_regime,
        "german": seeker.german,
        "levels": seeker.levels._asdict(),
        "literacy": seeker.literacy,
        "certificates": _certificates(seeker, where),
        "self_payer": seeker.admission is not None and seeker.admission.self_payer,
        "lives_there": seeker.home.district in terms.places or seeker.home.municipality in terms.places,
        "available": [part for part in Daypart if part in seeker.hours.available],
        "rotating_shifts": seeker.hours.rotating,
        "needs_child_care": seeker.needs_child_care,
        "child_care_ages": sorted(seeker.child_care_ages),
        "distance": distance_km(seeker.district, terms.district),
        "languages": sorted(seeker.languages),
    }
    looked_at = {*attributes_looked_at(terms), "languages"}
    looked_at |= {"levels"} if terms.skills else set()
    looked_at |= {"rotating_shifts"} if terms.rhythm is Rhythm.ALTERNATING and "available" in looked_at else set()
    looked_at |= {"self_payer"} if terms.admission is not None else set()
    return {name: value for name, value in values.items() if name in looked_at}


def _certificates(seeker: Seeker, where: Circumstances) -> list[dict[str, Any]]:
    """The valid ones for this kind of course; the fee exemption is what the provider reckons by."""
    valid = seeker.admission.valid(where.today) if seeker.admission is not None else ()
    return sorted((one.model_dump(mode="json") for one in valid), key=repr)


def case_view(case: Case) -> CaseView:
    """A case with all its needs."""
    return CaseView(case=case.id, stands=case.stands, needs=[_need_view(case, need) for need in case.needs])


def _need_view(case: Case, need: Need) -> NeedView:
    known = (*need.past, need.live) if need.live is not None else need.past
    return NeedView(
        need=need.id,
        kind=need.kind,
        urgent=need.urgent,
        since=need.since,
        state=case.state_of(need),
        waits_because=need.told,
        scope=need.scope,
        referrals=[_referral_view(referral) for referral in known],
    )


def _status(referral: Referral) -> dict[str, Any]:
    told = TOLD[referral.state]
    return {"task_status": told.task, "business_status": told.business}


def _referral_view(referral: Referral) -> ReferralView:
    reason = referral.reason
    outcome = reason if isinstance(reason, Outcome) else None
    return ReferralView(
        referral=referral.id,
        offer=referral.offer,
        partner=referral.partner,
        attempt=referral.attempt,
        chosen_by=referral.chosen_by,
        state=referral.state,
        **_status(referral),
        answer_by=referral.deadline,
        first=referral.first,
        reason=None if outcome is not None else reason,
        reason_group=group_of(reason) if reason is not None and not isinstance(reason, Outcome | LapseStage) else None,
        outcome=outcome,
        steps=[StepView(state=step.state, at=step.at, by=step.by, under=step.under) for step in referral.steps],
    )


def books_view(books: Books, *, balanced: bool) -> BooksView:
    """The books."""
    return BooksView(
        cases=books.entries.get(CASES, 0),
        needs={str(state): count for state, count in books.needs.items()},
        referrals={str(state): count for state, count in books.referrals.items()},
        offers=books.entries.get(OFFERS, 0),
        seats=books.entries.get(SEATS, 0),
        held=books.entries.get(HELD, 0),
        accepted=sum(books.referrals[state] for state in TAKEN),
        balanced=balanced,
    )


def recount_view(
    books: Books, *, balanced: bool, overbooked: list[str], waiting: Mapping[WaitReason | None, int]
) -> BooksView:
    """The books after a recount."""
    because = {reason: waiting.get(reason, 0) for reason in (*WaitReason, None)}
    more = {"overbooked": overbooked, "waiting_because": {str(reason or UNKNOWN): n for reason, n in because.items()}}
    return books_view(books, balanced=balanced).model_copy(update=more)


UNKNOWN: Final = "unknown"
"""Why a need waits that no round has looked at yet."""
