"""What no door takes in: days that cannot be, whoever sends them."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import Role
from tests.intake.door import Door, body
from tests.intake.files import GOOD, SHORT, text


def errors_of(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("day", ["0016-01-04", "01.01.0001", "31.12.1879"])
async def test_nobody_arrives_before_anybody_alive_was_born(door: Door, day: str) -> None:
    arrived = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(arrival_date=day))
    assert errors_of(arrived) == ["arrival_date"]
    stays = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(in_germany_since=day))
    assert errors_of(stays) == ["in_germany_since"]
    report = (await door.imports(text(SHORT, GOOD.replace("04.01.2016", day)))).json()
    assert (report["refused"], report["registered"]) == (1, 0)
    assert await door.rows_of("cases") == []


async def test_no_correction_makes_an_arrival_impossible(door: Door) -> None:
    case = await door.registers()
    for field in ("arrival_date", "in_germany_since"):
        answer = await door.ask("POST", f"/v1/cases/{case}/corrections", json={field: "0001-01-01"})
        assert errors_of(answer) == [field]


@pytest.mark.parametrize("day", ["9999-12-31", "2018-01-05"])
async def test_a_first_talk_is_wished_for_two_years_ahead_at_most(door: Door, day: str) -> None:
    case = await door.registers()
    before = await door.rows_of("cases")
    answer = await door.ask("POST", f"/v1/cases/{case}/appointment", Role.CLERK, json={"not_before": day})
    assert errors_of(answer) == ["not_before"]
    assert await door.rows_of("cases") == before


async def test_the_last_day_that_may_be_wished_for_is_booked(door: Door) -> None:
    case = await door.registers()
    answer = await door.ask("POST", f"/v1/cases/{case}/appointment", json={"not_before": "2018-01-04"})
    assert answer.json()["appointment"]["starts_at"] == "2018-01-04T08:00:00Z"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_nobody_moves_on_a_day_that_cannot_be(door: Door, day: str) -> None:
    case = await door.registers()
    answer = await door.ask("POST", f"/v1/cases/{case}/moves", json={"moved_on": day, "municipality_key": None})
    assert errors_of(answer) == ["moved_on"]
