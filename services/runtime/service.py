"""One service as a process: its doors and its loops, started and stopped in the same order for each of them.

`run` prepares the database, starts the doors and the loops, and returns when it is told to stop (SIGTERM, SIGINT) and the running work is
finished. While database or broker are away it waits and says so in health.

A stop goes from where work comes in to where it goes out, so that nobody is turned away who was let in, and nothing lies unsent that this
process has committed: health says so; the doors take no more and finish what they have begun; the running batch is finished; commands and
turns come to their end; what was committed by then is sent. Each step is given `GRACE_SECONDS`; what it does not finish is found again.

A loop or a door that ends before it is told to is a bug: it is logged, and the process stops, to be started anew.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx
from fastapi import FastAPI

from services.runtime import serving
from services.runtime.bus import Consumer
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import VirtualClock
from services.runtime.errors import Transient
from services.runtime.gaps import GapFiller
from services.runtime.health import Component, Health
from services.runtime.logs import log
from services.runtime.measuring import measure_lag, measure_waiting
from services.runtime.metrics import Metrics
from services.runtime.operating import operator_routes
from services.runtime.request_span import RequestSpans
from services.runtime.running import Running, Service
from services.runtime.security import verifier_of
from services.runtime.service_tokens import service_tokens
from services.runtime.settings import Settings
from services.runtime.telemetry import Telemetry
from services.runtime.waiting import set_within
from services.runtime.web import build_app
from services.runtime.wiring import wired

VERSION: Final = importlib.metadata.version("wegenetz")
PAUSES: Final = (0.1, 0.2, 0.5, 1.0)
"""Seconds between attempts to reach database and broker at the start; the last one repeats."""
ASKED_EVERY: Final = 2.0
"""Seconds between two questions to each of them afterwards."""
MEASURED_EVERY: Final = 5.0
"""Seconds between two looks at what waits."""
ANSWER_SECONDS: Final = 2.0
"""A database that takes longer to answer nothing at all counts as away."""


def run(service: Service, settings: Settings) -> None:
    """Run until told to stop. Blocks."""
    log.start(service.name, settings.instance, settings.log_level)
    serving.run(_main(service, settings))


async def _main(service: Service, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(service, settings, stop)


async def serve(service: Service, settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`; what `run` does, inside somebody's loop."""
    log.info("service.starting")
    telemetry = Telemetry.start(
        service.name,
        settings.instance,
        otlp_endpoint=settings.otlp_endpoint,
        traces_file=settings.traces_file,
        tracing=settings.tracing,
        sample_ratio=settings.trace_sample_ratio,
    )
    metrics = Metrics(counting=settings.metrics)
    metrics.watch(lambda: telemetry.written, lambda: telemetry.dropped, lambda: log.lost, lambda: log.last_error)
    metrics.process.of(service.name, settings.instance, VERSION).set(1)
    health = Health()
    running = wired(service, settings, telemetry, metrics, health)
    listener = serving.Listener(settings.host, settings.port)
    async with httpx.AsyncClient(timeout=5.0) as client:
        app = application(running, client)
        process = _Process(running, stop)
        closing = asyncio.Event()
        doors = process.start("doors", serving.serve(app, listener, closing), told=closing)
        try:
            component = health.component("database", answers_need_it=True, bound_seconds=float("inf"))
            if await _ready(running, component, stop):
                await _work(process, component, client, _Doors(doors, closing))
        finally:
            health.stopping()
            closing.set()
            await asyncio.wait([doors])
            telemetry.stop()
            running.database.close()
            log.info("service.stopped")


def application(running: Running, client: httpx.AsyncClient) -> FastAPI:
    """The doors of a service: its own and the operator's. `client` fetches the keys of the sign-in service."""
    service, telemetry, metrics = running.service, running.telemetry, running.metrics
    return build_app(
        title=service.title,
        version=VERSION,
        settings=running.settings,
        verifier=verifier_of(running.settings, client),
        catalogue=Catalogue(RUNTIME_MESSAGES, service.messages),
        health=running.health,
        metrics=metrics,
        routers=(operator_routes(running), service.routes(running)),
        layers=(lambda inner: RequestSpans(inner, telemetry, metrics),),
        examples=service.messages.with_name("examples.yaml"),
    )


