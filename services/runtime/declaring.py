"""What collections there are: those of the states, what a service declares, and the runtime's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pymongo import ASCENDING, IndexModel

from services.runtime.deciding import State
from services.runtime.records import UNCLAIMED_SECONDS, Document

ANSWERS_KEPT_SECONDS: Final = 30 * 24 * 3600

BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any deadline. The index of deadlines holds states that have one later than this, and a query uses it only if it says so."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection with its indexes and the schema that the database itself enforces."""

    name: str
    indexes: tuple[IndexModel, ...] = ()
    schema: Document | None = None


def collection_of(kind: str) -> str:
    """Where the states of a kind lie."""
    return f"{kind}s"


def state_collection(model: type[State], *indexes: IndexModel) -> Collection:
    """The collection of a state, with the index of its deadlines if it has any, and what every stored state must have."""
    deadlines = IndexModel(
        [("county", ASCENDING), ("due_at", ASCENDING)],
        name="due",
        partialFilterExpression={"due_at": {"$gt": BEFORE_ALL}},
    )
    return Collection(
        collection_of(model.KIND),
        indexes if model.due_at is State.due_at else (deadlines, *indexes),
        {
            "bsonType": "object",
            "required": ["county", "shape", "version", "orders", "sequence", "applied", "body"],
        },
    )


OWN: Final = (
    Collection(
        "outbox",
        (
            IndexModel([("order", ASCENDING), ("_id", ASCENDING)], name="order"),
            IndexModel([("county", ASCENDING), ("order", ASCENDING)], name="history"),
        ),
    ),
    Collection("unpublished", (IndexModel([("order", ASCENDING), ("_id", ASCENDING)], name="order"),)),
    Collection("parked", (IndexModel([("county", ASCENDING), ("subject", ASCENDING)], name="subject"),)),
    Collection(
        "dead_letters",
        (
            IndexModel([("county", ASCENDING), ("state", ASCENDING), ("at", ASCENDING)], name="open"),
            IndexModel([("county", ASCENDING), ("subject", ASCENDING)], name="subject"),
            IndexModel([("unclaimed_since", ASCENDING)], name="unclaimed", expireAfterSeconds=UNCLAIMED_SECONDS),
        ),
    ),
    Collection("commands", (IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=ANSWERS_KEPT_SECONDS),)),
    Collection("meta"),
    Collection("leases"),
)
"""What every service has for its messages."""
