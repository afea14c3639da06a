"""The columns of an arrival: headings in German and English, and how each is read. Their order is that of a row's digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from services.intake import values


class Entries(NamedTuple):
    """What an office wrote about one person, every value in its one form; empty means not told.

    Dates are ISO text, `municipality_key` is an ARS or a district key, `citizenships` and `languages` are codes separated by blanks.
    """

    family_name: str = ""
    given_names: str = ""
    birth_date: str = ""
    sex: str = ""
    citizenships: str = ""
    municipality_key: str = ""
    arrival_date: str = ""
    origin: str = ""
    in_germany_since: str = ""
    languages: str = ""
    phone: str = ""
    email: str = ""
    consent: str = ""
    consent_language: str = ""
    consent_text: str = ""
    welcome_package: str = ""
    residence_group: str = ""

    def text(self) -> str:
        """What a row's digest is made of."""
        return "\x1f".join(self)


Reader = Callable[[str], str]


class Kind(StrEnum):
    """What kind of value a column has: what is told about a bad one instead of the value."""

    NAME = "name"
    DATE = "date"
    PLACE = "place"
    CODE = "code"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Names and contacts belong to one person, so nothing of them is remembered while a file is read."""

    name: str
    heading: str
    kind: Kind
    required: bool = False


COLUMNS: Final = (
    Column("family_name", "Familienname", Kind.NAME),
    Column("given_names", "Vornamen", Kind.NAME),
    Column("birth_date", "Geburtsdatum", Kind.DATE),
    Column("sex", "Geschlecht", Kind.CODE),
    Column("citizenships", "Staatsangehoerigkeiten", Kind.CODE),
    Column("municipality_key", "Gemeindeschluessel", Kind.PLACE, required=True),
    Column("arrival_date", "Einzugsdatum", Kind.DATE, required=True),
    Column("origin", "Zuzug", Kind.CODE),
    Column("in_germany_since", "InDeutschlandSeit", Kind.DATE),
    Column("languages", "Sprachen", Kind.CODE),
    Column("phone", "Telefon", Kind.CONTACT),
    Column("email", "EMail", Kind.CONTACT),
    Column("consent", "Einwilligung", Kind.CODE, required=True),
    Column("consent_language", "EinwilligungSprache", Kind.CODE),
    Column("consent_text", "EinwilligungText", Kind.CODE),
    Column("welcome_package", "Willkommenspaket", Kind.CODE),
    Column("residence_group", "Aufenthaltsgruppe", Kind.CODE),
)

NAMES: Final = ("family_name", "given_names")
"""Of these at least one is needed, as a heading and in each row."""

POSITION: Final = {column.name: position for position, column in enumerate(COLUMNS)}


def readers(county: str) -> Mapping[str, Reader]:
    """The reader of each column in a county, by the column's name."""
    return {
        "family_name": values.name,
        "given_names": values.name,
        "birth_date": values.partial_date,
        "sex": values.sex,
        "citizenships": values.citizenships,
        "municipality_key": values.place_in(county),
        "arrival_date": values.full_date,
        "origin": values.origin,
        "in_germany_since": values.full_date,
        "languages": values.languages,
        "phone": values.phone,
        "email": values.email,
        "consent": values.yes_or_no,
        "consent_language": values.one_language,
        "consent_text": values.text_version,
        "welcome_package": values.yes_or_no,
        "residence_group": values.residence_group,
    }
