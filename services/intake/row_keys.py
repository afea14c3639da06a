"""How a row is known when it comes again, and how nothing can be told from that once its time is over.

A row's identity is the HMAC of its normalised values under a random key of the county and of the month in which the person arrived. The
row says that month itself, so the same row meets the same key in whatever file it comes, corrected ones included. What is kept of a row
ends 30 days after it was taken, its key 30 days (and a margin) after the last row of that month. From then on neither a copy of the digest
nor the master key says whose it was. Both end by the machine's time, since business time may be a simulated year.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from services.intake.columns import Entries
from services.intake.commands import FileRow
from services.intake.sealing import CountyKeys
from services.intake.store import row_keys
from services.runtime.calendar import whole_milliseconds
from services.runtime.store import CountyStore

MARGIN: Final = timedelta(days=1)
"""By so much a key outlives the rows of an import that has it: more than any import takes."""


@dataclass
class RowKeys:
    """The keys of one import, loaded as months come up in its rows."""

    store: CountyStore
    keys: CountyKeys
    kept: timedelta
    _known: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    async def identify(self, rows: Sequence[Entries]) -> list[FileRow]:
        """The identities of some rows, in their order, and until when each is kept."""
        destroy_at = whole_milliseconds(datetime.now(UTC)) + self.kept
        months = {_month(row) for row in rows} - self._known.keys()
        if months:
            fresh = {month: self.keys.new_row_key(month) for month in months}
            for month, wrapped in (await row_keys(self.store, fresh, destroy_at + MARGIN)).items():
                self._known[month] = self.keys.row_key(month, wrapped)
        return [FileRow(digest=digest(self._known[_month(row)], row), destroy_at=destroy_at) for row in rows]


def digest(key: bytes, row: Entries) -> str:
    """The identity of a row, in the form of an id."""
    text = hmac.digest(key, row.text().encode(), "sha256").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def _month(row: Entries) -> str:
    return row.arrival_date[:7]
