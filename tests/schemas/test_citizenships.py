"""Citizenships as registers write them, and languages as people name them."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest

import schemas
from schemas.countries import UnknownCitizenship, citizenship, eu_members
from schemas.languages import UnknownLanguage, language

SOURCE = Path(schemas.__file__).parent / "data" / "citizenships.csv"
with SOURCE.open(encoding="utf-8") as lines:
    KEYS = {row["destatis"]: row["kind"] for row in csv.DictReader(lines)}


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("163", "TR"),
        ("TR", "TR"),
        ("TUR", "TR"),
        (" tur ", "TR"),
        ("000", "DE"),
        ("150", "XK"),
        ("XK", "XK"),
        ("XKX", "XK"),
        ("997", "stateless"),
        ("stateless", "stateless"),
        ("998", "unclear"),
        ("999", "unclear"),
        ("unclear", "unclear"),
    ],
)
def test_a_citizenship_is_read_from_register_keys_and_iso_codes(entry: str, code: str) -> None:
    assert citizenship(entry) == code


@pytest.mark.parametrize("former", [key for key, kind in KEYS.items() if kind == "former"])
def test_a_state_that_no_longer_exists_is_valid_and_unclear(former: str) -> None:
    assert citizenship(former) == "unclear"


def test_all_210_register_keys_are_valid_and_the_199_current_ones_are_countries() -> None:
    assert len(KEYS) == 210
    countries = {citizenship(key) for key, kind in KEYS.items() if kind == "current"}
    assert len(countries) == 199
    assert all(re.fullmatch("[A-Z]{2}", code) and citizenship(code) == code for code in countries)


@pytest.mark.parametrize("entry", ["", "16", "1630", "777", "ZZ", "Türkei"])
def test_what_is_no_citizenship_is_refused(entry: str) -> None:
    with pytest.raises(UnknownCitizenship):
        citizenship(entry)


def test_a_name_in_the_wrong_column_does_not_get_into_the_error() -> None:
    with pytest.raises(UnknownCitizenship) as citizenship_refused:
        citizenship("Anna Beispiel")
    with pytest.raises(UnknownLanguage) as language_refused:
        language("Anna Beispiel")
    assert "Anna" not in f"{citizenship_refused.value} {language_refused.value}"


def test_the_european_union_had_28_members_in_2016_and_27_since_february_2020() -> None:
    in_2016 = eu_members(date(2016, 12, 31))
    assert len(in_2016) == 28
    assert in_2016 - eu_members(date(2020, 2, 1)) == {"GB"}
    assert "GB" in eu_members(date(2020, 1, 31))
    assert eu_members(date(2013, 7, 1)) - eu_members(date(2013, 6, 30)) == {"HR"}
    assert all(citizenship(state) == state for state in in_2016)


@pytest.mark.parametrize(
    ("entry", "code"),
    [("deu", "deu"), ("de", "deu"), ("ger", "deu"), ("DE", "deu"), ("ar", "ara"), ("kmr", "kmr"), (" uk ", "ukr")],
)
def test_a_language_is_read_from_any_iso_639_code(entry: str, code: str) -> None:
    assert language(entry) == code


@pytest.mark.parametrize("entry", ["", "d", "xx", "und", "mul", "zxx", "mis", "Deutsch"])
def test_what_is_no_language_is_refused(entry: str) -> None:
    with pytest.raises(UnknownLanguage):
        language(entry)
