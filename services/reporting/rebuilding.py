"""Counting everything anew, page by page, while people go on being counted. No step is long, however many people there are.

Each of the facts knows its *generation*: the rebuild that counted it last. Its rows stand in sheets and entries of the same generation,
and what is counted is all generations together. What may be relied on:

- A step takes the rows of a page of facts off the generations in which they stood, adds them to the new one, and marks the facts with it,
  all in one transaction. So no figure changes while a rebuild is under way.
- What happens to somebody meanwhile is counted in the generation with which they are marked. Step and batch write the same document, so
  one of them sees what the other did, or gets a `Conflict` and begins again.
- The last step finds no facts beside the new generation any more. Whatever still stands in older ones belongs to nobody: what erased people
  left in closed months, which is kept, and what was wrong, which goes. (An entry that commits later for somebody new stays: the step has
  seen neither it nor them.)
- A rebuild that was cut off is gone on with by whoever looks next; two who do it at once share the pages, since each step turns the page of
  the county's book.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, cast

from services.reporting.counting import contributions
from services.reporting.model import Countable
from services.reporting.store import COUNTABLES, Book, Counts, Instant, Rebuilt, UnderWay, together
from services.reporting.sums import Cell, Sums
from services.reporting.tables import DECLARED, EDITION
from services.runtime.errors import Refused
from services.runtime.records import Stored

_KINDS: Final = tuple(model.KIND for model in COUNTABLES)
_MODELS: Final = {model.KIND: model for model in COUNTABLES}


async def begin(instant: Instant) -> None:
    """A new generation; one that is under way is not finished any more, since this one counts all facts. `Refused` as for `step`."""
    book = await instant.book()
    if max(book.edition, book.under_way.edition if book.under_way else 0) > EDITION:
        raise Refused("counts-outdated", 409)
    start = UnderWay(edition=EDITION, kind=_KINDS[0])
    await instant.turn_page(book, generation=book.generation + 1, under_way=start)


async def step(instant: Instant, most: int) -> Rebuilt | None:
    """Count at most so many facts anew; what came of it all, once nothing is left to be done. `Refused` where a newer program is at it."""
    book = await instant.book()
    if book.under_way is None:
        return book.rebuilt
    if book.under_way.edition != EDITION:
        raise Refused("counts-outdated", 409)
    if book.under_way.kind is None:
        return await _what_was_new(instant, book, book.under_way, most)
    await _page(instant, book, book.under_way, book.under_way.kind, most)
    return None


async def _page(instant: Instant, book: Book, work: UnderWay, kind: str, most: int) -> None:
    page = await instant.facts_after(_MODELS[kind], work.after, most)
    facts = [stored for stored in page if _state(stored).generation != book.generation]
    await _recount(instant, facts, book.generation)
    if len(page) < most:
        following = _KINDS[_KINDS.index(kind) + 1 :]
        done = {"kind": following[0] if following else None, "after": ""}
    else:
        done = {"after": page[-1].state.id}
    await instant.turn_page(book, under_way=work.model_copy(update={**done, "facts": work.facts + len(facts)}))


async def _what_was_new(instant: Instant, book: Book, work: UnderWay, most: int) -> Rebuilt | None:
    """The facts that were new behind a page; and when these are all, what is left of older generations."""
    facts = await instant.facts_beside(book.generation, most)
    await _recount(instant, facts, book.generation)
    number = work.facts + len(facts)
    if len(facts) == most:
        await instant.turn_page(book, under_way=work.model_copy(update={"facts": number}))
        return None
    rebuilt = await _clear(instant, book.generation, number)
    await instant.turn_page(book, edition=EDITION, under_way=None, rebuilt=rebuilt)
    return rebuilt


async def _recount(instant: Instant, facts: Sequence[Stored], generation: int) -> None:
    """The rows of these facts stand in this generation from now on."""
    of: defaultdict[int, Counts] = defaultdict(Counts)
    for stored in facts:
        state = _state(stored)
        rows = contributions(state)
        of[state.generation].counted.count(rows, -1)
        of[generation].counted.count(rows)
    for each, counts in of.items():
        await instant.enter(each, counts)
    await instant.mark(facts, generation)


async def _clear(instant: Instant, generation: int, facts: int) -> Rebuilt:
    """Nothing is counted in older generations any more: what was kept moves on, and what was wrong is gone."""
    sheets, headings = await instant.sheets({}), await instant.headings()
    old_sheets = [sheet for sheet in sheets if sheet.generation != generation]
    old_headings = [heading for heading in headings if heading.generation != generation]
    left = together(old_sheets, await instant.entries(old_headings))
    kept = Counts(counted=_declared(left.kept), kept=left.kept)
    wrong = left.counted
    wrong.merge(kept.counted, -1)
    own_headings = [one for one in headings if one.generation == generation and one.edition == EDITION]
    more = await instant.entries(own_headings)
    more.merge(kept)
    new = together((sheet for sheet in sheets if sheet.generation == generation), more)
    await instant.drop(old_sheets)
    await instant.replace_sheets(generation, new, more.cells())
    await instant.remove([*old_headings, *own_headings])
    return Rebuilt(facts=facts, cells=len(new.counted), changed=len(wrong))


def _declared(kept: Sums) -> Sums:
    """What was kept for a table that is no longer declared stays where it is, and counts nowhere."""
    declared = Sums()
    for cell, figure in kept:
        if _is_declared(cell):
            declared.add(cell, figure)
    return declared


def _is_declared(cell: Cell) -> bool:
    table = DECLARED.tables.get(cell.table)
    return table is not None and len(table.dimensions) == len(cell.values)


def _state(stored: Stored) -> Countable:
    return cast("Countable", stored.state)
