"""The county's sign-in service as the pages use it: OpenID Connect, authorization code flow with PKCE.

What is guaranteed: a code is exchanged only for a return that belongs to an attempt of the same browser (`attempts.py`); the identity
that comes back is signed by our issuer, for this client, for this attempt (its nonce), and names the same person as the token that the
services take. Why a sign-in came to nothing is told to people in sentences, and never in the sign-in service's own words.

Where the service describes itself is asked once in `KNOWN_SECONDS`. On one machine the local sign-in (`local_sign_in.py`) is asked in
the same way, within the process, and its addresses are paths: they hold wherever a browser finds these pages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from services.runtime.logs import log
from services.runtime.pages.addresses import DISCOVERY, RETURN, SIGNED_OUT
from services.runtime.pages.attempts import Attempt
from services.runtime.pages.session import LONGEST_TOKEN
from services.runtime.problems import RETRY_AFTER_SECONDS, Problem
from services.runtime.settings import Settings
from services.runtime.settings_problems import BadSettings, is_safe_way, unfit_for_pages
from services.runtime.tokens import TokenVerifier

KNOWN_SECONDS: Final = 3600.0
TIMEOUT_SECONDS: Final = 5.0
LARGEST_ANSWER: Final = 256 * 1024

_HERE: Final = "http://local-sign-in"
"""The local sign-in's name within the process; nobody else ever reads it."""


class _Described(BaseModel):
    """What we need of the discovery document (OpenID Connect Discovery 1.0, section 3)."""

    model_config = ConfigDict(extra="ignore")
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None = None


class _Tokens(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)
    access_token: str = Field(repr=False)
    id_token: str = Field(repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    described: _Described
    until: float


class OpenId:
    """Raises `BadSettings` where the settings do not say enough for anybody to sign in."""

    def __init__(self, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        problems = [*unfit_for_pages(settings)] if settings.profile == "production" else []
        if problems:
            raise BadSettings(problems)
        self._settings = settings
        self._monotonic = monotonic
        self._known: _Known | None = None
        self.is_local: Final = settings.profile != "production" and settings.jwks_url is None

    @property
    def origin(self) -> str | None:
        """Scheme and host of the issuer, to which a form may lead; None where it has none (on one machine it is here)."""
        parts = urlsplit(self._settings.issuer)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None

    async def way_in(self, request: Request, attempt: Attempt) -> str:
        """The address at which a browser signs in. Raises `Problem` 503."""
        described = await self._described(request)
        asked = {
            "response_type": "code",
            "client_id": self._settings.sign_in_client,
            "redirect_uri": self._ours(request, RETURN),
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return _with(described.authorization_endpoint, asked)

    async def way_out(self, request: Request) -> str | None:
        """The address at which a browser signs out of the sign-in service too (RP-Initiated Logout 1.0). None: it has none, or is away."""
        try:
            described = await self._described(request)
        except Problem:
            return None
        if described.end_session_endpoint is None:
            return None
        asked = {
            "client_id": self._settings.sign_in_client,
            "post_logout_redirect_uri": self._ours(request, SIGNED_OUT),
        }
        return _with(described.end_session_endpoint, asked)

    async def token(self, request: Request, attempt: Attempt, code: str) -> str:
        """The bearer token for whoever came back with this code. Raises `Problem`."""
        tokens = await self._exchanged(request, attempt, code)
        verifier: TokenVerifier = request.app.state.verifier
        try:
            identity = await verifier.claims(tokens.id_token, self._settings.sign_in_client)
            bearer = await verifier.claims(tokens.access_token)
            if not hmac.compare_digest(str(identity.get("nonce")).encode(), attempt.nonce.encode()):
                raise failed("sign-in-invalid", "nonce")
            if identity["sub"] != bearer["sub"]:
                raise failed("sign-in-invalid", "subject")
            if bearer.get("role") is None:
                raise failed("sign-in-no-role", "role", 403)
            if len(tokens.access_token) > LONGEST_TOKEN:
                raise failed("sign-in-invalid", "size")
            await verifier.verify(tokens.access_token)
        except Problem as problem:
            if problem.status_code == 401:
                raise failed("sign-in-invalid", "token") from None
            if problem.code == "keys-unavailable":
                raise away() from None
            raise
        return tokens.access_token

    def is_issuer(self, named: str) -> bool:
        """Whether an answer that names its issuer (RFC 9207) comes from ours."""
        return named in ("", self._settings.issuer)

    def _ours(self, request: Request, path: str) -> str:
        if self.is_local:
            return path
        return (self._settings.public_url or str(request.base_url)).rstrip("/") + path

    async def _exchanged(self, request: Request, attempt: Attempt, code: str) -> _Tokens:
        described = await self._described(request)
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._ours(request, RETURN),
            "client_id": self._settings.sign_in_client,
            "code_verifier": attempt.verifier,
        }
        secret = self._settings.sign_in_client_secret
        basic = None if secret is None else httpx.BasicAuth(self._settings.sign_in_client, secret.get_secret_value())
        status, answer = await self._asked(request, "POST", described.token_endpoint, data=sent, auth=basic)
        if status == 400 and answer.get("error") == "invalid_grant":
            raise failed("sign-in-expired", "code")
        try:
            if status != 200:
                raise failed("sign-in-unavailable", "exchange", 503)
            return _Tokens.model_validate(answer)
        except ValidationError:
            raise failed("sign-in-invalid", "tokens") from None

    async def _described(self, request: Request) -> _Described:
        if self._known is not None and self._monotonic() < self._known.until:
            return self._known.described
        issuer = self._settings.issuer
        url = self._settings.discovery_url or f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        status, answer = await self._asked(request, "GET", DISCOVERY if self.is_local else url)
        try:
            described = _Described.model_validate(answer)
        except ValidationError:
            raise away() from None
        ways = (described.authorization_endpoint, described.token_endpoint)
        safe = self._settings.profile != "production" or all(map(is_safe_way, ways))
        if status != 200 or described.issuer != issuer or not safe:
            raise away()
        self._known = _Known(described, self._monotonic() + KNOWN_SECONDS)
        return described

    async def _asked(self, request: Request, method: str, url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of the sign-in service's answer. Raises `Problem` 503 while it does not answer as it should."""
        here = httpx.ASGITransport(request.app, raise_app_exceptions=False) if self.is_local else None
        around: dict[str, Any] = {
            "transport": here,
            "verify": _trusted(),
            "trust_env": here is None,
            "timeout": TIMEOUT_SECONDS,
        }
        body = bytearray()
        try:
            async with (
                httpx.AsyncClient(base_url=_HERE, **around) as client,
                client.stream(method, url, follow_redirects=False, **sent) as response,
            ):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        raise away()
            answer: object = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise away() from None
        if not isinstance(answer, dict):
            raise away()
        return response.status_code, cast("dict[str, Any]", answer)


@cache
def _trusted() -> ssl.SSLContext:
    """Which certificates count (``SSL_CERT_FILE``). Read once: it costs as much as a hundred requests."""
    return httpx.create_ssl_context()


def challenge(verifier: str) -> str:
    """What is told at first of a secret that is shown later (RFC 7636, section 4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def failed(code: str, reason: str, status: int = 400) -> Problem:
    """What the visitor reads. The log says at which check it failed, and nothing of the visitor."""
    log.warning("sign-in.failed", reason=reason)
    return Problem(code, status)


def away() -> Problem:
    log.warning("sign-in.unavailable")
    return Problem("sign-in-unavailable", 503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _with(url: str, asked: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"
