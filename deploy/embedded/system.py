"""The whole system on one machine: ``async with Embedded(folder) as running``.

A stop today and a start tomorrow, with the same folder, go on where they were: the database's files, the keys that were made
here, the choices that the folder was begun with, and (in the services' own database) virtual time. The embedded broker starts empty, and
the services send their histories again; Apache Kafka has its log.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

from deploy.embedded import programs
from deploy.embedded.child import Child, Program, StartFailed
from deploy.embedded.engines import database_url
from deploy.embedded.folder import Choices, DataFolder, RunningCopy
from deploy.embedded.ports import LOOPBACK, reserve
from deploy.embedded.supervisor import Changed, State, Supervisor
from deploy.kafka.jars import kafka
from deploy.kafka.nodes import Ports, bootstrap, node_names, nodes, port_names
from deploy.refusals import CannotDo
from deploy.topics import apply_topics, until_nodes_answer
from services.runtime.errors import Transient

SERVICES: Final = ("intake", "profiling", "referral", "reporting")
CONSOLE: Final = "operations"
DATABASE_PREFIX: Final = "wegenetz_single"
"""With this one the busiest collections of any two services lie in different files of the embedded database, which decides by a hash of the
names. In one file, who writes the one waits for whoever is writing the other (docs/decisions/secantusdb.md)."""
DEFAULT_CHOICES: Final = Choices(counties=("03459",), clock="real", broker="embedded", nodes=1)


class Running:
    """A copy that is up. Services are reached under `services[name]`."""

    def __init__(
        self,
        supervisor: Supervisor,
        copy: RunningCopy,
        folder: DataFolder,
        choices: Choices,
        services: Sequence[Program] = (),
    ) -> None:
        self._supervisor = supervisor
        self._folder = folder
        self._services = {program.name: program for program in services}
        self.kafka: Final = copy.broker
        self.database_url: Final = copy.database
        self.services: Final = copy.services
        self.console: Final = copy.console
        self.folder: Final = folder.path
        self.traces: Final = folder.traces
        self.issuer_key_file: Final = folder.issuer_key_file
        self.choices: Final = choices

    @property
    def states(self) -> dict[str, State]:
        """``broker`` (or ``broker-1`` and so on, where it has several nodes), ``database``, each service, and the console."""
        return dict(self._supervisor.states)

    def pid(self, name: str) -> int:
        return self._supervisor.pid(name)

    def database_of(self, service: str) -> str:
        """The name of its database, which lies under `database_url`."""
        return f"{DATABASE_PREFIX}_{service}"

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a program. The supervisor starts it again; `wait_ready` waits for that."""
        self._supervisor.send(name, number)

    async def wait_ready(self, name: str, seconds: float = 60.0) -> None:
        await self._supervisor.until_ready(name, seconds)

    async def wait_all_ready(self, seconds: float = 60.0) -> None:
        for name in self._supervisor.states:
            await self._supervisor.until_ready(name, seconds)

    @asynccontextmanager
    async def another(self, name: str) -> AsyncGenerator[Child]:
        """One more process of a service: both share its partitions and its database. Nobody starts this one again when it ends."""
        port = reserve()
        instance = f"{name}-another"
        changed = {
            "WEGENETZ_INSTANCE": "another",
            "WEGENETZ_PORT": str(port.number),
            "WEGENETZ_TRACES_FILE": str(self.traces / f"{instance}.jsonl"),
        }
        program = programs.service(name, port.number, {**self._services[name].environment, **changed})
        child = Child(program, self.folder, self._folder.logs / f"{instance}.log")
        try:
            await child.until_ready()
            yield child
        finally:
            await child.stop()
            port.close()

    async def crash(self) -> None:
        """Kill everything at once and leave it so, as a power cut does. Leave the ``async with`` and enter a new one."""
        await self._supervisor.crash()

    async def run(self) -> None:
        """Never returns by itself; raises when something can no longer be kept running."""
        await self._supervisor.run()


