"""The counter of the toy bank: what a test hands in there, and what it sees afterwards, whatever store is behind it."""

from __future__ import annotations

import json
from typing import Any

from schemas.envelope import TypeName
from services.runtime.clock import HandClock
from services.runtime.reading import Resolution
from services.runtime.records import RawRecord
from services.runtime.settle import Outcome, Result, Settler, Work
from tests.runtime.toy import START, Account, Bank, reader, settler


class Till:
    """`store` is a `CountyStore` or the double in memory."""

    def __init__(self, store: Any, bank: Bank | None = None) -> None:
        self.store = store
        self.county: str = store.county
        self.clock = HandClock(START)
        self.settler: Settler
        self.open(bank)

    def open(self, bank: Bank | None = None) -> None:
        """A new process on the same store, with these rules: after a crash, or after somebody has repaired the rules."""
        self.settler = settler(bank, clock=self.clock)

    # --- handing in -------------------------------------------------------------------------------------------------

    async def take(self, *work: RawRecord | Work) -> list[Result]:
        return [outcome.result for outcome in await self.settle(*work)]

    async def settle(self, *work: RawRecord | Work) -> list[Outcome]:
        """All of it as one batch."""
        items = [reader().read(item) if isinstance(item, RawRecord) else item for item in work]
        return await self.settler.settle(self.store, items)

    async def replay(self, letter: str, record: RawRecord, by: str = "operator") -> Outcome:
        """An operator sends a dead letter again, corrected or as it was."""
        (outcome,) = await self.settler.settle(
            self.store, [reader().read(record, self._resolution(letter, "replayed", by))]
        )
        return outcome

    async def discard(self, letter: str, record: RawRecord, by: str = "operator") -> Outcome:
        """An operator gives a dead letter up: it is settled without payload and failure."""
        resolution = self._resolution(letter, "discarded", by)
        fetched = reader().read(record, resolution)
        given_up = type(fetched)(fetched.raw, fetched.envelope, resolution=resolution)
        (outcome,) = await self.settler.settle(self.store, [given_up])
        return outcome

    def _resolution(self, letter: str, state: str, by: str) -> Resolution:
        return Resolution(self.county, letter, state, {"state": state, "by": by})

    # --- looking ----------------------------------------------------------------------------------------------------

    async def account(self, id: str) -> Account:
        stored = await self.store.state(Account, id)
        return stored.state if stored is not None else Account(id=id)

    async def entries(self, id: str) -> list[str]:
        return [*(await self.account(id)).entries]

    async def applied(self, id: str, source: str = "shop") -> int:
        stored = await self.store.state(Account, id)
        return stored.applied.get(source, 0) if stored is not None else 0

    async def told(self, id: str) -> list[tuple[int, str, dict[str, Any]]]:
        """What the bank tells about an account: number, name and content (without what is empty) of each event."""
        return [
            (event.envelope.sequence, TypeName.parse(event.envelope.type).name, _content(event.value))
            for event in await self.store.history(Account, id, 0)
        ]

    async def parked(self, id: str) -> list[int]:
        """Numbers that wait, as the state knows them; the parked records are the same ones."""
        stored = await self.store.state(Account, id)
        numbers = sorted(number for numbers in stored.parked.values() for number in numbers) if stored else []
        found = await self.store.find("parked", {"subject": f"account/{id}"})
        assert sorted(document["sequence"] for document in found) == numbers
        return numbers

    async def letters(self, state: str = "open") -> list[dict[str, Any]]:
        return sorted(await self.store.find("dead_letters", {"state": state}), key=lambda letter: letter["at"])

    async def reasons(self) -> list[str]:
        """Of the open dead letters."""
        return [letter["reason"] for letter in await self.letters()]


def _content(value: bytes) -> dict[str, Any]:
    return {name: content for name, content in json.loads(value).items() if content != ""}
