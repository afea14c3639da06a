"""The links by which a partner answers one referral without an account.

A link is 256 random bits. Only its SHA-256 is stored; the link itself stands sealed in the notice that carries it, until that is
sent. It is good for as long as the referral waits for this partner's answer: after the answer, the deadline, or any other end it
opens nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
