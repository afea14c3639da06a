"""How single values of an arrival are read, from a file's cell or a JSON field (docs/architecture/import-format.md, the columns).

Each reader takes clean text (`clean`) that is not empty and gives the one form in which the value is kept and digested, or raises `Unfit`
with a code that never holds the value. What is incomplete but possible is valid.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from schemas.codes import Origin, ResidenceGroup, Sex
from schemas.countries import UnknownCitizenship, citizenship
from schemas.languages import UnknownLanguage, language
from schemas.places import UnknownPlace, locate
from services.intake.din91379 import is_name


class Flaw(StrEnum):
    """What is wrong with a row or a value."""

    MISSING_VALUE = "missing-value"
    IMPOSSIBLE_DATE = "impossible-date"
    UNREADABLE_DATE = "unreadable-date"
    DATE_OUT_OF_ORDER = "date-out-of-order"
    UNKNOWN_PLACE = "unknown-place"
    UNKNOWN_CODE = "unknown-code"
    BAD_CHARACTER = "bad-character"
    BAD_CONTACT = "bad-contact"
    TOO_LONG = "too-long"
    WRONG_CELL_COUNT = "wrong-cell-count"
    NOT_TAKEN = "not-taken"


class Unfit(ValueError):
    """A value cannot be what its column says. The text does not repeat it."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


YES: Final = "yes"
NO: Final = "no"

LONGEST_NAME: Final = 200
LONGEST_PHONE: Final = 40
SHORTEST_PHONE: Final = 5  # digits
LONGEST_EMAIL: Final = 254
LONGEST_TEXT_VERSION: Final = 64
MOST_CITIZENSHIPS: Final = 5
MOST_LANGUAGES: Final = 10
EARLIEST_BIRTH: Final = "1880"
"""Whoever arrives was born in this year or later, and did nothing before."""


def clean(text: str) -> str:
    """Trimmed, runs of white space as one blank, in Unicode NFC."""
    text = " ".join(text.split())
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise Unfit(Flaw.TOO_LONG)
    if not is_name(text):
        raise Unfit(Flaw.BAD_CHARACTER)
    return text


def full_date(text: str) -> str:
    """A day, as ISO text."""
    found = partial_date(text)
    if len(found) != len("2016-01-04"):
        raise Unfit(Flaw.IMPOSSIBLE_DATE)
    return found


def partial_date(text: str) -> str:
    """A day, a month or a year, as ISO text. Unknown parts are left out or written as zeros."""
    for form in _DATES:
        match = form.fullmatch(text)
        if match is not None:
            known = match.groupdict()
            return _iso(int(known["y"]), int(known.get("m") or 0), int(known.get("d") or 0))
    raise Unfit(Flaw.UNREADABLE_DATE)


def _iso(year: int, month: int, day: int) -> str:
    if year < 1 or (day and not month):
        raise Unfit(Flaw.IMPOSSIBLE_DATE)
    try:
        checked = date(year, month or 1, day or 1)
    except ValueError:
        raise Unfit(Flaw.IMPOSSIBLE_DATE) from None
    return checked.isoformat()[: 10 if day else 7 if month else 4]


_DATES: Final = (
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})", re.ASCII),
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})", re.ASCII),
    re.compile(r"(?P<y>\d{4})(?:-(?P<m>\d{2}))?", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})\.(?P<y>\d{4})", re.ASCII),
)


def place_in(county: str) -> Callable[[str], str]:
    """A reader of place keys: gives the ARS of the municipality, or the key of the district where only that is said."""

    def place(text: str) -> str:
        key = text.replace(" ", "")
        for tried in (key, f"0{key}"):
            try:
                location = locate(tried)
            except UnknownPlace:
                continue
            if location.district.county == county:
                return location.municipality.ars if location.municipality else location.district.ars
        raise Unfit(Flaw.UNKNOWN_PLACE)

    return place


def citizenships(text: str) -> str:
    """Event codes, separated by a blank; each once."""
    return _several(text, _citizenship, MOST_CITIZENSHIPS)


def languages(text: str) -> str:
    """ISO 639-3 codes, separated by a blank; each once, in the given order."""
    return _several(text, one_language, MOST_LANGUAGES)


def _several(text: str, read: Callable[[str], str], most: int) -> str:
    parts = text.replace("|", " ").split()
    if len(parts) > most:
        raise Unfit(Flaw.TOO_LONG)
    return " ".join(dict.fromkeys(read(part) for part in parts))


def _citizenship(text: str) -> str:
    try:
        return citizenship(text)
    except UnknownCitizenship:
        raise Unfit(Flaw.UNKNOWN_CODE) from None


def one_language(text: str) -> str:
    try:
        return language(text)
    except UnknownLanguage:
        raise Unfit(Flaw.UNKNOWN_CODE) from None


def phone(text: str) -> str:
    if len(text) > LONGEST_PHONE:
        raise Unfit(Flaw.TOO_LONG)
    if _PHONE.fullmatch(text) is None or sum(map(str.isdigit, text)) < SHORTEST_PHONE:
        raise Unfit(Flaw.BAD_CONTACT)
    return text


def email(text: str) -> str:
    if len(text) > LONGEST_EMAIL:
        raise Unfit(Flaw.TOO_LONG)
    if _EMAIL.fullmatch(text) is None:
        raise Unfit(Flaw.BAD_CONTACT)
    return text


def text_version(text: str) -> str:
    if len(text) > LONGEST_TEXT_VERSION:
        raise Unfit(Flaw.TOO_LONG)
    if _VERSION.fullmatch(text) is None:
        raise Unfit(Flaw.UNKNOWN_CODE)
    return text


_PHONE: Final = re.compile(r"[0-9 +\-/()]+")
_EMAIL: Final = re.compile(r"[^\s@,;<>()]+@[^\s@,;<>()]+\.[^\s@,;<>().]+")
_VERSION: Final = re.compile(r"[A-Za-z0-9.-]+")


def _one_of(words: Mapping[str, str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return words[text.casefold()]
        except KeyError:
            raise Unfit(Flaw.UNKNOWN_CODE) from None

    return read


sex = _one_of({"m": Sex.MALE, "w": Sex.FEMALE, "f": Sex.FEMALE, "d": Sex.DIVERS, "x": Sex.NONE})
origin = _one_of(
    {
        "ausland": Origin.ABROAD,
        "abroad": Origin.ABROAD,
        "deutschland": Origin.GERMANY,
        "germany": Origin.GERMANY,
        "unbekannt": Origin.UNKNOWN,
        "unknown": Origin.UNKNOWN,
    }
)
yes_or_no = _one_of({"ja": YES, "yes": YES, "nein": NO, "no": NO})
residence_group = _one_of({group.value: group for group in ResidenceGroup})
