"""Where intake keeps things, and how it finds them. The only file here that knows MongoDB.

Persons lie in two collections: documents in `people`, the keys that open them in `person_keys`. Both are written and deleted in the
transaction of the case that they belong to.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, DeleteMany, DeleteOne, IndexModel, InsertOne, ReplaceOne, UpdateOne

from services.intake.audit import Check, Link
from services.intake.booking import starts_at
from services.intake.books import ENTRIES, total
from services.intake.facts import DestroyPerson, DropAlike, KeepAlike, KeepPerson, KeepRead, Tally
from services.intake.model import (
    AuditDay,
    Booking,
    Calendar,
    Case,
    Count,
    Daybook,
    Row,
    Status,
    audit_id,
    daybook_id,
)
from services.intake.progress import PAGE, BadValue, Import, ProblemPage
from services.intake.sites import Site
from services.runtime.deciding import Write
from services.runtime.store import Collection, CountyStore, state_collection

PEOPLE: Final = "people"
PERSON_KEYS: Final = "person_keys"
ROW_KEYS: Final = "row_keys"
READS: Final = "audit_reads"
ALIKE: Final = "alike"
IMPORTS: Final = "imports"
PROBLEMS: Final = "import_problems"
BOOKS: Final = "books"

REPORTS_KEPT_SECONDS: Final = 30 * 24 * 3600
"""Machine time: as long as the digests of the rows."""


COLLECTIONS: Final = (
    state_collection(Case),
    state_collection(Daybook),
    state_collection(Calendar),
    state_collection(Row, IndexModel([("body.destroy_at", ASCENDING)], name="destroyed", expireAfterSeconds=0)),
    state_collection(Count),
    state_collection(AuditDay),
    Collection(
        PEOPLE,
        (IndexModel([("county", ASCENDING), ("search", ASCENDING)], name="search"),),
        {
            "bsonType": "object",
            "required": ["_id", "county", "document", "search"],
            "additionalProperties": False,  # nothing readable can slip in beside the encrypted document
            "properties": {
                "_id": {"bsonType": "string"},
                "county": {"bsonType": "string"},
                "document": {"bsonType": "binData"},
                "search": {"bsonType": "binData"},
            },
        },
    ),
    Collection(
        PERSON_KEYS,
        schema={
            "bsonType": "object",
            "required": ["_id", "county", "wrapped"],
            "additionalProperties": False,
            "properties": {
                "_id": {"bsonType": "string"},
                "county": {"bsonType": "string"},
                "wrapped": {"bsonType": "binData"},
            },
        },
    ),
    Collection(ROW_KEYS, (IndexModel([("destroy_at", ASCENDING)], name="destroyed", expireAfterSeconds=0),)),
    Collection(
        ALIKE,
        (
            IndexModel([("county", ASCENDING), ("noticed_at", ASCENDING), ("_id", ASCENDING)], name="list"),
            IndexModel([("county", ASCENDING), ("cases", ASCENDING)], name="cases"),
        ),
    ),
    Collection(
        READS,
        (IndexModel([("county", ASCENDING), ("chain", ASCENDING), ("number", ASCENDING)], name="chain"),),
    ),
    Collection(BOOKS, (IndexModel([("county", ASCENDING)], name="county"),)),
    Collection(
        IMPORTS,
        (
            IndexModel([("county", ASCENDING), ("office", ASCENDING), ("began", DESCENDING)], name="office"),
            IndexModel([("seen_alive", ASCENDING)], name="kept", expireAfterSeconds=REPORTS_KEPT_SECONDS),
        ),
    ),
    Collection(PROBLEMS, (IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=REPORTS_KEPT_SECONDS),)),
)


# --- what decisions have written beside the states ----------------------------------------------------------------------


def writes(county: str, effects: Sequence[object]) -> Iterable[Write]:
    """The writes of one transaction, in the order of the effects: a person who is corrected and then erased is gone."""
    books: Counter[str] = Counter()
    for effect in effects:
        match effect:
            case Tally(changes):
                books.update(changes)
            case KeepPerson():
                yield from _person(county, effect)
            case DestroyPerson(case):
                yield Write(PERSON_KEYS, DeleteOne({"_id": case, "county": county}))
                yield Write(PEOPLE, DeleteOne({"_id": case, "county": county}))
                yield Write(ALIKE, DeleteMany({"county": county, "cases": case}))
            case KeepAlike(case, other, noticed_at):
                pair = {"_id": f"{case}/{other}", "county": county, "cases": [case, other], "noticed_at": noticed_at}
                yield Write(ALIKE, InsertOne(pair))
            case DropAlike(case, other):
                yield Write(ALIKE, DeleteOne({"_id": f"{case}/{other}", "county": county}))
            case KeepRead(chain, number, record, link):
                yield Write(READS, InsertOne(_read_document(county, chain, Link(number, record, link))))
            case _:
                raise TypeError(type(effect).__name__)
    if changed := {entry: change for entry, change in books.items() if change}:
        yield Write(BOOKS, UpdateOne({"_id": f"{county}/{_WRITER}", "county": county}, {"$inc": changed}, upsert=True))


_WRITER: Final = secrets.token_hex(8)
"""Each process has a line of its own in the books, so that two of them never wait for each other."""


def _person(county: str, effect: KeepPerson) -> Iterable[Write]:
    mine = {"_id": effect.case, "county": county}
    key = {**mine, "wrapped": effect.sealed.wrapped_key}
    person = {**mine, "document": effect.sealed.document, "search": effect.sealed.search_key}
    for collection, document in ((PERSON_KEYS, key), (PEOPLE, person)):
        # An insert costs the database a fraction of a replacement.
        operation = InsertOne(document) if effect.is_new else ReplaceOne(mine, document, upsert=True)
        yield Write(collection, operation)


def _read_document(county: str, chain: str, read: Link) -> dict[str, object]:
    return {
        "_id": f"{chain}/{read.number:09d}",
        "county": county,
        "chain": chain,
        "number": read.number,
        "record": dict(read.record),
        "link": read.link,
    }


# --- cases and persons --------------------------------------------------------------------------------------------------


async def case_of(store: CountyStore, case: str) -> Case | None:
    stored = await store.state(Case, case)
    return stored.state if stored is not None and isinstance(stored.state, Case) else None


async def sealed_people(store: CountyStore, cases: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
    """The wrapped keys and the documents of people, by case; without those who were erased. A pair does not fit when a correction commits
    between the two reads."""
    keys = {document["_id"]: document["wrapped"] for document in await store.by_ids(PERSON_KEYS, cases)}
    people = await store.by_ids(PEOPLE, sorted(keys))
    return {document["_id"]: (keys[document["_id"]], document["document"]) for document in people}


# --- people who are written alike ---------------------------------------------------------------------------------------


KEYS_AT_ONCE: Final = 40
"""Search keys of one query. The embedded database compares each found document with the whole list."""

MOST_FOUND: Final = 100
"""People looked at for one search key, on average of a query."""


async def written_alike(store: CountyStore, search_keys: Iterable[bytes]) -> dict[bytes, tuple[str, ...]]:
    """Cases of people by search key, for the keys that somebody has."""
    alike: dict[bytes, list[str]] = defaultdict(list)
    keys = sorted(set(search_keys))
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        found = await store.find(PEOPLE, {"search": {"$in": some}}, fields={"search": 1}, limit=len(some) * MOST_FOUND)
        for document in found:
            alike[document["search"]].append(document["_id"])
    return {key: tuple(sorted(cases)) for key, cases in alike.items()}


async def of_office(store: CountyStore, cases: Sequence[str], office: str) -> tuple[str, ...]:
    """Those of these cases that this office registered."""
    found = await store.find("cases", {"_id": {"$in": list(cases)}, "body.office": office}, fields={"_id": 1})
    return tuple(sorted(document["_id"] for document in found))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who are written alike; `case` came later."""

    id: str
    case: str
    other: str
    noticed_at: datetime


