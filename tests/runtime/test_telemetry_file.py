"""The span files: whole lines, bounded, and without a word about a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.runtime.span_file import KEPT_FILES, SpanFile
from services.runtime.telemetry import Telemetry

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SUBJECT = "thing/6f9619ff-8b86-4011-b42d-00cf4fc964ff"


def spans_in(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_span_is_one_line_that_begins_with_its_trace(tmp_path: Path):
    file = tmp_path / "traces" / "intake-0.jsonl"
    telemetry = Telemetry.start("intake", "0", traces_file=file)
    span = telemetry.message_span(
        "thing-happened",
        CALLER,
        subject=SUBJECT,
        county="03459",
        type="wegenetz.intake.thing-happened.v1",
        sequence=7,
        link=CALLER,
    )
    span.end("applied")
    telemetry.start_span("sweep").end("failed")
    telemetry.stop()

    assert file.read_text().startswith(f'{{"trace_id":"{CALLER[3:35]}",')
    first, second = spans_in(file)
    assert first == {
        "trace_id": CALLER[3:35],
        "span_id": span.span_id,
        "parent": CALLER[36:52],
        "name": "thing-happened",
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "service": "intake",
        "instance": "0",
        "status": "ok",
        "subject": SUBJECT,
        "county": "03459",
        "type": "wegenetz.intake.thing-happened.v1",
        "sequence": 7,
        "outcome": "applied",
        "links": [CALLER[3:52]],
    }
    assert second["parent"] is None
    assert second["status"] == "error"


def test_personal_data_put_into_every_corner_of_a_span_is_not_written(tmp_path: Path):
    file = tmp_path / "intake-0.jsonl"
    telemetry = Telemetry.start("intake", "0", traces_file=file)
    span = telemetry.message_span(
        "register Nguyễn",
        CALLER,
        subject="case/Meyer",
        county="Anna Meyer",
        type="Anna Meyer",
        link="00-Meyer",
    )
    span.attributes |= {
        "name": "Meyer",
        "outcome": "Meyer, Anna",
        "route": "/persons?name=Meyer",
        "reason": "+49 541 Meyer",
        "records": "Meyer",
        'x","Meyer': "a",
    }
    span.end()
    telemetry.stop()

    [line] = file.read_text().splitlines()
    assert "Meyer" not in line
    assert "Nguy" not in line
    assert set(json.loads(line)) == {
        "trace_id", "span_id", "parent", "name", "start_ns", "end_ns", "service", "instance", "status",
    }  # fmt: skip
    assert json.loads(line)["name"] == "withheld"


def test_a_line_that_a_killed_process_left_half_written_does_not_spoil_the_next(tmp_path: Path):
    file = tmp_path / "intake-0.jsonl"
    file.write_text('{"trace_id":"whole"}\n{"trace_id":"hal')
    telemetry = Telemetry.start("intake", "0", traces_file=file)
    telemetry.start_span("work").end()
    telemetry.stop()

    lines = file.read_text().splitlines()
    assert len(lines) == 3
    assert lines[1] == '{"trace_id":"hal'
    assert json.loads(lines[2])["name"] == "work"


@pytest.mark.parametrize(
    ("instance", "written"),
    [("intake-0.north_2", "intake-0.north_2"), ('"', "unnamed"), ("ä", "unnamed"), ("", "unnamed")],
)
def test_a_span_says_which_instance_made_it_by_any_name_that_the_settings_allow(
    tmp_path: Path, instance: str, written: str
):
    file = tmp_path / "intake.jsonl"
    telemetry = Telemetry.start("intake", instance, traces_file=file)
    telemetry.start_span("work").end()
    telemetry.stop()
    (span,) = spans_in(file)
    assert span["instance"] == written


def test_the_files_of_an_instance_stay_below_their_bound_and_the_newest_spans_are_kept(tmp_path: Path):
    bound = 4000
    file = SpanFile(tmp_path / "intake-0.jsonl", "intake", "0", file_bytes=bound)
    telemetry = Telemetry()
    for number in range(1, 201):
        span = telemetry.message_span("thing-happened", None, sequence=number)
        span.end()
        file.write([span])
    file.close()

    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == [
        "intake-0.jsonl",
        *(f"intake-0.jsonl.{older}" for older in range(1, KEPT_FILES)),
    ]
    assert all(path.stat().st_size <= bound for path in kept)
    numbers = [span["sequence"] for path in reversed(kept) for span in spans_in(path)]
    assert numbers == list(range(201 - len(numbers), 201))
