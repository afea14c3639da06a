"""The published figures, and what follows from them without adding a number.

`figures_of` gives a county's own; `arrivals` the published number of a year; `group_shares` the published split of the foreign population;
`district_weights` spreads arrivals over districts so that the lowest, the highest and the county's own published share of foreigners
all hold. What a county did not publish is taken from the standard county (an assumption).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from simulation.assumptions import EQUAL_POPULATION_OF_DISTRICTS, FOREIGN_SHARE_ORDER, STANDARD_COUNTY

DATA: Final = Path(__file__).parent / "data"
SEX_PUBLISHED_BY: Final = "03358"


class NotPublished(LookupError):
    """No county document gives this figure; the message says what can be done."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Population(_Facts):
    total: int
    foreign_only: int


class ForeignPopulation(_Facts):
    total: int
    eu: int
    protection_seekers: int | None = None
    other_third_country: int | None = None


class ForeignShares(_Facts):
    """Lowest and highest share of foreigners among a county's municipalities, where the county gave them."""

    lowest: float | None = None
    highest: float | None = None


class SexShares(_Facts):
    male: float


class CountyFigures(_Facts):
    """One county's entry in `data/published_figures.yaml`."""

    name: str
    municipalities: int | None = None
    population: Population | None = None
    foreign_population: ForeignPopulation | None = None
    arrivals_from_abroad: dict[int, int] = {}
    foreign_share_by_municipality: ForeignShares = ForeignShares()
    sex: SexShares | None = None


@cache
def _published() -> dict[str, CountyFigures]:
    text = (DATA / "published_figures.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, dict[str, CountyFigures]]).validate_python(yaml.safe_load(text))["counties"]


def figures_of(county: str) -> CountyFigures:
    """Raises `NotPublished` for a county without an entry."""
    try:
        return _published()[county]
    except KeyError:
        raise NotPublished(f"County {county} has no published figures; known are {', '.join(_published())}.") from None


def arrivals(county: str, year: int) -> int:
    """Direct entries from abroad in a year. Raises `NotPublished` where the county gave none."""
    published = figures_of(county).arrivals_from_abroad
    try:
        return published[year]
    except KeyError:
        known = ", ".join(map(str, published)) or "none"
        raise NotPublished(
            f"{figures_of(county).name} published no number of arrivals for {year} (published: {known}). Say how many people to generate."
        ) from None


def group_shares(county: str) -> dict[str, float]:
    """Shares of EU citizens, other third-country people and protection seekers, as in the foreign population."""
    for candidate in (county, STANDARD_COUNTY):
        people = figures_of(candidate).foreign_population
        if people and people.protection_seekers and people.other_third_country:
            third, refugee = people.other_third_country, people.protection_seekers
            return {"eu": people.eu / people.total, "third": third / people.total, "refugee": refugee / people.total}
    raise NotPublished("No county published its foreign population by group.")


def male_share() -> float:
    """Share of men among foreigners, of the one county that published it."""
    sex = figures_of(SEX_PUBLISHED_BY).sex
    if sex is None:
        raise NotPublished("No county published its foreign population by sex.")
    return sex.male


def district_weights(county: str, districts: Sequence[str]) -> dict[str, float]:
    """Relative numbers of newcomers for each district.

    Districts count as equally large. Their shares of foreigners climb from the lowest to the highest published one along a power curve
    whose steepness is chosen so that their mean is the county's own share; which district stands where is a made-up order.
    """
    own = figures_of(county)
    standard = own if own.population and own.foreign_share_by_municipality.lowest else figures_of(STANDARD_COUNTY)
    population, spread = standard.population, standard.foreign_share_by_municipality
    if population is None or spread.lowest is None or spread.highest is None:
        raise NotPublished("No county published the spread of its shares of foreigners.")
    ordered = sorted(
        districts, key=lambda key: blake2b(f"{FOREIGN_SHARE_ORDER} {key}".encode(), digest_size=8).digest()
    )
    steps = [place / max(1, len(ordered) - 1) for place in range(len(ordered))]
    mean = (population.foreign_only / population.total - spread.lowest) / (spread.highest - spread.lowest)
    steepness = _power_with_mean(steps, mean)
    return {
        key: EQUAL_POPULATION_OF_DISTRICTS * (spread.lowest + (spread.highest - spread.lowest) * step**steepness)
        for key, step in zip(ordered, steps, strict=True)
    }


def _power_with_mean(steps: Sequence[float], mean: float) -> float:
    """The p for which the mean of step**p is `mean`, by halving; the mean falls as p grows."""
    low, high = 0.01, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        if sum(step**middle for step in steps) / len(steps) > mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2
