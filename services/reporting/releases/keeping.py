"""What is kept of releases: their files, the secrets of their figures, and which of them there are.

Files lie in parts, since a document has a largest size; each attempt to publish writes a batch of its own, and a release names the one that
it consists of. Secrets are sealed, and never leave this module but into the making of a release.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final, cast

from bson import Binary
from pymongo import ASCENDING, DeleteMany, IndexModel, InsertOne, UpdateOne

from services.reporting.releases.calendar import Issue
from services.reporting.releases.model import Release
from services.runtime.deciding import Write
from services.runtime.records import Stored
from services.runtime.seals import Seal
from services.runtime.store import Collection, CountyStore, collection_of, state_collection

PART_BYTES: Final = 4 * 1024 * 1024
SECRET_BYTES: Final = 32

FILES: Final = "release_files"
SECRETS: Final = "release_secrets"

COLLECTIONS: Final = (
    state_collection(Release, IndexModel([("county", ASCENDING)], name="county")),
    Collection(FILES, (IndexModel([("county", ASCENDING), ("batch", ASCENDING), ("file", ASCENDING)], name="file"),)),
    Collection(SECRETS),
)


# --- releases -----------------------------------------------------------------------------------------------------------


async def releases(store: CountyStore) -> list[Release]:
    """All releases of the county, those published last first."""
    documents = await store.find(collection_of(Release.KIND), {})
    found = [cast("Release", Stored.from_document(Release, document).state) for document in documents]
    published = [(one.published_at, one.issue, one) for one in found if one.published_at is not None]
    return [one for _, _, one in sorted(published, key=lambda entry: entry[:2], reverse=True)]


async def release(store: CountyStore, id: str) -> Release | None:
    """A release by its id; None if there is none."""
    stored = await store.state(Release, id)
    return cast("Release", stored.state) if stored is not None else None


# --- files --------------------------------------------------------------------------------------------------------------


async def keep_files(store: CountyStore, issue: Issue, batch: str, files: Iterable[tuple[str, bytes]]) -> None:
    """Lay the bytes of files ready. Each file is a transaction of its own: nobody reads them before the release names the batch."""
    for name, content in files:
        for part, start in enumerate(range(0, max(len(content), 1), PART_BYTES)):
            document = {
                "_id": f"{store.county}/{batch}/{name}/{part}",
                "county": store.county,
                "release": issue.name,
                "batch": batch,
                "file": name,
                "part": part,
                "data": Binary(content[start : start + PART_BYTES]),
            }
            await store.write([Write(FILES, InsertOne(document))])


async def file(store: CountyStore, batch: str, name: str) -> bytes:
    """The bytes of a file; none at all if there is no such file."""
    parts = await store.find(FILES, {"batch": batch, "file": name}, sort=[("part", 1)])
    return b"".join(bytes(part["data"]) for part in parts)


async def drop_other_batches(store: CountyStore, issue: Issue, batch: str) -> None:
    """What attempts left behind that were cut off, or came second."""
    await store.write(
        [Write(FILES, DeleteMany({"county": store.county, "release": issue.name, "batch": {"$ne": batch}}))]
    )


# --- secrets ------------------------------------------------------------------------------------------------------------


async def secret_of(store: CountyStore, issue: Issue, seal: Seal) -> bytes:
    """The secret of the issue's year and vintage: made when it is first asked for, the same for ever afterwards. Raises `SealBroken`."""
    id = f"{store.county}/{issue.year}/{issue.vintage}"
    if (kept := await store.one(SECRETS, {"_id": id})) is None:
        sealed = seal.close(secrets.token_bytes(SECRET_BYTES), owner=id)
        made = {"county": store.county, "sealed": Binary(sealed)}
        await store.write([Write(SECRETS, UpdateOne({"_id": id}, {"$setOnInsert": made}, upsert=True))])
        return await secret_of(store, issue, seal)  # as it is kept: somebody else may have been faster
    return seal.open(bytes(kept["sealed"]), owner=id)
