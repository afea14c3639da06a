"""What reporting has published of the year, held against what it counted: the one check that sees figures as a reader does.

A figure is not the count but near it: by how much it may differ, and which figures there are not, is what disclosure control promises
(docs/architecture/disclosure-control.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from schemas.codes import Role
from simulation.doors import OPERATOR, Doors, Who
from simulation.driver import evening
from simulation.rest import move_clocks, until_at_rest

READER: Final = Who(Role.REPORTER, "simulation")

MOST_CHANGED: Final = 7
"""A figure differs from its count by no more."""

NEVER: Final = (1, 2)
"""No figure about people is one of these."""

ALL: Final = "*"
PUBLIC: Final = ("seats",)
"""Tables of what is in everybody's directory: published as counted."""

DUE: Final = (3, 31)
"""Month and day of the following year on which the year's release is out."""

DAYS: Final = 5
"""So many days are gone through at most, in case events were still being read when the release was due."""


@dataclass(frozen=True)
class Compared:
    """`figures` of the year's release were compared; `most` is the largest difference; `differences` are sentences on what is not right."""

    figures: int
    not_shown: int
    most: int
    differences: Sequence[str]


async def compared(doors: Doors, year: int) -> Compared:
    """Let the time come in which the year is published, and compare."""
    name = f"{year}-final"
    day = date(year + 1, *DUE)
    for _ in range(DAYS):
        await move_clocks(doors, evening(day))
        await until_at_rest(doors)
        published = await doors.get("reporting", "/v1/releases", READER)
        if any(release["name"] == name for release in published["items"]):
            content = await doors.get("reporting", f"/v1/releases/{name}/content.json", READER)
            true = {
                table["name"]: await doors.get("reporting", f"/v1/tables/{table['name']}", OPERATOR, period=str(year))
                for table in content["tables"]
            }
            return compare(content, true)
        day += timedelta(days=1)
    return Compared(0, 0, 0, [f"Reporting has not published {name}, which was due {DAYS} days ago."])


def compare(content: Mapping[str, Any], true: Mapping[str, Mapping[str, Any]]) -> Compared:
    """A release beside the true counts of its tables, as an operator is told them. Pure."""
    differences: list[str] = []
    figures = not_shown = most = 0
    for table in content["tables"]:
        counts = _sets(true[table["name"]])
        for one in table["observations"]:
            count, figure = counts[tuple(one["values"])], one["figure"]
            where = f"{table['name']} {one['period']} {'/'.join(one['values'])}"
            if figure is None:
                not_shown += 1
                continue
            figures += 1
            most = max(most, abs(figure - count))
            differences += _wrong(where, figure, count, public=table["name"] in PUBLIC)
    return Compared(figures, not_shown, most, differences)


def _wrong(where: str, figure: int, count: int, *, public: bool) -> Iterator[str]:
    if public:
        if figure != count:
            yield f"{where} is no matter of persons, and is published as {figure} instead of {count}."
    elif abs(figure - count) > MOST_CHANGED:
        yield f"{where} is published as {figure}, which is further from {count} than {MOST_CHANGED}."
    elif figure in NEVER:
        yield f"{where} is published as {figure}, which no figure may be."
    elif not count and figure:
        yield f"{where} is published as {figure}, and there is nobody."


def _sets(counted: Mapping[str, Any]) -> Counter[tuple[str, ...]]:
    """The counts of a year by each combination of values, with `ALL` for all of a dimension together."""
    sets: Counter[tuple[str, ...]] = Counter()
    for item in counted["items"]:
        wholes: list[tuple[str, ...]] = [()]
        for value in item["values"].values():
            wholes = [(*whole, one) for whole in wholes for one in (value, ALL)]
        sets.update(dict.fromkeys(wholes, item["count"]))
    return sets
