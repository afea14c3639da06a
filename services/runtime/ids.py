"""Ids. Root ids are random at the door, never time-ordered: they would tell when somebody came. What follows from a root is UUIDv5 of
parent and purpose, so that doing a thing twice makes the same id. In a simulation root ids follow from a seed."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Final

_BYTES: Final = 16


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
    """The id that follows from a parent's: their UUIDv5 (RFC 9562), put together by hand, since each event has one.

    Raises `ValueError` when the parent is no UUID.
    """
    space = bytes.fromhex(parent.replace("-", ""))
    if len(space) != _BYTES:
        raise ValueError("the parent's id is no UUID")
    made = bytearray(hashlib.sha1(space + purpose.encode(), usedforsecurity=False).digest()[:_BYTES])
    made[6] = made[6] & 0x0F | 0x50  # version 5
    made[8] = made[8] & 0x3F | 0x80  # the variant of the RFC
    text = made.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
