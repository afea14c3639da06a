"""The broker and the database alone: what an integration test needs. Their addresses stay the same when one is restarted."""

from __future__ import annotations

import signal
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from deploy.embedded.child import Child
from deploy.embedded.ports import LOOPBACK, reserve
from deploy.embedded.programs import broker, database

Engine = Literal["broker", "database"]
ENGINES: Final[tuple[Engine, ...]] = ("broker", "database")


class Engines:
    """Both engines on reserved ports, with their files under `folder`.

    ``async with Engines(folder) as engines`` starts and stops them. A restarted broker is empty; a restarted database has
    everything that it acknowledged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._ports = {name: reserve() for name in ENGINES}
        self._children: dict[Engine, Child] = {}
        self.kafka: Final = f"{LOOPBACK}:{self._ports['broker'].number}"
        self.database_url: Final = database_url(self._ports["database"].number)

    async def __aenter__(self) -> Self:
        try:
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
        for port in self._ports.values():
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
        port = self._ports[name].number
        program = broker(port) if name == "broker" else database(port, self._folder / "database")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._children[name] = Child(program, self._folder, self._folder / "log" / f"{name}.log")


def database_url(port: int) -> str:
    """A direct connection: the database calls itself a replica set of one, under a name that no client can look up."""
    return f"mongodb://{LOOPBACK}:{port}/?directConnection=true"
