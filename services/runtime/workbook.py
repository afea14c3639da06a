"""The first sheet of an Excel workbook (.xlsx) as rows of text. For files that people hand in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, cast

MOST_UNPACKED: Final = 64 * 1024 * 1024
"""Bytes. A workbook is a packed file: a small one may unpack to more than a process has."""

_PACKED: Final = b"PK\x03\x04"


class BadWorkbook(Exception):
    """It cannot be read."""


class HugeWorkbook(BadWorkbook):
    """It is too large to be unpacked."""


def is_workbook(content: bytes) -> bool:
    return content.startswith(_PACKED)


def sheet_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each row with its number, from 1; formulas as what they came to, days as 2016-05-31. Raises `BadWorkbook` at any row."""
    from openpyxl import load_workbook  # noqa: PLC0415 - 15 MB that a service needs only once somebody brings such a file

    try:
        _unpackable(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet: Any = book.worksheets[0]
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, [_text(value) for value in cast("Sequence[object]", values)]
    except BadWorkbook:
        raise
    except Exception:  # noqa: BLE001 - a broken file makes openpyxl raise nearly anything; it is the file's fault
        raise BadWorkbook from None


def _unpackable(content: bytes) -> None:
    """Raises `HugeWorkbook`. The archive's directory says how large it becomes; more than that is never unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
            raise HugeWorkbook


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    return str(value)
