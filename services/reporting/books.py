"""Reading the counts, and keeping them small, right and of the declared edition.

What may be relied on:

- Each method works on one instant of the county's database, or on one after the other. `counts` and `audit` see no change half done.
- `fold` moves entries of the ledger into the sheets of their generation, so that there are never many. It changes no figure.
- `rebuild` counts all facts anew (`rebuilding`). Nobody has to wait, it is harmless at any time, and what it finds changed was wrong.
- Each fold, and each step of a rebuild, turns a page of the county's book: of two at the same time one gets a `Conflict` and has changed
  nothing.

`audit` looks at all facts at one instant, and a database ends a transaction after a minute (MongoDB: `transactionLifetimeLimitSeconds`);
docs/architecture/reporting.md says how many people that is, and what to do beyond.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from services.reporting.auditing import Audit, Tally, audited
from services.reporting.rebuilding import begin, step
from services.reporting.store import Book, Heading, Rebuilt, one_instant, together
from services.reporting.sums import Sums
from services.reporting.tables import EDITION
from services.runtime.errors import Conflict, Refused, Transient
from services.runtime.store import Database

FOLD_FROM: Final = 128
"""Entries from which on they are folded: a reader adds up at most about this many beside the sheets."""

FOLD_MOST: Final = 512
"""Entries folded in one transaction."""

PAGE: Final = 1000
"""Facts that one step of a rebuild counts."""

STEPS_BETWEEN_FOLDS: Final = FOLD_FROM // 2
"""Each step of a rebuild leaves two entries."""

TRIES: Final = 50
"""How often in a row a step of a rebuild is begun again because somebody else was faster."""

AT_A_TIME: Final = 15.0
"""Seconds (machine time) of a rebuild in one round, so that a service which has its counts made anew is not taken for one that hangs."""


class CountyBooks:
    """The counts of one county. Methods raise `Transient`."""

    def __init__(self, database: Database, county: str) -> None:
        self._database = database
        self._county = county

    async def counts(self, table: str, first: str, last: str) -> Sums:
        """The cells of a table for the months from `first` to `last`. `Refused` while another edition of the tables is counted."""
        return await self._counted({"table": table}, first, last)

    async def all_counts(self, first: str, last: str) -> Sums:
        """The cells of all tables for the months from `first` to `last`, as they were at one instant. `Refused` as above."""
        return await self._counted({}, first, last)

    async def _counted(self, query: Mapping[str, str], first: str, last: str) -> Sums:
        async with one_instant(self._database, self._county) as instant:
            headings = await instant.headings()
            if not _of_this_edition(await instant.book(), headings):
                raise Refused("counts-outdated", 409)
            counts = together(await instant.sheets({**query, "period": {"$gte": first, "$lte": last}})).counted
            for cell, figure in (await instant.entries(headings)).counted:
                if cell.table == query.get("table", cell.table) and first <= cell.period <= last:
                    counts.add(cell, figure)
            return counts

    async def first_month(self) -> str | None:
        """The first month in which anything was counted; None while nothing is."""
        async with one_instant(self._database, self._county) as instant:
            months = await instant.months()
            entries = await instant.entries(await instant.headings())
        return min((*months, *(cell.period for cell, _ in entries.counted)), default=None)

    async def audit(self) -> Audit:
        """The books, all of them as they were at one instant: a difference is one, even while people are being counted."""
        async with one_instant(self._database, self._county) as instant:
            counts = together(await instant.sheets({}), await instant.entries(await instant.headings()))
            tally = Tally()
            async for facts in instant.facts():
                tally.add(facts)
            return audited(counts.counted, counts.kept, tally)

    async def rebuild(self) -> Rebuilt:
        """Count all facts anew. Memory holds the cells, whose number follows from the tables, and one page of facts."""
        for _ in range(TRIES):
            with suppress(Conflict):
                await self._begin()
                break
        rebuilt = await self._go_on()
        if rebuilt is None:
            raise Transient("database")
        return rebuilt

    async def fold(self) -> int:
        """Move entries into their sheets, at most `FOLD_MOST`, where it is worth while; gives how many. Raises `Conflict`."""
        async with one_instant(self._database, self._county) as instant:
            book = await instant.book()
            headings = [heading for heading in await instant.headings(FOLD_MOST) if heading.edition == EDITION]
            if not _worth_a_fold(headings) or _written_in(book) != EDITION:
                return 0
            for generation, own in _by_generation(headings):
                counts = await instant.entries(own)
                cells = counts.cells()
                counts.merge(together(await instant.sheets_of(generation, cells)))
                await instant.replace_sheets(generation, counts, cells)
            await instant.remove(headings)
            await instant.turn_page(book)
            return len(headings)

    async def keep_up(self) -> None:
        """To be called from time to time: goes on with a rebuild, folds, and counts anew when the tables that are counted are older than
        those declared now.

        Newer ones are left alone: the newer program that counts them is already at work.
        """
        async with one_instant(self._database, self._county) as instant:
            book, headings = await instant.book(), await instant.headings()
        editions = {book.edition, _written_in(book), *(heading.edition for heading in headings)}
        if max(editions) > EDITION:
            return
        try:
            if book.under_way is not None and book.under_way.edition == EDITION:
                await self._go_on(time.monotonic() + AT_A_TIME)
            elif min(editions) < EDITION:
                await self._begin()
                await self._go_on(time.monotonic() + AT_A_TIME)
            elif _worth_a_fold(headings):
                while await self.fold() == FOLD_MOST:
                    pass
        except Conflict:
            return  # another instance is at it; there is a next time

    async def _begin(self) -> None:
        async with one_instant(self._database, self._county) as instant:
            await begin(instant)

    async def _go_on(self, until: float = math.inf) -> Rebuilt | None:
        """With the rebuild that is under way, until a machine time. None when it is over before everything is counted."""
        most, lost, steps = PAGE, 0, 0
        while time.monotonic() < until and lost < TRIES:
            try:
                async with one_instant(self._database, self._county) as instant:
                    rebuilt = await step(instant, most)
            except Conflict:
                most, lost = max(1, most // 2), lost + 1
                continue
            if rebuilt is not None:
                return rebuilt
            most, lost, steps = min(PAGE, 2 * most), 0, steps + 1
            if steps % STEPS_BETWEEN_FOLDS == 0:
                with suppress(Conflict):
                    await self.fold()
        return None


def _worth_a_fold(headings: Sequence[Heading]) -> bool:
    """There are many, or one of them keeps what an erased person left: that is not to lie about as an entry of its own."""
    return len(headings) >= FOLD_FROM or any(heading.keeps for heading in headings)


def _by_generation(headings: Iterable[Heading]) -> Iterable[tuple[int, list[Heading]]]:
    of: defaultdict[int, list[Heading]] = defaultdict(list)
    for heading in headings:
        of[heading.generation].append(heading)
    return of.items()


def _written_in(book: Book) -> int:
    """The edition in which entries are folded: of a rebuild that is under way, since with its end everything else goes."""
    return book.under_way.edition if book.under_way is not None else book.edition


def _of_this_edition(book: Book, headings: Sequence[Heading]) -> bool:
    return {book.edition, _written_in(book), *(heading.edition for heading in headings)} == {EDITION}
