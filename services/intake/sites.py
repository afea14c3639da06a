"""What a county decided about its migration centre: sites, opening hours, languages, and how booking goes.

The concepts ask for decentral first counselling and a binding appointment ([000] 3.3.2) and leave the rest to the county. Until a
county has settings of its own, the defaults of this file hold: a site for each registration district, in the town of its registry office.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Final

from schemas.places import District, districts

TALK_MINUTES: Final = 60
"""One first talk; the "thorough and appreciative talk" of [000] needs an hour or more."""

DESKS: Final = 2
"""Counsellors who hold first talks at the same time at one site."""

OPENING: Final[Mapping[int, tuple[tuple[int, int], ...]]] = {
    0: ((9, 12), (13, 17)),
    1: ((9, 12), (13, 17)),
    2: ((9, 12),),
    3: ((9, 12), (13, 17)),
    4: ((9, 12),),
}
"""Hours by weekday, Monday 0: mornings, and three afternoons."""

LANGUAGES: Final = frozenset({"deu", "eng"})
"""What counsellors speak at every site, ISO 639-3. Who shares none of them gets an interpreter."""

LEAD_DAYS: Final = 3
"""Calendar days between booking and the first day on which a talk may take place: time to find an interpreter."""

FURTHEST_DAYS: Final = 730
"""Calendar days ahead from which on a first talk may be wished for, at most: two years."""

ROW_DIGEST_DAYS: Final = 30
"""After so many days (machine time) the digest of a file's row is destroyed; until then the row is known when it comes again."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place where first talks are held. `code` names it in events; `district` is the one it stands in and serves."""

    code: str
    district: str
    languages: frozenset[str] = LANGUAGES
    desks: int = DESKS
    opening: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=lambda: OPENING)

    def slots(self, day: date) -> tuple[str, ...]:
        """The slots of a working day, earliest first: wall-clock time in Germany and desk (``09:00/1``)."""
        return _slots(self.desks, tuple(self.opening.get(day.weekday(), ())))

    def interpreter_for(self, spoken: tuple[str, ...]) -> str | None:
        """The language to interpret, or None: the person shares one with the counsellors, or nobody knows what they speak."""
        if not spoken or self.languages.intersection(spoken):
            return None
        return spoken[0]


@dataclass(frozen=True, slots=True)
class CountyRules:
    """The settings of one county, as intake uses them."""

    county: str
    sites: Mapping[str, Site]
    lead_days: int = LEAD_DAYS
    furthest_days: int = FURTHEST_DAYS
    row_digest_days: int = ROW_DIGEST_DAYS

    def site_of(self, district: str) -> Site:
        """The site that serves a registration district."""
        return self.sites[district]


@cache
def rules_of(county: str) -> CountyRules:
    """The rules that hold in a county. Raises `schemas.places.UnknownPlace`."""
    return CountyRules(county, {district.ars: _site(district) for district in districts(county)})


def _site(district: District) -> Site:
    return Site(code=district.ars, district=district.ars)


@cache
def _slots(desks: int, opening: tuple[tuple[int, int], ...]) -> tuple[str, ...]:
    starts = [
        minute for begins, ends in opening for minute in range(begins * 60, ends * 60 - TALK_MINUTES + 1, TALK_MINUTES)
    ]
    return tuple(f"{minute // 60:02d}:{minute % 60:02d}/{desk}" for minute in starts for desk in range(1, desks + 1))
