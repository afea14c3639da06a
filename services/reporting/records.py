"""The keys of records: 40 random bits that stay with a record wherever it is counted.

The sum of the keys in a cell stands for the set of its records, which is what disclosure control needs. A person's keys follow from a
pseudonym that is made when the person is first heard of, kept in the facts alone and gone with them: then a key that stayed in a closed
month belongs to nobody.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Final

KEY_BYTES: Final = 5

Pseudonyms = Callable[[str], str]
"""Gives a case its pseudonym; the same one each time that a decision is repeated."""


def pseudonyms_of_this_process() -> Pseudonyms:
    """Pseudonyms that nobody can compute from a case id later: the secret they are made with ends with the process."""
    secret = secrets.token_bytes(32)
    return lambda case: hmac.digest(secret, case.encode(), "sha256")[:16].hex()


def record_key(pseudonym: str, record: str) -> int:
    """The key of one of the pseudonym's records: HMAC-SHA256, cut to 40 bits."""
    return int.from_bytes(hmac.digest(pseudonym.encode(), record.encode(), "sha256")[:KEY_BYTES])
