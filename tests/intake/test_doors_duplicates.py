"""People who are written alike: counsellors hear of them whichever way they came in, an office of its own cases alone."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import Role
from tests.intake.door import Door, body, everything_stored
from tests.intake.files import GOOD, SHORT, text

ELSEWHERE = "034590024"


async def told_to(door: Door, role: Role, **claims: Any) -> list[str]:
    """The cases that an answer hints at when one more person of the same name is registered."""
    place = {"municipality_key": "03157001"} if claims.get("county") == "03157" else {}
    answer = await door.ask("POST", "/v1/arrivals", role, json=body(phone="", **place), **claims)
    assert answer.status_code == 201
    return answer.json()["possible_duplicates"]


async def listed(door: Door, **rest: Any) -> list[tuple[str, str]]:
    """The counsellors' list, later case first, read in pages of one."""
    found: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await door.ask("GET", f"/v1/duplicates?limit=1{f'&cursor={cursor}' if cursor else ''}", **rest)).json()
        found += [(pair["case"], pair["other"]) for pair in page["items"]]
        cursor = page["next"]
    return found


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUTHORITY_CLERK])
async def test_a_clerk_of_another_office_does_not_learn_that_somebody_has_a_case(door: Door, role: Role) -> None:
    await door.registers()
    assert await told_to(door, role, office=ELSEWHERE) == []


async def test_a_clerk_hears_of_the_offices_own_cases_and_a_counsellor_of_all(door: Door) -> None:
    own = await door.registers()
    theirs = await door.registers(family_name="LACZAK", phone="")
    await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(phone="1234567"), office=ELSEWHERE)
    cases = {case["_id"] for case in await door.rows_of("cases")}
    assert set(await told_to(door, Role.COUNSELLOR)) == cases
    assert set(await told_to(door, Role.CLERK)) == {own, theirs}
    assert await told_to(door, Role.COUNSELLOR, county="03157") == []


async def test_an_erased_person_is_hinted_at_no_more(door: Door) -> None:
    case = await door.registers()
    await door.ask("POST", f"/v1/cases/{case}/erasure")
    assert await told_to(door, Role.CLERK) == []
    assert await listed(door) == []


# --- the counsellors' list --------------------------------------------------------------------------------------------


async def test_whichever_way_somebody_came_in_a_counsellor_finds_who_is_written_alike(door: Door) -> None:
    first = await door.registers(birth_date="")
    await door.imports(text(SHORT, GOOD), office=ELSEWHERE)
    (from_a_file,) = {case["_id"] for case in await door.rows_of("cases")} - {first}
    walked_in = await door.ask("POST", "/v1/arrivals", Role.COUNSELLOR, json=body(birth_date=""))
    case = walked_in.json()["case"]
    assert set(await listed(door)) == {(from_a_file, first), (case, first), (case, from_a_file)}
    assert await listed(door, county="03157") == []


async def test_two_in_one_file_who_are_written_alike_are_a_pair_and_the_same_row_twice_is_not(door: Door) -> None:
    headings, row = f"{SHORT};Telefon", f"{GOOD};0541 000000"
    await door.imports(text(headings, row, row, row.replace("000000", "111111"), row.replace("ja", "nein")))
    cases = {case["_id"] for case in await door.rows_of("cases")}
    assert len(cases) == 2
    assert [set(pair) for pair in await listed(door)] == [cases]


async def test_a_file_that_is_sent_again_makes_no_pairs(door: Door) -> None:
    headings, row = f"{SHORT};Telefon", f"{GOOD};0541 000000"
    await door.imports(text(headings, row))
    await door.imports(text(headings, row))
    assert await listed(door) == []
    await door.imports(text(headings, row, row.replace("000000", "111111")))
    assert len(await listed(door)) == 1, "the person of the row that is new, with the one who is known"
    cases = {case["_id"] for case in await door.rows_of("cases")}
    assert set((await listed(door))[0]) == cases


async def test_whoever_refuses_is_held_to_nobody(door: Door) -> None:
    await door.registers()
    answer = await door.ask("POST", "/v1/arrivals", Role.COUNSELLOR, json=body(consent={"given": False}))
    assert answer.json()["possible_duplicates"] == []
    assert await listed(door) == []


async def test_a_pair_that_somebody_looked_at_leaves_the_list(door: Door) -> None:
    first, second = await door.registers(), await door.registers(phone="")
    assert await listed(door) == [(second, first)]
    path = f"/v1/duplicates/{second}/{first}/settlement"
    for role in (Role.CLERK, Role.AUTHORITY_CLERK, Role.PARTNER, Role.OPERATOR):
        assert (await door.ask("POST", path, role)).status_code == 403
        assert (await door.ask("GET", "/v1/duplicates", role)).status_code == 403
    assert (await door.ask("POST", path, county="03157")).status_code == 404
    assert await listed(door) == [(second, first)]
    for _ in range(2):
        assert (await door.ask("POST", path)).status_code == 200
        assert await listed(door) == []


@pytest.mark.parametrize("erased", [0, 1])
async def test_with_an_erased_person_goes_that_somebody_is_written_alike(door: Door, erased: int) -> None:
    cases = [await door.registers(), await door.registers(phone="")]
    await door.ask("POST", f"/v1/cases/{cases[erased]}/erasure")
    assert await listed(door) == []
    assert await door.rows_of("alike") == []


async def test_who_took_the_consent_back_is_not_shown_and_who_moved_away_is(door: Door) -> None:
    first, second = await door.registers(), await door.registers(phone="")
    await door.ask("POST", f"/v1/cases/{first}/moves", json={"moved_on": "2016-01-05", "municipality_key": None})
    assert await listed(door) == [(second, first)]
    await door.ask("POST", f"/v1/cases/{second}/consents/withdrawals", json={"purposes": ["transfer"]})
    assert await listed(door) == []


async def test_the_list_holds_case_ids_and_no_word_of_a_person(door: Door) -> None:
    first, second = await door.registers(), await door.registers(phone="")
    (pair,) = await door.rows_of("alike")
    assert set(pair) == {"_id", "county", "cases", "noticed_at"}
    assert pair["cases"] == [second, first]
    assert "aczak" not in await everything_stored(door)
