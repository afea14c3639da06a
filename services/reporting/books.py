"""Reading the counts, and keeping them small, right and of the declared edition.

What may be relied on:

- Each method works on one instant of the county's database. `counts` and `audit` see no change half done.
- `fold` moves entries of the ledger into their sheets, so that there are never many. It changes no figure.
- `rebuild` counts all facts anew as they were at one instant, and in the same transaction replaces the sheets and removes the entries
  that were there at that instant. A batch that commits meanwhile changed facts that this instant does not have, and left an entry that is
  not removed: so nothing is lost, nothing is counted twice, and nobody has to wait. It is harmless at any time; what it finds changed was
  wrong.
- Fold and rebuild both turn a page of the county's book: of two at the same time one gets a `Conflict` and has changed nothing.

A database ends a transaction after a minute (MongoDB: `transactionLifetimeLimitSeconds`), which bounds how many facts one rebuild can
read; docs/architecture/reporting.md says how many, and what to do beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from services.reporting.auditing import Audit, Tally, audited
from services.reporting.counting import contributions
from services.reporting.store import Book, Counts, Heading, one_instant
from services.reporting.sums import Cell, Sums
from services.reporting.tables import DECLARED, EDITION
from services.runtime.errors import Conflict, Refused, Transient
from services.runtime.store import Database

FOLD_FROM: Final = 128
"""Entries from which on they are folded: a reader adds up at most about this many beside the sheets."""

FOLD_MOST: Final = 512
"""Entries folded in one transaction."""

TRIES: Final = 10
"""How often a rebuild is begun again because a fold or another rebuild was faster."""


class Rebuilt(BaseModel):
    """`facts` were counted, `cells` follow from them, and in `changed` of these something else had stood."""

    facts: int
    cells: int
    changed: int


class CountyBooks:
    """The counts of one county. Methods raise `Transient`."""

    def __init__(self, database: Database, county: str) -> None:
        self._database = database
        self._county = county

    async def counts(self, table: str, first: str, last: str) -> Sums:
        """The cells of a table for the months from `first` to `last`. `Refused` while another edition of the tables is counted."""
        async with one_instant(self._database, self._county) as instant:
            headings = await instant.headings()
            if not _of_this_edition(await instant.book(), headings):
                raise Refused("counts-outdated", 409)
            counts = await instant.sheets({"table": table, "period": {"$gte": first, "$lte": last}})
            for cell, figure in (await instant.entries(headings)).counted:
                if cell.table == table and first <= cell.period <= last:
                    counts.counted.add(cell, figure)
            return counts.counted

    async def audit(self) -> Audit:
        """The books, all of them as they were at one instant: a difference is one, even while people are being counted."""
        async with one_instant(self._database, self._county) as instant:
            counts = await instant.sheets({})
            counts.merge(await instant.entries(await instant.headings()))
            tally = Tally()
            async for facts in instant.facts():
                tally.add(facts)
            return audited(counts.counted, counts.kept, tally)

    async def rebuild(self) -> Rebuilt:
        """Count all facts anew. Memory holds the cells, whose number follows from the tables, and one page of facts."""
        for _ in range(TRIES):
            try:
                return await self._rebuild()
            except Conflict:
                continue
        raise Transient("database")

    async def _rebuild(self) -> Rebuilt:
        async with one_instant(self._database, self._county) as instant:
            book, headings = await instant.book(), await instant.headings()
            before = await instant.sheets({})
            cells = before.counted.cells() | before.kept.cells()
            before.merge(await instant.entries(headings))
            after, number = Counts(kept=before.kept), 0
            async for facts in instant.facts():
                after.counted.count(contributions(facts))
                number += 1
            for cell, figure in before.kept:
                if _is_declared(cell):
                    after.counted.add(cell, figure)
            cells |= after.counted.cells() | after.kept.cells()
            await instant.replace_sheets(after, cells)
            await instant.remove(headings)
            await instant.turn_page(book)
            changed = after.counted.differing(before.counted)
            return Rebuilt(facts=number, cells=len(after.counted), changed=len(changed))

    async def fold(self) -> int:
        """Move entries into their sheets, at most `FOLD_MOST`, where it is worth while; gives how many. Raises `Conflict`."""
        async with one_instant(self._database, self._county) as instant:
            book, headings = await instant.book(), await instant.headings(FOLD_MOST)
            if not _worth_a_fold(headings) or not _of_this_edition(book, headings):
                return 0
            counts = await instant.entries(headings)
            cells = counts.counted.cells() | counts.kept.cells()
            counts.merge(await instant.sheets_of(cells))
            await instant.replace_sheets(counts, cells)
            await instant.remove(headings)
            await instant.turn_page(book)
            return len(headings)

    async def keep_up(self) -> None:
        """To be called from time to time: folds, and counts anew when the tables that are counted are older than those declared now.

        Newer ones are left alone: the newer program that counts them is already at work.
        """
        async with one_instant(self._database, self._county) as instant:
            book, headings = await instant.book(), await instant.headings()
        editions = {book.edition, *(heading.edition for heading in headings)}
        try:
            if min(editions) < EDITION and max(editions) <= EDITION:
                await self._rebuild()
            elif _worth_a_fold(headings):
                while await self.fold() == FOLD_MOST:
                    pass
        except Conflict:
            return  # another instance is at it; there is a next time


def _worth_a_fold(headings: Sequence[Heading]) -> bool:
    """There are many, or one of them keeps what an erased person left: that is not to lie about as an entry of its own."""
    return len(headings) >= FOLD_FROM or any(heading.keeps for heading in headings)


def _of_this_edition(book: Book, headings: Sequence[Heading]) -> bool:
    return book.edition == EDITION and all(heading.edition == EDITION for heading in headings)


def _is_declared(cell: Cell) -> bool:
    """What was kept for a table that is no longer declared stays where it is, and counts nowhere."""
    table = DECLARED.tables.get(cell.table)
    return table is not None and len(table.dimensions) == len(cell.values)
