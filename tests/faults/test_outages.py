"""A copy that works on while a part of it is away, comes twice, or is killed at the worst moment."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.system import Embedded, Running
from simulation.actors.lives import PROTECTION_OFFICER
from simulation.actors.offices import arrival
from simulation.doors import OPERATOR, Doors
from simulation.load import load_county
from simulation.rest import until_at_rest
from simulation.world import COUNSELLOR
from tests.faults.load import CHOICES, doors_of, load

AWAY_SECONDS = 20.0
PAUSE = 0.1


@pytest.mark.timeout(600)
async def test_people_come_through_while_database_and_broker_are_away_and_instances_join_and_go(tmp_path: Path):
    """Each is away for 20 s and says so in health; two services have a second instance meanwhile, and one of these is killed."""
    async with (
        Embedded(tmp_path, choices=CHOICES) as running,
        doors_of(running) as doors,
        load(doors, 120, one_talk_in=8) as going,
    ):
        await going.further(40)
        async with running.another("profiling") as profiling, running.another("referral"):
            await going.further(40)
            await away(running, "database", answers=False)
            await going.further(40)
            profiling.send(signal.SIGKILL)
            await going.further(40)
        await away(running, "broker", answers=True)
        await going.ends_with_balanced_books()


@pytest.mark.timeout(300)
async def test_what_was_committed_is_sent_after_a_kill_and_whoever_was_erased_does_not_come_back_with_it(
    tmp_path: Path,
):
    """The process is killed before it could publish; who asks again with the same key hears the same answer. Later everything is sent
    twice again, erased people's places among it."""
    async with Embedded(tmp_path, choices=CHOICES) as running, doors_of(running) as doors:
        await until(lambda: _has_joined(doors, "intake"))
        running.kill("broker", signal.SIGSTOP)
        answers = await registered(doors)
        assert (await doors.get("intake", "/runtime/rest", OPERATOR))["unpublished"] > 0
        running.kill("intake")
        running.kill("broker", signal.SIGCONT)
        await running.wait_ready("intake")
        assert await registered(doors) == answers
        await until_at_rest(doors, real_time=True)
        first, *others = sorted(answer["case"] for answer in answers)
        assert await known(doors) == [first, *others]

        await doors.post("intake", f"/v1/cases/{first}/erasure", PROTECTION_OFFICER, {}, key="erasure")
        await until_at_rest(doors, real_time=True)
        before = await books(doors)
        running.kill("broker")
        await running.wait_all_ready()
        await asyncio.gather(*(doors.post(service, "/runtime/refill", OPERATOR) for service in running.services))
        await until_at_rest(doors, real_time=True)
        assert await books(doors) == before
        assert before["profiling"]["cases"]["erased"] == 1
        assert await known(doors) == others


# --- what happens to a copy ---------------------------------------------------------------------------------------------


async def away(running: Running, engine: str, *, answers: bool) -> None:
    """It keeps its connections and answers nothing. Every service says so; whether it still answers requests is another matter."""
    began = time.monotonic()
    running.kill(engine, signal.SIGSTOP)
    try:
        async with httpx.AsyncClient(timeout=10.0) as client:
            for url in running.services.values():
                await until(lambda url=url: _waits(client, url))
                ready = await client.get(f"{url}/health/ready")
                assert (ready.status_code == 200) is answers
            await until(lambda: _passed(began))
    finally:
        running.kill(engine, signal.SIGCONT)


async def _has_joined(doors: Doors, service: str) -> bool:
    """Whether it knows how far its group has read: while the broker is away it cannot learn that, and does not say what is unpublished."""
    return bool((await doors.get(service, "/runtime/rest", OPERATOR))["settled"])


async def _waits(client: httpx.AsyncClient, url: str) -> bool:
    report: dict[str, Any] = (await client.get(f"{url}/health/live")).json()
    return report["status"] == "waiting"


async def _passed(began: float) -> bool:
    return time.monotonic() - began >= AWAY_SECONDS


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():
        await asyncio.sleep(PAUSE)


# --- what it is asked ---------------------------------------------------------------------------------------------------


async def registered(doors: Doors) -> list[dict[str, Any]]:
    """What intake answers to the same twenty arrivals, each time under the same keys."""
    people = [one for one in load_county(100).people() if one.consent.given][:20]
    bodies: Iterable[dict[str, Any]] = map(arrival, people)
    return await asyncio.gather(
        *(
            doors.post("intake", "/v1/arrivals", COUNSELLOR, body, key=f"arrival-{number}")
            for number, body in enumerate(bodies)
        )
    )


async def known(doors: Doors) -> list[str]:
    """Whom profiling knows."""
    return sorted([item["case"] async for item in doors.each("profiling", "/v1/cases", COUNSELLOR, limit=200)])


async def books(doors: Doors) -> dict[str, Any]:
    return {service: await doors.get(service, "/v1/books", OPERATOR) for service in doors.services}
