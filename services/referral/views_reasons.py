"""What a counsellor reads of why a need has its place, or waits. It shows no other person's data: `reasons` knows none."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from schemas.codes import ServiceKind, WaitReason
from services.referral.model import NeedState
from services.referral.outlook import Outlook, Waiting
from services.referral.reasons import Obstacle, Other, Path, Reasons, Weighed
from services.referral.wording import Wording


class RuleView(BaseModel):
    """A hard rule that shuts somebody out, in a sentence."""

    rule: str
    sentence: str


class PointsLine(BaseModel):
    """What one reason adds to the fit of a place, and the most that it can add in this county."""

    reason: str
    name: str
    points: int
    most: int


class Weighing(BaseModel):
    """An open offer of the need's kind. `shut_out_by` is empty when it fits; `points` are by name, null where it does not fit."""

    offer: str
    partner: str
    district: str
    starts_on: date | None
    free: bool
    tried: bool
    shut_out_by: list[RuleView]
    points: dict[str, int] | None
    total: int | None


class HeldView(BaseModel):
    """The place that is held: its points by name (null when a rule shuts out by now), and `waiting`, what it counts that the wait ends.

    `by_hand`: a counsellor chose it. `today` is the offer that matching would propose if the need were sought again.
    """

    offer: str
    by_hand: bool
    points: list[PointsLine] | None
    total: int | None
    waiting: int
    today: str | None
    sentences: list[str]


class OtherView(BaseModel):
    """Another place that fits. `compared`: less, equal, free, better, others or full; `fewer` are the points by which it fits less.

    At least `missing` points more would be needed for a seat there; `exact` is how many really, if that was asked.
    """

    offer: str
    total: int
    compared: str
    fewer: int
    missing: int
    exact: int | None
    sentences: list[str]


class PathView(BaseModel):
    """A way to a place. `conditions` are codes of rules, or `consent`, `place-of-this-kind`, `tried`, `seat`; `next`: none is left.

    At least `missing` points more would be needed, also when the conditions hold; `exact` is how many really, if that was asked.
    """

    offer: str
    conditions: list[str]
    missing: int
    exact: int | None
    next: bool
    sentences: list[str]


class OpeningView(BaseModel):
    """What one more seat of an offer would add to what all who wait gain together, in points; `serves`: one more person has a place."""

    offer: str
    adds: int
    serves: bool
    sentence: str


class OutlookView(BaseModel):
    """What somebody who waits may expect: `ahead` others come first for the next seat at `offer`. The days are estimates; null where none
    can be given."""

    ahead: int
    offer: str
    expected_on: date | None
    earliest_on: date | None
    latest_on: date | None
    sentences: list[str]


class WaitingView(BaseModel):
    """A need on the waiting list of its kind. `next`: the offer that the next round is expected to propose; `outlook` for who waits in
    vain. With neither, nothing that is open fits, or another need of the same person comes first."""

    case: str
    need: str
    urgent: bool
    since: datetime
    next: str | None
    outlook: OutlookView | None


class ReasonsView(BaseModel):
    """Why a need has the place it has, or none: the wait in a sentence, and every open offer of its kind, what fits best first.

    With a place: `held`, and `others`, the next that fit. Without: `closest`, the places for which the least would have to be otherwise.
    `openings` are those of its places where one more seat would help most.
    """

    need: str
    kind: ServiceKind
    state: NeedState
    offer: str | None
    waits_because: WaitReason | None
    sentence: str | None
    held: HeldView | None
    others: list[OtherView]
    closest: list[PathView]
    outlook: OutlookView | None
    openings: list[OpeningView]
    offers: list[Weighing]


def reasons_view(told: Reasons, say: Wording) -> ReasonsView:
    """Why this place, or why none."""
    need = told.need
    return ReasonsView(
        need=need.id,
        kind=need.kind,
        state=told.state,
        offer=need.live.offer if need.live is not None else None,
        waits_because=need.told if told.state is NeedState.WAITING else None,
        sentence=say.need(told),
        held=_held(told, told.held, say) if told.held is not None else None,
        others=[_other(one, say) for one in told.others],
        closest=[_path(one, told, say) for one in told.paths],
        outlook=outlook_view(told.outlook, say) if told.outlook is not None else None,
        openings=[
            OpeningView(offer=one.weighed.offer.id, adds=one.adds, serves=one.serves, sentence=say.opening(one))
            for one in told.openings
        ],
        offers=[_weighing(one, told, say) for one in told.offers],
    )


def waiting_view(one: Waiting, say: Wording) -> WaitingView:
    """A line of a waiting list."""
    return WaitingView(
        case=one.seeker.case,
        need=one.seeker.need,
        urgent=one.seeker.urgent,
        since=one.seeker.since,
        next=one.next,
        outlook=outlook_view(one.outlook, say) if one.outlook is not None else None,
    )


def outlook_view(one: Outlook, say: Wording) -> OutlookView:
    """How many come first, and when a place can be expected."""
    days = one.expected
    return OutlookView(
        ahead=one.ahead,
        offer=one.offer,
        expected_on=days.day if days is not None else None,
        earliest_on=days.earliest if days is not None else None,
        latest_on=days.latest if days is not None else None,
        sentences=[*say.outlook(one)],
    )


def _held(told: Reasons, held: Weighed, say: Wording) -> HeldView:
    most = told.where.settings.points
    lines = None
    if held.points is not None:
        lines = [
            PointsLine(reason=code, name=say.reason(code), points=points, most=most.of(code))
            for code, points in held.points.items()
        ]
    return HeldView(
        offer=held.offer.id,
        by_hand=told.need.live is not None and told.need.live.by_hand,
        points=lines,
        total=held.total,
        waiting=told.waiting,
        today=told.today.offer.id if told.today is not None else None,
        sentences=[*say.held(told)],
    )


def _other(one: Other, say: Wording) -> OtherView:
    return OtherView(
        offer=one.weighed.offer.id,
        total=one.weighed.total or 0,
        compared=one.compared,
        fewer=one.fewer,
        missing=one.missing,
        exact=one.exact,
        sentences=[*say.other(one)],
    )


def _path(one: Path, told: Reasons, say: Wording) -> PathView:
    return PathView(
        offer=one.weighed.offer.id,
        conditions=[str(each) if isinstance(each, Obstacle) else each.code for each in one.conditions],
        missing=one.missing,
        exact=one.exact,
        next=one.next,
        sentences=[*say.path(one, told)],
    )


def _weighing(one: Weighed, told: Reasons, say: Wording) -> Weighing:
    seeker = told.seeker
    return Weighing(
        offer=one.offer.id,
        partner=one.terms.partner,
        district=one.terms.district,
        starts_on=one.terms.starts_on,
        free=one.offer.free > 0,
        tried=one.tried,
        shut_out_by=[
            RuleView(rule=rule.code, sentence=say.rule(rule, seeker, one.terms, told.where))
            for rule in one.rules
            if seeker is not None
        ],
        points=one.points,
        total=one.total,
    )
