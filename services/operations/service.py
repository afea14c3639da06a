"""The wiring of operations: a process with doors and one loop, without topic, database and broker.

A stop closes the doors; running requests are finished. A loop or a door that ends before it is told to is a bug: it is logged, and the
process stops, to be started anew.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import signal
from typing import Final

import httpx
from fastapi import FastAPI

from services.operations.console import Console
from services.operations.letters import Letters
from services.operations.pages import page_routes
from services.operations.receiving import TRACES, receiver
from services.operations.span_store import FILE, SpanStore
from services.operations.watching import Watch
from services.runtime import serving
from services.runtime.catalogue import RUNTIME_MESSAGES, Catalogue
from services.runtime.health import Health
from services.runtime.logs import log
from services.runtime.metrics import Metrics
from services.runtime.request_span import RequestSpans
from services.runtime.security import verifier_of
from services.runtime.settings import Settings
from services.runtime.telemetry import Telemetry
from services.runtime.web import build_app

NAME: Final = "operations"
VERSION: Final = importlib.metadata.version("wegenetz")


def main(settings: Settings) -> None:
    """Run until told to stop. Blocks."""
    log.start(NAME, settings.instance, settings.log_level)
    serving.run(_main(settings))


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`; what `main` does, inside somebody's loop."""
    log.info("service.starting")
    metrics, health = Metrics(), Health()
    metrics.watch(lambda: 0, lambda: 0, lambda: log.lost, lambda: log.last_error)
    metrics.process.of(NAME, settings.instance, VERSION).set(1)
    listener = serving.Listener(settings.host, settings.port)
    async with httpx.AsyncClient() as client:
        console = build(settings, client, stop)
        app = application(console, client, health, metrics)
        tasks = [
            asyncio.create_task(serving.serve(app, listener, stop), name="doors"),
            asyncio.create_task(console.run(health.component("watching")), name="watching"),
        ]
        health.started()
        log.info("service.ready")
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and (task.exception() is not None or not stop.is_set()):
                log.error("service.failed", exception=task.exception())
        log.info("service.stopping")
        health.stopping()
        stop.set()
        await asyncio.wait(tasks)
        console.spans.close()
        console.watch.close()
    log.info("service.stopped")


def build(settings: Settings, client: httpx.AsyncClient, closing: asyncio.Event) -> Console:
    """The console's tools, with its files opened."""
    folder = settings.operations_dir
    return Console(
        settings,
        SpanStore(folder / FILE, limit=settings.spans_kept, days=settings.spans_kept_days),
        Watch(settings.watched, folder, client),
        Letters(settings.watched, client),
        closing,
    )


def application(console: Console, client: httpx.AsyncClient, health: Health, metrics: Metrics) -> FastAPI:
    """The pages, and on one machine the door for spans. `client` fetches the keys of the sign-in service.

    Its own requests are not traced: who looks at ways would only see themselves looking.
    """
    settings = console.settings
    on_one_machine = settings.profile == "embedded"
    untraced = Telemetry(tracing=False)
    return build_app(
        title="Wegenetz: operations",
        version=VERSION,
        settings=settings,
        verifier=verifier_of(settings, client),
        catalogue=Catalogue(RUNTIME_MESSAGES),
        health=health,
        metrics=metrics,
        routers=((receiver(console.spans),) if on_one_machine else ()) + (page_routes(console),),
        public=(TRACES,) if on_one_machine else (),
        layers=(lambda inner: RequestSpans(inner, untraced, metrics),),
    )
