"""One service as a process: its doors and its loops, started and stopped in the same order for each of them.

`run` prepares the database, starts the doors and the loops, and returns when it is told to stop (SIGTERM, SIGINT) and the running work is
finished. While database or broker are away it waits and says so in health.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from services.runtime import serving
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.clock import VirtualClock
from services.runtime.errors import Transient
from services.runtime.gaps import GapFiller
from services.runtime.health import Component, Health
from services.runtime.local_issuer import LocalIssuer
from services.runtime.logs import log
from services.runtime.metrics import Metrics
from services.runtime.operating import SERVICE, operator_routes
from services.runtime.request_span import RequestSpans
from services.runtime.running import Running, Service
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.stopping import stopped_within
from services.runtime.telemetry import Telemetry
from services.runtime.web import build_app
from services.runtime.wiring import wired

PAUSES: Final = (0.1, 0.2, 0.5, 1.0)
"""Seconds between attempts to reach database and broker at the start; the last one repeats."""
ASKED_EVERY: Final = 2.0
"""Seconds between two questions to each of them afterwards."""
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
        service.name, settings.instance, otlp_endpoint=settings.otlp_endpoint, traces_file=settings.traces_file
    )
    metrics = Metrics()
    metrics.watch(lambda: telemetry.written, lambda: telemetry.dropped, lambda: log.lost)
    health = Health()
    running = wired(service, settings, telemetry, metrics, health)
    listener = serving.Listener(settings.host, settings.port)
    async with httpx.AsyncClient(timeout=5.0) as client:
        app = build_app(
            title=service.title,
            version=importlib.metadata.version("wegenetz"),
            settings=settings,
            verifier=verifier_of(settings, client),
            catalogue=Catalogue(RUNTIME_MESSAGES, service.messages),
            health=health,
            metrics=metrics,
            routers=(operator_routes(running), service.routes(running)),
            layers=(lambda inner: RequestSpans(inner, telemetry, metrics),),
        )
        doors = asyncio.Event()
        serving_task = asyncio.create_task(serving.serve(app, listener, doors))
        try:
            component = health.component("database", answers_need_it=True, bound_seconds=float("inf"))
            if await _ready(running, component, stop):
                await _work(running, component, client, stop)
        finally:
            health.stopping()
            doors.set()
            await serving_task
            telemetry.stop()
            running.database.close()
            log.info("service.stopped")


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
            await stopped_within(stop, PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1
        else:
            component.progressed()
            return True
    return False


async def _work(running: Running, database: Component, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
    """All loops, until `stop`; then consuming ends first, what was committed is still sent, and commands still get answers."""
    sending, answering = asyncio.Event(), asyncio.Event()
    loops = [
        asyncio.create_task(running.relay.run(sending), name="outbox"),
        asyncio.create_task(running.desk.run(answering), name="commands"),
        asyncio.create_task(running.turns.run(stop), name="turns"),
        asyncio.create_task(_watch_database(running, database, stop), name="database"),
        *(asyncio.create_task(_ended(loop(stop)), name="loop") for loop in running.loops),
    ]
    if running.consumer is not None:
        gaps = GapFiller(
            running.database,
            running.settler,
            running.settings.counties,
            peers=running.settings.peers,
            token=_service_token(running.settings),
            client=client,
        )
        loops.append(asyncio.create_task(gaps.run(stop), name="gaps"))
        joining = asyncio.create_task(_join(running, stop), name="bus")
        loops.append(joining)
    for task in loops:
        task.add_done_callback(lambda done: _failed(running, done, stop))
    running.health.started()
    log.info("service.ready")
    await stop.wait()
    log.info("service.stopping")
    if running.consumer is not None:
        await running.consumer.stop()
    answering.set()
    sending.set()
    await asyncio.wait(loops, timeout=serving.GRACE_SECONDS)
    await running.producer.stop()


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
        await stopped_within(stop, ASKED_EVERY)


async def _join(running: Running, stop: asyncio.Event) -> None:
    component = running.health.component("group", bound_seconds=float("inf"))
    consumer = running.consumer
    if consumer is not None:
        await _until_it_works(running.health, component, consumer.start, stop)
        while not stop.is_set():
            await consumer.idle()
            await stopped_within(stop, ASKED_EVERY)


async def _ended(loop: Awaitable[None]) -> None:
    await loop


def _failed(running: Running, task: asyncio.Task[None], stop: asyncio.Event) -> None:
    """A loop that ends before it is told to is a bug: say so, and let the supervisor start the process anew."""
    if task.cancelled() or task.exception() is None:
        return
    log.error("task.failed", exception=task.exception())
    running.health.component(task.get_name()).stopped("Ended because of an error; the process has to be started anew.")
    stop.set()


def _service_token(settings: Settings) -> Callable[[str], str | None]:
    """How this service signs in at its peers: with the local issuer on one machine, else with the token it was given."""
    if settings.profile == "production":
        given = settings.service_token
        return lambda county: given.get_secret_value() if given else None
    issuer = LocalIssuer(settings)
    return lambda county: issuer.token(f"service:{settings.service}", SERVICE, county, ttl=60)
