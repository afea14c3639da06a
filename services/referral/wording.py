"""The sentences that say why, in the language of whoever asks: whole, polite, and without the name of a code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.codes import Accessibility, Daypart, Skill
from schemas.labels import label
from services.referral.county import MOST_POINTS
from services.referral.distance import distance_km
from services.referral.eligibility import Circumstances, Rule, reaches, unmet
from services.referral.model import NeedState
from services.referral.offers import OfferTerms
from services.referral.outlook import Outlook
from services.referral.reasons import Compared, Condition, Obstacle, Opening, Other, Path, Reasons
from services.referral.seekers import Admission, Seeker
from services.referral.words import Words

_UNKNOWN: Final = (None, frozenset[object]())
_UNANSWERED: Final = frozenset({"age", "conduct", "child-age", "sex", "residence", "benefit", "literacy", "language"})
"""The rules whose attribute may be unknown as a whole."""


class Wording(Words):
    """The sentences of one answer."""

    # --- as a whole ---------------------------------------------------------------------------------------------------------

    def need(self, told: Reasons) -> str | None:
        """Why the need waits, or why nothing is sought; None when a place is held."""
        if told.need.live is not None:
            return None
        if told.state is not NeedState.WAITING:
            return self.say(f"settled.{told.state}")
        if told.seeker is None:
            return self.say("waiting.not-arrived")
        days = told.where.settings.look_ahead.kept_back_days
        return self.say(f"waiting.{told.need.told or 'not-looked-at'}", days=days)

    def held(self, told: Reasons) -> Iterator[str]:
        """Why this place: who chose it, how well it fits today, and what matching would propose."""
        live, held = told.need.live, told.held
        if live is None or held is None:
            return
        yield self.say("held.by-hand" if live.by_hand else "held.matched")
        if held.total is None:
            yield self.say("held.shut-out")
        else:
            yield self.say("held.fits", total=held.total, most=MOST_POINTS, waiting=self._points(told.waiting))
        same = told.today is not None and told.today.offer.id == held.offer.id
        if same and live.by_hand:
            yield self.say("held.today-same")
        elif told.today is None:
            yield self.say("held.today-none")
        elif not same:
            yield self.say("held.today-another", place=self._place(told.today.terms))

    def other(self, one: Other) -> Iterator[str]:
        """How another place stands beside the one that is held."""
        match one.compared:
            case Compared.LESS:
                yield self.say("other.less", points=self._points(one.fewer))
            case Compared.OTHERS:
                yield self.say("other.others", points=self._points(one.missing))
            case Compared.FULL if one.missing:
                yield self.say("other.full-and-others", points=self._points(one.missing))
            case _:
                yield self.say(f"other.{one.compared}")
        if one.exact is not None:
            yield self.say("other.exact", points=self._points(one.exact))

    def path(self, one: Path, told: Reasons) -> Iterator[str]:
        """What would lead to a place."""
        if one.next:
            yield self.say("path.next")
        elif not one.conditions:
            yield self.say("path.kept" if one.kept else "path.others", points=self._points(one.missing))
        elif told.seeker is not None:
            seeker = told.seeker
            said = [self._condition(each, seeker, one.weighed.terms, told.where) for each in one.conditions]
            yield self.say("path.conditions", conditions=self.joined(said, "path.comma", "path.and"))
            if one.missing:
                yield self.say("path.even-then", points=self._points(one.missing))
        if one.exact is not None:
            yield self.say("other.exact", points=self._points(one.exact))

    def outlook(self, one: Outlook) -> Iterator[str]:
        """How many come first, and when a place can be expected."""
        match one.ahead:
            case 0:
                yield self.say("outlook.first")
            case 1:
                yield self.say("outlook.one-ahead")
            case _:
                yield self.say("outlook.ahead", number=one.ahead)
        if one.expected is None:
            yield self.say("outlook.no-day")
        else:
            days = (one.expected.day, one.expected.earliest, one.expected.latest)
            day, earliest, latest = map(self.day, days)
            yield self.say("outlook.expected", day=day, earliest=earliest, latest=latest)

    def opening(self, one: Opening) -> str:
        """What one more seat would do for everybody."""
        return self.say(f"opening.{'serves' if one.serves else 'improves'}", points=self._points(one.adds))

    def reason(self, code: str) -> str:
        """What there are points for."""
        return self.say(f"reason.{code}")

    def rule(self, rule: Rule, seeker: Seeker, terms: OfferTerms, where: Circumstances) -> str:
        """Why the rule shuts out: for what the offer asks, or because it is not known whether the person fits."""
        case = _case(rule, seeker, terms, where)
        told = case if case == "unknown" or rule.code == "certificate" else "shut-out"
        return self.say(f"rule.{rule.code}.{told}", **self._numbers(seeker, terms, where))

    # --- parts of sentences ---------------------------------------------------------------------------------------------------

    def _condition(self, one: Condition, seeker: Seeker, terms: OfferTerms, where: Circumstances) -> str:
        if isinstance(one, Obstacle):
            return self.say(f"condition.{one}")
        case = _case(one, seeker, terms, where)
        return self.say(
            f"condition.{one.code}-{case}" if case else f"condition.{one.code}",
            **self._numbers(seeker, terms, where),
            times=self._times(seeker, terms),
        )

    def _times(self, seeker: Seeker, terms: OfferTerms) -> str:
        """All the times of a course that are missing, or one of those of a service."""
        missing = [
            label(part, self._language)
            for part in Daypart
            if part in terms.dayparts and part not in seeker.hours.available
        ]
        return self.all_of(missing) if terms.is_dated else self.one_of(missing)

    def _place(self, terms: OfferTerms) -> str:
        where = self.district(terms.district)
        if terms.starts_on is None:
            return self.say("place.standing", district=where)
        return self.say("place.dated", district=where, day=self.day(terms.starts_on))

    def _points(self, number: int) -> str:
        return self.say("points.one") if number == 1 else self.say("points.many", number=number)

    def _numbers(self, seeker: Seeker, terms: OfferTerms, where: Circumstances) -> dict[str, object]:
        youngest, oldest = terms.ages or (0, 0)
        care_from, care_to = terms.child_care_ages or (0, 0)
        missing = unmet(seeker.access_needs, terms)
        return {
            "youngest": youngest,
            "oldest": oldest,
            "care_from": care_from,
            "care_to": care_to,
            "from": self.start_level(terms),
            "to": self.end_level(terms),
            "literacy": self.one_of(self.labels(terms.literacy)),
            **self.certificate(terms),
            "places": self.one_of(self.places(terms.places)),
            "needs": self.all_of(self.labels(one for one in Accessibility if one in missing)),
            "furthest": where.settings.furthest_km.of(terms.kind),
            "distance": distance_km(seeker.district, terms.district) or 0,
        }


def _case(rule: Rule, seeker: Seeker, terms: OfferTerms, where: Circumstances) -> str:
    """What of the rule is not so: its own cases by name, and whether it is that something is not known."""
    match rule.code:
        case "certificate":
            return _of_certificate(seeker.admission, where)
        case "level" if not _level_is_unknown(seeker, terms):
            return "too-high" if reaches(seeker.levels, terms) else "too-low"
        case _:
            return "unknown" if _is_unknown(rule, seeker, terms) else ""


def _of_certificate(has: Admission | None, where: Circumstances) -> str:
    if has is None or has.certificates is None:
        return "unknown"
    if not has.certificates:
        return "none"
    return "other" if has.valid(where.today) else "expired"


def _is_unknown(rule: Rule, seeker: Seeker, terms: OfferTerms) -> bool:
    match rule.code:
        case "level":
            return _level_is_unknown(seeker, terms)
        case "residents":
            return seeker.home.municipality is None and any(key.startswith(seeker.district) for key in terms.places)
        case _:
            return rule.code in _UNANSWERED and rule.looks_at(seeker) in _UNKNOWN


def _level_is_unknown(seeker: Seeker, terms: OfferTerms) -> bool:
    """Nothing of the person's German is known; or a skill is not that the offer names, and what is known would do."""
    known = [level for level in seeker.levels if level is not None]
    named = {one.skill for one in terms.skills if one.cefr_from is not None}
    missing = any(level is None and skill in named for skill, level in zip(Skill, seeker.levels, strict=True))
    return not known or missing
