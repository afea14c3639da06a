"""Lists in pages. A cursor is the sort key of the last entry that was given, so a page costs the same wherever it lies.

A cursor is opaque to the caller. It is checked, not signed: it holds plain values of the declared types only, and every query carries the
county of the actor anyway, so a made-up one reaches nothing that an honest one could not. It travels in URLs; sort keys are
therefore ids, numbers and instants, never personal data.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar, cast

from fastapi import Depends, Query
from pydantic import BaseModel

from schemas.envelope import format_instant
from services.runtime.problems import Problem

Key = tuple[str | int | datetime, ...]
Kind = type[str | int | datetime]

LONGEST_CURSOR: Final = 1024
LARGEST_INTEGER: Final = 2**63 - 1

Item = TypeVar("Item", bound=BaseModel)
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """A part of a list. `next` is the cursor of the following part, or null at the end."""

    items: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What to read: entries whose sort key lies after `after` (None: from the beginning), `fetch` of them."""

    limit: int
    after: Key | None

    @property
    def fetch(self) -> int:
        """One more than is shown, which tells whether there are more."""
        return self.limit + 1

    def page(self, rows: Sequence[Row], to_item: Callable[[Row], Item], key: Callable[[Row], Key]) -> Page[Item]:
        """The page of up to `fetch` rows that were read."""
        shown = rows[: self.limit]
        following = encode(key(shown[-1])) if len(rows) > self.limit else None
        return Page(items=[to_item(row) for row in shown], next=following)


def paging(*types: Kind, default: int = 50, largest: int = 200) -> Any:
    """For a parameter ``page: Annotated[PageRequest, paging(datetime, str)]``: `types` are those of the sort key, in order."""

    async def page_request(
        limit: int = Query(default, ge=1, le=largest, description="Entries in one answer, at most."),
        cursor: str | None = Query(None, description="`next` of the answer before."),
    ) -> PageRequest:
        return PageRequest(limit, None if cursor is None else decode(cursor, types))

    return Depends(page_request)


def encode(key: Key) -> str:
    """The cursor of a sort key. Instants are kept to the millisecond, as the database does."""
    values = [format_instant(value) if isinstance(value, datetime) else value for value in key]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, types: Sequence[Kind]) -> Key:
    """The sort key of a cursor. Raises `Problem` 400 for everything that `encode` would not have made of these types."""
    try:
        key = _read(cursor, types)
        genuine = encode(key) == cursor
    except (ValueError, TypeError, OverflowError, RecursionError):
        genuine = False
        key = ()
    if not genuine:
        raise Problem("cursor-invalid", 400)
    return key


def _read(cursor: str, types: Sequence[Kind]) -> Key:
    if len(cursor) > LONGEST_CURSOR:
        raise ValueError("longer than any cursor of ours")
    values: object = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    if not isinstance(values, list):
        raise TypeError("not a sort key")
    return tuple(_typed(value, kind) for value, kind in zip(cast("list[object]", values), types, strict=True))


def _typed(value: object, kind: Kind) -> str | int | datetime:
    if kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INTEGER:
        return value
    if kind is str and isinstance(value, str):
        return value
    raise TypeError("not of the declared type")
