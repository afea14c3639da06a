"""One row of an office's file, in that office's own hand (docs/architecture/import-format.md).

`office` says how an office's software writes; `cells` writes a person's row in that style; `spoil` puts one mistake into it. What happens
to a person's row is decided by `course_of`, and what becomes of the person at the import by `fate_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from schemas.codes import Origin, Sex, Way
from schemas.places import District, municipality
from simulation import assumptions, naming
from simulation.chance import Chance, Odds
from simulation.people import Person
from simulation.register import PartialDate

COLUMNS: Final = {
    "Familienname": "family_name",
    "Vornamen": "given_names",
    "Geburtsdatum": "birth_date",
    "Geschlecht": "sex",
    "Staatsangehoerigkeiten": "citizenships",
    "Gemeindeschluessel": "municipality_key",
    "Einzugsdatum": "arrival_date",
    "Zuzug": "origin",
    "InDeutschlandSeit": "in_germany_since",
    "Sprachen": "languages",
    "Telefon": "phone",
    "EMail": "email",
    "Einwilligung": "consent",
    "EinwilligungSprache": "consent_language",
    "EinwilligungText": "consent_text",
    "Willkommenspaket": "welcome_package",
    "Aufenthaltsgruppe": "residence_group",
}
"""The headings in German and English, in the order in which offices write them."""


class Flaw(StrEnum):
    """What is wrong with a bad row."""

    IMPOSSIBLE_DATE = "impossible-date"
    UNKNOWN_PLACE = "unknown-place"
    MISSING_VALUE = "missing-value"
    WRONG_CELL_COUNT = "wrong-cell-count"


class Fate(StrEnum):
    """What the import must make of a person, once all files are in."""

    REGISTERED = "registered"
    COUNTED = "counted"
    """Refused the consent: one anonymous count."""
    REFUSED = "refused"
    """The row was bad and nobody put it right."""


class Rhythm(StrEnum):
    """How often an office hands over a file."""

    WEEK = "week"
    MONTH = "month"


class PlaceKey(StrEnum):
    """By which key an office's software knows a place."""

    AGS = "ags"
    ARS = "ars"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Office:
    """A registry office and the habits of its software."""

    district: str
    name: str
    encoding: str
    separator: str
    rhythm: Rhythm
    english: bool
    iso: bool
    place_key: PlaceKey


@dataclass(frozen=True, slots=True)
class Course:
    """What happens to a person's row: spoilt by a `flaw` and perhaps `repaired` in the next file, or good and perhaps written twice."""

    flaw: Flaw | None = None
    repaired: bool = False
    repeated: bool = False
    sent_again: bool = False


def office(seed: int, district: District) -> Office:
    """The registry office of a district."""
    chance = Chance(seed, "office", district.ars)
    return Office(
        district=district.ars,
        name=f"Meldebehörde {district.name}",
        encoding=_ENCODINGS.draw(chance),
        separator=_SEPARATORS.draw(chance),
        rhythm=_RHYTHMS.draw(chance),
        english=chance.happens(assumptions.FILE_ENGLISH),
        iso=chance.happens(assumptions.FILE_ISO_DATES),
        place_key=_PLACE_KEYS.draw(chance),
    )


def course_of(seed: int, person: Person) -> Course:
    """For people who come by file; a function of the person alone."""
    chance = Chance(seed, "row", person.index)
    if chance.happens(assumptions.ROW_BAD):
        return Course(flaw=_FLAWS.draw(chance), repaired=chance.happens(assumptions.ROW_REPAIRED))
    repeated = chance.happens(assumptions.ROW_REPEATED)
    return Course(repeated=repeated, sent_again=person.consent.given and chance.happens(assumptions.ROW_SENT_AGAIN))


def fate_of(seed: int, person: Person) -> Fate:
    """A bad row that nobody repairs refuses the person; otherwise the consent decides."""
    if person.way is Way.OFFICE_FILE:
        course = course_of(seed, person)
        if course.flaw and not course.repaired:
            return Fate.REFUSED
    return Fate.REGISTERED if person.consent.given else Fate.COUNTED


def headings(style: Office) -> tuple[str, ...]:
    return tuple(COLUMNS.values()) if style.english else tuple(COLUMNS)


