"""A database as on its first day."""

from __future__ import annotations

from services.runtime.errors import Conflict
from services.runtime.store import Database


async def emptied(database: Database) -> None:
    """In a transaction: outside of one the embedded database waits, holding a lock, for whoever writes to what it is to delete."""
    names = await database.raw.list_collection_names()
    while True:
        try:
            async with database.transaction() as session:
                for name in names:
                    await database.raw[name].delete_many({}, session=session)
            return
        except Conflict:
            continue
