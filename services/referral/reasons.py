"""Why a need has the place it has, or waits: which rules shut out which offers, the points, and what would change it.

Pure. Of other people nothing comes in here but the numbers of a `Standing`, so nothing of them can come out. A need that holds a seat
is looked at as if it were sought again beside the free seats and its own. The sentences for all this are `wording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.referral.board import Board
from services.referral.care import beside, room
from services.referral.eligibility import Circumstances, Rule, shut_out_by
from services.referral.model import Case, Need, NeedState
from services.referral.offers import Offer, OfferTerms
from services.referral.outlook import Outlook
from services.referral.points import points_at_most, points_of
from services.referral.seekers import Seeker, seeker_of
from services.referral.standing import Sought, Standing

SHOWN: Final = 3
"""So many other places, ways to a place, and seats that would help are told."""


class Obstacle(StrEnum):
    """What beside a hard rule stands between a need and an offer."""

    CONSENT = "consent"
    PLACE_OF_THIS_KIND = "place-of-this-kind"
    TRIED = "tried"
    SEAT = "seat"
    CARE = "care"


Condition = Rule | Obstacle
"""Something that would have to be otherwise."""


class Compared(StrEnum):
    """How another place stands beside the one that is held."""

    LESS = "less"
    """A seat is left over, and it fits less."""
    EQUAL = "equal"
    """A seat is left over, and it fits as well."""
    FREE = "free"
    """A seat is left over; what is held is not compared, since it would not be proposed any more."""
    BETTER = "better"
    """What matching would propose today."""
    OTHERS = "others"
    """Its seats go to people who gain more."""
    FULL = "full"
    """All its seats are held or taken."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """An open offer of the need's kind. `points` are by name, None where a rule shuts out. `cramped`: no room in the child care beside
    it."""

    offer: Offer
    terms: OfferTerms
    rules: tuple[Rule, ...]
    tried: bool
    points: dict[str, int] | None
    cramped: bool = False

    @property
    def total(self) -> int | None:
        return sum(self.points.values()) if self.points is not None else None


@dataclass(frozen=True, slots=True)
class Other:
    """A place that fits, beside the one that is held.

    `fewer` are the points by which it fits less. `missing`: at least so many points are missing for a seat there; `exact` is how many
    really, where that was asked and points help.
    """

    weighed: Weighed
    compared: Compared
    fewer: int
    missing: int
    exact: int | None


@dataclass(frozen=True, slots=True)
class Path:
    """A way to a place: what would have to be otherwise, and how many points would be missing at least even then. `next`: there is nothing
    in the way, and the next round is expected to propose it; `kept`: a seat is left over, but worth more to those who are still to come."""

    weighed: Weighed
    conditions: tuple[Condition, ...]
    missing: int
    exact: int | None
    next: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """What one more seat of an offer would add to what all who wait gain together, in points; `serves`: one more person has a place."""

    weighed: Weighed
    adds: int
    serves: bool


@dataclass(frozen=True, slots=True)
class Reasons:
    """Everything that can be said for one need. `held` is its place; `today` the one that matching would propose now; `outlook` what may
    be expected while it waits."""

    case: Case
    need: Need
    where: Circumstances
    seeker: Seeker | None
    state: NeedState
    offers: tuple[Weighed, ...] = ()
    held: Weighed | None = None
    waiting: int = 0
    today: Weighed | None = None
    others: tuple[Other, ...] = ()
    paths: tuple[Path, ...] = ()
    openings: tuple[Opening, ...] = ()
    outlook: Outlook | None = None


def reasons_for(
    case: Case,
    need: Need,
    offers: Iterable[Offer],
    others: Iterable[Seeker],
    where: Circumstances,
    seed: str = "",
    *,
    exact: bool = False,
    given_a_day: float = 0.0,
) -> Reasons:
    """Explain. `offers` are the open ones and the one that the need holds, `others` seek a place of the same kind; `seed` is the round's.

    `exact`: also work out how many points are really missing. `given_a_day`: the pace at which places of this kind are given.
    """
    seeker, state = seeker_of(case, need), case.state_of(need)
    if seeker is None:
        return Reasons(case, need, where, None, state)
    known = [_as_if_sought(offer, need) for offer in offers]
    board, care = [offer for offer in known if offer.terms is not None and offer.terms.kind is need.kind], beside(known)
    weighed = [_weighed(seeker, offer, where, care) for offer in board]
    own = next((one for one in weighed if need.live is not None and one.offer.id == need.live.offer), None)
    ranked = sorted(weighed, key=lambda one: (one.total is None, -(one.total or 0), one.offer.id))
    told = Reasons(case, need, where, seeker, state, tuple(ranked), own)
    if not weighed or (own is None and state is not NeedState.WAITING):
        return told
    sought = Sought(seeker, Board(board, where, seed, care), own.offer if own is not None else None)
    standing = sought.among(others)
    outlook = standing.outlook(given_a_day) if own is None else None
    return replace(_among(told, ranked, standing, exact=exact), outlook=outlook)


def _among(told: Reasons, ranked: Sequence[Weighed], standing: Standing, *, exact: bool) -> Reasons:
    more = standing.exact if exact else _not_asked
    fitting = [one for one in ranked if one.points is not None and not one.tried and one is not told.held]
    prices = [(one, price) for one in fitting if (price := standing.price(one.offer.id))]
    dearest = sorted(prices, key=lambda priced: -priced[1])[:SHOWN]
    others = () if told.held is None else tuple(_compared(told, one, standing, more) for one in fitting[:SHOWN])
    paths = () if told.held is not None else _paths(told, ranked, standing, more)
    return replace(
        told,
        waiting=standing.waiting,
        today=next((one for one in ranked if one.offer.id == standing.place), None),
        others=others,
        paths=paths,
        openings=tuple(Opening(one, price, standing.serves(one.offer.id)) for one, price in dearest),
    )


def _as_if_sought(offer: Offer, need: Need) -> Offer:
    """The offer with the need's own seat free again, and the places beside it."""
    if need.live is None or offer.id not in (need.live.offer, need.live.care):
        return offer
    own = need.live.id
    return offer.but(holders=tuple(holder for holder in offer.holders if holder.referral != own))


