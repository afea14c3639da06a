"""Files through the door, on the real database: good rows go in, bad ones are listed, and sending a file again changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import Role
from services.intake.commands import RegisterArrival
from services.intake.imports import SLICE
from services.intake.progress import PAGE, BadValue, ProblemPages
from services.intake.values import Flaw
from services.runtime.cursors import encode
from services.runtime.deciding import Command, Decision, Message, States
from tests.intake.door import Door, everything_stored
from tests.intake.files import GOOD, SHORT, text


def many(number: int) -> str:
    return text(
        SHORT,
        *(f"Łączak;Person {chr(97 + n // 26 % 26)}{chr(97 + n % 26)};03459014;04.01.2016;ja" for n in range(number)),
    )


async def test_a_file_goes_in_and_again_changes_nothing(door: Door) -> None:
    file = text(
        SHORT,
        GOOD,
        GOOD,
        GOOD.replace("ja", "nein"),
        GOOD.replace("04.01.2016", "31.02.2016"),
        GOOD.replace("03459014", "03157001").replace("Łączak;Żaneta", "Иванов;"),
        f"{GOOD};",
    )
    first = (await door.imports(file)).json()
    assert (first["state"], first["rows"]) == ("finished", 6)
    assert (first["registered"], first["without_consent"], first["repeated"], first["refused"]) == (1, 1, 1, 3)
    problems = await door.problems_of(first, headers={"accept-language": "en"})
    assert first["problems"] == len(problems)
    assert [(bad["line"], bad["column"], bad["kind"], bad["code"]) for bad in problems] == [
        (5, "Einzugsdatum", "date", "impossible-date"),
        (6, "Familienname", "name", "bad-character"),
        (6, "Gemeindeschluessel", "place", "unknown-place"),
        (7, None, None, "wrong-cell-count"),
    ]
    assert all(bad["remedy"].endswith(".") for bad in problems)
    states = await everything_in(door, "cases", "counts", "rows", "daybooks", "people", "outbox")

    again = (await door.imports(file)).json()
    assert (again["registered"], again["without_consent"], again["repeated"], again["refused"]) == (0, 0, 3, 3)
    assert await everything_in(door, "cases", "counts", "rows", "daybooks", "people", "outbox") == states


async def everything_in(door: Door, *collections: str) -> list[list[dict[str, Any]]]:
    return [await door.rows_of(collection) for collection in collections]


async def test_more_rows_than_a_slice_are_all_booked_into_slots_of_their_own(door: Door) -> None:
    number = SLICE + 120
    report = (await door.imports(many(number))).json()
    assert (report["registered"], report["rows"]) == (number, number)
    slots = [
        (book["body"]["site"], book["body"]["day"], slot)
        for book in await door.rows_of("daybooks")
        for slot in book["body"]["taken"]
    ]
    assert len(slots) == len(set(slots)) == number


async def test_two_offices_send_the_same_file_at_the_same_time(door: Door) -> None:
    reports = await asyncio.gather(*(door.imports(many(150)) for _ in range(2)))
    told = [report.json() for report in reports]
    assert sum(report["registered"] for report in told) == 150
    assert sum(report["repeated"] for report in told) == 150
    assert len(await door.rows_of("cases")) == len(await door.rows_of("people")) == 150


@pytest.mark.parametrize(
    ("file", "code", "fields"),
    [
        (text("Familienname;Vornamen;Einzugsdatum", "a;b;c"), "missing-column", ["Gemeindeschluessel", "Einwilligung"]),
        (text(f"{SHORT};Vornamen", f"{GOOD};x"), "repeated-column", ["Vornamen"]),
        (text(SHORT, GOOD).encode("utf-16"), "unreadable-encoding", []),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_as_a_whole(
    door: Door, file: str | bytes, code: str, fields: list[str]
) -> None:
    answer = await door.imports(file)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [error["field"] for error in answer.json().get("errors", [])] == fields
    assert await door.rows_of("imports") == await door.rows_of("cases") == []


async def test_an_import_is_shown_to_its_office_while_it_stands(door: Door) -> None:
    sent = (await door.imports(text(SHORT, GOOD))).json()
    path = f"/v1/imports/{sent['id']}"
    assert (await door.ask("GET", path, Role.CLERK)).json() == sent
    assert (await door.ask("GET", path, Role.CLERK, office="another")).status_code == 404
    assert (await door.ask("GET", "/v1/imports", Role.CLERK)).json()["items"] == [sent]
    assert (await door.ask("GET", "/v1/imports", Role.CLERK, office="another")).json()["items"] == []


async def test_an_import_without_a_sign_of_life_counts_as_interrupted(door: Door) -> None:
    sent = (await door.imports(text(SHORT, GOOD))).json()
    imports = door.running.database.raw["imports"]
    silent = datetime.now(UTC) - timedelta(minutes=5)
    await imports.update_one({"_id": sent["id"]}, {"$set": {"state": "running", "seen_alive": silent}})
    assert (await door.ask("GET", f"/v1/imports/{sent['id']}", Role.CLERK)).json()["state"] == "interrupted"


async def test_a_file_larger_than_allowed_is_refused_and_nothing_of_it_taken(door: Door) -> None:
    limit = door.running.settings.upload_limit_bytes
    answer = await door.ask("POST", "/v1/imports", Role.CLERK, content=b"", headers={"content-length": str(limit + 1)})
    assert answer.status_code == 413
    assert await door.rows_of("imports") == []


# --- what is wrong ----------------------------------------------------------------------------------------------------


BAD_ROWS = 3_000


async def test_every_bad_value_of_thousands_is_listed_in_the_order_of_the_file(door: Door) -> None:
    bad = GOOD.replace("04.01.2016", "31.02.2016").replace("03459014", "03157001")
    report = (await door.imports(text(SHORT, *[bad] * BAD_ROWS, GOOD, bad))).json()
    assert (report["rows"], report["registered"], report["refused"]) == (BAD_ROWS + 2, 1, BAD_ROWS + 1)
    listed = await door.problems_of(report, limit=199)
    lines = [*range(2, BAD_ROWS + 2), BAD_ROWS + 3]
    assert [(bad["line"], bad["column"]) for bad in listed] == [
        (line, column) for line in lines for column in ("Gemeindeschluessel", "Einzugsdatum")
    ]
    assert report["problems"] == len(listed)
    assert len(await door.rows_of("import_problems")) == -(-len(listed) // PAGE)


async def test_what_is_wrong_is_shown_to_the_office_that_sent_the_file_alone(door: Door) -> None:
    report = (await door.imports(text(SHORT, f"{GOOD};", f"{GOOD};"))).json()
    path = f"/v1/imports/{report['id']}/problems"
    assert len((await door.ask("GET", path, Role.CLERK)).json()["items"]) == 2
    for claims in ({"office": "another"}, {"county": "03157"}):
        answer = await door.ask("GET", path, Role.CLERK, **claims)
        assert (answer.status_code, answer.json()["code"]) == (404, "import-unknown")
    for cursor, status in ((encode((0,)), 200), (encode((99,)), 200), (encode((-2,)), 400), ("MQ", 400)):
        assert (await door.ask("GET", f"{path}?cursor={cursor}", Role.CLERK)).status_code == status


async def test_a_list_of_bad_values_holds_nothing_of_any_row(door: Door) -> None:
    await door.imports(text(SHORT, GOOD.replace("04.01.2016", "31.02.2016").replace("Łączak", "Ł4czak")))
    (page,) = await door.rows_of("import_problems")
    assert set(page) == {"_id", "county", "at", "listed"}
    assert [set(bad) for bad in page["listed"]] == [{"line", "column", "kind", "flaw"}] * 2
    everything = await everything_stored(door)
    assert not any(word in everything for word in ("aneta", "4czak", "31.02"))


@given(st.lists(st.integers(0, 2 * PAGE + 3), max_size=8))
def test_however_bad_values_come_they_lie_in_full_pages_and_less_than_one_is_held(amounts: list[int]) -> None:
    pages, kept, number = ProblemPages(), dict[int, list[BadValue]](), 0
    for amount in amounts:
        found = [BadValue(line=number + n, column=None, kind=None, flaw=Flaw.NOT_TAKEN) for n in range(amount)]
        number += amount
        kept |= {page.number: list(page.listed) for page in pages.add(found)}
        assert [bad.line for page in sorted(kept) for bad in kept[page]] == list(range(number))
        assert len(pages._last) < PAGE
    assert all(len(listed) == PAGE for listed in [kept[page] for page in sorted(kept)][:-1])


@pytest.fixture
def failing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule fails on whoever speaks Polish, as no rule should."""
    logic = door.running.settler.logic

    def decide(message: Message, states: States, now: datetime) -> Decision:
        data = message.data if isinstance(message, Command) else None
        if isinstance(data, RegisterArrival) and "pol" in data.statements.languages:
            raise OverflowError("a bug")
        return logic.decide(message, states, now)

    monkeypatch.setattr(door.running.settler, "logic", replace(logic, decide=decide))


