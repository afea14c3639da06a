"""Log lines: documented, in one form, tied to their trace, and without a word about a person."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from services.runtime import logs
from services.runtime.log_lines import LINES
from services.runtime.logs import current_traceparent, log

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SUBJECT = ("thing", "6f9619ff-8b86-4011-b42d-00cf4fc964ff")
PERSONAL = ("Meyer", "Anna", "1990-02-03", "anna.meyer@example.org", "+49 541 323 0", "Nguyễn")


class Written:
    """What the process has written so far, on its log and around it."""

    def __init__(self, stream: StringIO, capture: pytest.CaptureFixture[str]) -> None:
        self._stream = stream
        self._capture = capture

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    @property
    def one(self) -> dict[str, Any]:
        [line] = self.lines
        return line

    def everything(self) -> str:
        captured = self._capture.readouterr()
        return self._stream.getvalue() + captured.out + captured.err


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """A started log that writes into memory; afterwards logging is as it was."""
    root = logging.getLogger()
    level = root.level
    for hook in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    for field in ("_stream", "_identity", "_rank", "lost"):
        monkeypatch.setattr(log, field, getattr(log, field))
    stream = StringIO()
    log.start("intake", "0", stream=stream)
    yield Written(stream, capsys)
    logging.captureWarnings(False)
    root.handlers = [handler for handler in root.handlers if handler is not logs._handler]
    root.setLevel(level)


def test_a_line_says_when_who_what_and_in_which_trace(written: Written):
    log.info("history.fetched", events=12, traceparent=TRACE)

    line = written.one
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "info",
        "service": "intake",
        "instance": "0",
        "message": "Missing events were fetched from their owner.",
        "code": "history.fetched",
        "trace_id": TRACE[3:35],
        "span_id": TRACE[36:52],
        "events": 12,
    }


def test_a_line_belongs_to_the_span_that_the_task_works_for(written: Written):
    async def one(traceparent: str) -> None:
        current_traceparent.set(traceparent)
        await asyncio.sleep(0)
        log.info("clock.moved")

    async def both() -> None:
        await asyncio.gather(one(TRACE), one(TRACE.replace("0af7", "ffff")))

    asyncio.run(both())
    log.info("clock.moved")

    assert [line.get("trace_id") for line in written.lines] == [TRACE[3:35], "ffff" + TRACE[7:35], None]


def test_lines_below_the_level_are_not_written(written: Written):
    log.debug("history.fetched")
    log.start("intake", "0", level="error", stream=StringIO())
    log.warning("outbox.waiting")

    assert written.lines == []


def test_ids_codes_and_numbers_are_written_in_their_own_form(written: Written):
    log.info("record.dead", subject=SUBJECT, county="03459", source="intake", sequence=3, seconds=0.25)

    line = written.one
    assert line["subject"] == "thing/6f9619ff-8b86-4011-b42d-00cf4fc964ff"
    assert (line["county"], line["source"], line["sequence"], line["seconds"]) == ("03459", "intake", 3, 0.25)
    assert "withheld" not in line


@pytest.mark.parametrize("person", PERSONAL)
def test_personal_data_in_fields_is_withheld(written: Written, person: str):
    log.info(
        "record.dead",
        subject=f"case/{person}",
        county=person,
        type=f"{person} moved",
        reason=f"name {person}",
        sequence=person,
        records=person,
        route=f"/v1/persons?name={person}",
        name=person,
        **{f"the {person}": "x"},
    )

    assert person not in written.everything()
    assert written.one["withheld"] == 9


@pytest.mark.parametrize("person", PERSONAL)
def test_a_code_that_is_not_documented_takes_its_content_with_it(written: Written, person: str):
    log.info(f"{person} registered", events=12)

    line = written.one
    assert line["code"] == "log.undocumented"
    assert line["at"].startswith("tests/runtime/test_logs.py:")
    assert "events" not in line
    assert person not in written.everything()


def _fail_for(person: str) -> None:
    try:
        dict[str, str]()[person]
    except KeyError as error:
        raise ValueError(f"{person} is not valid") from error


@pytest.mark.parametrize("person", PERSONAL)
def test_an_exception_shows_type_and_place_and_never_its_text(written: Written, person: str):
    try:
        _fail_for(person)
    except ValueError as error:
        log.error("request.failed", exception=ExceptionGroup(person, [error]))

    exception = written.one["exception"]
    assert exception["type"] == "ExceptionGroup"
    assert [cause["type"] for cause in exception["causes"]] == ["ValueError", "KeyError"]
    assert exception["causes"][0]["frames"][-1].startswith("tests/runtime/test_logs.py:")
    assert exception["causes"][0]["frames"][-1].endswith(":_fail_for")
    assert person not in written.everything()


def _library(person: str) -> None:
    library = logging.getLogger("aiokafka.consumer")
    library.debug("heartbeat")
    library.info("joined as %s", person)
    library.warning("cannot parse %s of %r", person, {"name": person})
    library.warning(f"cannot parse {person}")
    library.warning({"name": person})
    try:
        _fail_for(person)
    except ValueError:
        library.exception("callback failed for %s", person, extra={"person": person})
    library.error(person, stack_info=True)


@pytest.mark.parametrize("person", PERSONAL)
def test_libraries_are_quoted_without_what_they_put_in(written: Written, person: str):
    _library(person)

    lines = written.lines
    assert person not in written.everything()
    assert [line["template"] for line in lines] == [
        "cannot parse %s of %r", "", "", "callback failed for %s", "",
    ]  # fmt: skip
    assert [line["level"] for line in lines] == ["warning", "warning", "warning", "error", "error"]
    assert lines[0]["logger"] == "aiokafka.consumer"
    assert lines[3]["exception"]["type"] == "ValueError"


@pytest.mark.parametrize("person", PERSONAL)
def test_python_itself_says_nothing_about_a_person(written: Written, person: str):
    warnings.warn(f"{person} is deprecated", stacklevel=1)
    try:
        _fail_for(person)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=_fail_for, args=(person,))
    thread.start()
    thread.join()

    async def forget_a_task() -> None:
        task = asyncio.create_task(asyncio.to_thread(_fail_for, person))
        await asyncio.wait([task])
        del task

    asyncio.run(forget_a_task())

    assert [line["code"] for line in written.lines] == [
        "library.line", "process.crashed", "thread.crashed", "library.line",
    ]  # fmt: skip
    assert written.lines[3]["exception"]["type"] == "ValueError"
    assert person not in written.everything()


def test_handlers_that_a_library_puts_up_later_are_taken_down_on_request(written: Written):
    library = logging.getLogger("faststream.access.kafka")
    around = StringIO()
    library.addHandler(logging.StreamHandler(around))
    library.propagate = False
    logs.adopt_libraries()
    library.warning("Meyer registered")

    assert around.getvalue() == ""
    assert written.one["logger"] == "faststream.access.kafka"


def test_a_stream_that_nobody_reads_stops_nothing(written: Written):
    closed = StringIO()
    closed.close()
    log.start("intake", "0", stream=closed)
    before = log.lost
    log.info("history.fetched")

    assert log.lost == before + 1


def test_texts_are_whole_sentences_without_a_place_for_values():
    assert all(text.endswith(".") and text[0].isupper() and not set(text) & set("%{}") for text in LINES.values())
