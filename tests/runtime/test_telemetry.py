"""A way through the services is one trace, whatever happens to the place where spans are written."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from services.runtime.logs import Log
from services.runtime.spans import Span, SpanQueue
from services.runtime.telemetry import Telemetry

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED_CALLER = CALLER[:-2] + "00"
SUBJECT = "thing/6f9619ff-8b86-4011-b42d-00cf4fc964ff"


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def write(self, spans: Sequence[Span], /) -> None:
        self.spans += spans

    def close(self) -> None:
        pass


class Refusing(Kept):
    """A sink whose disk is full."""

    def write(self, spans: Sequence[Span], /) -> None:
        raise OSError("No space left on device: /home/mustermann")


class Stuck(Kept):
    """A sink that does not come back until it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.closed = threading.Event(), threading.Event()

    def write(self, spans: Sequence[Span], /) -> None:
        self.reached.set()
        self.closed.wait()
        raise ConnectionError

    def close(self) -> None:
        self.closed.set()


def test_a_message_continues_the_trace_of_its_sender_and_hands_it_on():
    kept = Kept()
    first = Telemetry([kept])
    span = first.message_span("thing-happened", CALLER, subject=SUBJECT, county="03459", sequence=3)
    second = first.message_span("thing-happened", span.traceparent)
    span.end("applied")
    second.end()
    first.stop()

    assert [written.trace_id for written in kept.spans] == [CALLER[3:35]] * 2
    assert kept.spans[0].parent_id == CALLER[36:52]
    assert kept.spans[1].parent_id == kept.spans[0].span_id
    assert kept.spans[0].attributes["outcome"] == "applied"
    assert kept.spans[0].end_ns >= kept.spans[0].start_ns


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "nonsense",
        CALLER.upper(),
        CALLER + "-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        CALLER.replace("00-", "ff-"),
    ],
)
def test_a_missing_or_malformed_traceparent_starts_a_trace_of_its_own(malformed: str | None):
    span = Telemetry().start_span("work", malformed)

    assert span.parent_id is None
    assert span.trace_id != CALLER[3:35]
    assert span.traceparent == f"00-{span.trace_id}-{span.span_id}-01"
    assert Telemetry(tracing=False).start_span("work", malformed).traceparent is None, "nobody hands it on either"


def test_a_seeded_simulation_does_not_make_the_ids_repeat():
    def trace_id_after_seeding() -> str:
        random.seed(2016)
        return Telemetry().start_span("work").trace_id

    assert trace_id_after_seeding() != trace_id_after_seeding()


def test_with_tracing_off_nothing_is_written_and_the_neighbours_stay_connected():
    kept = Kept()
    telemetry = Telemetry([kept], tracing=False)
    span = telemetry.message_span("thing-happened", CALLER, subject=SUBJECT)
    span.fail("rule-failed")
    span.end("applied")
    telemetry.stop()

    assert span.traceparent == CALLER
    assert telemetry.message_span("thing-happened", None).traceparent is None
    assert kept.spans == []


def test_sampling_is_decided_where_a_trace_starts():
    kept = Kept()
    nothing_of_ours = Telemetry([kept], sample_ratio=0.0)
    nothing_of_ours.start_span("own").end()
    nothing_of_ours.start_span("sampled by the caller", CALLER).end()
    nothing_of_ours.stop()
    everything_of_ours = Telemetry([kept])
    everything_of_ours.start_span("not sampled by the caller", UNSAMPLED_CALLER).end()
    everything_of_ours.start_span("own").end()
    everything_of_ours.stop()

    assert [span.name for span in kept.spans] == ["sampled by the caller", "own"]


def test_about_the_given_share_of_traces_is_sampled():
    telemetry = Telemetry(sample_ratio=0.25)
    sampled = sum(telemetry.start_span("work").sampled for _ in range(4000))

    assert 800 < sampled < 1200


def test_failures_are_kept_even_when_their_trace_is_not_sampled():
    kept = Kept()
    telemetry = Telemetry([kept])
    telemetry.start_span("fine", UNSAMPLED_CALLER).end("applied")
    telemetry.start_span("broken", UNSAMPLED_CALLER).end("failed")
    marked = telemetry.start_span("marked", UNSAMPLED_CALLER)
    marked.fail("rule-failed")
    marked.end()
    telemetry.stop()

    assert [(span.name, span.failed) for span in kept.spans] == [("broken", True), ("marked", True)]
    assert marked.traceparent is not None
    assert marked.traceparent.endswith("-00")


