"""A gap in a sequence is filled from the owner's history: the bank asks the shop over HTTP for what was lost on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from services.runtime import gaps as gaps_module
from services.runtime.deciding import Command
from services.runtime.gaps import LETTERS_EVERY, GapFiller
from services.runtime.logs import Log
from services.runtime.operating import SERVICE
from services.runtime.records import NOWHERE, RawRecord
from services.runtime.settle import Result
from tests.runtime.open_services import COUNTY, Open, bank_service, opened, shop_service
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, SHOP_TOPIC, Erase, Paid, Sell, Weighed, an_id, record

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Open, Open]]:
    folder = tmp_path_factory.mktemp("services")
    async with (
        opened(bank_service(folder), engines, folder) as bank,
        opened(shop_service(folder), engines, folder) as shop,
    ):
        yield bank, shop


@pytest_asyncio.fixture(loop_scope="module")
async def bank(services: tuple[Open, Open]) -> AsyncIterator[Open]:
    yield services[0]
    await services[0].emptied()


@pytest_asyncio.fixture(loop_scope="module")
async def shop(services: tuple[Open, Open]) -> AsyncIterator[Open]:
    yield services[1]
    await services[1].emptied()


@pytest.fixture
def till(bank: Open) -> Till:
    return Till(bank.running.store(COUNTY))


def filler_of(bank: Open, client: httpx.AsyncClient, **peers: str) -> GapFiller:
    return GapFiller(
        bank.running.database,
        bank.running.settler,
        [COUNTY],
        peers=peers,
        token=lambda county: bank.issuer.token("service:bank", SERVICE, county),
        client=client,
    )


async def look(bank: Open, shop: Open, *, letters: bool = True) -> int:
    """The filler looks once, at everything that is parked."""
    return await filler_of(bank, shop.client(), shop="http://shop").look(COUNTY, now(), letters=letters)


def now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


async def sold(shop: Open, *amounts: int, account: str = ANNA) -> list[RawRecord]:
    """The shop sells, and tells; these are its events, and nobody has carried them anywhere yet."""
    running = shop.running
    commands = [Command(COUNTY, "", Sell(account=account, amount=amount)) for amount in amounts]
    outcomes = await running.settler.settle(running.store(COUNTY), commands)
    assert {outcome.result for outcome in outcomes} == {Result.APPLIED}
    return await history(shop, account)


async def history(shop: Open, account: str = ANNA) -> list[RawRecord]:
    (model,) = shop.running.service.logic.states
    events = await shop.running.store(COUNTY).history(model, account, 0)
    return [
        RawRecord(SHOP_TOPIC, 0, number, None, event.value, tuple(event.envelope.to_headers()))
        for number, event in enumerate(events)
    ]


async def test_what_was_lost_on_the_way_is_fetched_and_everything_applied_in_order(
    bank: Open, shop: Open, till: Till
) -> None:
    first, _, _, fourth, fifth = await sold(shop, 1, 2, 3, 4, 5)
    await till.take(first, fourth, fifth)
    assert await till.parked(ANNA) == [4, 5]
    assert await look(bank, shop) == 4
    assert await till.entries(ANNA) == ["+1", "+2", "+3", "+4", "+5"]
    assert await till.parked(ANNA) == []
    assert shop.asked == ["/runtime/history"]


async def test_an_account_that_was_never_heard_of_before_is_fetched_from_its_beginning(
    bank: Open, shop: Open, till: Till
) -> None:
    _, second = await sold(shop, 1, 2)
    await till.take(second)
    await look(bank, shop)
    assert await till.entries(ANNA) == ["+1", "+2"]


async def test_what_comes_after_all_while_it_is_fetched_counts_once(bank: Open, shop: Open, till: Till) -> None:
    first, second, third = await sold(shop, 1, 2, 3)
    await till.take(third)
    await look(bank, shop)
    await till.take(first, second, third)
    assert await till.entries(ANNA) == ["+1", "+2", "+3"]


async def test_what_waits_only_for_a_moment_is_left_alone(bank: Open, shop: Open, till: Till) -> None:
    _, second = await sold(shop, 1, 2)
    await till.take(second)
    filler = filler_of(bank, shop.client(), shop="http://shop")
    assert await filler.look(COUNTY, datetime.now(UTC) - timedelta(seconds=60), letters=True) == 0
    assert shop.asked == []


async def test_in_place_of_a_record_that_nobody_could_read_a_readable_one_is_fetched(
    bank: Open, shop: Open, till: Till
) -> None:
    first, second = await sold(shop, 1, 2)
    unreadable = RawRecord(first.topic, 0, 0, None, first.value, (("ce_subject", None),))
    await Till(bank.running.store(NOWHERE)).take(unreadable)
    await till.take(second)
    await look(bank, shop)
    assert await till.entries(ANNA) == ["+1", "+2"]


async def test_of_the_forgotten_comes_nothing_but_the_numbers(bank: Open, shop: Open, till: Till) -> None:
    await sold(shop, 47114711471, 47114711472)
    erase = Command(COUNTY, "", Erase(account=ANNA))
    await shop.running.settler.settle(shop.running.store(COUNTY), [erase])
    *_, erased = await history(shop)
    await till.take(erased)
    assert await look(bank, shop) == 3
    assert (await till.account(ANNA)).closed
    assert await till.applied(ANNA) == 3
    assert "4711471147" not in str(await till.store.find("parked", {})) + str(await till.store.find("accounts", {}))


async def test_a_fetched_event_that_can_never_be_applied_becomes_a_dead_letter_and_is_not_fetched_again(
    bank: Open, shop: Open, till: Till
) -> None:
    _, second = await sold(shop, -1, 2)
    await till.take(second)
    await look(bank, shop)
    assert await till.reasons() == ["negative-amount"]
    assert await look(bank, shop, letters=False) == 0
    assert len(shop.asked) == 1


# --- behind dead letters ----------------------------------------------------------------------------------------------------


def broken(raw: RawRecord) -> RawRecord:
    """The same event, spoiled on its way."""
    return RawRecord(raw.topic, 0, 0, None, b"47114711471 of anna", raw.headers)


async def erased_at(shop: Open, account: str = ANNA) -> RawRecord:
    """The shop forgets its customer; this is the event that tells so."""
    erase = Command(COUNTY, "", Erase(account=account))
    await shop.running.settler.settle(shop.running.store(COUNTY), [erase])
    return (await history(shop, account))[-1]


async def test_what_lies_here_as_a_dead_letter_is_repaired_by_an_operator_and_not_fetched(
    bank: Open, shop: Open, till: Till
) -> None:
    first, second = await sold(shop, 1, 2)
    await till.take(broken(first), second)
    assert await look(bank, shop, letters=False) == 0
    assert shop.asked == []
    assert await look(bank, shop) == 0
    assert shop.asked == ["/runtime/history"]
    assert await till.parked(ANNA) == [2]
    assert await till.reasons() == ["invalid-payload"]


async def test_an_erasure_behind_a_dead_letter_takes_effect_without_any_operator(
    bank: Open, shop: Open, till: Till
) -> None:
    first, second, third, fourth = await sold(shop, 1, 2, 3, 4)
    await till.take(first, broken(second), third, fourth, await erased_at(shop))
    assert await till.parked(ANNA) == [3, 4, 5]
    await look(bank, shop)
    assert (await till.account(ANNA)).closed
    assert await till.applied(ANNA) == 5
    assert await till.parked(ANNA) == []
    (letter,) = await till.letters("erased")
    assert [entry["by"] for entry in letter["audit"]] == ["shop"]
    assert "47114711471" not in str(await till.store.find("dead_letters", {}))


async def test_so_it_does_when_what_waits_between_them_can_never_be_applied_either(
    bank: Open, shop: Open, till: Till
) -> None:
    first, second, third = await sold(shop, 1, -2, 3)
    await till.take(broken(first), second, broken(third), await erased_at(shop))
    await look(bank, shop)
    assert (await till.account(ANNA)).closed
    assert await till.applied(ANNA) == 4
    assert await till.letters() == []
    assert "47114711471" not in str(await till.store.find("dead_letters", {}))


async def test_if_it_is_cut_off_after_the_letter_was_emptied_the_next_look_goes_on(
    bank: Open, shop: Open, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await sold(shop, 1, 2)
    await till.take(broken(first), second, await erased_at(shop))
    with monkeypatch.context() as cut:
        cut.setattr(bank.running.settler, "settle", _killed)
        with pytest.raises(Killed):
            await look(bank, shop)
    assert await till.letters() == []
    await look(bank, shop)
    assert (await till.account(ANNA)).closed


async def test_a_letter_that_an_operator_settles_meanwhile_is_left_to_them(bank: Open, till: Till) -> None:
    first, second = record(COUNTY, ANNA, 1, Paid(amount=1)), record(COUNTY, ANNA, 2, Paid(amount=2))
    await till.take(broken(first), second)
    (letter,) = await till.letters()

    async def answering(request: httpx.Request) -> httpx.Response:
        await till.discard(letter["_id"], broken(first))
        blank = [{"headers": [[name, (text or b"").decode()] for name, text in first.blank.headers], "value": "e30="}]
        return httpx.Response(200, json={"events": blank})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answering)) as client:
        assert await filler_of(bank, client, shop="http://shop").look(COUNTY, now(), letters=True) == 0
    assert await till.entries(ANNA) == ["+2"]
    assert [entry["by"] for entry in (await till.letters("discarded"))[0]["audit"]] == ["operator"]


async def test_behind_dead_letters_it_looks_less_often(bank: Open, shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    filler, stop, looks = filler_of(bank, shop.client()), asyncio.Event(), list[bool]()

    async def look(county: str, parked_before: datetime, *, letters: bool) -> int:
        looks.append(letters)
        if len(looks) == 2 * LETTERS_EVERY:
            stop.set()
        return 0

    monkeypatch.setattr(gaps_module, "PATIENCE_SECONDS", 0.001)
    monkeypatch.setattr(filler, "look", look)
    await filler.run(stop)
    assert looks == [True, *[False] * (LETTERS_EVERY - 1)] * 2


class Killed(Exception):
    """The process ends here."""


async def _killed(*work: object) -> None:
    raise Killed


# --- owners -----------------------------------------------------------------------------------------------------------------


async def test_the_owner_tells_it_only_to_services_and_only_of_their_county(shop: Open) -> None:
    await sold(shop, 1)
    wanted = {"subject": f"account/{ANNA}", "after": 0}
    for role, county, events in (("service", COUNTY, 1), ("service", "20000", 0)):
        async with shop.client(role, county) as client:
            answer = await client.get("/runtime/history", params=wanted)
        assert (answer.status_code, len(answer.json()["events"])) == (200, events)
    async with shop.client("operator") as client:
        assert (await client.get("/runtime/history", params=wanted)).status_code == 403
    async with shop.client() as client:
        assert (await client.get("/runtime/history", params=wanted)).status_code == 401


async def _no_answer(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")


ANSWERS: dict[str, Any] = {
    "does not answer": _no_answer,
    "is in trouble": lambda request: httpx.Response(503),
    "answers something else": lambda request: httpx.Response(200, text="<html>"),
    "answers with broken bytes": lambda request: httpx.Response(
        200, json={"events": [{"headers": [["ce_id", "1"]], "value": "no base64"}]}
    ),
    "knows nothing": lambda request: httpx.Response(200, json={"events": []}),
}


@pytest.mark.parametrize("trouble", ANSWERS)
async def test_an_owner_that_does_not_help_holds_up_no_other_gap(bank: Open, till: Till, trouble: str) -> None:
    raw = record(COUNTY, ANNA, 1, Weighed(grams=1))
    helpful = {
        "events": [
            {"headers": [[name, (value or b"").decode()] for name, value in raw.headers], "value": "eyJncmFtcyI6IDF9"}
        ]
    }

    def answer(request: httpx.Request) -> Any:
        return httpx.Response(200, json=helpful) if request.url.host == "post" else ANSWERS[trouble](request)

    async def answering(request: httpx.Request) -> httpx.Response:
        answered = answer(request)
        return answered if isinstance(answered, httpx.Response) else await answered

    await till.take(record(COUNTY, ANNA, 2, Paid(amount=2)), record(COUNTY, ANNA, 2, Weighed(grams=2)))
    async with httpx.AsyncClient(transport=httpx.MockTransport(answering)) as client:
        await filler_of(bank, client, shop="http://shop", post="http://post").look(COUNTY, now(), letters=True)
    assert await till.entries(ANNA) == ["1 g", "2 g"]
    assert await till.applied(ANNA, "shop") == 0


async def test_an_owner_whose_address_nobody_knows_is_not_asked(bank: Open, shop: Open, till: Till) -> None:
    _, second = await sold(shop, 1, 2)
    await till.take(second)
    assert await filler_of(bank, shop.client()).look(COUNTY, now(), letters=True) == 0
    assert await till.parked(ANNA) == [2]


async def test_what_did_not_come_is_told_once_for_each_owner_with_what_was_missing(
    bank: Open, shop: Open, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, lines = Log(), StringIO()
    log._stream = lines
    monkeypatch.setattr(gaps_module, "log", log)
    await till.take(*(record(COUNTY, an_id(name), 2, Paid(amount=1)) for name in ("one", "two")))
    await till.take(record(COUNTY, ANNA, 2, Weighed(grams=2)))

    await look(bank, shop)
    helpless = filler_of(bank, shop.client(), shop="http://shop", post="http://post")
    helpless._token = lambda county: None
    await helpless.look(COUNTY, now(), letters=True)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert sorted((line["code"], line["peer"], line["reason"], line["subjects"]) for line in told) == [
        ("history.none", "post", "no-address", 1),
        ("history.none", "post", "no-token", 1),
        ("history.none", "shop", "no-token", 2),
        ("history.none", "shop", "not-there", 2),
    ]


async def test_gaps_that_cannot_be_filled_do_not_keep_the_filler_from_the_others(
    bank: Open, shop: Open, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps_module, "AT_ONCE", 2)
    stuck = [record(COUNTY, an_id(f"stuck {number}"), 2, Paid(amount=1)) for number in range(7)]
    _, second = await sold(shop, 1, 2, account=BERT)
    await till.take(*stuck, second)
    assert await look(bank, shop) == 2
    assert await till.entries(BERT) == ["+1", "+2"]
