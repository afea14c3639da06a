"""For whom an offer is, in one sentence: every rule that binds on it has its clause, in the order of the rules."""

from __future__ import annotations

from typing import Final

from schemas.codes import Accessibility, Rhythm, Weekday
from services.referral.eligibility import RULES
from services.referral.offers import OfferTerms
from services.referral.particulars import Course
from services.referral.words import Words

UNSAID: Final = frozenset({"agreement", "place", "child-care", "access", "conduct"})
"""Rules that are not about whom the partner wants: what the county sees to, and what holds unless the offer says otherwise."""


class Whom(Words):
    """Says it in one language."""

    def sentence(self, terms: OfferTerms) -> str:
        """The whole eligibility of an offer."""
        clauses = [
            self.say(f"whom.{self._clause(rule.code, terms)}", **self._numbers(terms))
            for rule in RULES
            if rule.code not in UNSAID and rule.binds(terms)
        ]
        if not clauses:
            return self.say("whom.everybody")
        return self.say("whom.sentence", clauses=self.joined(clauses, "whom.comma", "whom.and"))

    def accessibility(self, terms: OfferTerms) -> str | None:
        """What the place has for people who need it; None where nothing is said."""
        if not terms.accessibility:
            return None
        has = [one for one in Accessibility if one in terms.accessibility]
        return self.say("whom.accessible", has=self.all_of(self.labels(has)))

    def times(self, terms: OfferTerms) -> str | None:
        """When it takes place: the weekly times or the appointment where they are said, otherwise the parts of the day; None where nothing
        is said."""
        if isinstance(terms.particulars, Course) and terms.particulars.times:
            told = sorted(terms.particulars.times, key=lambda one: (list(Weekday).index(one.weekday), one.begins))
            return ", ".join(f"{self.labels([one.weekday])[0]} {one.begins}–{one.ends}" for one in told)
        if terms.slot is not None:
            return f"{terms.slot.begins}–{terms.slot.ends}, {self.labels([terms.slot.way])[0]}"
        told = [self.say("whom.hours", hours=terms.hours_a_week)] if terms.hours_a_week is not None else []
        return ", ".join([*told, *self.labels(terms.dayparts)]) or None

    @staticmethod
    def _clause(code: str, terms: OfferTerms) -> str:
        match code:
            case "level" if terms.begins_at is None:
                return "level-below"
            case "level" if terms.cefr_to is None and not any(one.cefr_to for one in terms.skills):
                return "level-from"
            case "certificate" if terms.admission is not None and terms.admission.self_payers:
                return "certificate-or-self-payer"
            case "time" if terms.rhythm is Rhythm.ALTERNATING:
                return "time-in-turn"
            case _:
                return code

    def _numbers(self, terms: OfferTerms) -> dict[str, object]:
        youngest, oldest = terms.ages or (0, 0)
        care_from, care_to = terms.child_care_ages or (0, 0)
        times = self.labels(terms.dayparts)
        return {
            "youngest": youngest,
            "oldest": oldest,
            "care_from": care_from,
            "care_to": care_to,
            "sexes": self.one_of(self.labels(terms.sexes)),
            "groups": self.one_of(self.labels(terms.residence_groups)),
            "benefits": self.one_of(self.labels(terms.benefit_regimes)),
            "literacy": self.one_of(self.labels(terms.literacy)),
            "from": self.start_level(terms),
            "to": self.end_level(terms),
            **self.certificate(terms),
            "places": self.one_of(self.places(terms.places)),
            "times": self.all_of(times) if terms.is_dated else self.one_of(times),
        }
