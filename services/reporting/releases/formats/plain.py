"""The release as it is, in JSON; and all its figures in one tidy CSV: a figure a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from services.reporting.disclosure.sets import span_of
from services.reporting.releases.codes import words
from services.reporting.releases.content import Content, Observation
from services.reporting.tables import DECLARED

CONTENT_FILE: Final = "content.json"
FIGURES_FILE: Final = "figures.csv"

COLUMNS: Final = (
    "table",
    "period",
    "span",
    "dimension_1",
    "value_1",
    "label_1_de",
    "label_1_en",
    "dimension_2",
    "value_2",
    "label_2_de",
    "label_2_en",
    "figure",
    "status",
)
"""A table of one dimension leaves those of the second empty. `figure` is empty where it is not shown, and `status` then C."""

FIGURE: Final = COLUMNS.index("figure")

Row = tuple[str | int | None, ...]
"""A line, in the order of `COLUMNS`; None is an empty field."""


def content_json(content: Content) -> bytes:
    """What `Content.model_validate_json` reads."""
    return content.model_dump_json().encode()


def rows(content: Content) -> Iterator[Row]:
    """All figures of a release, each with its codes and words."""
    for table in content.tables:
        for one in table.observations:
            yield row(content, table.name, one)


def row(content: Content, table: str, one: Observation) -> Row:
    """One figure."""
    by: list[str | None] = []
    for dimension, value in zip(DECLARED.tables[table].dimensions, one.values, strict=True):
        label = words(dimension, value, content.county)
        by += [dimension, value, label.de, label.en]
    by += [None] * (8 - len(by))
    return (table, one.period, span_of(one.period).value, *by, one.figure, content.status(one).value)


def tidy_csv(content: Content) -> bytes:
    """UTF-8 without a byte order mark, comma, dot, line feed: as CSV on the Web expects it."""
    return lines_of(rows(content))


def lines_of(known: Iterable[Row]) -> bytes:
    """Rows as a tidy CSV, with its heading."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(known)  # None is written as an empty field
    return text.getvalue().encode()
