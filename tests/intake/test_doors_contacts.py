"""A partner asks who the participants of its course are: together, and each as if asked for alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.codes import CancelReason, ContactField, Purpose, Role, ServiceKind
from schemas.events import ReferralAccepted, ReferralCancelled
from services.runtime.store import CountyStore
from tests.intake.door import Door
from tests.intake.office import IDS

STEP: dict[str, Any] = {"kind": ServiceKind.INTEGRATION_COURSE_GENERAL}


def of(case: str) -> dict[str, Any]:
    """The referral of a person to the course."""
    return STEP | {"referral": IDS.root("referral", case), "need": IDS.root("need", case)}


async def participant(door: Door, family_name: str, **told: Any) -> str:
    """Somebody whom the vhs has accepted for its course."""
    case = await door.registers(family_name=family_name)
    await door.ask("POST", f"/v1/cases/{case}/consents", json={"purposes": [Purpose.LANGUAGE_COURSES]})
    grant = {"partner": "vhs", "fields": (ContactField.NAME, ContactField.PHONE), "until": date(2016, 6, 30)}
    await door.hears(ReferralAccepted.model_validate(of(case) | grant | told), case)
    return case


async def asks(door: Door, *cases: str, partner: str = "vhs", **rest: Any) -> list[dict[str, Any]]:
    answer = await door.ask("POST", "/v1/contacts", Role.PARTNER, json={"cases": cases}, organisation=partner, **rest)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def why(item: dict[str, Any]) -> tuple[int, str]:
    assert (item["outcome"], item["standing"]) == ("refused", None)
    return item["problem"]["status"], item["problem"]["code"]


async def reads(door: Door) -> list[tuple[str, str, str]]:
    """Who read of whom under which referral, as the audit has it."""
    records = [one["record"] for one in await door.rows_of("audit_reads")]
    return [(one["organisation"], one["case"], one["referral"]) for one in records]


async def test_a_partner_reads_the_agreed_fields_of_all_participants_and_each_read_is_recorded_once(door: Door) -> None:
    names = ("Nowak", "Kowalska", "Wiśniewska")
    cases = [await participant(door, name) for name in names]
    items = await asks(door, *cases)
    assert [(one["id"], one["outcome"], one["standing"]["family_name"]) for one in items] == [
        (case, "applied", name) for case, name in zip(cases, names, strict=True)
    ]
    assert {(one["standing"]["phone"], one["standing"]["email"]) for one in items} == {("0541 000000", None)}
    assert await reads(door) == [("vhs", case, of(case)["referral"]) for case in cases]
    audit = await door.ask("GET", "/v1/audit/2016-01-05", Role.DATA_PROTECTION_OFFICER)
    assert audit.json() == {"day": "2016-01-05", "reads": 3, "whole": True}


async def test_what_is_told_of_one_is_what_is_told_when_asked_for_alone(door: Door) -> None:
    case = await participant(door, "Nowak")
    alone = await door.ask("GET", f"/v1/cases/{case}/contact", Role.PARTNER, organisation="vhs")
    (together,) = await asks(door, case)
    assert together["standing"] == alone.json()
    one, other = [record["record"] for record in await door.rows_of("audit_reads")]
    assert one == other


async def test_who_may_not_be_read_is_told_apart_and_hinders_nobody(door: Door) -> None:
    good, other = [await participant(door, name) for name in ("Nowak", "Kowalska")]
    elsewhere = await participant(door, "Lis", partner="another")
    withdrawn, left, erased = [await participant(door, name) for name in ("Wrona", "Sowa", "Kos")]
    await door.ask("POST", f"/v1/cases/{withdrawn}/consents/withdrawals", json={"purposes": ["transfer"]})
    await door.hears(ReferralCancelled.model_validate(of(left) | {"reason": CancelReason.PERSON_WISH}), left)
    await door.ask("POST", f"/v1/cases/{erased}/erasure")
    never = IDS.root("case", "never")
    items = await asks(door, good, elsewhere, withdrawn, left, erased, never, other)
    assert [one["outcome"] for one in items] == ["applied", *["refused"] * 5, "applied"]
    alone = [
        await door.ask("GET", f"/v1/cases/{one['id']}/contact", Role.PARTNER, organisation="vhs") for one in items[1:6]
    ]
    assert [why(one) for one in items[1:6]] == [(one.status_code, one.json()["code"]) for one in alone]
    assert [case for _, case, _ in await reads(door)] == [good, other]


async def test_somebody_named_twice_is_read_once(door: Door) -> None:
    case = await participant(door, "Nowak")
    assert len(await asks(door, case, case)) == 1
    assert len(await reads(door)) == 1


async def test_whoever_is_no_partner_of_the_county_is_told_nothing(door: Door) -> None:
    case = await participant(door, "Nowak")
    body = {"json": {"cases": [case]}}
    for role in Role:
        if role is not Role.PARTNER:
            assert (await door.ask("POST", "/v1/contacts", role, **body)).status_code == 403
    assert (await door.ask("POST", "/v1/contacts", Role.PARTNER, **body)).json()["code"] == "organisation-missing"
    (item,) = await asks(door, case, county="03157")
    assert item["outcome"] == "refused"
    assert "Nowak" not in str(item)
    assert await reads(door) == []


@pytest.mark.parametrize("cases", [[], ["Nowak"], [IDS.root("case", str(n)) for n in range(201)]])
async def test_a_list_of_no_people_of_names_or_of_too_many_is_refused_whole(door: Door, cases: list[str]) -> None:
    answer = await door.ask("POST", "/v1/contacts", Role.PARTNER, json={"cases": cases}, organisation="vhs")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")


async def test_a_person_who_is_erased_while_the_course_is_read_is_erased_and_the_others_are_read(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = [await participant(door, name) for name in ("Nowak", "Kowalska")]
    by_ids, acts = CountyStore.by_ids, [f"/v1/cases/{goes}/erasure"]

    async def interrupted(self: CountyStore, collection: str, ids: Any) -> Any:
        found = await by_ids(self, collection, ids)
        if collection == "person_keys" and acts:
            assert (await door.ask("POST", acts.pop())).status_code == 200
        return found

    monkeypatch.setattr(CountyStore, "by_ids", interrupted)
    first, second = await asks(door, stays, goes)
    assert (first["standing"]["family_name"], why(second)) == ("Nowak", (410, "case-erased"))


async def test_a_key_that_never_fitted_is_an_incident_of_one_person_alone(door: Door) -> None:
    whole, broken = [await participant(door, name) for name in ("Nowak", "Kowalska")]
    (wrapped,) = [key["wrapped"] for key in await door.rows_of("person_keys") if key["_id"] == whole]
    await door.running.database.raw["person_keys"].update_one({"_id": broken}, {"$set": {"wrapped": wrapped}})
    first, second = await asks(door, whole, broken)
    assert (first["outcome"], second["outcome"], second["problem"]["code"]) == ("applied", "failed", "internal")
    assert "Kowalska" not in str(second)


async def test_a_course_of_twenty_costs_no_more_looks_into_the_database_than_one_person(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [await participant(door, f"Nowak {chr(ord('A') + n)}") for n in range(20)]
    looked: list[str] = []
    by_ids, commit = CountyStore.by_ids, CountyStore.commit

    async def reading(self: CountyStore, collection: str, ids: Any) -> Any:
        looked.append(collection)
        return await by_ids(self, collection, ids)

    async def writing(self: CountyStore, unit: Any) -> Any:
        looked.append("commit")
        return await commit(self, unit)

    monkeypatch.setattr(CountyStore, "by_ids", reading)
    monkeypatch.setattr(CountyStore, "commit", writing)
    assert {one["outcome"] for one in await asks(door, *cases)} == {"applied"}
    assert looked == ["cases", "audits", "commit", "person_keys", "people"]
    assert len(await reads(door)) == 20