def cells(person: Person, style: Office) -> tuple[str, ...]:
    """The row of a person in the order of `COLUMNS`. A refusal leaves the voluntary cells empty."""
    known = person.register
    day, language = _day(style), _language(style)
    written: dict[str, str] = {
        "Familienname": known.family_name,
        "Vornamen": known.given_names,
        "Geburtsdatum": _birth_date(known.birth_date, style) if known.birth_date else "",
        "Geschlecht": _sex(known.sex, style),
        "Staatsangehoerigkeiten": " ".join(map(_citizenship(style), known.citizenships)),
        "Gemeindeschluessel": _place(known.municipality, style),
        "Einzugsdatum": day(known.arrived_on),
        "Zuzug": known.origin if style.english else _ORIGINS[known.origin],
        "InDeutschlandSeit": day(known.in_germany_since) if known.in_germany_since else "",
        "Sprachen": " ".join(map(language, known.languages)),
        "Telefon": known.phone or "",
        "EMail": known.email or "",
        "Einwilligung": _yes(person.consent.given, style),
        "EinwilligungSprache": language(person.consent.language),
        "EinwilligungText": person.consent.text,
        "Willkommenspaket": _yes(known.welcome_package, style),
        "Aufenthaltsgruppe": known.residence_group or "",
    }
    if not person.consent.given:
        written.update(_EMPTY_AFTER_REFUSAL)
    return tuple(written[column] for column in COLUMNS)


def spoil(row: tuple[str, ...], flaw: Flaw, style: Office, chance: Chance, *, consented: bool) -> tuple[str, ...]:
    """`row` with one mistake. Where the consent is refused only values that are still checked are spoilt."""
    match flaw:
        case Flaw.IMPOSSIBLE_DATE:
            columns = ("Einzugsdatum", "Geburtsdatum") if consented else ("Einzugsdatum",)
            column = chance.one_of(columns)
            year = row[_AT["Einzugsdatum"]].replace("-", ".").split(".")[0 if style.iso else 2]
            return _put(row, {column: f"{year}-02-30" if style.iso else f"30.02.{year}"})
        case Flaw.UNKNOWN_PLACE:
            return _put(row, {"Gemeindeschluessel": _NEXT_DOOR[style.place_key]})
        case Flaw.MISSING_VALUE:
            return _put(row, dict.fromkeys(chance.one_of(_CAN_BE_MISSING), ""))
        case Flaw.WRONG_CELL_COUNT:
            extra = _AT["Telefon"]
            return (*row[:extra], "", *row[extra:])


_ENCODINGS: Final = Odds(assumptions.FILE_ENCODINGS)
_SEPARATORS: Final = Odds(assumptions.FILE_SEPARATORS)
_RHYTHMS: Final = Odds({Rhythm(kind): weight for kind, weight in assumptions.FILE_RHYTHMS.items()})
_PLACE_KEYS: Final = Odds({PlaceKey(kind): weight for kind, weight in assumptions.FILE_PLACE_KEYS.items()})
_FLAWS: Final = Odds({Flaw(kind): weight for kind, weight in assumptions.ROW_FLAWS.items()})
_AT: Final = {column: place for place, column in enumerate(COLUMNS)}
_ORIGINS: Final = {Origin.ABROAD: "ausland", Origin.GERMANY: "deutschland", Origin.UNKNOWN: "unbekannt"}
_SEXES: Final = {Sex.FEMALE: "w", Sex.MALE: "m", Sex.DIVERS: "d", Sex.NONE: "x", None: ""}
_CAN_BE_MISSING: Final = (("Familienname", "Vornamen"), ("Gemeindeschluessel",), ("Einzugsdatum",), ("Einwilligung",))
_EMPTY_AFTER_REFUSAL: Final[dict[str, str]] = dict.fromkeys(
    ("Staatsangehoerigkeiten", "InDeutschlandSeit", "Sprachen", "Telefon", "EMail", "Aufenthaltsgruppe"), ""
)
_NEXT_DOOR: Final = {PlaceKey.AGS: "03404000", PlaceKey.ARS: "034040000000", PlaceKey.DISTRICT: "034040000"}
"""The city of Osnabrück: a place next door that belongs to no county of the simulation."""


def _put(row: tuple[str, ...], values: dict[str, str]) -> tuple[str, ...]:
    return tuple(values.get(column, cell) for column, cell in zip(COLUMNS, row, strict=True))


def _place(ars: str, style: Office) -> str:
    if style.place_key is PlaceKey.DISTRICT:
        return ars[:9]
    return municipality(ars).ags if style.place_key is PlaceKey.AGS else ars


def _day(style: Office) -> Callable[[date], str]:
    return date.isoformat if style.iso else lambda day: f"{day:%d.%m.%Y}"


def _birth_date(known: PartialDate, style: Office) -> str:
    if style.iso:
        return str(known)
    return f"{known.day or 0:02d}.{known.month or 0:02d}.{known.year:04d}"


def _sex(sex: Sex | None, style: Office) -> str:
    return "f" if style.english and sex is Sex.FEMALE else _SEXES[sex]


def _citizenship(style: Office) -> Callable[[str], str]:
    """Software with ISO codes keeps the Destatis key where there is no code."""
    return (lambda key: naming.country(key) or key) if style.iso else str


def _language(style: Office) -> Callable[[str], str]:
    return str if style.iso else lambda code: naming.languages()[code].short or code


def _yes(value: bool, style: Office) -> str:  # noqa: FBT001
    return ("yes" if value else "no") if style.english else ("ja" if value else "nein")
