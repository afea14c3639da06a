"""The tools of one service, put together: the same for each of them, top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from services.runtime.bus import Consumer, Producer
from services.runtime.clock import Clock, RealClock, VirtualClock
from services.runtime.desk import Desk
from services.runtime.errors import Transient
from services.runtime.health import Component, Health
from services.runtime.ids import Ids
from services.runtime.leases import Lease
from services.runtime.measuring import MetricsWatcher
from services.runtime.metrics import Metrics
from services.runtime.outbox import Relay
from services.runtime.reading import Reader
from services.runtime.records import NOWHERE, Parcel, RawRecord
from services.runtime.running import Running, Service
from services.runtime.settings import Settings
from services.runtime.settle import Settler, Work
from services.runtime.store import Database
from services.runtime.telemetry import Telemetry
from services.runtime.turns import Turns


def wired(service: Service, settings: Settings, telemetry: Telemetry, metrics: Metrics, health: Health) -> Running:
    database = Database(
        settings.database_url.get_secret_value(), f"{settings.database_prefix}_{service.name}", settings.load_chunk
    )
    clock = _clock(settings, database)
    reader = Reader({model for models in service.subscriptions.values() for model in models})
    watcher = MetricsWatcher(metrics)
    settler = Settler(service.logic, reader, clock, telemetry, watcher, settings.batch_records)
    producer = Producer(
        settings.kafka,
        service.topic,
        idempotent=settings.kafka_idempotent,
        client=f"{service.name}-{settings.instance}",
    )
    sending = health.component("outbox")
    relay = Relay(
        database,
        service.name,
        producer,
        Lease(database, "relay", settings.instance),
        published=watcher.published,
        turned=_speaker(sending, "events wait"),
    )

    def committed(parcels: Sequence[Parcel], written: Mapping[tuple[str, str], int]) -> None:
        relay.take(parcels)
        watcher.written(written)

    database.committed = committed
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
            turned=_speaker(health.component("turns", bound_seconds=120.0), "deadlines wait"),
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


def _speaker(component: Component, meanwhile: str) -> Callable[[Transient | None], None]:
    """How a loop that takes turns tells its health."""

    def turned(error: Transient | None) -> None:
        if error is None:
            component.progressed()
        else:
            component.waiting(f"{error.clause}; {meanwhile}.")

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
        for county, work in by_county(running.settler.reader, records, settings.counties).items():
            outcomes = await running.settler.settle(running.store(county), work)
            dead += sum(outcome.dead for outcome in outcomes)
        return dead

    return Consumer(
        settings.kafka,
        sorted(running.service.subscriptions),
        f"{settings.database_prefix}-{running.service.name}",
        settings.instance,
        settle,
        batch_records=settings.batch_records,
        retry_limit=settings.retry_limit_seconds,
        dead_letter_limit=settings.dead_letter_limit,
        waiting=waiting,
        stopped=stopped,
    )


def by_county(reader: Reader, records: Sequence[RawRecord], counties: Sequence[str]) -> dict[str, list[Work]]:
    """A batch holds events of all counties; each is settled with its own store. Order within a county stays."""
    groups: dict[str, list[Work]] = {}
    for record in records:
        fetched = reader.read(record)
        county = fetched.envelope.county if fetched.envelope else NOWHERE
        if county not in counties:
            fetched, county = reader.of_no_county(fetched), NOWHERE
        groups.setdefault(county, []).append(fetched)
    return groups
