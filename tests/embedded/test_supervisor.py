"""What the supervisor does when a program ends, hangs or never starts. Its programs are stubs that misbehave on demand."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.embedded import supervisor as supervising
from deploy.embedded.child import Program, StartFailed
from deploy.embedded.ports import ReservedPort, reserve
from deploy.embedded.programs import answers, bare_environment
from deploy.embedded.supervisor import GaveUp, State, Supervisor

STUB = str(Path(__file__).with_name("stub_program.py"))
SERVICES = ("intake", "profiling")


class House:
    """A supervisor over stubs, and what was seen of it."""

    def __init__(self, folder: Path, brokers: Sequence[str] = ("broker",), *, log_is_kept: bool = False) -> None:
        self.folder = folder
        self.seen: list[tuple[str, State]] = []
        self.prepared = 0
        self.refused = 0
        self.ports: list[ReservedPort] = []
        database, *services = (self._program(name) for name in ("database", *SERVICES))
        self.supervisor = Supervisor(
            [self._program(name) for name in brokers],
            database,
            services,
            folder=folder,
            logs=folder / "log",
            log_is_kept=log_is_kept,
            prepare=self._prepare,
            changed=lambda name, state: self.seen.append((name, state)),
        )

    def events(self) -> list[str]:
        return (self.folder / "events").read_text(encoding="utf-8").splitlines()

    def tell(self, name: str, word: str) -> None:
        (self.folder / f"{name}.{word}").touch()

    def pids(self) -> dict[str, int]:
        return {name: self.supervisor.pid(name) for name in self.supervisor.states}

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)

    async def until_all_ready(self) -> None:
        for name in self.supervisor.states:
            await self.supervisor.until_ready(name, 10)

    async def _prepare(self) -> None:
        self.prepared += 1
        if self.prepared <= self.refused:
            raise StartFailed("The broker did not take the topics.")
        with (self.folder / "events").open("a", encoding="utf-8") as events:
            events.write("topics applied\n")

    def _program(self, name: str) -> Program:
        port = reserve()
        self.ports.append(port)
        command = (sys.executable, STUB, str(port.number), str(self.folder), name)
        return Program(
            name,
            command,
            answers(port.number, "/health/ready"),
            bare_environment(),
            ready_seconds=10,
            stop_seconds=0.3,
            well=answers(port.number, "/health/live") if name in SERVICES else None,
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    await house.supervisor.crash()
    for port in house.ports:
        port.close()


@pytest.fixture
async def durable(tmp_path: Path) -> AsyncIterator[House]:
    """Its broker has two nodes and keeps its log."""
    house = House(tmp_path, ("broker-1", "broker-2"), log_is_kept=True)
    yield house
    await house.supervisor.crash()
    for port in house.ports:
        port.close()


@asynccontextmanager
async def started(house: House) -> AsyncIterator[Supervisor]:
    await house.supervisor.start()
    yield house.supervisor
    await house.supervisor.stop()


async def test_services_start_when_the_broker_has_its_topics(house: House) -> None:
    async with started(house):
        events = house.events()
        assert events.index("topics applied") > events.index("broker starts")
        assert all(events.index(f"{name} starts") > events.index("topics applied") for name in SERVICES)
        assert set(house.supervisor.states.values()) == {State.READY}


async def test_a_killed_service_is_started_again_alone(house: House) -> None:
    async with started(house) as supervisor:
        before = house.pids()
        supervisor.send("intake", signal.SIGKILL)
        await supervisor.until_ready("intake", 10)
        after = house.pids()
        assert {name for name in after if after[name] != before[name]} == {"intake"}


async def test_a_killed_database_is_started_again_alone(house: House) -> None:
    async with started(house) as supervisor:
        before = house.pids()
        supervisor.send("database", signal.SIGKILL)
        await supervisor.until_ready("database", 10)
        after = house.pids()
        assert {name for name in after if after[name] != before[name]} == {"database"}


async def test_the_start_of_the_broker_is_the_start_of_every_service(house: House) -> None:
    async with started(house) as supervisor:
        before = house.pids()
        supervisor.send("broker", signal.SIGKILL)
        await house.until_all_ready()
        after = house.pids()
        assert {name for name in after if after[name] != before[name]} == {"broker", *SERVICES}
        assert house.prepared == 2
        again = house.events()[house.events().index("topics applied") + 1 :]
        assert again.index("intake stops") < again.index("broker starts") < again.index("topics applied")


async def test_where_the_log_is_kept_a_killed_node_is_started_again_alone(durable: House) -> None:
    async with started(durable) as supervisor:
        before = durable.pids()
        supervisor.send("broker-2", signal.SIGKILL)
        await supervisor.until_ready("broker-2", 10)
        after = durable.pids()
        assert {name for name in after if after[name] != before[name]} == {"broker-2"}
        assert durable.prepared == 1


async def test_where_the_log_is_kept_services_start_when_every_node_is_there_and_end_before_any(durable: House) -> None:
    durable.refused = 1
    async with started(durable):
        events = durable.events()
        begun = events.index("topics applied")
        assert all(events.index(f"{node} starts") < begun for node in ("broker-1", "broker-2"))
        assert all(events.index(f"{name} starts") > begun for name in SERVICES)
        assert durable.prepared == 2, "it was asked again"
    stops = [event for event in durable.events() if event.endswith("stops")]
    assert [{*stops[:2]}, {*stops[2:4]}, stops[4]] == [
        {f"{name} stops" for name in SERVICES},
        {"broker-1 stops", "broker-2 stops"},
        "database stops",
    ]


async def test_a_stop_ends_services_then_the_broker_then_the_database(house: House) -> None:
    async with started(house):
        pass
    stops = [event for event in house.events() if event.endswith("stops")]
    assert set(stops[:2]) == {"intake stops", "profiling stops"}
    assert stops[2:] == ["broker stops", "database stops"]
    assert set(house.supervisor.states.values()) == {State.STOPPED}


async def test_who_ignores_a_polite_stop_is_killed_when_its_time_is_up(house: House) -> None:
    async with started(house):
        house.tell("intake", "deaf")
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert "intake stops" not in house.events()
    assert house.supervisor.states["intake"] is State.STOPPED


async def test_a_hurried_stop_waits_for_nobody(house: House) -> None:
    await house.supervisor.start()
    for name in house.supervisor.states:
        house.tell(name, "deaf")
    stopping = asyncio.create_task(house.supervisor.stop())
    await house.until(lambda: State.STOPPING in house.supervisor.states.values())
    house.supervisor.kill_all()
    async with asyncio.timeout(1):
        await stopping


async def test_a_service_that_cannot_start_ends_the_start_and_says_why(house: House) -> None:
    house.tell("profiling", "broken")
    with pytest.raises(GaveUp, match=r"profiling ended at once[\s\S]*the setting is missing"):
        await house.supervisor.start()
    assert house.events().count("profiling starts") == supervising.ATTEMPTS
    assert State.READY not in house.supervisor.states.values()
    assert {"broker stops", "database stops"} <= set(house.events())


async def test_a_service_that_was_ready_once_is_tried_again_without_end(house: House) -> None:
    async with started(house) as supervisor:
        house.tell("intake", "broken")
        supervisor.send("intake", signal.SIGKILL)
        await house.until(lambda: house.events().count("intake starts") > supervising.ATTEMPTS)
        (house.folder / "intake.broken").unlink()
        await supervisor.until_ready("intake", 10)
        assert supervisor.states["profiling"] is State.READY


async def test_a_broker_that_dies_while_its_topics_are_made_is_started_again(house: House) -> None:
    house.refused = 1
    async with started(house):
        await house.until_all_ready()
        assert house.events().count("broker starts") == 2
        assert [house.events().count(f"{name} starts") for name in SERVICES] == [1, 1]


@pytest.mark.parametrize("word", ["unwell", "halted"])
async def test_a_service_that_says_it_cannot_work_is_shown_so_until_it_can(
    house: House, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(supervising, "ASKED_EVERY", 0.05)
    async with started(house) as supervisor:
        before = house.pids()
        house.tell("intake", word)
        await house.until(lambda: supervisor.states["intake"] is State.UNWELL)
        (house.folder / f"intake.{word}").unlink()
        await supervisor.until_ready("intake", 10)
        assert house.pids() == before


async def test_waiting_for_one_that_does_not_come_says_so(house: House) -> None:
    async with started(house) as supervisor:
        house.tell("intake", "broken")
        supervisor.send("intake", signal.SIGKILL)
        with pytest.raises(StartFailed, match="intake was not ready within"):
            await supervisor.until_ready("intake", 0.2)


async def test_after_a_crash_nothing_runs_and_nothing_is_started_again(house: House) -> None:
    await house.supervisor.start()
    starts = len(house.events())
    await house.supervisor.crash()
    assert State.READY not in house.supervisor.states.values()
    assert len(house.events()) == starts
