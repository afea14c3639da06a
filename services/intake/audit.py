"""The record of who read what about whom, as one hash chain for each county and day.

Each link is the SHA-256 of the link before it and of its own record, so a record that is changed, removed or put in between breaks the
chain. The number and link of the last record lie apart from the records (`AuditDay`), so a chain that was cut short shows too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

FIRST: Final = ""
"""The link before the first record."""


class Link(NamedTuple):
    """A stored record with its number in the chain (from 1) and its link."""

    number: int
    record: Mapping[str, object]
    link: str


def next_link(before: str, record: Mapping[str, object]) -> str:
    """The link of a record that follows `before`. Record values are JSON."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


class Check:
    """Goes along a chain, in pages if need be; memory stays flat."""

    def __init__(self) -> None:
        self.records = 0
        self.head = FIRST
        self.is_whole = True

    def follow(self, links: Iterable[Link]) -> None:
        """The next records, ordered by number."""
        for link in links:
            self.records += 1
            self.head = next_link(self.head, link.record)
            if link.number != self.records or link.link != self.head:
                self.is_whole = False

    def ends_at(self, records: int, head: str) -> bool:
        """Whether the chain is whole and ends where it is said to end."""
        return self.is_whole and self.records == records and self.head == head
