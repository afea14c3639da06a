"""The two engines that everything is tested on: real protocols, free ports, and no process left behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from deploy.embedded.engines import Engines


async def test_what_is_sent_to_the_broker_can_be_read_back(engines: Engines, own_prefix: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=engines.kafka, enable_idempotence=False)
    await producer.start()
    try:
        await producer.send_and_wait(own_prefix, b"welcome", key=b"case")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(own_prefix, bootstrap_servers=engines.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(10):
            record = await consumer.getone()
    finally:
        await consumer.stop()
    assert (record.key, record.value) == (b"case", b"welcome")


async def test_the_database_has_transactions(engines: Engines, own_prefix: str) -> None:
    client = AsyncIOMotorClient(engines.database_url)
    cases = client[own_prefix]["cases"]
    await cases.insert_one({"_id": "before"})
    async with await client.start_session() as session, session.start_transaction():
        await cases.insert_one({"_id": "given up"}, session=session)
        await session.abort_transaction()
    assert [case["_id"] async for case in cases.find()] == ["before"]


async def test_a_killed_database_keeps_what_it_acknowledged_and_its_address(tmp_path: Path) -> None:
    async with Engines(tmp_path / "a folder") as engines:
        client = AsyncIOMotorClient(engines.database_url, serverSelectionTimeoutMS=2000)
        cases = client["county"]["cases"]
        for number in range(50):
            await cases.insert_one({"_id": number})
        await engines.kill("database")
        with pytest.raises(PyMongoError):
            await AsyncIOMotorClient(engines.database_url, serverSelectionTimeoutMS=100)["county"]["cases"].find_one()
        await engines.start("database")
        assert await cases.count_documents({}) == 50


async def test_two_pairs_of_engines_run_side_by_side(engines: Engines, tmp_path: Path) -> None:
    async with Engines(tmp_path) as others:
        assert others.kafka != engines.kafka
        assert others.database_url != engines.database_url


def test_engines_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib\n"
        "from deploy.embedded.engines import Engines, ENGINES\n"
        "async def main():\n"
        f"    async with Engines(pathlib.Path({str(tmp_path)!r})) as engines:\n"
        "        print(*(engines.pid(name) for name in ENGINES), flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    children = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    watched = [os.pidfd_open(pid) for pid in children]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for descriptor in watched:
        assert _ended(descriptor, seconds=5)


def _ended(descriptor: int, seconds: float) -> bool:
    """A process descriptor becomes readable when its process ends."""
    readable, _, _ = select.select([descriptor], [], [], seconds)
    os.close(descriptor)
    return bool(readable)
