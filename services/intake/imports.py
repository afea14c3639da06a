"""A whole file: spooled, taken apart, and settled in slices while its progress can be read.

Good rows go in, each bad one is listed, a row that was taken before changes nothing, and one that could not be taken stops no other; so a
file may be sent again whatever happened the first time. Memory does not grow with the file: it holds one slice and one
page of bad values.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from schemas.codes import Way
from services.intake.alike import noticed
from services.intake.columns import COLUMNS, POSITION, Entries
from services.intake.commands import CountArrival, FileRow, Outcome, RegisterArrival
from services.intake.csv_rows import BadFile, CsvRows
from services.intake.model import Teller
from services.intake.progress import BadValue, Import, ImportState, ProblemPages
from services.intake.registering import Source, to_command
from services.intake.row_keys import RowKeys
from services.intake.rows import RowReader, Wrong
from services.intake.sealing import CountyKeys
from services.intake.sites import rules_of
from services.intake.spool import Spool, UnreadableEncoding
from services.intake.store import keep_import
from services.intake.values import Flaw
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Command
from services.runtime.running import Running
from services.runtime.store import CountyStore
from services.runtime.tokens import Actor

SLICE: Final = 500
"""Rows that are settled together."""


async def import_file(
    running: Running, keys: CountyKeys, actor: Actor, office: str, teller: Teller, body: AsyncIterator[bytes]
) -> Import:
    """Take a file in. Raises `BadFile` when it is refused as a whole: then nothing of it was taken."""
    with Spool() as spool:
        async for part in body:
            spool.write(part)
        try:
            rows = CsvRows(spool.text())
        except UnreadableEncoding:
            raise BadFile("unreadable-encoding") from None
        now = running.clock.now()
        source = Source(Way.OFFICE_FILE, office, teller, berlin_day(now))
        progress = Import(
            id=running.ids.root("import", spool.digest().hex(), now.isoformat()),
            office=office,
            began=now,
            seen_alive=datetime.now(UTC),
        )
        known_for = timedelta(days=rules_of(actor.county).row_digest_days)
        identities = RowKeys(running.store(actor.county), keys, known_for)
        await _Import(running, keys, actor, source, rows, spool.digest().hex(), progress, identities).run()
        return progress


@dataclass
class _Import:
    running: Running
    keys: CountyKeys
    actor: Actor
    source: Source
    rows: CsvRows
    content: str
    progress: Import
    identities: RowKeys
    pages: ProblemPages = field(default_factory=ProblemPages)
    reader: RowReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = RowReader(self.actor.county, self.source.today, self.rows.headings.order)

    async def run(self) -> None:
        store = self.running.store(self.actor.county)
        rows = iter(self.rows)
        await keep_import(store, self.progress)
        part = list(islice(rows, SLICE))
        while self.progress.state is ImportState.RUNNING:
            bad = await self._take(store, part) if part else []
            part = list(islice(rows, SLICE))
            self.progress.problems += len(bad)
            self.progress.seen_alive = datetime.now(UTC)
            if not part:
                self.progress.state = ImportState.FINISHED
            await keep_import(store, self.progress, self.pages.add(bad))

    async def _take(self, store: CountyStore, part: Sequence[tuple[int, list[str] | None]]) -> list[BadValue]:
        """Settle a slice; what is wrong with its rows, in their order. One on which a rule fails hinders no other: it was not taken."""
        self.progress.rows += len(part)
        bad: list[BadValue] = []
        good: list[tuple[int, Entries]] = []
        for line, cells in part:
            read = self.reader.read(cells) if cells is not None else None
            if isinstance(read, Entries):
                good.append((line, read))
            else:
                bad += self._wrong(line, read)
        identities = await self.identities.identify([entries for _, entries in good])
        arrivals = [self._arrival(*placed, row) for placed, row in zip(good, identities, strict=True)]
        outcomes = await self.running.send_all(
            [Command(self.actor.county, "", arrival, self.actor.subject) for arrival in await noticed(store, arrivals)]
        )
        for (line, _), outcome in zip(good, outcomes, strict=True):
            if outcome.answer is None:
                bad.append(BadValue(line=line, column=None, kind=None, flaw=Flaw.NOT_TAKEN))
            else:
                self._count(Outcome(json.loads(outcome.answer)["outcome"]))
        self.progress.refused += len({one.line for one in bad})
        return sorted(bad, key=lambda one: one.line)

    def _wrong(self, line: int, read: list[Wrong] | None) -> Iterator[BadValue]:
        """What is wrong with a row; None is one whose cells do not match the headings."""
        if read is None:
            yield BadValue(line=line, column=None, kind=None, flaw=Flaw.WRONG_CELL_COUNT)
            return
        for wrong in read:
            heading = self.rows.headings.heading(wrong.column)
            yield BadValue(line=line, column=heading, kind=COLUMNS[POSITION[wrong.column]].kind, flaw=wrong.flaw)

    def _arrival(self, line: int, entries: Entries, row: FileRow) -> RegisterArrival | CountArrival:
        # In a simulation the id follows from file and line; otherwise it is random.
        id = self.running.ids.root("arrival", self.content, str(line))
        return to_command(entries, self.source, self.keys, id=id, row=row)

    def _count(self, outcome: Outcome) -> None:
        match outcome:
            case Outcome.REGISTERED:
                self.progress.registered += 1
            case Outcome.COUNTED:
                self.progress.without_consent += 1
            case Outcome.REPEATED:
                self.progress.repeated += 1
