"""Some figures of a release: only what the release says, in the language and form asked for; what is not there is named."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from schemas.codes import Role
from services.reporting.releases.calendar import Issue
from services.reporting.releases.content import Content
from services.reporting.releases.filtering import NotThere, some
from services.reporting.releases.publishing import Publisher
from services.reporting.sums import Cell
from services.reporting.tables import DECLARED
from tests.reporting.county import COUNTY, arrival, id_of, need
from tests.reporting.office import OTHER_COUNTY, Office, Sender
from tests.reporting.test_formats import content

QUARTER = Issue("quarterly", "2016-Q2")
ADDRESS = "/v1/releases/2016-Q1-final/figures"


def whole() -> Content:
    return content(QUARTER)


def test_without_a_wish_all_figures_come_and_in_their_order() -> None:
    assert [one for _, one in some(whole(), {})] == [one for table in whole().tables for one in table.observations]


def test_figures_are_those_of_one_of_the_values_in_everything_asked_by() -> None:
    found = some(whole(), {"table": ["needs"], "period": ["2016-Q2"], "district": ["*", "034590024"], "kind": ["*"]})
    assert [(table.name, one.period, one.values) for table, one in found] == [
        ("needs", "2016-Q2", ("*", "*")),
        ("needs", "2016-Q2", ("*", "034590024")),
    ]
    assert all(whole().figures[Cell(table.name, one.period, one.values)] == one.figure for table, one in found)


def test_asking_by_a_dimension_leaves_out_the_tables_without_it() -> None:
    assert {table.name for table, _ in some(whole(), {"sex": ["female"]})} == {"arrivals-by-age"}


@pytest.mark.parametrize(
    ("asked", "by", "there"),
    [
        ({"table": ["names"]}, "table", "needs"),
        ({"period": ["2016-Q3"]}, "period", "2016-04"),
        ({"table": ["needs"], "kind": ["lotsen"]}, "kind", "lotse"),
        ({"table": ["needs"], "sex": ["female"]}, None, "kind"),
        ({"shoe-size": ["43"]}, None, "district"),
    ],
)
def test_what_is_not_there_is_told_with_what_there_is(asked: Any, by: str | None, there: str) -> None:
    with pytest.raises(NotThere) as told:
        some(whole(), asked)
    assert told.value.asked == by
    assert there in told.value.allowed


@pytest.mark.asyncio(loop_scope="module")
async def test_figures_are_picked_over_http(office: Office) -> None:
    sender = Sender()
    people = [id_of(f"person {number}") for number in range(30)]
    await office.take([sender.record(case, arrival()) for case in people])
    await office.take([sender.record(case, need(f"need {case}")) for case in people])
    await Publisher(office.running).publish(COUNTY, Issue("quarterly", "2016-Q1"))
    client = office.client(Role.REPORTER)
    published = Content.model_validate_json((await client.get("/v1/releases/2016-Q1-final/content.json")).content)

    asked = {"table": "needs", "period": "2016-Q1", "kind": "*", "district": "*", "lang": "en"}
    answer = await client.get(ADDRESS, params=asked)
    (one,) = answer.json()["items"]
    assert one["figure"] == published.figures[Cell("needs", "2016-Q1", ("*", "*"))]
    assert one["words"] == {"kind": "total", "district": "total"}
    assert answer.json()["tables"] == {"needs": DECLARED.tables["needs"].title.en}
    assert (await client.get(ADDRESS, params={**asked, "lang": "de"})).json()["items"][0]["words"][
        "kind"
    ] == "insgesamt"
    again = await client.get(ADDRESS, params=asked, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    tidy = await client.get(ADDRESS, params={"table": "needs"}, headers={"accept": "text/csv"})
    assert tidy.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(tidy.text)))
    assert len(lines) == sum(cell.table == "needs" for cell in published.figures)
    assert "label_1_de" in lines[0]
    assert "label_1_en" not in lines[0]

    wrong = await client.get(ADDRESS, params={"table": "needs", "kind": "Łączak"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "figures-value-unknown")
    assert "lotse" in wrong.json()["detail"]
    assert "Łączak" not in wrong.text
    unknown = await client.get(ADDRESS, params={"name": "x"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "figures-asked-by-unknown")
    assert (await client.get(ADDRESS, params={"format": "pdf"})).status_code == 400
    elsewhere = office.client(Role.REPORTER, county=OTHER_COUNTY)
    assert (await elsewhere.get(ADDRESS)).status_code == 404
