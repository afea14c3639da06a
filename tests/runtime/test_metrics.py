"""Metrics: bounded, cheap to reach, and readable by Prometheus."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.runtime.metrics import COMBINATIONS, Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """A sample as Prometheus reads it from the exposition."""
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == f"wegenetz_{name}" and sample.labels == labels:
                return sample.value
    return None


def test_records_are_counted_by_who_sent_them_and_what_became_of_them():
    metrics = Metrics()
    metrics.records.of("intake", "applied").inc(3)
    metrics.records.of("intake", "dead").inc()
    metrics.records.of("intake", "applied").inc()

    assert value(metrics, "records_total", source="intake", result="applied") == 4
    assert value(metrics, "records_total", source="intake", result="dead") == 1


def test_batches_are_measured_by_size_and_step():
    metrics = Metrics()
    metrics.batch_records.observe(500)
    metrics.batch_seconds.of("write").observe(0.012)

    assert value(metrics, "batch_records_bucket", le="200.0") == 0
    assert value(metrics, "batch_records_bucket", le="500.0") == 1
    assert value(metrics, "batch_seconds_bucket", step="write", le="0.01") == 0
    assert value(metrics, "batch_seconds_bucket", step="write", le="0.025") == 1


def test_an_id_that_becomes_a_label_by_mistake_cannot_fill_the_memory():
    metrics = Metrics()
    for number in range(COMBINATIONS + 50):
        metrics.commands.of(f"result-{number}").inc()
    metrics.commands.of("result-0").inc()

    assert metrics.exposition().decode().count("wegenetz_commands_total{") == COMBINATIONS + 1
    assert value(metrics, "commands_total", result="other") == 50
    assert value(metrics, "commands_total", result="result-0") == 2


def test_without_counting_everything_stays_at_nothing_but_what_the_process_itself_costs():
    metrics = Metrics(counting=False)
    metrics.records.of("intake", "applied").inc(3)
    metrics.batch_records.observe(500)
    metrics.outbox_waiting(7, time.time())

    assert value(metrics, "records_total", source="intake", result="applied") == 0
    assert value(metrics, "batch_records_count") == 0
    assert value(metrics, "outbox_documents") == 0
    assert "process_resident_memory_bytes" in metrics.exposition().decode()


def test_a_label_too_few_is_refused():
    with pytest.raises(ValueError, match="source, result"):
        Metrics().records.of("intake")


def test_the_age_of_the_outbox_grows_though_nobody_reports_and_is_none_when_it_is_empty():
    metrics = Metrics()
    assert value(metrics, "outbox_oldest_seconds") == 0
    metrics.outbox_waiting(7, time.time() - 90)
    first = value(metrics, "outbox_oldest_seconds")
    second = value(metrics, "outbox_oldest_seconds")
    metrics.outbox_waiting(0, None)

    assert first is not None
    assert second is not None
    assert 90 <= first < second
    assert value(metrics, "outbox_oldest_seconds") == 0


def test_losses_of_tracing_and_logging_are_read_when_asked():
    metrics = Metrics()
    dropped = [0]
    metrics.watch(lambda: 10, lambda: dropped[0], lambda: 2)
    dropped[0] = 5

    assert value(metrics, "spans_written") == 10
    assert value(metrics, "spans_dropped") == 5
    assert value(metrics, "log_lines_lost") == 2


def test_a_service_adds_its_own_and_two_in_one_process_do_not_mix():
    one, other = Metrics(), Metrics()
    one.counters("things", "Things by colour", "colour").of("red").inc()

    assert value(one, "things_total", colour="red") == 1
    assert value(other, "things_total", colour="red") is None


def test_memory_of_the_process_is_shown():
    assert "process_resident_memory_bytes" in Metrics().exposition().decode()
