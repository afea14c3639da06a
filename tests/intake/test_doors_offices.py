"""What an office sees and does through intake's doors, and what it never learns."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import Purpose, Role
from schemas.events import ConsentWithdrawn
from tests.intake.door import Door

CLERKS = pytest.mark.parametrize("role", [Role.CLERK, Role.AUTHORITY_CLERK])


async def with_consents(door: Door) -> str:
    """A case of the office, with consents of the first talk."""
    case = await door.registers()
    given = await door.ask("POST", f"/v1/cases/{case}/consents", json={"purposes": ["labour", "family"]}, site="centre")
    assert given.status_code == 200
    return case


@CLERKS
async def test_of_the_consents_an_office_sees_the_one_of_its_counter(door: Door, role: Role) -> None:
    path = f"/v1/cases/{await with_consents(door)}"
    assert set((await door.ask("GET", path, role)).json()["consents"]) == {"transfer"}
    for all_of_them in (Role.COUNSELLOR, Role.DATA_PROTECTION_OFFICER):
        seen = (await door.ask("GET", path, all_of_them)).json()["consents"]
        assert set(seen) == {"transfer", "labour", "family"}


@CLERKS
async def test_an_office_ends_no_consent_of_the_first_talk(door: Door, role: Role) -> None:
    path = f"/v1/cases/{await with_consents(door)}"
    for purposes in (["labour"], ["transfer", "labour"], ["volunteers"]):
        answer = await door.ask("POST", f"{path}/consents/withdrawals", role, json={"purposes": purposes})
        assert (answer.status_code, answer.json()["code"]) == (403, "purpose-not-yours")
    assert not [event for event in await door.told() if isinstance(event, ConsentWithdrawn)]
    answer = await door.ask("POST", f"{path}/consents/withdrawals", role, json={"purposes": ["transfer"]})
    assert answer.json()["status"] == "withdrawn"
    assert (await door.told())[-2:][0] == ConsentWithdrawn(purposes=(Purpose.TRANSFER,))


async def test_the_foreigners_authority_tells_the_residence_group_of_a_case_that_it_cannot_see(door: Door) -> None:
    case = await door.registers()
    there = {"office": "foreigners-authority"}
    assert (await door.ask("GET", f"/v1/cases/{case}", Role.AUTHORITY_CLERK, **there)).status_code == 404
    told = {"residence_group": "refugee"}
    answer = await door.ask("POST", f"/v1/cases/{case}/residence-group", Role.AUTHORITY_CLERK, json=told, **there)
    assert (answer.status_code, answer.json()) == (200, {"case": case})
    statements = (await door.ask("GET", f"/v1/cases/{case}")).json()["statements"]
    assert statements["residence_group"] == "refugee"
    assert statements["residence_group_told_by"] == "foreigners-authority"


async def test_nobody_else_comes_through_the_authoritys_door(door: Door) -> None:
    case = await door.registers()
    for role in Role:
        if role is not Role.AUTHORITY_CLERK:
            answer = await door.ask("POST", f"/v1/cases/{case}/residence-group", role, json={"residence_group": "eu"})
            assert answer.status_code == 403
    elsewhere: dict[str, Any] = {"county": "03157", "json": {"residence_group": "eu"}}
    answer = await door.ask("POST", f"/v1/cases/{case}/residence-group", Role.AUTHORITY_CLERK, **elsewhere)
    assert answer.status_code == 404


@CLERKS
async def test_an_erased_case_is_to_every_office_like_one_that_never_was(door: Door, role: Role) -> None:
    case = await door.registers()
    await door.ask("POST", f"/v1/cases/{case}/erasure")
    paths = {f"/v1/cases/{case}", f"/v1/cases/{case}/person"}
    answers = [await door.ask("GET", path, role, office="another") for path in paths]
    answers.append(
        await door.ask(
            "POST", f"/v1/cases/{case}/residence-group", Role.AUTHORITY_CLERK, json={"residence_group": None}
        )
    )
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "case-unknown")}
