"""Whoever comes through the doors of services that restart, refuse and break off."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from schemas.codes import Role
from simulation.doors import Doors, NoAnswer, Refusal, Who
from tests.simulation.scripted import Request, Scripted, ScriptedService

CLERK = Who(Role.CLERK, "clerk-1", office="034590004")
PARTNER = Who(Role.PARTNER, "partner-1", organisation="vhs")


def doors_to(service: ScriptedService, folder: Path, patience: float = 10.0) -> Doors:
    return Doors.of({"intake": service.url}, folder / "issuer.json", "03459", patience)


async def test_connections_are_kept_and_used_again(tmp_path: Path) -> None:
    async with ScriptedService(lambda _: Scripted({"ok": True})) as service, doors_to(service, tmp_path) as doors:
        for _ in range(20):
            assert await doors.get("intake", "/v1/slots", CLERK) == {"ok": True}
        assert service.connections == 1


async def test_a_command_that_was_cut_off_is_sent_again_with_the_same_key(tmp_path: Path) -> None:
    answers = iter([Scripted({"case": 1}, cut=True), Scripted({"case": 1}, 503), Scripted({"case": 1})])
    async with ScriptedService(lambda _: next(answers)) as service, doors_to(service, tmp_path) as doors:
        assert await doors.post("intake", "/v1/arrivals", CLERK, {"name": "x"}, key="row-7") == {"case": 1}
        assert [request.headers["idempotency-key"] for request in service.requests] == ["row-7"] * 3
        assert len({request.body for request in service.requests}) == 1


async def test_a_service_that_restarts_is_waited_for(tmp_path: Path) -> None:
    async with ScriptedService(lambda _: Scripted({"ok": True})) as service, doors_to(service, tmp_path) as doors:
        await doors.get("intake", "/v1/slots", CLERK)
        await service.stop()
        asked = asyncio.create_task(doors.get("intake", "/v1/slots", CLERK))
        await asyncio.sleep(0.1)
        assert not asked.done()
        await service.start()
        assert await asked == {"ok": True}


async def test_a_connection_that_the_service_ended_between_two_requests_is_replaced(tmp_path: Path) -> None:
    async with ScriptedService(lambda _: Scripted({}, last=True)) as service, doors_to(service, tmp_path) as doors:
        await doors.get("intake", "/v1/slots", CLERK)
        await doors.get("intake", "/v1/slots", CLERK)
        assert service.connections == 2


async def test_patience_has_an_end_and_names_the_service(tmp_path: Path) -> None:
    async with (
        ScriptedService(lambda _: Scripted({}, 503)) as service,
        doors_to(service, tmp_path, patience=0.2) as doors,
    ):
        with pytest.raises(NoAnswer, match="intake"):
            await doors.get("intake", "/v1/slots", CLERK)


async def test_what_a_service_refuses_is_raised_at_once_with_its_code(tmp_path: Path) -> None:
    problem = {"code": "slot-taken", "detail": "This appointment was given to somebody else."}
    async with ScriptedService(lambda _: Scripted(problem, 409)) as service, doors_to(service, tmp_path) as doors:
        with pytest.raises(Refusal, match="given to somebody else") as refusal:
            await doors.post("intake", "/v1/arrivals", CLERK, key="1")
        assert (refusal.value.status, refusal.value.code) == (409, "slot-taken")
        assert len(service.requests) == 1


async def test_everybody_acts_under_a_token_of_their_own_in_the_one_county(tmp_path: Path) -> None:
    async with ScriptedService(lambda _: Scripted({})) as service, doors_to(service, tmp_path) as doors:
        for who in (CLERK, CLERK, PARTNER):
            await doors.get("intake", "/v1/slots", who)
        key = ECKey.import_key(json.loads((tmp_path / "issuer.json").read_text(encoding="ascii")))
        tokens = [request.headers["authorization"].removeprefix("Bearer ") for request in service.requests]
        first, again, other = (jwt.decode(token, key).claims for token in tokens)
        assert (first["sub"], first["role"], first["office"], first["county"]) == (
            "clerk-1",
            "clerk",
            "034590004",
            "03459",
        )
        assert (other["role"], other["organisation"]) == ("partner", "vhs")
        assert "office" not in other
        assert tokens[0] == tokens[1], "a token is used for as long as it is valid"
        assert again == first


async def test_a_list_is_read_to_its_last_page(tmp_path: Path) -> None:
    def page(request: Request) -> Scripted:
        last = "cursor=b" in request.path
        assert "state=open%20now" in request.path or "state=open+now" in request.path
        return Scripted({"items": [3] if last else [1, 2], "next": None if last else "b"})

    async with ScriptedService(page) as service, doors_to(service, tmp_path) as doors:
        found = [item async for item in doors.each("intake", "/v1/cases", CLERK, state="open now", limit=None)]
        assert found == [1, 2, 3]
        assert "limit" not in service.requests[0].path


async def test_many_at_once_share_few_connections(tmp_path: Path) -> None:
    async with ScriptedService(lambda _: Scripted({})) as service, doors_to(service, tmp_path) as doors:
        await asyncio.gather(*(doors.get("intake", "/v1/slots", CLERK) for _ in range(200)))
        assert len(service.requests) == 200
        assert service.connections <= 16