class Embedded:
    """Broker, database and `services`, with all that they write under `folder`.

    `choices` are what the folder is begun with, or what it must have been begun with. `console`: with the operations console, to which
    the services then send their spans too. `environment` adds ``WEGENETZ_`` variables for every service. `changed` hears of every change
    of a program's state.
    """

    def __init__(
        self,
        folder: Path,
        *,
        services: Sequence[str] = SERVICES,
        choices: Choices | None = None,
        console: bool = False,
        environment: Mapping[str, str] | None = None,
        changed: Changed = lambda _name, _state: None,
    ) -> None:
        self._folder = DataFolder(folder)
        self._services = tuple(services)
        self._console = (CONSOLE,) if console else ()
        self._asked = choices or Choices()
        self._environment = dict(environment or {})
        self._changed = changed
        self._held = ExitStack()
        self._supervisor: Supervisor | None = None

    async def __aenter__(self) -> Running:
        """Raises `FolderInUse`, `OtherChoices`, `GaveUp` (something cannot start), `NoFreePort`, `NoKafka`."""
        with ExitStack() as opening:
            folder = opening.enter_context(self._folder)
            choices = folder.choose(self._asked, DEFAULT_CHOICES)
            names = node_names(choices.nodes or 1)
            on_kafka = choices.broker == "kafka"
            if not on_kafka and len(names) > 1:
                raise CannotDo("The embedded broker is one node. Several are Apache Kafka's: --broker kafka")
            ports = self._reserve_ports(
                opening, [name for node in names for name in (port_names(node) if on_kafka else (node,))]
            )
            if on_kafka:
                own = [Ports(*(ports[name] for name in port_names(node))) for node in names]
                broker, where = nodes(await asyncio.to_thread(kafka), folder.kafka, own), bootstrap(own)
            else:
                broker, where = (programs.broker(ports["broker"]),), f"{LOOPBACK}:{ports['broker']}"
            copy = RunningCopy(
                pid=os.getpid(),
                broker=where,
                database=database_url(ports["database"]),
                services={name: f"http://{LOOPBACK}:{ports[name]}" for name in self._services},
                console=f"http://{LOOPBACK}:{ports[CONSOLE]}" if self._console else None,
            )
            services = [self._service(name, ports[name], copy, choices) for name in (*self._services, *self._console)]
            self._supervisor = Supervisor(
                broker,
                programs.database(ports["database"], folder.database),
                services,
                folder=folder.path,
                logs=folder.logs,
                log_is_kept=on_kafka,
                prepare=partial(_create_topics, where, len(broker)),
                changed=self._changed,
                spawned=folder.record_processes,
            )
            await self._supervisor.start()
            folder.announce(copy)
            self._held = opening.pop_all()
            return Running(self._supervisor, copy, folder, choices, services)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._supervisor:
                await self._supervisor.stop()
        finally:
            self._held.close()

    def hurry(self) -> None:
        """Whoever is being stopped has no time left."""
        if self._supervisor:
            self._supervisor.kill_all()

    def _reserve_ports(self, opening: ExitStack, broker: Sequence[str]) -> dict[str, int]:
        """Those of the last run where they are free: yesterday's bookmark goes on working."""
        last = self._folder.last_ports()
        ports: dict[str, int] = {}
        for name in (*broker, "database", *self._services, *self._console):
            port = reserve(last.get(name))
            opening.callback(port.close)
            ports[name] = port.number
        self._folder.keep_ports(ports)
        return ports

    def _service(self, name: str, port: int, copy: RunningCopy, choices: Choices) -> Program:
        folder = self._folder
        settings = {
            **self._environment,
            "WEGENETZ_SERVICE": name,
            "WEGENETZ_PROFILE": "embedded",
            "WEGENETZ_HOST": LOOPBACK,
            "WEGENETZ_PORT": str(port),
            "WEGENETZ_DATABASE_URL": copy.database,
            "WEGENETZ_DATABASE_PREFIX": DATABASE_PREFIX,
            "WEGENETZ_KAFKA": copy.broker,
            "WEGENETZ_KAFKA_IDEMPOTENT": json.dumps(choices.broker == "kafka"),
            "WEGENETZ_LOG_IS_VOLATILE": json.dumps(choices.broker != "kafka"),
            "WEGENETZ_PEERS": json.dumps({peer: url for peer, url in copy.services.items() if peer != name}),
            "WEGENETZ_TRACES_FILE": str(folder.traces / f"{name}.jsonl"),
            "WEGENETZ_LOCAL_ISSUER_KEY_FILE": str(folder.issuer_key_file),
            "WEGENETZ_COUNTIES": json.dumps(choices.counties),
            "WEGENETZ_CLOCK": choices.clock or "real",
        }
        if choices.clock_start:
            settings["WEGENETZ_CLOCK_START"] = choices.clock_start
        if choices.ids_seed:
            settings["WEGENETZ_IDS_SEED"] = choices.ids_seed
        if name == CONSOLE:
            settings["WEGENETZ_WATCHED"] = json.dumps({peer: [url] for peer, url in copy.services.items()})
            settings["WEGENETZ_OPERATIONS_DIR"] = str(folder.operations)
        elif copy.console:
            settings["WEGENETZ_OTLP_ENDPOINT"] = copy.console
        if name == "intake":  # the only one that knows names
            settings["WEGENETZ_SECRETS_DIR"] = str(folder.person_key())
        return programs.service(name, port, settings)


async def _create_topics(bootstrap: str, nodes: int) -> None:
    """Raises `StartFailed` when the broker went away over it."""
    try:
        await until_nodes_answer(bootstrap, nodes)
        await apply_topics(bootstrap, profile="production" if nodes > 1 else "embedded")
    except Transient as error:
        raise StartFailed("The broker did not take the topics.") from error
