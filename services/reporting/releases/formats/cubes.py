"""The tables of a release as cubes: what JSON-stat and SDMX have in common. A cube is a table for all periods of one length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.labels import Label
from services.reporting.disclosure.sets import ALL, Span, span_of
from services.reporting.releases.codes import TOTAL, code_list
from services.reporting.releases.content import Content, Observation
from services.reporting.tables import DECLARED, Table

FREQUENCY: Final = {Span.MONTH: "M", Span.QUARTER: "Q", Span.YEAR: "A"}
"""CL_FREQ of SDMX."""

DIMENSION_TITLES: Final[Mapping[str, Label]] = {
    name: dimension.title for name, dimension in DECLARED.dimensions.items()
}


@dataclass(frozen=True)
class Cube:
    """`codes` of each dimension, the total first, with their words; only those that occur."""

    table: str
    span: Span
    periods: tuple[str, ...]
    codes: Mapping[str, Mapping[str, Label]]
    observations: tuple[Observation, ...]

    @property
    def declared(self) -> Table:
        return DECLARED.tables[self.table]


def cubes(content: Content) -> Iterator[Cube]:
    """All cubes of a release, in the order of its tables."""
    for table in content.tables:
        for span in Span:
            observations = tuple(one for one in table.observations if span_of(one.period) is span)
            if observations:
                yield Cube(
                    table.name,
                    span,
                    tuple(dict.fromkeys(one.period for one in observations)),
                    {
                        dimension: _codes(dimension, content.county, [one.values[place] for one in observations])
                        for place, dimension in enumerate(DECLARED.tables[table.name].dimensions)
                    },
                    observations,
                )


def _codes(dimension: str, county: str, values: list[str]) -> Mapping[str, Label]:
    occur = dict.fromkeys(values)
    listed = {ALL: TOTAL, **code_list(dimension, county)}
    known = {code: label for code, label in listed.items() if code in occur}
    return known | {code: Label(de=code, en=code) for code in occur if code not in known}
