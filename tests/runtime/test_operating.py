"""What operators may ask of a running service: how it stands, its dead letters, its clock; each of them of their own county."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from services.runtime.deciding import Command
from services.runtime.records import LARGEST_VALUE, NOWHERE, RawRecord
from services.runtime.settle import Settler
from tests.runtime.open_services import COUNTY, ELSEWHERE, Open, bank_service, opened
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, START, Bank, Greeted, Paid, Pay, Weighed, an_id, reader, record

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    folder = tmp_path_factory.mktemp("service")
    async with opened(bank_service(folder), engines, folder) as bank:
        yield bank


@pytest_asyncio.fixture(loop_scope="module")
async def bank(service: Open) -> AsyncIterator[Open]:
    yield service
    await service.emptied()


@pytest.fixture
def till(bank: Open) -> Till:
    return Till(bank.running.store(COUNTY))


@pytest_asyncio.fixture(loop_scope="module")
async def olga(bank: Open) -> AsyncIterator[httpx.AsyncClient]:
    async with bank.client("operator") as client:
        yield client


def paid(
    sequence: int, amount: int, account: str = ANNA, county: str = COUNTY, value: bytes | None = None
) -> RawRecord:
    return record(county, account, sequence, Paid(amount=amount), value=value)


async def letter_of(client: httpx.AsyncClient, state: str = "open") -> dict[str, Any]:
    """The only dead letter there is."""
    (item,) = (await client.get("/runtime/dead-letters", params={"state": state})).json()["items"]
    return item


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- dead letters: looking --------------------------------------------------------------------------------------------------


async def test_a_dead_letter_is_listed_without_and_shown_with_its_content(olga: httpx.AsyncClient, till: Till) -> None:
    broken = paid(1, 10, value=b"{")
    await till.take(broken)
    item = await letter_of(olga)
    assert (item["reason"], item["subject"], item["sequence"], item["state"]) == (
        "invalid-payload",
        f"account/{ANNA}",
        1,
        "open",
    )
    assert (item["value"], item["headers"]) == (None, [])
    shown = (await olga.get(f"/runtime/dead-letters/{item['id']}")).json()
    assert base64.b64decode(shown["value"]) == b"{"
    assert [(name, base64.b64decode(text)) for name, text in shown["headers"]] == [*broken.headers]


async def test_dead_letters_are_listed_page_by_page_each_once(olga: httpx.AsyncClient, bank: Open, till: Till) -> None:
    await till.take(*(paid(1, 1, an_id(f"account {number}"), value=b"{") for number in range(7)))
    unreadable = [RawRecord("shop.events.v1", 0, number, None, b"%d" % number, ()) for number in range(4)]
    await Till(bank.running.store(NOWHERE)).take(*unreadable)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await olga.get("/runtime/dead-letters", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        ).json()
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 11


async def test_an_operator_sees_the_letters_of_their_county_and_of_none_and_of_no_other(
    bank: Open, till: Till, olga: httpx.AsyncClient
) -> None:
    await till.take(paid(1, 1, value=b"{"))
    await Till(bank.running.store(ELSEWHERE)).take(paid(1, 1, BERT, ELSEWHERE, value=b"{"))
    own = await letter_of(olga)
    async with bank.client("operator", ELSEWHERE) as other:
        theirs = await letter_of(other)
        assert theirs["county"] == ELSEWHERE
        for method, path in (("GET", ""), ("POST", "/replay"), ("POST", "/discard")):
            answer = await other.request(
                method, f"/runtime/dead-letters/{own['id']}{path}", json={"reason": "mine now"}
            )
            assert code(answer) == (404, "not-found")
    assert (await letter_of(olga))["state"] == "open"


async def test_a_place_in_the_list_that_was_never_given_is_refused(olga: httpx.AsyncClient) -> None:
    assert code(await olga.get("/runtime/dead-letters", params={"cursor": "somewhere"})) == (400, "cursor-invalid")


@pytest.mark.parametrize("role", ["clerk", "counsellor", "service", None])
async def test_only_operators_come_near(bank: Open, role: str | None) -> None:
    wanted = [
        ("GET", "/runtime/rest"),
        ("GET", "/runtime/status"),
        ("GET", "/runtime/numbers"),
        ("PUT", "/runtime/clock"),
        ("POST", "/runtime/refill"),
        ("GET", "/runtime/dead-letters"),
        ("GET", "/runtime/dead-letters/x"),
        ("POST", "/runtime/dead-letters/x/replay"),
        ("POST", "/runtime/dead-letters/x/discard"),
    ]
    async with bank.client(role) as client:
        for method, path in wanted:
            answer = await client.request(method, path, json={})
            assert answer.status_code == (403 if role else 401), path


async def test_the_limit_is_told_of_every_dead_letter_that_a_batch_led_to(bank: Open, till: Till) -> None:
    """Also of those that had waited: else a rule that fails on all that was parked would make any number of them."""
    consumer = bank.running.consumer
    assert consumer is not None
    accounts = [an_id(f"account {number}") for number in range(5)]
    await till.take(*(paid(2, -2, account) for account in accounts))
    batch = [
        *(paid(1, 1, account) for account in accounts),
        paid(1, -1),
        RawRecord("shop.events.v1", 0, 0, None, b"", ()),
    ]
    assert await consumer._settle(batch) == 7
    assert len(await till.letters()) + len(await Till(bank.running.store(NOWHERE)).letters()) == 7


# --- dead letters: acting ---------------------------------------------------------------------------------------------------


async def test_a_corrected_record_is_applied_with_all_that_waited_behind_it(
    olga: httpx.AsyncClient, till: Till
) -> None:
    await till.take(paid(1, 10, value=b"{"), paid(2, 20))
    item = await letter_of(olga)
    answer = await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json={"value": '{"amount": 11}'})
    assert (answer.status_code, answer.json()) == (200, {"id": item["id"], "result": "applied"})
    assert await till.entries(ANNA) == ["+11", "+20"]
    assert await till.letters() == []


async def test_headers_can_be_corrected_too(olga: httpx.AsyncClient, bank: Open, till: Till) -> None:
    unreadable = record(COUNTY, ANNA, 1, Paid(amount=10), headers={"ce_sequence": None})
    await Till(bank.running.store(NOWHERE)).take(unreadable)
    item = await letter_of(olga)
    assert (item["county"], item["reason"]) == (NOWHERE, "null-header")
    answer = await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json={"headers": {"ce_sequence": "1"}})
    assert answer.json()["result"] == "applied"
    assert await till.entries(ANNA) == ["+10"]
    settled = await letter_of(olga, "replayed")
    shown = (await olga.get(f"/runtime/dead-letters/{settled['id']}")).json()
    assert (shown["county"], shown["value"], shown["headers"]) == (NOWHERE, None, [])


async def test_a_replay_as_it_was_after_the_rules_were_repaired(
    olga: httpx.AsyncClient, bank: Open, till: Till
) -> None:
    till.open(Bank(fails_on=frozenset({10})))
    await till.take(paid(1, 10), paid(2, 20))
    item = await letter_of(olga)
    assert item["reason"] == "rule-failed"
    assert (await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json={})).status_code == 200
    assert await till.entries(ANNA) == ["+10", "+20"]


@pytest.mark.parametrize(
    "correction",
    [{}, {"value": '{"amount": "many"}'}, {"value": '{"amount": -1}'}, {"headers": {"ce_county": ELSEWHERE}}],
)
async def test_a_replay_that_fails_again_says_why_and_leaves_the_letter_open(
    olga: httpx.AsyncClient, till: Till, correction: dict[str, Any]
) -> None:
    await till.take(paid(1, 10, value=b"{"), paid(2, 20))
    item = await letter_of(olga)
    answer = await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json=correction)
    assert code(answer) == (422, "still-unreadable")
    assert await letter_of(olga) == item
    assert await till.entries(ANNA) == []


@pytest.mark.parametrize(
    "headers",
    [{"ce_subject": f"account/{BERT}"}, {"ce_sequence": "2"}, {"ce_subject": f"account/{BERT}", "ce_id": "x"}],
)
async def test_a_correction_never_makes_another_event_of_it(
    olga: httpx.AsyncClient, till: Till, headers: dict[str, str]
) -> None:
    """Its own number would stay open, and the letter, settled, would show nobody what all that comes later waits for."""
    await till.take(paid(1, 10, value=b"{"), paid(3, 20))
    item = await letter_of(olga)
    correction = {"value": '{"amount": 10}', "headers": headers}
    assert code(await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json=correction)) == (
        422,
        "another-event",
    )
    assert await letter_of(olga) == item
    assert await till.parked(ANNA) == [3]


async def test_nor_one_of_another_source(olga: httpx.AsyncClient, till: Till) -> None:
    await till.take(paid(1, 10, value=b"{"))
    item = await letter_of(olga)
    headers = {"ce_source": "post", "ce_type": "wegenetz.post.weighed.v1"}
    answer = await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json={"headers": headers})
    assert (answer.status_code, (await letter_of(olga))["state"]) == (422, "open")


async def test_one_of_which_only_the_beginning_is_kept_is_sent_again_with_a_value_that_is_given(
    olga: httpx.AsyncClient, till: Till
) -> None:
    await till.take(paid(1, 10, value=b"x" * (LARGEST_VALUE + 1)), paid(2, 20))
    item = await letter_of(olga)
    assert item["whole_length"] == LARGEST_VALUE + 1
    path = f"/runtime/dead-letters/{item['id']}/replay"
    assert code(await olga.post(path, json={})) == (422, "value-not-kept")
    assert (await olga.post(path, json={"value": '{"amount": 10}'})).status_code == 200
    assert await till.entries(ANNA) == ["+10", "+20"]


async def test_one_of_which_no_headers_could_be_kept_can_be_discarded_all_the_same(
    olga: httpx.AsyncClient, till: Till
) -> None:
    await till.take(record(COUNTY, ANNA, 1, Paid(amount=-1), headers={"note": b"x" * 2**21}), paid(2, 20))
    item = await letter_of(olga)
    await olga.post(f"/runtime/dead-letters/{item['id']}/discard", json={"reason": "not needed"})
    assert await till.entries(ANNA) == ["+20"]


async def test_a_discarded_letter_lets_the_others_pass_and_remembers_who_and_why(
    olga: httpx.AsyncClient, till: Till
) -> None:
    await till.take(paid(1, 10, value=b"{"), paid(2, 20))
    item = await letter_of(olga)
    answer = await olga.post(f"/runtime/dead-letters/{item['id']}/discard", json={"reason": "sent twice by mistake"})
    assert answer.json() == {"id": item["id"], "result": "skipped"}
    assert await till.entries(ANNA) == ["+20"]
    (settled,) = await till.letters("discarded")
    (entry,) = settled["audit"]
    assert (entry["by"], entry["reason"], entry["state"]) == ("olga", "sent twice by mistake", "discarded")
    assert datetime.fromisoformat(entry["at"]) <= datetime.now(UTC)


async def test_to_discard_takes_a_reason(olga: httpx.AsyncClient, till: Till) -> None:
    await till.take(paid(1, 10, value=b"{"))
    item = await letter_of(olga)
    for body in ({}, {"reason": ""}):
        assert (await olga.post(f"/runtime/dead-letters/{item['id']}/discard", json=body)).status_code == 422
    assert (await letter_of(olga))["state"] == "open"


async def test_an_unreadable_record_can_be_discarded(olga: httpx.AsyncClient, bank: Open) -> None:
    nowhere = Till(bank.running.store(NOWHERE))
    garbage = RawRecord("shop.events.v1", 0, 0, None, b"\x00", (("ce_id", b"\xff"),))
    served_elsewhere = paid(1, 1, county="99999")
    await nowhere.take(garbage)
    await nowhere.settler.settle(nowhere.store, [reader().of_no_county(reader().read(served_elsewhere))])
    for item in (await olga.get("/runtime/dead-letters")).json()["items"]:
        answer = await olga.post(f"/runtime/dead-letters/{item['id']}/discard", json={"reason": "not ours"})
        assert answer.json()["result"] == "skipped"
    assert await nowhere.letters() == []
    assert len(await nowhere.letters("discarded")) == 2


async def test_a_letter_that_is_settled_cannot_be_settled_again(olga: httpx.AsyncClient, till: Till) -> None:
    await till.take(paid(1, 10, value=b"{"))
    item = await letter_of(olga)
    await olga.post(f"/runtime/dead-letters/{item['id']}/discard", json={"reason": "not needed"})
    again = await olga.post(f"/runtime/dead-letters/{item['id']}/replay", json={"value": '{"amount": 1}'})
    assert code(again) == (409, "dead-letter-settled")
    assert await till.entries(ANNA) == []


async def test_of_two_operators_at_once_one_comes_too_late_and_is_told(bank: Open, till: Till) -> None:
    """Both have seen the open letter when they act."""
    await till.take(paid(1, 10, value=b"{"))
    both_in = asyncio.Barrier(2)

    class Meeting:
        """Lets two in together, after each has looked."""

        def __init__(self, inner: Settler) -> None:
            self._inner = inner
            self.reader = inner.reader

        async def settle(self, *work: Any) -> Any:
            await both_in.wait()
            return await self._inner.settle(*work)

    bank.running.settler = Meeting(bank.running.settler)  # pyright: ignore[reportAttributeAccessIssue]
    async with bank.client("operator", name="olga") as olga, bank.client("operator", name="otto") as otto:
        item = await letter_of(olga)
        path = f"/runtime/dead-letters/{item['id']}"
        replayed, discarded = await asyncio.gather(
            olga.post(f"{path}/replay", json={"value": '{"amount": 1}'}),
            otto.post(f"{path}/discard", json={"reason": "not needed"}),
        )
    assert sorted([replayed.status_code, discarded.status_code]) == [200, 409]
    settled = [*await till.letters("replayed"), *await till.letters("discarded")]
    assert [entry["by"] for entry in settled[0]["audit"]] == ["olga" if replayed.status_code == 200 else "otto"]
    assert await till.entries(ANNA) == (["+1"] if replayed.status_code == 200 else [])
    assert len(settled) == 1


async def test_a_letter_that_does_not_exist_is_not_found(olga: httpx.AsyncClient) -> None:
    assert code(await olga.get("/runtime/dead-letters/nothing")) == (404, "not-found")


# --- time -------------------------------------------------------------------------------------------------------------------


async def test_the_virtual_clock_is_moved_and_stored(olga: httpx.AsyncClient, bank: Open) -> None:
    later = START + timedelta(days=3, minutes=5)
    answer = await olga.put("/runtime/clock", json={"now": later.isoformat()})
    assert datetime.fromisoformat(answer.json()["now"]) == later
    assert bank.running.clock.now() == later
    assert await bank.running.database.meta("clock") == {"_id": "clock", "now": later}


async def test_the_virtual_clock_does_not_go_back(olga: httpx.AsyncClient, bank: Open) -> None:
    earlier = (START - timedelta(seconds=1)).isoformat()
    assert code(await olga.put("/runtime/clock", json={"now": earlier})) == (409, "clock-backwards")
    assert bank.running.clock.now() == START
    assert await bank.running.database.meta("clock") is None


async def test_an_instant_without_a_zone_moves_no_clock(olga: httpx.AsyncClient) -> None:
    assert (await olga.put("/runtime/clock", json={"now": "2016-05-01T00:00:00"})).status_code == 422


async def test_real_time_cannot_be_moved(engines: Engines, tmp_path: Path) -> None:
    async with opened(bank_service(tmp_path), engines, tmp_path, clock="real") as bank, bank.client("operator") as olga:
        answer = await olga.put("/runtime/clock", json={"now": "2030-01-01T00:00:00Z"})
    assert code(answer) == (409, "clock-not-virtual")


# --- standing ---------------------------------------------------------------------------------------------------------------


async def test_the_status_says_what_waits_and_what_lies_dead(olga: httpx.AsyncClient, bank: Open, till: Till) -> None:
    await till.take(paid(1, 1, BERT), paid(1, 10, value=b"{"), paid(2, 20), paid(3, 30))
    await Till(bank.running.store(NOWHERE)).take(RawRecord("shop.events.v1", 0, 0, None, b"", ()))
    status = (await olga.get("/runtime/status")).json()
    assert (status["service"], status["parked"], status["dead_letters"]) == ("bank", 2, 2)
    assert status["outbox_documents"] == 1
    assert datetime.fromisoformat(status["now"]) == START


async def test_the_numbers_of_all_events_are_added_up_by_who_told_them(
    olga: httpx.AsyncClient, bank: Open, till: Till
) -> None:
    """What waits or lies dead is not heard, what nobody subscribes to is; another county's numbers are its own."""
    await till.take(paid(1, 10), record(COUNTY, ANNA, 2, Greeted()), paid(1, 5, BERT), paid(3, 5, BERT))
    await till.take(paid(2, 7, BERT, value=b"{"), record(COUNTY, BERT, 1, Weighed(grams=3)))
    await till.take(Command(COUNTY, "", Pay(account=ANNA, amount=1)))
    await Till(bank.running.store(ELSEWHERE)).take(paid(1, 1, an_id("carl"), ELSEWHERE))
    numbers = (await olga.get("/runtime/numbers")).json()
    assert numbers["told"]["account"] == len(await till.told(ANNA)) + len(await till.told(BERT)) > 0
    assert {source: by_kind["account"] for source, by_kind in numbers["heard"].items()} == {"post": 1, "shop": 3}


async def test_rest_tells_what_is_still_to_be_sent_and_to_be_decided(
    olga: httpx.AsyncClient, bank: Open, till: Till
) -> None:
    assert (await olga.get("/runtime/rest")).json() == {
        "now": "2016-03-01T08:00:00Z",
        "done_to": None,
        "unpublished": 0,
        "unfinished_commands": 0,
        "published": {},
        "settled": {},
    }
    await till.take(Command(COUNTY, "", Pay(account=ANNA, amount=1)))
    waiting = asyncio.create_task(bank.running.desk.send(Command(COUNTY, "", Pay(account=ANNA, amount=1))))
    await asyncio.sleep(0)
    rest = (await olga.get("/runtime/rest")).json()
    assert (rest["unpublished"], rest["unfinished_commands"]) == (1, 1)
    await bank.running.turns.turn()
    assert (await olga.get("/runtime/rest")).json()["done_to"] == "2016-03-01T08:00:00Z"
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_history_is_sent_again_when_an_operator_says_so(olga: httpx.AsyncClient, bank: Open) -> None:
    assert (await olga.post("/runtime/refill")).status_code == 202
    wanted = await bank.running.database.meta("refill")
    assert wanted is not None
    assert wanted["wanted"]
