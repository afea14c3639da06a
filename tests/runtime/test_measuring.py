"""Each number moves when that happens which it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.embedded.engines import Engines
from services.runtime.clock import HandClock
from services.runtime.deciding import Command, Elapsed
from services.runtime.errors import Transient
from services.runtime.measuring import MetricsWatcher
from services.runtime.metrics import Metrics
from services.runtime.settle import Settler
from services.runtime.telemetry import Telemetry
from tests.runtime.faults import interrupted
from tests.runtime.lines import Line
from tests.runtime.memory_store import MemoryStore
from tests.runtime.open_services import bank_service
from tests.runtime.served import COUNTY, Served, make, named, served
from tests.runtime.toy import ANNA, BERT, CARLA, START, Bank, Booked, Paid, Pay, Remind, reader, record

NEVER = {"spans_dropped", "log_lines_lost"}
"""Counts of losses, of which there are none here."""


def samples(metrics: Metrics) -> dict[str, float]:
    """Every number of ours, summed over its labels; of a histogram how often something was observed."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        if family.name.startswith("wegenetz_"):
            counted = [one.value for one in family.samples if not one.name.endswith(("_bucket", "_sum"))]
            found[family.name.removeprefix("wegenetz_")] = sum(counted)
    return found


def labelled(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"wegenetz_{name}", labels) or 0.0


async def test_in_a_service_that_meets_with_everything_each_number_moves(tmp_path: Path, own_prefix: str) -> None:
    async with Engines(tmp_path / "engines") as engines:
        bank = named(bank_service(tmp_path), own_prefix)
        shop, *others = bank.subscriptions
        await make(engines, shop, *others)
        async with served(bank, engines, tmp_path, traces_file=tmp_path / "bank-0.jsonl") as service:
            story = Story(engines, service, Line(engines.kafka, shop))
            await story.happens()
            metrics = service.running.metrics
            assert samples(metrics).keys() - story.moved == NEVER
            for result in ("committed", "conflicted", "failed"):
                assert labelled(metrics, "transactions_total", result=result) > 0
            for what in ("settle", "publish", "turn"):
                assert labelled(metrics, "retries_total", what=what) > 0
            assert labelled(metrics, "parked_records", county=COUNTY) == 1
            assert labelled(metrics, "dead_letters_open", county="00000") == 1


class Story:
    """A bank's bad day. Each step is over when the numbers show it; `moved` are those that were seen to be more than nothing."""

    def __init__(self, engines: Engines, service: Served, shop: Line) -> None:
        self._engines, self._service, self._shop = engines, service, shop
        self._running = service.running
        self.moved: set[str] = set()

    async def happens(self) -> None:
        await self._its_topic_is_missing()
        await self._records_come()
        await self._somebody_else_was_faster()
        await self._the_database_is_away()

    async def _its_topic_is_missing(self) -> None:
        async with self._service.client() as client:
            assert (await client.get("/health/ready")).status_code == 200
        await self._pays(ANNA)
        await self._until(lambda now: now["outbox_documents"] > 0 and now["outbox_oldest_seconds"] > 0)
        await make(self._engines, self._running.service.topic)
        await self._until(lambda now: now["outbox_published_events"] > 0)

    async def _records_come(self) -> None:
        early, garbage = record(COUNTY, BERT, 3, Paid(amount=1)), record(COUNTY, CARLA, 1, Paid(amount=1))
        await self._shop.put_records(early, replace(garbage, headers=()))
        await self._running.desk.send(Command(COUNTY, "", Remind(account=CARLA, at=(START,))))
        await self._until(
            lambda now: (
                min(now["records"], now["deadlines_handled"], now["parked_records"], now["dead_letters_open"]) > 0
            )
        )

    async def _somebody_else_was_faster(self) -> None:
        await self._running.database.raw["accounts"].update_one({"_id": ANNA}, {"$inc": {"version": 10}})
        await self._running.desk.send_all([pay(ANNA), pay(ANNA)])

    async def _the_database_is_away(self) -> None:
        await self._engines.kill("database")
        with pytest.raises(Transient):
            await self._pays(ANNA)
        await self._shop.put_records(record(COUNTY, ANNA, 1, Paid(amount=1)))
        await self._until(lambda now: now["consumer_lag_records"] > 0)
        await self._engines.start("database")
        await self._until(lambda now: now["consumer_lag_records"] == 0)

    async def _pays(self, account: str) -> None:
        await self._running.desk.send(pay(account))

    async def _until(self, condition: Callable[[dict[str, float]], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition(self._look()):
                await asyncio.sleep(0.1)

    def _look(self) -> dict[str, float]:
        now = samples(self._running.metrics)
        self.moved |= {name for name, value in now.items() if value > 0}
        return now


def pay(account: str) -> Command:
    return Command(COUNTY, "", Pay(account=account, amount=1))


async def test_what_others_were_faster_at_is_counted_once_for_each_try() -> None:
    metrics, store = Metrics(), MemoryStore(COUNTY)
    settler = Settler(Bank().logic(), reader(), HandClock(START), Telemetry(tracing=False), MetricsWatcher(metrics, ()))
    await settler.settle(interrupted(store, ["conflict", "conflict"]), [pay(ANNA), pay(BERT)])
    now = samples(metrics)
    assert (now["conflicts"], now["halvings"], now["commands"]) == (2, 1, 2)


async def test_a_business_time_is_measured_once_when_its_event_is_told_however_often_that_is_decided() -> None:
    first = Elapsed(
        "opening_to_payment",
        "From opening to the first payment",
        Booked,
        lambda account, booked, now: now - (START - timedelta(days=3)) if len(account.entries) == 1 else None,
    )
    logic = replace(Bank().logic(), times=(first,))
    metrics, store = Metrics(), MemoryStore(COUNTY)
    watcher = MetricsWatcher(metrics, logic.times)
    settler = Settler(logic, reader(), HandClock(START), Telemetry(tracing=False), watcher)
    await settler.settle(interrupted(store, ["conflict"]), [pay(ANNA), pay(ANNA), pay(BERT)])
    assert labelled(metrics, "opening_to_payment_seconds_count") == 2
    assert labelled(metrics, "opening_to_payment_seconds_sum") == 2 * 3 * 86_400


def test_the_number_of_whatever_is_no_longer_looked_after_is_gone() -> None:
    metrics = Metrics()
    for number in ("0", "1"):
        metrics.consumer_lag.of("shop.events.v1", number).set(7)
    metrics.consumer_lag.keep_only({("shop.events.v1", "1")})
    exposition = metrics.exposition().decode()
    assert 'partition="0"' not in exposition
    assert labelled(metrics, "consumer_lag_records", topic="shop.events.v1", partition="1") == 7
