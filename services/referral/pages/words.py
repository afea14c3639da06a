"""Words for codes on the pages, and what of a person a page says, in lines of (what, value)."""

from __future__ import annotations

import gettext
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Final, cast

import pycountry

from schemas.codes import BenefitRegime, Cefr, Daypart, Literacy, ResidenceGroup, Sex
from schemas.labels import label, labels
from schemas.languages import name_of
from schemas.places import UnknownPlace, district
from services.referral.pages.contacts import Contact
from services.runtime.catalogue import Catalogue, Language

_LISTS: Final[Mapping[str, type[StrEnum]]] = {
    "sex": Sex,
    "residence_group": ResidenceGroup,
    "benefit_regime": BenefitRegime,
    "german": Cefr,
    "levels": Cefr,
    "literacy": Literacy,
    "available": Daypart,
}
"""The code list of each attribute of a person that has one."""


@cache
def _german() -> gettext.NullTranslations:
    return gettext.translation("iso639-3", pycountry.LOCALES_DIR, languages=["de"], fallback=True)


def language_name(code: str, language: Language) -> str:
    """The name of a language by its ISO 639-3 code."""
    name = name_of(code)
    return _german().gettext(name) if language == "de" else name


def place_name(key: str) -> str:
    """The name of a registration district; its key when it is not known."""
    try:
        return district(key).name
    except UnknownPlace:
        return key


class Words:
    """Words in one language."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self._catalogue = catalogue
        self._language: Language = language

    def say(self, key: str, **params: object) -> str:
        return self._catalogue.text(self._language, key, params)

    def label(self, code: StrEnum) -> str:
        return label(code, self._language)

    def options(self, codes: Sequence[StrEnum]) -> list[tuple[str, str]]:
        """Codes to choose from, with their words."""
        return [(code.value, self.label(code)) for code in codes]

    def person(self, told: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The attributes that a partner may see, as lines."""
        return [(self.say(f"partner.person.{name}"), self._value(name, value)) for name, value in told.items()]

    def contact(self, contact: Contact) -> list[tuple[str, str]]:
        """What the agreement names of a person, as lines; what was never told is said to be so."""
        spoken = None if contact.languages is None else ", ".join(map(self._language_name, contact.languages))
        told = {
            "family-name": contact.family_name,
            "given-names": contact.given_names,
            "birth-date": contact.birth_date,
            "phone": contact.phone,
            "email": contact.email,
            "languages": spoken,
        }
        lines = ((name, value) for name, value in told.items() if value is not None)
        return [(self.say(f"partner.column.{name}"), value or self.say("partner.not-known")) for name, value in lines]

    def _language_name(self, code: str) -> str:
        return language_name(code, self._language)

    def _value(self, name: str, value: Any) -> str:
        if value is None or value in ([], {}, ""):
            return self.say("partner.no-needs" if name == "access_needs" else "partner.not-known")
        if isinstance(value, bool):
            return self.say("partner.yes" if value else "partner.no")
        if name == "distance":
            number = round(float(value))
            return self.say("partner.kilometres", number=number) if number else self.say("partner.same-place")
        if isinstance(value, Mapping):
            return ", ".join(self._part(name, *part) for part in cast("Mapping[str, Any]", value).items() if part[1])
        if isinstance(value, list | tuple):
            return ", ".join(self._value(name, one) for one in cast("Sequence[Any]", value))
        return self._one(name, value)

    def _part(self, name: str, key: str, value: Any) -> str:
        told = self._value(name, value)
        return f"{self.say(f'partner.skill.{key}')} {told}" if self._catalogue.has(f"partner.skill.{key}") else told

    def _one(self, name: str, value: Any) -> str:
        if name == "languages":
            return language_name(str(value), self._language)
        codes = _LISTS.get(name)
        if codes is not None:
            return self.label(codes(value))
        # Any other code has its words in one of the closed lists; what has none is a number or a day.
        known = next((words[str(value)] for words in labels().values() if str(value) in words), None)
        return getattr(known, self._language) if known is not None else str(value)
