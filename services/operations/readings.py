"""What a replica's health and metrics say, as the numbers that the console shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

Place = tuple[str, str]
"""Topic and partition."""

NUMBERS: Final = (
    "lag",
    "outbox_documents",
    "outbox_seconds",
    "batch_records",
    "batch_ms",
    "records_a_second",
    "retries",
    "deadlines",
    "parked",
    "dead_letters",
)
"""What is shown of each service: records that wait, outbox documents and their age (s), records of a batch and its time (ms), records
a second; retries and deadlines handled, each a minute; parked records and open dead letters."""

_GAUGES: Final = {
    "wegenetz_outbox_documents": "outbox_documents",
    "wegenetz_outbox_oldest_seconds": "outbox_seconds",
    "wegenetz_parked_records": "parked",
    "wegenetz_dead_letters_open": "dead_letters",
}
_COUNTERS: Final = {
    "wegenetz_retries_total": "retries",
    "wegenetz_deadlines_handled_total": "deadlines",
    "wegenetz_records_total": "records",
    "wegenetz_batch_records_sum": "batch_records",
    "wegenetz_batch_records_count": "batches",
}
_WHOLE_BATCH: Final = {"wegenetz_batch_seconds_sum": "batch_seconds", "wegenetz_batch_seconds_count": "settled"}


@dataclass(frozen=True, slots=True)
class Part:
    """One loop of a process, as its health says."""

    name: str
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one replica. `at` is machine time (seconds since 1970). Without an answer `status` is ``silent``."""

    at: float
    status: str
    parts: Sequence[Part] = ()
    instance: str = ""
    version: str = ""
    last_error: tuple[str, str, float] | None = None
    lag: Mapping[Place, float] = field(default_factory=dict[Place, float])
    gauges: Mapping[str, float] = field(default_factory=dict[str, float])
    counters: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Sample:
    """What is kept of a look: the numbers by name of `NUMBERS` (those that there were), and the lag by place."""

    at: float
    numbers: Mapping[str, float]
    lag: Mapping[Place, float]


@dataclass(frozen=True, slots=True)
class Beside:
    """A number now, and what is normal: the median of the last hour. None: there was none."""

    name: str
    now: float | None
    normal: float | None


def reading(at: float, health: Mapping[str, Any], exposition: str) -> Reading:
    """Of what ``/health/live`` and ``/metrics`` answered. Raises ValueError and KeyError for what is neither."""
    lag: dict[Place, float] = {}
    gauges: dict[str, float] = dict.fromkeys(_GAUGES.values(), 0.0)
    counters: dict[str, float] = dict.fromkeys((*_COUNTERS.values(), *_WHOLE_BATCH.values()), 0.0)
    instance, version, last_error = "", "", None
    for name, labels, value in _samples(exposition):
        if name == "wegenetz_consumer_lag_records":
            lag[labels["topic"], labels["partition"]] = value
        elif name in _GAUGES:
            gauges[_GAUGES[name]] += value
        elif name in _COUNTERS:
            counters[_COUNTERS[name]] += value
        elif name in _WHOLE_BATCH and labels.get("step") == "whole":
            counters[_WHOLE_BATCH[name]] += value
        elif name == "wegenetz_process":
            instance, version = labels["instance"], labels["version"]
        elif name == "wegenetz_last_error_seconds":
            last_error = labels["code"], labels["error"], value
    parts = tuple(Part(one["name"], one["state"], one["sentence"]) for one in health["components"])
    return Reading(at, str(health["status"]), parts, instance, version, last_error, lag, gauges, counters)


def _samples(exposition: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def sample(before: Reading | None, now: Reading) -> Sample:
    """The numbers of a look. Rates need one before it, of the same process: a counter that fell was begun anew."""
    numbers: dict[str, float] = {**now.gauges, "lag": sum(now.lag.values())}
    if before is not None and before.counters and now.at > before.at:
        grown = {name: value - before.counters.get(name, 0.0) for name, value in now.counters.items()}
        if all(growth >= 0 for growth in grown.values()):
            seconds = now.at - before.at
            numbers["records_a_second"] = grown["records"] / seconds
            numbers["retries"] = grown["retries"] / seconds * 60
            numbers["deadlines"] = grown["deadlines"] / seconds * 60
            if grown["batches"]:
                numbers["batch_records"] = grown["batch_records"] / grown["batches"]
            if grown["settled"]:
                numbers["batch_ms"] = grown["batch_seconds"] / grown["settled"] * 1000
    return Sample(now.at, numbers, now.lag)


def beside(samples: Sequence[Sample]) -> list[Beside]:
    """Each number now (the last one of a minute, where it is not told every time) beside what is normal."""
    told: list[Beside] = []
    for name in NUMBERS:
        values = [(one.at, one.numbers[name]) for one in samples if name in one.numbers]
        recent = values and values[-1][0] > samples[-1].at - 60
        told.append(Beside(name, values[-1][1] if recent else None, _middle(value for _, value in values)))
    return told


def _middle(values: Iterable[float]) -> float | None:
    found = list(values)
    return median(found) if found else None
