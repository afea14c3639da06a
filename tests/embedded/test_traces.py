"""`wegenetz trace CASE`: one person's way, out of files that others are in and that are being written."""

from __future__ import annotations

import tracemalloc
import uuid
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy import traces
from deploy.traces import print_trace, read_case
from services.runtime.spans import Span
from services.runtime.telemetry import Telemetry
from services.runtime.ways import Way, duration

MS = 1_000_000
START = 1_700_000_000_000 * MS
ANNA = "case/6f9619ff-8b86-4011-b42d-00cf4fc964ff"
BORIS = "case/aaaaaaaa-8b86-4011-b42d-00cf4fc964ff"
SEAT = "referral/11111111-8b86-4011-b42d-00cf4fc964ff"


class Services:
    """Services that write span files, and steps that they did between two instants (milliseconds since the start)."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._running: dict[str, Telemetry] = {}

    def step(
        self,
        service: str,
        name: str,
        between: tuple[float, float],
        cause: Span | None = None,
        subject: str = "",
        outcome: str = "applied",
        *,
        referral: str = "",
    ) -> Span:
        telemetry = self._running.get(service)
        if telemetry is None:
            telemetry = Telemetry.start(service, "0", traces_file=self.folder / f"{service}-0.jsonl")
            self._running[service] = telemetry
        instants = iter(START + int(instant * MS) for instant in between)
        self._monkeypatch.setattr("services.runtime.spans._machine_time_ns", lambda: next(instants))
        traceparent = cause.traceparent if cause else None
        span = telemetry.message_span(name, traceparent, subject=subject, referral=referral, county="03459")
        span.end(outcome)
        return span

    def stop(self) -> None:
        for telemetry in self._running.values():
            telemetry.stop()
        self._running.clear()

    def shown(self, case: str = ANNA, width: int = 120) -> list[str]:
        self.stop()
        console = Console(file=StringIO(), width=width)
        print_trace(self.folder, case, console)
        assert isinstance(console.file, StringIO)
        return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    running = Services(tmp_path, monkeypatch)
    yield running
    running.stop()


def names(way: Way) -> list[tuple[int, str]]:
    return [(step.depth, f"{step.span.service} {step.span.name}") for step in way.steps]


def test_a_way_is_found_by_one_of_its_referrals_and_all_of_a_trace_by_its_id(services: Services):
    file = services.step("intake", "POST /v1/imports", (0, 5))
    arrival = services.step("intake", "RegisterArrival", (5, 12), file, subject=ANNA)
    services.step("intake", "RegisterArrival", (5, 12), file, subject=BORIS)
    services.step("referral", "Release", (20, 30), arrival, subject=ANNA, referral=SEAT.partition("/")[2])
    services.stop()

    way = read_case(services.folder, SEAT.partition("/")[2])
    assert way.subject == ANNA
    assert names(way) == names(read_case(services.folder, ANNA))
    assert len(read_case(services.folder, file.trace_id).steps) == 4


def test_a_way_leads_through_all_services_and_steps_that_do_not_name_the_case(services: Services):
    arrival = services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    services.step("reporting", "arrival-registered", (32, 36), arrival, ANNA)
    profile = services.step("profiling", "arrival-registered", (30, 38), arrival, ANNA)
    need = services.step("referral", "need-agreed", (60, 70), profile, ANNA)
    services.step(
        "reporting", "seat-offered", (100, 101), services.step("referral", "OfferSeat", (80, 90), need, SEAT), SEAT
    )
    services.step("intake", "RegisterArrival", (1, 13), subject=BORIS)
    services.stop()

    way = read_case(services.folder, ANNA.partition("/")[2])

    assert names(way) == [
        (0, "intake RegisterArrival"),
        (1, "reporting arrival-registered"),
        (1, "profiling arrival-registered"),
        (2, "referral need-agreed"),
        (3, "referral OfferSeat"),
        (4, "reporting seat-offered"),
    ]
    assert [step.waited_ns // MS for step in way.steps] == [0, 20, 18, 22, 10, 10]
    assert [stretch[0] - START for stretch in way.worked] == [0, 30 * MS, 60 * MS, 80 * MS, 100 * MS]


def test_a_way_of_several_traces_is_shown_whole_in_the_order_of_time(services: Services):
    services.step("profiling", "CompleteProfile", (500, 510), subject=ANNA)
    services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    services.stop()

    assert names(read_case(services.folder, ANNA)) == [(0, "intake RegisterArrival"), (0, "profiling CompleteProfile")]


def test_of_a_file_with_many_arrivals_only_the_own_part_is_shown(services: Services):
    upload = services.step("intake", "POST /v1/imports", (0, 100))
    for subject in (ANNA, BORIS):
        row = services.step("intake", "RegisterArrival", (10, 20), upload, subject)
        services.step("referral", "OfferSeat", (30, 40), row, SEAT if subject == ANNA else SEAT.replace("1", "2"))
    services.stop()

    way = read_case(services.folder, ANNA)

    assert names(way) == [(0, "intake POST /v1/imports"), (1, "intake RegisterArrival"), (2, "referral OfferSeat")]
    assert {step.span.subject for step in way.steps} == {"", ANNA, SEAT}


def test_what_another_person_did_is_shown_if_it_led_here(services: Services):
    declined = services.step("referral", "DeclineOffer", (0, 10), subject=BORIS)
    services.step("reporting", "offer-declined", (20, 30), declined, BORIS)
    services.step("referral", "OfferSeat", (40, 50), declined, ANNA)
    services.stop()

    assert names(read_case(services.folder, ANNA)) == [(0, "referral DeclineOffer"), (1, "referral OfferSeat")]


def test_files_are_read_while_they_are_written_and_after_a_crash(services: Services):
    arrival = services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    services.step("profiling", "arrival-registered", (30, 38), arrival, ANNA)
    services.stop()
    whole = (services.folder / "profiling-0.jsonl").read_text()
    with (services.folder / "intake-0.jsonl").open("a") as file:
        file.write(whole[:70] + "\n" + '{"trace_id":"' + arrival.trace_id + '","span_id":1}\n[]\n' + whole[:-30])

    assert len(read_case(services.folder, ANNA).steps) == 2


def test_files_set_aside_are_read_and_a_span_met_twice_is_one_step(services: Services):
    services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    services.stop()
    current = services.folder / "intake-0.jsonl"
    (services.folder / "intake-0.jsonl.1").write_bytes(current.read_bytes())
    services.step("intake", "MoveAway", (50, 60), subject=ANNA)
    services.stop()

    assert [step.span.name for step in read_case(services.folder, ANNA).steps] == ["RegisterArrival", "MoveAway"]


def test_memory_does_not_grow_with_the_files(services: Services):
    services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    services.stop()
    line = (services.folder / "intake-0.jsonl").read_text()
    others = [line.replace(ANNA, f"case/{uuid.uuid4()}").replace(line[13:45], uuid.uuid4().hex) for _ in range(50)]
    with (services.folder / "referral-0.jsonl").open("w") as referral:
        for _ in range(500):
            referral.writelines(others)
    size = sum(path.stat().st_size for path in services.folder.iterdir())

    tracemalloc.start()
    way = read_case(services.folder, ANNA)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(way.steps) == 1
    assert size > 7_500_000
    assert peak < size / 20


def test_a_trace_too_large_to_show_says_so(services: Services, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(traces, "SPANS_READ", 3)
    arrival = services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    for number in range(5):
        services.step("intake", "CorrectPerson", (20 + number, 21 + number), arrival, ANNA)

    assert any("only 3 of their spans" in line for line in services.shown())


def test_the_waterfall_shows_when_what_waited_took_and_how_it_went(services: Services):
    arrival = services.step("intake", "RegisterArrival", (0, 12), subject=ANNA)
    profile = services.step("profiling", "arrival-registered", (30, 38), arrival, ANNA)
    services.step("referral", "OfferSeat", (90_000, 90_004), profile, ANNA, outcome="failed")

    shown = services.shown()

    assert shown[0] == ANNA
    assert (
        shown[1] == "3 steps in 3 services, 1 trace, 1 step failed; 1 min 30 s from first to last, 24 ms of it worked"
    )
    assert shown[2] == "■ intake  ■ profiling  ■ referral"
    cells = [line.split() for line in shown[4:]]
    assert cells[0] == ["+0.0", "ms", "intake", "RegisterArrival", "12", "ms", "applied", "█" * 12]
    assert cells[1] == ["+30", "ms", "profiling", "arrival-registered", "18", "ms", "8.0", "ms", "applied", "█" * 8]
    assert cells[2] == ["…", "1", "min", "30", "s", "later"]
    assert cells[3] == [
        "+1",
        "min",
        "30",
        "s",
        "referral",
        "OfferSeat",
        "1",
        "min",
        "30",
        "s",
        "4.0",
        "ms",
        "failed",
        "█" * 4,
    ]
    assert shown[5].index("profiling") == shown[4].index("intake") + 2
    assert shown[7].index("█") == shown[5].index("█") + 8


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_waterfall_keeps_to_the_width_of_the_terminal(services: Services, width: int):
    cause = None
    for number in range(30):
        cause = services.step(
            "referral", "a-rather-long-name-of-an-event", (number * 90_000, number * 90_000 + 5), cause, ANNA
        )

    shown = services.shown(width=width)

    steps = [line for line in shown if line.lstrip().startswith("+")]
    assert len(steps) == 30
    assert all("applied" in line for line in steps)
    assert all(len(line) <= width for line in shown)


def test_a_case_without_spans_is_answered_by_a_sentence(services: Services):
    services.step("intake", "RegisterArrival", (0, 12), subject=BORIS)

    assert "No span of" in services.shown()[0]
    assert print_trace(services.folder / "nowhere", ANNA, Console(file=StringIO())) is False
    assert print_trace(services.folder, BORIS, Console(file=StringIO())) is True


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0.04, "0.0 ms"),
        (9.94, "9.9 ms"),
        (999, "999 ms"),
        (999.7, "1.0 s"),
        (59_940, "59.9 s"),
        (59_999, "1 min 0 s"),
        (3_599_600, "1 h 0 min"),
        (86_399_999, "1 d 0 h"),
        (200_000_000, "2 d 7 h"),
    ],
)
def test_a_length_of_time_is_said_in_the_units_that_matter(milliseconds: float, said: str):
    assert duration(round(milliseconds * MS)) == said