async def _ready(running: Running, database: Component, stop: asyncio.Event) -> bool:
    """Reach the database and the broker, however long it takes. False when told to stop before."""
    broker = running.health.component("broker", bound_seconds=float("inf"))

    async def prepare() -> None:
        await running.database.prepare(running.service.collections)
        if isinstance(running.clock, VirtualClock):
            kept = await running.database.meta("clock")
            if kept is not None:
                running.clock.set(kept["now"])
        if running.settings.log_is_volatile:
            await running.relay.send_again()

    async def connect() -> None:
        await running.producer.start()

    for component, step in ((database, prepare), (broker, connect)):
        if not await _until_it_works(running.health, component, step, stop):
            return False
    return True


async def _until_it_works(
    health: Health, component: Component, step: Callable[[], Awaitable[None]], stop: asyncio.Event
) -> bool:
    attempt = 0
    while not stop.is_set():
        try:
            await step()
        except Transient as error:
            component.waiting(f"{error.clause} yet.")
            health.starting()
            await set_within(stop, PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1
        else:
            component.progressed()
            return True
    return False


async def _work(process: _Process, database: Component, client: httpx.AsyncClient, doors: _Doors) -> None:
    """All loops, until the stop, and then step by step to the end of all of them."""
    running, stop = process.running, process.stop
    leaving, answering, sending = asyncio.Event(), asyncio.Event(), asyncio.Event()
    relay = process.start("outbox", running.relay.run(sending), told=sending)
    loops = [
        process.start("commands", running.desk.run(answering), told=answering),
        process.start("turns", running.turns.run(stop)),
        process.start("database", _watch_database(running, database, stop)),
        process.start("measuring", _measure(running, stop)),
        *(process.start(name, loop(running)(stop)) for name, loop in running.service.loops.items()),
    ]
    consuming: list[asyncio.Task[None]] = []
    if running.consumer is not None:
        consuming.append(process.start("bus", _consume(running, running.consumer, leaving), told=leaving))
        gaps = GapFiller(
            running.database,
            running.settler,
            running.settings.counties,
            peers=running.settings.peers,
            token=service_tokens(running.settings),
            client=client,
        )
        loops.append(process.start("gaps", gaps.run(stop)))
    running.health.started()
    log.info("service.ready")
    await stop.wait()
    log.info("service.stopping")
    running.health.stopping()
    await doors.close()
    leaving.set()
    await _finished(consuming)
    answering.set()
    await _finished(loops)
    sending.set()
    await _finished([relay])
    await running.producer.stop()


@dataclass(frozen=True, slots=True)
class _Doors:
    """The open doors, and how to close them."""

    open: asyncio.Task[None]
    closing: asyncio.Event

    async def close(self) -> None:
        """Take no more, and finish what was begun. (In its own time: serving knows a limit.)"""
        self.closing.set()
        await asyncio.wait([self.open])


class _Process:
    """The loops of a running service. One that fails, or ends before it is `told`, stops all of them."""

    def __init__(self, running: Running, stop: asyncio.Event) -> None:
        self.running = running
        self.stop = stop

    def start(
        self, name: str, loop: Coroutine[Any, Any, None], *, told: asyncio.Event | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(loop, name=name)
        task.add_done_callback(lambda done: self._ended(done, told or self.stop))
        return task

    def _ended(self, task: asyncio.Task[None], told: asyncio.Event) -> None:
        if task.cancelled() or (task.exception() is None and told.is_set()):
            return
        log.error("service.failed", exception=task.exception())
        component = self.running.health.component(task.get_name())
        component.stopped("Ended before it was told to; the process has to be started anew.")
        self.stop.set()


async def _finished(tasks: Iterable[asyncio.Task[None]]) -> None:
    waiting = [*tasks]
    if waiting:
        await asyncio.wait(waiting, timeout=serving.GRACE_SECONDS)


async def _watch_database(running: Running, component: Component, stop: asyncio.Event) -> None:
    """Ask now and then whether the database answers: nothing can be answered without it, even if nobody happens to need it just now."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await running.database.ping()
        except (TimeoutError, Transient):
            component.waiting("The database does not answer.")
        else:
            component.progressed()
        await set_within(stop, ASKED_EVERY)


async def _measure(running: Running, stop: asyncio.Event) -> None:
    """Look now and then at what waits. Who is away is said by whoever needs them."""
    while not stop.is_set():
        for measure in (measure_waiting, measure_lag):
            with suppress(Transient):
                await measure(running)
        await set_within(stop, MEASURED_EVERY)


async def _consume(running: Running, consumer: Consumer, leaving: asyncio.Event) -> None:
    component = running.health.component("group", bound_seconds=float("inf"))
    try:
        await _until_it_works(running.health, component, consumer.start, leaving)
        while not leaving.is_set():
            await consumer.idle()
            await set_within(leaving, ASKED_EVERY)
    finally:
        await consumer.stop()
