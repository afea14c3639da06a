"""What a decision asks the store to write beside the states."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Locate:
    """From now on this id (of a need, or of a referral with its offer) leads to its case."""

    id: str
    case: str
    offer: str | None = None


@dataclass(frozen=True, slots=True)
class Unlocate:
    """These ids lead nowhere any more."""

    ids: tuple[str, ...]
