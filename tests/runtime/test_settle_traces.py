"""Whose trace a message joins: its sender's, its subject's, or that of the request that it alone came with; and one span for each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest

from services.runtime.clock import HandClock
from services.runtime.deciding import Command
from services.runtime.desk import CommandFailed, Desk
from services.runtime.errors import Refused
from services.runtime.logs import Log, current_traceparent
from services.runtime.settle import Result, Settler
from services.runtime.spans import Span
from services.runtime.telemetry import Telemetry
from tests.runtime.faults import interrupted
from tests.runtime.memory_store import MemoryStore
from tests.runtime.test_telemetry import Kept
from tests.runtime.toy import ANNA, BERT, START, Account, Bank, Paid, Pay, Watched, reader, record

COUNTY = "10000"
SENDER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REQUEST = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ANOTHER_REQUEST = "00-11111111111111111111111111111111-2222222222222222-01"


class Traced:
    """The bank, with its doors and its spans."""

    def __init__(self) -> None:
        self._kept = Kept()
        self._telemetry = Telemetry([self._kept])
        self.store: Any = MemoryStore(COUNTY)
        self.settler = Settler(Bank().logic(), reader(), HandClock(START), self._telemetry, Watched())
        database: Any = self
        self.desk = Desk(self.settler, database)

    def county(self, county: str) -> MemoryStore:
        return self.store

    def spans(self) -> list[Span]:
        self._telemetry.stop()
        return self._kept.spans

    async def trace(self, account: str) -> str | None:
        """Where the way of an account was last seen."""
        stored = await self.store.state(Account, account)
        return stored.trace if stored is not None else None


@pytest.fixture
async def bank() -> AsyncIterator[Traced]:
    bank, stop = Traced(), asyncio.Event()
    running = asyncio.create_task(bank.desk.run(stop))
    yield bank
    stop.set()
    await running


@contextmanager
def request(traceparent: str) -> Iterator[None]:
    token = current_traceparent.set(traceparent)
    try:
        yield
    finally:
        current_traceparent.reset(token)


def pay(account: str, amount: int) -> Command:
    return Command(COUNTY, "", Pay(account=account, amount=amount), "clerk")


async def test_what_is_decided_again_after_a_conflict_leaves_one_span_for_each_message(bank: Traced) -> None:
    work = [reader().read(record(COUNTY, id, 1, Paid(amount=1), traceparent=SENDER)) for id in (ANNA, BERT)]
    await bank.settler.settle(interrupted(bank.store, ["conflict", "conflict"]), work)
    assert [(span.name, span.attributes["outcome"]) for span in bank.spans()] == [("paid", "applied")] * 2


async def test_a_command_about_something_new_joins_the_trace_of_its_request(bank: Traced) -> None:
    with request(REQUEST):
        await bank.desk.send(pay(ANNA, 10))
    (span,) = bank.spans()
    assert (span.trace_id, span.parent_id) == (REQUEST[3:35], REQUEST[36:52])
    assert await bank.trace(ANNA) == span.traceparent
    (told,) = await bank.store.history(Account, ANNA, 0)
    assert told.envelope.traceparent == span.traceparent


async def test_what_is_done_to_something_known_stays_on_its_way_and_links_the_request(bank: Traced) -> None:
    await bank.settler.settle(bank.store, [reader().read(record(COUNTY, ANNA, 1, Paid(amount=1), traceparent=SENDER))])
    with request(REQUEST):
        await bank.desk.send(pay(ANNA, 10))
    first, second = bank.spans()
    assert (second.trace_id, second.parent_id) == (SENDER[3:35], first.span_id)
    assert [*second.links] == [REQUEST]


async def test_also_what_is_decided_a_second_time_links_its_request_and_not_the_way_itself(bank: Traced) -> None:
    """A refusal is only believed when the account was looked up, and not on what this process wrote last."""
    with request(REQUEST):
        await bank.desk.send(pay(ANNA, 10))
    with request(ANOTHER_REQUEST), pytest.raises(Refused):
        await bank.desk.send(pay(ANNA, -11))
    first, refused = bank.spans()
    assert refused.attributes["outcome"] == "refused"
    assert (refused.trace_id, refused.parent_id) == (first.trace_id, first.span_id)
    assert [*refused.links] == [ANOTHER_REQUEST]


async def test_what_fails_is_logged_under_the_trace_that_brought_it(
    bank: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, lines = Log(), StringIO()
    log._stream = lines
    monkeypatch.setattr("services.runtime.settle.log", log)
    bank.settler.logic = Bank(fails_on=frozenset({13})).logic()
    wrong = [reader().read(record(COUNTY, ANNA, 1, Paid(amount=-1), traceparent=SENDER))]
    await bank.settler.settle(bank.store, wrong)
    with request(REQUEST), pytest.raises(CommandFailed):
        await bank.desk.send(pay(BERT, 13))
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["code"], line["trace_id"]) for line in told] == [
        ("record.dead", SENDER[3:35]),
        ("settle.failed", REQUEST[3:35]),
    ]


async def test_so_is_what_had_waited_for_another_and_turns_out_to_be_wrong(
    bank: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, lines = Log(), StringIO()
    log._stream = lines
    monkeypatch.setattr("services.runtime.settle.log", log)
    second, first = (
        record(COUNTY, ANNA, 2, Paid(amount=-1), traceparent=SENDER),
        record(COUNTY, ANNA, 1, Paid(amount=1)),
    )
    for each in (second, first):
        await bank.settler.settle(bank.store, [reader().read(each)])
    (line,) = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (line["code"], line["trace_id"]) == ("record.dead", SENDER[3:35])


async def test_what_comes_together_goes_each_its_own_way_and_only_links_what_brought_it(bank: Traced) -> None:
    """One file names many people, and some of its rows must not be joined with anybody's."""
    with request(REQUEST):
        outcomes = await bank.desk.send_all([pay(ANNA, 1), pay(BERT, 1)])
    assert [outcome.result for outcome in outcomes] == [Result.APPLIED] * 2
    spans = bank.spans()
    assert len({span.trace_id for span in spans} | {REQUEST[3:35]}) == 3
    assert [[*span.links] for span in spans] == [[REQUEST]] * 2
