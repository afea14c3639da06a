"""The envelope goes through Kafka headers unharmed, and each way in which headers can be wrong has its own reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.envelope import BadEnvelope, Envelope, Subject, TypeName, format_instant

HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": b"3d5c1e0a-6a53-4f0f-9d3e-0b7f6f2a9c41",
    "ce_source": b"intake",
    "ce_type": b"wegenetz.intake.arrival-registered.v1",
    "ce_subject": b"case/b7a0f6c2-51d4-4a4e-8a35-9c2f1e7d6b80",
    "ce_time": b"2016-03-01T09:30:00.000Z",
    "ce_county": b"03459",
    "ce_sequence": b"7",
    "traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
REQUIRED = [name for name in HEADERS if name != "traceparent"]

words = st.from_regex(r"[a-z]{1,12}", fullmatch=True)
subjects = st.builds(Subject, st.from_regex(r"[a-z]{1,20}", fullmatch=True), st.uuids().map(str))
instants = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=9, minutes=30))]),
).map(lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000))
traceparents = st.none() | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True)


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    source, name, version = draw(words), draw(words), draw(st.integers(1, 9999))
    return Envelope(
        id=draw(st.text(min_size=1)),
        source=source,
        type=f"wegenetz.{source}.{name}.v{version}",
        subject=draw(subjects),
        county=f"{draw(st.integers(0, 99999)):05}",
        sequence=draw(st.integers(1, 2**53 - 1)),
        time=draw(instants),
        traceparent=draw(traceparents),
    )


def reason_for(**changed: bytes | None) -> tuple[str, str]:
    with pytest.raises(BadEnvelope) as refused:
        Envelope.from_headers((HEADERS | changed).items())
    return refused.value.reason, refused.value.header


def read_or_refused(headers: list[tuple[str, bytes | None]]) -> Envelope | BadEnvelope:
    try:
        return Envelope.from_headers(headers)
    except BadEnvelope as refused:
        return refused


@given(envelopes())
def test_an_envelope_comes_back_from_its_headers_as_it_was(envelope: Envelope) -> None:
    read = Envelope.from_headers(envelope.to_headers())
    assert read == envelope
    assert read.time.tzinfo is UTC
    assert read.to_headers() == envelope.to_headers()


@given(envelopes(), st.randoms(use_true_random=False))
def test_neither_the_order_of_headers_nor_unknown_ones_matter(envelope: Envelope, order: Random) -> None:
    headers: list[tuple[str, bytes | None]] = [*envelope.to_headers(), ("ce_colour", b"red"), ("x-proxy", None)]
    order.shuffle(headers)
    assert Envelope.from_headers(headers) == envelope


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*HEADERS, "ce_colour", "x-proxy"]),
            st.none() | st.binary(max_size=60) | st.sampled_from(list(HEADERS.values())),
        )
    )
)
@example([("ce_sequence", b"9" * 5000)])
@example([("ce_time", b"0001-01-01T00:00:00+14:00")])
@example([("ce_time", b"9999-12-31T23:59:59-14:00")])
def test_whatever_the_headers_are_they_are_an_envelope_or_refused_with_a_reason(
    wrong: list[tuple[str, bytes | None]],
) -> None:
    outcome = read_or_refused([*HEADERS.items(), *wrong])
    if isinstance(outcome, Envelope):
        assert Envelope.from_headers(outcome.to_headers()) == outcome
    else:
        assert outcome.header.startswith("ce_") or outcome.header == "traceparent"


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_or_empty_header_is_named(name: str) -> None:
    assert reason_for(**{name: b""}) == ("missing-header", name)
    with pytest.raises(BadEnvelope) as refused:
        Envelope.from_headers((other, value) for other, value in HEADERS.items() if other != name)
    assert (refused.value.reason, refused.value.header) == ("missing-header", name)


@pytest.mark.parametrize("name", [*HEADERS, "ce_colour"])
def test_a_null_header_and_one_that_is_not_utf8_are_named(name: str) -> None:
    assert reason_for(**{name: None}) == ("null-header", name)
    assert reason_for(**{name: b"M\xfcller"}) == ("header-not-utf8", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_source", b"profiling"),
        ("ce_subject", b"b7a0f6c2-51d4-4a4e-8a35-9c2f1e7d6b80"),
        ("ce_subject", b"Case/b7a0f6c2-51d4-4a4e-8a35-9c2f1e7d6b80"),
        ("ce_subject", b"case/7"),
        ("ce_time", b"2016-03-01T09:30:00"),
        ("ce_time", b"1st of March"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_county", b"3459"),
        ("ce_county", b"034590024"),
        ("ce_county", b"03459\n"),
        ("ce_sequence", b"0"),
        ("ce_sequence", b"-1"),
        ("ce_sequence", b"1.0"),
        ("ce_sequence", "٣".encode()),
        ("ce_sequence", str(2**53).encode()),
        ("ce_sequence", b"9" * 5000),
    ],
)
def test_a_malformed_header_is_named(name: str, value: bytes) -> None:
    assert reason_for(**{name: value}) == ("malformed-header", name)


@pytest.mark.parametrize(
    "type_name",
    [
        b"arrival-registered",
        b"wegenetz.intake.arrival-registered",
        b"wegenetz.intake.arrival_registered.v1",
        b"wegenetz.intake.arrival-registered.v0",
        b"wegenetz.intake.arrival-registered.v10000",
        b"wegenetz.Intake.arrival-registered.v1",
    ],
)
def test_a_type_that_is_not_ours_is_unknown(type_name: bytes) -> None:
    assert reason_for(ce_type=type_name) == ("unknown-type", "ce_type")


@pytest.mark.parametrize("traceparent", [b"", b"00-abc", b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
def test_an_event_with_a_malformed_trace_context_is_taken_without_it(traceparent: bytes) -> None:
    assert Envelope.from_headers((HEADERS | {"traceparent": traceparent}).items()).traceparent is None


def test_the_reason_does_not_repeat_what_was_in_the_header() -> None:
    with pytest.raises(BadEnvelope) as refused:
        Envelope.from_headers((HEADERS | {"ce_subject": b"Anna Beispiel"}).items())
    assert "Anna" not in str(refused.value)


def test_an_instant_is_written_in_utc_with_milliseconds() -> None:
    summer = datetime(2016, 7, 1, 9, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert format_instant(summer) == "2016-07-01T07:30:15.123Z"


def test_a_type_name_is_taken_apart() -> None:
    assert TypeName.parse("wegenetz.referral.need-waiting.v12") == ("referral", "need-waiting", 12)


@given(subjects)
def test_a_subject_comes_back_from_its_text(subject: Subject) -> None:
    assert Subject.parse(str(subject)) == subject
