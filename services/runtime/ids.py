"""Ids. Root ids are random at the door, never time-ordered: they would tell when somebody came. What follows from a root is UUIDv5 of
parent and purpose, so that doing a thing twice makes the same id. In a simulation root ids follow from a seed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ids:
    """Makes ids. `seed` None means random roots."""

    seed: str | None = None

    def root(self, *names: str) -> str:
        """A new root id. `names` say which one it is; they matter only where ids follow from a seed."""
        if self.seed is None:
            return str(uuid.uuid4())
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "\0".join((self.seed, *names))))


def child(parent: str, purpose: str) -> str:
    """The id that follows from a parent's."""
    return str(uuid.uuid5(uuid.UUID(parent), purpose))
