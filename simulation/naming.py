"""Made-up names, languages and contacts, within the characters of DIN 91379 (data type A).

Family and given names are combined from the small lists of `data/names.yaml`. Telephone numbers are those that the Bundesnetzagentur keeps
free for films ("drama numbers", notice 148/2021), e-mail addresses are in example.org: none of them reaches anybody.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from schemas.countries import STATELESS, UNCLEAR, citizenship
from simulation.assumptions import DOUBLE_FAMILY_NAME, SECOND_GIVEN_NAME, SINGLE_NAME
from simulation.chance import Chance
from simulation.figures import DATA

NUMBERS_FOR_FILMS: Final = ("030 23125", "069 90009", "040 66969", "0221 4710", "089 99998")
"""The five blocks of a thousand numbers each."""


class Origin(BaseModel):
    """A citizenship: the languages its people speak (ISO 639-3), the most usual first."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    languages: tuple[str, ...]


class Language(BaseModel):
    """A language by its ISO 639-3 code: `short` is ISO 639-1, `latin` whether it is written in Latin letters."""

    model_config = ConfigDict(frozen=True)
    short: str | None = None
    latin: bool


class Name(NamedTuple):
    """A name as it stands in the register; one of the two may be empty."""

    family: str
    given: str


class _Names(BaseModel):
    family: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    single: bool = False
    joined: str | None = None


@cache
def origins() -> dict[str, Origin]:
    """By Destatis key."""
    return TypeAdapter(dict[str, Origin]).validate_python(_yaml("origins.yaml"))


@cache
def languages() -> dict[str, Language]:
    """By ISO 639-3 code."""
    return TypeAdapter(dict[str, Language]).validate_python(_yaml("languages.yaml"))


def country(key: str) -> str | None:
    """The ISO 3166-1 code of a Destatis key; None for former states, stateless, unclear and not told."""
    code = citizenship(key)
    return None if code in (STATELESS, UNCLEAR) else code


def name(language: str, *, feminine: bool, chance: Chance) -> Name:
    """A name from the lists of a language."""
    lists = _names()[language]
    given_names = lists.women if feminine else lists.men
    family = _form(chance.one_of(lists.family), feminine=feminine)
    given = chance.one_of(given_names)
    if lists.single and chance.happens(SINGLE_NAME):
        return Name(given, "")
    if lists.joined or chance.happens(DOUBLE_FAMILY_NAME):
        second = _form(chance.one_of(lists.family), feminine=feminine)
        if second != family:
            family = f"{family}{lists.joined or '-'}{second}"
    if chance.happens(SECOND_GIVEN_NAME):
        given = with_second_given_name(given, language, feminine=feminine, chance=chance)
    return Name(family, given)


def with_second_given_name(given: str, language: str, *, feminine: bool, chance: Chance) -> str:
    """`given` followed by another given name of the language that is not yet part of it."""
    lists = _names()[language]
    others = [one for one in (lists.women if feminine else lists.men) if one not in given]
    return f"{given} {chance.one_of(others)}".strip()


def phone(index: int) -> str:
    """A number that nobody has; two people far apart may share one, as households do."""
    block, number = divmod(index, 1000)
    return f"{NUMBERS_FOR_FILMS[block % len(NUMBERS_FOR_FILMS)]} {number:03d}"


def email(index: int) -> str:
    """An address that nobody has, of this person alone."""
    return f"person-{index + 1}@example.org"


def _form(family: str, *, feminine: bool) -> str:
    common, _, of_women = family.partition("/")
    return of_women if feminine and of_women else common


@cache
def _names() -> dict[str, _Names]:
    return TypeAdapter(dict[str, _Names]).validate_python(_yaml("names.yaml"))


def _yaml(file: str) -> object:
    return yaml.safe_load((DATA / file).read_text(encoding="utf-8"))
