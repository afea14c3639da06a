"""Intake through its doors, on the real database: who may do what, what is answered, and what lies in the database afterwards."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from datetime import date
from typing import Any

import pytest

from schemas.codes import ContactField, Purpose, Role, ServiceKind, Way
from schemas.events import ArrivalCounted, PersonErased, ReferralAccepted
from services.intake.model import AuditDay, audit_id
from tests.intake.door import Door, body, everything_stored
from tests.intake.office import BRAMSCHE, COUNTY, case_id

# --- arrivals ---------------------------------------------------------------------------------------------------------


async def test_an_arrival_is_answered_with_case_and_appointment(door: Door) -> None:
    answer = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body())
    assert answer.status_code == 201
    told = answer.json()
    assert (told["outcome"], told["appointment"]["site"]) == ("registered", BRAMSCHE)
    shown = (await door.ask("GET", f"/v1/cases/{told['case']}")).json()
    assert shown["register_facts"]["birth_year"] == 1990
    assert shown["appointment"] == told["appointment"]


async def test_the_same_request_sent_again_hears_the_same_and_registers_nobody(door: Door) -> None:
    first = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(), key="counter-7")
    again = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(), key="counter-7")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(family_name="Nowak"), key="counter-7")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert len(await door.rows_of("cases")) == 1


async def test_of_a_refusal_nothing_is_found_in_any_collection(door: Door) -> None:
    refused = body(consent={"given": False, "language": "pol"})
    answer = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=refused)
    assert answer.json() == {"outcome": "counted", "case": None, "appointment": None, "possible_duplicates": []}
    assert await door.told() == [ArrivalCounted(district=BRAMSCHE, arrived_in="2016-01", way=Way.OFFICE_API)]
    everything = await everything_stored(door)
    assert not any(word in everything for word in ("aczak", "aneta", "1990-05", "0541 000000", '"pol"', '"PL"'))
    assert await door.rows_of("people") == []


async def test_names_lie_in_the_database_encrypted_alone(door: Door) -> None:
    case = await door.registers()
    await door.ask("POST", f"/v1/cases/{case}/corrections", json={"person": {"family_name": "Nowak"}})
    everything = await everything_stored(door)
    assert not any(word in everything for word in ("aczak", "aneta", "Nowak", "1990-05", "0541 000000", "example.org"))
    assert case in everything


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"birth_date": "31.02.1990"}, "birth_date"),
        ({"municipality_key": "03157001"}, "municipality_key"),
        ({"family_name": "Иванов"}, "family_name"),
        ({"consent": {"given": True, "language": "klingon"}}, "consent.language"),
        ({"arrival_date": "2016-01-06"}, "arrival_date"),
    ],
)
async def test_a_bad_field_is_named_and_its_value_is_not_repeated(door: Door, told: dict[str, Any], field: str) -> None:
    answer = await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(**told), headers={"accept-language": "en"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert "lease" in error["message"]
    assert not any(str(value) in answer.text for value in told.values() if isinstance(value, str))


# --- cases ------------------------------------------------------------------------------------------------------------


async def test_a_case_is_seen_by_its_office_and_the_centre_and_nobody_else(door: Door) -> None:
    case = await door.registers()
    path = f"/v1/cases/{case}"
    assert (await door.ask("GET", path, Role.CLERK)).status_code == 200
    assert (await door.ask("GET", path, Role.COUNSELLOR)).status_code == 200
    assert (await door.ask("GET", path, Role.CLERK, office="another")).status_code == 404
    assert (await door.ask("GET", path, Role.COUNSELLOR, county="03157")).status_code == 404
    for role in (Role.PARTNER, Role.REPORTER, Role.OPERATOR, Role.COORDINATOR):
        assert (await door.ask("GET", path, role)).status_code == 403


async def test_the_way_of_a_case_from_consent_to_erasure(door: Door) -> None:
    case = await door.registers()

    async def post(what: str, **told: Any) -> dict[str, Any]:
        answer = await door.ask("POST", f"/v1/cases/{case}/{what}", json=told)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    assert (await post("consents", purposes=["advice", "labour"], language="pol", text_version="t-1"))[
        "status"
    ] == "active"
    assert (await post("appointment", not_before="2016-02-01"))["appointment"]["starts_at"] == "2016-02-01T08:00:00Z"
    assert (await post("corrections", sex="male"))["status"] == "active"
    assert (await post("moves", moved_on="2016-01-05", municipality_key="034590024024"))["status"] == "active"
    assert (await post("consents/withdrawals", purposes=["advice"]))["status"] == "active"
    assert (await post("moves", moved_on="2016-01-05", municipality_key=None))["status"] == "moved"
    erased = await door.ask("POST", f"/v1/cases/{case}/erasure", Role.DATA_PROTECTION_OFFICER)
    assert erased.json() == {"case": case, "status": "erased", "appointment": None}
    assert (await door.ask("GET", f"/v1/cases/{case}")).status_code == 410


async def test_an_erased_person_is_found_nowhere(door: Door) -> None:
    case = await door.registers()
    await door.ask("POST", f"/v1/cases/{case}/erasure")
    assert await door.rows_of("people") == await door.rows_of("person_keys") == []
    assert [type(event) for event in await door.told()][-1] is PersonErased
    (tombstone,) = await door.rows_of("cases")
    assert tombstone["body"]["register_facts"] is None
    everything = await everything_stored(door)
    assert not any(word in everything for word in ("pol", "1990", BRAMSCHE + "014"))


# --- the counsellors' day and the books -------------------------------------------------------------------------------


async def test_the_counsellors_day_in_pages(door: Door) -> None:
    cases = [await door.registers(given_names=name) for name in ("A", "B", "C", "D", "E")]
    seen: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        path = f"/v1/appointments?day=2016-01-08&limit=2{f'&cursor={cursor}' if cursor else ''}"
        page = (await door.ask("GET", path)).json()
        assert len(page["items"]) <= 2
        seen += page["items"]
        cursor = page["next"]
    assert {entry["case"] for entry in seen} == set(cases)
    assert [entry["starts_at"] for entry in seen] == sorted(entry["starts_at"] for entry in seen)
    assert (await door.ask("GET", f"/v1/appointments?day=2016-01-08&site={BRAMSCHE}")).json()["items"] == seen
    assert (await door.ask("GET", "/v1/appointments?day=2016-01-08&site=nowhere")).status_code == 404


async def test_the_books_count_everybody_once(door: Door) -> None:
    cases = [await door.registers(given_names=name) for name in ("A", "B", "C", "D")]
    await door.ask("POST", "/v1/arrivals", Role.CLERK, json=body(consent={"given": False}))
    await door.ask("POST", f"/v1/cases/{cases[0]}/consents/withdrawals", json={"purposes": ["transfer"]})
    await door.ask("POST", f"/v1/cases/{cases[1]}/moves", json={"moved_on": "2016-01-05", "municipality_key": None})
    await door.ask("POST", f"/v1/cases/{cases[2]}/erasure")
    assert (await door.ask("GET", "/v1/books", Role.OPERATOR)).json() == {
        "registered": 4,
        "active": 1,
        "withdrawn": 1,
        "moved": 1,
        "erased": 1,
        "without_consent": 1,
        "appointments": 1,
    }
    assert await counted_one_by_one(door) == {"active": 1, "withdrawn": 1, "moved": 1, "erased": 1}


async def counted_one_by_one(door: Door) -> Counter[str]:
    return Counter(case["body"]["status"] for case in await door.rows_of("cases"))


# --- persons ----------------------------------------------------------------------------------------------------------


ACCEPTED = ReferralAccepted(
    referral=case_id(50),
    need=case_id(51),
    kind=ServiceKind.INTEGRATION_COURSE_GENERAL,
    partner="vhs",
    fields=(ContactField.NAME, ContactField.PHONE),
    until=date(2016, 6, 30),
)


async def test_a_partner_reads_the_agreed_fields_and_each_read_is_recorded(door: Door) -> None:
    case = await door.registers()
    path = f"/v1/cases/{case}/contact"
    assert (await door.ask("GET", path, Role.PARTNER, organisation="vhs")).json()["code"] == "no-grant"
    await door.ask("POST", f"/v1/cases/{case}/consents", json={"purposes": [Purpose.LANGUAGE_COURSES]})
    await door.hears(ACCEPTED, case)
    read = (await door.ask("GET", path, Role.PARTNER, organisation="vhs")).json()
    assert (read["family_name"], read["phone"], read["email"], read["birth_date"]) == (
        "Łączak",
        "0541 000000",
        None,
        None,
    )
    assert (await door.ask("GET", path, Role.PARTNER, organisation="other")).status_code == 403
    assert (await door.ask("GET", path, Role.PARTNER)).json()["code"] == "organisation-missing"
    (record,) = await door.rows_of("audit_reads")
    assert (record["record"]["organisation"], record["record"]["case"]) == ("vhs", case)


async def test_reads_at_the_same_time_make_one_chain_and_a_removed_record_shows(door: Door) -> None:
    case = await door.registers()
    reads = await asyncio.gather(*(door.ask("GET", f"/v1/cases/{case}/person") for _ in range(20)))
    assert {read.json()["family_name"] for read in reads} == {"Łączak"}

    async def audit() -> dict[str, Any]:
        return (await door.ask("GET", "/v1/audit/2016-01-05", Role.DATA_PROTECTION_OFFICER)).json()

    assert await audit() == {"day": "2016-01-05", "reads": 20, "whole": True}
    chain = audit_id(COUNTY, date(2016, 1, 5))
    assert (await door.store.state(AuditDay, chain)) is not None
    await door.running.database.raw["audit_reads"].delete_one({"chain": chain, "number": 20})
    assert (await audit())["whole"] is False


async def test_a_correction_of_the_name_is_read_and_opens_with_a_new_key(door: Door) -> None:
    case = await door.registers()
    (before,) = await door.rows_of("person_keys")
    await door.ask(
        "POST", f"/v1/cases/{case}/corrections", json={"person": {"given_names": "Zofia", "birth_date": "1991"}}
    )
    person = (await door.ask("GET", f"/v1/cases/{case}/person")).json()
    assert (person["family_name"], person["given_names"], person["birth_date"]) == ("", "Zofia", "1991")
    (after,) = await door.rows_of("person_keys")
    assert before["wrapped"] != after["wrapped"]
    assert (await door.ask("GET", f"/v1/cases/{case}")).json()["register_facts"]["birth_year"] == 1991


async def test_the_master_key_is_needed_to_read_what_is_stored(door: Door) -> None:
    case = await door.registers()
    (key,) = await door.rows_of("person_keys")
    assert base64.b64encode(bytes(range(32))) not in key["wrapped"]
    await door.running.database.raw["person_keys"].delete_one({"_id": case})
    assert (await door.ask("GET", f"/v1/cases/{case}/person")).status_code == 410
