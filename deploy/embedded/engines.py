"""The broker and the database alone: what an integration test needs. Their addresses stay the same when one is restarted."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from deploy.embedded.child import Child, Program
from deploy.embedded.ports import LOOPBACK, reserve
from deploy.embedded.programs import broker, database
from deploy.kafka.jars import Kafka, kafka
from deploy.kafka.nodes import Ports, nodes

Engine = Literal["broker", "database"]
ENGINES: Final[tuple[Engine, ...]] = ("broker", "database")


class Engines:
    """Both engines on reserved ports, with their files under `folder`.

    ``async with Engines(folder) as engines`` starts and stops them. A restarted embedded broker is empty; Apache Kafka (`broker` is
    ``kafka``, one node) and the database have everything that they acknowledged.
    """

    def __init__(self, folder: Path, broker: str = "embedded") -> None:
        self._folder = folder.resolve()
        self._on_kafka = broker == "kafka"
        self._programs_of_kafka: Kafka | None = None
        self._controller = reserve() if self._on_kafka else None
        self._ports = {name: reserve() for name in ENGINES}
        self._children: dict[Engine, Child] = {}
        self.kafka: Final = f"{LOOPBACK}:{self._ports['broker'].number}"
        self.database_url: Final = database_url(self._ports["database"].number)

    async def __aenter__(self) -> Self:
        try:
            if self._on_kafka:
                self._programs_of_kafka = await asyncio.to_thread(kafka)
            for name in ENGINES:
                self._spawn(name)
            for child in self._children.values():
                await child.until_ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End both without ceremony: nothing that they acknowledged needs a farewell."""
        for child in self._children.values():
            await child.kill()
        for port in (*self._ports.values(), *([self._controller] if self._controller else [])):
            port.close()

    async def kill(self, name: Engine) -> None:
        """``kill -9``, and wait until it is dead. Its port refuses connections until `start`."""
        await self._children[name].kill()

    async def start(self, name: Engine) -> None:
        """Start it again, at the same address, and wait until it answers."""
        if name in self._children and self._children[name].exit_code is None:
            raise RuntimeError(f"The {name} is running.")
        self._spawn(name)
        await self._children[name].until_ready()

    def freeze(self, name: Engine) -> None:
        """It keeps its connections and answers nothing, until `thaw`."""
        self._children[name].send(signal.SIGSTOP)

    def thaw(self, name: Engine) -> None:
        self._children[name].send(signal.SIGCONT)

    def pid(self, name: Engine) -> int:
        return self._children[name].pid

    def _spawn(self, name: Engine) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        program = self._broker() if name == "broker" else database(self._ports[name].number, self._folder / "database")
        self._children[name] = Child(program, self._folder, self._folder / "log" / f"{name}.log")

    def _broker(self) -> Program:
        port = self._ports["broker"].number
        if self._programs_of_kafka is None or self._controller is None:
            return broker(port)
        return nodes(self._programs_of_kafka, self._folder / "kafka", [Ports(port, self._controller.number)])[0]


def database_url(port: int) -> str:
    """A direct connection: the database calls itself a replica set of one, under a name that no client can look up."""
    return f"mongodb://{LOOPBACK}:{port}/?directConnection=true"
