"""What is stored of notices: channels, followed referrals, notices and links. Beside `services.referral.store` the only file that
knows MongoDB.

A channel is a partner's e-mail address or a webhook endpoint. A referral is followed, per channel, from its first notice until its end has
been told: `told` counts the steps. A notice waits, is sent, is kept (there is no mail server: it is read on a page), or was given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pymongo import ASCENDING, DESCENDING, DeleteOne, IndexModel, ReplaceOne, UpdateOne

from services.runtime.clock import machine_ms
from services.runtime.deciding import Write
from services.runtime.records import Document
from services.runtime.store import Collection, CountyStore

CHANNELS: Final = "channels"
FOLLOWED: Final = "followed"
NOTICES: Final = "notices"
LINKS: Final = "links"

COLLECTIONS: Final = (
    Collection(CHANNELS, (IndexModel([("county", ASCENDING), ("partner", ASCENDING)], name="partner"),)),
    Collection(FOLLOWED, (IndexModel([("county", ASCENDING), ("channel", ASCENDING)], name="channel"),)),
    Collection(
        NOTICES,
        (
            IndexModel([("county", ASCENDING), ("state", ASCENDING), ("due", ASCENDING)], name="due"),
            IndexModel([("county", ASCENDING), ("partner", ASCENDING), ("made", DESCENDING)], name="partner"),
            IndexModel([("county", ASCENDING), ("made", ASCENDING)], name="age"),
        ),
    ),
    Collection(LINKS, (IndexModel([("county", ASCENDING), ("referral", ASCENDING)], name="referral"),)),
)

ChannelKind = Literal["mail", "webhook"]
NoticeState = Literal["waiting", "sent", "kept", "given-up"]


@dataclass(frozen=True, slots=True)
class Channel:
    """How a partner is told. `target` is an address or a URL; `secret` a webhook's, sealed; `disabled` says why it is off (a code)."""

    id: str
    partner: str
    kind: ChannelKind
    target: str = field(repr=False)
    language: Literal["de", "en"] = "de"
    secret: bytes = field(default=b"", repr=False)
    disabled: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a channel is told. `body` is the JSON that a webhook gets; `token` the link of a mail, sealed.
    `made` and `due` are machine milliseconds."""

    id: str
    channel: str
    partner: str
    kind: ChannelKind
    type: str
    referral: str
    body: str
    made: int
    state: NoticeState = "waiting"
    due: int = 0
    attempts: int = 0
    last: str = ""
    token: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is good for: answering this referral for this partner, as long as it has the channel that the link went to."""

    partner: str
    referral: str
    channel: str


async def channels(store: CountyStore, partner: str | None = None) -> list[Channel]:
    """Those of one partner, or of all."""
    found = await store.find(CHANNELS, {} if partner is None else {"partner": partner}, sort=[("_id", ASCENDING)])
    return [_read(Channel, one) for one in found]


async def followed(store: CountyStore, channel: str) -> dict[str, int]:
    """How many steps this channel was told of each referral that it follows."""
    return {one["referral"]: one["told"] for one in await store.find(FOLLOWED, {"channel": channel})}


async def due(store: CountyStore, limit: int) -> list[Notice]:
    """What is to be sent by now, the longest waiting first."""
    query = {"state": "waiting", "due": {"$lte": machine_ms()}}
    return [_read(Notice, one) for one in await store.find(NOTICES, query, sort=[("due", ASCENDING)], limit=limit)]


async def notices(
    store: CountyStore, partner: str | None, limit: int, after: tuple[int, str] | None = None
) -> list[Notice]:
    """The latest notices of one partner, or of all; those that come `after` one with this `made` and id."""
    query: Document = {} if partner is None else {"partner": partner}
    if after is not None:
        made, id = after
        query["$or"] = [{"made": {"$lt": made}}, {"made": made, "_id": {"$gt": id}}]
    order = [("made", DESCENDING), ("_id", ASCENDING)]
    return [_read(Notice, one) for one in await store.find(NOTICES, query, sort=order, limit=limit)]


async def notice(store: CountyStore, id: str) -> Notice | None:
    found = await store.one(NOTICES, {"_id": id})
    return _read(Notice, found) if found is not None else None


