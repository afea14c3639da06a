"""The plan over HTTP, on the real database."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from schemas.codes import Role
from tests.reporting.county import id_of
from tests.reporting.indicators.test_files import csv
from tests.reporting.office import OTHER_COUNTY, Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELD, GOAL, MEASURE = id_of("api-field"), id_of("api-goal"), id_of("api-measure")


async def put(
    office: Office, path: str, seen: int, terms: Mapping[str, object], key: str = ""
) -> tuple[int, dict[str, object]]:
    client = office.client(Role.COORDINATOR)
    answer = await client.put(
        f"/v1/steering/{path}", json={"seen": seen, "terms": terms}, headers={"idempotency-key": key or f"{path}{seen}"}
    )
    return answer.status_code, answer.json()


async def plan(office: Office) -> None:
    target = {"indicator": "26.1", "direction": "at-most", "value": "8", "year": 2015}
    assert (await put(office, f"fields/{FIELD}", 0, {"name": "Arbeit"}))[0] == 200
    assert (await put(office, f"goals/{GOAL}", 0, {"field": FIELD, "text": "Weniger Arbeitslose", "target": target}))[
        0
    ] == 200
    assert (await put(office, f"measures/{MEASURE}", 0, {"goal": GOAL, "text": "Beraten", "begins": "2016-Q1"}))[
        0
    ] == 200


async def test_the_report_says_how_goals_and_measures_stand(office: Office) -> None:
    await plan(office)
    await office.client(Role.REPORTER).post(
        "/v1/indicators/deliveries", content=csv("26.1;2015;03459;;7,5;Prozent;BA;31.12.2015")
    )

    report = (await office.client(Role.REPORTER).get("/v1/steering/report", params={"since": "2016-01-01"})).json()

    assert report["overview"] == {
        "goals": 1,
        "with_target": 1,
        "reached": 1,
        "measures": 1,
        "by_standing": {"planned": 1, "running": 0, "done": 0, "stopped": 0},
        "by_light": {"none": 1, "green": 0, "yellow": 0, "red": 0},
    }
    (goal,) = report["fields"][0]["goals"]
    assert goal["attainment"] == {"standing": "reached", "value": "7.5", "year": 2015}
    assert set(report["changed"]) == {FIELD, GOAL, MEASURE}
    assert report["terms"]["every_months"] is None


async def test_a_change_sent_twice_is_made_once_and_an_outdated_one_is_refused(office: Office) -> None:
    await plan(office)
    terms = {"goal": GOAL, "text": "Beraten", "light": "red", "explanation": "Es fehlt Personal."}

    first = await put(office, f"measures/{MEASURE}", 1, terms, "once")
    again = await put(office, f"measures/{MEASURE}", 1, terms, "once")
    late = await put(office, f"measures/{MEASURE}", 1, {**terms, "light": "green"}, "late")

    assert first == again == (200, {"id": MEASURE, "revision": 2})
    assert (late[0], late[1]["code"], late[1]["revision"]) == (409, "steering-changed-meanwhile", 2)


async def test_the_history_of_a_measure_is_kept(office: Office) -> None:
    await plan(office)
    await put(office, f"measures/{MEASURE}", 1, {"goal": GOAL, "text": "Beraten und begleiten"})

    shown = (await office.client(Role.REPORTER).get(f"/v1/steering/measures/{MEASURE}")).json()

    assert [(one["revision"], one["by"]) for one in shown["history"]] == [(2, "somebody"), (1, "somebody")]
    assert shown["history"][0]["changed"] == {"text": "Beraten und begleiten", "begins": None}


async def test_a_published_plan_is_taken_over_and_listed_in_pages(office: Office) -> None:
    client = office.client(Role.COORDINATOR)
    plans = (await client.get("/v1/steering/plans")).json()["items"]
    assert [one["id"] for one in plans] == ["osnabrueck-2014", "osnabrueck-2017"]

    done = await client.post("/v1/steering/plans/osnabrueck-2014/taking-over", headers={"idempotency-key": "t"})

    assert done.json() == {"fields": 8, "goals": 61, "measures": 109}
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await client.get("/v1/steering/measures", params={"limit": 50} | ({"cursor": cursor} if cursor else {}))
        ).json()
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(set(found)) == 109


async def test_a_red_light_without_an_explanation_is_refused_with_a_sentence(office: Office) -> None:
    await plan(office)

    status, answer = await put(office, f"measures/{MEASURE}", 1, {"goal": GOAL, "text": "Beraten", "light": "red"})

    assert (status, answer["code"], answer["title"]) == (
        422,
        "steering-light-unexplained",
        "Die Ampel braucht eine Erläuterung.",
    )


async def test_only_coordinators_change_the_plan_and_another_county_sees_nothing_of_it(office: Office) -> None:
    await plan(office)
    body = {"seen": 1, "terms": {"name": "Anders"}}
    for role in Role:
        if role is not Role.COORDINATOR:
            answer = await office.client(role).put(
                f"/v1/steering/fields/{FIELD}", json=body, headers={"idempotency-key": f"{role}"}
            )
            assert answer.status_code == 403
    other = office.client(Role.COORDINATOR, county=OTHER_COUNTY)

    assert (await other.get(f"/v1/steering/goals/{GOAL}")).status_code == 404
    assert (await other.get("/v1/steering/report")).json()["fields"] == []
