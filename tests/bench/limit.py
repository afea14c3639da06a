"""The limit: the records and writes of a run once more, by bare loops (`tests.bench.bare`), one process per service, started together.

Broker and database are the same programs as the system's, with fresh topics and fresh files.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.embedded import leash as leash_program
from deploy.embedded.engines import ENGINES, Engines
from deploy.embedded.system import DATABASE_PREFIX
from deploy.topics import apply_topics
from tests.bench.processes import Stolen, cpu_seconds, since
from tests.bench.written import Head

PROJECT: Final = Path(__file__).resolve().parents[2]
LEASH: Final = str(Path(leash_program.__file__))


@dataclass(frozen=True, slots=True)
class Done:
    """What was done again: seconds from the common start until the last loop had finished, counts and CPU seconds by service."""

    seconds: float
    did: Mapping[str, Mapping[str, float]]
    engines_cpu: Mapping[str, float]
    stolen: float


async def limit(heads: Sequence[Head], files: Path, folder: Path) -> Done:
    """Do the work of `heads` again; their documents lie in `files`. Everything that is written lies under `folder`."""
    async with Engines(folder) as engines:
        await apply_topics(engines.kafka)
        records = {head.topic: head.events for head in heads}
        commands = {
            head.service: (
                *("tests.bench.bare", str(files / f"{head.service}.bson"), engines.database_url),
                *(f"{DATABASE_PREFIX}_{head.service}", engines.kafka, str(sum(records[topic] for topic in head.reads))),
            )
            for head in heads
        }
        return await together(commands, engines)


async def together(commands: Mapping[str, Sequence[str]], engines: Engines) -> Done:
    """Start these modules, wait until each has said ``ready``, let them all go at once, and gather the line that each ends with."""
    children: dict[str, Process] = {}
    try:
        for name, command in commands.items():
            children[name] = await _start(command)
        await asyncio.gather(*(_ready(name, child) for name, child in children.items()))
        pids = {name: engines.pid(name) for name in ENGINES}
        stolen, before, began = Stolen(), cpu_seconds(pids), asyncio.get_running_loop().time()
        for child in children.values():
            assert child.stdin is not None
            child.stdin.write(b"\n")
        did = dict(zip(children, await asyncio.gather(*map(_result, children.values())), strict=True))
        seconds = asyncio.get_running_loop().time() - began
        share, used = stolen.share(), since(before, cpu_seconds(pids))
        await asyncio.gather(*(child.wait() for child in children.values()))
    finally:
        for child in children.values():
            if child.returncode is None:
                child.kill()
                await child.wait()
    return Done(seconds, did, used, share)


async def _start(command: Sequence[str]) -> Process:
    """In a session of its own: Ctrl-C is for whoever started us, who ends it."""
    leash = (sys.executable, "-I", "-S", LEASH, str(os.getpid()))
    return await asyncio.create_subprocess_exec(
        *leash, sys.executable, "-m", *command, cwd=PROJECT, stdin=PIPE, stdout=PIPE, start_new_session=True
    )


async def _ready(name: str, child: Process) -> None:
    if await _line(child) != b"ready\n":
        raise RuntimeError(f"the loop of {name} did not begin; what it said stands above")


async def _result(child: Process) -> dict[str, float]:
    line = await _line(child)
    if not line:
        raise RuntimeError("a loop ended before its work was done; what it said stands above")
    return json.loads(line)


async def _line(child: Process) -> bytes:
    assert child.stdout is not None
    return await child.stdout.readline()