async def link(store: CountyStore, digest: str) -> Link | None:
    found = await store.one(LINKS, {"_id": digest})
    return Link(found["partner"], found["referral"], found.get("channel", "")) if found is not None else None


async def delete_old(store: CountyStore, before: int, limit: int) -> int:
    """Delete notices made before this machine millisecond, `limit` at most, except those that are yet to be sent; how many were."""
    query = {"made": {"$lt": before}, "state": {"$ne": "waiting"}}
    found = await store.find(NOTICES, query, sort=[("made", ASCENDING)], limit=limit, fields={"_id": 1})
    await write(store, *(Write(NOTICES, DeleteOne({"_id": one["_id"], "county": store.county})) for one in found))
    return len(found)


async def is_there(store: CountyStore, channel: str) -> bool:
    """Whether a channel has not been removed."""
    return await store.one(CHANNELS, {"_id": channel}) is not None


async def forget(store: CountyStore, channel: str) -> None:
    """What is known for a channel that is not there any more: what it followed, and the links that went to it."""
    gone = list(await followed(store, channel))
    links = await drop_links(store, gone, channel)
    await write(store, *(leave(store.county, channel, one) for one in gone), *links)


async def write(store: CountyStore, *writes: Write) -> None:
    """All of them or none."""
    await store.write(writes)


# --- writes -------------------------------------------------------------------------------------------------------------


def put_channel(county: str, channel: Channel) -> Write:
    return _put(CHANNELS, county, channel)


def switch(county: str, channel: Channel, disabled: str) -> Write:
    """On (empty) or off, if the channel is still there with the secret that it had: it may have been removed or registered again."""
    only = {"_id": channel.id, "county": county, "secret": channel.secret}
    return Write(CHANNELS, UpdateOne(only, {"$set": {"disabled": disabled}}))


def drop_channel(county: str, id: str) -> Write:
    return Write(CHANNELS, DeleteOne({"_id": id, "county": county}))


def put_notice(county: str, notice: Notice) -> Write:
    return _put(NOTICES, county, notice)


def add_notice(county: str, notice: Notice) -> Write:
    """Unless there is one of this id already, which may have been sent."""
    fresh = {name: value for name, value in _document(county, notice).items() if name not in ("_id", "county")}
    return Write(NOTICES, UpdateOne({"_id": notice.id, "county": county}, {"$setOnInsert": fresh}, upsert=True))


def follow(county: str, channel: str, referral: str, told: int) -> Write:
    id = f"{channel}/{referral}"
    document = {"_id": id, "county": county, "channel": channel, "referral": referral, "told": told}
    return Write(FOLLOWED, ReplaceOne({"_id": id, "county": county}, document, upsert=True))


def leave(county: str, channel: str, referral: str) -> Write:
    return Write(FOLLOWED, DeleteOne({"_id": f"{channel}/{referral}", "county": county}))


def add_link(county: str, digest: str, link: Link) -> Write:
    told = {"partner": link.partner, "referral": link.referral, "channel": link.channel}
    document = {"_id": digest, "county": county, **told}
    return Write(LINKS, ReplaceOne({"_id": digest, "county": county}, document, upsert=True))


async def drop_links(store: CountyStore, referrals: Sequence[str], channel: str | None = None) -> Iterable[Write]:
    """Those of referrals that have ended, or those that went to a channel which is removed."""
    query: Document = {"referral": {"$in": list(referrals)}, **({} if channel is None else {"channel": channel})}
    found = await store.find(LINKS, query, fields={"_id": 1}) if referrals else []
    return [Write(LINKS, DeleteOne({"_id": one["_id"], "county": store.county})) for one in found]


def _put(collection: str, county: str, kept: Channel | Notice) -> Write:
    document = _document(county, kept)
    return Write(collection, ReplaceOne({"_id": document["_id"], "county": county}, document, upsert=True))


def _document(county: str, kept: Channel | Notice) -> Document:
    told = {name: getattr(kept, name) for name in kept.__slots__}
    return {"_id": told.pop("id"), "county": county, **told}


def _read(model: type[Any], document: Document) -> Any:
    names = set(model.__slots__)
    return model(id=document["_id"], **{name: value for name, value in document.items() if name in names})
