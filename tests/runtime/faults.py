"""Crashes and absences, put where a test wants them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from services.runtime.errors import Conflict, Transient
from services.runtime.store import Unit

Fault = Literal["before", "after", "conflict"] | None


def interrupted(store: Any, faults: Iterable[Fault]) -> Any:
    """The store, with commits that are interrupted: ``before`` or ``after`` they take effect (the caller cannot tell which), by a
    ``conflict``, or (None) not at all. After the last fault every commit works."""
    return _Interrupted(store, faults)


def unreadable(store: Any, error: Exception, nth: int) -> Any:
    """The store, of which the `nth` load fails (counted from 1)."""
    return _Unreadable(store, error, nth)


class _Interrupted:
    def __init__(self, store: Any, faults: Iterable[Fault]) -> None:
        self._store = store
        self._faults = iter(faults)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, unit: Unit) -> int:
        fault = next(self._faults, None)
        if fault == "before":
            raise Transient("database")
        if fault == "conflict":
            raise Conflict("accounts")
        documents: int = await self._store.commit(unit)
        if fault == "after":
            raise Transient("database")
        return documents


class _Unreadable:
    def __init__(self, store: Any, error: Exception, nth: int) -> None:
        self._store = store
        self._error = error
        self._nth = nth
        self._loads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def load(self, *wanted: Any) -> Any:
        self._loads += 1
        if self._loads == self._nth:
            raise self._error
        return await self._store.load(*wanted)
