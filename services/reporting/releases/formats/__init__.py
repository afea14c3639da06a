"""The formats of a release: each a pure function from its content to the bytes of a file, the same bytes for the same content.

Whatever a consumer reads, it reads the same figures: `tests/reporting/test_formats.py` reads every file back with the library of its
format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from services.reporting.releases.content import Content
from services.reporting.releases.formats.described import csvw, datapackage
from services.reporting.releases.formats.jsonstat import jsonstat
from services.reporting.releases.formats.parquet import PARQUET_FILE, parquet
from services.reporting.releases.formats.plain import CONTENT_FILE, FIGURES_FILE, content_json, tidy_csv
from services.reporting.releases.formats.sdmx import sdmx_csv, sdmx_json


class Written(NamedTuple):
    """A file as it is published."""

    name: str
    media_type: str
    content: bytes


def written(content: Content) -> Iterator[Written]:
    """All files of a release, one after the other."""
    from services.reporting.releases.formats.excel import (  # noqa: PLC0415 - a sixth of the start, and 15 MB, for a few times a year
        WORKBOOKS,
        workbook,
    )

    yield Written(CONTENT_FILE, "application/json", content_json(content))
    yield Written(FIGURES_FILE, "text/csv; charset=utf-8; header=present", tidy_csv(content))
    yield Written(f"{FIGURES_FILE}-metadata.json", "application/csvm+json", csvw(content))
    yield Written("datapackage.json", "application/json", datapackage(content))
    yield Written(PARQUET_FILE, "application/vnd.apache.parquet", parquet(content))
    for language, name in WORKBOOKS.items():
        yield Written(
            name, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook(content, language)
        )
    yield Written("figures.jsonstat.json", "application/json", jsonstat(content))
    yield Written("figures.sdmx.json", "application/vnd.sdmx.data+json;version=2.0.0", sdmx_json(content))
    for table in content.tables:
        yield Written(f"{table.name}.sdmx.csv", "application/vnd.sdmx.data+csv;version=2.0.0", sdmx_csv(content, table))
