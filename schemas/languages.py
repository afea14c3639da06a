"""Languages: ISO 639-3, which names every language a person may speak.

`language` reads what people and offices write: three letters (ISO 639-3, or the older bibliographic codes such as ``ger``)
or two (ISO 639-1). The answer is always the code of ISO 639-3. Macrolanguages (``ara``, ``kur``) are valid: they are what is
asked for at a counter. The four codes that name no language (``mis``, ``mul``, ``und``, ``zxx``) are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import cast

import pycountry
from pycountry.db import Data


class UnknownLanguage(ValueError):
    """Not a code of ISO 639. The text does not repeat the entry: it may be anything."""

    def __init__(self) -> None:
        super().__init__("not a language code of ISO 639-3 or ISO 639-1")


def language(entry: str) -> str:
    """The ISO 639-3 code for what was written; capitals and blanks around it do not matter."""
    try:
        return _languages()[entry.strip().lower()]
    except KeyError:
        raise UnknownLanguage from None


def name_of(code: str) -> str:
    """The English name of a language by its ISO 639-3 code; the code itself when there is none."""
    return _names().get(code, code)


@cache
def _names() -> dict[str, str]:
    return {known.alpha_3: known.name for known in cast("Iterable[Data]", pycountry.languages)}


@cache
def _languages() -> dict[str, str]:
    codes: dict[str, str] = {}
    for known in cast("Iterable[Data]", pycountry.languages):
        if known.scope == "S":  # special: no language
            continue
        code = known.alpha_3
        for entry in (code, getattr(known, "alpha_2", None), getattr(known, "bibliographic", None)):
            if entry:
                codes[entry] = code
    return codes
