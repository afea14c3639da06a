"""Who a person is, readable only with two keys, and digests that lead nowhere without one.

- A person's names and contact are one document, encrypted with a data key of this person alone (AES-256-GCM). The data key lies in a
  document of its own, encrypted with a key of the county. Both are bound to county and case: moved elsewhere, they do not open.
  Deleting the data key makes every copy of the document unreadable.
- Search keys and fingerprints of requests are HMAC-SHA-256 under keys of the county, one for each use. The digests of files' rows are made
  under random keys that are destroyed in time (`services.intake.row_keys`), encrypted as data keys are.
- All keys of a county are derived (HKDF-SHA-256) from the one master key in the settings, which is never stored.

Why this and not MongoDB's client-side encryption: docs/decisions/person-encryption.md.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field

from services.runtime.settings import Settings

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Unreadable(Exception):
    """A person's document cannot be opened: its key is gone, or somebody changed one of the two."""

    def __init__(self) -> None:
        super().__init__("the person's document does not open with its key")


class Person(BaseModel):
    """Names and contact. `birth_date` is ISO text as far as it is known (``1990``, ``1990-05``, ``1990-05-17``); empty means not told.

    Never part of a state, an event, a log line or an error; its representation shows nothing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    family_name: str = Field(default="", repr=False)
    given_names: str = Field(default="", repr=False)
    birth_date: str = Field(default="", repr=False)
    phone: str = Field(default="", repr=False)
    email: str = Field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A person's document as it is stored, and what is stored with it."""

    wrapped_key: bytes = field(repr=False)
    document: bytes = field(repr=False)
    search_key: bytes = field(repr=False)


@dataclass(frozen=True)
class CountyKeys:
    """The keys of one county."""

    county: str
    _master: bytes = field(repr=False)

    def seal(self, case: str, person: Person) -> Sealed:
        """Encrypt a person under a fresh data key."""
        data_key = os.urandom(KEY_BYTES)
        bound_to = self._bound_to(case)
        return Sealed(
            wrapped_key=_encrypt(self._wrapping, data_key, bound_to),
            document=_encrypt(AESGCM(data_key), person.model_dump_json().encode(), bound_to),
            search_key=self.search_key(person),
        )

    def open(self, case: str, wrapped_key: bytes, document: bytes) -> Person:
        """The person. Raises `Unreadable`."""
        bound_to = self._bound_to(case)
        data_key = _decrypt(self._wrapping, wrapped_key, bound_to)
        return Person.model_validate_json(_decrypt(AESGCM(data_key), document, bound_to))

    def search_key(self, person: Person) -> bytes:
        """The same for everybody who is written alike: capitals, marks on letters, hyphens and the order of two names do not count."""
        names = " ".join(sorted(_plain(f"{person.family_name} {person.given_names}").split()))
        return _digest(self._search, f"{names}\0{person.birth_date}".encode())

    def new_row_key(self, month: str) -> bytes:
        """A fresh random key for the digests of a month's rows, encrypted."""
        return _encrypt(self._wrapping, os.urandom(KEY_BYTES), self._bound_to(f"rows/{month}"))

    def row_key(self, month: str, wrapped: bytes) -> bytes:
        """Such a key. Raises `Unreadable`."""
        return _decrypt(self._wrapping, wrapped, self._bound_to(f"rows/{month}"))

    def fingerprint(self, person: Person) -> str:
        """Tells requests about different people apart and nothing else: it stands where their names would."""
        return _digest(self._requests, person.model_dump_json().encode()).hex()

    def _bound_to(self, what: str) -> bytes:
        """What else has to be known to open something: whose it is."""
        return f"{self.county}/{what}".encode()

    def _derive(self, use: str) -> bytes:
        info = f"wegenetz/intake/{use}/{self.county}".encode()
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._master)

    @cached_property
    def _wrapping(self) -> AESGCM:
        return AESGCM(self._derive("data-keys"))

    @cached_property
    def _search(self) -> bytes:
        return self._derive("search")

    @cached_property
    def _requests(self) -> bytes:
        return self._derive("requests")


class Keyring:
    """The keys of all counties, from the one master key."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError(f"the master key needs {KEY_BYTES} bytes")
        self._master = master
        self._counties: dict[str, CountyKeys] = {}

    @classmethod
    def of_settings(cls, settings: Settings) -> Keyring:
        """The keyring of a process. Raises ValueError when it was started without the master key."""
        if settings.person_key is None:
            raise ValueError("the master key for personal data is not set")
        return cls(base64.b64decode(settings.person_key.get_secret_value()))

    def of(self, county: str) -> CountyKeys:
        keys = self._counties.get(county)
        if keys is None:
            keys = self._counties[county] = CountyKeys(county, self._master)
        return keys


def _encrypt(key: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, bound_to)


def _decrypt(key: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise Unreadable from None


def _digest(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _plain(name: str) -> str:
    """A name without capitals and marks, words apart by blanks."""
    if not name.isascii():
        apart = unicodedata.normalize("NFKD", name.translate(_SPELT_OUT))
        name = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _NO_LETTERS.sub(" ", name.casefold())


_NO_LETTERS: Final = re.compile(r"[\W\d_]+")


# Letters that Unicode does not take apart.
_SPELT_OUT: Final[Mapping[int, Any]] = str.maketrans(
    {"ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ø": "o", "Ø": "o", "ı": "i", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}
)
