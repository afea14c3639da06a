"""What referral keeps: cases, offers, the directory, which case an id leads to, and the books. The only file here that knows MongoDB.

A case carries its agenda (`model.Case.agenda`), and one index over it serves rounds, counsellors' lists and partners' inboxes alike. Needs
and referrals are found through `case_of`: written once each, never changed, and without an index of its own, which costs less than a
second index over every change of a case (measured with the embedded database: 0.1 ms against 0.3 to 0.5 ms).
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Generic, TypeVar

from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne, ReplaceOne, UpdateOne

from schemas.codes import WaitReason
from services.referral.books import ENTRIES, HELD, OFFERS, SEATS, Books, Tally, entries_of
from services.referral.county import settings_of
from services.referral.directory.agreements import Agreements
from services.referral.directory.listing import Directory
from services.referral.directory.states import Partner, Service
from services.referral.effects import Locate, Unlocate
from services.referral.eligibility import Circumstances
from services.referral.flow import ENTRIES as FLOWING
from services.referral.flow import Flow, Flows, first_counted, flows
from services.referral.hindsight import History
from services.referral.lookahead import NO_PRICES, Learned, Lesson, Prices, prices
from services.referral.model import Case, NeedState
from services.referral.offers import Offer
from services.referral.particulars import SLOT
from services.referral.referrals import ReferralState
from services.runtime.deciding import State, Write
from services.runtime.records import Document, Stored
from services.runtime.store import Collection as StoreCollection
from services.runtime.store import CountyStore, collection_of, state_collection

CASE_OF: Final = "case_of"
BOOKS: Final = "books"
FLOW: Final = "flow"
LESSONS: Final = "lessons"
CASES_AT_ONCE: Final = 100
"""A case takes some 24 kB as a document that was just read, and some 20 kB afterwards."""

_CASES: Final = collection_of(Case.KIND)
_OFFERS: Final = collection_of(Offer.KIND)
_PARTNERS: Final = collection_of(Partner.KIND)
_SERVICES: Final = collection_of(Service.KIND)

COLLECTIONS: Final = (
    state_collection(
        Case, IndexModel([("county", ASCENDING), ("body.agenda", ASCENDING), ("_id", ASCENDING)], name="agenda")
    ),
    state_collection(Offer, IndexModel([("county", ASCENDING), ("body.open_until", ASCENDING)], name="open")),
    state_collection(Partner, IndexModel([("county", ASCENDING)], name="county")),
    state_collection(Service, IndexModel([("county", ASCENDING)], name="county")),
    StoreCollection(CASE_OF, schema={"bsonType": "object", "required": ["county", "case"]}),
    StoreCollection(BOOKS, (IndexModel([("county", ASCENDING)], name="county"),)),
    StoreCollection(FLOW, (IndexModel([("county", ASCENDING), ("day", ASCENDING)], name="day"),)),
    StoreCollection(LESSONS),
)

S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a need (`offer` is None) or a referral belongs."""

    case: str
    offer: str | None


def writes(county: str, effects: Sequence[object]) -> Iterable[Write]:
    """The writes that the effects of a unit of work ask for."""
    changes: Counter[str] = Counter()
    flowed: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for effect in effects:
        match effect:
            case Tally(changes=moved):
                changes.update(moved)
            case Flow(day=day, changes=moved):
                flowed[day].update(moved)
            case Locate(id=id, case=case, offer=offer):
                yield Write(CASE_OF, InsertOne({"_id": id, "county": county, "case": case, "offer": offer}))
            case Unlocate(ids=ids):
                for id in ids:
                    yield Write(CASE_OF, DeleteOne({"_id": id, "county": county}))
            case _:
                raise TypeError(f"{type(effect).__name__} is no effect of referral")
    if moved := {entry: change for entry, change in changes.items() if change}:
        yield Write(BOOKS, UpdateOne({"_id": f"{county}/{_WRITER}", "county": county}, {"$inc": moved}, upsert=True))
    for day, counts in flowed.items():
        line = {"_id": f"{county}/{day.isoformat()}/{_WRITER}", "county": county, "day": day.isoformat()}
        yield Write(FLOW, UpdateOne(line, {"$inc": dict(counts)}, upsert=True))


