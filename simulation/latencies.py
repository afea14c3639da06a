"""How long the machines took from a person's arrival to the first offer, read from the spans of the embedded profile.

In a stepped year, and in life, most of that time is waiting for people: for the day of the talk, for the counsellor's word, for the
next round. None of it says how fast the system is, so it is left out. What is measured is the chain of causes that led from the arrival
to the first proposed referral, span by span:

- a message that came from another service counts from the end of what caused it to the end of its own handling: sending, lying in the
  broker, waiting for its batch, and the batch's transaction;
- whatever a person, a deadline or a round set off counts for its own handling alone, from the decision to the end of its transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

OFFICE: Final = "intake"
"""The service at which every way begins."""
FIRST_OFFER: Final = "referral-proposed"
LONGEST_CHAIN: Final = 1000


class Link(NamedTuple):
    """A span as a link of the chain. Instants in ns since 1970."""

    service: str
    name: str
    subject: str
    parent: str | None
    start_ns: int
    end_ns: int


def first_offer_ms(traces: Path) -> list[float]:
    """Milliseconds for each person who was made an offer, ascending. Who arrived before the oldest kept span is left out."""
    links = {id: link for path in sorted(traces.glob("*.jsonl*")) for id, link in _links(path)}
    first: dict[str, Link] = {}
    for link in links.values():
        if link.name == FIRST_OFFER:
            known = first.get(link.subject)
            if known is None or link.start_ns < known.start_ns:
                first[link.subject] = link
    measured = (_machine_ns(link, links) for link in first.values())
    return sorted(ns / 1e6 for ns in measured if ns is not None)


def percentile(ascending: list[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed; None of nothing."""
    if not ascending:
        return None
    return ascending[max(0, ceil(share * len(ascending)) - 1)]


def _machine_ns(heard: Link, links: dict[str, Link]) -> int | None:
    """Up the chain from what made the first offer to the arrival at the intake; None if the chain breaks off before."""
    total = 0
    link = links.get(heard.parent or "")
    for _ in range(LONGEST_CHAIN):
        if link is None:
            return None
        cause = links.get(link.parent or "")
        if cause is None:
            return total + link.end_ns - link.start_ns if link.service == OFFICE else None
        crossed = cause.service != link.service
        total += max(0, link.end_ns - (cause.end_ns if crossed else link.start_ns))
        link = cause
    return None


def _links(path: Path) -> Iterator[tuple[str, Link]]:
    """Spans of what was done; those of requests only surround them. A line that a killed process left half written is left out."""
    try:
        with path.open("rb") as file:
            for line in file:
                if b'"route":' in line:
                    continue
                try:
                    span: dict[str, Any] = from_json(line)
                    place = (span["service"], span["name"], span.get("subject", ""), span["parent"])
                    yield span["span_id"], Link(*place, span["start_ns"], span["end_ns"])
                except (ValueError, KeyError):
                    continue
    except FileNotFoundError:  # the oldest file was dropped meanwhile
        return
