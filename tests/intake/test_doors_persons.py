"""Reading who somebody is, while others are at work on the same person."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.codes import Role
from services.intake.store import PERSON_KEYS
from services.runtime.store import CountyStore
from tests.intake.door import Door


@pytest.fixture
def between(door: Door, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What counsellors do, one after the other, each time a key has been read and its document has not."""
    acts: list[tuple[str, dict[str, Any]]] = []
    by_ids = CountyStore.by_ids

    async def interrupted(self: CountyStore, collection: str, ids: Any) -> Any:
        found = await by_ids(self, collection, ids)
        if collection == PERSON_KEYS and acts:
            path, sent = acts.pop(0)
            assert (await door.ask("POST", path, json=sent)).status_code == 200
        return found

    monkeypatch.setattr(CountyStore, "by_ids", interrupted)
    return acts


async def test_a_person_who_is_corrected_while_somebody_reads_is_read_as_corrected(
    door: Door, between: list[tuple[str, dict[str, Any]]]
) -> None:
    case = await door.registers()
    between += [(f"/v1/cases/{case}/corrections", {"person": {"family_name": name}}) for name in ("Nowak", "Kowalska")]
    answer = await door.ask("GET", f"/v1/cases/{case}/person")
    assert (answer.status_code, answer.json().get("family_name")) == (200, "Kowalska")
    assert between == []


async def test_a_person_who_is_erased_while_somebody_reads_is_erased(
    door: Door, between: list[tuple[str, dict[str, Any]]]
) -> None:
    case = await door.registers()
    between.append((f"/v1/cases/{case}/erasure", {}))
    answer = await door.ask("GET", f"/v1/cases/{case}/person")
    assert (answer.status_code, answer.json()["code"]) == (410, "case-erased")


async def test_a_key_that_never_fitted_is_an_incident_that_shows_nothing(door: Door) -> None:
    one, other = await door.registers(), await door.registers(family_name="Nowak")
    (wrapped,) = [key["wrapped"] for key in await door.rows_of("person_keys") if key["_id"] == other]
    await door.running.database.raw["person_keys"].update_one({"_id": one}, {"$set": {"wrapped": wrapped}})
    answer = await door.ask("GET", f"/v1/cases/{one}/person")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert not any(name in answer.text for name in ("aczak", "Nowak"))


async def test_a_counsellor_hears_of_somebody_who_moved_away_that_they_moved_away(door: Door) -> None:
    case = await door.registers()
    await door.ask("POST", f"/v1/cases/{case}/moves", json={"moved_on": "2016-01-05", "municipality_key": None})
    answer = await door.ask("GET", f"/v1/cases/{case}/person")
    assert (answer.status_code, answer.json()["code"]) == (409, "case-moved")


@pytest.mark.parametrize("role", [Role.CLERK, Role.COUNSELLOR])
async def test_what_is_no_case_id_is_not_looked_for(door: Door, role: Role) -> None:
    for path in ("cases/Żaneta", "cases/1990-05-17/person"):
        assert (await door.ask("GET", f"/v1/{path}", role)).status_code == 422
    assert (await door.ask("GET", "/v1/imports/file-7", Role.CLERK)).status_code == 422


async def test_a_wrong_name_in_a_correction_is_named_by_its_place_in_the_body(door: Door) -> None:
    case = await door.registers()
    wrong = {"person": {"family_name": "Иванов", "phone": "x"}, "in_germany_since": "2016-01-06"}
    answer = await door.ask("POST", f"/v1/cases/{case}/corrections", json=wrong)
    assert {error["field"] for error in answer.json()["errors"]} == {
        "person.family_name",
        "person.phone",
        "in_germany_since",
    }
