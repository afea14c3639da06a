"""The places of the counties: registration districts and municipalities by their official keys.

A registration district is where a registry office stands: a single municipality (Einheitsgemeinde) or a Samtgemeinde, named
by the first nine digits of the ARS. The 8-digit AGS knows no Samtgemeinden: it gives Landkreis Osnabrück 34 municipalities,
where it has 21 districts. So a district is never cut out of an AGS; `locate` looks it up.

The list is read once, at the first question; every answer after that is one dictionary look-up. Unknown keys raise
`UnknownPlace`, whose text does not repeat the key: in a shifted column it may be somebody's name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

_SOURCE: Final = Path(__file__).with_name("data") / "places.csv"


class PlaceKind(StrEnum):
    """What a place is by law, in the official word."""

    LANDKREIS = "Landkreis"
    EINHEITSGEMEINDE = "Einheitsgemeinde"
    SAMTGEMEINDE = "Samtgemeinde"
    GEMEINDE = "Gemeinde"
    STADT = "Stadt"
    GEMEINDEFREIES_GEBIET = "Gemeindefreies Gebiet"


@dataclass(frozen=True, slots=True)
class County:
    """A tenant. `ars` has 5 digits."""

    ars: str
    name: str


@dataclass(frozen=True, slots=True)
class District:
    """A registration district. `ars` has 9 digits, `county` is the county's key; the point lies inside it (WGS84, degrees)."""

    ars: str
    name: str
    kind: PlaceKind
    county: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Municipality:
    """`ars` has 12 digits, `ags` 8; `district` and `county` are keys; the point lies inside it (WGS84, degrees)."""

    ars: str
    ags: str
    name: str
    kind: PlaceKind
    county: str
    district: str
    longitude: float
    latitude: float


class Location(NamedTuple):
    """A district, and the municipality in it where the key says so."""

    district: District
    municipality: Municipality | None


class UnknownPlace(LookupError):
    """No place of the known counties has this key."""

    def __init__(self) -> None:
        super().__init__("no county, district or municipality of the known counties has this key")


def counties() -> tuple[County, ...]:
    """All counties, by key."""
    return tuple(_places().counties.values())


def districts(county: str) -> tuple[District, ...]:
    """The districts of a county, by key."""
    return _known(_places().districts_of, county)


def municipalities(district: str) -> tuple[Municipality, ...]:
    """The municipalities of a district, by key: one, or the members of a Samtgemeinde."""
    return _known(_places().municipalities_of, district)


def county(ars: str) -> County:
    """The county with this 5-digit key."""
    return _known(_places().counties, ars)


def district(ars: str) -> District:
    """The district with this 9-digit key."""
    return _known(_places().districts, ars)


def municipality(ars: str) -> Municipality:
    """The municipality with this 12-digit key."""
    return _known(_places().municipalities, ars)


def locate(key: str) -> Location:
    """The place that an office means by a key: a district (9 digits), or a municipality by its ARS (12) or AGS (8)."""
    return _known(_places().locations, key)


@dataclass(frozen=True, slots=True)
class _Places:
    counties: dict[str, County]
    districts: dict[str, District]
    municipalities: dict[str, Municipality]
    districts_of: dict[str, tuple[District, ...]]
    municipalities_of: dict[str, tuple[Municipality, ...]]
    locations: dict[str, Location]


P = TypeVar("P")


def _known(places: dict[str, P], key: str) -> P:
    try:
        return places[key]
    except KeyError:
        raise UnknownPlace from None


@cache
def _places() -> _Places:
    with _SOURCE.open(encoding="utf-8", newline="") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["ars"])
    counties = {row["ars"]: County(row["ars"], row["name"]) for row in rows if len(row["ars"]) == 5}
    districts = {
        row["ars"]: District(
            ars=row["ars"],
            name=row["name"],
            kind=PlaceKind(row["kind"]),
            county=row["county"],
            longitude=float(row["lon"]),
            latitude=float(row["lat"]),
        )
        for row in rows
        if len(row["ars"]) == 9
    }
    municipalities = {
        row["ars"]: Municipality(
            ars=row["ars"],
            ags=row["ags"],
            name=row["name"],
            kind=PlaceKind(row["kind"]),
            county=row["county"],
            district=row["district"],
            longitude=float(row["lon"]),
            latitude=float(row["lat"]),
        )
        for row in rows
        if len(row["ars"]) == 12
    }
    locations = {ars: Location(district, None) for ars, district in districts.items()}
    for place in municipalities.values():
        locations[place.ars] = locations[place.ags] = Location(districts[place.district], place)
    return _Places(
        counties=counties,
        districts=districts,
        municipalities=municipalities,
        districts_of={key: tuple(d for d in districts.values() if d.county == key) for key in counties},
        municipalities_of={key: tuple(m for m in municipalities.values() if m.district == key) for key in districts},
        locations=locations,
    )
