"""What comes in as OTLP, what of it is kept, for how long, and how it is found again."""

from __future__ import annotations

import gzip
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

from services.operations.otlp import MOST_BYTES, NotOtlp, read
from services.operations.span_store import KeptSpan, SpanStore
from services.runtime.fields import Value
from services.runtime.otlp import OtlpSpans
from services.runtime.spans import Span
from services.runtime.ways import Seen
from tests.operations.room import COUNTY, open_room

MS = 1_000_000
HOUR = 3600 * 1000 * MS
ANNA = "case/6f9619ff-8b86-4011-b42d-00cf4fc964ff"
SEAT = "11111111-8b86-4011-b42d-00cf4fc964ff"


def sent(*spans: Span, service: str = "referral") -> bytes:
    """A message as a service's exporter makes it."""
    sink = OtlpSpans("http://127.0.0.1:9", service, "a-1")
    try:
        return encode_spans([sink._readable(span) for span in spans]).SerializeToString()
    finally:
        sink.close()


def a_span(name: str = "need-agreed", *, subject: str = ANNA, outcome: str = "applied", **more: str) -> Span:
    attributes: dict[str, Value] = {"subject": subject, "county": "03459", **more}
    span = Span(name, "message", (uuid.uuid4().hex, None, "01"), attributes, (), ())
    span.end(outcome)
    return span


def kept(
    trace: str = "",
    *,
    ago_ns: int = 0,
    took_ns: int = MS,
    failed: bool = False,
    subject: str = "",
    name: str = "step",
    county: str = COUNTY,
) -> KeptSpan:
    end = time.time_ns() - ago_ns
    trace_id = trace or uuid.uuid4().hex
    return KeptSpan(
        Seen(trace_id, uuid.uuid4().hex[:16], None, name, end - took_ns, end, "referral", failed, subject, "applied"),
        "0",
        county,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SpanStore]:
    opened = SpanStore(tmp_path / "spans.sqlite", limit=1000)
    yield opened
    opened.close()


async def test_what_a_service_sends_is_kept_and_found_by_its_subject(tmp_path: Path) -> None:
    span = a_span(outcome="failed")
    async with open_room(tmp_path) as room, room.visitor() as service:
        headers = {"content-type": "application/x-protobuf"}
        for body, packing in ((sent(span), {}), (gzip.compress(sent(span)), {"content-encoding": "gzip"})):
            answer = await service.post("/v1/traces", content=body, headers={**headers, **packing})
            assert answer.status_code == 200
        found, cut = room.console.spans.of_subject(ANNA, COUNTY, 10)
        assert (room.console.spans.kept, cut) == (1, False), "a span that comes twice is kept once"
    (seen,) = found.values()
    assert (seen.trace_id, seen.span_id, seen.service) == (span.trace_id, span.span_id, "referral")
    assert (seen.subject, seen.outcome, seen.failed) == (ANNA, "failed", True)


def test_no_name_address_or_number_gets_past_the_receiver_whoever_sends_it() -> None:
    said = ("Amal Haddad", "amal@example.org", "+49 541 123", "Müllerstraße 3", "15.03.1987", "034590024024")
    for text in said:
        span = a_span(text, subject=text, outcome=text, note=text)
        message = encode_spans([_raw(span)]).SerializeToString()
        (one,) = read(message, packed=False)
        told = (one.seen.name, one.seen.subject, one.seen.outcome, one.seen.service, one.instance)
        assert all(text not in part for part in told), told


def _raw(span: Span) -> ReadableSpan:
    """As a stranger's exporter would send it: nothing is withheld."""
    context = SpanContext(int(span.trace_id, 16), int(span.span_id, 16), is_remote=False, trace_flags=TraceFlags(1))
    return ReadableSpan(
        name=span.name,
        context=context,
        resource=Resource({"service.name": span.name}),
        attributes={f"wegenetz.{key}": str(value) for key, value in span.attributes.items()},
        start_time=span.start_ns,
        end_time=span.end_ns,
    )


@pytest.mark.parametrize("body", [b"\xff\xff\xff", gzip.compress(bytes(MOST_BYTES + 1)), gzip.compress(b"")[:-4]])
def test_what_is_no_otlp_or_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(NotOtlp):
        read(body, packed=body[:2] == b"\x1f\x8b")