_WRITER: Final = secrets.token_hex(8)
"""Each process has lines of its own, so that two of them never wait for each other."""


async def locate(store: CountyStore, ids: Sequence[str]) -> dict[str, Located]:
    """The known ones among these ids of needs and referrals."""
    found = await store.by_ids(CASE_OF, ids)
    return {document["_id"]: Located(document["case"], document["offer"]) for document in found}


async def case(store: CountyStore, id: str) -> Case | None:
    """A case as stored."""
    stored = await store.state(Case, id)
    return _state(Case, stored) if stored is not None else None


async def offers(store: CountyStore, ids: Collection[str]) -> dict[str, Offer]:
    """The known ones among these offers, by id."""
    found = await store.by_ids(_OFFERS, sorted(ids))
    return {document["_id"]: _read(Offer, document) for document in found}


class Known(Generic[S]):
    """One county's states of a kind as they were read last. What still has the same version is taken from here: checking documents and
    making states of them is most of what a round costs in which little is new. What a look does not find is forgotten."""

    def __init__(self, model: type[S]) -> None:
        self._model = model
        self._states: dict[str, tuple[int, S]] = {}

    def read(self, documents: Iterable[Document]) -> list[S]:
        before, self._states = self._states, {}
        for document in documents:
            id, version = document["_id"], document["version"]
            last = before.get(id)
            if last is None or last[0] != version:
                last = version, _read(self._model, document)
            self._states[id] = last
        return [state for _, state in self._states.values()]


async def open_offers(store: CountyStore, day: date, known: Known[Offer] | None = None) -> list[Offer]:
    """The offers for which somebody may be proposed on this day. `known`: of whoever asks again and again."""
    known = known or Known(Offer)
    return known.read(await store.find(_OFFERS, {"body.open_until": {"$gte": day.isoformat()}}))


async def ending_between(store: CountyStore, first: date, last: date) -> list[Offer]:
    """The offers whose last day of proposals is one of these days."""
    found = await store.find(_OFFERS, {"body.open_until": {"$gte": first.isoformat(), "$lte": last.isoformat()}})
    return [_read(Offer, document) for document in found]


async def list_offers(
    store: CountyStore, partner: str | None, after: str | None, limit: int, *, ahead: date | None = None
) -> list[Offer]:
    """Offers by id, of one partner or of all; a county has some hundreds. `ahead`: of appointments only those from this day on."""
    query: Document = {"body.terms.partner": partner} if partner is not None else {}
    if ahead is not None:
        no_slot = {"body.terms.particulars.sort": {"$ne": SLOT}}
        query["$or"] = [no_slot, {"body.terms.starts_on": {"$gte": ahead.isoformat()}}]
    if after is not None:
        query["_id"] = {"$gt": after}
    found = await store.find(_OFFERS, query, sort=[("_id", ASCENDING)], limit=limit)
    return [_read(Offer, document) for document in found]


async def directory(store: CountyStore, day: date) -> Directory:
    """The whole directory, with the offers that are open on this day."""
    return Directory(await partners(store), await services(store), await open_offers(store, day))


async def agreements(store: CountyStore, known: Known[Partner] | None = None) -> Agreements:
    """The agreements with all partners. `known`: of whoever asks again and again."""
    known = known or Known(Partner)
    query = {"$or": [{"body.retired": True}, {"body.agreement": {"$ne": None}}]}
    return Agreements.of(known.read(await store.find(_PARTNERS, query)))


async def partners(store: CountyStore) -> list[Partner]:
    """All partners; a county has some dozens."""
    return [_read(Partner, document) for document in await store.find(_PARTNERS, {})]