def test_an_attempt_that_is_given_up_leaves_no_span():
    kept = Kept()
    telemetry = Telemetry([kept])
    telemetry.message_span("first attempt", CALLER)
    second = telemetry.message_span("second attempt", CALLER)
    second.end("applied")
    second.end("applied again")
    telemetry.stop()

    assert [(span.name, span.attributes["outcome"]) for span in kept.spans] == [("second attempt", "applied")]


def test_a_sink_that_fails_is_reported_once_and_counted(monkeypatch: pytest.MonkeyPatch):
    lines = StringIO()
    log = Log()
    monkeypatch.setattr("services.runtime.spans.log", log)
    monkeypatch.setattr(log, "_stream", lines)
    queue = SpanQueue(Refusing(), batch=1)
    for _ in range(3):
        span = Telemetry().start_span("work")
        span.end()
        queue.put(span)
    queue.stop(5)

    assert (queue.written, queue.dropped) == (0, 3)
    assert lines.getvalue().count("telemetry.export-failed") == 1
    assert "mustermann" not in lines.getvalue()


def test_a_sink_that_is_stuck_neither_holds_up_the_service_nor_its_stop():
    stuck = Stuck()
    queue = SpanQueue(stuck, limit=10, batch=1)
    span = Telemetry().start_span("work")
    queue.put(span)
    assert stuck.reached.wait(10)
    for _ in range(30):
        queue.put(span)
    queue.stop(0.01)

    assert queue.written == 0
    assert queue.dropped == 31


def test_what_waits_at_the_stop_is_still_written():
    kept = Kept()
    telemetry = Telemetry([kept])
    for _ in range(2000):
        telemetry.start_span("work").end()
    telemetry.stop()

    assert len(kept.spans) == telemetry.written == 2000
    assert telemetry.dropped == 0


class Collector(ThreadingHTTPServer):
    """An OpenTelemetry collector that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.requests: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Receiver(BaseHTTPRequestHandler):
    server: Collector  # pyright: ignore[reportIncompatibleVariableOverride] - this handler serves nothing else

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_an_opentelemetry_collector_receives_the_spans():
    collector = Collector()
    serving = threading.Thread(target=collector.serve_forever, daemon=True)
    serving.start()
    telemetry = Telemetry.start("intake", "0", otlp_endpoint=collector.endpoint + "/")
    span = telemetry.message_span(
        "thing-happened", CALLER, subject=SUBJECT, county="03459", type="Anna Meyer", link=CALLER
    )
    span.end("failed")
    telemetry.stop()
    collector.shutdown()
    collector.server_close()

    [(path, request)] = collector.requests
    [resource_spans] = request.resource_spans
    resource = {pair.key: pair.value.string_value for pair in resource_spans.resource.attributes}
    [received] = resource_spans.scope_spans[0].spans
    attributes = {pair.key: pair.value.string_value for pair in received.attributes}
    assert path == "/v1/traces"
    assert resource == {"service.name": "intake", "service.namespace": "wegenetz", "service.instance.id": "0"}
    assert received.trace_id.hex() == CALLER[3:35]
    assert received.parent_span_id.hex() == CALLER[36:52]
    assert received.span_id.hex() == span.span_id
    assert received.end_time_unix_nano == span.end_ns
    assert received.status.code == received.status.STATUS_CODE_ERROR
    assert received.links[0].span_id.hex() == CALLER[36:52]
    assert attributes == {"wegenetz.subject": SUBJECT, "wegenetz.county": "03459", "wegenetz.outcome": "failed"}
    assert telemetry.written == 1


def test_a_collector_that_is_away_costs_spans_and_nothing_else():
    telemetry = Telemetry.start("intake", "0", otlp_endpoint="http://127.0.0.1:9")
    for _ in range(5):
        telemetry.start_span("work").end()
    telemetry.stop(0.05)

    assert telemetry.written == 0
    assert telemetry.dropped == 5
