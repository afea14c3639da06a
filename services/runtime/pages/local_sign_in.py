"""The sign-in of one machine: a small OpenID Connect provider, where one chooses a made-up person and needs no password.

It does what the county's sign-in service does, so that the pages know one way of signing in only: it describes itself, publishes its
key, gives out codes (once, for `GOOD_FOR` seconds, bound to the PKCE challenge) and exchanges them for tokens of the local issuer. It
leads back to these pages alone. Its addresses are paths. In production there is none of it.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.runtime.local_issuer import ALGORITHM, LocalIssuer
from services.runtime.pages.addresses import DISCOVERY, LOCAL, RETURN, SIGNED_OUT
from services.runtime.pages.openid import challenge
from services.runtime.pages.pages import Pages, Visitor, page_for_anybody
from services.runtime.pages.session import LONGEST_SECONDS
from services.runtime.problems import Problem

Anybody = Annotated[Visitor, Depends(page_for_anybody())]

AUTHORIZE: Final = f"{LOCAL}/authorize"
TOKEN: Final = f"{LOCAL}/token"
KEYS: Final = f"{LOCAL}/keys"
END_SESSION: Final = f"{LOCAL}/end-session"

GOOD_FOR: Final = 60.0
"""Seconds, of a code."""

MOST: Final = 1000
"""Codes that are given out and not yet exchanged; the oldest gives way."""


@dataclass(frozen=True, slots=True)
class SampleUser:
    """Somebody made up, who may sign in where there is a local issuer. `role_key` names the words for the role."""

    subject: str
    role: str
    role_key: str
    county: str
    organisation: str | None = None
    name: str = ""

    @property
    def id(self) -> str:
        return f"{self.county}/{self.role}/{self.organisation or ''}"


class _Asked(BaseModel):
    """An authorization request (OpenID Connect Core, 3.1.2.1; RFC 7636, 4.3)."""

    response_type: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    scope: str = ""
    state: str = ""
    nonce: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a code stands for."""

    person: SampleUser
    asked: _Asked
    until: float


class LocalSignIn:
    """Codes live in the process that gave them out: on one machine a service is one process."""

    def __init__(self, pages: Pages, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._pages = pages
        self._settings = pages.settings
        self._issuer = LocalIssuer(pages.settings)
        self._monotonic = monotonic
        self._given: dict[str, _Given] = {}

    def described(self) -> Mapping[str, object]:
        return {
            "issuer": self._settings.issuer,
            "authorization_endpoint": AUTHORIZE,
            "token_endpoint": TOKEN,
            "jwks_uri": KEYS,
            "end_session_endpoint": END_SESSION,
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def keys(self) -> Mapping[str, object]:
        return self._issuer.published()

    def request_of(self, fields: Mapping[str, str]) -> _Asked:
        """Raises `Problem` for a request that is not of these pages. (Then there is nowhere to lead back to.)"""
        try:
            asked = _Asked.model_validate({name: fields.get(name, "") for name in _Asked.model_fields})
        except ValidationError:
            raise Problem("bad-request", 400) from None
        known = asked.client_id == self._settings.sign_in_client and asked.redirect_uri == RETURN
        whole = asked.response_type == "code" and "openid" in asked.scope.split() and asked.nonce and asked.state
        if not known or not whole or asked.code_challenge_method != "S256" or not asked.code_challenge:
            raise Problem("bad-request", 400)
        return asked

    def back(self, asked: _Asked, person: SampleUser | None) -> str:
        """Where the browser goes on: with a code for this person, or with a refusal."""
        told = {"state": asked.state, "iss": self._settings.issuer}
        if person is None:
            return f"{asked.redirect_uri}?{urlencode({'error': 'access_denied', **told})}"
        if len(self._given) >= MOST:
            del self._given[next(iter(self._given))]
        code = secrets.token_urlsafe(32)
        self._given[code] = _Given(person, asked, self._monotonic() + GOOD_FOR)
        return f"{asked.redirect_uri}?{urlencode({'code': code, **told})}"

    def exchanged(self, sent: Mapping[str, str]) -> Response:
        """The tokens for a code (OpenID Connect Core, 3.1.3). A code that was shown once counts no more, whatever came with it."""
        if sent.get("grant_type") != "authorization_code":
            return _no("unsupported_grant_type")
        given = self._given.pop(sent.get("code", ""), None)
        if given is None or self._monotonic() >= given.until:
            return _no("invalid_grant")
        shown = challenge(sent.get("code_verifier", ""))
        fits = (
            sent.get("client_id") == given.asked.client_id
            and sent.get("redirect_uri") == given.asked.redirect_uri
            and hmac.compare_digest(shown.encode(), given.asked.code_challenge.encode())
        )
        if not fits:
            return _no("invalid_grant")
        one = given.person
        bearer = self._issuer.token(
            one.subject, one.role, one.county, organisation=one.organisation, ttl=LONGEST_SECONDS
        )
        identity = self._issuer.id_token(one.subject, given.asked.client_id, given.asked.nonce)
        told = {"access_token": bearer, "id_token": identity, "token_type": "Bearer", "expires_in": LONGEST_SECONDS}
        return JSONResponse(told)


def _no(error: str) -> Response:
    return JSONResponse({"error": error}, 400)


def local_sign_in_routes(pages: Pages, people: Callable[[], Awaitable[Sequence[SampleUser]]]) -> APIRouter:
    """The provider's routes. `people`: who may be chosen."""
    router, provider = pages.router(), LocalSignIn(pages)

    @router.get(DISCOVERY)
    async def described(_: Anybody) -> Response:
        return JSONResponse(provider.described())

    @router.get(KEYS)
    async def keys(_: Anybody) -> Response:
        return JSONResponse(provider.keys())

    @router.get(AUTHORIZE)
    async def choose(visitor: Anybody) -> Response:
        asked = provider.request_of(visitor.request.query_params)
        return pages.show(visitor, "local_sign_in.html", people=await people(), asked=asked.model_dump())

    @router.post(AUTHORIZE)
    async def chosen(visitor: Anybody) -> Response:
        form = await visitor.form()
        asked = provider.request_of({name: form.one(name) for name in form.fields})
        if form.one("leave"):
            return RedirectResponse(provider.back(asked, None), 303)
        person = next((one for one in await people() if one.id == form.one("person")), None)
        if person is None:
            raise Problem("not-found", 404)
        return RedirectResponse(provider.back(asked, person), 303)

    @router.post(TOKEN)
    async def token(visitor: Anybody) -> Response:
        try:
            sent = dict(parse_qsl((await visitor.request.body()).decode(), max_num_fields=20))
        except ValueError:
            return _no("invalid_request")
        return provider.exchanged(sent)

    @router.get(END_SESSION)
    async def leave(_: Anybody) -> Response:
        """Nobody stays signed in here, so there is nothing to end."""
        return RedirectResponse(SIGNED_OUT, 303)

    return router