async def partner_name(store: CountyStore, code: str) -> str | None:
    """The name of a partner that is in the directory."""
    found = [_read(Partner, document) for document in await store.find(_PARTNERS, {"body.code": code})]
    return next((one.entry.name for one in found if one.entry is not None), None)


async def services(store: CountyStore) -> list[Service]:
    """All services of all partners."""
    return [_read(Service, document) for document in await store.find(_SERVICES, {})]


async def on_agenda(store: CountyStore, entry: str, after: str | None, limit: int) -> list[Case]:
    """Cases with this entry on their agenda by id, from `after` on (included)."""
    query: Document = {"body.agenda": entry}
    if after is not None:
        query["_id"] = {"$gte": after}
    return [
        _read(Case, document)
        async for documents in store.each(_CASES, query, page=CASES_AT_ONCE, limit=limit)
        for document in documents
    ]


@dataclass(frozen=True, slots=True)
class Glance:
    """A referral in a long list, read without the rest of its case. `at`: the deadline of a live one, the end of a past one.
    `was_told`: the partner had heard of it when it ended."""

    case: str
    referral: str
    offer: str
    partner: str
    state: str
    at: datetime | None
    was_told: bool = False


_LIVE: Final = {f"body.needs.live.{name}": 1 for name in ("id", "offer", "partner", "state", "deadline")}
_PAST: Final = {f"body.needs.past.{name}": 1 for name in ("id", "offer", "partner", "state", "steps.state", "steps.at")}


async def live_at_a_glance(store: CountyStore, entry: str) -> list[Glance]:
    """The live referrals of all cases with this entry on their agenda: that of the entry, and others of the same people."""
    found = await store.find(_CASES, {"body.agenda": entry}, fields=_LIVE)
    return [
        Glance(case["_id"], live["id"], live["offer"], live["partner"], live["state"], live["deadline"])
        for case in found
        for need in case["body"]["needs"]
        if (live := need.get("live")) is not None
    ]


async def past_at_a_glance(store: CountyStore, entry: str) -> list[Glance]:
    """The same of the past referrals."""
    found = await store.find(_CASES, {"body.agenda": entry}, fields=_PAST)
    return [
        Glance(
            case["_id"],
            past["id"],
            past["offer"],
            past["partner"],
            past["state"],
            past["steps"][-1]["at"],
            any(step["state"] == ReferralState.AGREED for step in past["steps"]),
        )
        for case in found
        for need in case["body"]["needs"]
        for past in need["past"]
    ]


async def each_on_agenda(store: CountyStore, entries: Collection[str]) -> AsyncIterator[Case]:
    """All cases with one of these entries on their agenda."""
    query = {"body.agenda": {"$in": sorted(entries)}}
    async for documents in store.each(_CASES, query, page=CASES_AT_ONCE):
        for document in documents:
            yield _read(Case, document)


async def cases(store: CountyStore, ids: Collection[str]) -> list[Case]:
    """The stored ones among these cases."""
    return [_read(Case, document) for document in await store.by_ids(_CASES, sorted(ids))]


async def books(store: CountyStore) -> Books:
    """The sum over the lines of all processes that ever wrote, one small document each."""
    entries: Counter[str] = Counter()
    for line in await store.find(BOOKS, {}):
        entries.update({entry: line.get(entry, 0) for entry in ENTRIES})
    return Books(entries)


async def flow(store: CountyStore, today: date) -> Flows:
    """What the last days brought: a line for each day and each process that wrote on it."""
    lines = await store.find(FLOW, {"day": {"$gte": first_counted(today).isoformat(), "$lte": today.isoformat()}})
    counted = [
        (date.fromisoformat(line["day"]), {name: line[name] for name in FLOWING if name in line}) for line in lines
    ]
    return flows(counted, today, await begun(store))


async def begun(store: CountyStore) -> date | None:
    """The first day on which anything was counted."""
    first = await store.find(FLOW, {}, sort=[("day", ASCENDING)], limit=1, fields={"day": 1})
    return date.fromisoformat(first[0]["day"]) if first else None