def test_over_the_limit_the_oldest_ordinary_ways_go_first_and_errors_and_slow_ways_stay(store: SpanStore) -> None:
    wrong, slow = kept(ago_ns=HOUR, failed=True), kept(ago_ns=HOUR, took_ns=1500 * MS)
    first, latest = kept(ago_ns=HOUR // 2), kept()
    store.take([wrong, slow, first])
    store.take([kept(ago_ns=HOUR // 4) for _ in range(1500)])
    store.take([latest])

    assert store.kept <= 1000
    there = {
        one.seen.trace_id: bool(store.of_trace(one.seen.trace_id, COUNTY, 10)[0])
        for one in (wrong, slow, first, latest)
    }
    assert there == {
        wrong.seen.trace_id: True,
        slow.seen.trace_id: True,
        first.seen.trace_id: False,
        latest.seen.trace_id: True,
    }


def test_what_is_older_than_the_days_kept_goes_though_there_is_room(tmp_path: Path) -> None:
    store = SpanStore(tmp_path / "spans.sqlite", days=1)
    store.take([kept(ago_ns=25 * HOUR, failed=True), kept()])
    assert store.kept == 1
    store.close()
    again = SpanStore(tmp_path / "spans.sqlite", days=1)
    assert again.kept == 1, "a new start knows what it has"
    again.close()


def test_the_slowest_of_the_last_hour_are_told_and_older_ones_are_not(store: SpanStore) -> None:
    long_ago, slow, quick = kept(ago_ns=2 * HOUR, took_ns=9000 * MS), kept(took_ns=700 * MS), kept(took_ns=3 * MS)
    store.take([quick, long_ago, slow])

    assert [one.span_id for one in store.slowest_steps(COUNTY)] == [slow.seen.span_id, quick.seen.span_id]
    assert [one.trace_id for one in store.slowest_ways(COUNTY, 1)] == [slow.seen.trace_id]
    (kind,) = store.step_times()
    assert (kind.spans, kind.most_ns) == (2, 700 * MS)


@pytest.mark.parametrize(
    ("ask", "indexes"),
    [
        (lambda store: store.of_subject(ANNA, COUNTY, 10), {"of_subject", "of_trace"}),
        (lambda store: store.of_trace("0" * 32, COUNTY, 10), {"of_trace"}),
        (lambda store: store.subjects(SEAT, COUNTY), {"of_subject", "referrals"}),
        (lambda store: store.slowest_steps(COUNTY), {"slowest", "spans"}),
        (lambda store: store.slowest_ways(COUNTY), {"slowest_ways", "ways"}),
        (lambda store: store.wrong(COUNTY), {"wrong"}),
        (lambda store: store.step_times(), {"steps"}),
    ],
    ids=["of a subject", "of a trace", "by an id", "slowest steps", "slowest ways", "failures", "times of steps"],
)
def test_every_question_goes_by_its_index(
    store: SpanStore, ask: Callable[[SpanStore], object], indexes: set[str]
) -> None:
    """A table's name stands for its primary key."""
    store.take([kept(took_ns=5 * MS)])  # or the second question, about what the first one found, is not asked
    asked: list[str] = []
    store._database.set_trace_callback(asked.append)
    ask(store)
    store._database.set_trace_callback(None)
    plan = {row[3] for question in set(asked) for row in store._database.execute(f"explain query plan {question}")}
    steps = [step for step in plan if step.startswith(("SEARCH", "SCAN"))]
    assert {_index_of(step) for step in steps if not _of_a_list(step)} == indexes, plan


def _index_of(step: str) -> str:
    words = step.split()
    if "PRIMARY" in words:
        return words[1]
    return words[words.index("INDEX") + 1] if words[0] == "SEARCH" else f"none: {step}"


def _of_a_list(step: str) -> bool:
    """Of what stands in the question itself."""
    return step in ("SCAN CONSTANT ROW", "SCAN json_each VIRTUAL TABLE INDEX 1:")


def test_a_way_is_found_by_a_referral_of_its_case_until_it_is_dropped(tmp_path: Path) -> None:
    store = SpanStore(tmp_path / "spans.sqlite", days=1)
    step = replace(kept(subject=ANNA, ago_ns=HOUR), referral=SEAT)
    store.take([step, replace(step, seen=replace(step.seen, span_id="1" * 16))])
    assert store.subjects(SEAT, COUNTY) == [ANNA]
    assert store.subjects(SEAT, "03157") == []
    store.close()
    later = SpanStore(tmp_path / "spans.sqlite", days=0.01)
    later.take([kept()])
    assert later.subjects(SEAT, COUNTY) == []
    later.close()


def test_the_referral_that_a_message_names_comes_with_its_span() -> None:
    (one,) = read(sent(a_span(referral=SEAT)), packed=False)
    (other,) = read(sent(a_span(referral="Amal Haddad")), packed=False)
    assert (one.referral, other.referral) == (SEAT, "")


def test_an_operator_is_told_of_no_step_of_another_county(store: SpanStore) -> None:
    trace, request = "a" * 32, "b" * 32
    theirs = kept(trace, subject=ANNA, county="03157", failed=True)
    store.take([theirs, kept(request, county="", failed=True)])

    assert store.of_subject(ANNA, COUNTY, 10) == ({}, False)
    assert store.of_trace(trace, COUNTY, 10) == ({}, False)
    assert store.subjects(ANNA.partition("/")[2], COUNTY) == []
    assert [one.trace_id for one in store.wrong(COUNTY)] == [request]
    assert [one.trace_id for one in store.slowest_steps(COUNTY)] == [request]
    assert [one.trace_id for one in store.slowest_ways(COUNTY)] == [request]
    assert len(store.of_subject(ANNA, "03157", 10)[0]) == 1
