"""What a look at a replica tells, what is normal, and bytes that anybody may have sent."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from services.operations.pages.standing import number, unusual
from services.operations.pictures import picture
from services.operations.readings import Beside, Reading, beside, reading, sample
from services.operations.showing import shown
from services.operations.watching import Watch
from services.runtime.health import Health
from services.runtime.metrics import Metrics


class Replica:
    """A process whose metrics a test moves."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.metrics.process.of("referral", "a-1", "0.1.0").set(1)
        self.health = Health()
        self.health.component("bus").progressed()
        self.away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path == "/metrics":
            return httpx.Response(200, content=self.metrics.exposition())
        return httpx.Response(200, json=self.health.live().model_dump(mode="json"))

    def watch(self, folder: Path) -> Watch:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return Watch({"referral": ["http://referral"]}, folder, client)

    def look(self, at: float) -> Reading:
        return reading(at, self.health.live().model_dump(mode="json"), self.metrics.exposition().decode())


def test_rates_are_what_grew_between_two_looks_and_a_new_process_begins_anew() -> None:
    replica = Replica()
    first = replica.look(100.0)
    replica.metrics.records.of("intake", "applied").inc(50)
    replica.metrics.retries.of("settle").inc(2)
    replica.metrics.batch_records.observe(50)
    replica.metrics.batch_seconds.of("whole").observe(0.25)
    replica.metrics.batch_seconds.of("load").observe(9.0)
    replica.metrics.consumer_lag.of("intake.events.v1", "3").set(7)
    second = replica.look(110.0)

    told = sample(first, second)
    assert told.numbers["records_a_second"] == 5
    assert told.numbers["retries"] == 12
    assert (told.numbers["batch_records"], told.numbers["batch_ms"]) == (50, 250)
    assert (told.numbers["lag"], dict(told.lag)) == (7, {("intake.events.v1", "3"): 7})
    assert "records_a_second" not in sample(second, Replica().look(120.0)).numbers


def test_now_stands_beside_the_median_of_the_last_hour() -> None:
    replica = Replica()
    looks = []
    for second, waiting in enumerate((4, 4, 4, 900)):
        replica.metrics.outbox_documents.set(waiting)
        looks.append(sample(None, replica.look(100.0 + second)))
    told = {one.name: one for one in beside(looks)}
    assert told["outbox_documents"] == Beside("outbox_documents", 900, 4)
    assert unusual(told["outbox_documents"])
    assert not unusual(Beside("outbox_documents", 5, 4))
    assert unusual(Beside("dead_letters", 1, 1)), "a dead letter is never normal"


async def test_a_replica_that_does_not_answer_is_silent_and_a_new_start_knows_what_was_normal(tmp_path: Path) -> None:
    replica = Replica()
    watch = replica.watch(tmp_path)
    await watch.look()
    (seen,) = watch.replicas
    assert (seen.latest.instance, seen.latest.version, seen.latest.status) == ("a-1", "0.1.0", "ok")
    replica.away = True
    await watch.look()
    assert seen.latest.status == "silent"
    watch.close()

    again = replica.watch(tmp_path)
    assert len(again.replicas[0].samples) == 1
    again.close()


async def test_the_last_error_is_told_by_its_code_and_when_it_was(tmp_path: Path) -> None:
    replica = Replica()
    replica.metrics.watch(lambda: 0, lambda: 0, lambda: 0, lambda: ("settle.failed", "KeyError", 1_700_000_000.0))
    watch = replica.watch(tmp_path)
    await watch.look()
    assert watch.replicas[0].latest.last_error == ("settle.failed", "KeyError", 1_700_000_000.0)
    watch.close()


def test_a_picture_ends_where_now_is_and_leaves_a_gap_where_nobody_looked() -> None:
    drawn = picture({0: 0.0, 1: 10.0, 120: 5.0}, 3600.0)
    assert drawn.path == "M0,47.0L2,1.0M240,24.0"
    assert (drawn.now, drawn.most) == (5.0, 10.0)


def test_bytes_that_hide_or_turn_around_what_is_read_are_made_visible() -> None:
    told = shown("a\u202eb\x00c\u200bd".encode())
    assert (told.text, told.whole) == ("a\\u{202e}b\\u{0000}c\\u{200b}d", None)
    assert shown(b'{"a": 1}\n').whole == '{"a": 1}\n'
    raw = shown(b"\xff<script>\x00")
    assert not raw.is_text
    assert raw.text.split("  ")[:2] == ["0000", "ff 3c 73 63 72 69 70 74 3e 00"]
    assert raw.text.endswith("  ·<script>·")
    assert shown(b"x" * 50_000).cut


@pytest.mark.parametrize(
    ("value", "de", "en"), [(None, "–", "–"), (1234.0, "1.234", "1,234"), (2.5, "2,5", "2.5"), (0.0, "0", "0")]
)
def test_numbers_are_written_as_people_write_them(value: float | None, de: str, en: str) -> None:
    assert (number(value, "de"), number(value, "en")) == (de, en)
