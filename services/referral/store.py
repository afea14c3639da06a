"""What referral keeps: cases, offers, and which case an id from outside leads to. The only file here that knows MongoDB.

A case carries its agenda (`model.Case.agenda`), and one index over it serves rounds, counsellors' lists and partners' inboxes alike. Needs
and referrals are found through `case_of`: written once each, never changed, and without an index of its own, which costs less than a
second index over every change of a case (measured with the embedded database: 0.1 ms against 0.3 to 0.5 ms).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne

from services.referral.effects import Locate, Unlocate
from services.referral.model import Case, NeedState, ReferralState
from services.referral.offers import Offer
from services.runtime.deciding import State, Write
from services.runtime.records import Document, Stored
from services.runtime.store import Collection as StoreCollection
from services.runtime.store import CountyStore, collection_of, state_collection

CASE_OF: Final = "case_of"
CASES_AT_ONCE: Final = 2000

_CASES: Final = collection_of(Case.KIND)
_OFFERS: Final = collection_of(Offer.KIND)

COLLECTIONS: Final = (
    state_collection(
        Case, IndexModel([("county", ASCENDING), ("body.agenda", ASCENDING), ("_id", ASCENDING)], name="agenda")
    ),
    state_collection(Offer, IndexModel([("county", ASCENDING), ("body.open_until", ASCENDING)], name="open")),
    StoreCollection(CASE_OF, schema={"bsonType": "object", "required": ["county", "case"]}),
)

S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a need (`offer` is None) or a referral belongs."""

    case: str
    offer: str | None


@dataclass(frozen=True, slots=True)
class Books:
    """A county added up: cases, their needs and referrals by state, and the seats."""

    cases: int
    needs: Mapping[NeedState, int]
    referrals: Mapping[ReferralState, int]
    offers: int
    seats: int
    held: int
    overbooked: tuple[str, ...]


def writes(county: str, effects: Sequence[object]) -> Iterable[Write]:
    """The writes that the effects of a unit of work ask for."""
    for effect in effects:
        match effect:
            case Locate(id=id, case=case, offer=offer):
                yield Write(CASE_OF, InsertOne({"_id": id, "county": county, "case": case, "offer": offer}))
            case Unlocate(ids=ids):
                for id in ids:
                    yield Write(CASE_OF, DeleteOne({"_id": id, "county": county}))
            case _:
                raise TypeError(f"{type(effect).__name__} is no effect of referral")


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


async def open_offers(store: CountyStore, day: date) -> list[Offer]:
    """The offers for which somebody may be proposed on this day."""
    found = await store.find(_OFFERS, {"body.open_until": {"$gte": day.isoformat()}})
    return [_read(Offer, document) for document in found]


async def list_offers(store: CountyStore, partner: str | None, after: str | None, limit: int) -> list[Offer]:
    """Offers by id, of one partner or of all; a county has some hundreds."""
    query: Document = {"body.terms.partner": partner} if partner is not None else {}
    if after is not None:
        query["_id"] = {"$gt": after}
    found = await store.find(_OFFERS, query, sort=[("_id", ASCENDING)], limit=limit)
    return [_read(Offer, document) for document in found]


async def on_agenda(store: CountyStore, entry: str, after: str | None, limit: int) -> list[Case]:
    """Cases with this entry on their agenda by id, from `after` on (included)."""
    query: Document = {"body.agenda": entry}
    if after is not None:
        query["_id"] = {"$gte": after}
    found = await store.find(_CASES, query, sort=[("_id", ASCENDING)], limit=limit)
    return [_read(Case, document) for document in found]


async def each_on_agenda(store: CountyStore, entries: Collection[str]) -> AsyncIterator[list[Case]]:
    """All cases with one of these entries on their agenda, in pages."""
    after: str | None = None
    while True:
        query: Document = {"body.agenda": {"$in": sorted(entries)}}
        if after is not None:
            query["_id"] = {"$gt": after}
        found = await store.find(_CASES, query, sort=[("_id", ASCENDING)], limit=CASES_AT_ONCE)
        if found:
            yield [_read(Case, document) for document in found]
            after = found[-1]["_id"]
        if len(found) < CASES_AT_ONCE:
            return


async def books(store: CountyStore) -> Books:
    """Added up by the database from the tallies of the states. Exact while nothing moves."""
    sums: Document = {f"n-{state}": {"$sum": f"$body.tally.needs.{state}"} for state in NeedState}
    sums |= {f"r-{state}": {"$sum": f"$body.tally.referrals.{state}"} for state in ReferralState}
    rows = await store.aggregate(_CASES, [{"$group": {"_id": None, "cases": {"$sum": 1}, **sums}}])
    totals: Mapping[str, Any] = rows[0] if rows else {}
    held = seats = number = 0
    overbooked: list[str] = []
    for offer in await store.find(_OFFERS, {}, fields={"body.seats": 1, "body.holders": 1}):
        number += 1
        seats += offer["body"]["seats"]
        held += len(offer["body"]["holders"])
        if len(offer["body"]["holders"]) > offer["body"]["seats"]:
            overbooked.append(offer["_id"])
    return Books(
        cases=totals.get("cases", 0),
        needs={state: totals.get(f"n-{state}", 0) for state in NeedState},
        referrals={state: totals.get(f"r-{state}", 0) for state in ReferralState},
        offers=number,
        seats=seats,
        held=held,
        overbooked=tuple(sorted(overbooked)),
    )


def _read(model: type[S], document: Document) -> S:
    return _state(model, Stored.from_document(model, document))


def _state(model: type[S], stored: Stored) -> S:
    if not isinstance(stored.state, model):
        raise TypeError(f"not a {model.KIND}")
    return stored.state
