"""What an operator reads of the counts over HTTP, and what everybody else is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.codes import Role, ServiceKind, Way
from schemas.events import ArrivalCounted, NeedWithdrawn, OfferPublished
from tests.reporting.county import AMAL, BOGDAN, BRAMSCHE, CORA, MELLE, arrival, id_of, need
from tests.reporting.office import OTHER_COUNTY, Office, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = ("/v1/tables", "/v1/tables/needs?period=2016", "/v1/books")


async def people_came(office: Office) -> None:
    """Two people in March, one in April, and one who refused the consent."""
    sender, april = Sender(), datetime(2016, 4, 5, tzinfo=UTC)
    offer = OfferPublished(partner="vhs", kind=ServiceKind.LOTSE, district=MELLE, seats=12)
    await office.take(
        [
            sender.record(AMAL, arrival()),
            sender.record(BOGDAN, arrival(district=BRAMSCHE, way=Way.OFFICE_FORM)),
            sender.record(CORA, arrival(arrived_on=april.date()), april),
            sender.record(id_of("refused"), ArrivalCounted(district=MELLE, arrived_in="2016-03", way=Way.OFFICE_FILE)),
            sender.record(AMAL, need("a")),
            sender.record(AMAL, need("b")),
            sender.record(CORA, need("c"), april),
            sender.record(CORA, NeedWithdrawn(need=id_of("c")), april),
            sender.record(id_of("offer"), offer),
        ]
    )


async def test_an_operator_reads_a_table_of_one_month(office: Office) -> None:
    await people_came(office)

    answer = await office.client().get("/v1/tables/arrivals-by-residence", params={"period": "2016-03"})

    assert answer.status_code == 200
    assert answer.json() == {
        "table": "arrivals-by-residence",
        "period": "2016-03",
        "closed": False,
        "items": [
            {"period": "2016-03", "values": {"district": BRAMSCHE, "residence-group": "refugee"}, "count": 1},
            {"period": "2016-03", "values": {"district": MELLE, "residence-group": "refugee"}, "count": 1},
        ],
        "next": None,
    }


async def test_an_operator_reads_a_year_month_by_month(office: Office) -> None:
    await people_came(office)
    await office.books.rebuild()

    answer = await office.client().get("/v1/tables/arrivals-by-way", params={"period": "2016"})

    assert [(item["period"], item["values"]["way"], item["count"]) for item in answer.json()["items"]] == [
        ("2016-03", "office-file", 1),
        ("2016-03", "office-form", 1),
        ("2016-04", "office-file", 1),
    ]


async def test_every_table_is_described_by_its_unit_its_rule_and_its_coarsening(office: Office) -> None:
    tables = {table["name"]: table for table in (await office.client().get("/v1/tables")).json()["items"]}

    for name, table in tables.items():
        answer = await office.client().get(f"/v1/tables/{name}", params={"period": "2016-03"})
        assert answer.status_code == 200
        assert all((table["title"]["de"], table["title"]["en"], table["rule"], table["month"], table["source"]))
    assert set(tables["needs"]["dimensions"]) == {"kind", "district"}


async def test_the_books_show_what_was_counted_beside_what_the_facts_say(office: Office) -> None:
    await people_came(office)

    books = (await office.client().get("/v1/books")).json()

    assert books["balanced"] is True
    assert {name: total for name, total in books["totals"].items() if total} == {
        "persons": 3,
        "at_the_counter": 3,
        "without_consent": 1,
        "needs": 2,
        "seats": 12,
    }
    assert books["anonymous"] == 1
    assert books["facts"] == books["totals"]
    assert not any(books["kept"].values())
    assert {"table": "needs", "counted": 2, "facts": 2, "kept": 0, "difference": 0} in books["lines"]


async def test_an_operator_has_everything_counted_anew(office: Office) -> None:
    await people_came(office)

    answer = await office.client().post("/v1/rebuild", json={})

    assert answer.status_code == 200
    assert answer.json()["facts"] == 5
    assert answer.json()["changed"] == 0


async def test_the_keys_of_records_are_shown_to_nobody(office: Office) -> None:
    await people_came(office)
    keys = {str(figure.keys) for _, figure in await office.counted()}

    shown = [(await office.client().get(path)).text for path in (*PATHS, "/v1/tables/seats?period=2016")]

    assert keys
    assert not [key for key in keys for text in shown if key in text]


@pytest.mark.parametrize(
    ("language", "title", "detail"),
    [
        ("de", "Genaue Zahlen sind nicht veröffentlicht.", "nur in geschützten Veröffentlichungen"),
        ("en", "Exact figures are not published.", "only in protected releases"),
    ],
)
async def test_a_reporter_is_told_to_read_the_releases(office: Office, language: str, title: str, detail: str) -> None:
    for path in PATHS:
        answer = await office.client(Role.REPORTER, language=language).get(path)
        assert answer.status_code == 403
        assert (answer.json()["code"], answer.json()["title"]) == ("counts-not-published", title)
        assert detail in answer.json()["detail"]


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.OPERATOR, Role.REPORTER)])
async def test_nobody_else_sees_a_true_count(office: Office, role: Role) -> None:
    for path in PATHS:
        answer = await office.client(role).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "role-not-allowed")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
async def test_only_operators_have_everything_counted_anew(office: Office, role: Role) -> None:
    assert (await office.client(role).post("/v1/rebuild", json={})).status_code == 403


async def test_an_operator_of_another_county_sees_nothing_of_this_one(office: Office) -> None:
    await people_came(office)
    other = office.client(county=OTHER_COUNTY)

    assert (await other.get("/v1/tables/needs", params={"period": "2016"})).json()["items"] == []
    assert not any((await other.get("/v1/books")).json()["totals"].values())
    assert (await other.post("/v1/rebuild", json={})).json()["facts"] == 0


@pytest.mark.parametrize("period", ["2016-13", "16", "2016-3", "2016-03-01", "", "2016-03\n"])
async def test_a_period_is_a_month_or_a_year(office: Office, period: str) -> None:
    answer = await office.client().get("/v1/tables/needs", params={"period": period})

    assert answer.status_code == 422


async def test_there_is_no_table_that_was_not_declared(office: Office) -> None:
    assert (await office.client().get("/v1/tables/names", params={"period": "2016"})).status_code == 404


async def test_while_another_edition_is_counted_figures_are_not_shown(office: Office) -> None:
    await people_came(office)
    await office.books.rebuild()
    await office.running.database.raw["books"].update_many({}, {"$inc": {"edition": 1}})

    answer = await office.client().get("/v1/tables/needs", params={"period": "2016"})

    assert (answer.status_code, answer.json()["code"]) == (409, "counts-outdated")
    assert answer.json()["title"] == "Die Zahlen werden gerade neu gezählt."
