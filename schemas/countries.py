"""Countries (ISO 3166-1) and citizenships as the registers write them.

In events a citizenship is an ISO 3166-1 alpha-2 code (``XK`` for Kosovo, a code that users may assign), ``stateless`` or
``unclear``. `citizenship` reads what offices send: the Destatis key of the registers (three digits), an ISO code of two or
three letters, or one of the two words.

Keys of states that no longer exist (Yugoslavia, the Soviet Union, …) are valid in a register and still found there. Which
of the successor states such a person belongs to is not known from the key, so they read as ``unclear``; so does "no entry".
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import pycountry

STATELESS: Final = "stateless"
UNCLEAR: Final = "unclear"
KOSOVO: Final = "XK"

_SOURCE: Final = Path(__file__).with_name("data") / "citizenships.csv"
_STATELESS_KEY: Final = "997"
_KOSOVO_ALPHA_3: Final = "XKX"  # what the World Bank and the EU write; ISO has assigned none

# Accessions and the one withdrawal: https://european-union.europa.eu/principles-countries-history/eu-enlargement_en
_ACCESSIONS: Final = {
    date(1958, 1, 1): "BE DE FR IT LU NL",
    date(1973, 1, 1): "DK GB IE",
    date(1981, 1, 1): "GR",
    date(1986, 1, 1): "ES PT",
    date(1995, 1, 1): "AT FI SE",
    date(2004, 5, 1): "CY CZ EE HU LT LV MT PL SI SK",
    date(2007, 1, 1): "BG RO",
    date(2013, 7, 1): "HR",
}
_WITHDRAWALS: Final = {date(2020, 2, 1): "GB"}


class UnknownCitizenship(ValueError):
    """Neither a Destatis key nor an ISO 3166-1 code. The text does not repeat the entry: it may be anything."""

    def __init__(self) -> None:
        super().__init__("neither a citizenship key of the Federal Statistical Office nor an ISO 3166-1 code")


def citizenship(entry: str) -> str:
    """The code that events carry for what an office wrote; capitals and blanks around it do not matter."""
    try:
        return _citizenships()[entry.strip().upper()]
    except KeyError:
        raise UnknownCitizenship from None


def eu_members(on: date) -> frozenset[str]:
    """The member states of the European Union on a day: 28 in 2016, with the United Kingdom; 27 since February 2020."""
    joined = {state for day, states in _ACCESSIONS.items() if day <= on for state in states.split()}
    left = {state for day, states in _WITHDRAWALS.items() if day <= on for state in states.split()}
    return frozenset(joined - left)


@cache
def _citizenships() -> dict[str, str]:
    """Every accepted entry, in capitals, with its code."""
    codes = {STATELESS.upper(): STATELESS, UNCLEAR.upper(): UNCLEAR, KOSOVO: KOSOVO, _KOSOVO_ALPHA_3: KOSOVO}
    for country in pycountry.countries:
        codes[country.alpha_2] = codes[country.alpha_3] = country.alpha_2
    with _SOURCE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            codes[row["destatis"]] = row["iso3166"] or UNCLEAR
    codes[_STATELESS_KEY] = STATELESS
    return codes
