"""Indicators over HTTP, on the real database."""

from __future__ import annotations

import pytest

from schemas.codes import Role
from tests.reporting.indicators.test_files import csv
from tests.reporting.office import OTHER_COUNTY, Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = csv(
    "2;2014;03459;;20000;Anzahl;LSN;31.12.2014",
    "2;2015;03459;;26861;Anzahl;LSN;31.12.2015",
    "2;2015;03459;sex=divers;.;Anzahl;LSN;31.12.2015",
    "26.1;2015;03459;;101;Prozent;BA;31.12.2015",
    "2;2015;03459;sex=f;1;Anzahl;LSN;31.12.2015",
)


async def deliver(office: Office, content: bytes = FILE) -> dict[str, object]:
    answer = await office.client(Role.REPORTER).post("/v1/indicators/deliveries", content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_file_is_taken_in_and_sent_again_it_changes_nothing(office: Office) -> None:
    first = await deliver(office)
    again = await deliver(office)

    assert {name: first[name] for name in ("new", "doubtful", "wrong")} == {"new": 3, "doubtful": 1, "wrong": 1}
    assert {name: again[name] for name in ("new", "corrected", "unchanged")} == {
        "new": 0,
        "corrected": 0,
        "unchanged": 3,
    }


async def test_each_bad_row_has_its_line_its_column_and_the_remedy_in_the_readers_language(office: Office) -> None:
    done = await deliver(office)

    path = f"/v1/indicators/deliveries/{done['delivery']}"
    (fault,) = (await office.client(Role.REPORTER, language="de").get(path)).json()["faults"]
    (told,) = (await office.client(Role.REPORTER, language="en").get(path)).json()["faults"]

    assert (fault["line"], fault["column"]) == (6, "Gliederung")
    assert fault["wrong"] == "Diesen Wert gibt es in der Gliederung nicht."
    assert told["column"] == "Breakdown"


async def test_a_doubtful_row_goes_in_when_it_is_confirmed_and_once(office: Office) -> None:
    done = await deliver(office)
    client = office.client(Role.REPORTER)
    path = f"/v1/indicators/deliveries/{done['delivery']}/confirmation"

    first = await client.post(path, json={"lines": [5]}, headers={"idempotency-key": "k"})
    again = await client.post(path, json={"lines": [5]}, headers={"idempotency-key": "k"})

    assert first.json()["new"] == 4
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    shown = (await client.get("/v1/indicators/26.1")).json()
    assert [one["value"] for one in shown["official"]] == ["101"]


async def test_an_indicator_shows_official_figures_beside_our_own_with_their_coverage_and_gaps(office: Office) -> None:
    await deliver(office)

    plain = (await office.client(Role.COORDINATOR).get("/v1/indicators/2")).json()
    mixed = (await office.client(Role.COORDINATOR, language="en").get("/v1/indicators/5.1")).json()

    assert [(one["year"], one["value"], one["mark"]) for one in plain["official"]] == [
        (2014, "20000", ""),
        (2015, "26861", ""),
        (2015, None, "."),
    ]
    assert plain["own"] == []
    assert plain["coverage"] is None
    assert "only people who came through this system" in mixed["coverage"]
    assert {(one["value"], one["gap"]) for one in mixed["own"]} == {(None, "not-published")}


async def test_the_list_comes_in_pages_and_knows_the_latest_year(office: Office) -> None:
    await deliver(office)
    client = office.client(Role.REPORTER)

    first = (await client.get("/v1/indicators", params={"limit": 30})).json()
    rest = (await client.get("/v1/indicators", params={"limit": 30, "cursor": first["next"]})).json()

    listed = [*first["items"], *rest["items"]]
    assert len({one["id"] for one in listed}) == 40
    assert {one["id"]: one["latest"] for one in listed if one["latest"]} == {"2": 2015}
    assert rest["next"] is None


async def test_another_county_sees_nothing_of_it(office: Office) -> None:
    done = await deliver(office)
    other = office.client(Role.REPORTER, county=OTHER_COUNTY)

    assert (await other.get("/v1/indicators/2")).json()["official"] == []
    assert (await other.get(f"/v1/indicators/deliveries/{done['delivery']}")).status_code == 404
    assert (await other.get("/v1/indicators/deliveries")).json()["items"] == []
    path = f"/v1/indicators/deliveries/{done['delivery']}/confirmation"
    refused = await other.post(path, json={"lines": [5]}, headers={"idempotency-key": "o"})
    assert refused.status_code in (404, 409)


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.REPORTER, Role.COORDINATOR)])
async def test_nobody_else_takes_in_or_reads_figures(office: Office, role: Role) -> None:
    client = office.client(role)

    assert (await client.get("/v1/indicators")).status_code == 403
    assert (await client.post("/v1/indicators/deliveries", content=FILE)).status_code == 403


async def test_a_file_that_is_none_is_refused_with_a_sentence(office: Office) -> None:
    answer = await office.client(Role.REPORTER).post("/v1/indicators/deliveries", content=b"Name\n")

    assert (answer.status_code, answer.json()["code"]) == (422, "figures-heading-missing")
    assert answer.json()["title"] == "Die Überschriften fehlen."
