"""Reads a file of 100,000 different people and tells, as JSON, how much the process grew after the first 10,000.

    python -m tests.intake.hundred_thousand

A process of its own, because the highest memory of a process is never forgotten.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta

from services.intake.columns import COLUMNS, Entries
from services.intake.csv_rows import CsvRows
from services.intake.rows import RowReader
from services.intake.spool import Spool
from tests.intake.office import COUNTY

ROWS = 100_000


def parts() -> Iterator[bytes]:
    yield (";".join(column.heading for column in COLUMNS) + "\r\n").encode()
    for number in range(ROWS):
        born = date(1950, 1, 1) + timedelta(days=number % 20_000)
        name = f"{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}{chr(97 + number // 676 % 26)}ańska"
        yield (
            f"{name};Żaneta {name};{born:%d.%m.%Y};w;152;03459014;04.01.2016;ausland;;pl en;"
            f"0541 {number:06};p{number}@example.org;ja;pl;2016-1;ja;eu\r\n"
        ).encode()


def main() -> None:
    with Spool() as spool:
        for part in parts():
            spool.write(part)
        began, after_some, rows = time.perf_counter(), 0, 0
        text = CsvRows(spool.text())
        reader = RowReader(COUNTY, date(2016, 2, 1), text.headings.order)
        for _, cells in text:
            if cells is not None and isinstance(reader.read(cells), Entries):
                rows += 1
            if rows == ROWS // 10:
                after_some = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - after_some
    json.dump({"rows": rows, "grown_kib": grown, "rows_per_second": round(rows / seconds)}, sys.stdout)


if __name__ == "__main__":
    main()