async def pairs_alike(store: CountyStore, after: tuple[Any, str] | None, limit: int) -> list[Pair]:
    """Those whom nobody has looked at yet, the first noticed first."""
    query: dict[str, Any] = {}
    if after is not None:
        noticed_at, id = after
        query["$or"] = [{"noticed_at": {"$gt": noticed_at}}, {"noticed_at": noticed_at, "_id": {"$gt": id}}]
    found = await store.find(ALIKE, query, sort=[("noticed_at", 1), ("_id", 1)], limit=limit)
    return [_pair(document) for document in found]


def _pair(document: Mapping[str, Any]) -> Pair:
    case, other = document["cases"]
    return Pair(id=document["_id"], case=case, other=other, noticed_at=document["noticed_at"])


async def statuses_of(store: CountyStore, cases: Iterable[str]) -> dict[str, Status]:
    """Where these cases stand."""
    found = await store.by_ids("cases", sorted(set(cases)))
    return {document["_id"]: Status(document["body"]["status"]) for document in found}


# --- the counsellors' day -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One slot of a day that is taken."""

    site: str
    slot: str
    booking: Booking


async def day_at(store: CountyStore, sites: Iterable[Site], day: date) -> list[Entry]:
    """Everything booked on a day at these sites, by time, site and desk."""
    ids = [daybook_id(store.county, site.code, day) for site in sites]
    entries = [
        Entry(document["body"]["site"], slot, Booking.model_validate(booking))
        for document in await store.by_ids("daybooks", ids)
        for slot, booking in document["body"]["taken"].items()
    ]
    return sorted(entries, key=lambda entry: (starts_at(day, entry.slot), entry.site, entry.slot))


