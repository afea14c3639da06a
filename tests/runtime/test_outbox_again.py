"""The whole history is sent again: to a broker that has lost its log, or because an operator asks for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.runtime.deciding import Command
from services.runtime.outbox import WINDOW
from services.runtime.records import Outgoing
from services.runtime.store import Database
from tests.runtime.relays import COUNTY, Log, once, pay, relay_of
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, Close, an_id


@pytest.fixture
def bank(database: Database) -> Till:
    return Till(database.county(COUNTY))


async def filled(bank: Till, documents: int = 3) -> None:
    for number in range(documents):
        await bank.take(pay(ANNA), pay(an_id(f"somebody {number}")), pay(BERT))


async def test_a_history_that_is_wanted_again_is_sent_in_order_before_anything_new(
    database: Database, bank: Till
) -> None:
    await filled(bank)
    await once(relay_of(database, Log()))
    log = Log()
    relay = relay_of(database, log)
    await relay.send_again()
    await bank.take(pay(ANNA))
    await once(relay)
    assert log.of(ANNA)[:4] == [1, 2, 3, 4]
    assert set(log.of(ANNA)) == {1, 2, 3, 4}
    await once(relay)
    assert log.of(BERT) == [1, 2, 3]


async def test_a_history_larger_than_a_window_is_sent_whole(database: Database, bank: Till) -> None:
    for _ in range(WINDOW + 5):
        await bank.take(pay(ANNA))
    await once(relay_of(database, Log()))
    log = Log()
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    assert log.of(ANNA) == list(range(1, WINDOW + 6))


async def test_a_refill_that_was_interrupted_is_finished_by_the_next_relay(database: Database, bank: Till) -> None:
    await filled(bank)
    await once(relay_of(database, Log()))
    log = Log()
    log.down = {1}
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    assert (log.of(ANNA), log.of(BERT)) == ([1, 2, 3], [])
    fresh = Log()
    await once(relay_of(database, fresh))
    assert (fresh.of(ANNA), fresh.of(BERT)) == ([1, 2, 3], [1, 2, 3])
    again = Log()
    await once(relay_of(database, again))
    assert again.events == []


async def test_a_log_that_is_filled_anew_gets_also_what_the_old_one_had_acknowledged(
    database: Database, bank: Till
) -> None:
    """Half of a document had been acknowledged when the broker lost its log."""
    log = Log()
    log.down = {1}
    relay = relay_of(database, log)
    await bank.take(pay(ANNA), pay(BERT))
    await once(relay)
    assert (log.of(ANNA), log.of(BERT)) == ([1], [])
    log.events, log.down = [], set()
    await relay.send_again()
    await once(relay)
    assert (set(log.of(ANNA)), set(log.of(BERT))) == ({1}, {1})


async def test_a_request_that_comes_during_a_refill_is_not_lost(database: Database, bank: Till) -> None:
    await filled(bank)

    class Asking(Log):
        """While it takes the first event, somebody asks for everything again."""

        async def publish(self, events: Sequence[Outgoing], broken: set[int]) -> list[bool]:
            if not self.events:
                await relay.send_again()
            return await super().publish(events, broken)

    log = Asking()
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    await once(relay)
    assert log.of(ANNA) == [1, 2, 3, 1, 2, 3]


async def test_what_was_forgotten_is_sent_again_without_its_content(database: Database, bank: Till) -> None:
    await bank.take(pay(ANNA, 47114711471))
    await once(relay_of(database, Log()))
    await bank.take(Command(COUNTY, "", Close(account=ANNA)))
    log = Log()
    relay = relay_of(database, log)
    await relay.send_again()
    await once(relay)
    assert sorted({(event.envelope.sequence, event.envelope.type.split(".")[2]) for event in log.events}) == [
        (1, "blank"),
        (2, "closed"),
    ]
    assert "47114711471" not in str(log.events)
