"""Issues tokens on one machine, where no sign-in service is at hand. Cannot be built in production.

The key lies in a file that only its owner can read. Processes that start at the same time agree on one key.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from services.runtime.settings import Settings
from services.runtime.tokens import PublicKey

ALGORITHM: Final = "ES256"
_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR


class LocalIssuerRefused(RuntimeError):
    """There must be no local issuer here. The message says why, and what to do."""


class LocalIssuer:
    """An issuer of its own, with its key; also the `KeySource` by which its tokens are checked."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        if settings.profile == "production":
            raise LocalIssuerRefused("In production only the county's sign-in service issues tokens.")
        if settings.local_issuer_key_file is None:
            raise LocalIssuerRefused(
                "Set WEGENETZ_LOCAL_ISSUER_KEY_FILE to the place where the local issuer keeps its key."
            )
        self._issuer = settings.issuer
        self._audience = settings.audience
        self._now = now
        self._key = _kept_key(settings.local_issuer_key_file)
        self._key_id = self._key.thumbprint()

    async def find(self, key_id: str) -> PublicKey | None:
        return self._key if key_id == self._key_id else None

    def token(
        self,
        subject: str,
        role: str,
        county: str,
        *,
        office: str | None = None,
        site: str | None = None,
        organisation: str | None = None,
        ttl: float = 3600,
    ) -> str:
        """A signed token. `ttl` in seconds, of machine time."""
        told = {
            "sub": subject,
            "role": role,
            "county": county,
            "office": office,
            "site": site,
            "organisation": organisation,
        }
        return self._signed(self._audience, ttl, told)

    def id_token(self, subject: str, client: str, nonce: str, *, ttl: float = 300) -> str:
        """Who has signed in at the local sign-in, for the `client` that asked (OpenID Connect Core, section 2)."""
        return self._signed(client, ttl, {"sub": subject, "nonce": nonce or None})

    def published(self) -> dict[str, object]:
        """The public key as a JWK set."""
        described = self._key.as_dict(private=False)
        return {"keys": [{**described, "kid": self._key_id, "alg": ALGORITHM, "use": "sig"}]}

    def _signed(self, audience: str, ttl: float, told: Mapping[str, object]) -> str:
        now = int(self._now())
        claims = {"iss": self._issuer, "aud": audience, **told, "iat": now, "exp": now + int(ttl)}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": ALGORITHM, "kid": self._key_id}, given, self._key)

    def derived(self, use: str) -> bytes:
        """32 bytes that follow from the key, for another use on this machine. They tell nothing of the key."""
        private = self._key.as_dict(private=True)["d"]
        return hmac.digest(str(private).encode(), f"wegenetz/local/{use}".encode(), "sha256")


def _kept_key(file: Path) -> ECKey:
    if not file.exists():
        _make(file)
    if stat.S_IMODE(file.stat().st_mode) & ~_OWNER_ONLY:
        raise LocalIssuerRefused(f"Others may read {file.name}. Delete it, and a new key is made.")
    try:
        return ECKey.import_key(json.loads(file.read_text(encoding="ascii")))
    except (JoseError, ValueError, KeyError, TypeError):
        raise LocalIssuerRefused(f"{file.name} holds no key. Delete it, and a new one is made.") from None


def _make(file: Path) -> None:
    """Write a new key, unless another process was faster: the file appears whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # for its owner alone
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            json.dump(ECKey.generate_key("P-256").as_dict(private=True), opened)
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        os.unlink(draft)
