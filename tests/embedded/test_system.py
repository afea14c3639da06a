"""The whole copy, here without services: what goes on after a stop, what runs side by side, what a kill leaves behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.embedded.folder import Choices, FolderInUse, read_running
from deploy.embedded.supervisor import State
from deploy.embedded.system import Embedded
from schemas.topics import topics
from services.runtime.bus import Topic, apply_topics


async def test_a_stop_today_and_a_start_tomorrow_go_on_where_they_were(tmp_path: Path) -> None:
    begun = Choices(clock="virtual", clock_start="2016-01-01T00:00:00+01:00")
    async with Embedded(tmp_path, services=[], choices=begun) as running:
        await AsyncIOMotorClient(running.database_url)["county"]["cases"].insert_one({"_id": "kept"})
    async with Embedded(tmp_path, services=[]) as running:
        kept = await AsyncIOMotorClient(running.database_url)["county"]["cases"].find_one({})
        assert kept == {"_id": "kept"}
        assert running.choices.clock_start == begun.clock_start


async def test_two_copies_run_side_by_side_in_folders_of_their_own(tmp_path: Path) -> None:
    async with (
        Embedded(tmp_path / "one", services=[]) as one,
        Embedded(tmp_path / "another one", services=[]) as another,
    ):
        assert len({one.kafka, another.kafka}) == 2
        assert set(one.states.values()) == set(another.states.values()) == {State.READY}
        with pytest.raises(FolderInUse):
            await Embedded(tmp_path / "one", services=[]).__aenter__()


async def test_every_topic_exists_before_a_service_could_ask_and_again_after_the_broker_died(tmp_path: Path) -> None:
    wanted = [
        Topic(topic.name, topic.partitions, topic.retention_ms, segment_ms=topic.segment_ms)
        for topic in topics().values()
    ]
    async with Embedded(tmp_path, services=[]) as running:
        assert await apply_topics(running.kafka, wanted, dry_run=True) == []
        running.kill("broker")
        await running.wait_ready("broker")
        running.kill("database")
        await running.wait_all_ready()


async def test_after_a_power_cut_the_same_folder_starts_again(tmp_path: Path) -> None:
    async with Embedded(tmp_path, services=[]) as running:
        await AsyncIOMotorClient(running.database_url)["county"]["cases"].insert_one({"_id": "kept"})
        await running.crash()
    async with Embedded(tmp_path, services=[]) as running:
        assert await AsyncIOMotorClient(running.database_url)["county"]["cases"].count_documents({}) == 1


def test_a_killed_supervisor_leaves_no_process_and_no_address_behind(tmp_path: Path) -> None:
    with _up(tmp_path) as supervisor:
        processes = _processes(tmp_path)
        watched = [os.pidfd_open(pid) for pid in processes]
        supervisor.kill()
        supervisor.wait()
        assert len(watched) == 2
        assert all(_ended(descriptor) for descriptor in watched)
        assert read_running(tmp_path) is None


def test_ctrl_c_stops_everything_in_order_and_ends_well(tmp_path: Path) -> None:
    with _up(tmp_path) as supervisor:
        watched = [os.pidfd_open(pid) for pid in _processes(tmp_path)]
        supervisor.send_signal(signal.SIGINT)
        assert supervisor.wait(timeout=20) == 0
        assert all(_ended(descriptor) for descriptor in watched)
        assert not (tmp_path / "running.json").exists()


_UP = """
import asyncio, pathlib, sys
from deploy.embedded.interrupts import stopping_on_signals
from deploy.embedded.system import Embedded

async def main():
    embedded = Embedded(pathlib.Path(sys.argv[1]), services=[])
    with stopping_on_signals(embedded.hurry):
        async with embedded as running:
            print("up", flush=True)
            await running.run()

asyncio.run(main())
"""


def _up(folder: Path) -> subprocess.Popen[str]:
    """A supervisor in a process of its own, when it is up."""
    supervisor = subprocess.Popen([sys.executable, "-c", _UP, str(folder)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "up\n"
    return supervisor


def _processes(folder: Path) -> list[int]:
    return [pid for pid, _ in json.loads((folder / "processes.json").read_text(encoding="utf-8")).values()]


def _ended(descriptor: int) -> bool:
    """A process descriptor becomes readable when its process ends."""
    readable, _, _ = select.select([descriptor], [], [], 5)
    os.close(descriptor)
    return bool(readable)
