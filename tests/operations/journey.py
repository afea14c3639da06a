"""One person on their way through all services of a running copy, one step at a time, so that something can go wrong between any two."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient

from deploy.embedded.system import Running
from schemas.codes import ServiceKind
from schemas.ends import OUTCOMES
from simulation.actors.offices import CSV
from simulation.doors import OPERATOR, Doors
from simulation.talk import GUIDELINE
from simulation.world import COUNSELLOR, partner
from tests.bench.whole_path import Driver, files_of, people_of

OFFERS_FOR: Final = 10
"""So many people's worth of offers: enough that there is a place for this one."""
PAUSE: Final = 0.1


class Journey:
    """Somebody of an office's file. The copy draws its ids from `tests.bench.whole_path.SEED`, so that the case is known beforehand."""

    def __init__(self, running: Running, doors: Doors) -> None:
        self._running = running
        self._doors = doors
        self._county = doors.county
        person = next(one for one in people_of(self._county) if one.consent.given and one.purposes)
        self._clerk, self._content, (self._newcomer,) = next(files_of([person]))
        self.case: Final = self._newcomer.case

    async def offers_are_published(self) -> None:
        await Driver(self._doors, self._county, OFFERS_FOR).publish_offers()

    async def arrives_while_the_broker_is_away(self) -> None:
        """The office hands over its file; what intake tells of it waits."""
        self._running.kill("broker", signal.SIGSTOP)
        await self._doors.ask("intake", "POST", "/v1/imports", self._clerk, self._content, headers=CSV)

    async def what_waits_is_damaged(self, poison: bytes) -> bytes:
        """Intake is killed, and what waits is not what it wrote when it goes out at last: so each reader finds a record that it can never
        apply. Returns the event as it was."""
        self._running.kill("intake")
        right = await self._damaged(poison)
        self._running.kill("broker")  # with what may have reached its socket
        await self._running.wait_ready("intake")
        return right

    async def _damaged(self, poison: bytes) -> bytes:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(self._running.database_url)
        outbox = client[self._running.database_of("intake")]["outbox"]
        try:
            subject = f"case/{self.case}"
            async for document in outbox.find({"county": self._county}):
                for event in document["events"]:
                    if event["subject"] == subject and event["type"].endswith(".arrival-registered.v1"):
                        right = event["value"]
                        event["value"] = poison
                        await outbox.replace_one({"_id": document["_id"]}, document)
                        return right
        finally:
            client.close()
        raise AssertionError("intake wrote no arrival")

    async def has_a_talk_while_the_database_is_killed(self) -> None:
        """The counsellor asks for consents and hands in the sheet."""
        body = {"purposes": self._newcomer.person.purposes, "text_version": self._newcomer.person.consent.text}
        await self._doors.post("intake", f"/v1/cases/{self.case}/consents", COUNSELLOR, body, key="consents")
        self._running.kill("database")
        sheet = {"case": self.case, "guideline": GUIDELINE, "answers": self._newcomer.answers}
        answer = await self._doors.post(
            "profiling", "/v1/profiles", COUNSELLOR, {"sheets": [sheet], "confirm_derived": True}, key="sheet"
        )
        assert [item["outcome"] for item in answer["items"]] == ["applied"], answer

    async def is_placed_and_completes(self) -> str:
        """The first place that is proposed is released, agreed to, accepted and completed. Returns the referral's id."""
        proposed = await until(self._proposed)
        for step, who in (
            ("release", COUNSELLOR),
            ("agreement", COUNSELLOR),
            ("acceptance", partner(proposed["place"]["partner"])),
            ("completion", COUNSELLOR),
        ):
            outcome = {"outcome": OUTCOMES[ServiceKind(proposed["kind"])][-1]} if step == "completion" else {}
            body = {"steps": [{"referral": proposed["referral"], "step": step, **outcome}]}
            answer = await self._doors.post("referral", "/v1/referrals/steps", who, body, key=step)
            assert [item["outcome"] for item in answer["items"]] == ["applied"], (step, answer)
        return proposed["referral"]

    async def _proposed(self) -> Any:
        page = await self._doors.get("referral", "/v1/referrals", COUNSELLOR, state="proposed", limit=50)
        return next((item for item in page["items"] if item["case"] == self.case), None)

    async def joined(self) -> None:
        """Intake knows how far it has read."""

        async def knows() -> bool:
            return bool((await self._doors.get("intake", "/runtime/rest", OPERATOR))["settled"])

        await until(knows)


async def until(wanted: Callable[[], Awaitable[Any]]) -> Any:
    """What this gives as soon as it is something; the test's own time is the limit."""
    while not (found := await wanted()):
        await asyncio.sleep(PAUSE)
    return found