# --- the books ----------------------------------------------------------------------------------------------------------


async def books_of(store: CountyStore) -> dict[str, int]:
    """Every entry of the books: the sum over all processes that ever wrote, one small document each."""
    sums: Counter[str] = Counter()
    for document in await store.find(BOOKS, {}):
        sums.update({entry: document.get(entry, 0) for entry in ENTRIES})
    return total(sums)


# --- the audit ----------------------------------------------------------------------------------------------------------


async def check_reads(store: CountyStore, day: date) -> tuple[int, bool]:
    """How many reads one day's chain should hold, and whether it holds them all, unchanged."""
    chain = audit_id(store.county, day)
    stored = await store.state(AuditDay, chain)
    end = stored.state if stored is not None and isinstance(stored.state, AuditDay) else AuditDay(id=chain)
    check = Check()
    async for page in store.each(READS, {"chain": chain}):
        check.follow(Link(document["number"], document["record"], document["link"]) for document in page)
    return end.records, check.ends_at(end.records, end.head)


# --- imports ------------------------------------------------------------------------------------------------------------


async def row_keys(store: CountyStore, fresh: Mapping[str, bytes], destroy_at: datetime) -> dict[str, bytes]:
    """The encrypted keys by month: those that are there, else the fresh ones. None of them is destroyed before `destroy_at`."""
    months = {f"{store.county}/{month}": month for month in fresh}
    writes = [
        Write(
            ROW_KEYS,
            UpdateOne(
                {"_id": id, "county": store.county},
                {"$setOnInsert": {"wrapped": fresh[month]}, "$max": {"destroy_at": destroy_at}},
                upsert=True,
            ),
        )
        for id, month in months.items()
    ]
    # If another import wants the same months, whichever is first: both then find its keys.
    await store.write(writes)
    return {months[document["_id"]]: document["wrapped"] for document in await store.by_ids(ROW_KEYS, list(months))}


async def keep_import(store: CountyStore, state: Import, pages: Sequence[ProblemPage] = ()) -> None:
    """How it stands now, and the pages of bad values that have changed with it."""
    mine = {"_id": state.id, "county": store.county}
    report = {**mine, **state.model_dump(exclude={"id"})}
    await store.write(
        [
            Write(IMPORTS, ReplaceOne(mine, report, upsert=True)),
            *(_page_write(store.county, state, page) for page in pages),
        ]
    )


def _page_write(county: str, state: Import, page: ProblemPage) -> Write:
    mine = {"_id": _page_id(state.id, page.number), "county": county}
    document = {**mine, "at": state.seen_alive, "listed": [bad.model_dump() for bad in page.listed]}
    return Write(PROBLEMS, ReplaceOne(mine, document, upsert=True))


def _page_id(id: str, number: int) -> str:
    return f"{id}/{number:06d}"


async def bad_values_of(store: CountyStore, id: str, first: int, limit: int) -> list[BadValue]:
    """What is wrong with the rows of an import, from the `first` one on (counted from 0), in the order of the file."""
    numbers = range(first // PAGE, (first + limit - 1) // PAGE + 1)
    found = await store.by_ids(PROBLEMS, [_page_id(id, number) for number in numbers])
    listed = [bad for page in sorted(found, key=itemgetter("_id")) for bad in page["listed"]]
    start = first - numbers.start * PAGE
    return [BadValue.model_validate(bad) for bad in listed[start : start + limit]]


async def import_of(store: CountyStore, id: str) -> Import | None:
    document = await store.one(IMPORTS, {"_id": id})
    return _import(document) if document is not None else None


async def imports_of(store: CountyStore, office: str, after: tuple[Any, str] | None, limit: int) -> list[Import]:
    """An office's imports, the newest first."""
    query: dict[str, Any] = {"office": office}
    if after is not None:
        began, id = after
        query["$or"] = [{"began": {"$lt": began}}, {"began": began, "_id": {"$gt": id}}]
    found = await store.find(IMPORTS, query, sort=[("began", -1), ("_id", 1)], limit=limit)
    return [_import(document) for document in found]


def _import(document: Mapping[str, Any]) -> Import:
    return Import.model_validate({"id": document["_id"], **document})
