"""A file as offices really send it: whatever its encoding, separator, headings and line ends, the same rows are read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.columns import COLUMNS, Entries
from services.intake.csv_rows import LONGEST_ROW, BadFile
from services.intake.spool import Spool, UnreadableEncoding
from services.intake.values import Flaw
from simulation.county import generate
from simulation.files import office_files
from simulation.rows import Fate, fate_of
from tests.intake.files import GOOD, HEADINGS, SHORT, full, read, text

ONE = Entries(
    family_name="Müller",
    given_names="José",
    municipality_key="034590014014",
    arrival_date="2016-01-04",
    consent="yes",
)
ROW = "Müller;José;03459014;04.01.2016;ja"


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("step", [1, 3, 10_000])
def test_utf_8_with_or_without_a_mark_and_windows_1252_are_told_apart(encoding: str, step: int) -> None:
    assert read(text(SHORT, ROW).encode(encoding), step=step).good == [ONE]


def test_a_file_that_is_utf_8_only_at_first_is_windows_1252() -> None:
    content = text(SHORT, *[ROW.replace("ü", "ue").replace("é", "e")] * 50).encode() + text(ROW).encode("cp1252")
    assert read(content).good[-1] == ONE


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_as_a_whole(encoding: str) -> None:
    with pytest.raises(UnreadableEncoding):
        read(text(SHORT, ROW).encode(encoding))


@pytest.mark.parametrize("undefined", [b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"])
def test_bytes_that_windows_1252_does_not_define_refuse_the_file(undefined: bytes) -> None:
    with pytest.raises(UnreadableEncoding):
        read(text(SHORT, ROW).encode("cp1252") + undefined)


def test_a_mark_of_utf_8_before_something_else_refuses_the_file() -> None:
    with pytest.raises(UnreadableEncoding):
        read(b"\xef\xbb\xbf" + text(SHORT, ROW).encode("cp1252"))


def test_a_spooled_file_cannot_be_read_on_the_disk() -> None:
    with Spool() as spool:
        content = text(SHORT, GOOD).encode()
        spool.write(content)
        lying = os.pread(spool._file.fileno(), 2 * len(content), 0)
        assert (len(lying), b"aneta" in lying) == (len(content), False)
        assert "Żaneta" in spool.text().read()


# --- separators, headings, lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_separators_and_line_ends(separator: str, end: str) -> None:
    content = text(SHORT.replace(";", separator), ROW.replace(";", separator), end=end)
    assert read(content).good == [ONE]


def test_a_separator_in_quoted_headings_does_not_count() -> None:
    content = text(f'"a,b,c,d,e,f,g";{SHORT}', f"x;{ROW}")
    assert read(content).good == [ONE]


@pytest.mark.parametrize(
    "headings",
    [
        SHORT.upper(),
        "Familien-Name;VORNAMEN;Gemeinde schlüssel;Einzugs_Datum;einwilligung",
        "family_name;given_names;municipality_key;arrival_date;consent",
        "Family Name;GivenNames;municipality-key;Arrival Date;Consent",
    ],
)
def test_headings_are_known_by_their_letters(headings: str) -> None:
    assert read(text(headings, ROW)).good == [ONE]


def test_columns_may_stand_in_any_order_and_others_are_dropped() -> None:
    content = text(
        "Einwilligung;Aktenzeichen;Einzugsdatum;Vornamen;Gemeindeschluessel;Familienname",
        "ja;SECRET;04.01.2016;José;03459014;Müller",
    )
    assert read(content).good == [ONE]


@pytest.mark.parametrize(
    ("headings", "missing"),
    [
        ("Familienname;Gemeindeschluessel;Einzugsdatum", ("Einwilligung",)),
        ("Familienname", ("Gemeindeschluessel", "Einzugsdatum", "Einwilligung")),
        ("Gemeindeschluessel;Einzugsdatum;Einwilligung", ("Familienname",)),
        ("family_name;municipality_key;consent", ("arrival_date",)),
        ("", ("Familienname", "Gemeindeschluessel", "Einzugsdatum", "Einwilligung")),
    ],
)
def test_missing_columns_are_named_together(headings: str, missing: tuple[str, ...]) -> None:
    with pytest.raises(BadFile, match="missing-column") as refused:
        read(text(headings, ROW))
    assert refused.value.columns == missing


def test_a_column_that_is_there_twice_in_two_languages_is_refused() -> None:
    with pytest.raises(BadFile, match="repeated-column") as refused:
        read(text(f"{SHORT};consent", f"{ROW};ja"))
    assert refused.value.columns == ("Einwilligung",)


def test_headings_in_problems_are_those_of_the_file() -> None:
    assert read(full()).headings.heading("birth_date") == "Geburtsdatum"
    assert read(full(headings=[column.name for column in COLUMNS])).headings.heading("birth_date") == "birth_date"


def test_one_name_column_is_enough() -> None:
    assert read(text("Vornamen;Gemeindeschluessel;Einzugsdatum;Einwilligung", "José;03459014;04.01.2016;ja")).good


def test_empty_lines_are_skipped_and_counted() -> None:
    rows = read(text(SHORT, "", ROW, ";;;;", "   ", ROW)).rows
    assert rows == {3: ONE, 6: ONE}


# --- quoting ----------------------------------------------------------------------------------------------------------


def test_quoted_cells_hold_separators_quotation_marks_and_line_breaks() -> None:
    content = text(SHORT, '"Müller";"José";"034590014014\n";04.01.2016;"ja"', ROW)
    assert read(content).rows == {2: ONE, 4: ONE}


@pytest.mark.parametrize("bad", ['"Müller;José;03459014;04.01.2016;ja', 'Müller;Jo"sé;03459014;04.01.2016;ja'])
def test_a_quotation_mark_left_open_spoils_its_own_line_alone(bad: str) -> None:
    assert read(text(SHORT, ROW, bad, ROW, ROW)).rows == {2: ONE, 3: None, 4: ONE, 5: ONE}


def test_two_of_them_spoil_two_lines() -> None:
    bad = '"Müller;José;03459014;04.01.2016;ja'
    rows = read(text(SHORT, bad, ROW, bad, ROW)).rows
    assert rows[3] == rows[5] == ONE
    assert rows[2] is None


@pytest.mark.parametrize("bad", [f"{ROW};", "Müller;José;03459014;04.01.2016", f"x;{ROW}"])
def test_a_row_with_other_cells_than_headings_is_a_problem_of_the_row(bad: str) -> None:
    assert read(text(SHORT, bad, ROW)).rows == {2: None, 3: ONE}


def test_a_row_longer_than_any_row_is_a_problem_and_takes_no_memory() -> None:
    endless = "x" * (3 * LONGEST_ROW)
    assert read(text(SHORT, endless, ROW), step=50_000).rows == {2: None, 3: ONE}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='";,\t\r\n ab1.0', max_size=200))
def test_whatever_stands_in_a_file_the_reader_comes_to_its_end(content: str) -> None:
    rows = read(text(SHORT, content, ROW), step=64).rows
    assert all(line >= 2 for line in rows)
    assert list(rows) == sorted(rows)


# --- identity ---------------------------------------------------------------------------------------------------------


def test_a_row_is_the_same_however_it_is_written() -> None:
    german = full(
        family_name="Łączak",
        given_names=" Żaneta  Maria",
        birth_date="7.5.1990",
        sex="W",
        citizenships="152|163",
        municipality_key="3459014",
        arrival_date="04.01.2016",
        origin="AUSLAND",
        languages="pl en",
        consent="JA",
        consent_language="pl",
    )
    iso = full(
        ",",
        headings=[column.name for column in COLUMNS],
        family_name="Łączak",
        given_names="Z\u0307aneta Maria",
        birth_date="1990-05-07",
        sex="f",
        citizenships="PL TR",
        municipality_key="03 4590014 014",
        arrival_date="2016-01-04",
        origin="abroad",
        languages="pol|eng",
        consent="yes",
        consent_language="pol",
    )
    (one,), (other,) = read(german).good, read(iso).good
    assert one == other
    assert one.text() == other.text()


def test_absent_columns_are_empty_columns() -> None:
    told = {
        "family_name": "Müller",
        "given_names": "José",
        "municipality_key": "03459014",
        "arrival_date": "04.01.2016",
    }
    (short,), (long,) = read(text(SHORT, ROW)).good, read(full(**told, consent="ja")).good
    assert short.text() == long.text()


# --- much -------------------------------------------------------------------------------------------------------------


def test_the_files_of_a_whole_county_are_read_as_they_were_meant() -> None:
    """The simulation writes what the format says; both stand on the same page."""
    county = generate(people=400, seed=3)
    registered: set[str] = set()
    counted: set[str] = set()
    refused = 0
    for file in office_files(county):
        found = read(file.encode(), today=date(2017, 6, 1), step=4096)
        for row in found.rows.values():
            if isinstance(row, Entries):
                (registered if row.consent == "yes" else counted).add(row.text())
            else:
                refused += 1
    by_file = [person for person in county.people() if person.way == "office-file"]
    fates = [fate_of(county.seed, person) for person in by_file]
    assert len(registered) == fates.count(Fate.REGISTERED)
    assert len(counted) == fates.count(Fate.COUNTED)
    assert refused >= fates.count(Fate.REFUSED) > 0


def test_a_hundred_thousand_rows_leave_the_memory_flat() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.intake.hundred_thousand"], capture_output=True, check=True, timeout=110
    )
    told = json.loads(done.stdout)
    assert told["rows"] == 100_000
    assert told["grown_kib"] < 8 * 1024, "between the first 10,000 rows and the last"


def test_problems_are_listed_without_the_value() -> None:
    (bad,) = read(
        full(family_name="Müller", municipality_key="99999999", arrival_date="1.2.16", consent="ja")
    ).rows.values()
    assert isinstance(bad, list)
    assert {(wrong.column, wrong.flaw) for wrong in bad} == {
        ("municipality_key", Flaw.UNKNOWN_PLACE),
        ("arrival_date", Flaw.UNREADABLE_DATE),
    }
    assert "9999" not in repr(bad)


def test_the_columns_are_those_of_the_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "architecture" / "import-format.md").read_text(encoding="utf-8")
    assert [heading for heading in HEADINGS if f"| `{heading}` |" not in page] == []
    assert [column.name for column in COLUMNS if f"`{column.name}`" not in page] == []
    assert [flaw for flaw in Flaw if f"`{flaw}`" not in page] == []
