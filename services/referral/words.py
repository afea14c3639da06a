"""Parts of sentences in one language: lists, days, the names of places and codes, levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from functools import reduce

from schemas.codes import CEFR_ORDER, Cefr, CertificateKind, scheme_of
from schemas.labels import label
from schemas.places import UnknownPlace, district, locate
from services.referral.federal_courses import apply_to
from services.referral.offers import OfferTerms
from services.runtime.catalogue import Catalogue, Language


class Words:
    """What the sentences of one answer are made of."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self._catalogue = catalogue
        self._language: Language = language

    def say(self, key: str, **params: object) -> str:
        """A sentence of the catalogue, or a part of one."""
        return self._catalogue.text(self._language, key, params)

    def all_of(self, parts: Sequence[str]) -> str:
        """One part, or several with "and" before the last."""
        return self.joined(parts, "list.comma", "list.and")

    def one_of(self, parts: Sequence[str]) -> str:
        """One part, or several with "or" before the last."""
        return self.joined(parts, "list.comma", "list.or")

    def joined(self, parts: Sequence[str], between: str, last: str) -> str:
        """One part, or several: with the sentence `last` before the last of them and `between` before each other."""
        if len(parts) < 2:
            return "".join(parts)
        first = reduce(lambda before, part: self.say(between, first=before, second=part), parts[:-1])
        return self.say(last, first=first, second=parts[-1])

    def labels(self, codes: Iterable[StrEnum]) -> list[str]:
        """The words for these codes."""
        return [label(code, self._language) for code in codes]

    def district(self, key: str) -> str:
        """The name of a district; of one that is not known, its key."""
        try:
            return district(key).name
        except UnknownPlace:
            return key

    def places(self, keys: Iterable[str]) -> list[str]:
        """The names of districts and municipalities; of those that are not known, their keys."""
        return [self._place_name(key) for key in keys]

    def day(self, day: date) -> str:
        """A day in words."""
        return self.say(f"day.{day.month}", day=day.day, year=day.year)

    def start_level(self, terms: OfferTerms) -> str:
        """The level to begin with, and in brackets those of the skills for which it is another."""
        named = [(one.skill, one.cefr_from) for one in terms.skills if one.cefr_from is not None]
        return self._level(terms.cefr_from or min(CEFR_ORDER), named)

    def end_level(self, terms: OfferTerms) -> str:
        """The level that is led to, in the same way."""
        named = [(one.skill, one.cefr_to) for one in terms.skills if one.cefr_to is not None]
        return self._level(terms.cefr_to or max(CEFR_ORDER), named)

    def certificate(self, terms: OfferTerms) -> dict[str, object]:
        """The scheme of a federal course (`scheme`), the certificate that it asks for (`certificate`) and where one applies for admission
        (`authority`)."""
        scheme, asked = scheme_of(terms.kind), terms.admission
        if scheme is None or asked is None:
            return {"scheme": "", "certificate": "", "authority": ""}
        kinds = self.one_of(self.labels(asked.kinds or CertificateKind))
        issuers = self.one_of(self.labels(asked.issuers))
        return {
            "scheme": self.labels([scheme])[0],
            "certificate": self.say("certificate-from", kinds=kinds, issuers=issuers) if issuers else kinds,
            "authority": self.one_of(self.labels(apply_to(scheme))),
        }

    def _level(self, level: Cefr, named: Sequence[tuple[StrEnum, Cefr]]) -> str:
        others = ", ".join(f"{label(skill, self._language)}: {of.upper()}" for skill, of in named)
        return f"{level.upper()} ({others})" if others else level.upper()

    def _place_name(self, key: str) -> str:
        try:
            found = locate(key)
        except UnknownPlace:
            return key
        return found.municipality.name if found.municipality is not None else found.district.name