def _weighed(seeker: Seeker, offer: Offer, where: Circumstances, care: Mapping[str, Offer]) -> Weighed:
    if offer.terms is None:
        raise ValueError("an offer that nobody has published is not weighed")
    rules = shut_out_by(seeker, offer.terms, where)
    tried = any(one.bars(offer) for one in seeker.tried)
    places = offer.terms.care
    cramped = places is not None and not room(seeker.child_care_ages, care.get(places))
    return Weighed(offer, offer.terms, rules, tried, points_of(seeker, offer, where) if not rules else None, cramped)


_Exact = Callable[[str], int | None]


def _not_asked(_: str) -> int | None:
    return None


def _compared(told: Reasons, one: Weighed, standing: Standing, exact: _Exact) -> Other:
    id, held = one.offer.id, told.held.total if told.held is not None else None
    points = one.total or 0
    missing = standing.missing(id, points)
    if one.offer.free == 0 or one.cramped:
        return Other(one, Compared.FULL, 0, missing, None)
    if standing.place == id:
        return Other(one, Compared.BETTER, 0, 0, None)
    if standing.left_over(id) == 0:
        return Other(one, Compared.OTHERS, 0, max(1, missing), exact(id))
    if held is None:
        return Other(one, Compared.FREE, 0, 0, None)
    fewer = held - points
    return Other(one, Compared.LESS if fewer > 0 else Compared.EQUAL, max(0, fewer), max(1, missing), exact(id))


def _paths(told: Reasons, ranked: Iterable[Weighed], standing: Standing, exact: _Exact) -> tuple[Path, ...]:
    """The closest places first: those for which the fewest things would have to be otherwise, then those with the fewest points missing."""
    found = sorted(
        (_path(told, one, standing) for one in ranked),
        key=lambda path: (
            not path.next,
            len(path.conditions),
            path.missing,
            -(path.weighed.total or 0),
            path.weighed.offer.id,
        ),
    )[:SHOWN]
    return tuple(
        path if path.conditions or path.next else replace(path, exact=exact(path.weighed.offer.id)) for path in found
    )


def _path(told: Reasons, one: Weighed, standing: Standing) -> Path:
    if told.seeker is None:
        raise ValueError("of somebody who has not arrived nothing is known that could be weighed")
    conditions = (*_before_any_place(told), *one.rules, *_at(one))
    # What a rule looks at would have to be otherwise, and so would its points: by how much at most, the county says.
    points = points_at_most(told.seeker, one.offer, told.where, {rule.code for rule in one.rules})
    missing = standing.missing(one.offer.id, points, otherwise=bool(one.rules))
    expected = standing.place == one.offer.id and not conditions
    kept = not conditions and not expected and standing.left_over(one.offer.id) > 0
    return Path(one, conditions, missing if conditions or expected else max(1, missing), None, expected, kept)


def _before_any_place(told: Reasons) -> Iterable[Obstacle]:
    if not told.case.consents_to(told.need):
        yield Obstacle.CONSENT
    if told.case.has_place_beside(told.need):
        yield Obstacle.PLACE_OF_THIS_KIND


def _at(one: Weighed) -> Iterable[Obstacle]:
    if one.tried:
        yield Obstacle.TRIED
    if one.offer.free == 0:
        yield Obstacle.SEAT
    if one.cramped:
        yield Obstacle.CARE
