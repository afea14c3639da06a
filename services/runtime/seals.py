"""What a service seals: what it hands out and takes back (the session of a page), and secrets that it keeps (a webhook's).

AES-256-GCM under a key of its own for each use, derived (HKDF-SHA-256) from the one sealing key of the settings, which is never stored. A
seal is bound to what it belongs to: moved elsewhere, it does not open. On one machine the sealing key follows from the local issuer's.
"""

from __future__ import annotations

import base64
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.runtime.local_issuer import LocalIssuer
from services.runtime.settings import Settings
from services.runtime.settings_problems import BadSettings, variable

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class SealBroken(Exception):
    """This was not sealed here, for this use and this owner; or somebody changed it."""

    def __init__(self) -> None:
        super().__init__("the seal does not open")


class Seal:
    """Seals and opens for one use. Raises `SealBroken` for whatever it did not seal itself."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)

    def close(self, plain: bytes, owner: str = "") -> bytes:
        """`plain`, readable here alone, and only together with `owner`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, plain, owner.encode())

    def open(self, sealed: bytes, owner: str = "") -> bytes:
        try:
            return self._key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError):
            raise SealBroken from None


class Seals:
    """The seals of a process. Raises `BadSettings` where there is no key to make them from."""

    def __init__(self, settings: Settings) -> None:
        if settings.sealing_key is not None:
            self._master = base64.b64decode(settings.sealing_key.get_secret_value())
        elif settings.profile == "production":
            told = f"{variable('sealing_key')} is missing; without it nobody could stay signed in to the pages of {settings.service}."
            raise BadSettings([told])
        else:
            self._master = LocalIssuer(settings).derived("seals")
        self._service = settings.service

    def of(self, use: str) -> Seal:
        info = f"wegenetz/{self._service}/{use}".encode()
        return Seal(HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._master))
