"""The sentences that say why, in the language of whoever asks: whole, polite, and without the name of a code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import reduce
from typing import Final

from schemas.codes import CEFR_ORDER, Daypart
from schemas.labels import label
from schemas.places import UnknownPlace, district
from services.referral.county import MOST_POINTS
from services.referral.distance import distance_km
from services.referral.eligibility import Circumstances, Rule, Seeker
from services.referral.model import NeedState
from services.referral.offers import OfferTerms
from services.referral.outlook import Outlook
from services.referral.reasons import Compared, Condition, Obstacle, Opening, Other, Path, Reasons
from services.runtime.catalogue import Catalogue, Language

_UNKNOWN: Final = (None, frozenset[object]())
_UNANSWERED: Final = frozenset({"age", "child-age", "sex", "residence", "benefit", "level", "language"})
"""The rules whose attribute may be unknown."""


class Wording:
    """The sentences of one answer."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self._catalogue = catalogue
        self._language: Language = language

    # --- as a whole ---------------------------------------------------------------------------------------------------------

    def need(self, told: Reasons) -> str | None:
        """Why the need waits, or why nothing is sought; None when a place is held."""
        if told.need.live is not None:
            return None
        if told.state is not NeedState.WAITING:
            return self._say(f"settled.{told.state}")
        if told.seeker is None:
            return self._say("waiting.not-arrived")
        days = told.where.settings.look_ahead.kept_back_days
        return self._say(f"waiting.{told.need.told or 'not-looked-at'}", days=days)

    def held(self, told: Reasons) -> Iterator[str]:
        """Why this place: who chose it, how well it fits today, and what matching would propose."""
        live, held = told.need.live, told.held
        if live is None or held is None:
            return
        yield self._say("held.by-hand" if live.by_hand else "held.matched")
        if held.total is None:
            yield self._say("held.shut-out")
        else:
            yield self._say("held.fits", total=held.total, most=MOST_POINTS, waiting=self._points(told.waiting))
        same = told.today is not None and told.today.offer.id == held.offer.id
        if same and live.by_hand:
            yield self._say("held.today-same")
        elif told.today is None:
            yield self._say("held.today-none")
        elif not same:
            yield self._say("held.today-another", place=self._place(told.today.terms))

    def other(self, one: Other) -> Iterator[str]:
        """How another place stands beside the one that is held."""
        match one.compared:
            case Compared.LESS:
                yield self._say("other.less", points=self._points(one.fewer))
            case Compared.OTHERS:
                yield self._say("other.others", points=self._points(one.missing))
            case Compared.FULL if one.missing:
                yield self._say("other.full-and-others", points=self._points(one.missing))
            case _:
                yield self._say(f"other.{one.compared}")
        if one.exact is not None:
            yield self._say("other.exact", points=self._points(one.exact))

    def path(self, one: Path, told: Reasons) -> Iterator[str]:
        """What would lead to a place."""
        if one.next:
            yield self._say("path.next")
        elif not one.conditions:
            yield self._say("path.kept" if one.kept else "path.others", points=self._points(one.missing))
        elif told.seeker is not None:
            seeker = told.seeker
            said = [self._condition(each, seeker, one.weighed.terms, told.where) for each in one.conditions]
            yield self._say("path.conditions", conditions=self._joined(said, "path.comma", "path.and"))
            if one.missing:
                yield self._say("path.even-then", points=self._points(one.missing))
        if one.exact is not None:
            yield self._say("other.exact", points=self._points(one.exact))

    def outlook(self, one: Outlook) -> Iterator[str]:
        """How many come first, and when a place can be expected."""
        match one.ahead:
            case 0:
                yield self._say("outlook.first")
            case 1:
                yield self._say("outlook.one-ahead")
            case _:
                yield self._say("outlook.ahead", number=one.ahead)
        if one.expected is None:
            yield self._say("outlook.no-day")
        else:
            days = (one.expected.day, one.expected.earliest, one.expected.latest)
            day, earliest, latest = map(self._day, days)
            yield self._say("outlook.expected", day=day, earliest=earliest, latest=latest)

    def opening(self, one: Opening) -> str:
        """What one more seat would do for everybody."""
        return self._say(f"opening.{'serves' if one.serves else 'improves'}", points=self._points(one.adds))

    def reason(self, code: str) -> str:
        """What there are points for."""
        return self._say(f"reason.{code}")

    def rule(self, rule: Rule, seeker: Seeker, terms: OfferTerms, where: Circumstances) -> str:
        """Why the rule shuts out: for what the offer asks, or because it is not known whether the person fits."""
        key = f"rule.{rule.code}.{'unknown' if _is_unknown(rule, seeker) else 'shut-out'}"
        return self._say(key, **_numbers(seeker, terms, where))

    # --- parts of sentences ---------------------------------------------------------------------------------------------------

    def _condition(self, one: Condition, seeker: Seeker, terms: OfferTerms, where: Circumstances) -> str:
        if isinstance(one, Obstacle):
            return self._say(f"condition.{one}")
        return self._say(
            f"condition.{_of_rule(one, seeker, terms)}",
            **_numbers(seeker, terms, where),
            times=self._times(seeker, terms),
        )

    def _times(self, seeker: Seeker, terms: OfferTerms) -> str:
        """All the times of a course that are missing, or one of those of a service."""
        missing = [
            label(part, self._language) for part in Daypart if part in terms.dayparts and part not in seeker.available
        ]
        last = "condition.times-and" if terms.is_dated else "condition.times-or"
        return self._joined(missing, "condition.times-comma", last)

    def _joined(self, parts: Sequence[str], between: str, last: str) -> str:
        """One part, or several: with the sentence `last` before the last of them and `between` before each other."""
        if len(parts) < 2:
            return "".join(parts)
        first = reduce(lambda before, part: self._say(between, first=before, second=part), parts[:-1])
        return self._say(last, first=first, second=parts[-1])

    def _place(self, terms: OfferTerms) -> str:
        try:
            where = district(terms.district).name
        except UnknownPlace:
            where = terms.district
        if terms.starts_on is None:
            return self._say("place.standing", district=where)
        return self._say("place.dated", district=where, day=self._day(terms.starts_on))

    def _day(self, day: date) -> str:
        return self._say(f"day.{day.month}", day=day.day, year=day.year)

    def _points(self, number: int) -> str:
        return self._say("points.one") if number == 1 else self._say("points.many", number=number)

    def _say(self, key: str, **params: object) -> str:
        return self._catalogue.text(self._language, key, params)


def _is_unknown(rule: Rule, seeker: Seeker) -> bool:
    return rule.code in _UNANSWERED and rule.looks_at(seeker) in _UNKNOWN


def _of_rule(rule: Rule, seeker: Seeker, terms: OfferTerms) -> str:
    """The condition under which a rule would let this person in."""
    if _is_unknown(rule, seeker):
        return f"{rule.code}-unknown"
    if rule.code == "level" and seeker.german is not None:
        too_low = terms.cefr_from is not None and CEFR_ORDER[seeker.german] < CEFR_ORDER[terms.cefr_from]
        return "level-too-low" if too_low else "level-too-high"
    return rule.code


def _numbers(seeker: Seeker, terms: OfferTerms, where: Circumstances) -> dict[str, object]:
    youngest, oldest = terms.ages or (0, 0)
    return {
        "youngest": youngest,
        "oldest": oldest,
        "from": (terms.cefr_from or min(CEFR_ORDER)).upper(),
        "to": (terms.cefr_to or max(CEFR_ORDER)).upper(),
        "furthest": where.settings.furthest_km.of(terms.kind),
        "distance": distance_km(seeker.district, terms.district) or 0,
    }
