"""Districts and municipalities: the right numbers, and the trap between ARS and AGS."""

from __future__ import annotations

import pytest

from schemas.places import (
    PlaceKind,
    UnknownPlace,
    counties,
    county,
    district,
    districts,
    locate,
    municipalities,
    municipality,
)

ALL_DISTRICTS = [place for tenant in counties() for place in districts(tenant.ars)]
ALL_MUNICIPALITIES = [member for place in ALL_DISTRICTS for member in municipalities(place.ars)]


@pytest.mark.parametrize(
    ("key", "name", "count"),
    [("03459", "Landkreis Osnabrück", 21), ("03358", "Landkreis Heidekreis", 12), ("03157", "Landkreis Peine", 7)],
)
def test_each_county_has_its_districts(key: str, name: str, count: int) -> None:
    assert county(key).name == name
    assert len(districts(key)) == count


def test_there_are_40_districts_with_64_municipalities() -> None:
    assert len(ALL_DISTRICTS) == 40
    assert len({place.ars for place in ALL_MUNICIPALITIES}) == 64


def test_osnabrueck_has_17_single_municipalities_and_4_samtgemeinden_of_34_municipalities() -> None:
    kinds = [place.kind for place in districts("03459")]
    assert kinds.count(PlaceKind.EINHEITSGEMEINDE) == 17
    assert kinds.count(PlaceKind.SAMTGEMEINDE) == 4
    assert len([place for place in ALL_MUNICIPALITIES if place.county == "03459"]) == 34


def test_a_member_of_a_samtgemeinde_is_registered_at_the_samtgemeinde() -> None:
    by_ags, by_ars = locate("03459030"), locate("034595401030")
    assert by_ags == by_ars
    assert by_ags.municipality == municipality("034595401030")
    assert by_ags.municipality is not None
    assert by_ags.municipality.name == "Quakenbrück"
    assert by_ags.district.name == "Artland"
    assert by_ags.district.ars == "034595401"


def test_a_district_key_says_nothing_about_the_municipality() -> None:
    assert locate("034595401") == (district("034595401"), None)


def test_the_unincorporated_area_osterheide_is_a_district_of_its_own() -> None:
    osterheide = locate("03358501")
    assert osterheide.district.kind is PlaceKind.GEMEINDEFREIES_GEBIET
    assert osterheide.district.county == "03358"


def test_every_municipality_is_found_by_its_ars_and_its_ags() -> None:
    for place in ALL_MUNICIPALITIES:
        assert locate(place.ars) == locate(place.ags) == (district(place.district), place)
        assert place.ars.startswith(place.district)
        assert district(place.district).county == place.county


def test_every_place_lies_in_lower_saxony() -> None:
    for place in [*ALL_DISTRICTS, *ALL_MUNICIPALITIES]:
        assert 7.6 < place.longitude < 10.5
        assert 52.0 < place.latitude < 53.3


@pytest.mark.parametrize("key", ["", "03459", "03404000", "3459024", "034599999"])
def test_an_unknown_key_is_refused(key: str) -> None:
    with pytest.raises(UnknownPlace):
        locate(key)


def test_a_name_in_the_wrong_column_does_not_get_into_the_error() -> None:
    with pytest.raises(UnknownPlace) as refused:
        locate("Anna Beispiel")
    assert "Anna" not in str(refused.value)


def test_each_level_knows_its_own_keys_only() -> None:
    for look_up in (county, district, municipality, districts, municipalities):
        with pytest.raises(UnknownPlace):
            look_up("03459024")