@pytest.mark.usefixtures("failing")
async def test_a_row_on_which_a_rule_fails_is_listed_and_the_others_go_in(door: Door) -> None:
    rows = [f"Łączak;Person {chr(97 + number)};03459014;04.01.2016;ja;de" for number in range(5)]
    rows[2] = rows[2].replace(";de", ";pl")
    rows[3] = rows[3].replace("04.01.2016", "31.02.2016")
    file = text(f"{SHORT};Sprachen", *rows)
    for registered, repeated in ((3, 0), (0, 3)):
        report = (await door.imports(file)).json()
        assert (report["state"], report["rows"]) == ("finished", 5)
        assert (report["registered"], report["repeated"], report["refused"]) == (registered, repeated, 2)
        problems = await door.problems_of(report, headers={"accept-language": "en"})
        assert [(bad["line"], bad["column"], bad["kind"], bad["code"]) for bad in problems] == [
            (4, None, None, "not-taken"),
            (5, "Einzugsdatum", "date", "impossible-date"),
        ]
        assert "error of ours" in problems[0]["remedy"]
    assert len(await door.rows_of("cases")) == 3


async def test_a_row_that_could_not_be_taken_goes_in_when_the_file_is_sent_again(
    door: Door, failing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = text(f"{SHORT};Sprachen", f"{GOOD};pl", f"{GOOD};de")
    assert (await door.imports(file)).json()["refused"] == 1
    monkeypatch.undo()
    again = (await door.imports(file)).json()
    assert (again["registered"], again["repeated"], again["refused"]) == (1, 1, 0)
