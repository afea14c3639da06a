"""The collections, the entry that each transaction leaves in the ledger, and instants at which everything can be read together.

A *sheet* is one table's month; an *entry* is what one transaction changed in the cells. What is counted is always sheets and entries
together (`services.reporting.books`). Entries are only ever inserted here: no two writers touch the same document, so counting causes no
conflicts and costs one insert a transaction, however many cells it changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne, ReplaceOne
from pymongo.results import BulkWriteResult

from services.reporting.decide import Kept, Recounted
from services.reporting.model import Count, Countable, Facts, Offer
from services.reporting.sums import Cell, Sum, Sums
from services.reporting.tables import EDITION
from services.runtime.deciding import Write
from services.runtime.errors import Conflict
from services.runtime.records import Stored
from services.runtime.store import Collection, Database, collection_of, state_collection

PAGE: Final = 500
_CHUNK: Final = 100

Document = dict[str, Any]
Line = list[Any]
"""A cell in a document: its values, its n, its keys; in an entry with table and month before them."""

COUNTABLES: Final[tuple[type[Countable], ...]] = (Facts, Count, Offer)

COLLECTIONS: Final = (
    *(state_collection(model) for model in COUNTABLES),
    Collection("ledger", (IndexModel([("county", ASCENDING)], name="county"),)),
    Collection(
        "sheets", (IndexModel([("county", ASCENDING), ("table", ASCENDING), ("period", ASCENDING)], name="month"),)
    ),
    Collection("books"),
)


def writes(county: str, effects: Sequence[object]) -> Iterable[Write]:
    """The entry of one transaction: what all its changes together add to and take off each cell."""
    counted, kept = Sums(), Sums()
    for effect in effects:
        if isinstance(effect, Recounted):
            counted.count(effect.added)
            counted.count(effect.retracted, -1)
        elif isinstance(effect, Kept):
            kept.count(effect.rows)
        else:
            raise TypeError(f"{type(effect).__name__} is not an effect of reporting")
    if counted or kept:
        entry = {
            "county": county,
            "edition": EDITION,
            "counted": [[*cell, *figure] for cell, figure in counted],
            "kept": [[*cell, *figure] for cell, figure in kept],
        }
        yield Write("ledger", InsertOne(entry))


@dataclass(slots=True)
class Counts:
    """Cells, and those of them that rest on nothing but what erased people left in closed months."""

    counted: Sums = field(default_factory=Sums)
    kept: Sums = field(default_factory=Sums)

    def merge(self, other: Counts) -> None:
        self.counted.merge(other.counted)
        self.kept.merge(other.kept)


@dataclass(frozen=True, slots=True)
class Book:
    """A county's book: which edition of the tables its sheets hold. `page` goes up with each fold and rebuild; 0 is before the first."""

    edition: int
    page: int


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry without its lines."""

    id: Any
    edition: int
    keeps: bool


@asynccontextmanager
async def one_instant(database: Database, county: str) -> AsyncGenerator[Instant]:
    """A transaction of one county. Raises `Conflict` when somebody else changed what it changes, and `Transient`."""
    async with database.transaction() as session:
        yield Instant(database, county, session)


class Instant:
    """All that it reads is as it was at one instant; what it writes is written together, or not at all."""

    def __init__(self, database: Database, county: str, session: Any) -> None:
        self._raw = database.raw
        self._county = county
        self._session = session

    # --- reading --------------------------------------------------------------------------------------------------------

    async def facts(self) -> AsyncIterator[Countable]:
        """Everything that may be counted, one after the other; a page of it is in memory."""
        for model in COUNTABLES:
            async for page in self._pages(collection_of(model.KIND), {}):
                for document in page:
                    yield cast("Countable", Stored.from_document(model, document).state)

    async def book(self) -> Book:
        async for page in self._pages("books", {"_id": self._county}):
            return Book(page[0]["edition"], page[0]["page"])
        return Book(EDITION, 0)

    async def headings(self, most: int = 0) -> list[Heading]:
        """The entries of the ledger without their lines, at most so many."""
        fields = {"edition": 1, "kept": {"$slice": 1}, "counted": {"$slice": 0}}
        cursor = self._raw["ledger"].find({"county": self._county}, fields, session=self._session).limit(most)
        return [
            Heading(document["_id"], document["edition"], bool(document["kept"]))
            for document in await cursor.to_list(None)
        ]

    async def entries(self, headings: Sequence[Heading]) -> Counts:
        """What these entries add up to."""
        counts = Counts()
        async for page in self._by_ids("ledger", [heading.id for heading in headings]):
            for entry in page:
                for sums, lines in ((counts.counted, entry["counted"]), (counts.kept, entry["kept"])):
                    for table, period, values, n, keys in lines:
                        sums.add(Cell(table, period, tuple(values)), Sum(n, keys))
        return counts

    async def sheets(self, query: Mapping[str, Any]) -> Counts:
        counts = Counts()
        async for page in self._pages("sheets", query):
            for sheet in page:
                _add(counts, sheet)
        return counts

    async def sheets_of(self, cells: Iterable[Cell]) -> Counts:
        """The whole sheets on which these cells stand."""
        counts = Counts()
        async for page in self._by_ids("sheets", sorted({_sheet_id(self._county, cell) for cell in cells})):
            for sheet in page:
                _add(counts, sheet)
        return counts

    async def _pages(self, collection: str, query: Mapping[str, Any]) -> AsyncIterator[list[Document]]:
        cursor = self._raw[collection].find({**query, "county": self._county}, batch_size=PAGE, session=self._session)
        while page := await cursor.to_list(PAGE):
            yield page

    async def _by_ids(self, collection: str, ids: Sequence[Any]) -> AsyncIterator[list[Document]]:
        # In chunks, because the embedded database compares every document with the whole list.
        for start in range(0, len(ids), _CHUNK):
            async for page in self._pages(collection, {"_id": {"$in": ids[start : start + _CHUNK]}}):
                yield page

    # --- writing --------------------------------------------------------------------------------------------------------

    async def replace_sheets(self, new: Counts, cells: Iterable[Cell]) -> None:
        """Write the sheets on which these cells stand as they follow from `new`, which must have all cells of these sheets."""
        sheets = {_sheet_id(self._county, cell): (cell.table, cell.period) for cell in cells}
        lines: dict[str, dict[str, list[Line]]] = defaultdict(lambda: {"counted": [], "kept": []})
        for name, sums in (("counted", new.counted), ("kept", new.kept)):
            for cell, figure in sums:
                id = _sheet_id(self._county, cell)
                if id in sheets:
                    lines[id][name].append([cell.values, *figure])
        operations: list[Any] = []
        for id, (table, period) in sheets.items():
            this = {"_id": id, "county": self._county}
            if id in lines:
                sheet = {**this, "table": table, "period": period, **lines[id]}
                operations.append(ReplaceOne(this, sheet, upsert=True))
            else:
                operations.append(DeleteOne(this))
        if operations:
            await self._bulk("sheets", operations)

    async def remove(self, headings: Sequence[Heading]) -> None:
        """Take entries out of the ledger: each of them, or it is a conflict."""
        if headings:
            gone = [DeleteOne({"_id": heading.id, "county": self._county}) for heading in headings]
            if (await self._bulk("ledger", gone)).deleted_count != len(headings):
                raise Conflict("ledger")

    async def _bulk(self, collection: str, operations: Sequence[Any]) -> BulkWriteResult:
        return await self._raw[collection].bulk_write(  # pyright: ignore[reportUnknownMemberType]
            operations, ordered=False, session=self._session
        )

    async def turn_page(self, book: Book) -> None:
        """Every change of sheets turns the book's page, so that of two at the same time one gets a conflict."""
        turned = {"$set": {"edition": EDITION, "page": book.page + 1}}
        this = {"_id": self._county, "county": self._county, "page": book.page}
        if book.page == 0:
            document = {"_id": self._county, "county": self._county, **turned["$set"]}
            await self._raw["books"].insert_one(document, session=self._session)
        elif (await self._raw["books"].update_one(this, turned, session=self._session)).matched_count != 1:
            raise Conflict("book")


def _sheet_id(county: str, cell: Cell) -> str:
    return f"{county}/{cell.table}/{cell.period}"


def _add(counts: Counts, sheet: Document) -> None:
    for sums, lines in ((counts.counted, sheet["counted"]), (counts.kept, sheet["kept"])):
        for values, n, keys in lines:
            sums.add(Cell(sheet["table"], sheet["period"], tuple(values)), Sum(n, keys))
