"""Signatures of webhooks by Standard Webhooks 1.0.0 (symmetric scheme ``v1``).

Signed is ``{id}.{seconds}.{body}`` with HMAC-SHA-256 under the endpoint's own secret; the id stays the same over all attempts, the
seconds are those of the attempt.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """As it is shown, once, to whoever registers an endpoint."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = hmac.digest(key, f"{id}.{seconds}.".encode() + body, "sha256")
    return {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
