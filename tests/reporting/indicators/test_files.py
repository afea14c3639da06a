"""What can be read from a supplier's file."""

from __future__ import annotations

import io
from datetime import date

import pytest
from openpyxl import Workbook

from services.reporting.indicators.files import BadFile, read

HEADING = "Kennzahl;Jahr;Ort;Gliederung;Wert;Einheit;Quelle;Stand\n"


def csv(*lines: str) -> bytes:
    return (HEADING + "\n".join(lines)).encode()


def value_of(written: str, unit: str = "Anzahl") -> tuple[str | None, str]:
    rows, _ = read(csv(f"2;2016;03459;;{written};{unit};LSN;31.12.2016"))
    return rows[0].said.value, rows[0].said.mark


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("26861", "26861"),
        ("26.861", "26861"),
        ("26 861", "26861"),
        ("1.234.567", "1234567"),
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1.234,50", "1234.5"),
        ("1,234.5", "1234.5"),
        ("23,9 %", "23.9"),
        ("-12", "-12"),
        ("0", "0"),
    ],
)
def test_a_number_is_read_as_germans_and_others_write_it(written: str, value: str) -> None:
    assert value_of(written) == (value, "")


@pytest.mark.parametrize("mark", [".", "*", "x", "/", "...", "…"])
def test_a_value_that_the_supplier_does_not_show_is_no_zero(mark: str) -> None:
    assert value_of(mark) == (None, mark)


def test_a_dash_is_a_zero_whose_sign_is_remembered() -> None:
    assert value_of("–") == ("0", "–")


def test_a_row_says_what_it_is_broken_down_by() -> None:
    rows, faults = read(csv("2;2016;03459;sex=female|age_group=0-15;12;Anzahl;LSN;2016-12-31"))

    assert faults == []
    assert rows[0].parts == (("age_group", "0-15"), ("sex", "female"))
    assert rows[0].said.stand == date(2016, 12, 31)


def test_each_bad_row_names_its_line_and_its_columns_and_the_good_ones_are_read() -> None:
    rows, faults = read(
        csv(
            "2;2016;03459;;26861;Anzahl;LSN;31.12.2016",
            "99;16;03459;sex;viele;Euro;LSN;gestern",
            ";2016;03459;;1;Anzahl;;31.12.2016",
        )
    )

    assert [row.line for row in rows] == [2]
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (3, "indicator", "indicator-unknown"),
        (3, "year", "year-unreadable"),
        (3, "unit", "unit-unknown"),
        (3, "stand", "date-unreadable"),
        (3, "breakdown", "breakdown-unreadable"),
        (3, "value", "value-unreadable"),
        (4, "indicator", "missing"),
        (4, "source", "missing"),
    ]


def test_a_workbook_is_read_like_a_csv_file_whatever_its_cells_are() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["indicator", "year", "place", "breakdown", "value", "unit", "source", "date"])
    sheet.append(["2", 2016, "03459", None, 26861, "number", "LSN", date(2016, 12, 31)])
    sheet.append([5.1, 2016, "03459", None, 12.0, "number", "AZR", date(2016, 12, 31)])
    sheet.append([None] * 8)
    packed = io.BytesIO()
    book.save(packed)

    rows, faults = read(packed.getvalue())

    assert faults == []
    assert [(row.line, row.indicator, row.said.value) for row in rows] == [(2, "2", "26861"), (3, "5.1", "12")]


def test_a_file_in_the_old_encoding_of_windows_is_read() -> None:
    rows, _ = read((HEADING + "2;2016;03459;;1;Anzahl;Behörde für Zahlen;31.12.2016").encode("cp1252"))

    assert rows[0].said.source == "Behörde für Zahlen"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "figures-heading-missing"),
        (b"Name;Vorname\n", "figures-heading-missing"),
        (b"PK\x03\x04 no workbook", "figures-file-unreadable"),
        (HEADING.encode() + b"2;2016;03459;;1;Anzahl;LSN;2016-12-31\n" * 5001, "figures-too-many-rows"),
        (b"x" * (4 * 1024 * 1024 + 1), "figures-file-too-large"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(content: bytes, code: str) -> None:
    with pytest.raises(BadFile) as bad:
        read(content)
    assert bad.value.code == code
