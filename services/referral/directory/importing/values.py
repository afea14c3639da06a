"""What a cell or a field of a file means. A reader takes the text and gives the value, or raises `BadValue` with the code of the sentences
that say what is wrong (``import.<code>``). The text is never repeated: it may be somebody's name in the wrong column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from schemas import places
from schemas.codes import ServiceKind
from schemas.events import Code
from schemas.labels import label
from schemas.languages import UnknownLanguage, language
from services.referral.directory.entries import Email, Name, Phone, Text, Website
from services.referral.directory.review import plain_name

Value = TypeVar("Value")
Reader = Callable[[str], Value]


class BadValue(ValueError):
    """`code` names the sentences that say what is wrong."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _typed(kind: Any, code: str) -> Reader[Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def read(text: str) -> Any:
        try:
            return adapter.validate_python(text)
        except ValidationError:
            raise BadValue(code) from None

    return read


name: Final[Reader[str]] = _typed(Name, "text-length")
text: Final[Reader[str]] = _typed(Text, "text-length")
email: Final[Reader[str]] = _typed(Email, "email")
phone: Final[Reader[str]] = _typed(Phone, "phone")
website: Final[Reader[str]] = _typed(Website, "website")
code: Final[Reader[str]] = _typed(Code, "code")
postal_code: Final[Reader[str]] = _typed(Annotated[str, Field(pattern=r"^[0-9]{5}$")], "postal-code")


def degrees(most: float) -> Reader[float]:
    """A latitude (at most 90) or longitude (at most 180), with a point or a comma."""

    def read(written: str) -> float:
        try:
            value = float(written.replace(",", "."))
        except ValueError:
            raise BadValue("degrees") from None
        if not abs(value) <= most:
            raise BadValue("degrees")
        return value

    return read


def kind(written: str) -> ServiceKind:
    """A kind of service by its code, or by what people call it in German or English."""
    found = _kinds().get(plain_name(written.replace("-", " ")))
    if found is None:
        raise BadValue("kind")
    return found


def languages(written: str) -> tuple[str, ...]:
    """Codes of ISO 639, between commas or blanks."""
    try:
        return tuple(dict.fromkeys(language(one) for one in re.split(r"[\s,;/|]+", written.strip()) if one))
    except UnknownLanguage:
        raise BadValue("language") from None


def district_in(county: str) -> Reader[str]:
    """A district of the county, by its key, its name, or a municipality in it."""
    named = _districts(county)

    def read(written: str) -> str:
        found = named.get(plain_name(written))
        if found is None:
            raise BadValue("district")
        return found

    return read


def day_until(today: date) -> Reader[date]:
    """A day that has come: 2026-05-31, or 31.05.2026."""

    def read(written: str) -> date:
        for form in ("%Y-%m-%d", "%d.%m.%Y"):
            try:
                found = datetime.strptime(written[:10], form).date()  # noqa: DTZ007 - a day, not an instant
            except ValueError:
                continue
            if found <= today:
                return found
            raise BadValue("day-to-come")
        raise BadValue("day")

    return read


def code_from(*names: str) -> str:
    """A code made of a name, always the same one; raises `BadValue` when nothing is left of it."""
    for one in names:
        made = re.sub(r"[^a-z0-9]+", "-", plain_name(one).replace("ß", "ss")).strip("-")[:64].strip("-")
        if made:
            return made
    raise BadValue("code")


@cache
def _kinds() -> dict[str, ServiceKind]:
    return {
        plain_name(word.replace("-", " ")): kind
        for kind in ServiceKind
        for word in (kind, label(kind, "de"), label(kind, "en"))
    }


@cache
def _districts(county: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for district in places.districts(county):
        found |= {plain_name(one.name): district.ars for one in places.municipalities(district.ars)}
    # A district's own name goes before that of a municipality elsewhere.
    for district in places.districts(county):
        found |= {plain_name(district.name): district.ars, district.ars: district.ars}
    return found
