"""What a service says of itself, and the tools that its routes and rounds are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from services.runtime.bus import Consumer, Producer
from services.runtime.clock import Clock
from services.runtime.deciding import Command, Logic
from services.runtime.desk import Desk
from services.runtime.health import Health
from services.runtime.ids import Ids
from services.runtime.metrics import Metrics
from services.runtime.outbox import Relay
from services.runtime.settings import Settings
from services.runtime.settle import Outcome, Settler
from services.runtime.store import Collection as StoreCollection
from services.runtime.store import CountyStore, Database
from services.runtime.telemetry import Telemetry
from services.runtime.tokens import Actor
from services.runtime.turns import Round, Turns
from services.runtime.web import reply

Loop = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Service:
    """What makes one service different from the others.

    `topic` is the one it owns; `subscriptions` maps the topics it reads to the event types it takes from them. `loops` are more
    loops of its own, by name, each of which runs until its event is set. `gathers`: nobody waits for what it makes of events, so they
    come together for half a second, unless the clock is moved by somebody who waits for all to be at rest.
    """

    name: str
    title: str
    logic: Logic
    topic: str
    subscriptions: Mapping[str, Collection[type[BaseModel]]]
    collections: Sequence[StoreCollection]
    routes: Callable[[Running], APIRouter]
    messages: Path
    round: Callable[[Running], Round] | None = None
    loops: Mapping[str, Callable[[Running], Loop]] = field(default_factory=dict[str, "Callable[[Running], Loop]"])
    gathers: bool = False


@dataclass(slots=True)
class Running:
    """A service with its tools, as its routes and rounds see it."""

    service: Service
    settings: Settings
    clock: Clock
    database: Database
    settler: Settler
    desk: Desk
    relay: Relay
    producer: Producer
    turns: Turns
    health: Health
    metrics: Metrics
    telemetry: Telemetry
    ids: Ids
    consumer: Consumer | None = None

    def store(self, county: str) -> CountyStore:
        return self.database.county(county)

    async def send(self, actor: Actor, key: str, data: BaseModel, *, status: int = 200) -> Response:
        """Settle a command and answer with what it was answered. `Refused` and `Transient` become problem documents."""
        answer = await self.desk.send(Command(actor.county, key, data, actor.subject))
        return reply(answer.body, status, replayed=answer.repeated)

    async def send_all(self, commands: Sequence[Command]) -> list[Outcome]:
        """Settle several commands; each has its own outcome, and its own trace."""
        return await self.desk.send_all(commands)
