"""The times that services declare for operations are described where operators look, and told apart by their names."""

from __future__ import annotations

from pathlib import Path

from services.intake.service import SERVICE as INTAKE
from services.profiling.service import SERVICE as PROFILING
from services.referral.service import SERVICE as REFERRAL
from services.reporting.service import SERVICE as REPORTING
from services.runtime.measuring import MetricsWatcher
from services.runtime.metrics import Metrics

PAGE = (Path(__file__).parents[2] / "docs/architecture/telemetry.md").read_text(encoding="utf-8")


def test_every_time_that_is_measured_is_described_on_the_page_of_telemetry() -> None:
    declared = [
        f"| `wegenetz_{time.name}_seconds` | {service.name} | {time.text} |"
        for service in (INTAKE, PROFILING, REFERRAL, REPORTING)
        for time in service.logic.times
    ]
    written = PAGE.split("## Business times", 1)[1]
    assert [line for line in written.splitlines() if line.startswith("| `")] == declared


def test_each_service_can_publish_the_times_that_it_declares() -> None:
    for service in (INTAKE, PROFILING, REFERRAL, REPORTING):
        metrics = Metrics()
        MetricsWatcher(metrics, service.logic.times)
        for time in service.logic.times:
            assert metrics.registry.get_sample_value(f"wegenetz_{time.name}_seconds_count") == 0.0
