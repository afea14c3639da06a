"""A made-up county and its year: districts, partners, offers, and people in the order in which they arrive.

`generate` is cheap: people are made one by one when asked for and never kept. The queue of arrivals is spread over the year by the months'
weights, so person number k of n moves in where k/n of the year's arrivals have come.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import accumulate
from typing import Final

from schemas.places import District, Municipality, districts, municipalities
from simulation import figures
from simulation.assumptions import EQUAL_MUNICIPALITIES_OF_A_DISTRICT, MONTH_WEIGHTS
from simulation.chance import Odds
from simulation.partners import Offer, Partner, offers, partners
from simulation.people import Person, Surroundings, person

STANDARD_YEAR: Final = 2016
STANDARD_SEED: Final = 1


@dataclass(frozen=True)
class County:
    """What `generate` made. `size` is the number of people."""

    key: str
    name: str
    year: int
    seed: int
    size: int
    districts: tuple[District, ...]
    partners: tuple[Partner, ...]
    surroundings: Surroundings

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """The offers of the year, made when somebody first asks: who wants only people does not wait for them."""
        weights = figures.district_weights(self.key, [area.ars for area in self.districts])
        return offers(self.seed, self.year, self.size, Odds(weights), self.surroundings.groups)

    def person(self, index: int) -> Person:
        """The person at this place in the queue, from 0. Raises IndexError beyond the last."""
        if not 0 <= index < self.size:
            raise IndexError(f"there are {self.size} people, no number {index}")
        return person(index, self.arrival_day(index), self.surroundings)

    def people(self) -> Iterator[Person]:
        """Everybody, in the order of arrival. Nobody is kept: ask again for another round."""
        return (self.person(index) for index in range(self.size))

    def arrival_day(self, index: int) -> date:
        """The day on which person number `index` moves in."""
        days = _arrived_by(self.year)
        place = bisect_right(days, (index + 0.5) / self.size * days[-1])
        return date(self.year, 1, 1) + timedelta(days=place)


def generate(
    county: str = figures.STANDARD_COUNTY,
    people: int | None = None,
    year: int = STANDARD_YEAR,
    seed: int = STANDARD_SEED,
) -> County:
    """A county's year. Without `people` as many as the county published for that year.

    Raises `figures.NotPublished` where there is no such number, `schemas.places.UnknownPlace` for a county that is not in the list,
    ValueError for fewer than one person.
    """
    size = figures.arrivals(county, year) if people is None else people
    if size < 1:
        raise ValueError("a county needs at least one person")
    areas = districts(county)
    weights = figures.district_weights(county, [area.ars for area in areas])
    by_district, groups = Odds(weights), Odds(figures.group_shares(county))
    return County(
        key=county,
        name=figures.figures_of(county).name,
        year=year,
        seed=seed,
        size=size,
        districts=areas,
        partners=partners(seed, by_district),
        surroundings=Surroundings(seed, year, groups, _places(areas, weights)),
    )


def _places(areas: Sequence[District], weights: dict[str, float]) -> Odds[Municipality]:
    """Municipalities share the weight of their district."""
    return Odds(
        {
            place: weights[area.ars] * EQUAL_MUNICIPALITIES_OF_A_DISTRICT / len(municipalities(area.ars))
            for area in areas
            for place in municipalities(area.ars)
        }
    )


@cache
def _arrived_by(year: int) -> tuple[float, ...]:
    """Relative arrivals from the beginning of the year to the end of each of its days."""
    new_year = date(year, 1, 1)
    length = (date(year + 1, 1, 1) - new_year).days
    return tuple(accumulate(MONTH_WEIGHTS[(new_year + timedelta(days=day)).month - 1] for day in range(length)))
