"""Who is asking: a bearer token checked, and turned into an `Actor`.

What is guaranteed: a token counts only if it is signed with a key that the issuer publishes now, with the one algorithm that belongs to
that kind of key (RS256 or ES256; so neither ``none`` nor a public key misused as a password passes), if it names our issuer and
audience, is not expired, and carries a subject, a role and a county that is served here. Everything else is a `Problem` 401 or 403
that does not tell a forger what was wrong. Time is machine time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import httpx
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from services.runtime.logs import log
from services.runtime.problems import RETRY_AFTER_SECONDS, Problem

PublicKey = RSAKey | ECKey

LEEWAY_SECONDS: Final = 30
"""How far the issuer's clock and ours may be apart."""

REMEMBERED_SECONDS: Final = 300
"""How long a checked token is taken as it is. A key that the issuer withdraws stops counting after this and `FRESH_SECONDS`."""

REMEMBERED_TOKENS: Final = 10_000
LONGEST_TOKEN: Final = 8192

FRESH_SECONDS: Final = 3600
"""Age at which published keys are fetched anew."""

STALE_SECONDS: Final = 24 * 3600
"""Age up to which known keys still count while the issuer does not answer."""

REFETCH_SECONDS: Final = 10
"""Pause between two fetches, so that made-up key ids cannot be used to flood the issuer."""

FETCH_TIMEOUT_SECONDS: Final = 5.0
LARGEST_KEY_SET: Final = 256 * 1024

# One algorithm for each kind of key, whatever a token's header says.
_ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
_SIGNATURES: Final = jws.JWSRegistry(algorithms=list(_ALGORITHMS.values()), strict_check_header=False)
_SMALLEST_RSA_BITS: Final = 2048

_COUNTY: Final = re.compile(r"[0-9]{5}")
_ROLE: Final = re.compile(r"[a-z][a-z-]{0,39}")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, in which role, for which county. All of it comes from the token alone."""

    subject: str = field(repr=False)
    role: str
    county: str
    office: str | None = None
    site: str | None = None
    organisation: str | None = None


class KeySource(Protocol):
    """Where the issuer's public keys come from."""

    async def find(self, key_id: str) -> PublicKey | None:
        """The key, or None when the issuer has no such key. Raises `Problem` 503 when that cannot be known now."""
        ...