async def circumstances(
    store: CountyStore, today: date, asked: Prices | None = None, known: Known[Partner] | None = None
) -> Circumstances:
    """Where and when is judged, with everything that rounds and explanations look at. `asked`: the prices of the day, if they are known."""
    asked = asked or await prices_of(store, today)
    return Circumstances(settings_of(store.county, today), today, await agreements(store, known), asked)


async def prices_of(store: CountyStore, today: date) -> Prices:
    """What is asked for seats on this day: it follows from whole days, so it is the same all day long, until something new is learned."""
    lesson = await last_lesson(store)
    return NO_PRICES if lesson is None else prices(lesson.learned, await flow(store, today - timedelta(days=1)))


async def last_lesson(store: CountyStore) -> Lesson | None:
    """What was learned last from the county's history."""
    found = await store.by_ids(LESSONS, [store.county])
    if not found:
        return None
    points = {tuple(line["sort"]): float(line["points"]) for line in found[0]["learned"]}
    return Lesson(Learned(points), date.fromisoformat(found[0]["on"]))


async def keep_lesson(store: CountyStore, lesson: Lesson) -> None:
    """In the place of the one before."""
    learned = [{"sort": list(sort), "points": points} for sort, points in lesson.learned.points.items()]
    document = {"county": store.county, "on": lesson.on.isoformat(), "learned": learned}
    await store.write(
        [Write(LESSONS, ReplaceOne({"_id": store.county, "county": store.county}, document, upsert=True))]
    )


async def history(store: CountyStore, today: date) -> tuple[History, list[Offer]]:
    """The cases of the last months and all offers. Goes through everything, so it is asked for once a month."""
    told = History(today)
    async for documents in store.each(_CASES, {"body.erased": False}, page=CASES_AT_ONCE):
        for document in documents:
            told.add(_read(Case, document))
    return told, [_read(Offer, document) for document in await store.find(_OFFERS, {})]


@dataclass(frozen=True, slots=True)
class Recount:
    """The books counted anew from every state, the offers with more holders than seats, and the waiting needs by why they wait.

    A need that no round has looked at yet has no reason.
    """

    books: Books
    overbooked: list[str]
    waiting: Mapping[WaitReason | None, int]


async def recount(store: CountyStore) -> Recount:
    """Goes through everything. Exact while nothing moves."""
    entries: Counter[str] = Counter()
    waiting: Counter[WaitReason | None] = Counter()
    overbooked: list[str] = []
    async for documents in store.each(_OFFERS, {}, page=CASES_AT_ONCE):
        # What is overbooked cannot be read as an offer, so the documents themselves are looked at.
        bodies = {document["_id"]: document["body"] for document in documents if document["body"]["terms"]}
        overbooked += [id for id, body in bodies.items() if _places_in(body) > body["seats"]]
        entries[OFFERS] += len(bodies)
        entries[SEATS] += sum(body["seats"] for body in bodies.values())
        entries[HELD] += sum(len(body["holders"]) for body in bodies.values() if not _accompanies(body))
    async for documents in store.each(_CASES, {}, page=CASES_AT_ONCE):
        for case in (_read(Case, document) for document in documents):
            entries.update(entries_of(case))
            waiting.update(need.told for need in case.needs if case.state_of(need) is NeedState.WAITING)
    return Recount(Books(entries), sorted(overbooked), waiting)


def _places_in(body: Document) -> int:
    """The seats that are held, as stored."""
    return sum(holder.get("places", 1) for holder in body["holders"])


def _accompanies(body: Document) -> bool:
    """Whether a stored offer is child care beside courses: its places are held by the courses' referrals."""
    particulars: Document = body["terms"].get("particulars") or {}
    return bool(particulars.get("accompanies"))


def _read(model: type[S], document: Document) -> S:
    return _state(model, Stored.from_document(model, document))


def _state(model: type[S], stored: Stored) -> S:
    if not isinstance(stored.state, model):
        raise TypeError(f"not a {model.KIND}")
    return stored.state
