"""From arrival to first offer: only what the machines took, along the chain of causes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulation.latencies import first_offer_ms, percentile

CASE = "case/11111111-2222-4333-8444-555555555555"
MS = 1_000_000
DAY = 86_400_000 * MS


def span(id: str, service: str, name: str, parent: str | None, start: int, end: int) -> dict[str, object]:
    who: dict[str, object] = {"service": service, "name": name, "subject": CASE}
    return who | {"span_id": id, "parent": parent, "start_ns": start, "end_ns": end}


WAY = [
    span("a", "intake", "RegisterRow", "request", 0, 4 * MS),
    span("b", "profiling", "arrival-registered", "a", 9 * MS, 10 * MS),
    span("c", "profiling", "RecordProfile", "b", DAY, DAY + 3 * MS),
    span("d", "referral", "need-confirmed", "c", DAY + 8 * MS, DAY + 9 * MS),
    span("e", "referral", "PlaceSeats", "d", 2 * DAY, 2 * DAY + 5 * MS),
    span("f", "profiling", "referral-proposed", "e", 2 * DAY + 6 * MS, 2 * DAY + 7 * MS),
    span("g", "reporting", "referral-proposed", "e", 2 * DAY + 8 * MS, 2 * DAY + 9 * MS),
]


def written(folder: Path, spans: list[dict[str, object]]) -> Path:
    for one in spans:
        with (folder / f"{one['service']}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(one, separators=(",", ":")) + "\n")
    return folder


def test_waiting_for_the_talk_and_for_the_round_does_not_count_but_the_broker_does(tmp_path: Path) -> None:
    # 4 at the office, 6 until profiling has it, 3 for the sheet, 6 until referral has it, 5 for the round's pair.
    assert first_offer_ms(written(tmp_path, WAY)) == [4 + 6 + 3 + 6 + 5]


def test_only_the_first_offer_of_a_person_counts(tmp_path: Path) -> None:
    later = [
        span("h", "referral", "PlaceSeats", "e", 3 * DAY, 3 * DAY + 50 * MS),
        span("i", "profiling", "referral-proposed", "h", 3 * DAY + 60 * MS, 3 * DAY + 61 * MS),
    ]
    assert first_offer_ms(written(tmp_path, [*later, *WAY])) == [24]


def test_who_arrived_before_the_oldest_kept_span_is_left_out(tmp_path: Path) -> None:
    assert first_offer_ms(written(tmp_path, WAY[1:])) == []


def test_a_line_that_a_killed_process_left_half_written_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, WAY)
    with (tmp_path / "intake.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"trace_id":"0af\n')
    assert first_offer_ms(tmp_path) == [24]


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile([float(number) for number in range(1, 101)], share) == value


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 0.5) is None
