"""The release as it is, in JSON; and all its figures in one tidy CSV: a figure a line."""

from __future__ import annotations

import csv
import io
from typing import Final

from services.reporting.disclosure.sets import span_of
from services.reporting.releases.codes import words
from services.reporting.releases.content import Content
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


def content_json(content: Content) -> bytes:
    """What `Content.model_validate_json` reads."""
    return content.model_dump_json().encode()


def tidy_csv(content: Content) -> bytes:
    """UTF-8 without a byte order mark, comma, dot, line feed: as CSV on the Web expects it."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for table in content.tables:
        dimensions = DECLARED.tables[table.name].dimensions
        for one in table.observations:
            by: list[str] = []
            for dimension, value in zip(dimensions, one.values, strict=True):
                label = words(dimension, value, content.county)
                by += [dimension, value, label.de, label.en]
            by += [""] * (8 - len(by))
            figure = "" if one.figure is None else one.figure
            lines.writerow([table.name, one.period, span_of(one.period).value, *by, figure, content.status(one).value])
    return text.getvalue().encode()