class TokenVerifier:
    """Checks tokens. The same token again costs one look-up, which is what most requests bring."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        counties: Collection[str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._counties = frozenset(counties)
        self._now = now
        self._claims = self._wanted(audience)
        self._remembered: dict[bytes, tuple[Actor, float]] = {}

    async def verify(self, token: str) -> Actor:
        """The actor that the token names. Raises `Problem`: 401, 403 (county), or 503 while keys are unavailable."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _invalid()
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known is not None:
            actor, until = known
            if self._now() < until:
                return actor
            del self._remembered[digest]
        claims = await self._check(token, self._claims)
        actor = _actor(claims)
        if actor.county not in self._counties:
            raise Problem("county-not-served", 403)
        if len(self._remembered) >= REMEMBERED_TOKENS:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = actor, min(claims["exp"], self._now() + REMEMBERED_SECONDS)
        return actor

    def forget(self) -> None:
        """Check every token again when it comes next."""
        self._remembered.clear()

    async def claims(self, token: str, audience: str | None = None) -> Mapping[str, Any]:
        """What a token says that our issuer signed for this audience (ours, unless told), whoever it names. Raises `Problem` 401, 503."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _invalid()
        return await self._check(token, self._claims if audience is None else self._wanted(audience))

    def _wanted(self, audience: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    async def _check(self, token: str, wanted: jwt.JWTClaimsRegistry) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode(), registry=_SIGNATURES).headers()
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _invalid() from None
        key_id = header.get("kid")
        key = await self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None or header.get("alg") != _ALGORITHMS[key.key_type]:
            raise _invalid()
        try:
            claims = jwt.decode(token, key, registry=_SIGNATURES).claims
            wanted.validate(claims)
        except ExpiredTokenError:
            raise Problem("token-expired", 401, headers=_CHALLENGE) from None
        except (JoseError, ValueError, TypeError, RecursionError):
            raise _invalid() from None
        return claims


_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


def _invalid() -> Problem:
    return Problem("token-invalid", 401, headers=_CHALLENGE)


def _actor(claims: dict[str, Any]) -> Actor:
    return Actor(
        subject=_claim(claims, "sub", _NAME),
        role=_claim(claims, "role", _ROLE),
        county=_claim(claims, "county", _COUNTY),
        office=_optional(claims, "office"),
        site=_optional(claims, "site"),
        organisation=_optional(claims, "organisation"),
    )


def _claim(claims: dict[str, Any], name: str, shape: re.Pattern[str]) -> str:
    value: object = claims.get(name)
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise _invalid()
    return value


def _optional(claims: dict[str, Any], name: str) -> str | None:
    return None if claims.get(name) is None else _claim(claims, name, _NAME)


class PublishedKeys:
    """The keys at the issuer's JWKS address: kept, fetched anew when they age or a token names one that is not among them."""

    def __init__(
        self, fetch: Callable[[], Awaitable[bytes]], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def find(self, key_id: str) -> PublicKey | None:
        if key_id not in self._keys or self._age() >= FRESH_SECONDS:
            async with self._one_at_a_time:
                if (key_id not in self._keys or self._age() >= FRESH_SECONDS) and self._may_try():
                    await self._refresh()
        if self._age() >= STALE_SECONDS or (key_id not in self._keys and self._tried_at != self._fetched_at):
            raise Problem("keys-unavailable", 503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
        return self._keys.get(key_id)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._monotonic() - self._fetched_at

    def _may_try(self) -> bool:
        return self._tried_at is None or self._monotonic() - self._tried_at >= REFETCH_SECONDS

    async def _refresh(self) -> None:
        self._tried_at = self._monotonic()
        try:
            self._keys = signing_keys(json.loads(await self._fetch()))
        except (httpx.HTTPError, ValueError) as error:
            log.warning("keys.unavailable", exception=error)
        else:
            self._fetched_at = self._tried_at


def fetched_from(url: str, client: httpx.AsyncClient) -> Callable[[], Awaitable[bytes]]:
    """Reads a key set over HTTP: no redirects, within `FETCH_TIMEOUT_SECONDS`, at most `LARGEST_KEY_SET` bytes."""

    async def fetch() -> bytes:
        body = bytearray()
        async with client.stream("GET", url, timeout=FETCH_TIMEOUT_SECONDS, follow_redirects=False) as response:
            if response.status_code != 200:
                raise httpx.HTTPStatusError(
                    "the issuer did not answer 200", request=response.request, response=response
                )
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_KEY_SET:
                    raise ValueError("the issuer's key set is larger than any key set needs to be")
        return bytes(body)

    return fetch


def signing_keys(key_set: object) -> dict[str, PublicKey]:
    """The keys of a JWK set that we take, by id. Others are passed over (RFC 7517, section 5). Raises ValueError."""
    listed: object = cast("dict[str, object]", key_set).get("keys") if isinstance(key_set, dict) else None
    keys: dict[str, PublicKey] = {}
    for described in cast("list[object]", listed) if isinstance(listed, list) else ():
        if isinstance(described, dict):
            key = _signing_key(cast("dict[str, Any]", described))
            if key is not None and key.kid is not None:
                keys[key.kid] = key
    if not keys:
        raise ValueError("the issuer publishes no key for RS256 or ES256")
    return keys


def _signing_key(described: dict[str, Any]) -> PublicKey | None:
    """None for a key that is not for RS256 or ES256, is too small, or is broken: only tokens signed with it are refused."""
    kind = described.get("kty")
    if kind not in _ALGORITHMS or described.get("alg", _ALGORITHMS[kind]) != _ALGORITHMS[kind]:
        return None
    if described.get("use", "sig") != "sig" or "verify" not in described.get("key_ops", ["verify"]):
        return None
    try:
        key = JWKRegistry.import_key(described)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= _SMALLEST_RSA_BITS else None
    return key if isinstance(key, ECKey) and key.curve_name == "P-256" else None
