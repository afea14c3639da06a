"""Whoever changes an event hears which services read it, what changed for them and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from schemas.compare import Finding, compare, main, report
from schemas.contract import HERE
from schemas.fields import differences
from schemas.publish import main as publish

ARRIVAL = "wegenetz.intake.arrival-registered.v1"
PROFILE = "wegenetz.profiling.profile-recorded.v1"
READERS_OF_ARRIVAL = ("profiling", "referral", "reporting")


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A copy of what is committed, to be made different from the classes."""
    folder = tmp_path / "schemas of a branch"
    for part in ("json", "examples"):
        shutil.copytree(HERE / part, folder / part)
    shutil.copy(HERE / "asyncapi.yaml", folder)
    return folder


def rewrite(folder: Path, event_type: str, **changed: Any) -> None:
    """Put other properties or required fields into a committed schema."""
    file = folder / "json" / f"{event_type}.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changed), encoding="utf-8")


def read(folder: Path, event_type: str) -> dict[str, Any]:
    return json.loads((folder / "json" / f"{event_type}.json").read_text(encoding="utf-8"))


def only(found: list[Finding]) -> Finding:
    (finding,) = found
    return finding


def test_an_unchanged_copy_fits(committed: Path) -> None:
    assert compare(committed) == []


def test_a_new_optional_field_is_named_with_the_services_that_read_the_type(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    properties = read(committed, ARRIVAL)["properties"]
    rewrite(committed, ARRIVAL, properties={name: of for name, of in properties.items() if name != "birth_year"})

    finding = only(compare(committed))
    assert (finding.about, finding.readers) == (ARRIVAL, READERS_OF_ARRIVAL)
    assert [difference.what for difference in finding.differences] == ["field `birth_year` added, optional"]

    assert main(committed) == 1
    said = capsys.readouterr().out
    assert f"{ARRIVAL}\n  read by: profiling, referral, reporting\n" in said
    assert "python -m schemas.publish" in said


def test_a_removed_field_is_named(committed: Path) -> None:
    properties = read(committed, ARRIVAL)["properties"]
    rewrite(committed, ARRIVAL, properties=properties | {"phone": {"type": "string"}})
    assert [difference.what for difference in only(compare(committed)).differences] == ["field `phone` removed"]


def test_a_field_inside_an_object_is_named_by_its_path(committed: Path) -> None:
    definitions = read(committed, PROFILE)["$defs"]
    del definitions["GermanLevels"]["properties"]["writing"]
    rewrite(committed, PROFILE, **{"$defs": definitions})
    finding = only(compare(committed))
    assert (finding.about, finding.readers) == (PROFILE, ("referral", "reporting"))
    assert [difference.what for difference in finding.differences] == ["field `german.writing` added, optional"]


def test_a_new_type_and_a_removed_one_are_named(committed: Path) -> None:
    folder = committed / "json"
    (folder / f"{ARRIVAL}.json").rename(folder / "wegenetz.intake.arrival-announced.v1.json")
    added, removed = compare(committed)
    assert (added.about, added.readers, added.differences[0].what) == (ARRIVAL, READERS_OF_ARRIVAL, "new event type")
    assert (removed.about, removed.differences[0].what) == (
        "wegenetz.intake.arrival-announced.v1",
        "event type removed",
    )
    assert removed.readers == ("reporting",)  # who reads everything, read that too


def test_changed_words_need_nobody(committed: Path) -> None:
    rewrite(committed, ARRIVAL, description="Somebody arrived.")
    assert [difference.what for difference in only(compare(committed)).differences] == [
        "only words or their order changed"
    ]


def test_an_asyncapi_document_of_other_topics_is_noticed(committed: Path) -> None:
    file = committed / "asyncapi.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("partitions: 4", "partitions: 8"), encoding="utf-8")
    assert only(compare(committed)).about == "schemas/asyncapi.yaml"
    file.unlink()
    assert only(compare(committed)).about == "schemas/asyncapi.yaml"


def test_an_example_that_is_missing_wrong_or_left_over_is_noticed(committed: Path) -> None:
    folder = committed / "examples"
    (folder / f"{PROFILE}.json").rename(folder / "wegenetz.profiling.profile-lost.v1.json")
    (folder / f"{ARRIVAL}.json").write_text('{"district": "Melle"}', encoding="utf-8")
    wrong, missing, left_over = compare(committed)
    assert wrong.about == f"schemas/examples/{ARRIVAL}.json"
    assert wrong.differences[0].what == "does not fit its class at arrived_on, consents, district, way"
    assert (missing.about, missing.differences[0].what) == (f"schemas/examples/{PROFILE}.json", "is missing")
    assert left_over.about == "schemas/examples/wegenetz.profiling.profile-lost.v1.json"


def test_publishing_says_who_reads_what_changed_and_then_everything_fits(
    committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (committed / "json" / f"{ARRIVAL}.json").unlink()
    (committed / "json" / "wegenetz.intake.arrival-announced.v1.json").write_text("{}", encoding="utf-8")
    assert publish(committed) == 0
    said = capsys.readouterr().out
    assert "read by: profiling, referral, reporting" in said
    assert f"written: schemas/json/{ARRIVAL}.json" in said
    assert compare(committed) == []
    assert publish(committed) == 0
    assert capsys.readouterr().out == "Nothing to write: the files are what the classes say.\n"
    for file in committed.rglob("*.*"):
        assert file.read_bytes() == (HERE / file.relative_to(committed)).read_bytes()


def test_the_report_says_what_to_do_about_each_difference(committed: Path) -> None:
    rewrite(committed, ARRIVAL, required=[])
    said = report(compare(committed))
    assert "field `district` is now required" in said
    assert "give it a default, or make it a new version" in said


DAY = '{"format": "date", "type": "string"}'
DAY_OR_NULL = f'{{"anyOf": [{DAY}, {{"type": "null"}}]}}'
LEVELS = {"$defs": {"Level": {"type": "string", "enum": ["a1", "a2"]}}}


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (
            {"properties": {}},
            {"properties": {"on": {"type": "string"}}, "required": ["on"]},
            ["field `on` added, required"],
        ),
        (
            {"properties": {"on": {"type": "string"}}, "required": ["on"]},
            {"properties": {"on": {"type": "string"}}},
            ["field `on` is now optional"],
        ),
        (
            {"properties": {"on": {"type": "string", "format": "date"}}},
            {"properties": {"on": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}},
            [f"type of `on` changed from {DAY} to {DAY_OR_NULL}"],
        ),
        (
            {"properties": {"level": {"$ref": "#/$defs/Level"}}} | LEVELS,
            {"properties": {"level": {"type": "string", "enum": ["a2", "b1"]}}},
            ["`level` may also be `b1`", "`level` may no longer be `a1`"],
        ),
        (
            {"properties": {"level": {"$ref": "#/$defs/Level", "description": "of German"}}} | LEVELS,
            {"properties": {"level": {"type": "string", "enum": ["a1", "a2"], "title": "Level"}}},
            [],
        ),
        (
            {"properties": {"days": {"type": "array", "items": {"type": "object", "properties": {}}}}},
            {
                "properties": {
                    "days": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"on": {"type": "string"}}, "required": ["on"]},
                    }
                }
            },
            ["field `days[].on` added, required"],
        ),
    ],
)
def test_differences_are_said_in_words(before: dict[str, Any], after: dict[str, Any], what: list[str]) -> None:
    assert [difference.what for difference in differences(before, after)] == what
    assert differences(before, before) == differences(after, after) == []
