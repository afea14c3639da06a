"""Releases: what is due when, what they say, and that they appear whole, once, and never change."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import Role
from services.reporting.books import CountyBooks
from services.reporting.disclosure.sets import ALL
from services.reporting.releases import keeping
from services.reporting.releases.calendar import Issue, due, issue_named, issues, months_of, next_due
from services.reporting.releases.content import Content, content_of, figures_of
from services.reporting.releases.formats.plain import tidy_csv
from services.reporting.releases.publishing import SEAL, Publisher
from services.reporting.sums import Cell, Row, Sums
from services.reporting.tables import DECLARED
from services.runtime.errors import Transient
from services.runtime.seals import SealBroken, Seals
from tests.reporting.county import AMAL, BOGDAN, CORA, COUNTY, arrival, id_of, need
from tests.reporting.office import OTHER_COUNTY, Office, Sender

JANUARY = Issue("monthly", "2016-01")
MARCH_ALONE = Issue("monthly", "2016-03")
FIRST_QUARTER = Issue("quarterly", "2016-Q1")
YEAR = Issue("yearly", "2016")

# --- the calendar -------------------------------------------------------------------------------------------------------


def test_a_month_is_out_in_the_middle_of_the_next_a_quarter_after_six_weeks_the_year_at_the_end_of_march() -> None:
    assert JANUARY.due_on == date(2016, 2, 15)
    assert FIRST_QUARTER.due_on == date(2016, 5, 15)
    assert YEAR.due_on == date(2017, 3, 31)


def test_the_names_of_releases_are_their_periods_and_vintages() -> None:
    assert [one.name for one in (JANUARY, FIRST_QUARTER, YEAR)] == [
        "2016-01-provisional",
        "2016-Q1-final",
        "2016-final",
    ]
    assert [issue_named(one.name) for one in (JANUARY, FIRST_QUARTER, YEAR)] == [JANUARY, FIRST_QUARTER, YEAR]


@pytest.mark.parametrize(
    "name", ["2016-01-final", "2016-provisional", "2016-Q5-final", "2016-13-provisional", "../x", ""]
)
def test_what_is_called_otherwise_is_no_release(name: str) -> None:
    assert issue_named(name) is None


def test_nothing_is_due_before_its_day_and_everything_from_then_on() -> None:
    assert list(due("2016-01", date(2016, 2, 14))) == []
    assert list(due("2016-01", date(2016, 2, 15))) == [JANUARY]
    names = [one.name for one in due("2016-01", date(2017, 3, 31))]
    assert len(names) == 12 + 4 + 1 + 2, "and two months of the new year"
    assert names[:5] == [
        "2016-01-provisional",
        "2016-02-provisional",
        "2016-03-provisional",
        "2016-04-provisional",
        "2016-Q1-final",
    ]


@given(st.dates(date(2016, 1, 1), date(2019, 12, 31)), st.integers(0, 400))
def test_what_is_due_stays_due(today: date, days: int) -> None:
    before, after = list(due("2016-02", today)), list(due("2016-02", today + timedelta(days=days)))
    assert after[: len(before)] == before
    assert all(issue.due_on <= today for issue in before)
    assert set(issues("2016-02", today)) >= set(before)
    following = next_due("2016-02", today)
    assert list(due("2016-02", following - timedelta(days=1))) == before, "nothing is due until then"
    assert len(list(due("2016-02", following))) > len(before)


# --- the content -----------------------------------------------------------------------------------------------------------


def counted(*rows: Row) -> Sums:
    sums = Sums()
    sums.count(rows)
    return sums


def needs(number: int, kind: str = "lotse", district: str = "034590024", month: str = "2016-03") -> list[Row]:
    return [Row("needs", month, (kind, district), 1000 * number + place) for place in range(number)]


def test_a_release_lists_every_cell_also_those_of_nobody() -> None:
    months = counted(*needs(20), *needs(30, kind="housing"))
    content = content_of(COUNTY, FIRST_QUARTER, figures_of(FIRST_QUARTER, months, b"secret"))
    figures = content.figures
    assert figures[Cell("needs", "2016-02", ("lotse", ALL))] == 0
    assert figures[Cell("needs", "2016-03", ("interpreter", ALL))] == 0
    assert abs((figures[Cell("needs", "2016-Q1", (ALL, ALL))] or 0) - 50) <= 7
    assert {one.name for one in content.tables} == DECLARED.extents("quarterly").keys()


def test_a_part_in_which_everybody_is_stays_unseen_in_a_release() -> None:
    content = content_of(COUNTY, FIRST_QUARTER, figures_of(FIRST_QUARTER, counted(*needs(20)), b"secret"))
    assert content.figures[Cell("needs", "2016-03", ("lotse", ALL))] is None
    assert content.figures[Cell("needs", "2016-03", ("housing", ALL))] is None
    assert content.figures[Cell("needs", "2016-03", (ALL, ALL))] is not None


def test_a_release_says_which_figures_an_earlier_one_had_otherwise() -> None:
    arrivals = [Row("arrivals-by-residence", "2016-03", ("034590024", "eu"), key) for key in range(40)]
    first = content_of(
        COUNTY, Issue("monthly", "2016-03"), figures_of(Issue("monthly", "2016-03"), counted(*arrivals), b"one")
    )
    more = [*arrivals, *(Row("arrivals-by-residence", "2016-03", ("034590014", "eu"), key) for key in range(50, 80))]
    content = content_of(COUNTY, FIRST_QUARTER, figures_of(FIRST_QUARTER, counted(*more), b"two"), [first])
    (change,) = content.changes
    assert (change.release, change.table, change.period, change.values) == (
        "2016-03-provisional",
        "arrivals-by-residence",
        "2016-03",
        (ALL, ALL),
    )
    assert change.before == first.figures[Cell("arrivals-by-residence", "2016-03", (ALL, ALL))]
    assert change.now == content.figures[Cell("arrivals-by-residence", "2016-03", (ALL, ALL))]


@settings(max_examples=10)
@given(st.lists(st.sampled_from([*needs(9), *needs(9, kind="housing"), *needs(5, district="034590014")]), unique=True))
def test_content_is_read_back_as_it_was_written(rows: list[Row]) -> None:
    content = content_of(COUNTY, FIRST_QUARTER, figures_of(FIRST_QUARTER, counted(*rows), b"secret"))
    again = Content.model_validate_json(content.model_dump_json())
    assert again == content
    lines = list(csv.DictReader(io.StringIO(tidy_csv(content).decode())))
    assert len(lines) == len(content.figures)
    for line in lines:
        dimensions = len(DECLARED.tables[line["table"]].dimensions)
        cell = Cell(line["table"], line["period"], tuple(line[f"value_{place}"] for place in range(1, dimensions + 1)))
        assert content.figures[cell] == (int(line["figure"]) if line["status"] != "C" else None)


# --- publishing -------------------------------------------------------------------------------------------------------------

MAY = datetime(2016, 5, 20, 9, tzinfo=UTC)


async def people_came(office: Office) -> None:
    sender = Sender()
    people = [id_of(f"person {number}") for number in range(30)]
    await office.take(
        [
            *(sender.record(case, arrival()) for case in (*people, AMAL, BOGDAN, CORA)),
            *(sender.record(case, need(f"need {case}")) for case in people),
        ]
    )


async def outbox(office: Office) -> list[dict[str, Any]]:
    return [event for document in await office.running.store(COUNTY).find("outbox", {}) for event in document["events"]]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_due_is_published_once_and_told(office: Office) -> None:
    await people_came(office)
    complete: list[str] = []
    publisher = Publisher(office.running, lambda county, at: complete.append(county))
    assert await publisher.publish_due(COUNTY) == 0, "it is March"

    await office.stand(MAY)
    assert await publisher.publish_due(COUNTY) == 3
    assert await publisher.publish_due(COUNTY) == 0
    assert complete == [COUNTY] * 3, "nothing is missing: not before it is due, not when it is out, not after"
    assert await Publisher(office.running).publish_due(COUNTY) == 0, "another process has nothing to do"

    answer = await office.client(Role.REPORTER).get("/v1/releases")
    assert [one["name"] for one in answer.json()["items"]] == [
        "2016-Q1-final",
        "2016-04-provisional",
        "2016-03-provisional",
    ]
    told = [event for event in await outbox(office) if "release-published" in json.dumps(event, default=str)]
    assert len(told) == 3


@pytest.mark.asyncio(loop_scope="module")
async def test_a_published_file_is_what_its_checksum_says_and_never_changes(office: Office) -> None:
    await people_came(office)
    await Publisher(office.running).publish(COUNTY, FIRST_QUARTER)
    client = office.client(Role.PARTNER)
    listed = (await client.get("/v1/releases/2016-Q1-final")).json()
    for file in listed["files"]:
        answer = await client.get(file["url"])
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert len(answer.content) == file["size"]
        assert answer.headers["etag"] == f'"{file["sha256"]}"'
        assert "immutable" in answer.headers["cache-control"]

    sender = Sender()
    await office.take([sender.record(id_of("late"), arrival())])
    await Publisher(office.running).publish(COUNTY, FIRST_QUARTER)
    assert (await client.get("/v1/releases/2016-Q1-final")).json() == listed
    files = await office.running.store(COUNTY).find("release_files", {}, fields={"batch": 1})
    assert len({file["batch"] for file in files}) == 1, "what came second is gone"


@pytest.mark.asyncio(loop_scope="module")
async def test_two_who_publish_the_same_at_once_publish_one(office: Office) -> None:
    await people_came(office)
    published = await asyncio.gather(*(Publisher(office.running).publish(COUNTY, FIRST_QUARTER) for _ in range(4)))
    assert len({one.batch for one in published}) == 1
    answer = await office.client(Role.REPORTER).get("/v1/releases/2016-Q1-final/figures.csv")
    assert answer.status_code == 200
    assert len(answer.content) > 1000


@pytest.mark.asyncio(loop_scope="module")
async def test_who_is_cut_off_before_the_last_step_has_published_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people_came(office)

    async def cut_off(*_: object) -> None:
        raise Transient("database")

    publisher = Publisher(office.running)
    with monkeypatch.context() as patched:
        patched.setattr(office.running.desk, "send_all", cut_off)
        with pytest.raises(Transient):
            await publisher.publish(COUNTY, MARCH_ALONE)
    client = office.client(Role.REPORTER)
    assert (await client.get("/v1/releases/2016-03-provisional")).status_code == 404
    assert (await client.get("/v1/releases")).json()["items"] == []

    await publisher.publish(COUNTY, MARCH_ALONE)
    assert (await client.get("/v1/releases/2016-03-provisional/content.json")).status_code == 200
    files = await office.running.store(COUNTY).find("release_files", {}, fields={"batch": 1})
    assert len({file["batch"] for file in files}) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_a_pull_that_was_cut_off_goes_on_where_it_stopped(office: Office) -> None:
    await people_came(office)
    await Publisher(office.running).publish(COUNTY, FIRST_QUARTER)
    client, url = office.client(Role.REPORTER), "/v1/releases/2016-Q1-final/figures.csv"
    whole = await client.get(url)
    half = len(whole.content) // 2
    etag = whole.headers["etag"]

    rest = await client.get(url, headers={"Range": f"bytes={half}-", "If-Range": etag})
    assert rest.status_code == 206
    assert whole.content[:half] + rest.content == whole.content
    assert (await client.get(url, headers={"If-None-Match": etag})).status_code == 304
    beyond = await client.get(url, headers={"Range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range-beyond-the-end")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    assert str(len(whole.content)) in beyond.json()["detail"]
    changed = await client.get(url, headers={"Range": f"bytes={half}-", "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, whole.content)


@pytest.mark.asyncio(loop_scope="module")
async def test_another_county_has_releases_of_its_own(office: Office) -> None:
    await people_came(office)
    await Publisher(office.running).publish(COUNTY, FIRST_QUARTER)
    answer = await office.client(Role.REPORTER, county=OTHER_COUNTY).get("/v1/releases/2016-Q1-final")
    assert answer.status_code == 404
    assert answer.json()["title"]


@pytest.mark.asyncio(loop_scope="module")
async def test_secrets_differ_by_year_vintage_and_county_stay_and_are_nowhere_to_be_read(office: Office) -> None:
    seal = Seals(office.running.settings).of(SEAL)
    store, other = office.running.store(COUNTY), office.running.store(OTHER_COUNTY)
    final = await keeping.secret_of(store, FIRST_QUARTER, seal)
    assert await keeping.secret_of(store, Issue("quarterly", "2016-Q3"), seal) == final
    assert await keeping.secret_of(store, YEAR, seal) == final
    others = {
        await keeping.secret_of(store, JANUARY, seal),
        await keeping.secret_of(store, Issue("yearly", "2017"), seal),
        await keeping.secret_of(other, FIRST_QUARTER, seal),
    }
    assert len(others | {final}) == 4
    assert repr(final)[2:-1] not in await office.contents()
    with pytest.raises(SealBroken):
        await keeping.secret_of(store, FIRST_QUARTER, Seals(office.running.settings).of("another use"))


@pytest.mark.asyncio(loop_scope="module")
async def test_neither_secrets_keys_nor_true_counts_are_in_any_file(office: Office) -> None:
    await people_came(office)
    await Publisher(office.running).publish(COUNTY, FIRST_QUARTER)
    seal = Seals(office.running.settings).of(SEAL)
    secret = await keeping.secret_of(office.running.store(COUNTY), FIRST_QUARTER, seal)
    sums = await CountyBooks(office.running.database, COUNTY).all_counts("2016-01", "2016-03")
    client = office.client(Role.REPORTER)
    for file in (await client.get("/v1/releases/2016-Q1-final")).json()["files"]:
        content = (await client.get(file["url"])).content
        assert secret not in content
        assert secret.hex().encode() not in content
        assert not [amount.keys for _, amount in sums if str(amount.keys).encode() in content]
    months = [months_of(one) for one in ("2016-03", "2016-Q1", "2016")]
    assert [len(one) for one in months] == [1, 3, 12]
