"""How far two districts of a county are apart, as the crow flies between the points that lie inside them."""

from __future__ import annotations

from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Final

from schemas.places import UnknownPlace, district

EARTH_RADIUS_KM: Final = 6371.0088


@lru_cache(maxsize=16_384)
def distance_km(one: str, other: str) -> int | None:
    """Whole kilometres by the haversine formula; None when a key is not that of a known district."""
    try:
        here, there = district(one), district(other)
    except UnknownPlace:
        return None
    south, north = radians(here.latitude), radians(there.latitude)
    across = sin((north - south) / 2) ** 2
    along = cos(south) * cos(north) * sin(radians(there.longitude - here.longitude) / 2) ** 2
    return round(2 * EARTH_RADIUS_KM * asin(sqrt(across + along)))
