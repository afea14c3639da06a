"""The forty indicators as they are declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.places import districts, municipalities
from services.reporting.indicators import declared
from services.reporting.indicators.declared import DECLARED, INDICATORS, parse
from services.reporting.indicators.own import has_own

TEXT = (Path(declared.__file__).with_name("indicators.yaml")).read_text(encoding="utf-8")


def test_there_are_forty() -> None:
    assert len(INDICATORS) == 40


def test_only_an_indicator_that_is_declared_as_mixed_has_counts_of_our_own() -> None:
    assert {one.id for one in DECLARED.indicators if has_own(one.id)} == {
        one.id for one in DECLARED.indicators if one.feed == "mixed"
    }


@pytest.mark.parametrize(
    ("old", "new"), [("theme: legal", "theme: law"), ('id: "30"', 'id: "29"'), ("by: [sex]", "by: [shoe_size]")]
)
def test_a_declaration_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match="declared"):
        parse(TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("indicator", "place", "belongs"),
    [
        ("2", "03459", True),
        ("2", "034590014014", True),
        ("5.1", "034590014014", False),
        ("5.1", "03459", True),
        ("13.1", "03404", True),
        ("2", "03404", False),
        ("2", "03157", False),
    ],
)
def test_an_indicator_has_figures_of_its_places_alone(indicator: str, place: str, belongs: bool) -> None:
    assert INDICATORS[indicator].is_for(place, "03459") is belongs


def test_an_indicator_of_municipalities_has_figures_of_every_district_and_municipality_of_the_county() -> None:
    for district in districts("03459"):
        assert INDICATORS["2"].is_for(district.ars, "03459")
        assert not INDICATORS["2"].is_for(district.ars, "03157")
        for municipality in municipalities(district.ars):
            assert INDICATORS["2"].is_for(municipality.ars, "03459")
            assert INDICATORS["2"].is_for(municipality.ags, "03459")
