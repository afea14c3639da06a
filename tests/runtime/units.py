"""Units of work at the bank, and what lies in its database afterwards."""

from __future__ import annotations

from pymongo import InsertOne

from schemas.envelope import Envelope
from services.runtime.committing import Unit
from services.runtime.deciding import Write
from services.runtime.records import Answer, DeadLetter, Outgoing, Parked, Stored, event_id
from services.runtime.store import CountyStore, Database
from tests.runtime.toy import ANNA, BERT, START, Account, Booked, Paid, account, reader, record

COUNTY, ELSEWHERE = "10000", "20000"
MODELS = {"account": Account}


def event(account_id: str, sequence: int, text: str = "") -> Outgoing:
    envelope = Envelope(
        id=event_id("bank", account(account_id), sequence),
        source="bank",
        type=Booked.TYPE,
        subject=account(account_id),
        county=COUNTY,
        sequence=sequence,
        time=START,
    )
    return Outgoing(envelope, Booked(amount=sequence, text=text).model_dump_json().encode())


def opened(id: str, balance: int = 0) -> Stored:
    return Stored(Account(id=id, balance=balance))


async def loaded(store: CountyStore, *ids: str) -> list[Stored]:
    found = await store.load(MODELS, [account(id) for id in ids])
    return [found[account(id)] for id in ids]


async def everything(database: Database) -> dict[str, int]:
    names = await database.raw.list_collection_names()
    return {name: count for name in names if (count := await database.raw[name].count_documents({}))}


def whole_unit() -> Unit:
    raw = record(COUNTY, BERT, 2, Paid(amount=1))
    envelope = reader().read(raw).envelope
    assert envelope is not None
    anna = opened(ANNA)
    anna.sequence = 1
    return Unit(
        states=[anna, opened(BERT)],
        events=[event(ANNA, 1)],
        dead=[DeadLetter(raw, "reason", "", envelope)],
        parked=[Parked(envelope, raw)],
        answers=[Answer("key", 0, "digest", b"{}")],
        writes=[Write("slips", InsertOne({"_id": "s", "county": COUNTY, "number": "1"}))],
    )
