"""The tools of one service, put together: the same for each of them, top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import Counter

from services.runtime.bus import Consumer, Producer
from services.runtime.bus.consuming import GATHER_SECONDS
from services.runtime.clock import Clock, RealClock, VirtualClock
from services.runtime.desk import Desk
from services.runtime.errors import Transient
from services.runtime.health import Component, Health
from services.runtime.ids import Ids
from services.runtime.leases import Lease
from services.runtime.logs import log
from services.runtime.measuring import MetricsWatcher
from services.runtime.metrics import Metrics
from services.runtime.outbox import Relay
from services.runtime.reading import Reader
from services.runtime.records import Parcel, RawRecord
from services.runtime.running import Running, Service
from services.runtime.settings import Settings
from services.runtime.settle import Settler
from services.runtime.store import Database
from services.runtime.telemetry import Telemetry
from services.runtime.turns import Turns


def wired(service: Service, settings: Settings, telemetry: Telemetry, metrics: Metrics, health: Health) -> Running:
    database = Database(
        settings.database_url.get_secret_value(), f"{settings.database_prefix}_{service.name}", settings.load_chunk
    )
    clock = _clock(settings, database)
    reader = Reader({model for models in service.subscriptions.values() for model in models})
    watcher = MetricsWatcher(metrics, service.logic.times)
    settler = Settler(service.logic, reader, clock, telemetry, watcher, settings.batch_records)
    producer = Producer(
        settings.kafka,
        service.topic,
        idempotent=settings.kafka_idempotent,
        client=f"{service.name}-{settings.instance}",
    )
    relay = Relay(
        database,
        service.name,
        producer,
        Lease(database, "relay", settings.instance),
        published=watcher.published,
        turned=_spoken(
            health.component("outbox"),
            "events wait",
            metrics.retries.of("publish"),
            lambda error: log.warning("outbox.waiting", exception=error),
            lambda: log.info("outbox.resumed"),
        ),
    )

    def committed(parcels: Sequence[Parcel], written: Mapping[tuple[str, str], int]) -> None:
        relay.take(parcels)
        watcher.written(written)

    database.committed = committed
    database.ended = watcher.transaction
    running = Running(
        service=service,
        settings=settings,
        clock=clock,
        database=database,
        settler=settler,
        desk=Desk(settler, database),
        relay=relay,
        producer=producer,
        turns=Turns(
            settler,
            database,
            clock,
            settings.counties,
            stepped=settings.clock == "virtual",
            swept=lambda decided, failed: metrics.deadlines.inc(decided),
            turned=_spoken(
                health.component("turns", bound_seconds=120.0),
                "deadlines wait",
                metrics.retries.of("turn"),
                lambda error: log.warning("deadlines.failed", exception=error),
            ),
        ),
        health=health,
        metrics=metrics,
        telemetry=telemetry,
        ids=Ids(settings.ids_seed),
    )
    if service.round is not None:
        running.turns.round = service.round(running)
    settler.woken.append(running.turns.changed)
    if service.subscriptions:
        running.consumer = _consumer(running, health.component("bus", bound_seconds=settings.retry_limit_seconds + 60))
    return running


def _spoken(
    component: Component,
    meanwhile: str,
    retries: Counter,
    failed: Callable[[Transient], None],
    resumed: Callable[[], None] = lambda: None,
) -> Callable[[Transient | None], None]:
    """How a loop that takes turns tells health and metrics of each, and the log when it begins to fail and when it gets on again."""
    failing = False

    def turned(error: Transient | None) -> None:
        nonlocal failing
        if error is None:
            component.progressed()
            if failing:
                resumed()
        else:
            component.waiting(f"{error.clause}; {meanwhile}.")
            retries.inc()
            if not failing:
                failed(error)
        failing = error is not None

    return turned


def _clock(settings: Settings, database: Database) -> Clock:
    if settings.clock == "real":
        return RealClock()

    async def keep(instant: datetime) -> None:
        await database.set_meta("clock", now=instant)

    return VirtualClock(settings.clock_start or datetime(2016, 1, 1, tzinfo=UTC), keep)


def _consumer(running: Running, component: Component) -> Consumer:
    settings = running.settings

    def waiting(why: str | None) -> None:
        if why is None:
            component.progressed()
        else:
            component.waiting(f"Waits: {why}.")

    def stopped(why: str) -> None:
        component.stopped(f"Consumes no more: {why}.")

    async def settle(records: Sequence[RawRecord]) -> int:
        running.metrics.batch_records.observe(len(records))
        dead = 0
        try:
            for county, work in running.settler.reader.by_county(records, settings.counties).items():
                outcomes = await running.settler.settle(running.store(county), work)
                dead += sum(outcome.dead for outcome in outcomes)
        except Transient:
            running.metrics.retries.of("settle").inc()
            raise
        return dead

    return Consumer(
        settings.kafka,
        sorted(running.service.subscriptions),
        f"{settings.database_prefix}-{running.service.name}",
        settings.instance,
        settle,
        batch_records=settings.batch_records,
        gather=GATHER_SECONDS if running.service.gathers and settings.clock == "real" else 0.0,
        retry_limit=settings.retry_limit_seconds,
        dead_letter_limit=settings.dead_letter_limit,
        waiting=waiting,
        stopped=stopped,
    )
